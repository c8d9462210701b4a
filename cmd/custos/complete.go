package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// completeModel completes NAME [PLUGIN[:option=value,...]]... for a shell: models from custos.yaml, then plugins,
// then the options of a plugin and what they may be.
func (a *app) completeModel(_ *cobra.Command, words []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	const done = cobra.ShellCompDirectiveNoFileComp
	if len(words) == 0 {
		p, err := project.Load(a.dir, project.Options{})
		if err != nil {
			return nil, done
		}
		var names []string
		for _, m := range p.Config.Models {
			names = append(names, m.Name)
		}
		return names, done
	}
	lib, err := a.library()
	if err != nil {
		return nil, done
	}
	if name, rest, ok := strings.Cut(toComplete, ":"); ok {
		p, err := lib.Get(name)
		if err != nil {
			return nil, done
		}
		return completeOptions(p, name+":", rest), done | cobra.ShellCompDirectiveNoSpace
	}
	var out []string
	for _, name := range lib.Names() {
		p, err := lib.Get(name)
		if err == nil && !given(words[1:], name) {
			out = append(out, cobra.CompletionWithDesc(name, p.Manifest.Summary))
		}
	}
	return out, done
}

func given(words []string, name string) bool {
	for _, w := range words {
		if n, _, _ := strings.Cut(w, ":"); n == name {
			return true
		}
	}
	return false
}

// completeOptions completes the last of the comma-separated options in rest.
func completeOptions(p *plugin.Plugin, prefix, rest string) []string {
	if i := strings.LastIndexByte(rest, ','); i >= 0 {
		prefix, rest = prefix+rest[:i+1], rest[i+1:]
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(p.Manifest.Options)) {
		opt := p.Manifest.Options[name]
		values := opt.Values
		if opt.Type == "bool" {
			values = []string{"true", "false"}
		}
		if len(values) == 0 || !strings.HasPrefix(rest, name+"=") {
			help := opt.Help
			if opt.Type == "int" {
				help += " (" + opt.Kind() + ")"
			}
			out = append(out, cobra.CompletionWithDesc(prefix+name+"=", help))
			continue
		}
		for _, v := range values {
			out = append(out, prefix+name+"="+v)
		}
	}
	return out
}
