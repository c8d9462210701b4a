package generator_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
)

// A function of the runtime that moves leaves a wrapper behind, and stock go fix rewrites the calls: those in the
// generated code, which the user has edited, and the user's own. Here one moves to another package and gets another
// name, in a copy of the runtime.
func TestRuntimeMovesTravelByGoFix(t *testing.T) {
	t.Parallel()
	runtime := memory(t, os.DirFS(filepath.Join(root(t), "runtime")))
	for name, src := range runtime {
		if filepath.Dir(name) == "bearer" && !strings.HasSuffix(name, "_test.go") {
			src = bytes.ReplaceAll(src, []byte("package bearer"), []byte("package header"))
			runtime["header/"+filepath.Base(name)] = bytes.ReplaceAll(src, []byte("func FromHeader("), []byte("func Bearer("))
		}
	}
	const wrapper = `// FromHeader returns the bearer token of a request's headers, unverified.
//
// Deprecated: use [header.Bearer].
//
//go:fix inline
func FromHeader(h http.Header) (string, error) { return header.Bearer(h) }
`
	before, rest, found := bytes.Cut(runtime["bearer/bearer.go"], []byte("// FromHeader returns"))
	_, after, closed := bytes.Cut(rest, []byte("\n}\n"))
	if !found || !closed {
		t.Fatal("bearer.FromHeader is not where it was: choose another function for this test")
	}
	before = bytes.Replace(before, []byte("\t\"net/http\"\n"), []byte("\t\"net/http\"\n\n\t\""+plan.Runtime+"/header\"\n"), 1)
	runtime["bearer/bearer.go"] = append(append(before, wrapper...), after...)
	moved := t.TempDir()
	runtime.write(t, moved)

	dir := t.TempDir()
	memoryFS{"go.mod": goMod(t), "go.sum": read(t, filepath.Join(root(t), "go.sum"))}.write(t, dir)
	req := request(t, dir, engine.Default(), wanted{name: "ApiClient", plugins: selection("api_tokens")})
	req.Runtime.Replace = moved
	run(t, req)
	memoryFS{"mine.go": []byte("package shop\n\nimport (\n\t\"net/http\"\n\n\t\"" + plan.Runtime + "/bearer\"\n)\n\nfunc secret(r *http.Request) (string, error) { return bearer.FromHeader(r.Header) }\n\nvar _ = secret\n")}.write(t, dir)
	goCommand(t, dir, "vet", ".", "./internal/...")
	goCommand(t, dir, "fix", "-inline", "./...")
	calls := 0
	for name, content := range snapshot(t, dir) {
		if filepath.Ext(name) != ".go" || strings.HasPrefix(name, ".custos/") {
			continue
		}
		if bytes.Contains(content, []byte("bearer.FromHeader(")) {
			t.Errorf("%s still calls the old function", name)
		}
		calls += bytes.Count(content, []byte("header.Bearer("))
	}
	if calls < 2 {
		t.Errorf("%d calls were rewritten, want the generated one and the user's", calls)
	}
	if mine := read(t, filepath.Join(dir, "mine.go")); bytes.Contains(mine, []byte("/bearer\"")) {
		t.Errorf("the old import stayed:\n%s", mine)
	}
	goCommand(t, dir, "vet", ".", "./internal/...")
}

// What the runtime deprecates, go fix can rewrite: the wrapper says so, and is one call or one other name.
func TestRuntimeWrappersAreInlined(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, filepath.Join(root(t), "runtime"), "./...") {
		for _, fault := range wrapperFaults(s.file) {
			t.Errorf("%s/%s: %s", s.pkg, s.name, fault)
		}
	}
	for _, c := range []struct {
		src  string
		good bool
	}{
		{"// Deprecated: use B.\n//\n//go:fix inline\nfunc A(x int) int { return B(x) }", true},
		{"// A is B.\n//\n// Deprecated: use B.\n//\n//go:fix inline\nfunc A() { B() }", true},
		{"// Deprecated: use B.\n//\n//go:fix inline\ntype A = B", true},
		{"// Deprecated: use B.\n//\n//go:fix inline\nconst A = B", true},
		{"// Deprecated: use B.\nfunc A(x int) int { return B(x) }", false},
		{"// Deprecated: use B.\n//\n//go:fix inline\nfunc A(x int) int { x++; return B(x) }", false},
		{"// Deprecated: use B.\n//\n//go:fix inline\ntype A B", false},
		{"// Deprecated: use B.\nvar A = B", false},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "", "package p\n\n"+c.src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if faults := wrapperFaults(f); (len(faults) == 0) != c.good {
			t.Errorf("%s: %v, want good %v", c.src, faults, c.good)
		}
	}
}

func wrapperFaults(file *ast.File) []string {
	var out []string
	for _, d := range file.Decls {
		var doc *ast.CommentGroup
		var name string
		simple := false
		switch d := d.(type) {
		case *ast.FuncDecl:
			doc, name = d.Doc, d.Name.Name
			if d.Body != nil && len(d.Body.List) == 1 {
				var e ast.Expr
				switch s := d.Body.List[0].(type) {
				case *ast.ReturnStmt:
					if len(s.Results) == 1 {
						e = s.Results[0]
					}
				case *ast.ExprStmt:
					e = s.X
				}
				_, simple = e.(*ast.CallExpr)
			}
		case *ast.GenDecl:
			doc, name = d.Doc, d.Tok.String()
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					simple = s.Assign.IsValid()
				case *ast.ValueSpec:
					simple = d.Tok == token.CONST
				}
			}
		}
		if doc == nil || !strings.Contains(doc.Text(), "Deprecated:") {
			continue
		}
		inline := false
		for _, c := range doc.List {
			inline = inline || c.Text == "//go:fix inline"
		}
		if !inline || !simple {
			out = append(out, name+" is deprecated: make it one call of what takes its place (or an alias, or a constant), with //go:fix inline, or give it a new major version; see CONTRIBUTING.md")
		}
	}
	return out
}
