package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

type checkOptions struct{ json bool }

// The states of a finding beside the kinds of [generator.Fault].
const (
	stateStale    = generator.FaultStale
	stateConflict = "conflict"
	stateAdvisory = "advisory"
)

// verdicts are what a finding's state means for the exit code, the gravest first.
func verdicts() []verdict {
	return []verdict{
		{stateAdvisory, codeAdvisory, red},
		{generator.FaultMarker, codeConflict, red},
		{stateConflict, codeConflict, red},
		{generator.FaultBase, codeBase, red},
		{generator.FaultEdited, codeEdited, yellow},
		{stateStale, codeStale, yellow},
	}
}

// outOfDate is why a file would be written anew, when nothing more is known.
const outOfDate = "out of date"

type verdict struct {
	state string
	code  int
	paint string
}

func newCheckCmd(a *app) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Tell whether the generated code is up to date (for CI)",
		Long: "Writes nothing, and asks neither git nor the network. The exit code is that of the gravest finding:\n\n" +
			"  7  a security fix is not applied (state advisory; see: custos audit)\n" +
			"  4  a file has conflict markers in it (marker); or you edited a file whose new version does not merge, or moved a\n" +
			"     folder and custos.yaml does not say so (conflict)\n" +
			"  6  custos.lock and .custos/base do not belong together (base)\n" +
			"  5  a machine-owned file was edited (edited)\n" +
			"  3  custos upgrade would change something: this custos has newer templates, custos.yaml was edited, a file is\n" +
			"     missing, or a template of yours replaces one that has changed (stale)\n" +
			"  0  up to date\n\n" +
			"1 is a check that could not be made, 2 wrong usage. With --json each finding has its state.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runCheck(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// finding is one reason why a project is not up to date.
type finding struct {
	State string `json:"state"` // of verdicts
	Path  string `json:"path"`
	Line  int    `json:"line,omitempty"`
	Why   string `json:"why"`

	upgrade bool // what mends it is custos upgrade, and Why does not say so
}

func (f finding) place() string {
	if f.Line == 0 {
		return f.Path
	}
	return fmt.Sprintf("%s:%d", f.Path, f.Line)
}

func (a *app) runCheck(ctx context.Context, o checkOptions) error {
	findings, err := a.check(ctx)
	if err != nil {
		return err
	}
	code := judge(findings)
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
	paints := map[string]string{}
	for _, v := range verdicts() {
		paints[v.state] = v.paint
	}
	shown, copies := withoutCopies(findings)
	for _, f := range shown {
		if err := a.printf("%s  %s: %s\n", c.paint(paints[f.State], pad(f.State, 8)), f.place(), f.Why); err != nil {
			return err
		}
	}
	if copies > 0 {
		if err := a.printf("%s  %s: %s of custos' own\n", c.paint(paints[stateStale], pad(stateStale, 8)), project.Dir, plural(copies, "file")); err != nil {
			return err
		}
	}
	if code == codeDone {
		return a.printf("Up to date.\n")
	}
	a.advise(findings)
	return silent(code)
}

// withoutCopies leaves out, and counts, what an upgrade does in .custos beside what it does to the files of the project.
func withoutCopies(findings []finding) (shown []finding, copies int) {
	for _, f := range findings {
		if f.upgrade && f.State == stateStale && internal(f.Path) {
			copies++
			continue
		}
		shown = append(shown, f)
	}
	if !slices.ContainsFunc(shown, func(f finding) bool { return f.upgrade }) {
		return findings, 0
	}
	return shown, copies
}

// advise says what to type about the findings that do not say so themselves.
func (a *app) advise(findings []finding) {
	has := func(state string, upgrade bool) bool {
		return slices.ContainsFunc(findings, func(f finding) bool { return f.State == state && f.upgrade == upgrade })
	}
	if has(stateAdvisory, false) {
		a.note("a security fix is not applied; see: custos audit")
	}
	if has(stateConflict, true) {
		a.note("see what excludes each other, and how to settle it: custos upgrade")
		return
	}
	switch upgrade, rest := has(stateStale, true), has(stateStale, false); {
	case upgrade && rest:
		a.note("out of date; do what the lines say, which custos upgrade does not; then type: custos upgrade")
	case upgrade:
		a.note("out of date; type: custos upgrade")
	}
}

func silentUnlessDone(code int) error {
	if code == codeDone {
		return nil
	}
	return silent(code)
}

// judge is the exit code of the gravest finding.
func judge(findings []finding) int {
	for _, v := range verdicts() {
		if slices.ContainsFunc(findings, func(f finding) bool { return f.State == v.state }) {
			return v.code
		}
	}
	return codeDone
}

// check collects everything. What is wrong with the files that are there is also found when a run could not be
// worked out; why it could not is then told beside it.
func (a *app) check(ctx context.Context) ([]finding, error) {
	p, err := a.configured("check")
	var pos *project.PosError
	if errors.As(err, &pos) && pos.Conflict {
		return []finding{{State: generator.FaultMarker, Path: pos.File, Line: pos.Line, Why: pos.Msg}}, nil
	}
	if errors.Is(err, project.ErrLockLost) {
		return []finding{{State: generator.FaultBase, Path: project.LockFile, Why: "it is missing; bring it back: git checkout -- " + project.LockFile}}, nil
	}
	if err != nil {
		return nil, err
	}
	faults, err := generator.Inspect(p)
	if err != nil {
		return nil, err
	}
	findings := []finding{}
	for _, f := range faults {
		findings = append(findings, finding{State: f.Kind, Path: f.Path, Line: f.Line, Why: f.Why})
	}
	if waiting, err := readMerge(p.Root); err != nil {
		return nil, err
	} else if waiting != nil {
		findings = append(findings, finding{State: stateConflict, Path: mergeFile, Why: "an upgrade waits for you to settle its conflicts; then type: custos upgrade --continue, or --abort"})
	}
	findings = append(findings, checkNumbers(p.Config.Migrations, p.Migrations.Files)...)
	flaws, err := a.audit("check")
	if err != nil {
		if len(findings) == 0 {
			return nil, err
		}
		a.note("%v", err)
		return findings, nil
	}
	for _, f := range flaws {
		findings = append(findings, finding{State: stateAdvisory, Path: f.Path, Line: f.Line, Why: newFlaw(f).why()})
	}
	res, err := a.existing(ctx, "check")
	if moved := (*generator.MovedError)(nil); errors.As(err, &moved) {
		return append(findings, finding{State: stateConflict, Path: project.ConfigFile, Why: moved.What}), nil
	}
	if err != nil {
		if len(findings) == 0 {
			return nil, err
		}
		a.note("%v", err)
		return findings, nil
	}
	findings = append(judged(findings, res.Changes), checkChanges(res.Changes, findings)...)
	for i, f := range findings {
		if was := p.Lock.Generator; f.Path == project.LockFile && f.Why == outOfDate && was != a.build.Version {
			findings[i].Why = fmt.Sprintf("written by custos %s, and this is %s", was, a.build.Version)
		}
	}
	for _, o := range res.Outdated {
		findings = append(findings, finding{State: stateStale, Path: o.Path, Why: o.Why})
	}
	return findings, nil
}

// judged leaves out what a run would not touch: a machine-owned file that is not as custos.lock has it, and yet is
// what this run would write, was not edited. Another branch brought it along.
func judged(findings []finding, changes []plan.Change) []finding {
	return slices.DeleteFunc(findings, func(f finding) bool {
		return f.State == generator.FaultEdited && slices.ContainsFunc(changes, func(c plan.Change) bool { return c.Path == f.Path && c.Op == plan.Same })
	})
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
		findings = append(findings, finding{State: stateStale, Path: f.Path,
			Why: fmt.Sprintf("has the number of %s; rename the one that was not run yet, with a number above all others", other)})
	}
	return findings
}

// checkChanges judges what a run would change, but for the files that are known to be at fault already.
func checkChanges(changes []plan.Change, known []finding) []finding {
	var findings []finding
	for _, c := range changes {
		at := finding{State: stateStale, Path: c.Path, Why: c.Note, upgrade: true}
		switch {
		case slices.ContainsFunc(known, func(f finding) bool { return f.Path == c.Path && f.State != stateAdvisory }):
			continue
		case c.Op == plan.Conflict:
			at.State = stateConflict
		case !c.Writes():
			continue
		case project.Markers(c.Old) > 0:
			at.Why = "git left it in conflict, and custos upgrade makes it anew"
		case at.Why == "":
			at.Why = map[plan.Op]string{plan.Create: "missing", plan.Replace: outOfDate, plan.Delete: "no longer generated"}[c.Op]
		}
		findings = append(findings, at)
	}
	return findings
}
