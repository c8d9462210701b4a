#!/usr/bin/env bash
# Says which databases the tests will use, so that a skipped engine is not a silent one.
set -u
there() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
missing=0
echo "databases: SQLite: in use"
for server in "PostgreSQL 5432" "MySQL 3306"; do
	set -- $server
	if there "$2"; then
		echo "databases: $1 on 127.0.0.1:$2: in use"
	else
		echo "databases: $1 on 127.0.0.1:$2: not there, its tests are skipped"
		missing=1
	fi
done
test -z "${CUSTOS_REQUIRE_DATABASES:-}" || exit $missing
