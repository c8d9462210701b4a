package generator_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// What is generated and destroyed again leaves the project as it would be without it, but for the ledger; and who
// runs the ledger to its end has the tables of one who never had the plugin.
func TestDestroyUndoesGenerate(t *testing.T) {
	t.Parallel()
	lib := library(t)
	alone := map[string][]string{"all": allTogether(lib)}
	for _, name := range lib.Names() {
		alone[name] = []string{name}
	}
	for name, plugins := range alone {
		for _, e := range engine.All() {
			if name != "all" && e.Name != engine.Default().Name {
				continue
			}
			t.Run(e.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				requireDatabase(t, e)
				bare, full := t.TempDir(), t.TempDir()
				model := wanted{name: "ApiClient"}
				s := set{}
				s.seed(t, e).write(t, bare)
				run(t, request(t, bare, e, model))
				s.seed(t, e).write(t, full)
				for _, n := range plugins {
					p, err := lib.Get(n)
					if err != nil {
						t.Fatal(err)
					}
					model.plugins = append(model.plugins, plugin.Selection{Name: n, Options: everyOption(t, p.Manifest, 0)})
				}
				run(t, request(t, full, e, model))
				before := ledger(snapshot(t, full))

				req := request(t, full, e, wanted{name: "ApiClient"})
				req.Destroy = &generator.Destroy{Plugins: plugins}
				run(t, req)
				was, is := besideLedger(snapshot(t, bare)), besideLedger(snapshot(t, full))
				// A module that a plugin brought stays in go.mod until `go mod tidy`: code of the user's may need it by now.
				delete(was, "go.mod")
				delete(is, "go.mod")
				for _, d := range differences(was, is) {
					t.Errorf("%s", d)
				}
				after := ledger(snapshot(t, full))
				for _, d := range differences(before, after) {
					if !strings.HasPrefix(d, "+ ") {
						t.Errorf("the ledger was rewritten: %s", d)
					}
				}
				schema := func(files memoryFS) string {
					db := database(t, e)
					for _, name := range keys(files) {
						up, _ := halves(t, name, files[name])
						execute(t, db, name, up)
					}
					return schemaOf(t, db, e)
				}
				if got, want := schema(after), schema(ledger(snapshot(t, bare))); got != want {
					t.Errorf("the tables are\n%s\nwithout it they would be\n%s", got, want)
				}

				// And again: as the first time, with migrations of its own.
				again := run(t, request(t, full, e, model))
				created := 0
				for _, c := range again.Changes {
					if c.Writes() && strings.HasPrefix(c.Path, project.DefaultMigrations+"/") {
						created++
					}
				}
				if want := len(before) - len(ledger(snapshot(t, bare))); created != want {
					t.Errorf("%d migrations the second time, %d the first time", created, want)
				}
				schema(ledger(snapshot(t, full)))
			})
		}
	}
}

// besideLedger is a tree without migrations and without what tells of them.
func besideLedger(files memoryFS) memoryFS {
	out := memoryFS{}
	for name, content := range files {
		if !strings.HasPrefix(name, project.DefaultMigrations+"/") && !slices.Contains([]string{project.LockFile, project.ConfigFile}, filepath.Base(name)) {
			out[name] = content
		}
	}
	return out
}
