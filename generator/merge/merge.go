// Package merge compares what a run wants with what is in the project, and says what is to be done about it.
//
// What custos wrote and nobody touched is replaced; what the user edited, deleted or wrote is kept. The lock says
// which is which: it names the hash of the bytes that custos wrote last. .custos/base holds those bytes for the
// user's files. Where a file was edited and its new version is another one, both and the base are merged: declaration by
// declaration (golang.go), query by query (sql.go), key by key (yaml.go), all else line by line (diff3.go), over all
// files of a folder at once (group.go), since the user may have moved what is in them.
//
// The package reads the project and writes nothing. Its functions are safe for concurrent use as long as nobody
// changes their arguments.
package merge

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// Notes on changes, for the user to read.
const (
	noteMachine = "you had edited this machine-owned file; its next edit belongs in a file of yours beside it"
	noteEdited  = "edited by you, and too secret to be kept twice; the new version differs (see --diff)"
	noteMerged  = "your edits and the new version"
	noteLost    = "its pristine copy is not there, so what is yours in it cannot be told from what is not"
	noteDeleted = "deleted by you; to have it again, type: custos restore "
	NoteStale   = "no longer generated; delete it when you have moved your edits"
)

// ForeignError is files of the user where custos wants to write its own. Nothing was written.
type ForeignError struct {
	Paths []string // sorted
}

func (e *ForeignError) Error() string {
	what, it := "file of yours", "it"
	if len(e.Paths) > 1 {
		what, it = "files of yours", "them"
	}
	return fmt.Sprintf("merge %s: %s in the way; nothing was written; choose another folder with --package internal/authn or move %s",
		strings.Join(e.Paths, ", "), what, it)
}

// Changes returns what is to be done so that the project holds the wanted files, sorted by path, at most one
// change for each path. A file that is neither wanted nor in the lock is not looked at.
//
// Beside the files themselves there are changes for the pristine copies in .custos/base: a copy is there for each
// user-owned file, with the bytes that the next lock's hash names. A Private file has none, since the folder is
// committed and the file is a secret.
//
// Files of the user that are in the way are reported together in a [*ForeignError]; one that has to be merged and has a
// syntax error is a [*SyntaxError]. Other errors are those of reading, of [plan.Check], and of a lock whose paths leave
// the project. generatorVersion is for the labels of conflict markers.
func Changes(p *project.Project, files []plan.File, generatorVersion string) ([]plan.Change, error) {
	return changes(p, p.Lock.Entries, files, generatorVersion)
}

// Folder is [Changes] of the files of one folder, whose neighbours are not looked at.
func Folder(p *project.Project, dir string, files []plan.File, generatorVersion string) ([]plan.Change, error) {
	entries := slices.DeleteFunc(slices.Clone(p.Lock.Entries), func(e project.Entry) bool { return path.Dir(e.Path) != dir })
	return changes(p, entries, files, generatorVersion)
}

func changes(p *project.Project, entries []project.Entry, files []plan.File, generatorVersion string) ([]plan.Change, error) {
	files = slices.Clone(files)
	if err := plan.Check(files); err != nil {
		return nil, err
	}
	m := merger{p: p, entries: entries, lock: byPath(p.Lock), labels: labels{Mine: "yours", Base: "base " + p.Lock.Generator, Theirs: "custos " + generatorVersion}}
	for _, f := range files {
		if err := m.wanted(f); err != nil {
			return nil, err
		}
	}
	if len(m.foreign) > 0 {
		return nil, &ForeignError{Paths: m.foreign}
	}
	for _, e := range entries {
		if _, found := slices.BinarySearchFunc(files, e.Path, func(f plan.File, path string) int { return strings.Compare(f.Path, path) }); found {
			continue
		}
		if err := m.stale(e); err != nil {
			return nil, err
		}
	}
	if err := m.mergeEdited(files); err != nil {
		return nil, err
	}
	if err := m.moveBases(files); err != nil {
		return nil, err
	}
	slices.SortFunc(m.changes, func(a, b plan.Change) int { return strings.Compare(a.Path, b.Path) })
	return m.changes, nil
}

// Lock returns the lock after the changes, which [Changes] made from the same project and files, were applied.
//
// What was kept stays as it was: a file that the user edited keeps the hash that its edit started from, until an
// improvement was merged into it, and one that the user deleted keeps its line, so that it is not made again.
// Migrations stay for ever.
func Lock(p *project.Project, files []plan.File, changes []plan.Change, generatorVersion, sqlcHash string) project.Lock {
	next := project.Lock{Generator: generatorVersion, SQLC: sqlcHash}
	old := byPath(p.Lock)
	op := make(map[string]plan.Op, len(changes))
	settled := map[string]bool{}
	next.Tombstones = slices.Clone(p.Lock.Tombstones)
	for _, c := range changes {
		op[c.Path], settled[c.Path] = c.Op, c.Settled
		if c.Settled {
			next.Tombstones = slices.DeleteFunc(next.Tombstones, func(t project.Tombstone) bool { return t.Path == c.Path })
			for _, name := range c.Deleted {
				next.Tombstones = append(next.Tombstones, project.Tombstone{Path: c.Path, Name: name})
			}
		}
	}
	done := make(map[string]bool, len(files))
	for _, f := range files {
		before, had := old[f.Path]
		now, decided := op[f.Path]
		e := project.Entry{Owner: f.Owner.String(), Path: f.Path, Hash: project.Hash(f.Content), Origin: f.Origin, ID: f.ID}
		switch {
		case had && f.Owner == plan.Ledger && before.Owner == project.OwnerLedger:
			e = before
		case settled[f.Path]:
		case had && (now == plan.Keep || !decided):
			e.Hash = before.Hash
		case now == plan.Keep || !decided: // a migration that is there under another name
			continue
		}
		done[f.Path] = true
		next.Entries = append(next.Entries, e)
	}
	for _, e := range p.Lock.Entries {
		if now, decided := op[e.Path]; !done[e.Path] && (e.Owner == project.OwnerLedger || decided && now == plan.Keep) {
			done[e.Path] = true
			next.Entries = append(next.Entries, e)
		}
	}
	slices.SortFunc(next.Entries, func(a, b project.Entry) int { return strings.Compare(a.Path, b.Path) })
	next.Tombstones = slices.DeleteFunc(next.Tombstones, func(t project.Tombstone) bool { return !done[t.Path] })
	return next
}

func byPath(l project.Lock) map[string]project.Entry {
	m := make(map[string]project.Entry, len(l.Entries))
	for _, e := range l.Entries {
		m[e.Path] = e
	}
	return m
}

// BasePath returns where the pristine bytes of a user-owned file are kept.
func BasePath(file string) string { return path.Join(project.BaseDir, file) }

// basePath is where they are now: a file may have been moved since.
func (m *merger) basePath(file string) string {
	if was, moved := m.p.Moved[file]; moved {
		file = was
	}
	return BasePath(file)
}

type merger struct {
	p       *project.Project
	entries []project.Entry // of the lock, those that are looked at
	lock    map[string]project.Entry
	labels  labels
	changes []plan.Change
	foreign []string
	words   map[string][]string // of the user's Go -> files that have them; see used
}

// read returns nil when there is no file. An empty file is not nil.
func (m *merger) read(name string) ([]byte, error) {
	b, exists, err := m.p.Read(name)
	if err != nil {
		return nil, fmt.Errorf("merge %s: %w", name, err)
	}
	if !exists {
		return nil, nil
	}
	return b, nil
}

func (m *merger) wanted(f plan.File) error {
	disk, err := m.read(f.Path)
	if err != nil {
		return err
	}
	content := f.Content
	if content == nil {
		content = []byte{}
	}
	c := plan.Change{Path: f.Path, Old: disk, New: content, Owner: f.Owner, Origin: f.Origin, Private: f.Private}
	e, had := m.lock[f.Path]
	edited := had && disk != nil && project.Hash(disk) != e.Hash
	equal := disk != nil && bytes.Equal(disk, content)
	pristine := true // the next lock names the hash of the new bytes
	switch {
	case f.Owner == plan.Ledger && m.written(f):
		c.Op = plan.Keep
		if equal {
			c.Op = plan.Same
		}
	case equal:
		c.Op = plan.Same
	case disk == nil && had && e.Owner == project.OwnerUser && f.Owner == plan.User:
		c.Op, pristine = plan.Keep, false
		if c.Note, err = m.deleted(f.Path, content); err != nil {
			return err
		}
	case disk == nil:
		c.Op = plan.Create
	case !had, edited && e.Owner != project.OwnerMachine && f.Owner != plan.User:
		// Ours by no record, or the user's until today: not ours to overwrite.
		m.foreign = append(m.foreign, f.Path)
		return nil
	case f.Owner == plan.Machine:
		c.Op = plan.Replace
		if edited {
			c.Note = noteMachine
		}
	case !edited:
		c.Op = plan.Replace
	case project.Hash(content) == e.Hash:
		c.Op = plan.Keep
	case f.Private:
		c.Op, c.Note, pristine = plan.Keep, noteEdited, false
	default:
		// Until mergeEdited finds a base.
		v := resolve([]chunk{{conflict: true, mine: lines(disk), theirs: lines(content)}}, m.labels)
		c.Op, c.Settled, c.New = plan.Conflict, true, []byte(v.marked)
		c.Stages = [3][]byte{{}, disk, content}
		c.Hunks = []plan.Hunk{{Line: 1, Why: noteLost + "; restore it: git checkout -- " + BasePath(f.Path), Mine: disk, Theirs: content}}
		c.Note = describe(c.Hunks)
	}
	m.changes = append(m.changes, c)
	if f.Owner == plan.User && !f.Private && pristine {
		return m.base(f, content)
	}
	return nil
}

// deleted is what there is to say of a file that is gone: nothing, if what was in it was moved to another one.
func (m *merger) deleted(name string, content []byte) (note string, err error) {
	if what, _, err := Elsewhere(m.p, name, content); err != nil || what != "" {
		return "", err
	}
	return noteDeleted + name, nil
}

// Elsewhere finds a declaration of a file's, or a query, that another file of its folder has, too: what it is, and
// where. what is "" when there is none.
func Elsewhere(p *project.Project, name string, content []byte) (what, at string, err error) {
	cut := languageOf(name).cut
	pattern := kind(name)
	if !strings.Contains(pattern, "*") {
		return "", "", nil
	}
	source, err := cut(name, content)
	if err != nil {
		return "", "", nil // nothing is known about it
	}
	names, err := filepath.Glob(filepath.Join(p.Root, filepath.FromSlash(pattern)))
	if err != nil {
		return "", "", fmt.Errorf("look into %s: %w", path.Dir(name), err)
	}
	for _, full := range names {
		other := path.Join(path.Dir(name), filepath.Base(full))
		if other == name {
			continue
		}
		b, _, err := p.Read(other)
		if err != nil {
			continue // as of one that does not parse, nothing is known about it
		}
		theirs, err := cut(other, b)
		if err != nil {
			continue
		}
		have := map[string]bool{}
		for _, u := range theirs.units {
			for i, n := range u.names {
				have[n] = !u.isComment() && u.words[i] != "init" && !strings.HasPrefix(u.words[i], "_")
			}
		}
		for _, u := range source.units {
			for _, n := range u.names {
				if have[n] {
					return strings.TrimPrefix(n, "test "), other, nil
				}
			}
		}
	}
	return "", "", nil
}

// written reports whether a migration was written before, under whatever name.
func (m *merger) written(f plan.File) bool {
	e, had := m.lock[f.Path]
	return had && e.Owner == project.OwnerLedger || f.ID != "" && len(m.p.Lock.Ledger(f.ID)) > 0
}

// base keeps the pristine bytes of a user-owned file.
func (m *merger) base(f plan.File, content []byte) error {
	name := BasePath(f.Path)
	disk, err := m.read(name)
	if err != nil {
		return err
	}
	c := plan.Change{Path: name, Op: plan.Create, Old: disk, New: content, Owner: plan.Machine, Origin: f.Origin}
	if slices.ContainsFunc(m.changes, func(c plan.Change) bool { return c.Path == name }) {
		return nil
	}
	if disk != nil {
		if bytes.Equal(disk, content) {
			return nil
		}
		c.Op = plan.Replace
	}
	m.changes = append(m.changes, c)
	return nil
}

// moveBases makes the pristine copies follow the files that the user has moved.
func (m *merger) moveBases(files []plan.File) error {
	for _, e := range m.entries {
		was, moved := m.p.Moved[e.Path]
		if !moved || e.Owner != project.OwnerUser {
			continue
		}
		base, err := m.read(BasePath(was))
		if err != nil {
			return err
		}
		if base == nil {
			continue
		}
		m.changes = append(m.changes, plan.Change{Path: BasePath(was), Op: plan.Delete, Old: base, Owner: plan.Machine, Origin: e.Origin})
		wanted := slices.ContainsFunc(files, func(f plan.File) bool { return f.Path == e.Path && f.Owner == plan.User })
		kept := slices.ContainsFunc(m.changes, func(c plan.Change) bool { return c.Path == e.Path && c.Op == plan.Keep })
		if wanted || kept {
			if err := m.base(plan.File{Path: e.Path, Origin: e.Origin}, base); err != nil {
				return err
			}
		}
	}
	return nil
}

// stale decides about a file that is in the lock and that no run wants any more.
func (m *merger) stale(e project.Entry) error {
	if e.Owner == project.OwnerLedger {
		return nil
	}
	disk, err := m.read(e.Path)
	if err != nil {
		return err
	}
	c := plan.Change{Path: e.Path, Old: disk, Owner: plan.Machine, Origin: e.Origin}
	if e.Owner == project.OwnerUser {
		c.Owner = plan.User
	}
	if disk != nil && project.Hash(disk) != e.Hash {
		c.Op, c.New, c.Note = plan.Keep, disk, NoteStale
		m.changes = append(m.changes, c)
		return nil
	}
	if disk != nil {
		c.Op = plan.Delete
		m.changes = append(m.changes, c)
	}
	if c.Owner != plan.User {
		return nil
	}
	name := BasePath(e.Path)
	base, err := m.read(name)
	if err != nil || base == nil {
		return err
	}
	m.changes = append(m.changes, plan.Change{Path: name, Op: plan.Delete, Old: base, Owner: plan.Machine, Origin: e.Origin})
	return nil
}
