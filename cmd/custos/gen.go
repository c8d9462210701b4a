package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// writeOptions are the flags of every command that writes generated files.
type writeOptions struct {
	dryRun, diff, json, verbose, noMod, noBuild bool
	conflict                                    string // what to do about one: see answers
}

func (o *writeOptions) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be written, and write nothing")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "show it as a unified diff, and write nothing")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "list custos' own files, too")
	cmd.Flags().BoolVar(&o.noMod, "no-mod", false, "do not run the go command that brings go.mod and go.sum up to date")
}

// The answers to --conflict.
const (
	stop    = "stop"
	markers = "markers"
	mine    = "mine"
	fresh   = "new"
)

// registerMerge adds the flags of commands that may merge into the user's edits.
func (o *writeOptions) registerMerge(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noBuild, "no-build", false, "do not compile the result before it is written")
	cmd.Flags().StringVar(&o.conflict, "conflict", stop, "what to do where your edit and the new version exclude each other:\n"+stop+" (a terminal is asked), "+markers+" to have both written into the file,\n"+mine+" or "+fresh+" to have one of them, there and nowhere else")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if known := []string{markers, mine, fresh, stop}; !slices.Contains(known, o.conflict) {
			return usagef(cmd, "unknown --conflict %q; known: %s", clip(o.conflict), strings.Join(known, ", "))
		}
		return nil
	}
}

// writes reports whether the command may touch the disk.
func (o writeOptions) writes() bool { return !o.dryRun && !o.diff }

func registerProject(cmd *cobra.Command, o *project.Options, withPackage bool) {
	cmd.Flags().StringVar(&o.Engine, "engine", "", "sqlite, postgres or mysql (default: found out)")
	cmd.Flags().StringVar(&o.Driver, "driver", "", "the engine's driver (default: found out)")
	if withPackage {
		cmd.Flags().StringVar(&o.Package, "package", "", "folder of the shared package (default "+project.DefaultPackage+")")
	}
}

type genOptions struct {
	writeOptions
	project project.Options
	model   string
	plugins []plugin.Selection
}

func newGenCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "gen", Aliases: []string{"generate", "g"}, Short: "Generate code"}
	group(cmd)
	cmd.AddCommand(newGenModelCmd(a, a.runGen))
	return cmd
}

// newGenModelCmd parses; run works. Tests replace run.
func newGenModelCmd(a *app, run func(context.Context, genOptions) error) *cobra.Command {
	var o genOptions
	cmd := &cobra.Command{
		Use:   "model NAME [PLUGIN[:option=value,...]]...",
		Short: "Give a model authentication, or a model more of it",
		Long: "Writes migrations, queries, handlers, middleware and tests for a model and its plugins. Call it again to\n" +
			"add a plugin or to change an option; your edits are kept. `custos plugins` lists the plugins.",
		Example: "  custos gen model ApiClient api_tokens\n" +
			"  custos gen model ApiClient api_tokens:default_expiry=30d,scopes --dry-run",
		Args:              args(1, -1),
		ValidArgsFunction: a.completeModel,
		RunE: func(cmd *cobra.Command, words []string) error {
			var err error
			o.model = words[0]
			if o.plugins, err = a.parsePlugins(words[0], words[1:]); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	registerProject(cmd, &o.project, true)
	o.register(cmd)
	o.registerMerge(cmd)
	return cmd
}

// parsePlugins checks what can be checked of a model's name and its plugins without looking at the project's
// code: all of it is a fault of usage.
func (a *app) parsePlugins(name string, words []string) ([]plugin.Selection, error) {
	var selections []plugin.Selection
	var errs []error
	if _, err := model.Parse(name); err != nil {
		errs = append(errs, err)
	}
	for _, word := range words {
		s, err := plugin.ParseArg(word)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		selections = append(selections, s)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, &usageError{err: err}
	}
	lib, err := a.library()
	if err != nil {
		return nil, err
	}
	if _, err := lib.Resolve(selections); err != nil {
		return nil, &usageError{err: err}
	}
	return selections, nil
}

func (a *app) runGen(ctx context.Context, o genOptions) error {
	res, err := a.generateAsking(ctx, generator.Request{Dir: a.dir, Options: o.project, Model: o.model, Plugins: o.plugins}, o.writeOptions)
	if err != nil {
		return err
	}
	out := newOutcome(res)
	if out.next, err = a.nextSteps(res, o.model); err != nil {
		return err
	}
	return a.finish(ctx, out, o.writeOptions)
}

// newOutcome is a result as finish takes it. New migrations are always something to do next.
func newOutcome(res *generator.Result) outcome {
	out := outcome{root: res.Project.Root, changes: res.Changes, config: res.Config, findings: res.Project.Findings, warnings: res.Warnings}
	if res.Project.ConfigFile != nil && len(out.findings) == 1 {
		out.findings = nil // the module's name alone is no news
	}
	out.next = migrateSteps(res)
	return out
}

// generate is generator.Generate with all that does not depend on the command.
func (a *app) generate(ctx context.Context, req generator.Request) (*generator.Result, error) {
	if err := a.recover(); err != nil {
		return nil, err
	}
	module, err := a.build.runtimeModule()
	if err != nil {
		return nil, err
	}
	progress := a.progress()
	defer progress.done()
	req.Templates, req.Version, req.Runtime, req.Progress = a.templates, a.build.Version, module, progress.step
	res, err := generator.Generate(ctx, req)
	if err != nil && typed(err) {
		return nil, &usageError{err: err}
	}
	return res, err
}

// typed reports whether an error is about the command line. package project starts those about options with
// the option's name.
func typed(err error) bool {
	var asked *generator.AskedError
	return errors.As(err, &asked) || errors.Is(err, model.ErrDuplicate) || strings.HasPrefix(err.Error(), "use --")
}

type initOptions struct {
	writeOptions
	project project.Options
}

func newInitCmd(a *app) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write custos.yaml with what was found out about the project",
		Long:  "`custos gen` does this by itself. Use it to look at the answers, and to change them, before the first model.",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.runInit(cmd.Context(), o) },
	}
	registerProject(cmd, &o.project, true)
	o.register(cmd)
	return cmd
}

func (a *app) runInit(ctx context.Context, o initOptions) error {
	res, err := a.generate(ctx, generator.Request{Dir: a.dir, Options: o.project})
	if err != nil {
		return err
	}
	if res.Project.ConfigFile != nil {
		return fmt.Errorf("init %s: %s is there already; edit it, then type: custos upgrade", res.Project.Module, project.ConfigFile)
	}
	out := newOutcome(res)
	out.next = []nextStep{{Title: "Look at " + project.ConfigFile + ", then name a model and its plugins", Command: "custos gen model NAME PLUGIN..."}}
	return a.finish(ctx, out, o.writeOptions)
}

// existing generates a project that has a custos.yaml.
func (a *app) existing(ctx context.Context, verb string) (*generator.Result, error) {
	res, err := a.generate(ctx, generator.Request{Dir: a.dir})
	if err != nil {
		return nil, err
	}
	if res.Project.ConfigFile == nil {
		return nil, noConfig(verb, res.Project.Module)
	}
	return res, nil
}

func noConfig(verb, module string) error {
	return fmt.Errorf("%s %s: no %s; begin with: custos gen model NAME PLUGIN", verb, module, project.ConfigFile)
}
