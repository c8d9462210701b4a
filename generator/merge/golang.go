package merge

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// cutGo cuts a Go file at its declarations. A comment that stands alone is a unit of its own. A file with two
// declarations in one line stays whole. The error is a scanner.ErrorList, with positions.
func cutGo(path string, content []byte) (*source, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := &goCutter{source: &source{path: path, content: content}, file: fset.File(f.FileStart), ast: f}
	if !c.cut() {
		whole, err := cutPlain(path, content)
		whole.imports = c.source.imports
		return whole, err
	}
	return c.source, nil
}

type goCutter struct {
	source *source
	file   *token.File
	ast    *ast.File
}

// offset forgives positions one behind the end, which the parser gives to a file without a last line end.
func (c *goCutter) offset(p token.Pos) int { return min(c.file.Offset(p), len(c.source.content)) }

// lineStart returns the start of the line, and whether nothing stands before the offset.
func (c *goCutter) lineStart(at int) (int, bool) {
	start := bytes.LastIndexByte(c.source.content[:at], '\n') + 1
	return start, blank(c.source.content[start:at])
}

// lineEnd returns the end of the line with its line end, and whether nothing comes after the offset.
func (c *goCutter) lineEnd(at int) (int, bool) {
	rest := c.source.content[at:]
	n := bytes.IndexByte(rest, '\n') + 1
	if n == 0 {
		n = len(rest)
	}
	return at + n, blank(rest[:n])
}

// trailing moves an end behind the comment that follows in the same line.
func (c *goCutter) trailing(at int) (int, bool) {
	line, _ := c.lineEnd(at)
	after := c.file.Pos(at)
	i, _ := slices.BinarySearchFunc(c.ast.Comments, after, func(g *ast.CommentGroup, p token.Pos) int { return int(g.Pos() - p) })
	if i < len(c.ast.Comments) && c.offset(c.ast.Comments[i].Pos()) < line {
		return c.lineEnd(c.offset(c.ast.Comments[i].End()))
	}
	return c.lineEnd(at)
}

func (c *goCutter) cut() bool {
	head, clean := c.trailing(c.offset(c.ast.Name.End()))
	s := c.source
	s.head, s.begin = head, head
	decls := c.ast.Decls
	for len(decls) > 0 {
		d, ok := decls[0].(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			break
		}
		start, alone := c.lineStart(c.offset(d.Pos()))
		end, closed := c.trailing(c.offset(d.End()))
		clean = clean && alone && closed && start >= s.begin
		for _, spec := range d.Specs {
			if !c.importSpec(d, spec.(*ast.ImportSpec)) {
				clean = false
			}
		}
		s.begin = end
		decls = decls[1:]
	}
	if !clean {
		return false
	}
	type span struct{ start, end int }
	var taken []span
	for _, d := range decls {
		u, ok := c.unit(d)
		if !ok {
			return false
		}
		taken = append(taken, span{u.start, u.end})
		s.add(u, goTokens)
	}
	for _, g := range c.ast.Comments {
		start, alone := c.lineStart(c.offset(g.Pos()))
		if start < s.begin || slices.ContainsFunc(taken, func(t span) bool { return start >= t.start && start < t.end }) {
			continue
		}
		end, closed := c.lineEnd(c.offset(g.End()))
		if !alone || !closed {
			return false
		}
		tokens := goTokens(string(s.content[start:end]))
		s.add(&unit{names: []string{c.prefix() + commentKind + tokens}, start: start, end: end}, goTokens)
	}
	slices.SortFunc(s.units, func(a, b *unit) int { return a.start - b.start })
	at := s.begin
	for _, u := range s.units {
		if u.start < at || !blank(s.content[at:u.start]) {
			return false
		}
		at = u.end
	}
	return blank(s.content[at:])
}

func blank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }

// prefix keeps the package of external tests apart from the one that it tests.
func (c *goCutter) prefix() string {
	if strings.HasSuffix(c.ast.Name.Name, "_test") {
		return "test "
	}
	return ""
}

func (c *goCutter) unit(d ast.Decl) (*unit, bool) {
	u := &unit{}
	var doc *ast.CommentGroup
	name := func(kind, word string) {
		u.names = append(u.names, c.prefix()+kind+" "+word)
		u.words = append(u.words, word)
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		doc = d.Doc
		if d.Recv == nil || len(d.Recv.List) != 1 {
			name("func", d.Name.Name)
			u.sig = "func "
		} else {
			recv := receiverOf(d.Recv.List[0].Type)
			u.names, u.words = []string{c.prefix() + "func " + recv + "." + d.Name.Name}, []string{d.Name.Name}
			u.sig = "method " + recv + " "
		}
		u.sig = c.prefix() + u.sig + goTokens(string(c.source.content[c.offset(d.Type.Params.Pos()):c.offset(d.Type.End())]))
	case *ast.GenDecl:
		doc = d.Doc
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				name("type", spec.Name.Name)
				if len(d.Specs) == 1 {
					u.sig = fmt.Sprintf("%stype %T", c.prefix(), spec.Type)
				}
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					word := id.Name
					if word == "_" {
						word = "_ " + goTokens(string(c.source.content[c.offset(spec.Pos()):c.offset(spec.End())]))
					}
					name(d.Tok.String(), word)
				}
			}
		}
		if len(d.Specs) == 0 {
			name(d.Tok.String(), "()")
		}
	default:
		return nil, false
	}
	from := d.Pos()
	if doc != nil {
		from = doc.Pos()
	}
	start, alone := c.lineStart(c.offset(from))
	end, closed := c.trailing(c.offset(d.End()))
	u.start, u.end = start, end
	return u, alone && closed
}

func receiverOf(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiverOf(t.X)
	case *ast.ParenExpr:
		return receiverOf(t.X)
	case *ast.IndexExpr:
		return receiverOf(t.X)
	case *ast.IndexListExpr:
		return receiverOf(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

func (c *goCutter) importSpec(d *ast.GenDecl, spec *ast.ImportSpec) bool {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return false
	}
	i := imported{path: path, paren: d.Lparen.IsValid()}
	if spec.Name != nil {
		i.name = spec.Name.Name
	}
	from := spec.Pos()
	if spec.Doc != nil {
		from = spec.Doc.Pos()
	}
	if !i.paren {
		from = d.Pos()
		if d.Doc != nil {
			from = d.Doc.Pos()
		}
	}
	var alone, closed bool
	i.start, alone = c.lineStart(c.offset(from))
	i.end, closed = c.trailing(c.offset(spec.End()))
	c.source.imports = append(c.source.imports, i)
	return alone && closed
}

// scanGo calls f for each token and comment of a piece of Go. The semicolon that a line's end stands for is "\n".
func scanGo(s string, f func(offset int, tok token.Token, lit string)) {
	var sc scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(s))
	sc.Init(file, []byte(s), func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return
		}
		switch {
		case tok == token.SEMICOLON && lit != ";":
			lit = "\n"
		case lit == "" || tok.IsOperator():
			lit = tok.String()
		}
		f(file.Offset(pos), tok, lit)
	}
}

// goTokens is a piece of Go without its layout. Line ends count where they end a statement, but not before a closing
// bracket, nor does the comma that one in a line of its own needs.
func goTokens(s string) string {
	var out []string
	drop := func(what string) {
		if n := len(out); n > 0 && out[n-1] == what {
			out = out[:n-1]
		}
	}
	scanGo(s, func(_ int, tok token.Token, lit string) {
		switch tok {
		case token.SEMICOLON:
			lit = ";"
		case token.RPAREN, token.RBRACK, token.RBRACE:
			drop(";")
			drop(",")
		case token.COMMENT:
			lit = trimmed(lit)
		}
		out = append(out, lit)
	})
	drop(";")
	return strings.Join(out, "\x00")
}

// goLines compares lines by their tokens, so that indentation and alignment do not matter, except inside of raw
// strings and comments.
func goLines(s string) text {
	t := text{lines: lines([]byte(s))}
	keys := make([]strings.Builder, len(t.lines))
	var starts []int
	at := 0
	for _, l := range t.lines {
		starts = append(starts, at)
		at += len(l)
	}
	line := 0
	scanGo(s, func(offset int, tok token.Token, lit string) {
		if tok == token.SEMICOLON && lit != ";" {
			return
		}
		for line+1 < len(starts) && starts[line+1] <= offset {
			line++
		}
		for i, part := range strings.Split(lit, "\n") {
			if line+i < len(keys) {
				keys[line+i].WriteString(strings.TrimRight(part, " \t\r") + "\x00")
			}
		}
	})
	for i := range keys {
		t.keys = append(t.keys, keys[i].String())
	}
	return t
}

// renameGo gives new names to what a piece of Go declares and uses: a method after a dot, anything else where no dot
// is before it.
// A name that is also a variable's there is left alone.
func renameGo(s string, renames []renaming) string {
	variables, last := map[string]bool{}, ""
	scanGo(s, func(_ int, tok token.Token, lit string) {
		if tok == token.DEFINE || tok == token.ASSIGN {
			variables[last] = true
		}
		last = lit
	})
	var b strings.Builder
	at, before := 0, token.ILLEGAL
	receiver := false // between func and the method's name
	scanGo(s, func(offset int, tok token.Token, lit string) {
		if tok == token.FUNC {
			receiver = true
		}
		if tok == token.IDENT {
			for _, r := range renames {
				method := strings.Contains(r.from.sig, "method ")
				if r.from.words[0] != lit || !method && variables[lit] || method != (before == token.PERIOD || receiver && before == token.RPAREN) {
					continue
				}
				b.WriteString(s[at:offset] + r.to.words[0])
				at = offset + len(lit)
				break
			}
		}
		if tok == token.LBRACE {
			receiver = false
		}
		if tok != token.COMMENT {
			before = tok
		}
	})
	return b.String() + s[at:]
}
