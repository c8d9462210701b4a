package merge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

// three is a file in its three versions; nil = there is none.
type three struct {
	path               string
	base, mine, theirs []byte
}

// merged is what becomes of a file. Without hunks, content is all there is to say.
type merged struct {
	path    string
	content []byte // nil = no file; with conflict markers where there are hunks
	hunks   []plan.Hunk
	stages  [3][]byte // as the base, the user and the new version would have the hunks; only with hunks
	notes   []string
	deleted []string // what the user has deleted and the new version has
}

// SyntaxError is a file of the user's that has to be merged and cannot be read.
type SyntaxError struct{ Err error }

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("merge: %v; nothing was written; mend the file, then run it again", e.Err)
}
func (e *SyntaxError) Unwrap() error { return e.Err }

// mergeGroup merges the files of one kind and folder, among which the user may have moved what is in them. Files that
// are only the user's are looked at, and improved where something was moved there. used reports whether code outside
// of the group has the word; buried is what the user has deleted in earlier versions and does not want again, with the
// file that it was in.
//
// Nothing of the user's is lost: what only the user has stays; what both changed is merged by lines, then by members,
// and is a hunk where that fails. The result says the same whatever the order of the files.
func mergeGroup(files []three, labels labels, buried map[string]string, used func(word string) bool) ([]merged, error) {
	g := &group{lang: languageOf(files[0].path), labels: labels, buried: buried, used: used}
	for _, f := range files {
		if err := g.add(f); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(g.files, func(a, b *trio) int { return strings.Compare(a.path, b.path) })
	g.match()
	for _, f := range g.files {
		f.choose()
	}
	for _, f := range g.files {
		g.headOf(f)
		if f.t != nil {
			for i, t := range f.t.units {
				g.wanted(f, i, t)
			}
		}
	}
	g.unwanted()
	out, why := g.results()
	if why != "" {
		out = g.giveUp(why)
	}
	return out, nil
}

type group struct {
	lang   language
	labels labels
	buried map[string]string
	used   func(string) bool
	files  []*trio

	base, mine, theirs index
	ours               []renaming      // by the user
	here               map[*unit]*unit // base -> mine, under whatever name
	before             map[*unit]*unit // theirs -> base, under whatever name
	keep               map[*unit]bool  // of base: no longer wanted, but the user's code needs it
	torn               map[*unit]bool  // of base: renamed by them, edited by the user, and needed under the old name
	placed             map[*unit]place // of theirs: where it was inserted
	taken              map[*unit]bool  // of mine: merged already
	texts              map[*unit]string
}

// trio is a file cut into units, in each version.
type trio struct {
	three
	b, m, t  *source // nil = no such version
	pristine bool    // the user has not touched it
	canvas   *source // the version that is edited into the result; nil = no file
	edits    []edit3
	donors   []*source // versions of theirs that text was taken from
	inserted []string  // that text
	hunks    []plan.Hunk
	notes    []string
	deleted  []string
	dropped  int // units of the canvas that are elsewhere
}

type place struct {
	file *trio
	at   int
}

func (f *trio) note(format string, args ...any) {
	f.notes = append(f.notes, fmt.Sprintf(format, args...))
}

// choose takes the user's version to work on, unless the user has not touched it.
func (f *trio) choose() {
	switch {
	case f.m != nil && !f.pristine:
		f.canvas = f.m
	case f.m == nil && f.b != nil: // deleted by the user
	default:
		f.canvas = f.t
	}
}

func (g *group) add(f three) error {
	t := &trio{three: f, pristine: f.mine != nil && f.base != nil && bytes.Equal(f.mine, f.base)}
	cut := g.lang.cut
	for range 2 {
		whole := false
		for _, v := range []struct {
			content []byte
			to      **source
			mine    bool
		}{{f.mine, &t.m, true}, {f.base, &t.b, false}, {f.theirs, &t.t, false}} {
			if v.content == nil {
				continue
			}
			if t.m != nil && bytes.Equal(v.content, f.mine) && !v.mine {
				*v.to = t.m.clone() // most files of a folder are the same in all versions
				continue
			}
			s, err := cut(f.path, v.content)
			if err != nil && v.mine {
				return &SyntaxError{err}
			}
			if err != nil {
				s, _ = cutPlain(f.path, v.content)
			}
			*v.to = s
			whole = whole || len(s.units) == 0 && s.head == len(v.content) && len(v.content) > 0
		}
		if !whole {
			break
		}
		cut = cutPlain // one version could not be cut: none is
	}
	g.files = append(g.files, t)
	return nil
}

func (g *group) fileOf(u *unit) *trio {
	for _, f := range g.files {
		if f.path == u.file.path {
			return f
		}
	}
	return nil
}
