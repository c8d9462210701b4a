#!/bin/sh
# The main job, start to end: a new SQLite app with API clients, a token, a request. `make demo` runs it.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/bin:$PATH"
app=$(mktemp -d)/demo
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null || true; rm -rf "$(dirname "$app")"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
test -t 1 && test -z "${NO_COLOR:-}" || say() { printf '\n%s\n' "$*"; }
run() { say "\$ $*"; "$@"; }

run custos new "$app" ApiClient api_tokens
cd "$app"
run custos migrate up
say '$ custos token create ApiClient new --expires-in 30d'
token=$(custos token create ApiClient new --expires-in 30d)
echo "a token of ${#token} characters, shown once"

say '$ go build -o server . && ./server &'
go build -o server .
ADDR=127.0.0.1:0 ./server 2>server.log &
server=$!
url=
for _ in $(seq 100); do
	url=$(sed -n 's/.*url=\(http[^ ]*\).*/\1/p' server.log)
	test -z "$url" || break
	sleep 0.1
done
test -n "$url" || { cat server.log; exit 1; }

expect() { # what it should be, what it is
	test "$1" = "$2" || { echo "demo: wanted $1, got $2" >&2; exit 1; }
}
status() { curl -s -o answer -w '%{http_code}' "$@"; }

say "\$ curl $url/hello"
expect 401 "$(status "$url/hello")"
curl -si "$url/hello" | grep -i -e '^HTTP' -e www-authenticate
cat answer

say "\$ curl -H 'Authorization: Bearer ...' $url/hello"
expect 200 "$(status -H "Authorization: Bearer $token" "$url/hello")"
cat answer

say '$ custos token list ApiClient 1'
sleep 1.1 # last_used_at is written within a second
custos token list ApiClient 1
run custos token revoke ApiClient 1 1

say "\$ curl -H 'Authorization: Bearer ...' $url/hello"
expect 401 "$(status -H "Authorization: Bearer $token" "$url/hello")"
cat answer

kill -TERM "$server"
wait "$server"
server=
say 'The demo worked: no token, 401; a token, 200; revoked, 401.'
