package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/module"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// What `custos new DIR` alone makes, and the Go version of its go.mod.
const (
	defaultModel  = "ApiClient"
	defaultPlugin = "api_tokens"
	goVersion     = "1.25.0"
)

type newOptions struct {
	writeOptions
	project project.Options
	dir     string
	module  string
	model   string
	plugins []plugin.Selection
}

func newNewCmd(a *app) *cobra.Command {
	var o newOptions
	cmd := &cobra.Command{
		Use:   "new DIR [MODEL PLUGIN[:option=value,...]...]",
		Short: "Make a new application that runs",
		Long: "Makes a web server in a new folder, with a model that authenticates: " + defaultModel + " " + defaultPlugin + ", unless you name\n" +
			"another. It uses SQLite, unless --engine says otherwise.",
		Example: "  custos new shop\n  custos new shop ApiClient api_tokens:scopes --engine postgres",
		Args:    args(1, -1),
		ValidArgsFunction: func(cmd *cobra.Command, words []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(words) == 0 {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			return a.completeModel(cmd, words[1:], toComplete)
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			o.dir = words[0]
			words = words[1:]
			if len(words) == 0 {
				words = []string{defaultModel, defaultPlugin}
			}
			var err error
			o.model = words[0]
			if o.plugins, err = a.parsePlugins(words[0], words[1:]); err != nil {
				return err
			}
			return a.runNew(cmd.Context(), o)
		},
	}
	registerProject(cmd, &o.project, true)
	cmd.Flags().StringVar(&o.module, "module", "", "module path (default example.com/DIR)")
	o.register(cmd)
	return cmd
}

func (a *app) runNew(ctx context.Context, o newOptions) error {
	target := o.dir
	if !filepath.IsAbs(target) {
		target = filepath.Join(a.dir, target)
	}
	if err := vacant(target, o.dir); err != nil {
		return err
	}
	if o.module == "" {
		o.module = moduleFor(target)
	}
	if err := module.CheckPath(o.module); err != nil {
		return usagef(nil, "use --module: %w", err)
	}
	// The generator reads a project with a go.mod, and there is none yet. It gets one in a folder of its own;
	// what it makes is then written to the real one, in one transaction.
	stage, err := os.MkdirTemp("", "custos-new-")
	if err != nil {
		return fmt.Errorf("make %s: %w", o.dir, err)
	}
	defer func() { _ = os.RemoveAll(stage) }()
	gomod := fmt.Sprintf("module %s\n\ngo %s\n", o.module, goVersion)
	if err := os.WriteFile(filepath.Join(stage, "go.mod"), []byte(gomod), 0o600); err != nil {
		return fmt.Errorf("make %s: %w", o.dir, err)
	}
	res, err := a.generate(ctx, generator.Request{Dir: stage, Options: o.project, Model: o.model, Plugins: o.plugins})
	if err != nil {
		return err
	}
	changes, err := newAppChanges(res, o.model)
	if err != nil {
		return err
	}
	out := outcome{root: target, changes: changes, config: res.Config, findings: res.Project.Findings, next: newAppSteps(res, o)}
	out.apply = func() error { return create(target, changes) }
	return a.finish(ctx, out, o.writeOptions)
}

// vacant refuses a place where something is.
func vacant(target, shown string) error {
	entries, err := os.ReadDir(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return conflict{fmt.Errorf("make %s: there is something that is not a folder; name another folder", shown)}
	case len(entries) > 0:
		return conflict{fmt.Errorf("make %s: the folder is not empty (it has %s); name another, or type in it: custos gen model NAME PLUGIN", shown, entries[0].Name())}
	}
	return nil
}

// create writes a new folder, or nothing.
func create(target string, changes []plan.Change) error {
	_, err := os.Stat(target)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	if err := disk.Apply(target, changes); err != nil {
		if fresh {
			_ = os.Remove(target) // only when it is empty
		}
		return err
	}
	return nil
}

// moduleFor makes a module path of a folder's name.
func moduleFor(target string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, filepath.Base(target))
	if name = strings.Trim(name, "-_"); name == "" {
		name = "app"
	}
	return "example.com/" + name
}

// newAppChanges are the generated files and the application around them. The application is the user's alone:
// it is in no lock, and no later run looks at it.
func newAppChanges(res *generator.Result, name string) ([]plan.Change, error) {
	changes := slices.Clone(res.Changes)
	for i, c := range changes {
		if c.Path == "go.mod" {
			changes[i].Op, changes[i].Old = plan.Create, nil
		}
	}
	d, err := newAppData(res, name)
	if err != nil {
		return nil, err
	}
	db := databases()[res.Config.Engine]
	d.DSN, d.Ignore = forApp(db.example, d.Name), db.ignore
	if d.Keys, err = newKeys(); err != nil {
		return nil, err
	}
	for _, f := range []struct {
		path, template string
		private        bool
	}{{"main.go", "main.go", false}, {".gitignore", "gitignore", false}, {".env", "env", true}} {
		content, err := d.render(f.template)
		if err != nil {
			return nil, err
		}
		changes = append(changes, plan.Change{Path: f.path, Op: plan.Create, New: content, Owner: plan.User, Origin: "new", Private: f.private})
	}
	slices.SortFunc(changes, func(a, b plan.Change) int { return strings.Compare(a.Path, b.Path) })
	for i := 1; i < len(changes); i++ {
		if changes[i].Path == changes[i-1].Path {
			return nil, &plan.CollisionError{Path: changes[i].Path, Origins: [2]string{changes[i-1].Origin, changes[i].Origin}}
		}
	}
	return changes, nil
}

// newAppSteps is what is left to do; the key is in .env already.
func newAppSteps(res *generator.Result, o newOptions) []nextStep {
	steps := []nextStep{{Title: "Go there", Command: "cd " + quote(o.dir)}}
	if create := databases()[res.Config.Engine].create; create != "" {
		steps = append(steps, nextStep{Title: "Make the database that .env names", Command: forApp(create, path.Base(res.Plan.Module))})
	}
	steps = append(steps, operations(res, res.Plan.Models[0])...) // a new application has one model
	return append(steps, nextStep{Title: "Start the server", Command: "go run ."})
}

// quote is a word as a shell takes it.
func quote(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
