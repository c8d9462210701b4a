package merge

import (
	"go/token"
	"strings"
)

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
