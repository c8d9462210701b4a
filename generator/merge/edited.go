package merge

import (
	"bytes"
	"fmt"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// folder is the user-owned files of one kind in one folder, which are merged together.
type folder struct {
	files  []three
	wanted map[string]plan.File
	stale  map[string]bool // paths that no run wants any more
	news   bool            // a new version differs from its base
	edits  bool            // a file differs from its base
}

// kind is what files are merged together: all Go or SQL of a folder, anything else by itself.
func kind(name string) string {
	if ext := path.Ext(name); ext == ".go" || ext == ".sql" {
		return path.Join(path.Dir(name), "*"+ext)
	}
	return name
}

// mergeEdited takes back what was decided about files one by one, where the user has edited one of a folder and there
// is a new version of one.
func (m *merger) mergeEdited(files []plan.File) error {
	folders, err := m.folders(files)
	if err != nil {
		return err
	}
	for _, pattern := range slices.Sorted(keysOf(folders)) {
		d := folders[pattern]
		if d.news && strings.Contains(pattern, "*") {
			if err := m.strangers(d, pattern); err != nil {
				return err
			}
		}
		if !d.news || len(d.files) == 0 || !d.edits && len(m.buried(d)) == 0 && !m.removesNeeded(d) {
			continue
		}
		out, err := mergeGroup(d.files, m.labels, m.buried(d), func(word string) bool { return m.used(word, d.has) })
		if err != nil {
			return err
		}
		for i, r := range out {
			if err := m.settle(d, r, d.file(out[i].path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// removesNeeded reports whether the new version of unedited files lacks something exported that the user's code needs.
func (m *merger) removesNeeded(d *folder) bool {
	var bs, ts []*source
	for _, f := range d.files {
		if f.base == nil || f.theirs == nil || bytes.Equal(f.base, f.theirs) || path.Ext(f.path) != ".go" {
			continue
		}
		b, err1 := cutGo(f.path, f.base)
		t, err2 := cutGo(f.path, f.theirs)
		if err1 == nil && err2 == nil {
			bs, ts = append(bs, b), append(ts, t)
		}
	}
	have := indexOf(ts...)
	for _, s := range bs {
		for _, u := range s.units {
			for i, word := range u.words {
				if have[u.names[i]] == nil && token.IsExported(word) && m.used(word, d.has) {
					return true
				}
			}
		}
	}
	return false
}

// has reports whether a file is merged with the folder's others.
func (d *folder) has(path string) bool {
	return slices.ContainsFunc(d.files, func(f three) bool { return f.path == path })
}

func (d *folder) file(path string) three {
	return d.files[slices.IndexFunc(d.files, func(f three) bool { return f.path == path })]
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// folders gathers what is known about the user-owned files.
func (m *merger) folders(files []plan.File) (map[string]*folder, error) {
	out := map[string]*folder{}
	at := func(name string) *folder {
		d := out[kind(name)]
		if d == nil {
			d = &folder{wanted: map[string]plan.File{}, stale: map[string]bool{}}
			out[kind(name)] = d
		}
		return d
	}
	wanted := map[string]bool{}
	for _, f := range files {
		if f.Owner != plan.User {
			continue
		}
		wanted[f.Path] = true
		if f.Private {
			continue
		}
		d := at(f.Path)
		d.wanted[f.Path] = f
		e, had := m.lock[f.Path]
		d.news = d.news || !had || e.Hash != project.Hash(f.Content)
	}
	for _, e := range m.entries {
		if e.Owner == project.OwnerUser && !wanted[e.Path] {
			d := at(e.Path)
			d.news, d.stale[e.Path] = true, true
		}
	}
	for _, d := range out {
		if !d.news {
			continue
		}
		for _, name := range slices.Concat(slices.Collect(keysOf(d.wanted)), slices.Collect(keysOf(d.stale))) {
			if err := m.versions(d, name); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// versions adds a file's three versions to its folder. One whose base is lost is left out, or, where only the new
// version is missing the user's eyes, taken for the user's own.
func (m *merger) versions(d *folder, name string) error {
	f := three{path: name}
	if w, ok := d.wanted[name]; ok {
		if f.theirs = w.Content; f.theirs == nil {
			f.theirs = []byte{}
		}
	}
	var err error
	if f.mine, err = m.read(name); err != nil {
		return err
	}
	e, had := m.lock[name]
	switch {
	case !had:
	case f.mine != nil && project.Hash(f.mine) == e.Hash:
		f.base = f.mine
	default:
		d.edits = true
		base, err := m.read(m.basePath(name))
		if err != nil {
			return err
		}
		switch base = pristine(base, e.Hash); {
		case base != nil:
		case f.mine != nil:
			f.theirs = nil
		case e.Owner == project.OwnerUser:
			return nil // deleted, and nobody knows what
		}
		f.base = base
	}
	d.files = append(d.files, f)
	return nil
}

// pristine is the base if it is what the lock says, also when git has given it other line ends.
func pristine(base []byte, hash string) []byte {
	if base != nil && project.Hash(base) == hash {
		return base
	}
	if lf := bytes.ReplaceAll(base, []byte("\r\n"), []byte("\n")); base != nil && project.Hash(lf) == hash {
		return lf
	}
	return nil
}

// strangers adds the files of the folder that are only the user's.
func (m *merger) strangers(d *folder, pattern string) error {
	names, err := filepath.Glob(filepath.Join(m.p.Root, filepath.FromSlash(pattern)))
	if err != nil {
		return fmt.Errorf("merge %s: %w", pattern, err)
	}
	for _, abs := range names {
		name := path.Join(path.Dir(pattern), filepath.Base(abs))
		_, wanted := d.wanted[name]
		if _, known := m.lock[name]; known || wanted || slices.ContainsFunc(m.changes, func(c plan.Change) bool { return c.Path == name }) {
			continue
		}
		content, err := m.read(name)
		if err != nil {
			return err
		}
		if content != nil {
			d.files = append(d.files, three{path: name, mine: content})
			d.edits = true
		}
	}
	return nil
}

// buried is what the user has deleted in earlier versions.
func (m *merger) buried(d *folder) map[string]string {
	out := map[string]string{}
	for _, t := range m.p.Lock.Tombstones {
		if _, ok := d.wanted[t.Path]; ok {
			out[t.Name] = t.Path
		}
	}
	return out
}

// settle turns what becomes of a file into its change.
func (m *merger) settle(d *folder, r merged, f three) error {
	at := slices.IndexFunc(m.changes, func(c plan.Change) bool { return c.Path == r.path })
	w, wanted := d.wanted[r.path]
	if at < 0 {
		// The user's own file, into which something was moved.
		if bytes.Equal(r.content, f.mine) && len(r.hunks) == 0 {
			return nil
		}
		m.changes = append(m.changes, plan.Change{Path: r.path, Old: f.mine, Owner: plan.User})
		at = len(m.changes) - 1
	}
	c := &m.changes[at]
	if wanted && f.theirs == nil {
		return nil // its base is lost
	}
	if d.stale[r.path] && r.content != nil {
		m.changes = slices.DeleteFunc(m.changes, func(c plan.Change) bool { return c.Path == BasePath(r.path) }) // it stays, too
		at = slices.IndexFunc(m.changes, func(c plan.Change) bool { return c.Path == r.path })
		c = &m.changes[at]
	}
	kept := c.Note
	c.Note, c.Hunks, c.Stages, c.Deleted, c.Settled = strings.Join(r.notes, "; "), r.hunks, r.stages, r.deleted, wanted
	c.New = r.content
	switch {
	case len(r.hunks) > 0:
		c.Op, c.Note = plan.Conflict, describe(r.hunks)
	case r.content == nil && f.mine != nil:
		c.Op = plan.Delete
	case r.content == nil:
		c.Op, c.New = plan.Keep, f.theirs
		if f.base != nil && c.Note == "" {
			c.Note = kept
		}
	case f.mine == nil:
		c.Op = plan.Create
	case bytes.Equal(r.content, f.mine):
		c.Op = plan.Keep
		if wanted && bytes.Equal(f.mine, f.theirs) {
			c.Op = plan.Same
		}
		if d.stale[r.path] {
			c.Note = NoteStale
		}
	case f.base != nil && bytes.Equal(f.mine, f.base), bytes.Equal(r.content, f.theirs):
		c.Op = plan.Replace
	default:
		c.Op = plan.Merge
		if c.Note == "" {
			c.Note = noteMerged
		}
	}
	if !wanted {
		return nil
	}
	return m.base(w, f.theirs)
}

// describe says of each hunk where it is and why.
func describe(hunks []plan.Hunk) string {
	var all []string
	for _, h := range hunks {
		name := h.Name
		if name == "" {
			name = "the file"
		}
		all = append(all, fmt.Sprintf("line %d, %s: %s", h.Line, name, h.Why))
	}
	return strings.Join(all, "; ")
}

// used reports whether Go of the user's, outside of the files given, has the word: in a file of theirs, or in a line
// that they have changed. The first call reads all of it.
func (m *merger) used(word string, but func(path string) bool) bool {
	if m.words == nil {
		m.words = map[string][]string{}
		_ = filepath.WalkDir(m.p.Root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // what cannot be read does not compile either
			}
			if d.IsDir() {
				if base := d.Name(); name != m.p.Root && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "vendor" || base == "testdata" || base == "node_modules") {
					return filepath.SkipDir
				}
				return nil
			}
			if rel, err := filepath.Rel(m.p.Root, name); err == nil && filepath.Ext(name) == ".go" {
				m.learn(filepath.ToSlash(rel))
			}
			return nil
		})
	}
	return slices.ContainsFunc(m.words[word], func(path string) bool { return !but(path) })
}

// learn takes down the words of a file that are the user's.
func (m *merger) learn(name string) {
	e, known := m.lock[name]
	if known && e.Owner != project.OwnerUser {
		return
	}
	mine, err := m.read(name)
	if err != nil || mine == nil {
		return
	}
	var base []byte
	if known {
		if project.Hash(mine) == e.Hash {
			return
		}
		if base, err = m.read(m.basePath(name)); err != nil {
			return
		}
	}
	was := map[string]bool{}
	for _, k := range goLines(string(base)).keys {
		was[k] = true
	}
	for _, k := range goLines(string(mine)).keys {
		if was[k] {
			continue
		}
		for _, word := range strings.Split(k, "\x00") {
			if list := m.words[word]; len(list) == 0 || list[len(list)-1] != name {
				m.words[word] = append(list, name)
			}
		}
	}
}

// Side is whose version a file's conflicts are settled with.
type Side int

// The sides. Ask leaves a conflict as it is.
const (
	Ask Side = iota
	Mine
	New
)

// Settle settles the conflicts of a change with one side's version; everything else in the file stays merged. The next
// run does not ask again: what is new is known, and was refused or taken.
func Settle(c plan.Change, side Side) plan.Change {
	if c.Op != plan.Conflict || side == Ask {
		return c
	}
	c.New, c.Note = c.Stages[1], "your version, where the new one excludes it"
	if side == New {
		c.New, c.Note = c.Stages[2], "the new version, where yours excludes it"
	}
	c.Op, c.Hunks, c.Stages = plan.Merge, nil, [3][]byte{}
	if bytes.Equal(c.New, c.Old) {
		c.Op = plan.Keep
	}
	return c
}
