package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
)

type auditOptions struct{ json, diff bool }

func newAuditCmd(a *app) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Tell which security fixes are not applied",
		Long: "Compares every declaration and query of the project with those that an advisory of this custos names, by their\n" +
			"tokens: a copy is found wherever it was moved, whatever it is called, and in files that custos does not manage any\n" +
			"more. A small constant, variable or type that has another name is found in the package that it was in. Writes\n" +
			"nothing. Exit codes: 0 none was found; 7 a security fix is not applied.\n\n" +
			"`custos upgrade` applies the fixes, as far as it manages a file. --diff shows each, for those that you apply yourself.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runAudit(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "show the fixes as unified diffs")
	return cmd
}

// flaw is a generator.Flaw as JSON.
type flaw struct {
	ID          string `json:"id"`
	Severity    string `json:"severity"`
	Summary     string `json:"summary"`
	Fixed       string `json:"fixed"` // the version that has the fix
	Plugin      string `json:"plugin"`
	State       string `json:"state"` // flawed, edited
	Path        string `json:"path"`
	Line        int    `json:"line"`
	Declaration string `json:"declaration"`
	Original    string `json:"original"` // what custos called it
	Diff        string `json:"diff,omitempty"`
}

func newFlaw(f generator.Flaw) flaw {
	out := flaw{ID: f.Advisory.ID, Severity: f.Advisory.Severity, Summary: f.Advisory.Summary, Fixed: f.Advisory.Fixed,
		Plugin: f.Plugin, State: "flawed", Path: f.Path, Line: f.Line, Declaration: f.Declaration, Original: f.Original}
	if f.Edited {
		out.State = "edited"
	}
	return out
}

// why says what is wrong at a place.
func (f flaw) why() string {
	what := "still as it was"
	if f.State == "edited" {
		what = "edited by you, and the fix was not merged into it"
	}
	name := f.Declaration
	if f.Original != name {
		name += ", once " + f.Original
	}
	return fmt.Sprintf("%s (%s, %s): %s", name, f.ID, f.Severity, what)
}

// audit is what runAudit and check share.
func (a *app) audit(verb string) ([]generator.Flaw, error) {
	p, err := a.configured(verb)
	if err != nil {
		return nil, err
	}
	lib, err := a.library()
	if err != nil {
		return nil, err
	}
	return generator.Audit(p, lib)
}

func (a *app) runAudit(_ context.Context, o auditOptions) error {
	flaws, err := a.audit("audit")
	if err != nil {
		return err
	}
	code := codeDone
	if len(flaws) > 0 {
		code = codeAdvisory
	}
	shown := []flaw{}
	for _, f := range flaws {
		s := newFlaw(f)
		if o.diff && f.Now != "" {
			s.Diff = merge.Diff(plan.Change{Path: f.Path, Op: plan.Replace, Old: []byte(f.Was + "\n"), New: []byte(f.Now + "\n")})
		}
		shown = append(shown, s)
	}
	if o.json {
		if err := a.printJSON(struct {
			Findings []flaw `json:"findings"`
		}{shown}); err != nil {
			return err
		}
		return silentUnlessDone(code)
	}
	if err := a.printFlaws(shown); err != nil {
		return err
	}
	if code == codeDone {
		return nil
	}
	a.note("apply the fixes with `custos upgrade`; those that it does not reach, by hand: custos audit --diff")
	return silent(code)
}

func (a *app) printFlaws(flaws []flaw) error {
	if len(flaws) == 0 {
		return a.printf("No security fix is missing.\n")
	}
	c := a.colour()
	last := ""
	for _, f := range flaws {
		if f.ID != last {
			last = f.ID
			if err := a.printf("%s  %s\n%s", c.paint(red, f.ID), f.Summary,
				fmt.Sprintf("  %s, in the plugin %s; fixed in %s\n", f.Severity, f.Plugin, f.Fixed)); err != nil {
				return err
			}
		}
		if err := a.printf("  %s:%d: %s\n%s", f.Path, f.Line, f.why(), f.Diff); err != nil {
			return err
		}
	}
	return nil
}
