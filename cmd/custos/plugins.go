package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/plugin"
)

type pluginsOptions struct {
	name string // "" = all
	json bool
}

func newPluginsCmd(a *app) *cobra.Command {
	var o pluginsOptions
	cmd := &cobra.Command{
		Use:   "plugins [NAME]",
		Short: "List the plugins, or explain one",
		Long:  "Plugins come with custos, or from the folder .custos/plugins of a project.",
		Args:  args(0, 1),
		ValidArgsFunction: func(cmd *cobra.Command, words []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(words) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeModel(cmd, []string{""}, strings.ReplaceAll(toComplete, ":", ""))
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) > 0 {
				o.name = words[0]
			}
			return a.runPlugins(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// pluginInfo is a plugin as JSON.
type pluginInfo struct {
	Name      string              `json:"name"`
	Summary   string              `json:"summary"`
	Origin    string              `json:"origin"`
	Requires  []string            `json:"requires,omitempty"`
	Conflicts []string            `json:"conflicts,omitempty"`
	Options   []optionInfo        `json:"options,omitempty"`
	Tables    []string            `json:"tables,omitempty"`
	Routes    []routeInfo         `json:"routes,omitempty"`
	Commands  map[string]string   `json:"commands,omitempty"`
	Env       map[string]string   `json:"env,omitempty"`
	Seams     map[string]string   `json:"seams,omitempty"`
	Hooks     map[string][]string `json:"hooks,omitempty"`
	README    string              `json:"readme,omitempty"`
}

type optionInfo struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Default  string   `json:"default"`
	Values   []string `json:"values,omitempty"`
	Pattern  string   `json:"pattern,omitempty"`
	Distinct bool     `json:"distinct,omitempty"`
	Except   string   `json:"except,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Help     string   `json:"help"`

	kind string // for people
}

func describe(p *plugin.Plugin) (pluginInfo, error) {
	m := p.Manifest
	info := pluginInfo{Name: p.Name, Summary: m.Summary, Origin: p.Origin, Requires: m.Requires, Conflicts: m.Conflicts, Tables: m.Tables, Hooks: m.Hooks}
	for _, name := range slices.Sorted(maps.Keys(m.Options)) {
		o := m.Options[name]
		info.Options = append(info.Options, optionInfo{name, o.Type, o.Default, o.Values, o.Pattern, o.Distinct, o.Except, o.Min, o.Max, o.Help, o.Kind()})
	}
	for _, r := range m.Routes {
		info.Routes = append(info.Routes, routeInfo{Method: r.Method, Path: r.Path, Require: r.Require, Plugin: p.Name, Summary: r.Summary})
	}
	for _, at := range m.Mounts {
		info.Routes = append(info.Routes, mounted(at, "", p.Name)...)
	}
	for _, c := range slices.Sorted(maps.Keys(m.Commands)) {
		if info.Commands == nil {
			info.Commands = map[string]string{}
		}
		info.Commands[c] = m.Commands[c].Summary
	}
	for v := range m.Env {
		if info.Env == nil {
			info.Env = map[string]string{}
		}
		info.Env[v] = m.Env[v].Summary
	}
	for _, s := range slices.Sorted(maps.Keys(m.Seams)) {
		if info.Seams == nil {
			info.Seams = map[string]string{}
		}
		info.Seams[s] = m.Seams[s].Kind
	}
	readme, err := fs.ReadFile(p.FS, "README.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return info, err
	}
	info.README = string(readme)
	return info, nil
}

func (a *app) runPlugins(_ context.Context, o pluginsOptions) error {
	lib, err := a.library()
	if err != nil {
		return err
	}
	if o.name == "" {
		return a.listPlugins(lib, o.json)
	}
	p, err := lib.Get(o.name)
	if err != nil {
		return &usageError{err: err}
	}
	info, err := describe(p)
	if err != nil {
		return err
	}
	if o.json {
		return a.printJSON(info)
	}
	return a.explain(info)
}

func (a *app) listPlugins(lib *plugin.Library, asJSON bool) error {
	infos := []pluginInfo{}
	var rows [][]string
	for _, name := range lib.Names() {
		p, err := lib.Get(name)
		if err != nil {
			return err
		}
		infos = append(infos, pluginInfo{Name: p.Name, Summary: p.Manifest.Summary, Origin: p.Origin})
		rows = append(rows, []string{p.Name, p.Manifest.Summary, "(" + p.Origin + ")"})
	}
	if asJSON {
		return a.printJSON(infos)
	}
	return a.printTable("", rows)
}

func (a *app) explain(info pluginInfo) error {
	c := a.colour()
	if err := a.printf("%s  (%s)\n%s\n", c.paint(bold, info.Name), info.Origin, info.Summary); err != nil {
		return err
	}
	var options, routes, commands, env, seams, hooks [][]string
	for _, o := range info.Options {
		fallback := o.Default
		if fallback == "" {
			fallback = "-"
		}
		options = append(options, []string{o.Name, o.kind, fallback, o.Help})
	}
	for _, r := range info.Routes {
		if strings.HasPrefix(r.Path, "/") || r.Path == "" {
			r.Path = "..." + r.Path // below the model's
		}
		routes = append(routes, []string{r.Method, r.Path, r.requirement(), r.Summary})
	}
	for _, w := range slices.Sorted(maps.Keys(info.Commands)) {
		commands = append(commands, []string{"custos " + w, info.Commands[w]})
	}
	for _, v := range slices.Sorted(maps.Keys(info.Env)) {
		env = append(env, []string{v, info.Env[v]})
	}
	for _, s := range slices.Sorted(maps.Keys(info.Seams)) {
		seams = append(seams, []string{s, info.Seams[s]})
	}
	for _, s := range slices.Sorted(maps.Keys(info.Hooks)) {
		hooks = append(hooks, []string{s, strings.Join(info.Hooks[s], ", ")})
	}
	for _, section := range []struct {
		title string
		rows  [][]string
	}{
		{"Options", options}, {"Routes", routes}, {"Commands", commands}, {"Environment", env}, {"Tables", column(info.Tables)},
		{"Requires", column(info.Requires)}, {"Conflicts", column(info.Conflicts)}, {"Seams", seams}, {"Hooks", hooks},
	} {
		if len(section.rows) == 0 {
			continue
		}
		if err := a.printf("\n%s\n", c.paint(bold, section.title)); err != nil {
			return err
		}
		if err := a.printTable("  ", section.rows); err != nil {
			return err
		}
	}
	if info.README == "" {
		return nil
	}
	return a.printf("\n%s\n", strings.TrimSpace(info.README))
}

func column(words []string) [][]string {
	var rows [][]string
	for _, w := range words {
		rows = append(rows, []string{w})
	}
	return rows
}
