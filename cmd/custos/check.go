package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

type checkOptions struct{ json bool }

func newCheckCmd(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Tell whether the generated code is up to date (for CI)",
		Long: "Writes nothing. Exit codes: 0 up to date; 3 generating would change something; 4 a file that you edited\n" +
			"has a new version that differs.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCheck(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// finding is one reason why a project is not up to date.
type finding struct {
	State string `json:"state"` // stale, conflict
	Path  string `json:"path"`
	Why   string `json:"why"`
}

func (a *app) runCheck(ctx context.Context, o checkOptions) error {
	res, err := a.existing(ctx, "check")
	if err != nil {
		return err
	}
	findings, code := check(res.Changes)
	twins := checkNumbers(res.Config.Migrations, res.Project.Migrations.Files)
	if findings = append(findings, twins...); len(twins) > 0 && code == codeDone {
		code = codeStale
	}
	if o.json {
		if err := a.printJSON(struct {
			UpToDate bool      `json:"up_to_date"`
			Findings []finding `json:"findings"`
		}{code == codeDone, findings}); err != nil {
			return err
		}
		return silentUnlessDone(code)
	}
	c := a.colour()
	for _, f := range findings {
		if err := a.printf("%s  %s: %s\n", c.paint(map[string]string{"stale": yellow, "conflict": red}[f.State], pad(f.State, 8)), f.Path, f.Why); err != nil {
			return err
		}
	}
	switch code {
	case codeDone:
		return a.printf("Up to date.\n")
	case codeConflict:
		a.note("look at the new versions with `custos upgrade --diff`, and take over what you want")
	default:
		if len(findings) > len(twins) {
			a.note("out of date; type: custos upgrade")
		}
	}
	return silent(code)
}

func silentUnlessDone(code int) error {
	if code == codeDone {
		return nil
	}
	return silent(code)
}

// checkNumbers finds migrations that have one number, as two branches make them: a tool would refuse them, or run
// one only. Without a tool the whole name counts.
func checkNumbers(cfg project.MigrationConfig, files []project.MigrationFile) []finding {
	findings := []finding{}
	if cfg.Tool == project.Plain {
		return findings
	}
	first := map[int64]string{}
	for _, f := range files {
		if f.Version == 0 || cfg.Tool == project.GolangMigrate && strings.HasSuffix(f.Path, ".down.sql") {
			continue
		}
		other, twice := first[f.Version]
		if !twice {
			first[f.Version] = f.Path
			continue
		}
		findings = append(findings, finding{"stale", f.Path, fmt.Sprintf("has the number of %s; rename the one that was not run yet, with a number above all others", other)})
	}
	return findings
}

// check judges what a run would change. A conflict outweighs what an upgrade would mend.
func check(changes []plan.Change) (findings []finding, code int) {
	findings = []finding{}
	for _, c := range changes {
		switch {
		case c.Op == plan.Conflict:
			code = codeConflict
			findings = append(findings, finding{"conflict", c.Path, c.Note})
		case c.Writes():
			if code == codeDone {
				code = codeStale
			}
			why := map[plan.Op]string{plan.Create: "missing", plan.Replace: "out of date", plan.Delete: "no longer generated"}[c.Op]
			if c.Note != "" {
				why = c.Note
			}
			findings = append(findings, finding{"stale", c.Path, why})
		}
	}
	return findings, code
}
