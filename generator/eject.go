package generator

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// Outdated is a template of the user's in place of one that is no longer what it was made from.
type Outdated struct {
	Path string // below [project.TemplateDir]
	Why  string // with what to type
}

// pinOverrides compares the originals of the overrides with those that custos.lock remembers. An override that it does
// not know is pinned to the original of today.
func (g *generation) pinOverrides() {
	for _, name := range append([]string{plugin.Core}, g.library.Names()...) {
		p, err := g.library.Get(name)
		if err != nil {
			continue // a library without core has no overrides of it
		}
		for _, o := range p.Overrides {
			pin := overridePin(p, o)
			if i := slices.IndexFunc(g.project.Lock.Overrides, func(known project.Override) bool { return known.Path == pin.Path }); i >= 0 {
				if known := g.project.Lock.Overrides[i]; known != pin {
					g.outdated = append(g.outdated, Outdated{Path: pin.Path, Why: fmt.Sprintf(
						"the template that it replaces has changed; see how they differ: custos eject %[1]s/%[2]s --diff; when yours has what it needs: custos eject %[1]s/%[2]s --pin", p.Name, o.Path)})
					pin = known
				}
			}
			g.overrides = append(g.overrides, pin)
		}
	}
	for _, o := range g.outdated {
		g.warn("%s: %s", o.Path, o.Why)
	}
}

func overridePin(p *plugin.Plugin, o plugin.Override) project.Override {
	return project.Override{Path: path.Join(project.TemplateDir, p.Name, o.Path), Hash: project.Hash(o.Original)}
}

// Ejection is what [Eject] copies out: PLUGIN, or PLUGIN/PATH.
type Ejection struct {
	Plugin string
	Path   string // in the plugin's folder; "" = all of it
}

// ParseEjection splits PLUGIN/PATH, and checks it against the library. The errors are *plugin.UnknownError.
func ParseEjection(lib *plugin.Library, word string) (Ejection, error) {
	var e Ejection
	e.Plugin, e.Path, _ = strings.Cut(word, "/")
	p, err := lib.Get(e.Plugin)
	if err != nil {
		return e, err
	}
	files, err := plugin.Files(p.Original)
	if err != nil {
		return e, fmt.Errorf("read plugin %s: %w", e.Plugin, err)
	}
	if e.Path != "" && !slices.Contains(files, e.Path) {
		return e, &plugin.UnknownError{Kind: "file of the plugin " + e.Plugin, Name: e.Path, Known: files}
	}
	return e, nil
}

// Eject copies a plugin into the project's own plugins, or one file of it to where it replaces the plugin's, and pins
// that one in custos.lock, if there is one, to what it was copied from. A file that is there is a [plan.Replace].
func Eject(p *project.Project, lib *plugin.Library, e Ejection) ([]plan.Change, error) {
	from, err := lib.Get(e.Plugin)
	if err != nil {
		return nil, err
	}
	names, to := []string{e.Path}, path.Join(project.TemplateDir, e.Plugin)
	if e.Path == "" {
		to = path.Join(project.PluginDir, e.Plugin)
		if names, err = plugin.Files(from.Original); err != nil {
			return nil, fmt.Errorf("read plugin %s: %w", e.Plugin, err)
		}
	}
	var changes []plan.Change
	for _, name := range names {
		content, err := fs.ReadFile(from.Original, name)
		if err != nil {
			return nil, fmt.Errorf("read plugin %s: %w", e.Plugin, err)
		}
		c := plan.Change{Path: path.Join(to, name), Op: plan.Create, New: content, Owner: plan.User, Origin: e.Plugin}
		old, exists, err := p.Read(c.Path)
		switch {
		case err != nil:
			return nil, err
		case exists && bytes.Equal(old, content):
			c.Op, c.Old = plan.Same, old
		case exists:
			c.Op, c.Old = plan.Replace, old
		}
		changes = append(changes, c)
	}
	if e.Path == "" {
		return changes, nil
	}
	pin, err := Pin(p, lib, e)
	return append(changes, pin...), err
}

// Pin writes into custos.lock that the user's template has what it needs of the plugin's as that one is now. Without
// custos.lock there is nothing to do: the first run pins it.
func Pin(p *project.Project, lib *plugin.Library, e Ejection) ([]plan.Change, error) {
	from, err := lib.Get(e.Plugin)
	if err != nil || p.LockFile == nil {
		return nil, err
	}
	if err := checkLock(p); err != nil {
		return nil, err
	}
	original, err := fs.ReadFile(from.Original, e.Path)
	if err != nil {
		return nil, fmt.Errorf("read plugin %s: %w", e.Plugin, err)
	}
	pin := overridePin(from, plugin.Override{Path: e.Path, Original: original})
	next := p.Lock
	next.Overrides = append(slices.DeleteFunc(slices.Clone(next.Overrides), func(o project.Override) bool { return o.Path == pin.Path }), pin)
	c := plan.Change{Path: project.LockFile, Op: plan.Replace, Old: p.LockFile, New: next.Bytes(), Owner: plan.Machine, Origin: plugin.Core}
	if bytes.Equal(c.Old, c.New) {
		c.Op = plan.Same
	}
	return []plan.Change{c}, nil
}
