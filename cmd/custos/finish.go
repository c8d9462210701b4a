package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// outcome is what a command has worked out and not yet written.
type outcome struct {
	root     string // the project's folder
	changes  []plan.Change
	config   project.Config
	findings []string
	warnings []string
	next     []nextStep
	apply    func() error // nil = disk.Apply at root
	upgrade  bool         // by new templates, of code that the user may call
	proceeds bool         // an upgrade that waited goes on
}

// nextStep is something for the user to do next.
type nextStep struct {
	Title   string `json:"title"`
	Command string `json:"command,omitempty"` // to type
	File    string `json:"file,omitempty"`    // where Code would do well
	Code    string `json:"code,omitempty"`    // to paste
}

// finish shows an outcome and, unless it is only to be shown, writes it.
func (a *app) finish(ctx context.Context, out outcome, o writeOptions) error {
	before, _ := os.ReadFile(filepath.Join(out.root, "go.mod")) // a new project has none
	clash := slices.ContainsFunc(out.changes, func(c plan.Change) bool { return c.Op == plan.Conflict })
	if o.writes() && !out.proceeds {
		if err := checkWaiting(out.root); err != nil {
			return err
		}
		if err := checkMarkers(out.changes); err != nil {
			return err
		}
	}
	if o.writes() && countWrites(out.changes) > 0 {
		if err := a.write(ctx, out, o, clash); err != nil {
			return err
		}
	}
	o.noMod = o.noMod || clash // what has markers in it cannot be read
	if o.json {
		a.modules(ctx, out, o, before)
		a.noteIgnored(ctx, out, o)
		a.noteVendor(out, o)
		return a.printOutcomeJSON(out, o)
	}
	if o.diff {
		for _, w := range out.warnings {
			a.note("warning: %s", w)
		}
		return a.printDiff(out.changes, o.verbose)
	}
	if err := a.printChanges(out, o); err != nil {
		return err
	}
	a.modules(ctx, out, o, before)
	a.noteIgnored(ctx, out, o)
	if clash && o.writes() {
		a.note("settle the conflicts, by hand or with git mergetool; then type: custos upgrade --continue, or --abort")
		return silent(codeConflict)
	}
	defer a.noteVendor(out, o)
	return a.printSteps(out.next)
}

// write puts an outcome on the disk, or says why not.
func (a *app) write(ctx context.Context, out outcome, o writeOptions, clash bool) error {
	switch {
	case clash && o.conflict == markers:
		return a.writeMarkers(ctx, out)
	case clash:
		if o.json {
			o.dryRun = true
			if err := a.printOutcomeJSON(out, o); err != nil {
				return err
			}
			return silent(codeConflict)
		}
		return a.stopAtConflicts(out.changes)
	case !o.noBuild:
		if err := a.compile(ctx, out); err != nil {
			return err
		}
	}
	if out.apply != nil {
		return out.apply()
	}
	return disk.Apply(out.root, out.changes)
}

// checkMarkers refuses to merge into files in which git has left a conflict.
func checkMarkers(changes []plan.Change) error {
	var errs []error
	for _, c := range changes {
		if line := project.Markers(c.Old); line > 0 && (c.Op == plan.Merge || c.Op == plan.Conflict) {
			errs = append(errs, fmt.Errorf("merge into %s:%d: git left a conflict there; nothing was written; settle it, then type it again", c.Path, line))
		}
	}
	if len(errs) > 0 {
		return conflict{errors.Join(errs...)}
	}
	return nil
}

func countWrites(changes []plan.Change) int {
	n := 0
	for _, c := range changes {
		if c.Writes() {
			n++
		}
	}
	return n
}

// internal reports whether a file is custos' own, of no interest to a reader of the project.
func internal(path string) bool {
	return strings.HasPrefix(path, project.Dir+"/") && !strings.HasPrefix(path, project.PluginDir+"/") && !strings.HasPrefix(path, project.TemplateDir+"/")
}

func (a *app) printChanges(out outcome, o writeOptions) error {
	c := a.colour()
	writes := countWrites(out.changes)
	if writes > 0 {
		for _, f := range out.findings {
			if err := a.printf("%s  %s\n", c.paint(cyan, pad("found", 6)), f); err != nil {
				return err
			}
		}
	}
	paints := map[plan.Op]string{plan.Create: green, plan.Replace: yellow, plan.Delete: red, plan.Keep: cyan, plan.Merge: yellow, plan.Conflict: red}
	var n tally
	for _, ch := range out.changes {
		if !ch.Writes() && ch.Note == "" {
			continue
		}
		if ch.Writes() {
			if internal(ch.Path) {
				n.hidden++
			} else {
				n.shown++
			}
			switch ch.Op {
			case plan.Merge:
				n.merged++
			case plan.Conflict:
				n.conflicts++
			}
		} else {
			n.kept++
		}
		if internal(ch.Path) && !o.verbose {
			continue
		}
		note := ""
		if ch.Note != "" {
			note = ": " + ch.Note
		}
		if err := a.printf("%s  %s%s\n", c.paint(paints[ch.Op], pad(ch.Op.String(), 6)), ch.Path, note); err != nil {
			return err
		}
	}
	for _, w := range out.warnings {
		if err := a.printf("%s  %s\n", c.paint(red, pad("warn", 6)), w); err != nil {
			return err
		}
	}
	return a.printf("%s\n", c.paint(bold, n.summary(o.dryRun)))
}

// tally counts the files of an outcome: what is written, in custos' own folder too, and what of the user's is merged,
// in conflict, or kept.
type tally struct{ shown, hidden, merged, conflicts, kept int }

func (n tally) summary(dryRun bool) string {
	var s string
	switch {
	case n.shown+n.hidden == 0:
		s = "Nothing to do: everything is up to date"
	case dryRun && n.conflicts > 0:
		return fmt.Sprintf("Dry run: would stop, because your edits of %s and the new versions exclude each other; nothing was written.", plural(n.conflicts, "file"))
	case dryRun:
		s = fmt.Sprintf("Dry run: would change %s", plural(n.shown, "file"))
	default:
		s = fmt.Sprintf("Changed %s", plural(n.shown, "file"))
	}
	if n.hidden > 0 {
		s += fmt.Sprintf(", and %d in %s", n.hidden, project.Dir)
	}
	if n.merged > 0 {
		s += fmt.Sprintf("; merged into %s of yours", plural(n.merged, "file"))
	}
	if n.conflicts > 0 {
		s += fmt.Sprintf("; %s in conflict", plural(n.conflicts, "file"))
	}
	if n.kept > 0 {
		s += fmt.Sprintf("; kept %s of yours", plural(n.kept, "file"))
	}
	if dryRun && n.shown+n.hidden > 0 {
		s += "; nothing was written"
	}
	return s + "."
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func pad(s string, n int) string { return fmt.Sprintf("%-*s", n, s) }

// printDiff leaves out what would only repeat a file, and what is a secret.
func (a *app) printDiff(changes []plan.Change, verbose bool) error {
	for _, ch := range changes {
		if !ch.Writes() || internal(ch.Path) && !verbose {
			continue
		}
		text := merge.Diff(ch)
		if ch.Private {
			text = fmt.Sprintf("Secret file %s differs\n", ch.Path)
		}
		if err := a.printf("%s", text); err != nil {
			return err
		}
	}
	return nil
}

// hunk is one conflict, for programs to read.
type hunk struct {
	Name string `json:"name,omitempty"`
	Line int    `json:"line"`
	Why  string `json:"why"`
	Base string `json:"base"`
	Mine string `json:"mine"`
	New  string `json:"new"`
}

func (a *app) printOutcomeJSON(out outcome, o writeOptions) error {
	type change struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Note  string `json:"note,omitempty"`
		Diff  string `json:"diff,omitempty"`
		Hunks []hunk `json:"conflicts,omitempty"`
	}
	v := struct {
		Written  bool       `json:"written"`
		Changes  []change   `json:"changes"`
		Findings []string   `json:"findings"`
		Warnings []string   `json:"warnings,omitempty"`
		Next     []nextStep `json:"next"`
	}{Written: o.writes(), Changes: []change{}, Findings: append([]string{}, out.findings...), Warnings: out.warnings, Next: append([]nextStep{}, out.next...)}
	for _, ch := range out.changes {
		if !ch.Writes() && ch.Note == "" {
			continue
		}
		c := change{Op: ch.Op.String(), Path: ch.Path, Note: ch.Note}
		if o.diff && !ch.Private && !internal(ch.Path) {
			c.Diff = merge.Diff(ch)
		}
		for _, h := range ch.Hunks {
			c.Hunks = append(c.Hunks, hunk{h.Name, h.Line, h.Why, string(h.Base), string(h.Mine), string(h.Theirs)})
		}
		v.Changes = append(v.Changes, c)
	}
	return a.printJSON(v)
}

func (a *app) printSteps(steps []nextStep) error {
	if len(steps) == 0 {
		return nil
	}
	c := a.colour()
	if err := a.printf("\n%s\n", c.paint(bold, "Next:")); err != nil {
		return err
	}
	for i, s := range steps {
		text := fmt.Sprintf("\n%d. %s:\n\n", i+1, s.Title)
		if s.Command != "" {
			text += "    " + strings.ReplaceAll(s.Command, "\n", "\n    ") + "\n"
		}
		text += s.Code
		if err := a.printf("%s", text); err != nil {
			return err
		}
	}
	return nil
}
