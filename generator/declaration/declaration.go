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
	"strings"
)

// Declaration is a function, method, type, variable or constant of a Go file, or a query.
type Declaration struct {
	Name string // Rotate, Service.Rotate, or the query's
	Text string // without what stands before it
	Line int    // from 1

	// Hash is that of the tokens: of a function's without its name and receiver, of a query's without its name, so
	// that both are known again when they were renamed. White space and comments do not count.
	Hash string
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
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if file == nil {
		return nil, err
	}
	f := fset.File(file.FileStart)
	text := func(from, to token.Pos) string {
		start, end := f.Offset(from), min(f.Offset(to), len(src))
		return string(src[min(start, end):end])
	}
	var out []Declaration
	add := func(name string, n ast.Node, compared string) {
		out = append(out, Declaration{Name: name, Text: text(n.Pos(), n.End()), Line: fset.PositionFor(n.Pos(), false).Line, Hash: hash("go", goTokens(compared))})
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
			add(name, d, text(from, d.End()))
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name.Name, s, d.Tok.String()+" "+text(s.Pos(), s.End()))
				case *ast.ValueSpec:
					for _, id := range s.Names {
						add(id.Name, s, d.Tok.String()+" "+text(s.Pos(), s.End()))
					}
				}
			}
		}
	}
	return out, err
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

// ofSQL takes a file apart at the lines that name a query. What kind of result it has belongs to a query's body.
func ofSQL(src []byte) []Declaration {
	var out []Declaration
	var words []string
	finish := func() {
		if n := len(out); n > 0 {
			out[n-1].Hash = hash("sql", words)
			out[n-1].Text = strings.TrimRight(out[n-1].Text, "\n")
		}
	}
	number := 0
	for line := range bytes.Lines(src) {
		number++
		s := strings.TrimRight(string(line), "\r\n")
		if m := queryName.FindStringSubmatch(s); m != nil {
			finish()
			out = append(out, Declaration{Name: m[1], Line: number})
			words = []string{m[2]}
			s = "-- name: " + m[1] + " " + m[2]
		} else if len(out) > 0 {
			code, _, _ := strings.Cut(s, "--")
			words = append(words, strings.Fields(code)...)
		}
		if n := len(out); n > 0 {
			out[n-1].Text += s + "\n"
		}
	}
	finish()
	return out
}

func hash(language string, words []string) string {
	sum := sha256.Sum256([]byte(language + "\x00" + strings.Join(words, "\x00")))
	return "t1:" + hex.EncodeToString(sum[:])
}
