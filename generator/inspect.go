package generator

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/project"
)

// The kinds of [Fault].
const (
	FaultMarker = "marker" // a conflict of git's that nobody has resolved
	FaultEdited = "edited" // a machine-owned file is not as custos wrote it
	FaultBase   = "base"   // custos.lock and .custos/base disagree
	FaultStale  = "stale"  // two migrations do the same
)

// Fault is something in a project that must not be, whatever a run would generate.
type Fault struct {
	Kind string // FaultMarker, ...
	Path string
	Line int // from 1; 0 = the whole file
	Why  string
}

// Inspect compares what custos wrote, as custos.lock has it, with what is there. It only reads, starts nothing, and
// looks at no template, so that it also serves a project that cannot be generated. The faults are sorted by path.
func Inspect(p *project.Project) ([]Fault, error) {
	in := inspection{p: p, lockConflict: project.Markers(p.LockFile) > 0}
	for _, e := range p.Lock.Entries {
		if err := in.entry(e); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Lock.Detached {
		content, _, err := p.Read(name)
		if err != nil {
			return nil, err
		}
		in.markers(name, content)
	}
	if err := in.leftovers(); err != nil {
		return nil, err
	}
	for _, d := range doubled(p) {
		in.add(FaultStale, d.path, 0, d.why())
	}
	slices.SortStableFunc(in.faults, func(a, b Fault) int { return strings.Compare(a.Path, b.Path) })
	return in.faults, nil
}

type inspection struct {
	p      *project.Project
	faults []Fault
	// lockConflict: custos.lock itself is in conflict. The next run rewrites it, the pristine copies and the
	// machine's files, so that nothing that follows from the conflict is a fault of its own.
	lockConflict bool
}

func (in *inspection) add(kind, name string, line int, why string) {
	in.faults = append(in.faults, Fault{Kind: kind, Path: name, Line: line, Why: why})
}

func (in *inspection) entry(e project.Entry) error {
	content, exists, err := in.p.Read(e.Path)
	if err != nil {
		return err
	}
	written := exists && project.Hash(content) == e.Hash
	if e.Owner == project.OwnerMachine {
		if e.Path == project.IgnoreFile { // edited, it is the user's from the next run on
			return nil
		}
		if exists && !written && !in.lockConflict {
			in.add(FaultEdited, e.Path, 0, "it is machine-owned and was edited; move the edit into a file of yours beside it, then type: custos upgrade")
		}
		return nil
	}
	if !written || e.Owner == project.OwnerLedger {
		in.markers(e.Path, content)
	}
	if e.Owner != project.OwnerUser || in.lockConflict {
		return nil
	}
	name := merge.BasePath(e.Path)
	base, exists, err := in.p.Read(name)
	switch {
	case err != nil:
		return err
	case !exists:
		in.add(FaultBase, name, 0, "the pristine copy is missing; bring it back: git checkout -- "+name)
	case project.Hash(base) != e.Hash:
		in.add(FaultBase, name, 0, "it is not what "+project.LockFile+" names; bring both back from one commit: git checkout -- "+project.LockFile+" "+name)
	}
	return nil
}

func (in *inspection) markers(name string, content []byte) {
	if line := project.Markers(content); line > 0 {
		in.add(FaultMarker, name, line, "a conflict that nobody has resolved begins here; keep the lines that you want, and delete the markers")
	}
}

// leftovers finds pristine copies of files that custos.lock does not know.
func (in *inspection) leftovers() error {
	if in.lockConflict {
		return nil
	}
	base := filepath.Join(in.p.Root, filepath.FromSlash(project.BaseDir))
	return filepath.WalkDir(base, func(full string, d fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err) && full == base:
			return nil
		case err != nil:
			return err
		case d.IsDir():
			return nil
		}
		rel, err := filepath.Rel(base, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if e, known := in.p.Lock.Find(name); !known || e.Owner != project.OwnerUser {
			in.add(FaultBase, path.Join(project.BaseDir, name), 0, "a pristine copy of a file that "+project.LockFile+" does not have; delete it, or bring the line back: git checkout -- "+project.LockFile)
		}
		return nil
	})
}

// double is a migration that does what another one did before it.
type double struct{ path, before string }

func (d double) why() string {
	return fmt.Sprintf("does what %s does; delete the one that was not run yet", d.before)
}

// doubled finds migrations that make the same thing, as two branches write them that each needed it first. The second
// one would fail.
func doubled(p *project.Project) []double {
	var out []double
	last := map[string]project.Entry{} // the newest of an identity, and of what undoes it
	entries := slices.SortedStableFunc(slices.Values(p.Lock.Entries), func(a, b project.Entry) int { return cmp.Compare(a.Version(), b.Version()) })
	for _, e := range entries {
		there := slices.ContainsFunc(p.Migrations.Files, func(f project.MigrationFile) bool { return f.Path == e.Path })
		if e.Owner != project.OwnerLedger || !there || project.IsDown(e.Path) {
			continue
		}
		id := min(e.ID, project.Undo(e.ID))
		if before, ok := last[id]; ok && before.ID == e.ID {
			out = append(out, double{e.Path, before.Path})
			continue
		}
		last[id] = e
	}
	return out
}

// checkDoubled refuses such migrations, which neither sqlc nor a database would take.
func (g *generation) checkDoubled() error {
	var errs []error
	for _, d := range doubled(g.project) {
		errs = append(errs, fmt.Errorf("read %s: it %s", d.path, d.why()))
	}
	return errors.Join(errs...)
}
