package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// mergeFile is there between `--conflict=markers` and `--continue` or `--abort`. It is not for committing: it has the
// files of before, so it is as private as they are.
const mergeFile = project.Dir + "/merge.json"

// waitingMerge is an upgrade that waits for the user to settle its conflicts.
type waitingMerge struct {
	Files []waitingFile `json:"files"`
	raw   []byte
}

// waitingFile is one file that the upgrade wrote.
type waitingFile struct {
	Path     string `json:"path"`
	Before   []byte `json:"before"` // nil = there was none
	Hash     string `json:"hash"`   // of what was written; "" = it was deleted
	Conflict bool   `json:"conflict,omitempty"`
	Index    string `json:"index,omitempty"` // git's entry of before: "MODE HASH"
}

func (w *waitingMerge) remove() plan.Change {
	return plan.Change{Path: mergeFile, Op: plan.Delete, Old: w.raw, Owner: plan.Machine, Private: true}
}

// readMerge returns nil when no upgrade waits.
func readMerge(root string) (*waitingMerge, error) {
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(mergeFile)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", mergeFile, err)
	}
	w := &waitingMerge{raw: raw}
	if err := json.Unmarshal(raw, w); err != nil {
		return nil, fmt.Errorf("read %s: %w; delete it if you have settled all conflicts", mergeFile, err)
	}
	return w, nil
}

// checkWaiting refuses to write while an upgrade waits.
func checkWaiting(root string) error {
	w, err := readMerge(root)
	if err != nil || w == nil {
		return err
	}
	return conflict{errors.New("an upgrade waits for you to settle its conflicts; nothing was written; type: custos upgrade --continue, or --abort")}
}

// stopAtConflicts reports what stands in the way, with the three versions of it and what to type.
func (a *app) stopAtConflicts(changes []plan.Change) error {
	n := 0
	var b strings.Builder
	for _, c := range changes {
		if c.Op != plan.Conflict {
			continue
		}
		for _, h := range c.Hunks {
			n++
			fmt.Fprintf(&b, "%s:%d: %s%s\n%s\n", c.Path, h.Line, named(h), h.Why, indented(merge.Report(h)))
		}
	}
	_, _ = fmt.Fprintf(a.err, "custos: %s; nothing was written\n\n%s", plural(n, "conflict"), b.String())
	_, _ = fmt.Fprint(a.err, "To settle them in the files, by hand or with git mergetool, type the command again with --conflict=markers\n"+
		"To have your version at these places, or the new one, type it with --conflict=mine, or --conflict=new\n"+
		"To see all that is new, type: custos diff upstream; all that is yours: custos diff mine\n")
	return silent(codeConflict)
}

func named(h plan.Hunk) string {
	if h.Name == "" {
		return ""
	}
	return h.Name + ": "
}

func indented(s string) string {
	var b strings.Builder
	for l := range strings.Lines(s) {
		b.WriteString("    " + strings.TrimRight(l, "\r\n") + "\n")
	}
	return b.String()
}

// writeMarkers writes all changes, the conflicts with markers in them, and what --continue and --abort need.
func (a *app) writeMarkers(ctx context.Context, out outcome) error {
	index := indexOf(ctx, out.root)
	w := waitingMerge{}
	for _, c := range out.changes {
		if !c.Writes() || c.Private {
			continue
		}
		f := waitingFile{Path: c.Path, Before: c.Old, Conflict: c.Op == plan.Conflict}
		if c.Op != plan.Delete {
			f.Hash = project.Hash(c.New)
		}
		if f.Conflict {
			f.Index = index.entry(ctx, c.Path)
		}
		w.Files = append(w.Files, f)
	}
	state, err := json.MarshalIndent(w, "", "\t")
	if err != nil {
		return err
	}
	changes := append(slices.Clone(out.changes), plan.Change{Path: mergeFile, Op: plan.Create, New: append(state, '\n'), Owner: plan.Machine, Private: true})
	if err := disk.Apply(out.root, changes); err != nil {
		return err
	}
	for _, f := range w.Files {
		if f.Index == "" {
			continue
		}
		c := out.changes[slices.IndexFunc(out.changes, func(c plan.Change) bool { return c.Path == f.Path })]
		if err := index.unmerged(ctx, f.Path, f.Index, c.Stages); err != nil {
			a.note("tell git of the conflict in %s: %v; settle it in the file", f.Path, err)
		}
	}
	return nil
}

// settledMerge is the upgrade that waits, once no marker is left.
func (a *app) settledMerge() (*waitingMerge, error) {
	w, err := readMerge(a.root())
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, errors.New("upgrade --continue: no upgrade waits; begin with: custos upgrade")
	}
	var left []error
	for _, f := range w.Files {
		if !f.Conflict {
			continue
		}
		content, err := os.ReadFile(filepath.Join(a.root(), filepath.FromSlash(f.Path)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted: that settles it, too
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Path, err)
		}
		// Stricter than project.Markers: half a conflict, whose other marker was deleted, is not settled either.
		for i, l := range strings.Split(string(content), "\n") {
			if strings.HasPrefix(l, "<<<<<<< ") || strings.HasPrefix(l, ">>>>>>> ") {
				left = append(left, fmt.Errorf("%s:%d: a conflict marker is left", f.Path, i+1))
				break
			}
		}
	}
	if len(left) > 0 {
		return nil, conflict{errors.Join(append(left, errors.New("settle them, then type: custos upgrade --continue"))...)}
	}
	return w, nil
}

// abortMerge brings back the tree of before --conflict=markers.
func (a *app) abortMerge(ctx context.Context) error {
	root := a.root()
	if err := a.recover(); err != nil {
		return err
	}
	w, err := readMerge(root)
	if err != nil {
		return err
	}
	if w == nil {
		return errors.New("upgrade --abort: no upgrade waits")
	}
	changes := []plan.Change{w.remove()}
	var edited []error
	for _, f := range w.Files {
		now, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.Path)))
		if errors.Is(err, fs.ErrNotExist) {
			now = nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", f.Path, err)
		} else if now == nil {
			now = []byte{}
		}
		is := ""
		if now != nil {
			is = project.Hash(now)
		}
		c := plan.Change{Path: f.Path, Op: plan.Replace, Old: now, New: f.Before}
		switch {
		case (now == nil) == (f.Before == nil) && bytes.Equal(now, f.Before):
			continue
		case is != f.Hash && !f.Conflict:
			edited = append(edited, fmt.Errorf("%s: edited since the upgrade; take your edit elsewhere first", f.Path))
			continue
		case f.Before == nil:
			c.Op = plan.Delete
		case now == nil:
			c.Op = plan.Create
		}
		changes = append(changes, c)
	}
	if len(edited) > 0 {
		return conflict{errors.Join(edited...)}
	}
	if err := disk.Apply(root, changes); err != nil {
		return err
	}
	a.unstage(ctx, root, w)
	return a.printf("The project is as it was before the upgrade.\n")
}

// unstage gives git's index back the entries of before, so that the files are modified and no longer in conflict.
func (a *app) unstage(ctx context.Context, root string, w *waitingMerge) {
	index := indexOf(ctx, root)
	for _, f := range w.Files {
		if f.Index == "" {
			continue
		}
		if err := index.merged(ctx, f.Path, f.Index); err != nil {
			a.note("tell git that the conflict in %s is settled: %v; type: git add %s", f.Path, err, f.Path)
		}
	}
}
