package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
)

type upgradeOptions struct {
	writeOptions
	proceed, abort bool
}

func newUpgradeCmd(a *app) *cobra.Command {
	var o upgradeOptions
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Generate again from custos.yaml, and merge what is new into your edits",
		Long: "Run it after editing custos.yaml, and after installing another version of custos. It is what\n" +
			"//go:generate custos upgrade runs.\n\n" +
			"What you have edited stays, and what is new is merged into it, also where you have moved or renamed a\n" +
			"function, or moved the whole folder and said so in custos.yaml (package:, queries:, authctl:).\n\n" +
			"Where code is merged, or code is replaced that yours may call, the result is compiled before a byte of it is\n" +
			"written. --no-build leaves that out, and so does custos where modules are missing.\n\n" +
			"Where your edit and the new version exclude each other, nothing is written and the exit code is 4, unless you\n" +
			"ask for --conflict=markers: settle the conflicts then, by hand or with git mergetool, and type\n" +
			"custos upgrade --continue, or --abort.",
		Example: "  custos upgrade --dry-run\n" +
			"  custos upgrade --conflict=markers",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.proceed && o.abort {
				return usagef(cmd, "--continue and --abort exclude each other")
			}
			return a.runUpgrade(cmd.Context(), o)
		},
	}
	o.register(cmd)
	o.registerMerge(cmd)
	cmd.Flags().BoolVar(&o.proceed, "continue", false, "go on after you have settled the conflicts")
	cmd.Flags().BoolVar(&o.abort, "abort", false, "bring back the files as they were before --conflict=markers")
	return cmd
}

func (a *app) runUpgrade(ctx context.Context, o upgradeOptions) error {
	if o.abort {
		return a.abortMerge(ctx)
	}
	var waiting *waitingMerge
	if o.proceed {
		var err error
		if waiting, err = a.settledMerge(); err != nil {
			return err
		}
	}
	res, err := a.generateAsking(ctx, generator.Request{Dir: a.dir}, o.writeOptions)
	if err != nil {
		return err
	}
	if res.Project.ConfigFile == nil {
		return noConfig("upgrade", res.Project.Module)
	}
	out := newOutcome(res)
	out.upgrade = true
	if waiting == nil {
		return a.finish(ctx, out, o.writeOptions)
	}
	out.proceeds = true
	out.changes = append(out.changes, waiting.remove())
	if err := a.finish(ctx, out, o.writeOptions); err != nil || !o.writes() {
		return err
	}
	a.unstage(ctx, out.root, waiting)
	return nil
}
