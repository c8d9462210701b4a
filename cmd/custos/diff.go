package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// The three views of `custos diff`.
const (
	viewMine     = "mine"
	viewUpstream = "upstream"
	viewResult   = "result"
)

func newDiffCmd(a *app) *cobra.Command {
	views := []string{viewMine, viewUpstream, viewResult}
	return &cobra.Command{
		Use:   "diff [" + strings.Join(views, "|") + "]",
		Short: "Show what you have edited, what is new, or what an upgrade would write",
		Long: "Of the files that are yours: mine is what you have changed since custos wrote them, upstream is what is new\n" +
			"in this version of custos, or follows from custos.yaml. result, the default, is what custos upgrade would\n" +
			"change, in all files. Each is a unified diff; nothing is written.",
		Args:      args(0, 1),
		ValidArgs: views,
		RunE: func(cmd *cobra.Command, words []string) error {
			switch view := append(words, viewResult)[0]; view {
			case viewMine:
				return a.diffMine()
			case viewUpstream:
				return a.diffUpstream(cmd.Context())
			case viewResult:
				return a.runUpgrade(cmd.Context(), upgradeOptions{writeOptions: writeOptions{diff: true}})
			default:
				return usagef(cmd, "unknown view %q; known: %s", clip(view), strings.Join(views, ", "))
			}
		},
	}
}

// diffMine shows the way from what custos wrote last to what is there.
func (a *app) diffMine() error {
	p, err := a.configured("diff")
	if err != nil {
		return err
	}
	for _, e := range p.Lock.Entries {
		if e.Owner != project.OwnerUser {
			continue
		}
		now, _, err := p.Read(e.Path)
		if err != nil {
			return err
		}
		if now != nil && project.Hash(now) == e.Hash {
			continue
		}
		base, exists, err := p.Read(merge.BasePath(e.Path))
		if err != nil {
			return err
		}
		if !exists || project.Hash(base) != e.Hash {
			a.note("%s: its pristine copy is not there; restore it: git checkout -- %s", e.Path, merge.BasePath(e.Path))
			continue
		}
		c := plan.Change{Path: e.Path, Op: plan.Merge, Old: base, New: now}
		if now == nil {
			c.Op = plan.Delete
		}
		if err := a.printf("%s", merge.Diff(c)); err != nil {
			return err
		}
	}
	return nil
}

// diffUpstream shows the way from what custos wrote last to what it would write for somebody who has edited nothing.
func (a *app) diffUpstream(ctx context.Context) error {
	res, err := a.existing(ctx, "diff")
	if err != nil {
		return err
	}
	left := map[string]bool{} // where files were that the user has moved
	for _, was := range res.Project.Moved {
		left[was] = true
	}
	for _, c := range res.Changes {
		name, pristine := strings.CutPrefix(c.Path, project.BaseDir+"/")
		if !pristine || !c.Writes() || left[name] {
			continue
		}
		c.Path = name
		if was, moved := res.Project.Moved[name]; moved {
			if c.Old, _, err = res.Project.Read(merge.BasePath(was)); err != nil {
				return err
			}
			c.Op = plan.Replace
		}
		if err := a.printf("%s", merge.Diff(c)); err != nil {
			return err
		}
	}
	return nil
}
