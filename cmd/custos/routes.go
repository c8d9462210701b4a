package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

type routesOptions struct {
	json  bool
	mount string // model whose routes' code is wanted
}

func newRoutesCmd(a *app) *cobra.Command {
	var o routesOptions
	cmd := &cobra.Command{
		Use:   "routes",
		Short: "List the routes of every model, or print the code that mounts them",
		Args:  args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.mount != "" {
				return a.printMount(cmd.Context(), o.mount)
			}
			return a.runRoutes(cmd.Context(), o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	cmd.Flags().StringVar(&o.mount, "mount", "", "print the code that mounts the routes of this model")
	cmd.MarkFlagsMutuallyExclusive("json", "mount")
	return cmd
}

// printMount prints the code that `custos gen` proposed when the model was new.
func (a *app) printMount(ctx context.Context, name string) error {
	res, err := a.existing(ctx, "print code")
	if err != nil {
		return err
	}
	d, err := newAppData(res, name)
	if err != nil {
		return err
	}
	code, err := d.render("mount.go")
	if err != nil {
		return err
	}
	return a.printf("%s", code)
}

type routeInfo struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	Require string `json:"require"` // "" = public
	Model   string `json:"model,omitempty"`
	Plugin  string `json:"plugin"`
	Summary string `json:"summary"`
}

// mounted are the routes that the application mounts itself. Where they are is in its code, at the call that their paths
// begin with. Of a mount that does not name its routes there is one line for all.
func mounted(at plugin.Mount, model, name string) []routeInfo {
	call := at.Method + "(...)"
	if len(at.Routes) == 0 {
		return []routeInfo{{"*", call, "-", model, name, at.Summary}}
	}
	var out []routeInfo
	for _, r := range at.Routes {
		out = append(out, routeInfo{r.Method, call + r.Path, r.Require, model, name, r.Summary})
	}
	return out
}

func (r routeInfo) requirement() string {
	if r.Require == "" {
		return "public"
	}
	return r.Require
}

func (a *app) runRoutes(_ context.Context, o routesOptions) error {
	p, err := a.configured("list routes")
	if err != nil {
		return err
	}
	lib, err := a.library()
	if err != nil {
		return err
	}
	pl, err := plan.New(p, p.Config, lib, nil) // no route depends on the schema
	if err != nil {
		return err
	}
	routes := []routeInfo{}
	for _, m := range pl.Models {
		for _, s := range m.Plugins {
			for _, r := range s.Manifest.Routes {
				routes = append(routes, routeInfo{r.Method, m.Path + r.Path, r.Require, m.Name, s.Name, r.Summary})
			}
			for _, at := range s.Manifest.Mounts {
				routes = append(routes, mounted(at, m.Name, s.Name)...)
			}
		}
	}
	if o.json {
		return a.printJSON(routes)
	}
	if len(routes) == 0 {
		return a.printf("No routes: no model has a plugin with some.\n")
	}
	rows := [][]string{{"METHOD", "PATH", "REQUIRE", "MODEL", "PLUGIN", "SUMMARY"}}
	for _, r := range routes {
		rows = append(rows, []string{r.Method, r.Path, r.requirement(), r.Model, r.Plugin, r.Summary})
	}
	return a.printTable("", rows)
}

// configured is the project that custos was called in, which must have a custos.yaml.
func (a *app) configured(verb string) (*project.Project, error) {
	if err := a.recover(); err != nil {
		return nil, err
	}
	p, err := project.Load(a.dir, project.Options{})
	if err != nil {
		return nil, err
	}
	if p.ConfigFile == nil {
		return nil, noConfig(verb, p.Module)
	}
	return p, nil
}
