package gate

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

type importerFunc func(string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }

// TestForgedProofDoesNotCompile is the promise of the package comment. The last case shows that it is
// the forgery that the compiler refuses.
func TestForgedProofDoesNotCompile(t *testing.T) {
	fset := token.NewFileSet()
	std := importer.ForCompiler(fset, "source", nil)
	parse := func(name string, src any) *ast.File {
		t.Helper()
		f, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	pkg, err := (&types.Config{Importer: std}).Check("gate", fset, []*ast.File{parse("gate.go", nil), parse("proof.go", nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	imp := importerFunc(func(path string) (*types.Package, error) {
		if path == "gate" {
			return pkg, nil
		}
		return std.Import(path)
	})
	for _, c := range []struct{ body, want string }{
		{`p := gate.Proof{ok: true}; _ = p`, "unknown field ok|cannot refer to unexported field ok"},
		{`p := gate.Proof{"User", "1", "password", false, true, gate.Proof{}.At(), 0}; _ = p`, "implicit assignment to unexported field"},
		{`var p gate.Proof; p.ok = true`, "p.ok undefined"},
		{`p := gate.Proof(struct{ ok bool }{true}); _ = p`, "cannot convert"},
		{`p := gate.Proof{}; _ = p.Valid()`, ""},
	} {
		file := parse("forged.go", "package auth\n\nimport \"gate\"\n\nfunc forge() { "+c.body+" }\n")
		_, err := (&types.Config{Importer: imp}).Check("auth", fset, []*ast.File{file}, nil)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		refused := false
		for _, want := range strings.Split(c.want, "|") {
			refused = refused || err != nil && strings.Contains(err.Error(), want)
		}
		if !refused {
			t.Errorf("%s: error = %v, want %s", c.body, err, c.want)
		}
	}
}
