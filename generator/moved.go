package generator

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// MovedError is a folder of generated code that is elsewhere now, or should be: to go on would take its files for deleted, or
// write them a second time without the user's edits. Nothing was written.
type MovedError struct {
	What string // what is where, and what to type
}

func (e *MovedError) Error() string { return e.What + "; nothing was written" }

func moved(format string, args ...any) error { return &MovedError{fmt.Sprintf(format, args...)} }

// root is a folder that custos.yaml names, where it was when custos wrote last and where it is to be.
type root struct{ key, was, now string }

// roots are those of the lock. One whose files are there no longer is not among them.
func (g *generation) roots() []root {
	var out []root
	add := func(key, was, now string) {
		if was != "." && was != "" && !slices.ContainsFunc(out, func(r root) bool { return r.key == key }) {
			out = append(out, root{key, was, now})
		}
	}
	for _, e := range g.project.Lock.Entries {
		dir, name := path.Split(e.Path)
		dir = path.Clean(dir)
		switch {
		case e.Owner != project.OwnerMachine:
		case e.Origin == sqlcOrigin:
			add("package", path.Dir(dir), g.config.Package)
		case name == "sqlc.yaml":
			add("queries", dir, g.config.Queries)
		case name == "registry_gen.go":
			add("authctl", dir, g.config.Authctl)
		}
	}
	return out
}

// followMoves makes the lock say where the files are whose folder the user has moved, and named in custos.yaml. One
// that is named there and was not moved is moved by custos only if nothing in it is the user's.
func (g *generation) followMoves() error {
	for _, r := range g.roots() {
		if r.was == r.now || g.inLock(r.now) {
			continue
		}
		left, err := g.lookInto(r)
		if err != nil {
			return err
		}
		switch {
		case left.old && left.now:
			return moved("%s says %s: %s, and a part of it is still in %s; move that, too", project.ConfigFile, r.key, r.now, r.was)
		case left.old && left.yours != "":
			return moved("%s says %s: %s, and the code is in %s, with what is yours (%s); move the folder, then type it again: git mv %s %s", project.ConfigFile, r.key, r.now, r.was, left.yours, r.was, r.now)
		case left.now:
			g.follow(r)
		}
	}
	return nil
}

// inLock reports whether custos has written into the folder.
func (g *generation) inLock(dir string) bool {
	return slices.ContainsFunc(g.project.Lock.Entries, func(e project.Entry) bool { return within(e.Path, dir) })
}

func within(name, dir string) bool { return strings.HasPrefix(name, dir+"/") }

// contents is what there is of a root.
type contents struct {
	old, now bool   // something that custos wrote is where it was, or where it is to be
	yours    string // something of the user's where it was: a file, an edit, a deletion
}

func (g *generation) lookInto(r root) (contents, error) {
	var c contents
	deleted := ""
	for _, e := range g.project.Lock.Entries {
		if !within(e.Path, r.was) {
			continue
		}
		content, exists, err := g.project.Read(e.Path)
		if err != nil {
			return c, err
		}
		switch {
		case exists:
			c.old = true
		case e.Owner == project.OwnerUser:
			deleted = e.Path + ", which you have deleted"
		}
		if exists && e.Owner == project.OwnerUser && project.Hash(content) != e.Hash {
			c.yours = e.Path
		}
		if _, exists, err = g.project.Read(r.moved(e.Path)); err != nil {
			return c, err
		}
		c.now = c.now || exists
	}
	err := filepath.WalkDir(filepath.Join(g.project.Root, filepath.FromSlash(r.was)), func(full string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(g.project.Root, full)
		if name := filepath.ToSlash(rel); !within(name, r.now) {
			if _, known := g.project.Lock.Find(name); !known {
				c.yours = name
			}
		}
		return err
	})
	if err != nil {
		return c, fmt.Errorf("look into %s: %w", r.was, err)
	}
	if c.yours == "" {
		c.yours = deleted
	}
	return c, nil
}

// moved is a path after the move of the folder that it is in.
func (r root) moved(name string) string {
	if within(name, r.was) {
		return r.now + strings.TrimPrefix(name, r.was)
	}
	return name
}

// follow gives the lock the new paths. The pristine copies are still at the old ones.
func (g *generation) follow(r root) {
	l := &g.project.Lock
	l.Entries, l.Tombstones, l.Detached = slices.Clone(l.Entries), slices.Clone(l.Tombstones), slices.Clone(l.Detached)
	if g.project.Moved == nil {
		g.project.Moved = map[string]string{}
	}
	for i, e := range l.Entries {
		if now := r.moved(e.Path); now != e.Path {
			g.project.Moved[now], l.Entries[i].Path = e.Path, now
		}
	}
	for i, t := range l.Tombstones {
		l.Tombstones[i].Path = r.moved(t.Path)
	}
	for i, name := range l.Detached {
		l.Detached[i] = r.moved(name)
	}
	slices.SortFunc(l.Entries, func(a, b project.Entry) int { return strings.Compare(a.Path, b.Path) })
	g.project.Findings = append(g.project.Findings, fmt.Sprintf("%s: moved by you to %s", r.was, r.now))
}

// checkMoved finds a folder whose files were all moved elsewhere, where no setting of custos.yaml leads.
func (g *generation) checkMoved() error {
	wanted := map[string]bool{}
	for _, f := range g.files {
		wanted[path.Dir(f.Path)] = true
	}
	names := map[string][]string{} // folder -> the files in it that say where it is now
	gone := map[string]bool{}
	for _, e := range g.project.Lock.Entries {
		dir := path.Dir(e.Path)
		if ext := path.Ext(e.Path); !wanted[dir] || e.Owner == project.OwnerLedger || ext != ".go" && ext != ".sql" {
			continue
		}
		names[dir] = append(names[dir], path.Base(e.Path))
		if left, looked := gone[dir]; looked && !left {
			continue // one file that is there is enough
		}
		_, exists, err := g.project.Read(e.Path)
		if err != nil {
			return err
		}
		gone[dir] = !exists
	}
	for _, dir := range slices.Sorted(maps.Keys(gone)) {
		if !gone[dir] {
			continue
		}
		now, err := g.whereabouts(names[dir])
		if err != nil {
			return err
		}
		if now != "" {
			return g.movedFrom(dir, now)
		}
	}
	return nil
}

// whereabouts is the folder that has all the files and is none that custos wrote into; "" = there is none.
func (g *generation) whereabouts(names []string) (string, error) {
	ours := map[string]bool{}
	for _, e := range g.project.Lock.Entries {
		ours[path.Dir(e.Path)] = true
	}
	found := ""
	err := filepath.WalkDir(g.project.Root, func(full string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || found != "" {
			return err
		}
		rel, err := filepath.Rel(g.project.Root, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if skipped(full, name) {
			return filepath.SkipDir
		}
		if ours[name] || slices.ContainsFunc(names, func(n string) bool {
			info, err := os.Stat(filepath.Join(full, n))
			return err != nil || !info.Mode().IsRegular()
		}) {
			return nil
		}
		found = name
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("look for moved files: %w", err)
	}
	return found, nil
}

// movedFrom says what to do about a folder that was moved.
func (g *generation) movedFrom(was, now string) error {
	setting := func(key, was, now string) error {
		return moved("%s was moved to %s; write %s: %s into %s, then type it again", was, now, key, now, project.ConfigFile)
	}
	switch was {
	case g.config.Package:
		return setting("package", was, now)
	case g.config.Authctl:
		return setting("authctl", was, now)
	case path.Join(g.config.Queries, "queries"):
		if path.Base(now) == "queries" {
			return setting("queries", g.config.Queries, path.Dir(now))
		}
	}
	for _, m := range g.plan.Models {
		if was == path.Join(g.config.Package, m.Package) {
			return moved("%s was moved to %s, but the folder of a model has its name; move it back, then type it again: git mv %s %s", was, now, now, was)
		}
	}
	return moved("%s was moved to %s, where custos does not look for it; move it back, then type it again: git mv %s %s", was, now, now, was)
}

// warnOfLeftModels tells of models that custos.yaml has no longer, though nobody has destroyed them. One that has got another
// name is among them: whose a row is, the database knows by the model's name.
func (g *generation) warnOfLeftModels() {
	if g.Destroy != nil {
		return
	}
	for _, e := range g.project.Lock.Entries {
		dir, name := path.Split(e.Path)
		dir = path.Clean(dir)
		if e.Owner != project.OwnerMachine || name != "service_gen.go" || path.Dir(dir) != g.config.Package {
			continue
		}
		if g.plan == nil || !slices.ContainsFunc(g.plan.Models, func(m plan.Model) bool { return m.Package == path.Base(dir) }) {
			g.warn("the model of %s is no longer in %s; its rows in the tables of its plugins stay under its name, and a model of another name does not find them", dir, project.ConfigFile)
		}
	}
}
