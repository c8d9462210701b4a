// Package plugin reads plugin folders and resolves what a user asked for to an ordered, closed set.
//
// A plugin is a folder: plugin.yaml, README.md, migrations, queries, Go templates. Plugins are looked up in a
// list of file systems, the project's own first, so that a user adds one, or overrides a built-in one, by the
// same means. This package never learns a plugin's name from anything but a folder.
package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strings"
)

// Core is the plugin that every model has. It declares the shared seams.
const Core = "core"

// Source is a place where plugin folders are looked up.
type Source struct {
	Origin    string // "built in", ".custos/plugins"
	FS        fs.FS
	Overrides bool // its folders hold single files in place of those of the other sources' plugins
}

// Library is every plugin that can be asked for. It is read-only and safe for concurrent use.
type Library struct {
	plugins map[string]*Plugin
}

// Load reads the plugins of all sources; the first source that has a name wins. Sources of overrides are no sources of
// plugins. Errors join every fault: *ManifestError and *OverrideError values, or those of reading.
func Load(sources ...Source) (*Library, error) {
	lib := &Library{plugins: map[string]*Plugin{}}
	var errs []error
	for _, src := range sources {
		if src.Overrides {
			continue
		}
		dirs, err := fs.ReadDir(src.FS, ".")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read plugins (%s): %w", src.Origin, err)
		}
		for _, d := range dirs {
			if !d.IsDir() {
				continue
			}
			errs = append(errs, lib.add(src, d.Name(), sources))
		}
	}
	errs = append(errs, lib.checkOverrides(sources), errors.Join(lib.checkRelations()...))
	return lib, errors.Join(errs...)
}

// add reads a plugin. One that is there already stands before it.
func (l *Library) add(src Source, name string, sources []Source) error {
	folder, err := fs.Sub(src.FS, name)
	if err != nil {
		return fmt.Errorf("read plugin %s: %w", name, err)
	}
	p := &Plugin{Name: name, Origin: src.Origin, FS: folder, Original: folder}
	first := l.plugins[name]
	for _, o := range sources {
		if !o.Overrides || first != nil {
			continue
		}
		if info, err := fs.Stat(o.FS, name); err != nil || !info.IsDir() {
			continue
		}
		mine, err := fs.Sub(o.FS, name)
		if err != nil {
			return fmt.Errorf("read %s/%s: %w", o.Origin, name, err)
		}
		if err := p.override(o.Origin, mine); err != nil {
			return err
		}
	}
	data, err := fs.ReadFile(p.FS, ManifestFile)
	if errors.Is(err, fs.ErrNotExist) && first == nil {
		return &ManifestError{Plugin: name, Err: fmt.Errorf("no such file in %s; a plugin is a folder with one", src.Origin)}
	}
	if err != nil {
		err = fmt.Errorf("read plugin %s: %w", name, err)
	} else {
		p.Manifest, err = ParseManifest(name, data)
	}
	switch {
	case first == nil && err != nil:
		return err
	case first == nil:
		l.plugins[name] = p
	case err == nil && first.Shadows == nil:
		first.Shadows = p // nobody asks for it, so its faults are nobody's
	}
	return nil
}

// checkOverrides refuses folders of overrides for plugins that do not exist.
func (l *Library) checkOverrides(sources []Source) error {
	var errs []error
	for _, src := range sources {
		if !src.Overrides {
			continue
		}
		dirs, err := fs.ReadDir(src.FS, ".")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read %s: %w", src.Origin, err)
		}
		for _, d := range dirs {
			if l.plugins[d.Name()] == nil && !strings.HasPrefix(d.Name(), ".") {
				errs = append(errs, &OverrideError{Origin: src.Origin, Path: d.Name(), Err: l.unknown(d.Name())})
			}
		}
	}
	return errors.Join(errs...)
}

func (l *Library) checkRelations() []error {
	var errs []error
	seams := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(l.plugins)) {
		for _, s := range slices.Sorted(maps.Keys(l.plugins[name].Manifest.Seams)) {
			if other, ok := seams[s]; ok {
				errs = append(errs, &ManifestError{Plugin: name, Err: fmt.Errorf("seam %s is declared by %s already", s, other)})
			}
			seams[s] = name
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.plugins)) {
		m := l.plugins[name].Manifest
		for _, r := range append(slices.Clone(m.Requires), m.Conflicts...) {
			if l.plugins[r] == nil {
				errs = append(errs, &ManifestError{Plugin: name, Err: l.unknown(r)})
			}
		}
		for _, s := range slices.Sorted(maps.Keys(m.Hooks)) {
			if _, ok := seams[s]; ok || s == EverySeam {
				continue
			}
			if by := l.shadowed(s); by != "" {
				// It is a fault only where both are wanted: see Resolve.
				p := l.plugins[name]
				p.misses = errors.Join(p.misses, fmt.Errorf("plugin %s joins the seam %q, which your own copy of %s does not have; declare and fire it there, as custos' own does, or remove the copy", name, s, by))
				continue
			}
			errs = append(errs, &ManifestError{Plugin: name, Err: fmt.Errorf("hooks: no plugin declares the seam %q%s", s, didYouMean(s, slices.Sorted(maps.Keys(seams))))})
		}
	}
	return errs
}

// shadowed is the plugin of custos that declares a seam, and that the user has a copy of which does not, or "".
func (l *Library) shadowed(seam string) string {
	for _, name := range slices.Sorted(maps.Keys(l.plugins)) {
		if p := l.plugins[name].Shadows; p != nil {
			if _, ok := p.Manifest.Seams[seam]; ok {
				return name
			}
		}
	}
	return ""
}

// Names lists the plugins that a user can ask for, sorted.
func (l *Library) Names() []string {
	names := slices.Sorted(maps.Keys(l.plugins))
	return slices.DeleteFunc(names, func(n string) bool { return n == Core })
}

// Get finds a plugin. The error is an *UnknownError.
func (l *Library) Get(name string) (*Plugin, error) {
	if p := l.plugins[name]; p != nil {
		return p, nil
	}
	return nil, l.unknown(name)
}

// UnknownError is a plugin, option or the like that does not exist.
type UnknownError struct {
	Kind  string // "plugin", "option of api_tokens"
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	known := strings.Join(e.Known, ", ")
	if known == "" {
		known = "none"
	}
	return fmt.Sprintf("unknown %s %q%s; known: %s", e.Kind, clip(e.Name), didYouMean(e.Name, e.Known), known)
}

func (l *Library) unknown(name string) error {
	return &UnknownError{Kind: "plugin", Name: name, Known: l.Names()}
}

// Selected is a plugin with the values of all its options.
type Selected struct {
	*Plugin
	Values map[string]Value
	Asked  bool // by the user, not only required by another plugin
}

// Resolve closes a selection over requirements, checks options and conflicts, and orders it: what is required
// comes first, then by name. Core is always in it. Errors join every fault.
func (l *Library) Resolve(selections []Selection) ([]Selected, error) {
	var errs []error
	chosen := map[string]*Selected{}
	var add func(name string) *Selected
	add = func(name string) *Selected {
		if s := chosen[name]; s != nil {
			return s
		}
		p, err := l.Get(name)
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		if p.misses != nil {
			errs = append(errs, p.misses)
		}
		s := &Selected{Plugin: p, Values: map[string]Value{}}
		chosen[name] = s
		for _, r := range p.Manifest.Requires {
			add(r)
		}
		for _, o := range slices.Sorted(maps.Keys(p.Manifest.Options)) {
			opt := p.Manifest.Options[o]
			if v, err := opt.Parse(opt.Default); err == nil {
				s.Values[o] = v
			}
		}
		return s
	}
	add(Core)
	for _, sel := range selections {
		if sel.Name == Core {
			errs = append(errs, fmt.Errorf("plugin %q is always there; leave it out", Core))
			continue
		}
		s := add(sel.Name)
		if s == nil {
			continue
		}
		if s.Asked {
			errs = append(errs, fmt.Errorf("plugin %s is given twice", sel.Name))
		}
		s.Asked = true
		for _, o := range slices.Sorted(maps.Keys(sel.Options)) {
			opt, ok := s.Manifest.Options[o]
			if !ok {
				errs = append(errs, &UnknownError{Kind: "option of " + sel.Name, Name: o, Known: slices.Sorted(maps.Keys(s.Manifest.Options))})
				continue
			}
			v, err := opt.Parse(sel.Options[o])
			if err != nil {
				errs = append(errs, fmt.Errorf("option %s:%s: %w", sel.Name, o, err))
				continue
			}
			s.Values[o] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		for _, c := range chosen[name].Manifest.Conflicts {
			if chosen[c] != nil {
				errs = append(errs, fmt.Errorf("plugins %s and %s cannot be in one model", name, c))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return order(chosen)
}

// order sorts topologically by requirement, then by name.
func order(chosen map[string]*Selected) ([]Selected, error) {
	var out []Selected
	done, open := map[string]bool{}, map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if done[name] || chosen[name] == nil {
			return nil
		}
		if open[name] {
			return fmt.Errorf("plugin %s requires itself", name)
		}
		open[name] = true
		reqs := slices.Clone(chosen[name].Manifest.Requires)
		sort.Strings(reqs)
		for _, r := range reqs {
			if err := visit(r); err != nil {
				return err
			}
		}
		done[name] = true
		out = append(out, *chosen[name])
		return nil
	}
	if err := visit(Core); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// didYouMean is `; did you mean "x"?` for the nearest known name, or "".
func didYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// Nearest returns the known name that is at most a third of its letters away (edit distance, ignoring case
// and separators), or "".
func Nearest(name string, known []string) string {
	fold := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '_' || r == '-' || r == ' ' {
				return -1
			}
			return r
		}, strings.ToLower(clip(s)))
	}
	best, bestDist := "", 1<<30
	for _, k := range known {
		if d := distance(fold(name), fold(k)); d < bestDist {
			best, bestDist = k, d
		}
	}
	if best == "" || bestDist > (len(best)+2)/3 {
		return ""
	}
	return best
}

func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
		}
		prev = cur
	}
	return prev[len(b)]
}
