package merge

import (
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// member is a field, a method of an interface, one of a group of constants, an element of a literal.
type member struct{ key, text, tokens string }

// memberList is a declaration as its members, and what is around them.
type memberList struct {
	prefix, suffix string
	members        []member
	ordered        bool // their order means something
	counted        bool // and so does how many come before one: constants with iota
}

// mergeLists merges members by their keys: each changed, added or removed by one side only.
func mergeLists(base, mine, theirs memberList, tokens func(string) string, finer func(base, mine, theirs string) (string, bool)) (string, bool) {
	around := func(b, m, t string) (string, bool) {
		switch tb, tm, tt := tokens(b), tokens(m), tokens(t); {
		case tt == tb || tm == tt:
			return m, true
		case tm == tb:
			return t, true
		}
		return "", false
	}
	prefix, ok1 := around(base.prefix, mine.prefix, theirs.prefix)
	suffix, ok2 := around(base.suffix, mine.suffix, theirs.suffix)
	if !ok1 || !ok2 {
		return "", false
	}
	b, ok1 := keyed(base.members)
	m, ok2 := keyed(mine.members)
	t, ok3 := keyed(theirs.members)
	if !ok1 || !ok2 || !ok3 {
		return "", false
	}
	added := [2]int{}
	for i, side := range [2]memberList{mine, theirs} {
		for _, x := range side.members {
			if _, had := b[x.key]; !had {
				added[i]++
			}
		}
	}
	touched := len(m)-added[0] != len(b) || len(t)-added[1] != len(b)
	ordered, counted := base.ordered || mine.ordered || theirs.ordered, base.counted || mine.counted || theirs.counted
	if ours, news := common(mine.members, b, t), common(theirs.members, b, m); ordered && !slices.Equal(ours, news) {
		// One has them in another order than the other, and out is in mine: it must be what mine made of it, and with
		// nothing new that stands somewhere in another.
		if !slices.Equal(news, common(base.members, m, t)) || added[1] > 0 {
			return "", false
		}
	}
	if is, ours, news := common(base.members), common(mine.members), common(theirs.members); counted && !slices.Equal(ours, is) && !slices.Equal(news, is) && !slices.Equal(ours, news) {
		return "", false // what one adds, removes or moves changes what comes after, which is for the other to know
	}
	var out []member
	for _, x := range mine.members {
		was, had := b[x.key]
		now, has := t[x.key]
		switch {
		case !has && (!had || x.tokens != was.tokens):
			if had {
				return "", false // changed by one, removed by the other
			}
		case !has:
			continue // removed by them
		case now.tokens == x.tokens || had && now.tokens == was.tokens:
		case had && x.tokens == was.tokens:
			touched = true
			x.text = now.text
		default:
			if finer == nil || !had {
				return "", false
			}
			merged, ok := finer(was.text, x.text, now.text)
			if !ok {
				return "", false
			}
			x.text = merged
		}
		touched = touched || had && x.tokens != was.tokens
		out = append(out, x)
	}
	for i, x := range theirs.members {
		was, had := b[x.key]
		if _, has := m[x.key]; has {
			continue
		}
		if had {
			if was.tokens != x.tokens {
				return "", false // removed by one, changed by the other
			}
			continue
		}
		at := 0
		for j := i - 1; j >= 0 && at == 0; j-- {
			at = slices.IndexFunc(out, func(o member) bool { return o.key == theirs.members[j].key }) + 1
		}
		if at == len(out) || i == len(theirs.members)-1 { // both added at the end: mine first
			at = len(out)
		}
		out = slices.Insert(out, at, x)
	}
	if ordered && added[0] > 0 && added[1] > 0 && touched {
		return "", false
	}
	s := prefix
	for _, x := range out {
		s += x.text
	}
	return s + suffix, true
}

// common is the keys of a list that the others have, too, in the list's order.
func common(list []member, others ...map[string]member) []string {
	var out []string
	for _, x := range list {
		if !slices.ContainsFunc(others, func(o map[string]member) bool {
			_, has := o[x.key]
			return !has
		}) {
			out = append(out, x.key)
		}
	}
	return out
}

func keyed(list []member) (map[string]member, bool) {
	m := map[string]member{}
	for _, x := range list {
		if _, twice := m[x.key]; twice {
			return nil, false
		}
		m[x.key] = x
	}
	return m, true
}

// mergeMembers merges a Go declaration by its members.
func mergeMembers(base, mine, theirs string) (string, bool) {
	b, ok1 := membersOf(base)
	m, ok2 := membersOf(mine)
	t, ok3 := membersOf(theirs)
	if !ok1 || !ok2 || !ok3 {
		return "", false
	}
	s, ok := mergeLists(b, m, t, goTokens, nil)
	if !ok {
		return "", false
	}
	// New members may need the others aligned, where mine were.
	if formatted, err := format.Source([]byte(mine)); err == nil && string(formatted) == mine {
		if formatted, err = format.Source([]byte(s)); err == nil {
			s = string(formatted)
		}
	}
	return s, true
}

// membersOf cuts a declaration whose members each have lines of their own.
func membersOf(s string) (memberList, bool) {
	const pre = "package p\n"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", pre+s, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || len(f.Decls) != 1 {
		return memberList{}, false
	}
	d, ok := f.Decls[0].(*ast.GenDecl)
	if !ok {
		return memberList{}, false
	}
	type part struct {
		from, to token.Pos
		key      string
	}
	var parts []part
	var open, shut token.Pos
	list := memberList{}
	fields := func(l *ast.FieldList) {
		open, shut = l.Opening, l.Closing
		for _, f := range l.List {
			p := part{f.Pos(), f.End(), ""}
			if f.Doc != nil {
				p.from = f.Doc.Pos()
			}
			for _, n := range f.Names {
				p.key += n.Name + ","
			}
			if p.key == "" {
				p.key = goTokens(s[fset.Position(f.Type.Pos()).Offset-len(pre) : fset.Position(f.Type.End()).Offset-len(pre)])
			}
			parts = append(parts, p)
		}
	}
	switch {
	case d.Lparen.IsValid():
		open, shut = d.Lparen, d.Rparen
		for _, spec := range d.Specs {
			p := part{spec.Pos(), spec.End(), ""}
			var doc *ast.CommentGroup
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				doc, p.key = spec.Doc, spec.Name.Name
			case *ast.ValueSpec:
				doc = spec.Doc
				for _, n := range spec.Names {
					p.key += n.Name + ","
				}
				// Without a value a constant repeats the one before; iota counts.
				list.counted = list.counted || d.Tok == token.CONST && (len(spec.Values) == 0 || strings.Contains(s, "iota"))
			}
			if doc != nil {
				p.from = doc.Pos()
			}
			parts = append(parts, p)
		}
		list.ordered = list.counted
	case len(d.Specs) == 1:
		switch spec := d.Specs[0].(type) {
		case *ast.TypeSpec:
			switch t := spec.Type.(type) {
			case *ast.StructType:
				fields(t.Fields)
			case *ast.InterfaceType:
				fields(t.Methods)
			default:
				return memberList{}, false
			}
		case *ast.ValueSpec:
			if len(spec.Values) != 1 {
				return memberList{}, false
			}
			lit, ok := spec.Values[0].(*ast.CompositeLit)
			if !ok {
				return memberList{}, false
			}
			open, shut, list.ordered = lit.Lbrace, lit.Rbrace, true
			for _, e := range lit.Elts {
				key := e
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					key = kv.Key
				}
				parts = append(parts, part{e.Pos(), e.End(), goTokens(s[fset.Position(key.Pos()).Offset-len(pre) : fset.Position(key.End()).Offset-len(pre)])})
			}
		default:
			return memberList{}, false
		}
	default:
		return memberList{}, false
	}
	all := lines([]byte(s))
	line := func(p token.Pos) int { return fset.Position(p).Line - 2 } // counted from zero, without pre
	at := line(open) + 1
	last := line(shut)
	list.prefix = strings.Join(all[:min(at, len(all))], "")
	for _, p := range parts {
		from, to := line(p.from), line(p.to)+1
		if from < at || to > last {
			return memberList{}, false // two in a line
		}
		// A comment that stands alone goes with the member after it.
		text := strings.Join(all[at:to], "")
		list.members = append(list.members, member{key: p.key, text: text, tokens: goTokens(text)})
		at = to
	}
	if at > last {
		return memberList{}, false
	}
	list.suffix = strings.Join(all[at:], "")
	return list, true
}
