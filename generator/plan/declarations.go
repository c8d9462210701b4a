package plan

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"runtime"
	"strings"
)

// DeclarationError is one name that a package declares twice: a model that is called like something that
// generated code declares, or two plugins that chose the same name.
type DeclarationError struct {
	Name  string    // Querier, or Service.Close for a method
	Files [2]string // where it is declared; twice in one of sqlc's, when two tables make one type
	Try   string    // another name for the model, or ""
}

func (e *DeclarationError) Error() string {
	where := fmt.Sprintf("in both %s and %s", e.Files[0], e.Files[1])
	if e.Files[0] == e.Files[1] {
		where = "twice in " + e.Files[0]
	}
	remedy := "give the model, or the plugin's function, another name"
	if e.Try != "" {
		remedy = fmt.Sprintf("give the model another name; try %q", e.Try)
	}
	return fmt.Sprintf("%s is declared %s; %s", e.Name, where, remedy)
}

// CheckDeclarations parses the Go files and refuses a name that a package would declare twice, before a compiler
// has to. The error is a *DeclarationError, or a syntax error with its position.
func CheckDeclarations(files []File) error {
	type key struct{ dir, pkg, name string }
	parsed, errs := make([]*ast.File, len(files)), make([]error, len(files))
	Concurrently(len(files), runtime.GOMAXPROCS(0), func(i int) {
		if f := files[i]; strings.HasSuffix(f.Path, ".go") {
			parsed[i], errs[i] = parser.ParseFile(token.NewFileSet(), f.Path, f.Content, parser.SkipObjectResolution)
		}
	})
	seen := map[key]string{}
	for i, f := range files {
		file := parsed[i]
		if errs[i] != nil {
			return fmt.Errorf("parse generated code: %w", errs[i])
		}
		if file == nil {
			continue
		}
		for _, name := range declared(file) {
			k := key{path.Dir(f.Path), file.Name.Name, name}
			if other, ok := seen[k]; ok {
				return &DeclarationError{Name: name, Files: [2]string{other, f.Path}}
			}
			seen[k] = f.Path
		}
	}
	return nil
}

// declared lists the names that a file declares at top level, methods behind their receiver's type.
func declared(file *ast.File) []string {
	var names []string
	add := func(id *ast.Ident) {
		if id.Name != "_" && id.Name != "init" {
			names = append(names, id.Name)
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name)
				continue
			}
			names = append(names, receiver(d.Recv.List[0].Type)+"."+d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						add(id)
					}
				}
			}
		}
	}
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
