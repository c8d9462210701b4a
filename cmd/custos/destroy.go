package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

type destroyOptions struct {
	writeOptions
	model   string
	destroy generator.Destroy
}

func newDestroyCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{Use: "destroy", Aliases: []string{"d"}, Short: "Take generated code away again"}
	group(cmd)
	cmd.AddCommand(newDestroyModelCmd(a))
	return cmd
}

func newDestroyModelCmd(a *app) *cobra.Command {
	var o destroyOptions
	cmd := &cobra.Command{
		Use:   "model NAME [PLUGIN]...",
		Short: "Take plugins away from a model, or the whole model",
		Long: "Deletes the files that `custos gen model` wrote and you did not edit, keeps and names those that you did, and\n" +
			"writes a migration that undoes what the plugins' migrations did. Running that one deletes their tables; tables\n" +
			"that another model uses stay. `custos gen model` brings everything but the data back.",
		Example: "  custos destroy model ApiClient api_tokens --dry-run\n" +
			"  custos destroy model ApiClient --drop-table",
		Args:              args(1, -1),
		ValidArgsFunction: a.completeDestroy,
		RunE: func(cmd *cobra.Command, words []string) error {
			o.model, o.destroy.Plugins = words[0], words[1:]
			return a.runDestroy(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.destroy.DropTable, "drop-table", false, "with the whole model: drop its own table, too, if custos made it")
	o.register(cmd)
	o.registerMerge(cmd)
	return cmd
}

func (a *app) runDestroy(ctx context.Context, o destroyOptions) error {
	if _, err := a.configured("destroy " + o.model); err != nil {
		return err
	}
	res, err := a.generateAsking(ctx, generator.Request{Dir: a.dir, Model: o.model, Destroy: &o.destroy}, o.writeOptions)
	if err != nil {
		return err
	}
	out := newOutcome(res)
	for i := range out.next { // there is one at most: to run the migrations
		out.next[i].Title += ", once no server runs the code of before"
	}
	first := "Take out what your own code still calls; the compiler names it"
	var kept []string
	for _, c := range res.Changes {
		if c.Op == plan.Keep && c.Note == merge.NoteStale && strings.HasSuffix(c.Path, ".go") {
			kept = append(kept, c.Path)
		}
	}
	if len(kept) > 0 {
		first = "Take out what your own code still calls, in what you had edited, too (" + strings.Join(kept, ", ") + "); the compiler names it"
	}
	out.next = append([]nextStep{{Title: first, Command: "go vet ./..."}}, out.next...)
	return a.finish(ctx, out, o.writeOptions)
}

// completeDestroy completes NAME [PLUGIN]... with what is there to be destroyed.
func (a *app) completeDestroy(cmd *cobra.Command, words []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(words) == 0 {
		return a.completeModel(cmd, words, toComplete)
	}
	const done = cobra.ShellCompDirectiveNoFileComp
	p, err := project.Load(a.dir, project.Options{})
	if err != nil {
		return nil, done
	}
	m, _ := p.Config.Model(words[0])
	var out []string
	for _, pc := range m.Plugins {
		if !given(words[1:], pc.Name) {
			out = append(out, pc.Name)
		}
	}
	return out, done
}
