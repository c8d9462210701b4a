package main

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

//go:embed newapp
var newapp embed.FS

// appData is the dot of the templates in newapp.
type appData struct {
	Name       string // of the program
	Auth       string // name of the shared package
	AuthPath   string
	AuthDBPath string
	Model      plan.Model
	ModelPath  string
	Require    string // the middleware of the first of its routes that only show something and have one, or ""
	Mounts     []plugin.Mount
	Current    bool // whether its package has Current(ctx)
	First      bool // whether it is the project's first model
	Keys       string
	DSN        string
	Ignore     []string
}

func newAppData(res *generator.Result, name string) (appData, error) {
	parsed, err := model.Parse(name)
	if err != nil {
		return appData{}, err
	}
	pl := res.Plan
	i := slices.IndexFunc(pl.Models, func(m plan.Model) bool { return m.Name == parsed.Name })
	if i < 0 {
		unknown := &plugin.UnknownError{Kind: "model", Name: parsed.Name}
		for _, m := range pl.Models {
			unknown.Known = append(unknown.Known, m.Name)
		}
		return appData{}, &usageError{err: unknown}
	}
	m := pl.Models[i]
	d := appData{
		Name: path.Base(pl.Module), Auth: pl.AuthPackage(), AuthPath: pl.Import(pl.Config.Package), AuthDBPath: pl.Import(pl.AuthDB()),
		Model: m, Mounts: pl.Mounts(m), First: pl.Config.Models[0].Name == m.Name, ModelPath: pl.Import(path.Join(pl.Config.Package, m.Package)),
	}
	for _, r := range m.Routes() {
		if r.Require != "" && r.Method == "GET" {
			d.Require = r.Require
			break
		}
	}
	for _, c := range res.Changes {
		if path.Dir(c.Path) == path.Join(pl.Config.Package, m.Package) && bytes.Contains(c.New, []byte("\nfunc Current(ctx context.Context) *")) {
			d.Current = true
		}
	}
	return d, nil
}

// render runs a template of newapp. Go comes out formatted.
func (d appData) render(name string) ([]byte, error) {
	t, err := template.New(name+".tmpl").Option("missingkey=error").ParseFS(newapp, "newapp/"+name+".tmpl")
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, d); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	if path.Ext(name) != ".go" {
		return b.Bytes(), nil
	}
	src, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return src, nil
}

// nextSteps is what custos cannot do itself after a new model, or more plugins for one that was there. What the user did
// for a model before is not among it.
func (a *app) nextSteps(res *generator.Result, name string) ([]nextStep, error) {
	d, err := newAppData(res, name)
	if err != nil {
		return nil, err
	}
	var steps []nextStep
	if res.NewModel {
		mount, err := d.render("mount.go")
		if err != nil {
			return nil, err
		}
		file := strings.ToLower(d.Model.Snake) + "_auth.go"
		call := "call mount" + d.Model.Name
		if d.First {
			call = "call openAuth and mount" + d.Model.Name
		}
		steps = append(steps, nextStep{
			Title: "Mount the routes: paste this beside your main function as " + file + ", " + call + ", and at shutdown what it returns",
			File:  file, Code: string(mount),
		})
		steps = append(steps, inFront(d, res.Project.Requires)...)
	} else {
		d.Model.Plugins = slices.DeleteFunc(slices.Clone(d.Model.Plugins), func(s plugin.Selected) bool {
			return s.Name == plugin.Core || slices.Contains(res.Had, s.Name)
		})
		for _, at := range res.Plan.Mounts(d.Model) {
			steps = append(steps, nextStep{Title: at.Summary, Code: fmt.Sprintf("    service.%s(mux, %q)\n", at.Method, at.Path)})
		}
	}
	if !d.Model.Owned {
		steps = append(steps, adoptions(d.Model)...)
	}
	env := d.Model.Env()
	if len(d.Model.Plugins) > 0 {
		env[keysVariable] = plugin.Variable{}
		example := databases()[res.Config.Engine].exampleFor(res.Config.Migrations.Tool)
		env[databaseVariable] = plugin.Variable{Summary: "which database", Development: forApp(example, d.Name)}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if value, err := a.variable(res.Project.Root, name); err != nil || value != "" {
			continue // set already; a .env that cannot be read is for the program to tell
		}
		step := nextStep{Title: "Say " + env[name].Summary, Command: fmt.Sprintf("echo '%s=%s' >> .env", name, env[name].Development)}
		if name == keysVariable {
			step = nextStep{Title: "Make the key that digests secrets", Command: "custos secret --write"}
		}
		steps = append(steps, step)
	}
	return append(steps, operations(res, d.Model)...), nil
}

// otherRouter is a router that routes cannot be mounted on, and that is an [http.Handler] itself.
type otherRouter struct {
	module, name string
	guard        string // a route of its own behind REQUIRE
}

// The guard stands at each route and not before the router: of a path with %2F in it, a mux and a router may think differently.
func otherRouters() []otherRouter {
	return []otherRouter{
		{"github.com/gin-gonic/gin", "gin", `router.GET("/account", gin.WrapH(service.REQUIRE(handler)))`},
		{"github.com/labstack/echo/v4", "echo", `router.GET("/account", handler, echo.WrapMiddleware(service.REQUIRE))`},
		{"github.com/labstack/echo/v5", "echo", `router.GET("/account", handler, echo.WrapMiddleware(service.REQUIRE))`},
		{"github.com/gorilla/mux", "gorilla/mux", `router.Handle("/account", service.REQUIRE(handler))`},
		{"github.com/julienschmidt/httprouter", "httprouter", `router.Handler("GET", "/account", service.REQUIRE(handler))`},
	}
}

// inFront is how an [http.ServeMux] serves the routes of the first model and leaves the others to a router of the user's.
func inFront(d appData, requires map[string]string) []nextStep {
	routers := otherRouters()
	i := slices.IndexFunc(routers, func(r otherRouter) bool { return requires[r.module] != "" })
	if i < 0 || !d.First {
		return nil
	}
	r := routers[i]
	code := fmt.Sprintf("    mux := http.NewServeMux()\n    stop := mount%s(mux, config, db)\n    mux.Handle(\"/\", router) // yours; serve the mux instead\n", d.Model.Name)
	if d.Require != "" {
		code += fmt.Sprintf("\n    // a route of yours for %s only:\n    %s\n", d.Model.Many, strings.ReplaceAll(r.guard, "REQUIRE", d.Require))
	}
	return []nextStep{{Title: fmt.Sprintf("Put the mux before %s, whose patterns are of another kind", r.name), Code: code}}
}

// adoptions are what is left to do for a table that is the user's own.
func adoptions(m plan.Model) []nextStep {
	var steps []nextStep
	fill := strings.NewReplacer("MODEL", m.Name, "TABLE", m.Table, "PACKAGE", m.Package)
	for _, s := range m.Plugins {
		if a := s.Manifest.Adopt; a.Summary != "" {
			code := strings.ReplaceAll(strings.TrimSpace(fill.Replace(a.Code)), "\n", "\n    ")
			steps = append(steps, nextStep{Title: fill.Replace(a.Summary), Code: "    " + code + "\n"})
		}
	}
	return steps
}

// operations are the commands that a model needs before its plugins can be used.
func operations(res *generator.Result, m plan.Model) []nextStep {
	steps := migrateSteps(res)
	for _, s := range m.Plugins {
		for _, word := range slices.Sorted(maps.Keys(s.Manifest.Commands)) {
			c := s.Manifest.Commands[word]
			if c.Example == "" {
				continue // nothing that a new model needs
			}
			id := "1"
			if m.Owned {
				id = "new"
			}
			example := strings.NewReplacer("MODEL", m.Name, "ID", id).Replace(c.Example)
			steps = append(steps, nextStep{Title: c.Summary, Command: "custos " + example})
		}
	}
	return steps
}

// migrateSteps is what to do about the migrations that a run adds.
func migrateSteps(res *generator.Result) []nextStep {
	files := upMigrations(res)
	if len(files) == 0 {
		return nil
	}
	return []nextStep{{Title: "Run the migrations", Command: migrateHint(res.Config, files)}}
}

// upMigrations are the migrations that a run adds.
func upMigrations(res *generator.Result) []string {
	var out []string
	for _, c := range res.Changes {
		if c.Op == plan.Create && c.Owner == plan.Ledger && !strings.HasSuffix(c.Path, ".down.sql") && path.Dir(c.Path) == res.Config.Migrations.Dir {
			out = append(out, c.Path)
		}
	}
	return out
}

// migrateHint is what to type to run migrations with the project's own tool.
func migrateHint(cfg project.Config, files []string) string {
	switch cfg.Migrations.Tool {
	case project.Goose:
		return "custos migrate up"
	case project.GolangMigrate:
		return fmt.Sprintf("migrate -path %s -database \"$DATABASE_URL\" up", cfg.Migrations.Dir)
	case project.Dbmate:
		return fmt.Sprintf("dbmate --migrations-dir %s up", cfg.Migrations.Dir)
	}
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf(databases()[cfg.Engine].shell, f))
	}
	return strings.Join(lines, "\n")
}
