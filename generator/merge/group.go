package merge

import (
	"bytes"
	"fmt"
	"go/token"
	"maps"
	"path"
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
// of the group has the word; buried is what the user has deleted in earlier versions and does not want again, with the file that it was in.
//
// Nothing of the user's is lost: what only the user has stays; what both changed is merged by lines, then by members,
// and is a hunk where that fails. The result says the same whatever the order of the files.
func mergeGroup(files []three, labels Labels, buried map[string]string, used func(word string) bool) ([]merged, error) {
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
	labels Labels
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

// match finds the units of one version in the others.
func (g *group) match() {
	var bs, ms, ts []*source
	for _, f := range g.files {
		for _, v := range []struct {
			s  *source
			to *[]*source
		}{{f.b, &bs}, {f.m, &ms}, {f.t, &ts}} {
			if v.s != nil {
				*v.to = append(*v.to, v.s)
			}
		}
	}
	g.base, g.mine, g.theirs = indexOf(bs...), indexOf(ms...), indexOf(ts...)
	g.here, g.before, g.keep, g.torn = map[*unit]*unit{}, map[*unit]*unit{}, map[*unit]bool{}, map[*unit]bool{}
	g.placed, g.taken, g.texts = map[*unit]place{}, map[*unit]bool{}, map[*unit]string{}

	var goneMine, freshMine, goneTheirs, freshTheirs []*unit
	for _, s := range bs {
		for _, b := range s.units {
			if m := g.mine.find(b); m != nil {
				g.here[b] = m
			} else {
				goneMine = append(goneMine, b)
			}
			if g.theirs.find(b) == nil {
				goneTheirs = append(goneTheirs, b)
			}
		}
	}
	for _, s := range ms {
		for _, m := range s.units {
			if g.base.find(m) == nil && g.theirs.find(m) == nil {
				freshMine = append(freshMine, m)
			}
		}
	}
	for _, s := range ts {
		for _, t := range s.units {
			if b := g.base.find(t); b != nil {
				g.before[t] = b
			} else {
				freshTheirs = append(freshTheirs, t)
			}
		}
	}
	g.ours = renamings(goneMine, freshMine, g.lang)
	for _, r := range g.ours {
		g.here[r.from] = r.to
	}
	renamed := map[*unit]bool{}
	for _, r := range renamings(goneTheirs, freshTheirs, g.lang) {
		m := g.here[r.from]
		if m == nil {
			continue
		}
		needed, edited := g.needed(r.from), m.tokens != r.from.tokens
		if needed && !edited {
			continue // the new one is added beside the old one
		}
		g.before[r.to], renamed[r.from], g.torn[r.from] = r.from, true, needed
	}
	for _, b := range goneTheirs {
		// What goes with its whole file is meant to go: its plugin is gone.
		if m := g.here[b]; m != nil && !renamed[b] && g.fileOf(b).t != nil && m.tokens == b.tokens && !b.isComment() && g.needed(b) {
			g.keep[b] = true
			g.fileOf(m).pristine = false
		}
	}
}

// needed reports whether code of the user's names the unit of the base.
func (g *group) needed(b *unit) bool {
	for _, word := range b.words {
		if token.IsExported(word) && g.used != nil && g.used(word) {
			return true
		}
		for _, f := range g.files {
			if f.m == nil || f.pristine {
				continue
			}
			for _, m := range f.m.units {
				if m == g.here[b] {
					continue
				}
				if was := g.base.find(m); was != nil && was.tokens == m.tokens {
					continue
				}
				if strings.Contains("\x00"+m.tokens+"\x00", "\x00"+word+"\x00") {
					return true
				}
			}
		}
	}
	return false
}

// as is a unit of base or theirs with the names that the user gave.
func (g *group) as(u *unit) string {
	if len(g.ours) == 0 || g.lang.rename == nil {
		return u.text
	}
	s, ok := g.texts[u]
	if !ok {
		s = g.lang.rename(u.text, g.ours)
		g.texts[u] = s
	}
	return s
}

func (g *group) tokensOf(u *unit) string {
	if s := g.as(u); s != u.text {
		return g.lang.tokens(s)
	}
	return u.tokens
}

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
	close := i > 0 && f.t.units[i-1].end == t.start && !t.isComment()
	at.file.edits = append(at.file.edits, edit3{start: at.at, end: at.at, text: agreed(text), raw: close})
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

// results applies the edits. why says why they cannot be trusted, "" when they can.
func (g *group) results() (out []merged, why string) {
	isGo := g.lang.rename != nil
	for _, f := range g.files {
		r := merged{path: f.path, hunks: f.hunks, notes: f.notes, deleted: f.deleted}
		for _, name := range slices.Sorted(maps.Keys(g.buried)) {
			if g.buried[name] == f.path && g.mine[name] == nil && !slices.Contains(r.deleted, name) {
				r.deleted = append(r.deleted, name)
			}
		}
		switch {
		case f.canvas == nil:
		case f.canvas == f.t && f.b == nil && len(f.t.units) > 0 && f.dropped == len(f.t.units):
			r.notes = append(r.notes, "what is in it is in files of yours")
		default:
			if isGo && len(f.edits) > 0 && len(f.canvas.units)+f.canvas.begin > 0 {
				if !g.imports(f) {
					return nil, "its imports are other ones than the new version's"
				}
			}
			r.content = splice(f.canvas.content, f.edits, func(v versions) string { return v.marked })
			if len(f.hunks) > 0 {
				r.stages = [3][]byte{
					splice(f.canvas.content, f.edits, func(v versions) string { return v.base }),
					splice(f.canvas.content, f.edits, func(v versions) string { return v.mine }),
					splice(f.canvas.content, f.edits, func(v versions) string { return v.theirs }),
				}
			}
		}
		out = append(out, r)
	}
	if why := g.check(out); why != "" {
		return nil, why
	}
	return out, ""
}

// imports adds edits for a file's imports. It is false when a name would mean two packages.
func (g *group) imports(f *trio) bool {
	before, err := qualifiers(f.canvas.content)
	if err != nil {
		return true // check will tell
	}
	after := map[string]bool{}
	for _, pick := range []func(versions) string{
		func(v versions) string { return v.mine }, func(v versions) string { return v.theirs },
	} {
		names, err := qualifiers(splice(f.canvas.content, f.edits, pick))
		if err != nil {
			return true
		}
		for n := range names {
			after[n] = true
		}
	}
	inserted := map[string]bool{}
	for _, s := range f.inserted {
		last := ""
		scanGo(s, func(_ int, tok token.Token, lit string) {
			if tok == token.PERIOD && last != "" {
				inserted[last] = true
			}
			last = ""
			if tok == token.IDENT {
				last = lit
			}
		})
	}
	donors := f.donors
	if f.t != nil && f.canvas == f.m && !slices.Contains(donors, f.t) {
		donors = append(slices.Clone(donors), f.t)
	}
	edits, ok := adjust(f.canvas, f.b, donors, before, after, inserted)
	f.edits = append(f.edits, edits...)
	return ok
}

// check looks at the result once more, as a reader would who trusts nothing above: it parses, no name is declared
// twice, and all that only the user has is there.
func (g *group) check(out []merged) string {
	if g.lang.rename == nil {
		return ""
	}
	names := map[string]int{}
	for _, r := range out {
		if r.content == nil {
			continue
		}
		for i, content := range [][]byte{r.content, r.stages[2]} {
			if i == 0 && len(r.hunks) > 0 || i == 1 && content == nil {
				continue
			}
			s, err := g.lang.cut(r.path, content)
			if err != nil {
				return fmt.Sprintf("together they are no Go: %v", err)
			}
			for _, u := range s.units {
				for _, n := range u.names {
					names[n]++
				}
			}
		}
	}
	count := func(s *source) map[string]int {
		c := map[string]int{}
		if s != nil {
			for _, u := range s.units {
				for _, n := range u.names {
					n, _, _ = strings.Cut(n, " in "+s.path)
					c[n]++
				}
			}
		}
		return c
	}
	total := [2]map[string]int{{}, {}}
	for _, f := range g.files {
		for i, s := range []*source{f.m, f.t} {
			for n, k := range count(s) {
				total[i][n] += k
			}
		}
	}
	for n, k := range names {
		if k > max(total[0][n], total[1][n], 1) && !strings.Contains(n, commentKind) {
			return fmt.Sprintf("%s would be declared twice", n)
		}
	}
	paired := map[*unit]bool{} // of base: wanted under another name
	for t, b := range g.before {
		paired[b] = paired[b] || t.names[0] != b.names[0]
	}
	for _, f := range g.files {
		if f.m == nil || f.pristine {
			continue
		}
		for _, m := range f.m.units {
			b := g.base.find(m)
			if m.isComment() || b != nil && (b.tokens == m.tokens || paired[b]) || g.hasHunk(m.title()) {
				continue
			}
			if !slices.ContainsFunc(m.names, func(n string) bool {
				n, _, _ = strings.Cut(n, " in "+f.path)
				return names[n] > 0
			}) {
				return fmt.Sprintf("%s of yours would be lost", m.title())
			}
		}
	}
	return ""
}

func (g *group) hasHunk(name string) bool {
	for _, f := range g.files {
		if slices.ContainsFunc(f.hunks, func(h plan.Hunk) bool { return h.Name == name }) {
			return true
		}
	}
	return false
}

// giveUp leaves it to the user to merge each file that both have changed.
func (g *group) giveUp(why string) []merged {
	var out []merged
	for _, f := range g.files {
		f.choose()
		r := merged{path: f.path}
		if f.canvas != nil {
			r.content = f.canvas.content
		}
		if f.canvas != nil && f.canvas == f.m && f.b != nil && f.t != nil && !bytes.Equal(f.base, f.theirs) {
			chunks := diff3(g.lang.lines(string(f.base)), g.lang.lines(string(f.mine)), g.lang.lines(withEOL(string(f.theirs), eol(f.mine))))
			if conflicts(chunks) == 0 {
				chunks = []chunk{{conflict: true, base: lines(f.base), mine: lines(f.mine), theirs: lines(f.theirs)}}
			}
			v := resolve(chunks, g.labels)
			r.content, r.stages = []byte(v.marked), [3][]byte{[]byte(v.base), []byte(v.mine), []byte(v.theirs)}
			r.hunks = []plan.Hunk{{Line: 1, Base: f.base, Mine: f.mine, Theirs: f.theirs, Why: path.Base(f.path) + ": " + why}}
		}
		out = append(out, r)
	}
	if slices.ContainsFunc(out, func(r merged) bool { return len(r.hunks) > 0 }) {
		return out
	}
	// What clashes is in a file of the user's that is in no version of custos': say so at the new ones.
	for i, f := range g.files {
		if f.theirs == nil || bytes.Equal(f.mine, f.theirs) {
			continue
		}
		v := resolve([]chunk{{conflict: true, base: lines(f.base), mine: lines(f.mine), theirs: lines(f.theirs)}}, g.labels)
		out[i].content, out[i].stages = []byte(v.marked), [3][]byte{f.base, f.mine, f.theirs}
		out[i].hunks = []plan.Hunk{{Line: 1, Base: f.base, Mine: f.mine, Theirs: f.theirs, Why: path.Base(f.path) + ": " + why}}
	}
	return out
}
