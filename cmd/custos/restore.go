package main

import (
	"context"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

type restoreOptions struct {
	writeOptions
	what  string
	force bool
}

func newRestoreCmd(a *app) *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use:   "restore PATH|DECLARATION",
		Short: "Bring back a file, or one declaration of it, as custos wrote it",
		Long: "custos remembers what you delete, and does not generate it again until you ask for it here. What comes back is\n" +
			"what custos wrote last; `custos upgrade` then brings it up to date. A file that you have detached is taken back, too.\n\n" +
			"A declaration is a function, method, type, constant or variable, such as Service.RevokeAPIToken, or a query by its name;\n" +
			"write the package before it where several models have it: user.Service.SignIn. It comes back into the file that it was\n" +
			"in; one of a group to the others of it.\n\n" +
			"What is there is replaced only with --force: that loses your edits, which --diff shows.",
		Example: "  custos restore internal/auth/apiclient/api_token_admin.go\n" +
			"  custos restore apiclient.Service.RevokeAPIToken\n" +
			"  custos restore internal/auth/config.go --diff",
		Args:              args(1, 1),
		ValidArgsFunction: a.completeWritten(restorable),
		RunE: func(cmd *cobra.Command, words []string) error {
			o.what = words[0]
			return a.runRestore(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "also replace what you have edited, and lose your edits")
	o.register(cmd)
	return cmd
}

func (a *app) runRestore(ctx context.Context, o restoreOptions) error {
	p, err := a.configured("restore " + o.what)
	if err != nil {
		return err
	}
	name, err := a.inProject(p, o.what)
	if err != nil {
		return err
	}
	if slices.Contains(p.Lock.Detached, name) {
		return a.attach(ctx, p, name, o.writeOptions)
	}
	var changes []plan.Change
	var edited bool
	if _, known := p.Lock.Find(name); !known && isDeclaration(o.what) {
		name = o.what
		changes, edited, err = generator.RestoreDeclaration(p, o.what)
	} else {
		var c plan.Change
		c, err = generator.RestoreFile(p, name)
		changes, edited = append([]plan.Change{c}, generator.Remember(p, name, "")...), c.Op == plan.Replace
	}
	if err != nil {
		return asUsage(err)
	}
	if edited && o.writes() && !o.force {
		return conflict{fmt.Errorf("restore %s: you have edited it, and would lose that; nothing was written; look at it: custos restore %s --diff; then: custos restore %s --force",
			name, quote(o.what), quote(o.what))}
	}
	return a.finish(ctx, outcome{root: p.Root, changes: changes, config: p.Config}, o.writeOptions)
}

// isDeclaration tells SignIn and Service.SignIn from a file's name.
func isDeclaration(word string) bool {
	for _, part := range strings.Split(word, ".") {
		if !token.IsIdentifier(part) {
			return false
		}
	}
	return !slices.Contains([]string{".go", ".sql", ".md", ".txt", ".html", ".yaml"}, filepath.Ext(word))
}

// attach makes a file again that was detached.
func (a *app) attach(ctx context.Context, p *project.Project, name string, o writeOptions) error {
	_, exists, err := p.Read(name)
	if err != nil {
		return err
	}
	if exists {
		return conflict{fmt.Errorf("restore %s: it is detached, and all yours; nothing was written; move it away, then type it again", name)}
	}
	res, err := a.generate(ctx, generator.Request{Dir: a.dir, Attach: name})
	if err != nil {
		return err
	}
	return a.finish(ctx, newOutcome(res), o)
}

type detachOptions struct {
	writeOptions
	path string
}

func newDetachCmd(a *app) *cobra.Command {
	var o detachOptions
	cmd := &cobra.Command{
		Use:   "detach PATH",
		Short: "Make custos leave a file alone for good",
		Long: "The file stays as it is, and is all yours: no upgrade merges anything into it any more, and nothing is generated\n" +
			"in its place when you delete it. `custos audit` goes on looking at it. To have it back, move it away and type\n" +
			"custos restore PATH.",
		Example:           "  custos detach internal/auth/apiclient/api_token_handlers.go",
		Args:              args(1, 1),
		ValidArgsFunction: a.completeWritten(detachable),
		RunE: func(cmd *cobra.Command, words []string) error {
			o.path = words[0]
			return a.runDetach(cmd.Context(), o)
		},
	}
	o.register(cmd)
	return cmd
}

func (a *app) runDetach(ctx context.Context, o detachOptions) error {
	p, err := a.configured("detach " + o.path)
	if err != nil {
		return err
	}
	name, err := a.inProject(p, o.path)
	if err != nil {
		return err
	}
	changes, err := generator.Detach(p, name)
	if err != nil {
		return asUsage(err)
	}
	out := outcome{root: p.Root, changes: changes, config: p.Config}
	if len(changes) > 0 {
		out.warnings = []string{name + " gets no fixes any more; custos audit says when one is about it"}
	}
	return a.finish(ctx, out, o.writeOptions)
}

// inProject is a path that was typed, as custos.lock has it.
func (a *app) inProject(p *project.Project, typed string) (string, error) {
	full := typed
	if !filepath.IsAbs(full) {
		full = filepath.Join(a.dir, typed)
	}
	rel, err := filepath.Rel(p.Root, full)
	if err != nil || !filepath.IsLocal(rel) {
		return "", usagef(nil, "%s is not in the project %s", clip(typed), p.Root)
	}
	return filepath.ToSlash(rel), nil
}

// asUsage makes a fault of usage of one that is about what was asked for.
func asUsage(err error) error {
	if typed(err) {
		return &usageError{err: err}
	}
	return err
}

// detachable are the files that custos merges into.
func detachable(p *project.Project) []string {
	var out []string
	for _, e := range p.Lock.Entries {
		if e.Owner == project.OwnerUser {
			out = append(out, e.Path)
		}
	}
	return out
}

// restorable are those of them that are gone, and the detached.
func restorable(p *project.Project) []string {
	gone := slices.DeleteFunc(detachable(p), func(name string) bool {
		_, exists, err := p.Read(name)
		return exists || err != nil
	})
	return append(gone, p.Lock.Detached...)
}

// completeWritten completes one path, from the root of the project.
func (a *app) completeWritten(list func(*project.Project) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, words []string, _ string) ([]string, cobra.ShellCompDirective) {
		const done = cobra.ShellCompDirectiveNoFileComp
		p, err := project.Load(a.dir, project.Options{})
		if err != nil || len(words) > 0 {
			return nil, done
		}
		var out []string
		for _, name := range list(p) {
			if rel, err := filepath.Rel(a.dir, filepath.Join(p.Root, filepath.FromSlash(name))); err == nil {
				out = append(out, filepath.ToSlash(rel))
			}
		}
		return out, done
	}
}
