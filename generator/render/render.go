// Package render runs a plugin's templates into files.
//
// Where a file goes follows from its place in the plugin's folder:
//
//	migrations/NAME.up.sql.tmpl           once per project, with NAME.down.sql.tmpl
//	migrations/option.X/...               when some model sets the option X
//	migrations/table/...                  for each model whose table custos makes
//	queries/...                           custos' own sqlc queries
//	go/auth, go/authdb, go/authdbtest     the shared packages
//	go/model                              each model's package
//	go/authctl                            the administration program
//	go/FOLDER/SUB/...                     files that are no Go, in that folder of the package, for it to embed
//	SECURITY.md.tmpl                      a part of the shared package's SECURITY.md
//	mail/NAME.txt.tmpl, NAME.html.tmpl    mail/NAME.txt and NAME.html in each model's package
//
// A file in mail is a template twice: what comes out is one that the running program fills in. Therefore actions of
// custos stand between [[ and ]] there, and {{ and }} are left for the program. What comes out must parse.
//
// MODEL and TABLE in a name stand for the model's; a file with MODEL in its name is rendered for each model. A
// file NAME.ENGINE.EXT.tmpl (or ENGINE+ENGINE) belongs to those engines only: beside a NAME.EXT.tmpl it holds
// {{define}}s that replace that one's {{block}}s, alone it is the whole file.
package render

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
)

// Migration is a schema change that a plan needs, not yet numbered.
type Migration struct {
	ID       string // its identity in the lock
	Name     string // file name without number and extension
	Up, Down string
	Origin   string
}

// Error is a fault in a template.
type Error struct {
	Plugin   string
	Template string
	Err      error
}

func (e *Error) Error() string {
	return fmt.Sprintf("render %s/%s: %v", e.Plugin, e.Template, e.Err)
}
func (e *Error) Unwrap() error { return e.Err }

// data is the dot of every template.
type data struct {
	Runtime    string // import path of the runtime module
	App        string // the project's name, for people
	AppName    string // the project's name, as a database would be called
	Module     string
	Auth       string // name of the shared package
	AuthPath   string // import paths
	AuthDBPath string
	Authctl    string // folder of the administration program
	Migrations struct{ Dir, Tool string }
	Schema     []string // files with more of the user's schema, outside the migration folder
	Driver     engine.Driver
	Model      plan.Model // zero in files that are not one model's

	plugin plugin.Selected
}

// Option is the value of one of the plugin's own options for this model.
func (d data) Option(name string) (plugin.Value, error) {
	v, ok := d.plugin.Values[name]
	if !ok {
		if o, declared := d.plugin.Manifest.Options[name]; !declared || o.Default != "" {
			return v, fmt.Errorf("plugin %s has no option %q", d.plugin.Name, name)
		}
	}
	return v, nil
}

// Has reports whether a bool option is on.
func (d data) Has(name string) (bool, error) {
	v, err := d.Option(name)
	return v.Bool, err
}

// Files renders everything but migrations.
func Files(pl *plan.Plan) ([]plan.File, error) {
	type job struct {
		plugin plugin.Selected
		src    source
		files  []plan.File
		err    error
	}
	var jobs []*job
	var errs []error
	for _, s := range pl.Plugins() {
		for _, dir := range []string{"queries", "go", mailDir} {
			errs = append(errs, walk(s, dir, func(src source) {
				if !strings.HasPrefix(src.out, "go/authctl/") || pl.HasCommands() {
					jobs = append(jobs, &job{plugin: s, src: src})
				}
			}))
		}
	}
	// Most of the time goes into formatting, so all processors take part.
	plan.Concurrently(len(jobs), runtime.GOMAXPROCS(0), func(i int) {
		jobs[i].files, jobs[i].err = renderFile(pl, jobs[i].plugin, jobs[i].src)
	})
	var files []plan.File
	for _, j := range jobs {
		files = append(files, j.files...)
		errs = append(errs, j.err)
	}
	security, err := securityFile(pl)
	if len(security.Content) > 0 {
		files = append(files, security)
	}
	return files, errors.Join(append(errs, err)...)
}

// securityNotes is what a plugin has to say about security. The notes of all plugins make one file.
const securityNotes = "SECURITY.md"

func securityFile(pl *plan.Plan) (plan.File, error) {
	f := plan.File{Path: path.Join(pl.Config.Package, securityNotes), Origin: plugin.Core}
	for _, s := range pl.Plugins() {
		src := source{path: securityNotes + ".tmpl", out: securityNotes}
		if _, err := fs.Stat(s.FS, src.path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := execute(pl, s, src, newData(pl, s, plan.Model{}))
		if err != nil {
			return f, err
		}
		if len(f.Content) > 0 {
			f.Content = append(f.Content, '\n')
		}
		f.Content = append(f.Content, text...)
	}
	return f, nil
}

// Migrations renders the schema changes of a plan, in the order in which they must run.
func Migrations(pl *plan.Plan) ([]Migration, error) {
	var out []Migration
	var errs []error
	for _, s := range pl.Plugins() {
		err := walk(s, "migrations", func(src source) {
			name, isUp := strings.CutSuffix(path.Base(src.out), ".up.sql")
			if !isUp {
				return
			}
			scope := path.Dir(strings.TrimPrefix(src.out, "migrations/"))
			ms, err := renderMigration(pl, s, src, scope, name)
			out = append(out, ms...)
			errs = append(errs, err)
		})
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

func renderMigration(pl *plan.Plan, s plugin.Selected, src source, scope, name string) ([]Migration, error) {
	down := src
	down.path = strings.Replace(src.path, ".up.", ".down.", 1)
	down.out = strings.Replace(src.out, ".up.", ".down.", 1)
	one := func(d data, id string) ([]Migration, error) {
		up, err := execute(pl, s, src, d)
		if err != nil {
			return nil, err
		}
		undo, err := execute(pl, s, down, d)
		if err != nil {
			return nil, err
		}
		return []Migration{{ID: id, Name: placeholders(name, d.Model), Up: string(up), Down: string(undo), Origin: s.Name}}, nil
	}
	option, isOption := strings.CutPrefix(scope, "option.")
	switch {
	case scope == ".":
		return one(newData(pl, s, plan.Model{}), s.Name+"."+name)
	case scope == "table":
		var out []Migration
		for _, m := range pl.Models {
			if !m.Owned {
				continue
			}
			ms, err := one(newData(pl, s, m), plan.LedgerID(m.Name))
			if err != nil {
				return nil, err
			}
			out = append(out, ms...)
		}
		return out, nil
	case isOption:
		if _, ok := s.Manifest.Options[option]; !ok {
			return nil, &Error{s.Name, src.path, fmt.Errorf("no option %q in %s", option, plugin.ManifestFile)}
		}
		for _, m := range pl.Models {
			for _, p := range m.Plugins {
				if v := p.Values[option]; p.Name == s.Name && (v.Bool || v.Text != "" && s.Manifest.Options[option].Type == "word") {
					return one(newData(pl, s, plan.Model{}), s.Name+"."+name)
				}
			}
		}
		return nil, nil
	}
	return nil, &Error{s.Name, src.path, fmt.Errorf("unknown folder %q; known: table, option.NAME", scope)}
}

// source is one template of a plugin.
type source struct {
	path    string   // in the plugin's folder
	out     string   // path without engine and .tmpl
	engines []string // nil = all
}

// mailDir is the folder of templates that print templates.
const mailDir = "mail"

func (src source) isMail() bool { return strings.HasPrefix(src.out, mailDir+"/") }

// sub is the folder below the package's that a file of go/FOLDER/SUB is in, or "".
func (src source) sub() string {
	if parts := strings.SplitN(path.Dir(src.out), "/", 3); parts[0] == "go" && len(parts) == 3 {
		return parts[2]
	}
	return ""
}

// delims are what stands around an action; "" is {{ and }}.
func (src source) delims() (left, right string) {
	if src.isMail() {
		return "[[", "]]"
	}
	return "", ""
}

// walk calls f for every template below dir that is for this plan's engine, in the order of names.
func walk(s plugin.Selected, dir string, f func(source)) error {
	var paths []string
	err := fs.WalkDir(s.FS, dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".tmpl") {
			paths = append(paths, p)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read plugin %s: %w", s.Name, err)
	}
	base := map[string]bool{}
	for _, p := range paths {
		if out, engines := splitEngine(p); engines == nil {
			base[out] = true
		}
	}
	for _, p := range paths {
		out, engines := splitEngine(p)
		if engines != nil && base[out] {
			continue // an overlay, parsed with its base
		}
		f(source{path: p, out: out, engines: engines})
	}
	return nil
}

// splitEngine reads open.sqlite.go.tmpl as open.go for sqlite.
func splitEngine(p string) (out string, engines []string) {
	out = strings.TrimSuffix(p, ".tmpl")
	dir, name := path.Split(out)
	parts := strings.Split(name, ".")
	if len(parts) < 3 {
		return out, nil
	}
	at := len(parts) - 2
	for _, word := range strings.Split(parts[at], "+") {
		e, err := engine.ByName(word)
		if err != nil || e.Name != word {
			return out, nil
		}
		engines = append(engines, word)
	}
	return dir + strings.Join(slices.Delete(parts, at, at+1), "."), engines
}

func newData(pl *plan.Plan, s plugin.Selected, m plan.Model) data {
	app := path.Base(pl.Module)
	d := data{
		Runtime: plan.Runtime, App: app, AppName: identifier(app), Module: pl.Module,
		Auth: pl.AuthPackage(), AuthPath: pl.Import(pl.Config.Package), AuthDBPath: pl.Import(pl.AuthDB()),
		Authctl: pl.Config.Authctl, Schema: pl.Schema, Driver: pl.Driver, Model: m, plugin: s,
	}
	d.Migrations.Dir, d.Migrations.Tool = pl.Config.Migrations.Dir, pl.Config.Migrations.Tool
	return d
}

// identifier is a name that a database takes without quotes.
func identifier(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, s)
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		s = "app_" + s
	}
	return s
}

func placeholders(name string, m plan.Model) string {
	return strings.NewReplacer("MODEL", m.Snake, "TABLE", m.Table).Replace(name)
}

// destination is the folder of a template's output, and whether each model has one.
func destination(pl *plan.Plan, out string) (dir string, perModel bool, err error) {
	switch first, _, _ := strings.Cut(out, "/"); first {
	case "queries":
		return path.Join(pl.Config.Queries, "queries"), strings.Contains(out, "MODEL"), nil
	case mailDir:
		if ext := path.Ext(out); path.Dir(out) != mailDir || ext != ".txt" && ext != ".html" {
			return "", false, fmt.Errorf("%s is no mail; known: %s/NAME.txt.tmpl, %s/NAME.html.tmpl", out, mailDir, mailDir)
		}
		return pl.Config.Package, true, nil
	}
	folder, rest, _ := strings.Cut(strings.TrimPrefix(out, "go/"), "/")
	if strings.Contains(rest, "/") && path.Ext(rest) == ".go" {
		return "", false, fmt.Errorf("go/%s/%s: a folder in a package's folder has no Go, which would be another package", folder, rest)
	}
	switch folder {
	case "auth":
		return pl.Config.Package, false, nil
	case "authdb":
		return pl.AuthDB(), false, nil
	case "authdbtest":
		return path.Join(pl.AuthDB(), "authdbtest"), false, nil
	case "authctl":
		return pl.Config.Authctl, false, nil
	case "model":
		return pl.Config.Package, true, nil
	}
	return "", false, fmt.Errorf("unknown folder go/%s; known: auth, authdb, authdbtest, model, authctl", folder)
}

func renderFile(pl *plan.Plan, s plugin.Selected, src source) ([]plan.File, error) {
	if src.engines != nil && !slices.Contains(src.engines, pl.Engine.Name) {
		return nil, nil
	}
	dir, perModel, err := destination(pl, src.out)
	if err != nil {
		return nil, &Error{s.Name, src.path, err}
	}
	one := func(m plan.Model, mine plugin.Selected) (plan.File, error) {
		to := dir
		if strings.HasPrefix(src.out, "go/model/") {
			to = path.Join(dir, m.Package)
		}
		if src.isMail() {
			to = path.Join(dir, m.Package, mailDir)
		}
		to = path.Join(to, src.sub())
		f := plan.File{Path: path.Join(to, placeholders(path.Base(src.out), m)), Origin: s.Name}
		content, err := execute(pl, mine, src, newData(pl, mine, m))
		if err == nil {
			f.Content, err = formatted(pl, mine, src, f.Path, content)
		}
		if err != nil {
			return plan.File{}, err
		}
		if strings.HasSuffix(f.Path, "_gen.go") {
			f.Owner = plan.Machine
		}
		return f, nil
	}
	if !perModel {
		f, err := one(plan.Model{}, s)
		if err != nil {
			return nil, err
		}
		return []plan.File{f}, nil
	}
	var files []plan.File
	for _, m := range pl.Models {
		i := slices.IndexFunc(m.Plugins, func(p plugin.Selected) bool { return p.Name == s.Name })
		if i < 0 {
			continue
		}
		f, err := one(m, m.Plugins[i])
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func execute(pl *plan.Plan, s plugin.Selected, src source, d data) ([]byte, error) {
	fail := func(err error) ([]byte, error) { return nil, &Error{s.Name, src.path, err} }
	text, err := fs.ReadFile(s.FS, src.path)
	if err != nil {
		return fail(err)
	}
	left, right := src.delims()
	t, err := template.New(path.Base(src.path)).Delims(left, right).Option("missingkey=error").Funcs(funcs(pl.Engine)).Parse(string(text))
	if err != nil {
		return fail(err)
	}
	if src.engines == nil {
		if err := overlay(t, s, src, pl.Engine.Name); err != nil {
			return fail(err)
		}
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, d); err != nil {
		return fail(err)
	}
	if src.isMail() {
		if err := checkTemplate(path.Base(src.out), buf.String()); err != nil {
			return fail(err)
		}
	}
	return buf.Bytes(), nil
}

// formatted is a template's output as gofmt would have it, if it is Go. What was written last is so already: most templates
// look like gofmt's output, and a run that changes nothing would spend two thirds of its time on finding that out.
func formatted(pl *plan.Plan, s plugin.Selected, src source, to string, content []byte) ([]byte, error) {
	if !strings.HasSuffix(src.out, ".go") || pl.Wrote(to, content) {
		return content, nil
	}
	out, err := format.Source(content)
	if err != nil {
		return nil, &Error{s.Name, src.path, fmt.Errorf("not Go: %w\n%s", err, numbered(content))}
	}
	return out, nil
}

// checkTemplate refuses a mail that the running program could not parse. It knows nothing of the functions that the
// program adds.
func checkTemplate(name, text string) error {
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(text, "", "", map[string]*parse.Tree{}); err != nil {
		return fmt.Errorf("what comes out is no template: %w", err)
	}
	return nil
}

// overlay replaces the template's blocks by the defines of its engine's file. A define without a block would
// never be seen, and text/template ignores a blank one, so both are errors.
func overlay(t *template.Template, s plugin.Selected, src source, eng string) error {
	ext := path.Ext(src.out)
	name := strings.TrimSuffix(src.out, ext) + "." + eng + ext + ".tmpl"
	text, err := fs.ReadFile(s.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	left, right := src.delims()
	defines, err := template.New("overlay").Delims(left, right).Funcs(funcs(engine.Default())).Parse(string(text))
	if err != nil {
		return err
	}
	for _, def := range defines.Templates() {
		if def.Name() == "overlay" {
			continue
		}
		if t.Lookup(def.Name()) == nil {
			return fmt.Errorf("%s defines %q, for which %s has no block", path.Base(name), def.Name(), path.Base(src.path))
		}
		if parse.IsEmptyTree(def.Root) {
			return fmt.Errorf("%s: the define %q is blank and would be ignored", path.Base(name), def.Name())
		}
	}
	_, err = t.Parse(string(text))
	return err
}

// funcs are the engine's words, and what turns options into Go. Templates cannot ask for the engine's name.
func funcs(e engine.Engine) template.FuncMap {
	return template.FuncMap{
		"type":     e.Word,
		"castKey":  e.CastKey,
		"in":       e.In,
		"duration": goDuration,
		"words":    strings.Fields,
	}
}

// goDuration is a duration as a Go programmer writes it: 90 * 24 * time.Hour.
func goDuration(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		text string
	}{{24 * time.Hour, "24 * time.Hour"}, {time.Hour, "time.Hour"}, {time.Minute, "time.Minute"}, {time.Second, "time.Second"}} {
		if d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + " * " + u.text
		}
	}
	return "time.Duration(" + strconv.FormatInt(int64(d), 10) + ")"
}

func numbered(src []byte) string {
	var b strings.Builder
	for i, line := range strings.Split(string(src), "\n") {
		fmt.Fprintf(&b, "%5d\t%s\n", i+1, line)
	}
	return b.String()
}

// Snippet runs a text as a template of the plugin's would be run, for one of its models. Go is not formatted.
func Snippet(pl *plan.Plan, s plugin.Selected, m plan.Model, name, text string) ([]byte, error) {
	var buf bytes.Buffer
	t, err := template.New(name).Option("missingkey=error").Funcs(funcs(pl.Engine)).Parse(text)
	if err == nil {
		err = t.Execute(&buf, newData(pl, s, m))
	}
	if err != nil {
		return nil, &Error{s.Name, name, err}
	}
	return buf.Bytes(), nil
}
