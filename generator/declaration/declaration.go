// Package declaration finds the declarations of Go files and the queries of sqlc's files, and knows one again by its
// body, whatever it is called, wherever it stands, and however it is laid out.
package declaration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Declaration is a function, method, type, variable or constant of a Go file, or a query.
type Declaration struct {
	Name string // Rotate, Service.Rotate, or the query's
	Text string // without what stands before it
	Line int    // from 1

	// Start and End are its bytes in the file, whole lines with the comment before it.
	Start, End int
	At         int // where it begins behind that comment and the words const, var and type

	Kind   string   // const, var or type; "" of all else
	Group  *Group   // nil where it stands for itself
	Names  []string // what it declares: a, b int
	Shared bool     // its lines have something else, too

	// Hash is that of the tokens: of a function's without its name and receiver, of a query's without its name, so
	// that both are known again when they were renamed. White space and comments do not count.
	Hash string

	// Nameless is the hash of a constant, variable or type without its name, by which one that was renamed is known
	// again: with care, since a value may well be there twice. It is "" of all else, and where there is but a name.
	// Tokens is how much there is to know it by.
	Nameless string
	Tokens   int
}

// Group is a const, var or type in parentheses.
type Group struct {
	Start, End int  // its bytes in the file, whole lines with the comment before it
	Counted    bool // constants whose values depend on their places: iota counts, or a value is that of the one before
}

// Whole is the declaration's bytes in the file, or its group's.
func (d Declaration) Whole() (start, end int) {
	if d.Group != nil {
		return d.Group.Start, d.Group.End
	}
	return d.Start, d.End
}

// Of lists the declarations of a file, by its name: of .go and .sql files; others have none. A Go file that does not
// parse is an error with a position, and those of its declarations that could be read.
func Of(name string, content []byte) ([]Declaration, error) {
	switch path.Ext(name) {
	case ".go":
		return ofGo(name, content)
	case ".sql":
		return ofSQL(content), nil
	}
	return nil, nil
}

func ofGo(name string, src []byte) ([]Declaration, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution|parser.ParseComments)
	if file == nil {
		return nil, err
	}
	f := fset.File(file.FileStart)
	text := func(from, to token.Pos) string {
		start, end := f.Offset(from), min(f.Offset(to), len(src))
		return string(src[min(start, end):end])
	}
	var out []Declaration
	add := func(names []string, kind string, group *Group, doc *ast.CommentGroup, from token.Pos, n ast.Node, compared string) {
		start := from
		if doc != nil {
			start = doc.Pos()
		}
		d := Declaration{Kind: kind, Group: group, Names: names, At: f.Offset(n.Pos()), Text: text(n.Pos(), n.End()), Line: fset.PositionFor(n.Pos(), false).Line, Hash: hash("go", goTokens(compared))}
		d.Start, d.End, d.Shared = rows(src, f.Offset(start), min(f.Offset(n.End()), len(src)))
		for _, d.Name = range names {
			out = append(out, d)
		}
	}
	nameless := func(kind token.Token, n ast.Node, names []*ast.Ident, declared int) {
		compared, at := kind.String()+" ", n.Pos()
		for _, id := range names {
			compared += text(at, id.Pos()) + "_"
			at = id.End()
		}
		tokens := goTokens(compared + text(at, n.End()))
		for i := range out[len(out)-declared:] {
			d := &out[len(out)-1-i]
			d.Nameless, d.Tokens = hash("go nameless", tokens), len(tokens)
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil && len(d.Recv.List) == 1 {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			from := d.Type.Params.Pos()
			if d.Type.TypeParams != nil {
				from = d.Type.TypeParams.Pos()
			}
			add([]string{name}, "", nil, d.Doc, d.Pos(), d, text(from, d.End()))
		case *ast.GenDecl:
			kind, group := d.Tok.String(), (*Group)(nil)
			if d.Lparen.IsValid() {
				from := d.Pos()
				if d.Doc != nil {
					from = d.Doc.Pos()
				}
				group = &Group{}
				group.Start, group.End, _ = rows(src, f.Offset(from), min(f.Offset(d.End()), len(src)))
			}
			for _, s := range d.Specs {
				from, doc := s.Pos(), d.Doc
				if group == nil {
					from = d.Pos()
				}
				switch s := s.(type) {
				case *ast.TypeSpec:
					if group != nil {
						doc = s.Doc
					}
					add([]string{s.Name.Name}, kind, group, doc, from, s, kind+" "+text(s.Pos(), s.End()))
					nameless(d.Tok, s, itself(s), 1)
				case *ast.ValueSpec:
					if group != nil {
						doc = s.Doc
					}
					var names []string
					for _, id := range s.Names {
						names = append(names, id.Name)
					}
					spec := text(s.Pos(), s.End())
					add(names, kind, group, doc, from, s, kind+" "+spec)
					if s.Type != nil || len(s.Values) > 0 {
						nameless(d.Tok, s, s.Names, len(names))
					}
					if group != nil && d.Tok == token.CONST && (len(s.Values) == 0 || slices.Contains(goTokens(spec), "iota")) {
						group.Counted = true
					}
				}
			}
		}
	}
	return out, err
}

// rows are the whole lines of what is from start to end, and whether they have anything else but a comment behind it.
func rows(src []byte, start, end int) (first, behind int, shared bool) {
	start = min(start, len(src))
	first, behind = lineStart(src, start), lineEnd(src, end)
	rest := bytes.TrimSpace(src[end:behind])
	return first, behind, len(bytes.TrimSpace(src[first:start])) > 0 || len(rest) > 0 && !bytes.HasPrefix(rest, []byte("//"))
}

// itself is where a type says its own name, in order.
func itself(s *ast.TypeSpec) []*ast.Ident {
	names := []*ast.Ident{s.Name}
	member := map[*ast.Ident]bool{} // of another type
	ast.Inspect(s.Type, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				member[id] = true
			}
		case *ast.SelectorExpr:
			member[n.Sel] = true
		case *ast.Ident:
			if n.Name == s.Name.Name && !member[n] {
				names = append(names, n)
			}
		}
		return true
	})
	return names
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// goTokens is a piece of Go without comments and layout. A comma before a closing parenthesis in a line of its own is
// layout, too.
func goTokens(src string) []string {
	var sc scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(src))
	sc.Init(file, []byte(src), func(token.Position, string) {}, 0)
	var out []string
	for {
		_, tok, lit := sc.Scan()
		switch {
		case tok == token.EOF:
			return out
		case tok == token.SEMICOLON && lit != ";":
			continue
		case tok == token.RPAREN || tok == token.RBRACE || tok == token.RBRACK:
			if n := len(out); n > 0 && out[n-1] == "," {
				out = out[:n-1]
			}
		}
		if lit == "" || tok.IsOperator() {
			lit = tok.String()
		}
		out = append(out, lit)
	}
}

var queryName = regexp.MustCompile(`^--\s*name:\s*(\S+)\s*(.*)$`)

// ofSQL takes a file apart at the lines that name a query. What kind of result it has belongs to a query's body, and the
// comment right above its name to the query.
func ofSQL(src []byte) []Declaration {
	var out []Declaration
	var words []string
	finish := func(end int) {
		if n := len(out); n > 0 {
			d := &out[n-1]
			d.End = d.Start + len(bytes.TrimRight(src[d.Start:end], " \t\r\n"))
			d.End = lineEnd(src, d.End)
			d.Hash = hash("sql", words)
			_, named, _ := bytes.Cut(src[d.Start:d.End], []byte(d.Text))
			d.Text += strings.TrimRight(string(named), "\r\n")
		}
	}
	number, at, comment := 0, 0, 0 // comment: where the comment begins that the next line would continue
	for line := range bytes.Lines(src) {
		number++
		s := strings.TrimRight(string(line), "\r\n")
		m := queryName.FindStringSubmatch(s)
		code, _, _ := strings.Cut(s, "--")
		switch {
		case m != nil:
			finish(comment)
			out = append(out, Declaration{Name: m[1], Names: m[1:2], Line: number, Text: s, Start: comment, At: at})
			words = []string{m[2]}
		case len(out) > 0:
			words = append(words, strings.Fields(code)...)
		}
		at += len(line)
		if m != nil || !strings.HasPrefix(s, "--") {
			comment = at
		}
	}
	finish(len(src))
	return out
}

func lineStart(src []byte, at int) int { return bytes.LastIndexByte(src[:at], '\n') + 1 }

func lineEnd(src []byte, at int) int {
	if n := bytes.IndexByte(src[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(src)
}

func hash(language string, words []string) string {
	sum := sha256.Sum256([]byte(language + "\x00" + strings.Join(words, "\x00")))
	return "t1:" + hex.EncodeToString(sum[:])
}
