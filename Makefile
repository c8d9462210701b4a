# Two targets are for everybody: demo runs the main job, test runs the tests.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: demo test laws lint bench timing fuzz races upgrades build clean

build: bin/custos

bin/custos: FORCE
	@go build -o bin/custos ./cmd/custos
FORCE:

demo: bin/custos
	@./testdata/demo.sh

test: lint
	@./testdata/databases.sh
	go test -timeout 80m ./...
	cd runtime && go test ./...

# Every pair of plugins on every engine, which takes hours; `make test` has each pair on one of them.
laws: lint
	CUSTOS_LAWS=all go test -timeout 300m ./generator

lint:
	@test -z "$$(gofmt -l cmd generator templates runtime)" || { gofmt -l cmd generator templates runtime; exit 1; }
	go vet ./...
	cd runtime && go vet ./...
	go run $(STATICCHECK) ./...
	cd runtime && go run $(STATICCHECK) ./...

bench: bin/custos
	go run ./bench -custos bin/custos

# What a clock could tell an attacker. It takes a few minutes and wants an idle machine, so CI has no part in it.
timing: bin/custos
	go run ./bench -custos bin/custos -only timing

# Each fuzz target for a little while; a finding is kept in testdata/fuzz and run by `make test` from then on.
fuzz:
	@for dir in generator/declaration generator/merge generator/model generator/plugin generator/plan generator/project generator/sqlc runtime/token runtime/keyring runtime/bearer runtime/jsonbody runtime/address runtime/cookie runtime/password runtime/seal runtime/totp; do \
		for target in $$(grep -ho 'func Fuzz[A-Za-z]*' $$dir/*_test.go | sed 's/func //'); do \
			echo "== $$dir $$target"; (cd $$dir && go test -run '^$$' -fuzz "^$$target$$" -fuzztime 20s -fuzzminimizetime 5x .) || exit 1; \
		done; \
	done

# 200 rounds of every race that the generated tests play, on three engines; `make test` has three. Ten minutes and more.
races: bin/custos
	@./testdata/races.sh

# What users do to their files against what new versions do: 10 000 trials, of which `make test` has 300; and 500 kills
# at random points, of which it has 96.
upgrades:
	CUSTOS_UPGRADES=10000 CUSTOS_KILLS=500 go test -timeout 300m -run 'TestUpgradesOfEditedProjects|TestKilledAtAnyInstant' -v ./generator

clean:
	rm -rf bin demo
