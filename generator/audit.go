package generator

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/declaration"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/render"
)

// Flaw is a declaration of a project that a security fix was not applied to.
type Flaw struct {
	Advisory    plugin.Advisory
	Plugin      string
	Declaration string // as the project calls it: Service.Rotate, or a query's name
	Original    string // as custos called it
	Path        string
	Line        int

	// Edited: the declaration is no longer as custos wrote it, so nobody knows whether it has the flaw; but it was made
	// from a flawed one, and the fix was not merged into it.
	Edited bool

	Was string // the flawed text
	Now string // the text with the fix; "" when no template has a declaration of that name any more
}

// Audit looks for flawed declarations, see [plugin.Advisory], in every Go file and query of the project, wherever it
// stands and whatever it is called by now; also in files that custos no longer manages. It only reads. The flaws are
// sorted by advisory, path and line.
func Audit(p *project.Project, lib *plugin.Library) ([]Flaw, error) {
	pl, err := plan.New(p, p.Config, lib, nil)
	if err != nil {
		return nil, err
	}
	flawed, err := flawedDeclarations(pl)
	if err != nil || len(flawed) == 0 {
		return nil, err
	}
	a := &audit{p: p, there: map[place]found{}, byHash: map[string][]found{}, nameless: map[string][]found{}, pristine: map[string][]place{}, generated: map[place]bool{}}
	if err := a.readProject(pl); err != nil {
		return nil, err
	}
	if err := a.readPristine(); err != nil {
		return nil, err
	}
	fixes := fixes{pl: pl}
	var out []Flaw
	for _, f := range flawed {
		flaws := a.look(f)
		if len(flaws) == 0 {
			continue
		}
		now, err := fixes.of(f)
		if err != nil {
			return nil, err
		}
		for _, flaw := range flaws {
			flaw.Now = now
			out = append(out, flaw)
		}
	}
	slices.SortStableFunc(out, func(a, b Flaw) int {
		if c := strings.Compare(a.Advisory.ID+"\x00"+a.Path, b.Advisory.ID+"\x00"+b.Path); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return slices.CompactFunc(out, func(a, b Flaw) bool { return a.Advisory.ID == b.Advisory.ID && a.Path == b.Path && a.Line == b.Line }), nil
}

// flawed is a declaration of an advisory, rendered for a model.
type flawed struct {
	declaration.Declaration
	advisory plugin.Advisory
	plugin   string
	model    plan.Model
}

func (f flawed) at(d found, edited bool) Flaw {
	return Flaw{Advisory: f.advisory, Plugin: f.plugin, Declaration: d.Name, Original: f.Name, Path: d.path, Line: d.Line, Edited: edited, Was: f.Text}
}

// flawedDeclarations are those of every advisory of the plan's plugins, and of the plugins that those stand before.
func flawedDeclarations(pl *plan.Plan) ([]flawed, error) {
	var out []flawed
	for _, m := range pl.Models {
		for _, s := range m.Plugins {
			for _, p := range []*plugin.Plugin{s.Plugin, s.Shadows} {
				if p == nil {
					continue
				}
				all, err := p.Advisories()
				if err != nil {
					return nil, err
				}
				for _, a := range all {
					for _, text := range a.Flawed {
						d, err := flawedDeclaration(pl, withValues(s, p), m, a, text)
						if err != nil {
							return nil, err
						}
						out = append(out, flawed{d, a, p.Name, m})
					}
				}
			}
		}
	}
	return out, nil
}

// withValues is another plugin of the same name, with the values of the selected one's options, and its own defaults
// for those that this one does not have.
func withValues(s plugin.Selected, p *plugin.Plugin) plugin.Selected {
	if p == s.Plugin {
		return s
	}
	values := map[string]plugin.Value{}
	for name, o := range p.Manifest.Options {
		if v, err := o.Parse(o.Default); err == nil {
			values[name] = v
		}
		if v, ok := s.Values[name]; ok {
			values[name] = v
		}
	}
	return plugin.Selected{Plugin: p, Values: values, Asked: s.Asked}
}

func flawedDeclaration(pl *plan.Plan, s plugin.Selected, m plan.Model, a plugin.Advisory, text string) (declaration.Declaration, error) {
	fail := func(format string, args ...any) (declaration.Declaration, error) {
		return declaration.Declaration{}, &plugin.AdvisoryError{Plugin: s.Name, Err: fmt.Errorf("%s: "+format, append([]any{a.ID}, args...)...)}
	}
	rendered, err := render.Snippet(pl, s, m, plugin.AdvisoriesFile, text)
	if err != nil {
		return fail("%w", err)
	}
	name := "flawed.sql"
	if !bytes.HasPrefix(bytes.TrimSpace(rendered), []byte("--")) {
		name, rendered = "flawed.go", append([]byte("package p\n\n"), rendered...)
		if formatted, err := format.Source(rendered); err == nil {
			rendered = formatted
		}
	}
	all, err := declaration.Of(name, rendered)
	if err != nil {
		return fail("%w", err)
	}
	if len(all) != 1 {
		return fail("an entry of flawed is one declaration or one query, and this has %d:\n%s", len(all), text)
	}
	return all[0], nil
}

// place is where a declaration of a project is looked for by its name.
type place struct{ dir, name string }

type found struct {
	declaration.Declaration
	path string
}

type audit struct {
	p        *project.Project
	there    map[place]found
	byHash   map[string][]found
	nameless map[string][]found
	pristine map[string][]place // by hash

	generated map[place]bool // what pristine copies have
}

// tellTale is how many tokens tell a constant, variable or type from all others.
const tellTale = 20

// look finds a flawed declaration: those with its tokens, and those that were made from it, as the pristine copies
// have it, and are another one by now.
func (a *audit) look(f flawed) []Flaw {
	var out []Flaw
	for _, d := range a.byHash[f.Hash] {
		out = append(out, f.at(d, false))
	}
	for _, at := range a.pristine[f.Hash] {
		if now, there := a.there[at]; there && now.Hash != f.Hash {
			out = append(out, f.at(now, true))
		}
	}
	if f.Nameless == "" {
		return out
	}
	for _, d := range a.nameless[f.Nameless] {
		if d.Hash != f.Hash && (f.Tokens >= tellTale || a.renamed(f, d)) {
			out = append(out, f.at(d, false))
		}
	}
	return out
}

// renamed reports whether a declaration is the flawed one under another name, which many a constant looks like: it is
// in the folder that this one was in and is gone from, and nothing of that name was generated there.
func (a *audit) renamed(f flawed, d found) bool {
	dir := path.Dir(d.path)
	was, now := place{dir, f.Name}, place{dir, d.Name}
	_, there := a.there[was]
	detached := slices.ContainsFunc(a.p.Lock.Detached, func(name string) bool { return path.Dir(name) == dir })
	return !there && (a.generated[was] || detached) && !a.generated[now]
}

// readProject reads every Go file of the module, and the queries, but for what the go command leaves out, too.
func (a *audit) readProject(pl *plan.Plan) error {
	return filepath.WalkDir(a.p.Root, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(a.p.Root, full)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() {
			if skipped(full, name) {
				return filepath.SkipDir
			}
			return nil
		}
		isQuery := path.Ext(name) == ".sql" && path.Dir(name) == path.Join(pl.Config.Queries, "queries")
		if !d.Type().IsRegular() || path.Ext(name) != ".go" && !isQuery {
			return nil
		}
		content, err := os.ReadFile(full)
		if err != nil {
			return fmt.Errorf("audit %s: %w", name, err)
		}
		all, err := declaration.Of(name, content)
		if err != nil && a.ours(name) {
			return fmt.Errorf("audit %s: %w", name, err) // what cannot be read cannot be vouched for
		}
		for _, d := range all {
			f := found{d, name}
			a.there[place{path.Dir(name), d.Name}] = f
			a.byHash[d.Hash] = append(a.byHash[d.Hash], f)
			if d.Nameless != "" {
				a.nameless[d.Nameless] = append(a.nameless[d.Nameless], f)
			}
		}
		return nil
	})
}

// skipped reports whether a folder has nothing that this module is built from.
func skipped(full, name string) bool {
	base := path.Base(name)
	if name == "." {
		return false
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" || base == "node_modules" {
		return true
	}
	info, err := os.Stat(filepath.Join(full, "go.mod"))
	return err == nil && !info.IsDir() // another module
}

func (a *audit) ours(name string) bool {
	_, known := a.p.Lock.Find(name)
	return known || slices.Contains(a.p.Lock.Detached, name)
}

// readPristine reads what custos wrote last. A fix that was merged is in there.
func (a *audit) readPristine() error {
	for _, e := range a.p.Lock.Entries {
		if e.Owner != project.OwnerUser {
			continue
		}
		name := merge.BasePath(e.Path)
		base, _, err := a.p.Read(name)
		if err != nil {
			return err
		}
		all, err := declaration.Of(e.Path, base)
		if err != nil && len(base) > 0 {
			return fmt.Errorf("audit %s: %w", name, err)
		}
		for _, d := range all {
			at := place{path.Dir(e.Path), d.Name}
			a.pristine[d.Hash] = append(a.pristine[d.Hash], at)
			a.generated[at] = true
		}
	}
	return nil
}

// fixes are the files as this custos would write them. They are rendered when there is a flaw.
type fixes struct {
	pl    *plan.Plan
	files []plan.File
}

// of is what a flawed declaration is like today, "" when there is none of its name any more.
func (x *fixes) of(f flawed) (string, error) {
	if x.files == nil {
		files, err := render.Files(x.pl)
		if err != nil {
			return "", err
		}
		x.files = files
	}
	for _, file := range x.files {
		other := slices.ContainsFunc(x.pl.Models, func(m plan.Model) bool {
			return m.Name != f.model.Name && path.Dir(file.Path) == path.Join(x.pl.Config.Package, m.Package)
		})
		if file.Origin != f.plugin || other {
			continue
		}
		all, err := declaration.Of(file.Path, file.Content)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", file.Path, err)
		}
		for _, d := range all {
			if d.Name == f.Name && d.Hash != f.Hash {
				return d.Text, nil
			}
		}
	}
	return "", nil
}
