#!/usr/bin/env bash
# The generated tests of what happens at once, again and again, in a project with every plugin, on each engine that is here.
# COUNT times; token_auth's have three rounds each time. `make races` runs it, CI does not: it takes a while.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/bin:$PATH"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
plugins=$(custos plugins --json | sed -n 's/^    "name": "\(.*\)",$/\1/p')

for engine in "sqlite" "postgres 5432" "mysql 3306"; do
	set -- $engine
	if test $# = 2 && ! (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
		echo "races: $1 is not on 127.0.0.1:$2: skipped"
		continue
	fi
	echo "races: $1, ${COUNT:=67} times"
	# shellcheck disable=SC2086 # words
	custos new "$dir/$1" User $plugins --engine "$1" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
	(cd "$dir/$1" && go test -count="$COUNT" -timeout=2h -run 'Race|Once' ./internal/auth/user)
done
