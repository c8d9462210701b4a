package generator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// Law 1 for options: every subset of a plugin's options compiles, and is clean. The subsets are the models of one
// project, so that it costs one run of the compiler.
func TestEverySubsetOfOptionsIsClean(t *testing.T) {
	t.Parallel()
	staticcheck := findStaticcheck(t)
	for _, p := range everyPlugin(t) {
		// A number, or a time with an end, is a constant of another value: the code has the same shape.
		options := slices.DeleteFunc(keys(p.Manifest.Options), func(name string) bool {
			o := p.Manifest.Options[name]
			_, err := o.Parse("never")
			return o.Type == "int" || o.Type == "duration" && err != nil
		})
		if p.Name == plugin.Core || len(options) == 0 {
			continue
		}
		if len(options) > 6 {
			t.Fatalf("%s has %d options, too many for every subset: choose pairs here", p.Name, len(options))
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			var c project.Config
			for subset := range 1 << len(options) {
				chosen := map[string]string{}
				for i, o := range options {
					if subset&(1<<i) != 0 {
						chosen[o] = optionValue(t, p.Manifest.Options[o], 3) // of an enum of two the second
						if p.Manifest.Options[o].Type == "duration" {
							chosen[o] = "never"
						}
					}
				}
				c.Models = append(c.Models, project.ModelConfig{
					Name: fmt.Sprintf("Variant%d", subset), Plugins: []project.PluginConfig{{Name: p.Name, Options: chosen}},
				})
			}
			e := engine.Default()
			dir := t.TempDir()
			set{}.seed(t, e).write(t, dir)
			c.Engine, c.Driver, c.Package, c.Queries, c.Authctl = e.Name, e.Drivers[0].Name, project.DefaultPackage, project.DefaultQueries, project.DefaultAuthctl
			c.Migrations = project.MigrationConfig{Dir: project.DefaultMigrations, Tool: project.Goose, Numbering: project.Sequential}
			if err := os.WriteFile(filepath.Join(dir, project.ConfigFile), project.RenderConfig(c), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, request(t, dir, e, wanted{}))
			goCommand(t, dir, "vet", "./...")
			if len(staticcheck) == 0 {
				return
			}
			if out, err := command(t, dir, staticcheck[0], append(staticcheck[1:], "./...")...); err != nil {
				t.Errorf("staticcheck ./...: %v\n%s", err, out)
			}
		})
	}
}

// What a plugin's templates import is in go.mod, in the version that the plugin names.
func TestModulesOfPlugins(t *testing.T) {
	t.Parallel()
	for _, p := range everyPlugin(t) {
		if len(p.Manifest.Modules) == 0 {
			continue
		}
		dir := t.TempDir()
		memoryFS{"go.mod": []byte("module example.com/app\n\ngo 1.26.0\n")}.write(t, dir)
		run(t, request(t, dir, engine.Default(), wanted{name: "User", plugins: selection(p.Name)}))
		got := string(read(t, filepath.Join(dir, "go.mod")))
		for name, version := range p.Manifest.Modules {
			if !strings.Contains(got, name+" "+version+"\n") {
				t.Errorf("%s: go.mod is\n%s\nwant %s %s", p.Name, got, name, version)
			}
		}
	}
}
