package generator

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/custos-auth/custos/generator/declaration"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// RestoreDeclaration brings one declaration or query back as custos wrote it last, into the file that it came from, with
// the imports that it needs: one that was deleted, or, with edited set in the answer, one that was edited, wherever its
// package has it by now. Every other byte stays.
//
// name is Rotate, Service.Rotate or a query's name; the package before it, as in apiclient.Service.Rotate, tells those
// of several models apart. An [*AskedError] is a name that cannot be restored.
func RestoreDeclaration(p *project.Project, name string) (changes []plan.Change, edited bool, err error) {
	if err := checkLock(p); err != nil {
		return nil, false, err
	}
	r, err := findPristine(p, name)
	if err != nil {
		return nil, false, err
	}
	c, edited, err := r.restore(p, name)
	if err != nil {
		return nil, false, err
	}
	return append([]plan.Change{c}, Remember(p, r.path, r.declaration.Name)...), edited, nil
}

func (r lost) restore(p *project.Project, name string) (c plan.Change, edited bool, err error) {
	now, at, there, err := r.find(p)
	if err != nil {
		return c, false, err
	}
	if !there {
		at = r.path
	}
	old, exists, err := p.Read(at)
	if err != nil {
		return c, false, err
	}
	if !exists {
		return c, false, asked("restore %s: its file %s is gone; bring that back: custos restore %s", name, at, at)
	}
	c = plan.Change{Path: at, Op: plan.Replace, Old: old, Owner: plan.User, Origin: r.origin}
	switch {
	case there && now.Hash == r.declaration.Hash:
		c.Op, c.New = plan.Same, old
		return c, false, nil
	case r.declaration.Grouped || there && now.Grouped:
		return c, false, asked("restore %s: it is one of a group, which custos does not take apart; copy it from %s:%d", name, merge.BasePath(r.path), r.declaration.Line)
	case there:
		c.New = splice(old, now.Start, now.End, r.text())
	default:
		c.New, err = r.insert(old)
	}
	if err == nil {
		c.New, err = r.addImports(at, c.New)
	}
	if err != nil {
		return c, false, fmt.Errorf("restore %s: %w", name, err)
	}
	return c, there, nil
}

// lost is a declaration as a pristine copy has it.
type lost struct {
	declaration declaration.Declaration
	path        string // of the file that it was generated into
	origin      string
	base        []byte
	all         []declaration.Declaration // of that file, in order
}

// text is the declaration with the comment before it.
func (r lost) text() []byte {
	return append(bytes.TrimRight(r.base[r.declaration.Start:r.declaration.End], "\r\n"), '\n')
}

// full is a declaration's name with its package's.
func full(file, name string) string { return path.Base(path.Dir(file)) + "." + name }

func findPristine(p *project.Project, name string) (lost, error) {
	var matches []lost
	var known []string
	for _, e := range p.Lock.Entries {
		if e.Owner != project.OwnerUser || path.Ext(e.Path) != ".go" && path.Ext(e.Path) != ".sql" {
			continue
		}
		base, err := pristine(p, e)
		if err != nil {
			return lost{}, fmt.Errorf("restore %s: %w", name, err)
		}
		all, err := declaration.Of(e.Path, base)
		if err != nil {
			return lost{}, fmt.Errorf("restore %s: %w", name, err)
		}
		for _, d := range all {
			known = append(known, d.Name)
			if d.Name == name || full(e.Path, d.Name) == name {
				matches = append(matches, lost{d, e.Path, e.Origin, base, all})
			}
		}
	}
	switch len(matches) {
	case 0:
		hint := ""
		if near := plugin.Nearest(name, known); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return lost{}, asked("restore %s: no file that custos wrote has it%s", name, hint)
	case 1:
		return matches[0], nil
	}
	var names []string
	for _, m := range matches {
		names = append(names, full(m.path, m.declaration.Name))
	}
	slices.Sort(names)
	return lost{}, asked("restore %s: there are several; name one of: %s", name, strings.Join(slices.Compact(names), ", "))
}

// find looks for the declaration where its package has it now. Queries have a folder for a package.
func (r lost) find(p *project.Project) (d declaration.Declaration, at string, there bool, err error) {
	names, err := filepath.Glob(filepath.Join(p.Root, filepath.FromSlash(path.Dir(r.path)), "*"+path.Ext(r.path)))
	if err != nil {
		return d, "", false, fmt.Errorf("look for %s: %w", r.declaration.Name, err)
	}
	for _, full := range names {
		name := path.Join(path.Dir(r.path), filepath.Base(full))
		content, err := os.ReadFile(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return d, "", false, fmt.Errorf("look for %s: %w", r.declaration.Name, err)
		}
		all, err := declaration.Of(name, content)
		if err != nil {
			return d, "", false, fmt.Errorf("look for %s: %w", r.declaration.Name, err)
		}
		for _, found := range all {
			if found.Name == r.declaration.Name {
				return found, name, true, nil
			}
		}
	}
	return d, "", false, nil
}

// insert puts the declaration behind the nearest one that came before it and is still there, else before the nearest
// that came behind it, else at the end.
func (r lost) insert(old []byte) ([]byte, error) {
	now, err := declaration.Of(r.path, old)
	if err != nil {
		return nil, err
	}
	find := func(name string) (declaration.Declaration, bool) {
		i := slices.IndexFunc(now, func(d declaration.Declaration) bool { return d.Name == name })
		if i < 0 {
			return declaration.Declaration{}, false
		}
		return now[i], true
	}
	mine := slices.IndexFunc(r.all, func(d declaration.Declaration) bool { return d.Name == r.declaration.Name })
	for i := mine - 1; i >= 0; i-- {
		if d, ok := find(r.all[i].Name); ok {
			return splice(old, d.End, d.End, append([]byte("\n"), r.text()...)), nil
		}
	}
	for _, next := range r.all[mine+1:] {
		if d, ok := find(next.Name); ok {
			return splice(old, d.Start, d.Start, append(r.text(), '\n')), nil
		}
	}
	return splice(old, len(old), len(old), append([]byte("\n"), r.text()...)), nil
}

// splice puts text in place of some lines, with the line ends of the file.
func splice(old []byte, start, end int, text []byte) []byte {
	nl := []byte("\n")
	if 2*bytes.Count(old, []byte("\r\n")) > bytes.Count(old, nl) {
		nl = []byte("\r\n")
	}
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"), nl)
	if start > 0 && old[start-1] != '\n' {
		text = append(slices.Clone(nl), text...)
	}
	return slices.Concat(old[:start], text, old[end:])
}

// addImports adds what the declaration needs and the file does not import.
func (r lost) addImports(name string, content []byte) ([]byte, error) {
	if path.Ext(name) != ".go" {
		return content, nil
	}
	fset := token.NewFileSet()
	base, err := parser.ParseFile(fset, "", r.base, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	ast.Inspect(base, func(n ast.Node) bool {
		if n == nil || n == ast.Node(base) {
			return true
		}
		if d, ok := n.(ast.Decl); ok {
			at := fset.Position(d.Pos()).Offset
			return at >= r.declaration.Start && at < r.declaration.End
		}
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	for _, spec := range base.Imports {
		if !used[importName(spec)] {
			continue
		}
		if content, err = addImport(content, spec); err != nil {
			return nil, err
		}
	}
	return content, nil
}

// importName is what a file calls an import. For one without a name that is its last part, which holds for all that
// generated code imports.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return ""
	}
	last := path.Base(p)
	if len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = path.Base(path.Dir(p))
	}
	return last
}

// addImport puts an import where gofmt would sort it, beside those of its kind.
func addImport(content []byte, wanted *ast.ImportSpec) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", content, parser.SkipObjectResolution|parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	line := wanted.Path.Value + "\n"
	if wanted.Name != nil {
		line = wanted.Name.Name + " " + line
	}
	standard := func(s *ast.ImportSpec) bool {
		first, _, _ := strings.Cut(strings.Trim(s.Path.Value, `"`), "/")
		return !strings.Contains(first, ".")
	}
	offset := func(p token.Pos) int { return fset.Position(p).Offset }
	var block *ast.GenDecl
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Lparen.IsValid() && block == nil {
			block = g
		}
	}
	for _, s := range f.Imports {
		if s.Path.Value == wanted.Path.Value && importName(s) == importName(wanted) {
			return content, nil
		}
	}
	if block == nil || len(block.Specs) == 0 {
		at := behind(content, offset(f.Name.End()))
		return splice(content, at, at, []byte("\nimport "+line)), nil
	}
	var last *ast.ImportSpec
	for _, s := range block.Specs {
		s := s.(*ast.ImportSpec)
		if standard(s) != standard(wanted) {
			continue
		}
		if s.Path.Value > wanted.Path.Value {
			at := bytes.LastIndexByte(content[:offset(s.Pos())], '\n') + 1
			return splice(content, at, at, []byte("\t"+line)), nil
		}
		last = s
	}
	switch {
	case last != nil:
		at := behind(content, offset(last.End()))
		return splice(content, at, at, []byte("\t"+line)), nil
	case standard(wanted):
		at := behind(content, offset(block.Lparen))
		return splice(content, at, at, []byte("\t"+line+"\n")), nil
	}
	at := bytes.LastIndexByte(content[:offset(block.Rparen)], '\n') + 1
	return splice(content, at, at, []byte("\n\t"+line)), nil
}

// behind is the start of the next line.
func behind(content []byte, at int) int {
	if n := bytes.IndexByte(content[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(content)
}
