package merge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

// fixed reports whether a unit of mine stays where it is: its file is the user's, not one to be replaced.
func (g *group) fixed(m *unit) bool {
	f := g.fileOf(m)
	return f.canvas == f.m
}

// headOf merges what is not in units.
func (g *group) headOf(f *trio) {
	if f.canvas == nil || f.canvas != f.m || f.b == nil || f.t == nil {
		return
	}
	b, m, t := string(f.base[:f.b.head]), string(f.mine[:f.m.head]), string(f.theirs[:f.t.head])
	v, hunk := g.three(f, b, m, t, nil)
	if hunk {
		f.hunks = append(f.hunks, plan.Hunk{Line: 1, Base: []byte(b), Mine: []byte(m), Theirs: []byte(t), Why: bothChanged})
	}
	if v.marked != m || hunk {
		f.edits = append(f.edits, edit3{start: 0, end: f.m.head, text: v})
		f.inserted = append(f.inserted, t)
	}
}

const bothChanged = "changed by you and by the new version"

// three merges one text in three versions.
func (g *group) three(f *trio, b, m, t string, finer func(b, m, t string) (string, bool)) (v versions, hunk bool) {
	tb, tm, tt := g.lang.tokens(b), g.lang.tokens(m), g.lang.tokens(t)
	nl := eol(f.canvas.content)
	if tt == tb || tt == tm {
		return agreed(m), false
	}
	t = withEOL(t, nl)
	chunks := diff3(g.lang.lines(b), g.lang.lines(m), g.lang.lines(t))
	if tm == tb {
		// Only the layout is the user's. It stays, where the lines allow.
		if v := resolve(chunks, g.labels); conflicts(chunks) == 0 && g.lang.tokens(v.marked) == tt {
			return v, false
		}
		return agreed(t), false
	}
	if conflicts(chunks) == 0 {
		return resolve(chunks, g.labels), false
	}
	if finer != nil {
		if s, ok := finer(b, strings.ReplaceAll(m, "\r\n", "\n"), strings.ReplaceAll(t, "\r\n", "\n")); ok {
			return agreed(withEOL(s, nl)), false
		}
	}
	return resolve(chunks, g.labels), true
}

// wanted decides about a unit of the new version.
func (g *group) wanted(f *trio, i int, t *unit) {
	b := g.before[t]
	var m *unit
	if b != nil {
		m = g.here[b]
	} else {
		m = g.mine.find(t)
	}
	if m != nil && g.taken[m] {
		m, b = nil, nil // they have split a group: its other half went there
	}
	native := f.canvas != nil && f.canvas == f.t
	switch {
	case m == nil && b == nil && g.buried[t.title()] == "":
		g.place(f, i, t)
	case m == nil:
		if native {
			f.drop(t)
		}
		if !t.isComment() {
			f.deleted = append(f.deleted, t.title())
			if b == nil || g.tokensOf(b) != g.tokensOf(t) {
				f.note("%s: deleted by you; its new version stays away", t.title())
			}
		}
	case !g.fixed(m):
		g.taken[m] = true
		g.place(f, i, t)
	default:
		g.taken[m] = true
		if native {
			f.drop(t)
		}
		g.combine(f, b, m, t)
	}
	// A file that is written anew calls what the user has renamed by its new name.
	if s := g.as(t); f.canvas != nil && f.canvas == f.t && s != t.text && (m == nil || !g.fixed(m)) {
		f.edits = append(f.edits, edit3{start: t.start, end: t.end, text: agreed(s)})
	}
}

// combine merges a unit into the user's, where that stands.
func (g *group) combine(from *trio, b, m, t *unit) {
	f := g.fileOf(m)
	theirs, base := g.as(t), ""
	hunk := plan.Hunk{Name: m.title(), Line: 1 + bytes.Count(f.mine[:m.start], []byte("\n")), Mine: []byte(m.text), Theirs: []byte(theirs), Why: bothChanged}
	var v versions
	var clash bool
	switch {
	case b == nil:
		if m.tokens == g.tokensOf(t) {
			return
		}
		hunk.Why = "added by you and by the new version; rename yours to have both"
		clash = true
	case g.torn[b]:
		base = g.as(b)
		hunk.Why = fmt.Sprintf("edited by you, and the new version calls it %s; your code still uses the old name", t.title())
		clash = true
	default:
		base = g.as(b)
		if b.tokens == m.tokens { // no name in it is another one
			base, theirs = b.text, t.text
		}
		v, clash = g.three(f, base, m.text, theirs, g.lang.finer)
	}
	if clash && v.marked == "" {
		whole := chunk{conflict: true, base: lines([]byte(base)), mine: lines([]byte(m.text)), theirs: lines([]byte(withEOL(theirs, eol(f.mine))))}
		v = resolve([]chunk{whole}, g.labels)
	}
	if v.marked == m.text && !clash {
		return
	}
	if clash {
		hunk.Base = []byte(base)
		f.hunks = append(f.hunks, hunk)
	}
	f.edits = append(f.edits, edit3{start: m.start, end: m.end, text: v})
	f.give(from, theirs)
}

// give remembers where text came from, for the imports.
func (f *trio) give(from *trio, text string) {
	if !slices.Contains(f.donors, from.t) {
		f.donors = append(f.donors, from.t)
	}
	f.inserted = append(f.inserted, text)
}

// place puts a new unit behind the one that it follows in the new version, or before the one that it precedes.
func (g *group) place(f *trio, i int, t *unit) {
	if f.canvas != nil && f.canvas == f.t {
		return // it is there
	}
	at, ok := g.anchor(f, i, true)
	if !ok && f.canvas != nil {
		at, ok = place{f, len(f.canvas.content)}, true
		if n := len(f.canvas.units); n > 0 {
			at.at = f.canvas.units[n-1].end
		}
	}
	if !ok {
		at, ok = g.anchor(f, i, false)
	}
	if !ok {
		f.deleted = append(f.deleted, t.title())
		f.note("%s is new, but you have deleted the file", t.title())
		return
	}
	g.placed[t] = at
	text := withEOL(g.as(t), eol(at.file.canvas.content))
	// Lines that follow each other closely do so here, too.
	adjacent := i > 0 && f.t.units[i-1].end == t.start && !t.isComment()
	at.file.edits = append(at.file.edits, edit3{start: at.at, end: at.at, text: agreed(text), raw: adjacent})
	at.file.give(f, text)
}

// anchor is where the nearest neighbour of a unit of theirs stands: in the same file, or anywhere.
func (g *group) anchor(f *trio, i int, same bool) (place, bool) {
	where := func(n *unit, after bool) (place, bool) {
		if p, ok := g.placed[n]; ok && after {
			return p, !same || p.file == f
		}
		m := g.mine.find(n)
		if b := g.before[n]; b != nil {
			m = g.here[b]
		}
		if m == nil || !g.fixed(m) {
			return place{}, false
		}
		p := place{g.fileOf(m), m.start}
		if after {
			p.at = m.end
		}
		return p, !same || p.file == f
	}
	for j := i - 1; j >= 0; j-- {
		if p, ok := where(f.t.units[j], true); ok {
			return p, true
		}
	}
	for j := i + 1; j < len(f.t.units); j++ {
		if p, ok := where(f.t.units[j], false); ok {
			return p, true
		}
	}
	return place{}, false
}

// drop takes a unit out of a canvas, with the blank lines before it.
func (f *trio) drop(u *unit) {
	start := u.file.begin
	for _, o := range u.file.units {
		if o == u {
			break
		}
		start = o.end
	}
	f.dropped++
	f.edits = append(f.edits, edit3{start: start, end: u.end})
}

// unwanted decides about the units that the new version no longer has.
func (g *group) unwanted() {
	wanted := map[*unit]bool{}
	for _, b := range g.before {
		wanted[b] = true
	}
	for _, f := range g.files {
		if f.b == nil {
			continue
		}
		for _, b := range f.b.units {
			m := g.here[b]
			if wanted[b] || m == nil || !g.fixed(m) || g.taken[m] {
				continue
			}
			home := g.fileOf(m)
			switch edited := m.tokens != g.tokensOf(b); {
			case g.keep[b]:
				home.note("%s is no longer generated; kept, because your code uses it", m.title())
			case f.t == nil && home == f:
				// A whole file that is no longer wanted, and that the user has edited, stays as it is.
			case edited:
				home.note("%s is no longer generated; yours is kept", m.title())
			default:
				home.drop(m)
			}
		}
	}
}
