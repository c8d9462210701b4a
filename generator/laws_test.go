package generator_test

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/template/parse"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/render"
	"github.com/custos-auth/custos/generator/sqlc"
	"github.com/custos-auth/custos/templates"
)

// overProjects runs a test over every set of plugins on every engine.
func overProjects(t *testing.T, test func(t *testing.T, s set, e engine.Engine)) {
	t.Helper()
	for _, s := range sets(t) {
		for _, e := range engine.All() {
			t.Run(e.Name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				test(t, s, e)
			})
		}
	}
}

// Law 1: what is generated compiles, is clean, and passes the tests that the user gets.
func TestGeneratedProjectPassesItsOwnTests(t *testing.T) {
	t.Parallel()
	overProjects(t, passesItsOwnTests)
}

// Law 1, for pairs that meet at a seam: each on one engine, in turn; with CUSTOS_LAWS=all on all of them.
func TestPairsPassTheirOwnTests(t *testing.T) {
	t.Parallel()
	for i, s := range pairs(t) {
		for j, e := range engine.All() {
			if i%len(engine.All()) != j && os.Getenv("CUSTOS_LAWS") != "all" {
				continue
			}
			t.Run(e.Name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				passesItsOwnTests(t, s, e)
			})
		}
	}
}

func passesItsOwnTests(t *testing.T, s set, e engine.Engine) {
	requireDatabase(t, e)
	dir := s.project(t, e)
	args := []string{"test", "-v", "-vet=off", "-ldflags=-s -w"} // TestGeneratedGoIsClean vets, and nobody debugs these
	if overlay := s.matrix(t, dir); overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	out, err := command(t, dir, "go", append(args, "./...")...)
	if err != nil {
		t.Fatalf("go test ./...: %v\n%s", err, failures(out))
	}
	if strings.Contains(out, "--- SKIP") {
		t.Errorf("a generated test was skipped:\n%s", out)
	}
	if n := strings.Count(out, "--- PASS"); n == 0 {
		t.Errorf("no generated test ran:\n%s", out)
	}
}

// Law 1, for drivers that are not an engine's first.
func TestOtherDriversPassTheirOwnTests(t *testing.T) {
	t.Parallel()
	s := everything(t)[0]
	for _, e := range engine.All() {
		for _, d := range e.Drivers[1:] {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				s.seed(t, e).write(t, dir)
				req := request(t, dir, e, s.models[0])
				req.Options.Driver = d.Name
				run(t, req)
				goCommand(t, dir, "test", "-vet=off", "./...")
			})
		}
	}
}

// failures is the part of go test -v's output that says what is wrong.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.Contains(line, "=== ") && !strings.Contains(line, "--- PASS") && !strings.Contains(line, "[no test files]") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Law 1, for the race detector: one project that has everything.
func TestGeneratedProjectHasNoRaces(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the database driver with -race")
	}
	t.Parallel()
	if out, err := command(t, ".", "go", "env", "CGO_ENABLED"); err != nil || strings.TrimSpace(out) != "1" {
		t.Skip("the race detector needs cgo")
	}
	s := optionsSet(t, library(t))
	s.name = "races"                                            // projects are shared by name
	s.models = []wanted{s.models[0], s.models[len(s.models)-1]} // every option, and none: what runs beside what does not depend on its value
	goCommand(t, s.project(t, engine.Default()), "test", "-race", "-timeout=18m", "./...")
}

// Law 1, for vet and the linter. What is in a folder other than authdb is the same on every engine (TestGoIsEngineBlind),
// so all of them see the projects that have everything, and one sees the others.
func TestGeneratedGoIsClean(t *testing.T) {
	t.Parallel()
	staticcheck := findStaticcheck(t)
	everywhere := map[string]bool{}
	for _, s := range everything(t) {
		everywhere[s.name] = true
	}
	overProjects(t, func(t *testing.T, s set, e engine.Engine) {
		dir := s.project(t, e)
		for name, content := range snapshot(t, dir) {
			if path.Ext(name) != ".go" {
				continue
			}
			if formatted, err := format.Source(content); err != nil || !bytes.Equal(formatted, content) {
				t.Errorf("%s is not as gofmt writes it: %v", name, err)
			}
		}
		if e.Name != engine.Default().Name && !everywhere[s.name] {
			return
		}
		goCommand(t, dir, "vet", "./...")
		if len(staticcheck) == 0 {
			t.Skip("no staticcheck: go install honnef.co/go/tools/cmd/staticcheck@" + staticcheckVersion)
		}
		if out, err := command(t, dir, staticcheck[0], append(staticcheck[1:], "./...")...); err != nil {
			t.Errorf("staticcheck ./...: %v\n%s", err, out)
		}
	})
}

const staticcheckVersion = "v0.8.2"

// findStaticcheck returns the command that runs staticcheck, or nil.
func findStaticcheck(t *testing.T) []string {
	t.Helper()
	if name, err := exec.LookPath("staticcheck"); err == nil {
		return []string{name}
	}
	for _, variable := range []string{"GOBIN", "GOPATH"} {
		out, err := command(t, ".", "go", "env", variable)
		if err != nil {
			continue
		}
		dir := strings.TrimSpace(out)
		if variable == "GOPATH" {
			dir = filepath.Join(dir, "bin")
		}
		if name, err := exec.LookPath(filepath.Join(dir, "staticcheck")); dir != "" && err == nil {
			return []string{name}
		}
	}
	run := []string{"go", "run", "honnef.co/go/tools/cmd/staticcheck@" + staticcheckVersion}
	if _, err := command(t, t.TempDir(), run[0], append(run[1:], "-version")...); err == nil {
		return run
	}
	return nil
}

// Law 2: a second run writes nothing, and does not even start sqlc.
func TestGeneratingTwiceWritesNothing(t *testing.T) {
	t.Parallel()
	overProjects(t, func(t *testing.T, s set, e engine.Engine) {
		dir := s.project(t, e)
		for _, m := range append(slices.Clone(s.models), wanted{}) { // the last one is a run for the project as it is
			req := request(t, dir, e, m)
			req.SQLC.Exe = filepath.Join(dir, "no-such-file")
			result, err := generator.Generate(context.Background(), req)
			if err != nil {
				t.Fatalf("model %q again: %v", m.name, err)
			}
			for _, c := range result.Changes {
				if c.Writes() {
					t.Errorf("model %q again would %s %s", m.name, c.Op, c.Path)
				}
			}
		}
	})
}

// What comes out of a template is as gofmt writes it, so that a run which changes nothing has nothing to format. Some
// values of options make it another line; one in ten bytes may.
func TestTemplatesAreFormatted(t *testing.T) {
	t.Parallel()
	lib := library(t)
	s := set{models: []wanted{{name: "User", plugins: selection(allTogether(lib)...)}}}
	e := engine.Default()
	dir := t.TempDir()
	s.seed(t, e).write(t, dir)
	result, err := generator.Generate(t.Context(), request(t, dir, e, s.models[0]))
	if err != nil {
		t.Fatal(err)
	}
	all, ragged, list := 0, 0, []string{}
	m := result.Plan.Models[0]
	for _, p := range m.Plugins {
		for name, text := range memory(t, p.FS) {
			if !strings.HasSuffix(name, ".go.tmpl") || strings.Count(path.Base(name), ".") > 2 { // of one engine: a part of another
				continue
			}
			raw, err := render.Snippet(result.Plan, p, m, name, string(text))
			if err != nil {
				t.Fatal(err)
			}
			all += len(raw)
			if formatted, err := format.Source(raw); err != nil || !bytes.Equal(formatted, raw) {
				ragged += len(raw)
				list = append(list, p.Name+"/"+name)
			}
		}
	}
	if all == 0 || ragged > all/10 {
		t.Errorf("%d of %d bytes are not as gofmt writes them, in:\n%s", ragged, all, strings.Join(list, "\n"))
	}
}

// Law 2: the same input makes the same bytes.
func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	overProjects(t, func(t *testing.T, s set, e engine.Engine) {
		dir := t.TempDir()
		s.generate(t, dir, e)
		first, second := snapshot(t, s.project(t, e)), snapshot(t, dir)
		for _, m := range []memoryFS{first, second} { // go test may add a line to go.sum
			delete(m, "go.sum")
			delete(m, "go.mod")
		}
		if diff := differences(first, second); len(diff) > 0 {
			t.Errorf("two runs differ:\n%s", strings.Join(diff, "\n"))
		}
	})
}

// Law 2: an option that is added later adds a migration at most, and changes files of its plugin only.
func TestAddingAnOptionLater(t *testing.T) {
	t.Parallel()
	for _, p := range everyPlugin(t) {
		for _, option := range keys(p.Manifest.Options) {
			for i := range max(1, len(p.Manifest.Options[option].Values)) {
				o := p.Manifest.Options[option]
				value := optionValue(t, o, i)
				if value == o.Default {
					continue
				}
				t.Run(p.Name+"/"+option+"="+value, func(t *testing.T) {
					t.Parallel()
					dir, e := t.TempDir(), engine.Default()
					s := set{models: []wanted{{"ApiClient", selection(p.Name)}}}
					s.generate(t, dir, e)
					before := snapshot(t, dir)
					m := wanted{"ApiClient", []plugin.Selection{{Name: p.Name, Options: map[string]string{option: value}}}}
					result := run(t, request(t, dir, e, m))
					wrote := 0
					for _, c := range result.Changes {
						if !c.Writes() {
							continue
						}
						wrote++
						mine := c.Origin == p.Name || c.Origin == "sqlc" || c.Path == project.ConfigFile || c.Path == project.LockFile
						if !mine {
							t.Errorf("would %s %s (%s)", c.Op, c.Path, c.Origin)
						}
						if c.Op == plan.Delete || c.Owner == plan.Ledger && c.Op != plan.Create {
							t.Errorf("would %s %s", c.Op, c.Path)
						}
					}
					if wrote < 2 {
						t.Error("nothing changed but the configuration")
					}
					old, now := ledger(before), ledger(snapshot(t, dir))
					for name := range old {
						if !bytes.Equal(old[name], now[name]) {
							t.Errorf("%s changed", name)
						}
					}
					_, err := fs.Stat(p.FS, "migrations/option."+option)
					if added := len(now) - len(old); (added > 0) != (err == nil) {
						t.Errorf("%d migrations were added; migrations/option.%s: %v", added, option, err)
					}
				})
			}
		}
	}
}

// Law 3: the Go outside of authdb does not know its engine.
func TestGoIsEngineBlind(t *testing.T) {
	t.Parallel()
	for _, s := range sets(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			trees := map[string]memoryFS{}
			for _, e := range engine.All() {
				own := memoryFS{}
				for name, content := range snapshot(t, s.project(t, e)) {
					if path.Ext(name) == ".go" && !strings.Contains(name, "/authdb/") {
						own[name] = content
					}
				}
				if len(own) < 5 {
					t.Fatalf("%s: only %v", e.Name, keys(own))
				}
				trees[e.Name] = own
			}
			for _, e := range engine.All()[1:] {
				if diff := differences(trees[engine.Default().Name], trees[e.Name]); len(diff) > 0 {
					t.Errorf("%s differs from %s:\n%s", e.Name, engine.Default().Name, strings.Join(diff, "\n"))
				}
			}
		})
	}
}

// Law 3: what sqlc makes has the same shape on every engine, or the Go above it would not compile.
func TestQuerierIsEngineBlind(t *testing.T) {
	t.Parallel()
	for _, s := range sets(t) {
		for _, name := range []string{"querier.go", "models.go"} {
			var first string
			for _, e := range engine.All() {
				src := read(t, filepath.Join(s.project(t, e), project.DefaultPackage, "authdb", name))
				file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
				if err != nil {
					t.Fatal(err)
				}
				body := string(src[file.Name.End():])
				if _, declarations, imports := strings.Cut(body, "\n)\n"); imports {
					body = declarations
				}
				if first == "" {
					first = body
				}
				// The columns of a user's own table have the types that its engine gives them.
				if body != first && (name == "querier.go" || !s.foreign) {
					t.Errorf("%s: %s of %s differs:\n%s\nfrom\n%s", s.name, name, e.Name, body, first)
				}
			}
		}
	}
}

// Law 2: the ways in which custos makes sqlc quick change nothing. A single run of it, on the project as it is, writes
// what custos wrote.
func TestQueriesAreWhatSQLCMakesOfThem(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	chosen := everything(t)
	if os.Getenv("CUSTOS_LAWS") != "all" {
		chosen = chosen[:1]
	}
	for _, s := range chosen {
		for _, e := range engine.All() {
			t.Run(e.Name+"/"+s.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				s.generate(t, dir, e)
				out := filepath.Join(dir, project.DefaultPackage, "authdb")
				before := snapshot(t, out)
				for name, content := range before {
					if !bytes.HasPrefix(content, []byte("// Code generated by sqlc. DO NOT EDIT.")) {
						delete(before, name)
						continue
					}
					if err := os.Remove(filepath.Join(out, name)); err != nil {
						t.Fatal(err)
					}
				}
				cmd := exec.CommandContext(t.Context(), exe, sqlc.Command, "generate", "--no-remote", "-f", project.DefaultQueries+"/sqlc.yaml")
				cmd.Dir = dir
				if text, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				after := snapshot(t, out)
				for name, content := range after {
					if !bytes.HasPrefix(content, []byte("// Code generated by sqlc. DO NOT EDIT.")) {
						delete(after, name)
					}
				}
				if diff := differences(before, after); len(diff) > 0 || len(before) < 4 {
					t.Errorf("sqlc writes something else:\n%s", strings.Join(diff, "\n"))
				}
			})
		}
	}
}

// Half of the time goes when a query does not go the quick way (see generator/sqlc/quick.go), and nothing else would tell.
func TestSQLiteGoesTheQuickWay(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the child is counted by a shell script")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, dir := everything(t)[0], t.TempDir()
	s.seed(t, engine.Default()).write(t, dir)
	req := request(t, dir, engine.Default(), s.models[0])
	req.SQLC.Exe = filepath.Join(t.TempDir(), "counted")
	count := req.SQLC.Exe + ".log"
	if err := os.WriteFile(req.SQLC.Exe, fmt.Appendf(nil, "#!/bin/sh\necho >> %s\nexec %s \"$@\"\n", count, exe), 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, req)
	log, err := os.ReadFile(count)
	if err != nil || len(log) != 2 {
		t.Errorf("%d children of the quick way, %v; a third is for the plain way, after a failure", len(log), err)
	}
}

// Law 3: templates have words, no branches: none can ask which engine it is for.
func TestTemplatesDoNotAskForTheEngine(t *testing.T) {
	t.Parallel()
	var names []string
	for _, e := range engine.All() {
		names = append(names, e.Name, e.SQLC)
	}
	hidden := regexp.MustCompile(`(?i)\b(engine|` + strings.Join(names, "|") + `)\b`)
	for _, p := range everyPlugin(t) {
		for name, content := range memory(t, p.FS) {
			if path.Ext(name) != ".tmpl" {
				continue
			}
			for action := range actions(t, p.Name+"/"+name, string(content)) {
				if hidden.MatchString(action) {
					t.Errorf("%s/%s asks for the engine: {{%s}}", p.Name, name, action)
				}
			}
		}
	}
}

// actions returns the text of every action of a template.
func actions(t *testing.T, name, text string) map[string]bool {
	t.Helper()
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	left, right := "", ""
	if strings.Contains(name, "/mail/") { // see generator/render
		left, right = "[[", "]]"
	}
	if _, err := tree.Parse(text, left, right, trees); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	var walk func(n parse.Node)
	branch := func(pipe *parse.PipeNode, lists ...*parse.ListNode) {
		out[pipe.String()] = true
		for _, l := range lists {
			if l != nil {
				walk(l)
			}
		}
	}
	walk = func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ListNode:
			for _, c := range n.Nodes {
				walk(c)
			}
		case *parse.IfNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.RangeNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.WithNode:
			branch(n.Pipe, n.List, n.ElseList)
		case *parse.ActionNode:
			out[n.Pipe.String()] = true
		case *parse.TemplateNode:
			out[n.String()] = true
		}
	}
	for _, sub := range trees {
		walk(sub.Root)
	}
	return out
}

// Law 3: the engine's words do not give its name away: what a template can print or compare is SQL.
func TestEngineIsNotReachableFromTemplates(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"{{.Engine}}", "{{.Engine.Name}}", "{{.Plan}}", "{{.Config}}", "{{engine}}", "{{.Project}}"} {
		files := memory(t, builtIn(t))
		files[plugin.Core+"/go/auth/probe.go.tmpl"] = []byte("package {{.Auth}}\n\n// " + expression + "\n")
		dir := t.TempDir()
		s := set{models: []wanted{{name: "ApiClient"}}}
		s.seed(t, engine.Default()).write(t, dir)
		req := request(t, dir, engine.Default(), s.models[0])
		req.Templates = files.folder(t)
		if _, err := generator.Generate(context.Background(), req); err == nil {
			t.Errorf("a template can say %s", expression)
		}
	}
}

// Law 3: no path escapes or collides, whatever the plugin set.
func TestPathsStayInsideAndApart(t *testing.T) {
	t.Parallel()
	overProjects(t, func(t *testing.T, s set, e engine.Engine) {
		dir := t.TempDir()
		s.seed(t, e).write(t, dir)
		seen := map[string]string{}
		for _, m := range s.models {
			for _, c := range run(t, request(t, dir, e, m)).Changes {
				if !plan.Local(c.Path) || !filepath.IsLocal(c.Path) {
					t.Errorf("%q leaves the project", c.Path)
				}
				if other, there := seen[strings.ToLower(c.Path)]; there && other != c.Path {
					t.Errorf("%s and %s are one file where case is folded", c.Path, other)
				}
				seen[strings.ToLower(c.Path)] = c.Path
			}
		}
	})
}

func TestCollidingAndEscapingTemplates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, want string }{
		{"a file that another plugin writes", "go/auth/config.go.tmpl", "config.go: written by both"},
		{"a file of that name in another case", "go/auth/Config.go.tmpl", "written by both"},
		{"a file that custos computes", "go/model/service_gen.go.tmpl", "service_gen.go: written by both"},
		{"a folder that means nothing", "go/elsewhere/x.go.tmpl", "unknown folder go/elsewhere"},
		{"a migration folder that means nothing", "migrations/later/x.up.sql.tmpl", `unknown folder "later"`},
	} {
		dir := t.TempDir()
		set{}.seed(t, engine.Default()).write(t, dir)
		memoryFS{"plugin.yaml": []byte("summary: one too many\n"), c.file: []byte("package {{.Auth}}\n"), strings.Replace(c.file, ".up.", ".down.", 1): []byte("package {{.Auth}}\n")}.
			write(t, filepath.Join(dir, project.PluginDir, "extra"))
		_, err := generator.Generate(context.Background(), request(t, dir, engine.Default(), wanted{"ApiClient", selection("extra")}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Law 6: every plugin is whole.
func TestEveryPluginIsWhole(t *testing.T) {
	t.Parallel()
	for _, p := range everyPlugin(t) {
		files := memory(t, p.FS)
		readme := string(files["README.md"])
		if len(strings.Fields(readme)) < 30 {
			t.Errorf("%s: README.md is missing or says nothing", p.Name)
		}
		if s := p.Manifest.Summary; !strings.HasSuffix(s, ".") || len(s) > 120 || strings.Contains(s, "\n") {
			t.Errorf("%s: the summary is not one sentence: %q", p.Name, s)
		}
		for _, o := range keys(p.Manifest.Options) {
			if p.Manifest.Options[o].Help == "" {
				t.Errorf("%s: the option %s has no help", p.Name, o)
			}
			if !strings.Contains(readme, "`"+o) {
				t.Errorf("%s: README.md does not explain the option `%s`", p.Name, o)
			}
		}
		for _, r := range p.Manifest.Routes {
			if r.Summary == "" {
				t.Errorf("%s: the route %s %s has no summary", p.Name, r.Method, r.Path)
			}
		}
		for c := range p.Manifest.Commands {
			if p.Manifest.Commands[c].Summary == "" {
				t.Errorf("%s: the command %s has no summary", p.Name, c)
			}
		}
		code, tests := false, false
		for name, content := range files {
			switch {
			case strings.HasSuffix(name, ".up.sql.tmpl"):
				down := strings.TrimSpace(string(files[strings.Replace(name, ".up.", ".down.", 1)]))
				if down == "" {
					t.Errorf("%s: %s has no down", p.Name, name)
				}
			case strings.HasSuffix(name, ".down.sql.tmpl"):
				if _, there := files[strings.Replace(name, ".down.", ".up.", 1)]; !there {
					t.Errorf("%s: %s has no up", p.Name, name)
				}
			case strings.HasSuffix(name, "_test.go.tmpl"):
				tests = tests || bytes.Contains(content, []byte("func Test"))
			case strings.HasPrefix(name, "go/"):
				code = true
			}
			known := name == "README.md" || name == "SECURITY.md.tmpl" || name == plugin.ManifestFile || strings.HasPrefix(name, "testdata/") ||
				path.Ext(name) == ".tmpl" && slices.Contains([]string{"go", "mail", "migrations", "queries"}, strings.Split(name, "/")[0])
			if !known {
				t.Errorf("%s: %s belongs to nothing", p.Name, name)
			}
		}
		if code && !tests {
			t.Errorf("%s: no generated tests", p.Name)
		}
		for _, table := range p.Manifest.Tables {
			found := false
			for name, content := range files {
				found = found || strings.HasPrefix(name, "migrations/") && bytes.Contains(content, []byte("CREATE TABLE "+table+" "))
			}
			if !found {
				t.Errorf("%s: no migration creates the table %s", p.Name, table)
			}
		}
	}
}

// The binary holds what the folder holds.
func TestEveryPluginIsEmbedded(t *testing.T) {
	t.Parallel()
	folder := memory(t, builtIn(t))
	delete(folder, "templates.go")
	if diff := differences(folder, memory(t, templates.FS)); len(diff) > 0 {
		t.Errorf("templates.FS differs from the folder; say so in templates.go:\n%s", strings.Join(diff, "\n"))
	}
}

// Runs may happen at once.
func TestGenerateConcurrently(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := set{models: []wanted{{"ApiClient", selection(allTogether(library(t))...)}}}
	s.seed(t, engine.Default()).write(t, dir)
	var wait sync.WaitGroup
	applied := make([]error, 4)
	for i := range applied {
		wait.Go(func() {
			result, err := generator.Generate(context.Background(), request(t, dir, engine.Default(), s.models[0]))
			if err == nil {
				err = result.Apply()
			}
			applied[i] = err
		})
	}
	wait.Wait()
	if !slices.Contains(applied, nil) {
		t.Errorf("none of the runs won: %v", applied)
	}
	result, err := generator.Generate(context.Background(), request(t, dir, engine.Default(), s.models[0]))
	if err != nil || result.Writes() != 0 {
		t.Errorf("the tree is not a whole one: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".custos", "tx")); err == nil {
		t.Error("a stage is left")
	}
}
