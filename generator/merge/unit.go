package merge

import (
	"fmt"
	"slices"
	"strings"
)

// unit is a piece of a file that has a name wherever it stands: a Go declaration, a query, a key of a YAML file.
// It begins with its own comment and ends with its last line's end.
type unit struct {
	names      []string // "func Service.Rotate"; a group of constants has one for each
	words      []string // the same without the kind: Rotate
	sig        string   // units are looked for under another name only among those with the same; "" = not at all
	text       string
	tokens     string // text without its layout
	start, end int    // in the file's bytes
	file       *source
}

// title is what reports call the unit.
func (u *unit) title() string {
	if u.isComment() {
		return "a comment"
	}
	return u.names[0]
}

const commentKind = "comment "

func (u *unit) isComment() bool { return strings.HasPrefix(u.names[0], commentKind) }

// source is one version of a file, cut into units.
type source struct {
	path    string
	content []byte
	head    int // the end of what is merged line by line: what stands before the units and the imports
	begin   int // where units may begin
	units   []*unit
	imports []imported
}

// clone is the same source, with units of its own.
func (s *source) clone() *source {
	c := *s
	c.units = make([]*unit, len(s.units))
	for i, u := range s.units {
		v := *u
		v.names, v.file = slices.Clone(u.names), &c
		c.units[i] = &v
	}
	return &c
}

func (s *source) add(u *unit, tokens func(string) string) {
	u.file, u.text = s, string(s.content[u.start:u.end])
	u.tokens = tokens(u.text)
	s.units = append(s.units, u)
}

// eol is the line end that most lines have.
func eol(content []byte) string {
	s := string(content)
	if 2*strings.Count(s, "\r\n") > strings.Count(s, "\n") {
		return "\r\n"
	}
	return "\n"
}

// withEOL gives every line the line end.
func withEOL(s, end string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if end == "\n" {
		return s
	}
	return strings.ReplaceAll(s, "\n", end)
}

// language says how the files of one kind are cut and compared.
type language struct {
	cut    func(path string, content []byte) (*source, error)
	tokens func(text string) string
	lines  func(text string) text
	finer  func(base, mine, theirs string) (string, bool) // merges a unit by its members; nil = there are none
	rename func(text string, renames []renaming) string   // nil = names are not followed
}

// languageOf knows a file's kind by its name.
func languageOf(path string) language {
	switch {
	case strings.HasSuffix(path, ".go"):
		return language{cutGo, goTokens, goLines, mergeMembers, renameGo}
	case strings.HasSuffix(path, ".sql"):
		return language{cutSQL, trimmed, plainText, nil, nil}
	case strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".yml"):
		return language{cutYAML, trimmed, plainText, mergeYAML, nil}
	}
	return language{cutPlain, trimmed, plainText, nil, nil}
}

// cutPlain leaves a text whole.
func cutPlain(path string, content []byte) (*source, error) {
	return &source{path: path, content: content, head: len(content), begin: len(content)}, nil
}

// trimmed drops what nobody sees: carriage returns, spaces at the ends of lines, blank lines at the end.
func trimmed(s string) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		out = append(out, strings.TrimRight(l, " \t\r"))
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// index finds units by their names. A name that is there twice (build constraints, init) is found with the file's.
type index map[string]*unit

func indexOf(sources ...*source) index {
	ix := index{}
	twice := map[string]bool{}
	for _, s := range sources {
		for _, u := range s.units {
			for _, n := range u.names {
				if ix[n] != nil {
					twice[n] = true
				}
				ix[n] = u
			}
		}
	}
	if len(twice) == 0 {
		return ix
	}
	ix = index{}
	for _, s := range sources {
		for _, u := range s.units {
			for i, n := range u.names {
				if twice[n] {
					n = fmt.Sprintf("%s in %s", n, s.path)
				}
				for k := 2; ix[n] != nil && twice[u.names[i]]; k++ {
					n = fmt.Sprintf("%s in %s, %d", u.names[i], s.path, k)
				}
				ix[n] = u
				u.names[i] = n
			}
		}
	}
	return ix
}

// find returns the unit that shares most names with u.
func (ix index) find(u *unit) *unit {
	if len(u.names) == 1 {
		return ix[u.names[0]]
	}
	count := map[*unit]int{}
	var best *unit
	for _, n := range u.names {
		if v := ix[n]; v != nil {
			count[v]++
			if best == nil || count[v] > count[best] {
				best = v
			}
		}
	}
	return best
}

// renaming is a unit that one side calls otherwise.
type renaming struct {
	from, to *unit
}

// Units are the same under two names when so much of their lines is, and no other comes near.
const (
	similar = 0.6
	gap     = 0.1
)

// renamings pairs units that are gone with new ones, by their text.
func renamings(gone, fresh []*unit, lang language) []renaming {
	var out []renaming
	taken := map[*unit]bool{}
	for _, g := range gone {
		if g.sig == "" {
			continue
		}
		var best *unit
		first, second := 0.0, 0.0
		for _, f := range fresh {
			if f.sig != g.sig || taken[f] {
				continue
			}
			switch s := similarity(g, f, lang); {
			case s > first:
				best, first, second = f, s, first
			case s > second:
				second = s
			}
		}
		if first < similar || first-second < gap {
			continue
		}
		// The new one must not be nearer to another that is gone.
		if slices.ContainsFunc(gone, func(o *unit) bool {
			return o != g && o.sig == g.sig && similarity(o, best, lang) > first-gap
		}) {
			continue
		}
		taken[best] = true
		out = append(out, renaming{g, best})
	}
	return out
}

// similarity is the part of the lines that two units have in common, their comments and names left out.
func similarity(a, b *unit, lang language) float64 {
	x, y := a.body(lang), b.body(lang)
	if len(x)+len(y) == 0 {
		return 0
	}
	if min(len(x), len(y)) < 3 && !slices.Equal(x, y) {
		return 0 // too little to know it by
	}
	common := len(x)
	for _, e := range compare(x, y) {
		common -= e.xEnd - e.x
	}
	return 2 * float64(common) / float64(len(x)+len(y))
}

func (u *unit) body(lang language) []string {
	var out []string
	for _, k := range lang.lines(u.text).keys {
		if k != "" && !strings.HasPrefix(k, "//") && !strings.HasPrefix(k, "func\x00") {
			out = append(out, k)
		}
	}
	return out
}
