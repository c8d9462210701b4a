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
	for k, r := range out {
		if r.content == nil {
			continue
		}
		for i, content := range [][]byte{r.content, r.stages[2]} {
			if i == 0 && len(r.hunks) > 0 || i == 1 && content == nil {
				continue
			}
			s, err := g.lang.cut(r.path, content)
			if err != nil && bytes.Equal(content, g.files[k].theirs) {
				continue // it is so by itself
			}
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
