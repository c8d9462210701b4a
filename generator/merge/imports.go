package merge

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// imported is one import of a file.
type imported struct {
	name, path string // name: "" unless given
	paren      bool
	start, end int // its lines
}

func (i imported) line() string {
	if i.name == "" {
		return strconv.Quote(i.path)
	}
	return i.name + " " + strconv.Quote(i.path)
}

func (i imported) standard() bool {
	first, _, _ := strings.Cut(i.path, "/")
	return !strings.Contains(first, ".")
}

// byKind puts the standard library first.
func byKind(a, b imported) int {
	if a.standard() != b.standard() {
		if a.standard() {
			return -1
		}
		return 1
	}
	return strings.Compare(a.path, b.path)
}

// silent imports are there for what they do, or for names without a qualifier.
func (i imported) silent() bool { return i.name == "_" || i.name == "." }

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// provides reports whether the import may be what a qualifier stands for. Without a name that is a guess, by the
// habits of naming packages after their path.
func (i imported) provides(qualifier string) bool {
	if i.name != "" {
		return i.name == qualifier
	}
	dir, last := path.Split(i.path)
	if majorVersion.MatchString(last) && dir != "" {
		last = path.Base(dir)
	}
	if before, _, dotted := strings.Cut(last, ".v"); dotted { // gopkg.in/yaml.v3
		last = before
	}
	if last == qualifier {
		return true
	}
	for _, part := range strings.FieldsFunc(last, func(r rune) bool { return r == '-' || r == '.' }) {
		if part == qualifier {
			return true
		}
	}
	return strings.NewReplacer("-", "", ".", "").Replace(last) == qualifier
}

// qualifiers are the names before a dot that nothing in the file declares.
func qualifiers(content []byte) (map[string]bool, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", content, 0)
	if err != nil {
		return nil, err
	}
	open := map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		open[id] = true
	}
	found := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && open[id] {
				found[id.Name] = true
			}
		}
		return true
	})
	return found, nil
}

// adjust returns the edits that make a file's imports fit its new content. donors are the files that content came
// from. ok is false when a name stands for different packages in a donor and in the file.
func adjust(file, base *source, donors []*source, before, after, inserted map[string]bool) (edits []edit3, ok bool) {
	have := slices.Clone(file.imports)
	var fresh []imported
	for name := range after {
		provider := slices.IndexFunc(have, func(i imported) bool { return i.provides(name) })
		for _, d := range donors {
			j := slices.IndexFunc(d.imports, func(i imported) bool { return i.provides(name) })
			if j < 0 {
				continue
			}
			theirs := d.imports[j]
			was := base != nil && slices.ContainsFunc(base.imports, func(b imported) bool { return b.path == theirs.path && b.provides(name) })
			if provider < 0 {
				fresh = append(fresh, imported{name: theirs.name, path: theirs.path})
			} else if have[provider].path != theirs.path && inserted[name] && !was {
				return nil, false // was: the user has put another package in the place of that one
			}
			break
		}
	}
	for _, d := range donors {
		for _, i := range d.imports {
			was := base != nil && slices.ContainsFunc(base.imports, func(b imported) bool { return b.line() == i.line() })
			is := slices.ContainsFunc(have, func(h imported) bool { return h.line() == i.line() })
			if i.silent() && !was && !is {
				fresh = append(fresh, imported{name: i.name, path: i.path})
			}
		}
	}
	slices.SortFunc(fresh, func(a, b imported) int { return strings.Compare(a.line(), b.line()) })
	fresh = slices.CompactFunc(fresh, func(a, b imported) bool { return a.line() == b.line() })
	slices.SortStableFunc(fresh, byKind)
	kept := *file
	kept.imports = nil
	for _, i := range file.imports {
		used := func(names map[string]bool) bool {
			for n := range names {
				if i.provides(n) {
					return true
				}
			}
			return false
		}
		if !i.silent() && i.path != "C" && used(before) && !used(after) {
			edits = append(edits, edit3{start: i.start, end: i.end})
			continue
		}
		kept.imports = append(kept.imports, i)
	}
	return append(edits, insertImports(&kept, fresh)...), true
}

// insertImports puts each import behind the last one of its kind that sorts before it.
func insertImports(file *source, fresh []imported) []edit3 {
	nl := eol(file.content)
	var edits []edit3
	raw := func(at int, s string) {
		edits = append(edits, edit3{start: at, end: at, text: agreed(withEOL(s, nl)), raw: true})
	}
	if len(file.imports) == 0 {
		if len(fresh) == 0 {
			return nil
		}
		s := "\nimport (\n"
		for i, f := range fresh {
			if i > 0 && fresh[i-1].standard() && !f.standard() {
				s += "\n"
			}
			s += "\t" + f.line() + "\n"
		}
		raw(file.begin, s+")\n")
		return edits
	}
	if only := file.imports[0]; len(file.imports) == 1 && !only.paren && len(fresh) > 0 &&
		strings.TrimSpace(string(file.content[only.start:only.end])) == "import "+only.line() {
		// One import alone becomes a block, as gofmt's readers expect.
		bare := *file
		bare.imports = nil
		all := append(slices.Clone(fresh), imported{name: only.name, path: only.path})
		slices.SortFunc(all, byKind)
		block := insertImports(&bare, all)[0]
		block.start, block.end = only.start, only.end
		block.text = agreed(strings.TrimPrefix(block.text.marked, nl))
		return []edit3{block}
	}
	for _, f := range fresh {
		block := slices.Clone(file.imports)
		if slices.ContainsFunc(block, func(i imported) bool { return i.paren }) {
			block = slices.DeleteFunc(block, func(i imported) bool { return !i.paren })
		} else {
			raw(block[len(block)-1].end, "import "+f.line()+"\n")
			continue
		}
		kind := slices.DeleteFunc(slices.Clone(block), func(i imported) bool { return i.standard() != f.standard() })
		line := "\t" + f.line() + "\n"
		switch {
		case len(kind) == 0 && f.standard():
			raw(block[0].start, line+"\n")
		case len(kind) == 0:
			raw(block[len(block)-1].end, "\n"+line)
		case f.path < kind[0].path:
			raw(kind[0].start, line)
		default:
			at := kind[0].end
			for _, i := range kind {
				if i.path < f.path {
					at = i.end
				}
			}
			raw(at, line)
		}
	}
	return edits
}
