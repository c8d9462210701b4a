package generator_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/plugin"
)

const repository = "github.com/custos-auth/custos"

// goPackage is what `go list -json` says about a package.
type goPackage struct {
	Dir, ImportPath, Name string
	Standard              bool
	GoFiles, CgoFiles     []string
	Imports, Deps         []string
}

// packages lists a module's packages.
func packages(t *testing.T, dir string, args ...string) []goPackage {
	t.Helper()
	out, err := command(t, dir, "go", append([]string{"list", "-json=Dir,ImportPath,Name,Standard,GoFiles,CgoFiles,Imports,Deps"}, args...)...)
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	dec := json.NewDecoder(strings.NewReader(out))
	var all []goPackage
	for {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func internalTo(importPath string) (string, bool) {
	rest, ok := strings.CutPrefix(importPath, repository+"/")
	return rest, ok
}

// isStandard tells the standard library by the missing dot, as the go command does.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// Law 7: who may import whom. The table is DESIGN.md's; a package that is not in it fails.
func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{ // "x/..." = that module's packages
		"templates":             {},
		"generator":             {"generator/declaration", "generator/disk", "generator/engine", "generator/merge", "generator/model", "generator/plan", "generator/plugin", "generator/project", "generator/render", "generator/sqlc", "generator/wire"},
		"generator/render":      {"generator/plan", "generator/model", "generator/engine", "generator/plugin"},
		"generator/wire":        {"generator/plan", "generator/plugin", "generator/engine", "github.com/dave/jennifer/..."},
		"generator/sqlc":        {"generator/plan", "generator/engine", "github.com/sqlc-dev/sqlc/pkg/cli"},
		"generator/merge":       {"generator/plan", "generator/project", "golang.org/x/tools/..."},
		"generator/disk":        {"generator/plan", "golang.org/x/sys/..."},
		"generator/plan":        {"generator/project", "generator/plugin", "generator/model", "generator/engine"},
		"generator/plugin":      {"generator/engine", "generator/model", "go.yaml.in/yaml/...", "golang.org/x/mod/..."},
		"generator/project":     {"generator/engine", "golang.org/x/tools/...", "golang.org/x/mod/...", "go.yaml.in/yaml/..."},
		"generator/declaration": {},
		"generator/engine":      {},
		"generator/model":       {},
	}
	found := map[string]bool{}
	for _, p := range packages(t, root(t), "./...") {
		name, _ := internalTo(p.ImportPath)
		found[name] = true
		if strings.HasPrefix(name, "cmd/") || strings.HasPrefix(name, ".") {
			for _, i := range p.Imports {
				if inner, ok := internalTo(i); ok && strings.HasPrefix(inner, "runtime") {
					t.Errorf("%s imports the runtime", name)
				}
			}
			continue
		}
		rules, known := allowed[name]
		if !known {
			if !strings.HasPrefix(name, "generator") && name != "templates" {
				continue // benchmarks and the like, which nothing imports
			}
			t.Errorf("%s is in no row of the table; give it one in ARCHITECTURE.md, then here", name)
			continue
		}
		for _, i := range p.Imports {
			inner, ours := internalTo(i)
			if isStandard(i) || slices.Contains(rules, i) || ours && slices.Contains(rules, inner) || slices.ContainsFunc(rules, func(r string) bool {
				prefix, tree := strings.CutSuffix(r, "...")
				return tree && strings.HasPrefix(i+"/", prefix)
			}) {
				continue
			}
			t.Errorf("%s imports %s", name, i)
		}
		if name == "templates" && !slices.Equal(p.Imports, []string{"embed"}) {
			t.Errorf("templates imports %v", p.Imports)
		}
	}
	for name := range allowed {
		if !found[name] {
			t.Errorf("there is no package %s", name)
		}
	}
}

// Law 7: the root module does not import the runtime, not even through somebody else, and only the sqlc package
// links sqlc, only wire links jennifer.
func TestHeavyDependenciesHaveOneDoor(t *testing.T) {
	t.Parallel()
	doors := map[string][]string{
		repository + "/runtime":        nil,
		"github.com/sqlc-dev/sqlc":     {"generator/sqlc"},
		"github.com/dave/jennifer":     {"generator/wire"},
		"github.com/spf13/cobra":       nil, // and below, cmd
		"github.com/pressly/goose/v3":  nil,
		"database/sql":                 nil,
		"net/http":                     nil,
		repository + "/templates":      nil,
		repository + "/generator/disk": nil,
	}
	for _, p := range packages(t, root(t), "./generator/...") {
		name, _ := internalTo(p.ImportPath)
		for _, i := range p.Imports {
			for dep, door := range doors {
				if i != dep && !strings.HasPrefix(i, dep+"/") || slices.Contains(door, name) {
					continue
				}
				if name == "generator" && dep == repository+"/generator/disk" {
					continue // the spine
				}
				t.Errorf("%s imports %s", name, i)
			}
		}
	}
	for _, p := range packages(t, root(t), "-deps", "./...") {
		if inner, ok := internalTo(p.ImportPath); ok && (inner == "runtime" || strings.HasPrefix(inner, "runtime/")) {
			t.Errorf("the root module links %s", p.ImportPath)
		}
	}
}

// Law 7: the runtime stands on the standard library and x/crypto alone.
func TestRuntimeStandsAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(root(t), "runtime")
	seen := 0
	for _, p := range packages(t, dir, "./...") {
		seen++
		for _, i := range append(p.Imports, p.Deps...) {
			switch {
			case i == "database/sql" || strings.HasPrefix(i, "database/sql/"):
				t.Errorf("%s reaches %s", p.ImportPath, i)
			case isStandard(i), strings.HasPrefix(i, "golang.org/x/crypto/"), strings.HasPrefix(i, "golang.org/x/sys/"), strings.HasPrefix(i, repository+"/runtime/"):
			default:
				t.Errorf("%s reaches %s", p.ImportPath, i)
			}
		}
	}
	if seen < 3 {
		t.Errorf("only %d packages", seen)
	}
	mod := string(read(t, filepath.Join(dir, "go.mod")))
	for line := range strings.Lines(mod) {
		if strings.Contains(line, "/") && !strings.HasPrefix(line, "module ") && !strings.Contains(line, "golang.org/x/crypto ") && !strings.Contains(line, "golang.org/x/sys ") {
			t.Errorf("runtime/go.mod: %s", line)
		}
	}
}

// source is a Go file of ours that is no test.
type source struct {
	pkg, name string
	file      *ast.File
	fset      *token.FileSet
}

func (s source) at(n ast.Node) string {
	return s.pkg + "/" + s.name + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

func sources(t *testing.T, dir string, patterns ...string) []source {
	t.Helper()
	var out []source
	for _, p := range packages(t, dir, patterns...) {
		name, _ := internalTo(p.ImportPath)
		for _, f := range append(p.GoFiles, p.CgoFiles...) {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, f), nil, 0) // no comments
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, source{name, f, file, fset})
		}
	}
	if len(out) == 0 {
		t.Fatal("no sources")
	}
	return out
}

// Law 7: no package is a drawer, none has a life of its own before main, none ends the process.
func TestPackagesAreQuiet(t *testing.T) {
	t.Parallel()
	all := append(sources(t, root(t), "./generator/...", "./cmd/...", "./templates/..."), sources(t, filepath.Join(root(t), "runtime"), "./...")...)
	for _, s := range all {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "types", "misc", "shared"}, path.Base(s.pkg)) {
			t.Errorf("%s: a package is named for what it does", s.pkg)
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: func init", s.at(d))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					for _, spec := range d.Specs {
						checkVar(t, s, spec.(*ast.ValueSpec))
					}
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "os" && sel.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(sel.Sel.Name, "Fatal")) && s.file.Name.Name != "main" {
					t.Errorf("%s: %s.%s ends the process", s.at(n), x.Name, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// computed is the call of a function written in place that returns an array, or of one named for what it makes.
var computed = regexp.MustCompile(`^(func|[a-z]+Of)\($`)

// checkVar refuses package-level variables that could change: all but errors, compiled regular expressions, what
// is embedded, assertions, sync.Pools, and the memory that a process may hash passwords in, of which it has one.
func checkVar(t *testing.T, s source, v *ast.ValueSpec) {
	t.Helper()
	for i, name := range v.Names {
		if name.Name == "_" || strings.HasPrefix(strings.ToLower(name.Name), "err") {
			continue
		}
		kind := ""
		if v.Type != nil {
			kind = text(v.Type)
		}
		value := ""
		if i < len(v.Values) {
			value = text(v.Values[i])
		}
		switch {
		case strings.HasPrefix(value, "regexp.MustCompile("), strings.HasPrefix(value, "errors.New("):
		case kind == "embed.FS", kind == "string" && value == "": // go:embed
		case s.pkg == "runtime/password" && name.Name == "process":
		case strings.HasPrefix(value, "sync.Pool{"), kind == "sync.Pool":
		case strings.HasPrefix(kind+value, "array"), computed.MatchString(value): // a table that is only looked up
		default:
			t.Errorf("%s: var %s is state of the package: make it a constant, a function or a field", s.at(name), name.Name)
		}
	}
}

// text is an expression's beginning, as it would be written.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return text(e.X) + "." + e.Sel.Name
	case *ast.FuncLit:
		if results := e.Type.Results; results != nil && len(results.List) == 1 && text(results.List[0].Type) == "array" {
			return "func"
		}
	case *ast.CallExpr:
		return text(e.Fun) + "("
	case *ast.CompositeLit:
		if e.Type == nil {
			return "{"
		}
		return text(e.Type) + "{"
	case *ast.MapType:
		return "map"
	case *ast.ArrayType:
		if e.Len != nil {
			return "array"
		}
		return "[]" + text(e.Elt)
	case *ast.StarExpr:
		return "*" + text(e.X)
	case *ast.UnaryExpr:
		return e.Op.String() + text(e.X)
	}
	return ""
}

// Law 7: the generator knows no plugin by name.
func TestGeneratorKnowsNoPlugin(t *testing.T) {
	t.Parallel()
	// What a person reads as an example may name a plugin that exists, and a new project starts with one.
	examples := regexp.MustCompile(`cmd/custos/`)
	starts := "cmd/custos/new.go"
	var names []string
	for _, p := range everyPlugin(t) {
		if p.Name != plugin.Core {
			names = append(names, regexp.QuoteMeta(p.Name), regexp.QuoteMeta(strings.ReplaceAll(p.Name, "_", "")))
		}
	}
	named := regexp.MustCompile(`(?i)(` + strings.Join(names, "|") + `)`)
	for _, s := range sources(t, root(t), "./generator/...", "./cmd/...") {
		// Every plugin may have a folder mail, and one plugin happens to be called so.
		isFolder := func(name string) bool {
			return s.pkg == "generator/render" && !named.MatchString(strings.ReplaceAll(strings.ToLower(name), "mail", ""))
		}
		elsewhere := map[*ast.Ident]bool{} // what is behind a dot is seen where it is declared, if that is here
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				elsewhere[n.Sel] = true
			case *ast.Ident:
				if named.MatchString(n.Name) && !isFolder(n.Name) && !elsewhere[n] {
					t.Errorf("%s: %s", s.at(n), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind != token.STRING {
					break
				}
				value, err := strconv.Unquote(n.Value)
				if err != nil {
					t.Fatal(err)
				}
				isConstant := s.pkg == "generator/plugin" && s.name == "library.go"
				if value == plugin.Core && !isConstant {
					t.Errorf("%s: write plugin.Core", s.at(n))
				}
				// In cmd a name may stand in a sentence, never alone, where it would decide something.
				if named.MatchString(value) && !isFolder(value) && (!examples.MatchString(s.pkg+"/") || named.FindString(value) == value && s.pkg+"/"+s.name != starts) {
					t.Errorf("%s: %q", s.at(n), value)
				}
			}
			return true
		})
	}
}
