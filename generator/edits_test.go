package generator_test

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// improved is the built-in plugins with one line more at the end of each template that is no migration.
func improved(t testing.TB) memoryFS {
	t.Helper()
	templates := memory(t, builtIn(t))
	for name := range templates {
		switch {
		case strings.Contains(name, "/migrations/"):
		case strings.HasSuffix(name, ".go.tmpl"):
			templates[name] = append(templates[name], "\n// improved\n"...)
		case strings.HasSuffix(name, ".sql.tmpl"):
			templates[name] = append(templates[name], "\n-- improved\n"...)
		case strings.HasSuffix(name, ".tmpl"):
			templates[name] = append(templates[name], "\nIt was improved.\n"...)
		}
	}
	return templates
}

// mine is a file with an edit of the user's near its start.
func mine(name string, content []byte) []byte {
	switch path.Ext(name) {
	case ".go":
		head, rest, _ := strings.Cut(string(content), "\n)\n")
		if rest == "" {
			return append(content, "\n// mine\n"...)
		}
		return []byte(head + "\n)\n\n// mine\n" + rest)
	case ".sql":
		return append([]byte("-- mine\n\n"), content...)
	}
	return append([]byte("mine\n"), content...)
}

// Law 5: what the user edited stays and is improved; what nobody touched is the new version.
func TestEditsSurviveAnUpgrade(t *testing.T) {
	t.Parallel()
	for _, s := range sets(t) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			dir, e := t.TempDir(), engine.Default()
			s.generate(t, dir, e)
			lock, err := project.ParseLock(read(t, filepath.Join(dir, project.LockFile)))
			if err != nil {
				t.Fatal(err)
			}
			builtInOrigin := func(origin string) bool {
				p, err := library(t).Get(origin)
				return err == nil && p.Origin != project.PluginDir
			}
			edits, untouched, deleted := memoryFS{}, map[string]bool{}, ""
			for i, entry := range lock.Entries {
				name := filepath.Join(dir, filepath.FromSlash(entry.Path))
				switch {
				case entry.Owner != project.OwnerUser || !builtInOrigin(entry.Origin):
				case deleted == "" && strings.HasSuffix(entry.Path, "_test.go"):
					deleted = entry.Path
					if err := os.Remove(name); err != nil {
						t.Fatal(err)
					}
				case i%2 == 0:
					edits[entry.Path] = mine(entry.Path, read(t, name))
					if err := os.WriteFile(name, edits[entry.Path], 0o644); err != nil {
						t.Fatal(err)
					}
				default:
					untouched[entry.Path] = true
				}
			}
			if len(edits) < 3 || len(untouched) < 3 {
				t.Fatalf("%d edits, %d untouched files", len(edits), len(untouched))
			}
			req := request(t, dir, e, wanted{})
			req.Templates = improved(t).folder(t)
			result := run(t, req)
			for name, content := range edits {
				if c, ok := byPath(result.Changes, name); !ok || c.Op != plan.Merge || c.Note == "" {
					t.Errorf("%s: %v %q, want merge with a note", name, c.Op, c.Note)
				}
				now := read(t, filepath.Join(dir, name))
				if !bytes.Contains(now, []byte(" improved")) {
					t.Errorf("%s was not improved", name)
				}
				for _, l := range bytes.SplitAfter(content, []byte("\n")) {
					if !bytes.Contains(now, l) {
						t.Errorf("%s: the line %q is lost", name, l)
					}
				}
			}
			for name := range untouched {
				if c, ok := byPath(result.Changes, name); !ok || c.Op != plan.Replace {
					t.Errorf("%s: %v, want update", name, c.Op)
				}
				if !bytes.Contains(read(t, filepath.Join(dir, name)), []byte(" improved")) {
					t.Errorf("%s was not improved", name)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, deleted)); err == nil {
				t.Errorf("%s came back after the user had deleted it", deleted)
			}
			if again := run(t, req); again.Writes() != 0 {
				t.Errorf("a second run writes %d files", again.Writes())
			}
		})
	}
}

// A file of the user's in the way is not overwritten, and stops everything.
func TestForeignFilesStopARun(t *testing.T) {
	t.Parallel()
	s := set{models: []wanted{{"ApiClient", selection(allTogether(library(t))...)}}}
	whole := s.project(t, engine.Default())
	for _, name := range keys(snapshot(t, whole)) {
		if name == "go.mod" || name == "go.sum" || strings.HasPrefix(name, project.Dir+"/") || strings.HasPrefix(name, project.DefaultMigrations+"/") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s.seed(t, engine.Default()).write(t, dir)
			memoryFS{name: []byte("package mine\n")}.write(t, dir)
			before := snapshot(t, dir)
			result, err := generator.Generate(t.Context(), request(t, dir, engine.Default(), s.models[0]))
			if err == nil {
				t.Errorf("a run with a foreign %s would write %d files", name, result.Writes())
			} else if !strings.Contains(err.Error(), path.Dir(name)) && !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name %s: %v", name, err)
			}
			if diff := differences(before, snapshot(t, dir)); len(diff) > 0 {
				t.Errorf("something was written: %v", diff)
			}
		})
	}
}

// Law 8: any built-in plugin can be overridden by a folder of the user's.
func TestAnyPluginCanBeOverridden(t *testing.T) {
	t.Parallel()
	for _, p := range everyPlugin(t) {
		if p.Origin == project.PluginDir {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			dir, e := t.TempDir(), engine.Default()
			var names []string
			if p.Name != plugin.Core {
				names = []string{p.Name}
			}
			s := set{models: []wanted{{"ApiClient", selection(names...)}}}
			s.seed(t, e).write(t, dir)
			all := improved(t)
			for name, content := range all {
				if strings.HasPrefix(name, p.Name+"/") {
					memoryFS{path.Join(project.PluginDir, name): content}.write(t, dir)
				}
			}
			result := run(t, request(t, dir, e, s.models[0]))
			if own, err := result.Library.Get(p.Name); err != nil || own.Origin != project.PluginDir {
				t.Errorf("the plugin comes from %v, %v", own, err)
			}
			mine, others := 0, 0
			lock, err := project.ParseLock(read(t, filepath.Join(dir, project.LockFile)))
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range snapshot(t, dir) {
				if entry, ok := lock.Find(name); !ok || entry.Owner != project.OwnerUser {
					continue
				} else if path.Base(name) == "SECURITY.md" { // every plugin writes a part of it
					continue
				} else if entry.Origin == p.Name {
					if !bytes.Contains(content, []byte(" improved")) {
						t.Errorf("%s is not from the user's folder", name)
					}
					mine++
				} else if bytes.Contains(content, []byte(" improved")) {
					others++
				}
			}
			if mine == 0 || others > 0 {
				t.Errorf("%d files of the plugin's, %d of others are from the user's folder", mine, others)
			}
			goCommand(t, dir, "vet", "./...")
		})
	}
}

// Law 8: a seam that does not exist is told, with the nearest that does.
func TestHookOnAnUnknownSeam(t *testing.T) {
	t.Parallel()
	seams := 0
	for _, p := range everyPlugin(t) {
		for seam := range p.Manifest.Seams {
			seams++
			dir := t.TempDir()
			set{}.seed(t, engine.Default()).write(t, dir)
			typo := seam[:1] + seam[2:]
			memoryFS{"plugin.yaml": []byte("summary: A typo.\nhooks:\n  " + typo + ": [hear]\n")}.write(t, filepath.Join(dir, project.PluginDir, "extra"))
			_, err := generator.Generate(t.Context(), request(t, dir, engine.Default(), wanted{"ApiClient", selection("extra")}))
			if err == nil || !strings.Contains(err.Error(), `"`+typo+`"; did you mean "`+seam+`"?`) || !strings.Contains(err.Error(), "extra") {
				t.Errorf("%s: %v", typo, err)
			}
		}
	}
	if seams == 0 {
		t.Error("no plugin declares a seam")
	}
}

// Law 8: who joins a seam is called there, in plain Go.
func TestHooksAreCalledAtTheirSeams(t *testing.T) {
	t.Parallel()
	hooks := 0
	s := set{name: "hooks", models: []wanted{{"ApiClient", selection(allTogether(library(t))...)}}}
	seamsGo := string(read(t, filepath.Join(s.project(t, engine.Default()), project.DefaultPackage, "apiclient", "seams_gen.go")))
	resolved, err := library(t).Resolve(s.models[0].plugins)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := plugin.Bind(resolved, "ApiClient")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range bound {
		for seam, methods := range p.Manifest.Hooks {
			for _, m := range methods {
				hooks++
				if !strings.Contains(seamsGo, "s."+m+"(ctx, e)") {
					t.Errorf("%s: %s is not called at %s", p.Name, m, seam)
				}
			}
		}
	}
	if hooks == 0 {
		t.Error("no plugin joins a seam: testdata/plugins should have one that does")
	}
}
