package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/templates"
)

func testApp(t *testing.T, env map[string]string) (a *app, out, errOut *bytes.Buffer) {
	t.Helper()
	out, errOut = new(bytes.Buffer), new(bytes.Buffer)
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return &app{in: strings.NewReader(""), out: out, err: errOut, dir: t.TempDir(), lookup: lookup, templates: templates.FS, build: build{Version: "v1.2.3"}}, out, errOut
}

func TestGenModelParses(t *testing.T) {
	tokens := plugin.Selection{Name: defaultPlugin, Options: map[string]string{}}
	for _, test := range []struct {
		args string
		want genOptions
	}{
		{"ApiClient", genOptions{model: "ApiClient"}},
		{"ApiClient api_tokens", genOptions{model: "ApiClient", plugins: []plugin.Selection{tokens}}},
		{"--dry-run ApiClient api_tokens --package internal/authn", genOptions{
			model: "ApiClient", plugins: []plugin.Selection{tokens}, project: project.Options{Package: "internal/authn"},
			writeOptions: writeOptions{dryRun: true},
		}},
		{"ApiClient api_tokens:scopes,touch=sync --engine pg --driver pgx --json -v --no-mod --diff", genOptions{
			model:        "ApiClient",
			plugins:      []plugin.Selection{{Name: defaultPlugin, Options: map[string]string{"scopes": "true", "touch": "sync"}}},
			project:      project.Options{Engine: "pg", Driver: "pgx"},
			writeOptions: writeOptions{diff: true, json: true, verbose: true, noMod: true},
		}},
	} {
		t.Run(test.args, func(t *testing.T) {
			a, _, _ := testApp(t, nil)
			var got genOptions
			cmd := newGenModelCmd(a, func(_ context.Context, o genOptions) error { got = o; return nil })
			cmd.SetArgs(strings.Fields(test.args))
			if err := cmd.Execute(); err != nil {
				t.Fatal(err)
			}
			test.want.conflict = stop
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{usagef(nil, "x"), 2},
		{fmt.Errorf("y: %w", usagef(nil, "x")), 2},
		{silent(3), 3},
		{silent(7), 7},
		{conflict{errors.New("x")}, 4},
		{&generator.TakenError{}, 4},
		{&project.PosError{}, 1},
		{fmt.Errorf("y: %w", &project.PosError{Conflict: true}), 4},
		{fmt.Errorf("y: %w", &merge.ForeignError{}), 4},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("exitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
}

func TestReport(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{silent(3), ""},
		{errors.New("read x: y"), "custos: read x: y\n"},
		{errors.Join(errors.New("a"), errors.New("b")), "custos: a\n        b\n"},
		{context.Canceled, "custos: interrupted; nothing was written\n"},
	} {
		a, _, errOut := testApp(t, nil)
		a.report(test.err)
		if errOut.String() != test.want {
			t.Errorf("report(%v) = %q, want %q", test.err, errOut, test.want)
		}
	}
}

func TestCheckJudges(t *testing.T) {
	kept := plan.Change{Path: "kept", Op: plan.Conflict, Old: []byte("mine"), New: []byte("new"), Note: "edited"}
	edited := plan.Change{Path: "edited", Op: plan.Keep, Old: []byte("mine"), New: []byte("new")} // the new version is the old one
	deleted := plan.Change{Path: "deleted", Op: plan.Keep, New: []byte("new"), Note: "deleted by you"}
	stale := plan.Change{Path: "stale", Op: plan.Keep, Old: []byte("x"), New: []byte("x"), Note: "no longer generated"}
	missing := plan.Change{Path: "missing", Op: plan.Create, New: []byte("x")}
	machine := plan.Change{Path: "machine", Op: plan.Replace, Old: []byte("mine"), New: []byte("new")}
	same := plan.Change{Path: "machine", Op: plan.Same, Old: []byte("new"), New: []byte("new")}
	at := func(state, path string) finding { return finding{State: state, Path: path} }
	for _, test := range []struct {
		name    string
		known   []finding
		changes []plan.Change
		code, n int
	}{
		{"nothing", nil, nil, 0, 0},
		{"the user's business", nil, []plan.Change{edited, deleted, stale}, 0, 0},
		{"missing", nil, []plan.Change{missing}, 3, 1},
		{"conflict", nil, []plan.Change{kept}, 4, 1},
		{"both, one way", nil, []plan.Change{kept, missing}, 4, 2},
		{"both, other way", nil, []plan.Change{missing, kept}, 4, 2},
		{"an edited machine's file is one finding", []finding{at(generator.FaultEdited, "machine")}, []plan.Change{machine}, 5, 1},
		{"one that is as it would be was not edited", []finding{at(generator.FaultEdited, "machine")}, []plan.Change{same}, 0, 0},
		{"base before edited", []finding{at(generator.FaultEdited, "machine"), at(generator.FaultBase, "b")}, []plan.Change{missing}, 6, 3},
		{"markers before base", []finding{at(generator.FaultBase, "b"), at(generator.FaultMarker, "m")}, nil, 4, 2},
		{"a security fix before all", []finding{at(generator.FaultMarker, "m"), at(stateAdvisory, "a")}, []plan.Change{kept}, 7, 3},
	} {
		got := judged(slices.Clone(test.known), test.changes)
		got = append(got, checkChanges(test.changes, got)...)
		if code := judge(got); code != test.code || len(got) != test.n {
			t.Errorf("%s: code %d with %d findings, want %d with %d", test.name, code, len(got), test.code, test.n)
		}
	}
}

func TestNeedsTidy(t *testing.T) {
	src := func(imports ...string) []byte {
		return []byte("package p\n\nimport (\n\t\"" + strings.Join(imports, "\"\n\t\"") + "\"\n)\n")
	}
	before := plan.Change{Path: "a.go", Op: plan.Same, Old: src("fmt", "x.org/a"), New: src("fmt", "x.org/a")}
	for _, test := range []struct {
		name string
		c    plan.Change
		want bool
	}{
		{"go.mod", plan.Change{Path: "go.mod", Op: plan.Replace, Old: []byte("a"), New: []byte("b")}, true},
		{"go.mod as it was", plan.Change{Path: "go.mod", Op: plan.Same}, false},
		{"an import that another file has", plan.Change{Path: "b.go", Op: plan.Create, New: src("os", "x.org/a")}, false},
		{"a new import", plan.Change{Path: "b.go", Op: plan.Create, New: src("x.org/b")}, true},
		{"in a file that is kept", plan.Change{Path: "b.go", Op: plan.Keep, New: src("x.org/b")}, false},
		{"a pristine copy", plan.Change{Path: ".custos/base/b.go", Op: plan.Create, New: src("x.org/b")}, false},
	} {
		if got := needsTidy([]plan.Change{before, test.c}); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestColourNeedsATerminal(t *testing.T) {
	a, _, _ := testApp(t, nil)
	if a.colour() {
		t.Error("colour into a buffer")
	}
	if got := colour(false).paint(red, "x"); got != "x" {
		t.Errorf("%q", got)
	}
	if got := colour(true).paint(red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("%q", got)
	}
}

func TestProgressIsSilentOnFastRuns(t *testing.T) {
	a, _, errOut := testApp(t, nil)
	p := a.progress()
	p.step("one")
	p.step("two")
	p.done()
	if errOut.Len() > 0 {
		t.Errorf("printed %q", errOut)
	}
}

func TestProgressNamesASlowStep(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	a, _, errOut := testApp(t, nil)
	p := a.progress()
	p.step("thinking")
	time.Sleep(slow + 200*time.Millisecond)
	p.done()
	if got := errOut.String(); got != "custos: thinking ...\n" {
		t.Errorf("printed %q", got)
	}
}

func TestNewKeys(t *testing.T) {
	one, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	two, err := newKeys()
	if err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(one, "1:"))
	if err != nil || len(key) != 32 || one == two {
		t.Errorf("keys %q and %q", one, two)
	}
}

func TestRuntimeModule(t *testing.T) {
	for _, test := range []struct {
		build build
		want  generator.RuntimeModule
		ok    bool
	}{
		{build{Version: "v0.1.0"}, generator.RuntimeModule{Version: "v0.1.0"}, true},
		{build{Version: "devel", Checkout: "/src/custos"}, generator.RuntimeModule{Version: "v0.0.0", Replace: "/src/custos/runtime"}, true},
		{build{Version: "devel"}, generator.RuntimeModule{}, false},
	} {
		got, err := test.build.runtimeModule()
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%+v: %+v, %v", test.build, got, err)
		}
	}
	if readBuild().Checkout == "" {
		t.Error("a test's checkout was not found")
	}
}

func TestDatabaseErrorsHideThePassword(t *testing.T) {
	for name, dsns := range map[string][]string{
		"postgres": {"postgres://me:hunter2@:port/x", "host=h password=hunter2 port=x", "postgres://me:hunter2@%zz/x"},
		"mysql":    {"mysql://me:hunter2@%zz/x", "me:hunter2@nowhere", "me:hunter2@tcp(h:1)/x?timeout=hunter2"},
		"sqlite":   {"", ":memory:", "app.db?hunter2=%zz"},
	} {
		for _, dsn := range dsns {
			db, err := databases()[name].open(dsn, t.TempDir())
			if err == nil {
				_ = db.Close()
				t.Errorf("%s: %q was opened", name, dsn)
				continue
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestEveryEngineHasADatabase(t *testing.T) {
	known := databases()
	for _, e := range engine.All() {
		d, ok := known[e.Name]
		if !ok || d.dialect == "" || d.open == nil || d.example == "" || !strings.Contains(d.shell, "%s") {
			t.Errorf("%s: %+v", e.Name, d)
		}
		for _, tool := range []string{project.Goose, project.GolangMigrate, project.Dbmate, project.Plain} {
			db, err := d.open(d.exampleFor(tool), t.TempDir())
			if err != nil {
				t.Errorf("%s for %s: %v", e.Name, tool, err)
				continue
			}
			_ = db.Close()
		}
	}
	if len(known) != len(engine.All()) {
		t.Errorf("%d databases, %d engines", len(known), len(engine.All()))
	}
}

func TestMainReturns(t *testing.T) {
	if code := Main([]string{"version"}, strings.NewReader(""), io.Discard, io.Discard); code != codeDone {
		t.Errorf("code %d", code)
	}
	if code := Main([]string{"nonsense"}, strings.NewReader(""), io.Discard, io.Discard); code != codeUsage {
		t.Errorf("code %d", code)
	}
}

// A plugin's word is of use only where custos has no command of that name.
func TestEveryWordIsForwarded(t *testing.T) {
	a, _, _ := testApp(t, nil)
	lib, err := a.library()
	if err != nil {
		t.Fatal(err)
	}
	root := a.rootCmd()
	for _, name := range append([]string{plugin.Core}, lib.Names()...) {
		p, err := lib.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		for word := range p.Manifest.Commands {
			cmd, _, err := root.Find([]string{word})
			if err != nil || !cmd.DisableFlagParsing {
				t.Errorf("custos %s is not what %s brings: %v", word, name, err)
			}
		}
	}
}
