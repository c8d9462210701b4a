package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

type ejectOptions struct {
	writeOptions
	what       string
	force, pin bool
}

func newEjectCmd(a *app) *cobra.Command {
	var o ejectOptions
	cmd := &cobra.Command{
		Use:   "eject PLUGIN[/PATH]",
		Short: "Copy a template, or a whole plugin, into the project",
		Long: "PLUGIN/PATH copies one file of a plugin to " + project.TemplateDir + "/PLUGIN/PATH, which replaces it from then on.\n" +
			"custos.lock remembers what it was copied from, and every run says when that has changed: compare with --diff, take\n" +
			"over what yours needs, then type it again with --pin.\n\n" +
			"PLUGIN copies all of it to " + project.PluginDir + "/PLUGIN, which is a plugin of your own from then on. Nothing tells you of\n" +
			"its next versions but custos audit, so prefer single files.",
		Example: "  custos eject api_tokens/go/model/api_token_handlers.go.tmpl\n" +
			"  custos eject api_tokens",
		Args:              args(1, 1),
		ValidArgsFunction: a.completeEject,
		RunE: func(cmd *cobra.Command, words []string) error {
			o.what = words[0]
			return a.runEject(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "also replace what is there, and lose your edits")
	cmd.Flags().BoolVar(&o.pin, "pin", false, "copy nothing: your template has what it needs of the plugin's as that one is now")
	o.register(cmd)
	return cmd
}

func (a *app) runEject(ctx context.Context, o ejectOptions) error {
	if err := a.recover(); err != nil {
		return err
	}
	p, err := project.Load(a.dir, project.Options{})
	if err != nil {
		return err
	}
	lib, err := a.library()
	if err != nil {
		return err
	}
	what, err := generator.ParseEjection(lib, strings.TrimPrefix(o.what, project.TemplateDir+"/"))
	if err != nil {
		return &usageError{err: err}
	}
	out := outcome{root: p.Root, config: p.Config}
	if o.pin {
		return a.runPin(ctx, p, lib, what, out, o)
	}
	if out.changes, err = generator.Eject(p, lib, what); err != nil {
		return err
	}
	if err := a.checkEject(lib, what, out.changes, o); err != nil {
		return err
	}
	to := path.Join(project.PluginDir, what.Plugin)
	if what.Path != "" {
		to = path.Join(project.TemplateDir, what.Plugin, what.Path)
	}
	out.next = []nextStep{{Title: "Edit " + to + ", then generate", Command: "custos upgrade"}}
	return a.finish(ctx, out, o.writeOptions)
}

// checkEject refuses to replace what the user has.
func (a *app) checkEject(lib *plugin.Library, what generator.Ejection, changes []plan.Change, o ejectOptions) error {
	if from, err := lib.Get(what.Plugin); what.Path == "" && err == nil && from.Origin == project.PluginDir {
		return conflict{fmt.Errorf("eject %s: it is yours already, in %s/%s", what.Plugin, project.PluginDir, what.Plugin)}
	}
	if !o.writes() || o.force {
		return nil
	}
	for _, c := range changes {
		if c.Op == plan.Replace && c.Owner == plan.User {
			return conflict{fmt.Errorf("eject %[1]s: you have edited %[2]s, and would lose that; nothing was written; look at it: custos eject %[1]s --diff; then: custos eject %[1]s --force", quote(o.what), c.Path)}
		}
	}
	return nil
}

func (a *app) runPin(ctx context.Context, p *project.Project, lib *plugin.Library, what generator.Ejection, out outcome, o ejectOptions) error {
	from, err := lib.Get(what.Plugin)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(from.Overrides, func(ov plugin.Override) bool { return ov.Path == what.Path }) {
		return &usageError{err: fmt.Errorf("eject %s --pin: there is no %s/%s to pin; copy it out first: custos eject %s",
			o.what, project.TemplateDir, strings.TrimSuffix(path.Join(what.Plugin, what.Path), "/"), o.what)}
	}
	if out.changes, err = generator.Pin(p, lib, what); err != nil {
		return err
	}
	return a.finish(ctx, out, o.writeOptions)
}

// completeEject completes PLUGIN, then the files of that plugin.
func (a *app) completeEject(_ *cobra.Command, words []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	const done = cobra.ShellCompDirectiveNoFileComp
	lib, err := a.library()
	if err != nil || len(words) > 0 {
		return nil, done
	}
	name, _, inside := strings.Cut(toComplete, "/")
	if !inside {
		return append([]string{plugin.Core}, lib.Names()...), done | cobra.ShellCompDirectiveNoSpace
	}
	p, err := lib.Get(name)
	if err != nil {
		return nil, done
	}
	files, err := plugin.Files(p.Original)
	if err != nil {
		return nil, done
	}
	for i := range files {
		files[i] = name + "/" + files[i]
	}
	return files, done
}
