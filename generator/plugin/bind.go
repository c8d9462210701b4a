package plugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// EverySeam is the key of a manifest's hooks that stands for every observe seam which a plugin of the model
// declares. Guards are not among them: who may refuse says so by name.
const EverySeam = "*"

// modelWord is what stands for the model's Go name in a manifest.
const modelWord = "MODEL"

// Bind is the plugins of one model, as [Library.Resolve] selected them, with manifests that hold for this model:
// MODEL is its Go name, and hooks of [EverySeam] are hooks of each seam by name. The given plugins, which other
// models share, stay as they are. The errors are *ManifestError values, joined: a name that is no Go identifier.
func Bind(selected []Selected, model string) ([]Selected, error) {
	var observed []string
	for _, s := range selected {
		for name, seam := range s.Manifest.Seams {
			if seam.Kind == Observe {
				observed = append(observed, name)
			}
		}
	}
	var errs []error
	out := slices.Clone(selected)
	for i, s := range selected {
		p := *s.Plugin
		p.Manifest = s.Manifest.bind(model, observed)
		if err := p.Manifest.checkIdents(); err != nil {
			errs = append(errs, &ManifestError{Plugin: p.Name, Err: err})
		}
		out[i].Plugin = &p
	}
	return out, errors.Join(errs...)
}

func (m Manifest) bind(model string, observed []string) Manifest {
	named := func(s string) string { return strings.ReplaceAll(s, modelWord, model) }
	hooks := make(map[string][]string, len(m.Hooks))
	join := func(seam string, methods []string) {
		for _, h := range methods {
			if h = named(h); !slices.Contains(hooks[seam], h) {
				hooks[seam] = append(hooks[seam], h)
			}
		}
	}
	for seam, methods := range m.Hooks {
		if seam != EverySeam {
			join(seam, methods)
		}
	}
	for _, seam := range observed {
		join(seam, m.Hooks[EverySeam])
	}
	m.Hooks = hooks
	m.Routes = slices.Clone(m.Routes)
	for i := range m.Routes {
		m.Routes[i].Handler, m.Routes[i].Require = named(m.Routes[i].Handler), named(m.Routes[i].Require)
	}
	m.Mounts = slices.Clone(m.Mounts)
	for i := range m.Mounts {
		m.Mounts[i].Routes = slices.Clone(m.Mounts[i].Routes)
		for j := range m.Mounts[i].Routes {
			m.Mounts[i].Routes[j].Require = named(m.Mounts[i].Routes[j].Require)
		}
	}
	m.Commands = maps.Clone(m.Commands)
	for word, c := range m.Commands {
		c.Func = named(c.Func)
		m.Commands[word] = c
	}
	return m
}

// checkIdents refuses names that would not be Go identifiers in the code that is printed with them.
func (m Manifest) checkIdents() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, s := range slices.Sorted(maps.Keys(m.Hooks)) {
		for _, h := range m.Hooks[s] {
			if !isIdent(h) {
				bad("hooks.%s: %q is not a Go identifier", s, h)
			}
		}
	}
	for i, r := range m.Routes {
		if !isIdent(r.Handler) {
			bad("routes[%d]: handler %q is not a Go identifier", i, r.Handler)
		}
		if r.Require != "" && !isIdent(r.Require) {
			bad("routes[%d]: require %q is not a Go identifier", i, r.Require)
		}
	}
	for _, c := range slices.Sorted(maps.Keys(m.Commands)) {
		if !isIdent(m.Commands[c].Func) {
			bad("commands.%s: func %q is not a Go identifier", c, m.Commands[c].Func)
		}
	}
	return errors.Join(errs...)
}
