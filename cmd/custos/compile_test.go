package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/plan"
)

// What is merged is compiled, with the tests, before it is written: laid over the project, which stays as it is.
func TestCompile(t *testing.T) {
	t.Parallel()
	const lib, main, test = "package a\n\nfunc Old() int { return 1 }\n", "package main\n\nimport \"m/a\"\n\nfunc main() { println(a.Old()) }\n", "package a\n\nimport \"testing\"\n\nfunc TestOld(t *testing.T) { t.Log(Old()) }\n"
	merged := func(name, old, new string) plan.Change {
		return plan.Change{Path: name, Op: plan.Merge, Old: []byte(old), New: []byte(new)}
	}
	for _, c := range []struct {
		name    string
		main    string // as it is
		changes []plan.Change
		want    string // in the error; "" = none
		clash   bool
	}{
		{"it builds", main, []plan.Change{merged("a/a.go", lib, lib+"\nfunc New() {}\n")}, "", false},
		{"it does not", main, []plan.Change{merged("a/a.go", lib, "package a\n\nfunc New() { undefined() }\n")}, "a/a.go:3:14: undefined: undefined", true},
		{"the user's code does not", main, []plan.Change{merged("a/a.go", lib, "package a\n\nfunc New() {}\n")}, "undefined: a.Old", true},
		{"a test does not", main, []plan.Change{merged("a/a_test.go", test, test+"\nfunc TestNew(t *testing.T) { New() }\n")}, "a/a_test.go:7:30: undefined: New", true},
		{"vet objects", main, []plan.Change{merged("a/a.go", lib, lib+"\nfunc f() {\n\treturn\n\tprintln()\n}\n")}, "unreachable code", true},
		{"what nobody edited", main, []plan.Change{{Path: "a/a.go", Op: plan.Replace, Old: []byte(lib), New: []byte("package a\n")}}, "undefined: a.Old", true},
		{"what nobody edited, and its test", "package main\n\nfunc main() {}\n", []plan.Change{{Path: "a/a.go", Op: plan.Replace, Old: []byte(lib), New: []byte("package a\n")}}, "a/a_test.go:5:36: undefined: Old", true},
		{"what is the machine's", main, []plan.Change{{Path: "a/a.go", Op: plan.Replace, Old: []byte(lib), New: []byte("package a\n"), Owner: plan.Machine}}, "", false},
		{"what it needs comes along", main, []plan.Change{merged("a/a.go", lib, lib+"\nfunc New() { fresh() }\n"), {Path: "a/b.go", Op: plan.Create, New: []byte("package a\n\nfunc fresh() {}\n")}}, "", false},
		{"what it needs goes", main, []plan.Change{merged("main.go", main, main+"\nvar _ = 1\n"), {Path: "a/a.go", Op: plan.Delete, Old: []byte(lib)}}, "no non-test Go files", true},
		{"go.mod comes along", main, []plan.Change{merged("a/a.go", lib, lib+"\nfunc New[T any]() {}\n"), {Path: "go.mod", Op: plan.Replace, New: []byte("module m\n\ngo 1.25\n")}}, "", false},
		{"it did not build before", "package main\n\nfunc main() { no() }\n", []plan.Change{merged("a/a.go", lib, lib+"\nfunc New() {}\n")}, "it does so without the upgrade, too", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, content := range map[string]string{"go.mod": "module m\n\ngo 1.24\n", "a/a.go": lib, "a/a_test.go": test, "main.go": c.main} {
				file := filepath.Join(dir, filepath.FromSlash(name))
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			a, _, _ := testApp(t, nil)
			err := a.compile(context.Background(), outcome{root: dir, changes: c.changes, upgrade: true})
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			case c.clash && exitCode(err) != codeConflict, !c.clash && err != nil && exitCode(err) != codeFailed:
				t.Errorf("exit code %d", exitCode(err))
			}
			if got, err := os.ReadFile(filepath.Join(dir, "a/a.go")); err != nil || string(got) != lib {
				t.Errorf("a/a.go is %q, %v", got, err)
			}
		})
	}
}
