package generator

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// RestoreFile brings a file of the user's back as custos wrote it last, from its pristine copy: one that was deleted,
// or, as a [plan.Replace], one that was edited. It changes nothing but the file, so that the next upgrade merges as if
// nobody had touched it. An [*AskedError] is a path that cannot be restored.
func RestoreFile(p *project.Project, name string) (plan.Change, error) {
	e, err := managed(p, "restore", name)
	if err != nil {
		return plan.Change{}, err
	}
	base, err := pristine(p, e)
	if err != nil {
		return plan.Change{}, fmt.Errorf("restore %s: %w", name, err)
	}
	old, exists, err := p.Read(name)
	if err != nil {
		return plan.Change{}, err
	}
	c := plan.Change{Path: name, Op: plan.Replace, Old: old, New: base, Owner: plan.User, Origin: e.Origin}
	switch {
	case !exists:
		c.Op, c.Old = plan.Create, nil
	case bytes.Equal(old, base):
		c.Op = plan.Same
	}
	if !c.Writes() {
		return c, nil
	}
	what, at, err := merge.Elsewhere(p, name, base)
	if err == nil && what != "" {
		err = asked("restore %s: %s is in %s, and would be there twice; nothing was written; move what you want back by hand, from %s", name, what, at, merge.BasePath(name))
	}
	return c, err
}

// Remember is the change to custos.lock after something was restored: the file's deleted declarations, or the one that
// is named, are no longer known as deleted. There is none when they were not.
func Remember(p *project.Project, file, declaration string) []plan.Change {
	next := p.Lock
	next.Tombstones = slices.DeleteFunc(slices.Clone(next.Tombstones), func(t project.Tombstone) bool {
		_, name, _ := strings.Cut(t.Name, " ") // behind func, type, query
		return t.Path == file && (declaration == "" || name == declaration)
	})
	if len(next.Tombstones) == len(p.Lock.Tombstones) {
		return nil
	}
	return []plan.Change{{Path: project.LockFile, Op: plan.Replace, Old: p.LockFile, New: next.Bytes(), Owner: plan.Machine, Origin: plugin.Core}}
}

// Detach makes custos leave a file alone for good: its line in custos.lock becomes one that says so, and its pristine
// copy goes. The file stays as it is. An [*AskedError] is a path that cannot be detached.
func Detach(p *project.Project, name string) ([]plan.Change, error) {
	if slices.Contains(p.Lock.Detached, name) {
		return nil, nil
	}
	if _, err := managed(p, "detach", name); err != nil {
		return nil, err
	}
	next := p.Lock
	next.Entries = slices.DeleteFunc(slices.Clone(next.Entries), func(e project.Entry) bool { return e.Path == name })
	next.Detached = append(slices.Clone(next.Detached), name)
	changes := []plan.Change{{Path: project.LockFile, Op: plan.Replace, Old: p.LockFile, New: next.Bytes(), Owner: plan.Machine, Origin: plugin.Core}}
	base, exists, err := p.Read(merge.BasePath(name))
	if err != nil {
		return nil, err
	}
	if exists {
		changes = append(changes, plan.Change{Path: merge.BasePath(name), Op: plan.Delete, Old: base, Owner: plan.Machine, Origin: plugin.Core})
	}
	return changes, nil
}

// managed finds the entry of a file of the user's, and says of any other why it is none.
func managed(p *project.Project, verb, name string) (project.Entry, error) {
	if err := checkLock(p); err != nil {
		return project.Entry{}, err
	}
	e, known := p.Lock.Find(name)
	if !known {
		var paths []string
		for _, e := range p.Lock.Entries {
			if e.Owner == project.OwnerUser {
				paths = append(paths, e.Path)
			}
		}
		hint := "; what custos wrote is in " + project.LockFile
		if near := plugin.Nearest(name, paths); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return e, asked("%s %s: custos did not write it%s", verb, name, hint)
	}
	switch e.Owner {
	case project.OwnerMachine:
		return e, asked("%s %s: it is machine-owned, and every run writes it anew: custos upgrade", verb, name)
	case project.OwnerLedger:
		return e, asked("%s %s: a migration is written once and is yours since; git has what it was", verb, name)
	}
	return e, nil
}

// checkLock refuses to edit a custos.lock that is in conflict.
func checkLock(p *project.Project) error {
	if line := project.Markers(p.LockFile); line > 0 {
		return &project.PosError{File: project.LockFile, Line: line, Col: 1, Conflict: true, Msg: "git left a conflict here; it is settled by: custos upgrade"}
	}
	return nil
}

// pristine is what custos wrote.
func pristine(p *project.Project, e project.Entry) ([]byte, error) {
	name := merge.BasePath(e.Path)
	base, exists, err := p.Read(name)
	switch {
	case err != nil:
		return nil, err
	case !exists:
		return nil, fmt.Errorf("the pristine copy %s is missing; bring it back: git checkout -- %s", name, name)
	case project.Hash(base) != e.Hash:
		return nil, fmt.Errorf("the pristine copy %s is not what %s names; bring both back from one commit: git checkout -- %s %s", name, project.LockFile, project.LockFile, name)
	}
	return base, nil
}

// attach takes a detached file back: this run makes it as if it had never been there.
func (g *generation) attach() {
	g.project.Lock.Detached = slices.DeleteFunc(slices.Clone(g.project.Lock.Detached), func(name string) bool { return name == g.Attach })
}

// leaveDetached takes the detached files out of what is wanted, and forgets those that are neither wanted nor there.
func (g *generation) leaveDetached() error {
	var kept []string
	for _, name := range g.project.Lock.Detached {
		i := slices.IndexFunc(g.files, func(f plan.File) bool { return f.Path == name })
		_, exists, err := g.project.Read(name)
		if err != nil {
			return err
		}
		if exists || i >= 0 {
			kept = append(kept, name)
		}
		if i >= 0 {
			g.files = slices.Delete(g.files, i, i+1)
		}
	}
	g.detached = kept
	return nil
}
