package generator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// Law 1 for options: every subset of a plugin's options compiles, and is clean. The subsets are the models of one
// project, so that it costs one run of the compiler. Of a plugin with many options it is every two of them, set or not.
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
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			var c project.Config
			for n, subset := range subsetsOf(len(options)) {
				chosen := map[string]string{}
				for _, i := range subset {
					chosen[options[i]] = anotherValue(t, p.Manifest.Options[options[i]])
				}
				c.Models = append(c.Models, project.ModelConfig{
					Name: fmt.Sprintf("Variant%d", n), Plugins: []project.PluginConfig{{Name: p.Name, Options: chosen}},
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

// subsetsOf is all subsets of the numbers below n. When there are too many, it is so few that of any two numbers there is still
// one with both, one with neither, and one with each alone: the numbers that have a certain bit, and those that do not.
func subsetsOf(n int) [][]int {
	var subsets [][]int
	add := func(with func(i int) bool) {
		var subset []int
		for i := range n {
			if with(i) {
				subset = append(subset, i)
			}
		}
		subsets = append(subsets, subset)
	}
	if n <= 4 {
		for mask := range 1 << n {
			add(func(i int) bool { return mask&(1<<i) != 0 })
		}
		return subsets
	}
	add(func(int) bool { return false })
	add(func(int) bool { return true })
	for bit := 1; bit < n; bit <<= 1 {
		add(func(i int) bool { return i&bit != 0 })
		add(func(i int) bool { return i&bit == 0 })
	}
	return subsets
}

func TestSubsets(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		subsets := subsetsOf(n)
		if n <= 4 && len(subsets) != 1<<n || n > 4 && len(subsets) > 14 {
			t.Errorf("%d subsets of %d", len(subsets), n)
		}
		for i := range n {
			for j := range i {
				seen := map[[2]bool]bool{}
				for _, subset := range subsets {
					seen[[2]bool{slices.Contains(subset, i), slices.Contains(subset, j)}] = true
				}
				if len(seen) != 4 {
					t.Errorf("of %d, %d and %d: %v", n, i, j, seen)
				}
			}
		}
	}
}

// anotherValue is one that an option does not have by itself, if it changes the shape of the code.
func anotherValue(t *testing.T, o plugin.Option) string {
	t.Helper()
	switch o.Type {
	case "bool":
		return strconv.FormatBool(o.Default != "true")
	case "duration":
		return "never"
	case "enum":
		for _, v := range slices.Backward(o.Values) {
			if v != o.Default {
				return v
			}
		}
	}
	return optionValue(t, o, 0)
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
