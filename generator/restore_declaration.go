package generator

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
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
		if at, err = r.home(p); err != nil {
			return c, false, err
		}
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
	case r.declaration.Shared || there && now.Shared:
		return c, false, asked("restore %s: its lines have something else, too; copy it from %s:%d", name, merge.BasePath(r.path), r.declaration.Line)
	case there && now.Kind != r.declaration.Kind && now.Group != nil:
		return c, false, asked("restore %s: you have it in a group of another kind; copy it from %s:%d", name, merge.BasePath(r.path), r.declaration.Line)
	}
	if err := r.alone(p, name, now); err != nil {
		return c, false, err
	}
	switch group := r.declaration.Group; {
	case there:
		c.New = splice(old, now.Start, now.End, r.as(now.Group != nil))
		if group != nil && group.Counted && !r.among(now.Group, old) {
			err = r.counted(name)
		}
	case group != nil:
		c.New, err = r.intoGroup(name, old)
	default:
		c.New, err = r.insert(old)
	}
	if typed := (*AskedError)(nil); errors.As(err, &typed) {
		return c, false, err
	}
	if err == nil {
		c.New, err = r.addImports(at, c.New)
	}
	if err != nil {
		return c, false, fmt.Errorf("restore %s: %w", name, err)
	}
	if formatted, err := format.Source(old); err == nil && bytes.Equal(formatted, old) { // a group's lines are aligned
		if formatted, err = format.Source(c.New); err == nil {
			c.New = formatted
		}
	}
	return c, there, nil
}

// among reports whether the group has another one of those that the declaration was generated with.
func (r lost) among(group *declaration.Group, content []byte) bool {
	now, err := declaration.Of(r.path, content)
	return err == nil && slices.ContainsFunc(now, func(n declaration.Declaration) bool {
		return group != nil && n.Group != nil && n.Group.Start == group.Start && n.Name != r.declaration.Name && slices.ContainsFunc(r.all, func(d declaration.Declaration) bool {
			return d.Name == n.Name && d.Group != nil && d.Group.Start == r.declaration.Group.Start
		})
	})
}

// counted refuses to take a constant out of its place.
func (r lost) counted(name string) error {
	return asked("restore %s: it is one of constants that count, and its place is gone; copy them from %s:%d", name, merge.BasePath(r.path), r.declaration.Line)
}

// alone refuses to bring back what is declared together with a name that is there by itself.
func (r lost) alone(p *project.Project, name string, now declaration.Declaration) error {
	for _, other := range r.declaration.Names {
		if slices.Contains(now.Names, other) || other == r.declaration.Name || other == "_" {
			continue
		}
		one := r
		one.declaration.Name = other
		_, at, there, err := one.find(p)
		if err != nil {
			return err
		}
		if there {
			return asked("restore %s: custos declared it together with %s, which is in %s; copy it from %s:%d", name, other, at, merge.BasePath(r.path), r.declaration.Line)
		}
	}
	for _, other := range now.Names {
		if !slices.Contains(r.declaration.Names, other) {
			return asked("restore %s: you have declared it together with %s; copy it from %s:%d", name, other, merge.BasePath(r.path), r.declaration.Line)
		}
	}
	return nil
}

// lost is a declaration as a pristine copy has it.
type lost struct {
	declaration declaration.Declaration
	path        string // of the file that it was generated into
	origin      string
	base        []byte
	all         []declaration.Declaration // of that file, in order
}

// as is the declaration with the comment before it, in a group or for itself.
func (r lost) as(grouped bool) []byte {
	d := r.declaration
	text := append(bytes.TrimRight(r.base[d.Start:d.End], "\r\n"), '\n')
	if d.Kind == "" || grouped == (d.Group != nil) {
		return text
	}
	doc, spec := bytes.TrimSpace(r.base[d.Start:d.At]), bytes.TrimRight(r.base[d.At:d.End], "\r\n")
	if !grouped {
		text = fmt.Appendf(nil, "%s\n%s %s", doc, d.Kind, spec)
	} else {
		text = fmt.Appendf(nil, "%s (\n%s\n%s\n)", d.Kind, bytes.TrimSpace(bytes.TrimSuffix(doc, []byte(d.Kind))), spec)
	}
	if formatted, err := format.Source(bytes.TrimSpace(text)); err == nil {
		text = formatted
	}
	if grouped {
		_, text, _ = bytes.Cut(text, []byte("\n"))
		text = bytes.TrimSuffix(text, []byte(")"))
	}
	return append(bytes.TrimRight(text, "\r\n"), '\n')
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

// home is where the declaration belongs: with the others of its group, wherever they are, else in its file.
func (r lost) home(p *project.Project) (string, error) {
	for _, d := range r.neighbours() {
		if r.declaration.Group == nil || d.Group == nil || d.Group.Start != r.declaration.Group.Start {
			continue
		}
		one := r
		one.declaration = d
		now, at, there, err := one.find(p)
		if err != nil {
			return "", err
		}
		if there && now.Group != nil && now.Kind == d.Kind && !now.Shared {
			return at, nil
		}
	}
	return r.path, nil
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

// intoGroup puts one of a group back behind the nearest of those that came before it in the group and still is in one,
// else before the nearest of those that came behind it, else into a declaration for itself.
func (r lost) intoGroup(name string, old []byte) ([]byte, error) {
	now, err := declaration.Of(r.path, old)
	if err != nil {
		return nil, err
	}
	for i, d := range r.neighbours() {
		if d.Group == nil || d.Group.Start != r.declaration.Group.Start {
			continue
		}
		for _, n := range now {
			if n.Name != d.Name || n.Group == nil || n.Kind != d.Kind || n.Shared {
				continue
			}
			text := r.as(true)
			if r.before(i) {
				if r.apart(r.declaration.Start) {
					text = append([]byte("\n"), text...)
				}
				return splice(old, n.End, n.End, text), nil
			}
			if r.apart(r.declaration.End) {
				text = append(text, '\n')
			}
			return splice(old, n.Start, n.Start, text), nil
		}
	}
	if r.declaration.Group.Counted {
		return nil, r.counted(name)
	}
	return r.insert(old)
}

// apart reports whether there is a blank line above or below a place between two lines.
func (r lost) apart(at int) bool {
	above := bytes.Split(r.base[:at], []byte("\n"))
	below, _, _ := bytes.Cut(r.base[at:], []byte("\n"))
	return len(bytes.TrimSpace(below)) == 0 || len(above) > 1 && len(bytes.TrimSpace(above[len(above)-2])) == 0
}

// insert puts the declaration behind the nearest one that came before it and is still there, else before the nearest
// that came behind it, else at the end.
func (r lost) insert(old []byte) ([]byte, error) {
	now, err := declaration.Of(r.path, old)
	if err != nil {
		return nil, err
	}
	for i, d := range r.neighbours() {
		for _, n := range now {
			if n.Name != d.Name {
				continue
			}
			start, end := n.Whole()
			if r.before(i) {
				return splice(old, end, end, append([]byte("\n"), r.as(false)...)), nil
			}
			return splice(old, start, start, append(r.as(false), '\n')), nil
		}
	}
	return splice(old, len(old), len(old), append([]byte("\n"), r.as(false)...)), nil
}

// place is where the declaration is in its file.
func (r lost) place() int {
	return slices.IndexFunc(r.all, func(d declaration.Declaration) bool { return d.Name == r.declaration.Name })
}

// neighbours are the other declarations of the file: those before it, the nearest first, then those behind it.
func (r lost) neighbours() []declaration.Declaration {
	at := r.place()
	out := slices.Clone(r.all[:at])
	slices.Reverse(out)
	return append(out, r.all[at+1:]...)
}

// before reports whether the i-th of the neighbours came before it.
func (r lost) before(i int) bool { return i < r.place() }

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
		if s, ok := n.(*ast.SelectorExpr); ok {
			at := fset.Position(s.Pos()).Offset
			if id, ok := s.X.(*ast.Ident); ok && at >= r.declaration.Start && at < r.declaration.End {
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
