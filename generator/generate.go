// Package generator is the spine of custos: one function that knows the order of things.
//
//	project.Load -> plugin.Resolve -> plan.New -> render + wire -> sqlc -> merge.Changes -> disk.Apply
//
// Everything before disk.Apply is a value, so a dry run, a diff and a check are callers of [Generate] that do
// not call [Result.Apply].
package generator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/render"
	"github.com/custos-auth/custos/generator/sqlc"
	"github.com/custos-auth/custos/generator/wire"
)

// Request is what a run is asked to do. Model may be empty: then the project is brought up to date with its
// custos.yaml.
type Request struct {
	Dir     string // any folder of the project
	Options project.Options
	Model   string
	Plugins []plugin.Selection // added to the model's; options given here win over those in custos.yaml
	Destroy *Destroy           // what to take away from the model; nil = nothing
	// Settle says with whose version the conflicts of a file are settled; nil = none are.
	Settle    func(path string) merge.Side
	Attach    string // a detached file, moved away, to be made again; "" = none
	Templates fs.FS  // the built-in plugins
	Version   string // of custos, for the lock
	Runtime   RuntimeModule
	SQLC      sqlc.Runner
	Now       func() time.Time // for migrations numbered by time; nil = time.Now
	Progress  func(step string)
}

// RuntimeModule says where the user's go.mod finds the runtime.
type RuntimeModule struct {
	Version string // v0.1.0
	Replace string // folder of a checkout; "" in a released custos
}

// Result is what a run would do. Nothing was written yet.
type Result struct {
	Project  *project.Project
	Plan     *plan.Plan // nil when there is no model
	Library  *plugin.Library
	Changes  []plan.Change // sorted by path, with the unchanged
	Config   project.Config
	NewModel bool     // the run's model was not in custos.yaml before
	Had      []string // the plugins that it had before, also those that only came along
	Warnings []string // what the user must know of a run that destroys, and of overrides
	Outdated []Outdated
}

// Writes counts the changes that touch the disk.
func (r *Result) Writes() int {
	n := 0
	for _, c := range r.Changes {
		if c.Writes() {
			n++
		}
	}
	return n
}

// Conflicts are the changes that only the user can make: an edit and the new version exclude each other.
func (r *Result) Conflicts() []plan.Change {
	var out []plan.Change
	for _, c := range r.Changes {
		if c.Op == plan.Conflict {
			out = append(out, c)
		}
	}
	return out
}

// ErrConflict is a run whose improvements exclude edits of the user's. Nothing was written.
var ErrConflict = errors.New("generate: your edits and the new versions exclude each other; nothing was written; type: custos upgrade")

// Apply writes all changes or none; with conflicts, none, and the error is [ErrConflict]. It may be called once.
func (r *Result) Apply() error {
	if len(r.Conflicts()) > 0 {
		return ErrConflict
	}
	if r.Writes() == 0 {
		return nil
	}
	return disk.Apply(r.Project.Root, r.Changes)
}

// Library loads the plugins that a project can use: its own first, then the built-in ones, with its overrides in them.
func Library(root string, templates fs.FS) (*plugin.Library, error) {
	sources := []plugin.Source{{Origin: "built in", FS: templates}}
	if root != "" {
		own := os.DirFS(filepath.Join(root, filepath.FromSlash(project.PluginDir)))
		overrides := os.DirFS(filepath.Join(root, filepath.FromSlash(project.TemplateDir)))
		sources = slices.Insert(sources, 0, plugin.Source{Origin: project.PluginDir, FS: own}, plugin.Source{Origin: project.TemplateDir, FS: overrides, Overrides: true})
	}
	return plugin.Load(sources...)
}

// Generate works out what has to change. It reads the project, may start sqlc in a temporary folder, and
// writes nothing into the project. Errors that a user can repair say what to type.
func Generate(ctx context.Context, req Request) (*Result, error) {
	g := &generation{Request: req}
	if g.Now == nil {
		g.Now = time.Now
	}
	if g.Progress == nil {
		g.Progress = func(string) {}
	}
	if err := g.load(); err != nil {
		return nil, err
	}
	if err := g.makePlan(ctx); err != nil {
		return nil, err
	}
	if err := g.renderFiles(); err != nil {
		return nil, err
	}
	if err := g.runSQLC(ctx); err != nil {
		return nil, err
	}
	return g.merge()
}

// generation is one run's state, filled step by step.
type generation struct {
	Request
	project *project.Project
	library *plugin.Library
	config  project.Config
	isNew   bool
	had     []string // plugins of the run's model
	gone    []string // plugins that the run takes away from the model
	warning []string
	schema  plan.Schema // tables that custos did not make
	plan    *plan.Plan
	files   []plan.File
	sqlc    string // hash of sqlc's input

	detached  []string           // for the next lock
	overrides []project.Override // for the next lock
	outdated  []Outdated
}

func (g *generation) load() error {
	p, err := project.Load(g.Dir, g.Options)
	if err != nil {
		return err
	}
	g.project = p
	if err := g.checkDoubled(); err != nil {
		return err
	}
	g.attach()
	if g.library, err = Library(p.Root, g.Templates); err != nil {
		return err
	}
	g.pinOverrides()
	if err := g.wantedConfig(); err != nil {
		return err
	}
	return g.followMoves()
}

// wantedConfig is custos.yaml with the run's model in it.
func (g *generation) wantedConfig() error {
	g.config = g.project.Config
	g.config.Models = slices.Clone(g.config.Models)
	if g.Model == "" {
		return nil
	}
	if g.Destroy != nil {
		return g.configWithout()
	}
	m, err := model.Parse(g.Model)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(g.config.Models, func(c project.ModelConfig) bool { return c.Name == m.Name })
	if i < 0 {
		g.isNew = true
		i = len(g.config.Models)
		g.config.Models = append(g.config.Models, project.ModelConfig{Name: m.Name, Table: m.Table, Path: "/" + m.Table})
	} else if g.had, err = g.pluginsOf(g.config.Models[i]); err != nil {
		return err
	}
	// The lists are shared with the configuration that was read: change copies.
	mc := &g.config.Models[i]
	mc.Plugins = slices.Clone(mc.Plugins)
	seen := map[string]bool{}
	for _, sel := range g.Plugins {
		if seen[sel.Name] {
			return fmt.Errorf("plugin %s is given twice", sel.Name)
		}
		seen[sel.Name] = true
		j := slices.IndexFunc(mc.Plugins, func(pc project.PluginConfig) bool { return pc.Name == sel.Name })
		if j < 0 {
			j = len(mc.Plugins)
			mc.Plugins = append(mc.Plugins, project.PluginConfig{Name: sel.Name})
		}
		options := map[string]string{}
		for k, v := range mc.Plugins[j].Options {
			options[k] = v
		}
		for k, v := range sel.Options {
			options[k] = v
		}
		mc.Plugins[j].Options = options
	}
	return nil
}

func (g *generation) makePlan(ctx context.Context) error {
	// Faults that need no look at the schema come first: a typo should not wait for sqlc.
	first, err := plan.New(g.project, g.config, g.library, nil)
	if err != nil {
		return err
	}
	if err := g.checkTables(first); err != nil {
		return err
	}
	if err := g.readSchema(ctx); err != nil {
		return err
	}
	if g.plan, err = plan.New(g.project, g.config, g.library, g.schema); err != nil {
		return err
	}
	g.plan.Trust(g.project.Lock, g.Version)
	return g.checkOwnFolders()
}

// checkTables refuses a model whose table was renamed in custos.yaml after its migration was written, unless a
// migration names the new table, too.
func (g *generation) checkTables(pl *plan.Plan) error {
	for _, m := range pl.Models {
		for _, e := range g.project.Lock.Ledger(plan.LedgerID(m.Name)) {
			table, ok := writtenTable(e.Path)
			if !ok || table == m.Table || g.inMigrations(m.Table) {
				continue
			}
			return fmt.Errorf("generate %s: %s says table: %s, but %s makes the table %s; write table: %s again, or first rename the table with a migration of yours",
				m.Name, project.ConfigFile, m.Table, e.Path, table, table)
		}
	}
	return nil
}

// writtenTable reads a table's name from its migration's.
func writtenTable(file string) (table string, ok bool) {
	return strings.CutPrefix(project.MigrationTitle(file), "create_")
}

// inMigrations reports whether a migration has the word.
func (g *generation) inMigrations(word string) bool {
	re := regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(word) + `\b`)
	return slices.ContainsFunc(g.project.Migrations.Files, func(f project.MigrationFile) bool { return re.Match(f.Content) })
}

// readSchema looks for tables that custos did not make. It is skipped when nothing could be found, or when
// every model was settled by an earlier run.
func (g *generation) readSchema(ctx context.Context) error {
	settled := true
	for _, m := range g.config.Models {
		_, before := g.project.Config.Model(m.Name)
		settled = settled && before && g.project.LockFile != nil && m.Key != ""
	}
	if !g.project.Migrations.Foreign && len(g.project.Schema) == 0 || settled {
		return nil
	}
	g.Progress("reading your migrations")
	eng, err := engine.ByName(g.config.Engine)
	if err != nil {
		return err
	}
	files := g.migrationFiles()
	schema, err := g.SQLC.ReadSchema(ctx, eng, files)
	if err != nil {
		return err
	}
	ours := map[string]bool{}
	for _, m := range g.config.Models {
		if len(g.project.Lock.Ledger(plan.LedgerID(m.Name))) > 0 {
			ours[m.Table] = true
		}
	}
	for _, t := range schema {
		if !ours[t.Name] && !(strings.HasPrefix(t.Name, "custos_") && len(g.project.Lock.Entries) > 0) {
			g.schema = append(g.schema, t)
		}
	}
	for i, m := range g.config.Models {
		if !ours[m.Table] {
			if err := checkReach(m, g.schema); err != nil {
				return err
			}
		}
		t, found := g.schema.Find(m.Table)
		if !found || m.Key != "" {
			continue
		}
		key, err := sqlc.Key(t, files)
		if err != nil {
			return err
		}
		g.config.Models[i].Key = key
		g.project.Findings = append(g.project.Findings, fmt.Sprintf("table %s: there already, with a %s key; it is %s's", m.Table, key, m.Name))
		if column := marksGone(t); column != "" {
			g.warn("%s has a column %s, which custos does not look at: whom it marks as gone still signs in; %s says how to refuse them", m.Table, column, path.Join(g.config.Package, "SECURITY.md"))
		}
		if eng.Name == "sqlite" && sqlc.ReturnsKeys(t, files) {
			g.warn("%s.id is INTEGER PRIMARY KEY without AUTOINCREMENT: SQLite gives the key of a deleted row to the next one, which then has all credentials of the deleted one; make the table anew with AUTOINCREMENT before you delete rows", m.Table)
		}
	}
	return nil
}

// gone are the columns by which applications and ORMs mark rows whose owner is not to get in any more.
var gone = regexp.MustCompile(`(?i)^(is_)?(active|enabled|deleted|discarded|disabled|deactivated|suspended|banned|blocked|archived)(_at)?$`)

// marksGone is the column by which a table marks such rows, or "".
func marksGone(t plan.Table) string {
	for _, c := range t.Columns {
		if gone.MatchString(c.Name) {
			return c.Name
		}
	}
	return ""
}

// checkReach refuses a table of the user's that generated queries would not find by the model's table name: one in another
// schema, or one whose name needs quotes.
func checkReach(m project.ModelConfig, schema plan.Schema) error {
	t, found := schema.Find(m.Table)
	for _, other := range schema {
		if _, name, qualified := strings.Cut(other.Name, "."); !found && qualified && strings.EqualFold(name, m.Table) {
			return fmt.Errorf("generate %s: your migrations make the table %s, and custos takes tables of the default schema only; move it there with a migration of yours, or have another one made: table: in %s",
				m.Name, other.Name, project.ConfigFile)
		}
	}
	if t.Name == strings.ToLower(t.Name) {
		return nil
	}
	return fmt.Errorf("generate %s: your migrations make the table %q, in quotes, and generated queries have none; leave the quotes out there, or, where it was run and they matter (PostgreSQL), rename it with a migration of yours: ALTER TABLE %q RENAME TO %s",
		m.Name, t.Name, t.Name, strings.ToLower(t.Name))
}

// migrationFiles are the migrations, and other schema files of the user's, as sqlc reads them.
func (g *generation) migrationFiles() []sqlc.File {
	var files []sqlc.File
	for _, f := range slices.Concat(g.project.Migrations.Files, g.project.Schema) {
		files = append(files, sqlc.File{Path: f.Path, Content: f.Content})
	}
	return files
}

// TakenError is a folder of the user's where a package of custos would go.
type TakenError struct {
	Dir     string
	Example string // a file in it
	Flag    string // what to type
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("the folder %s is yours (it has %s); nothing was written; choose another: %s", e.Dir, e.Example, e.Flag)
}

// checkOwnFolders refuses to put generated packages among the user's own.
func (g *generation) checkOwnFolders() error {
	type folder struct{ dir, flag string }
	folders := []folder{
		{g.config.Package, "--package internal/authn"},
		{g.plan.AuthDB(), "--package internal/authn"},
		{g.config.Authctl, "set authctl in " + project.ConfigFile + " after `custos init`"},
	}
	for _, m := range g.plan.Models {
		folders = append(folders, folder{path.Join(g.config.Package, m.Package), "name the model otherwise, or --package internal/authn"})
	}
	for _, f := range append(folders, folder{g.config.Queries, "set queries in " + project.ConfigFile}) {
		if err := g.checkModule(f.dir, f.flag); err != nil {
			return err
		}
	}
	for _, f := range folders {
		if slices.ContainsFunc(g.project.Lock.Entries, func(e project.Entry) bool { return path.Dir(e.Path) == f.dir }) {
			continue // ours since an earlier run
		}
		names, err := filepath.Glob(filepath.Join(g.project.Root, filepath.FromSlash(f.dir), "*.go"))
		if err != nil {
			return fmt.Errorf("look into %s: %w", f.dir, err)
		}
		if len(names) > 0 && g.overtaken() {
			return errOvertaken
		}
		if len(names) > 0 {
			return &TakenError{Dir: f.dir, Example: filepath.Base(names[0]), Flag: f.flag}
		}
	}
	return nil
}

// checkModule refuses a folder in another module below the root: nothing in this one could import it.
func (g *generation) checkModule(dir, flag string) error {
	for d := dir; d != "." && d != "/"; d = path.Dir(d) {
		info, err := os.Stat(filepath.Join(g.project.Root, filepath.FromSlash(d), "go.mod"))
		if err == nil && !info.IsDir() {
			return fmt.Errorf("generate into %s: %s/go.mod makes it a part of another module, whose code %s would not see; nothing was written; choose another folder: %s",
				dir, d, g.project.Module, flag)
		}
	}
	return nil
}

func (g *generation) renderFiles() error {
	g.Progress("rendering")
	files, err := render.Files(g.plan)
	if err != nil {
		return err
	}
	if len(g.plan.Models) == 0 {
		files = nil
	}
	migrations, err := g.numberMigrations()
	if err != nil {
		return err
	}
	g.files = slices.Concat(g.files, files, migrations)
	if err := g.leaveDetached(); err != nil || len(g.plan.Models) == 0 {
		return err
	}
	wired, err := wire.Files(g.plan)
	if err != nil {
		return err
	}
	g.files = append(g.files, wired...)
	return g.checkMoved()
}

// numberMigrations turns the schema changes that were not written before into files of the project's tool.
func (g *generation) numberMigrations() ([]plan.File, error) {
	all, err := render.Migrations(g.plan)
	if err != nil {
		return nil, err
	}
	var fresh []render.Migration
	for _, m := range all {
		if len(g.project.Lock.Ledger(m.ID)) == 0 {
			fresh = append(fresh, m)
		}
	}
	undone, err := g.undone()
	if err != nil {
		return nil, err
	}
	fresh = append(fresh, undone...)
	cfg := g.config.Migrations
	var files []plan.File
	for i, number := range g.project.Migrations.Next(cfg, len(fresh), g.Now()) {
		m := fresh[i]
		upName, downName := project.MigrationName(cfg, number, m.Name)
		up, down := project.MigrationBody(cfg.Tool, m.Up, m.Down)
		add := func(name string, content []byte) {
			files = append(files, plan.File{Path: path.Join(cfg.Dir, name), Content: content, Owner: plan.Ledger, Origin: m.Origin, ID: m.ID})
		}
		if i >= len(fresh)-len(undone) {
			g.warnOfLoss(path.Join(cfg.Dir, upName), m.Up)
		}
		add(upName, up)
		if downName != "" {
			add(downName, down)
		}
	}
	return files, nil
}

// runSQLC generates authdb from the migrations and queries as they will be after this run. It is not started
// when its input is the one of the last run and its output is still there.
func (g *generation) runSQLC(ctx context.Context) error {
	if len(g.plan.Models) == 0 {
		return nil
	}
	config := sqlc.Config(g.plan)
	g.files = append(g.files, plan.File{Path: config.Path, Content: config.Content, Owner: plan.Machine, Origin: plugin.Core})
	in := sqlc.Input{Config: config, Out: g.plan.AuthDB(), Schema: g.migrationFiles()}
	known := map[string]bool{}
	for _, f := range in.Schema {
		known[f.Path] = true
	}
	queries := path.Join(g.config.Queries, "queries")
	var wanted []plan.File
	for _, f := range g.files {
		switch {
		case path.Dir(f.Path) == g.config.Migrations.Dir && !known[f.Path]:
			in.Schema = append(in.Schema, sqlc.File{Path: f.Path, Content: f.Content})
		case path.Dir(f.Path) == queries:
			wanted = append(wanted, f)
		}
	}
	if err := g.checkColumns(in.Schema); err != nil {
		return err
	}
	var err error
	if in.Queries, err = g.queries(queries, wanted); err != nil {
		return err
	}
	byPath := func(a, b sqlc.File) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(in.Schema, byPath)
	slices.SortFunc(in.Queries, byPath)
	g.sqlc = in.Hash()
	out, err := g.lastOutput()
	if err != nil {
		return err
	}
	if out == nil {
		g.Progress("running sqlc")
		if out, err = g.SQLC.Generate(ctx, in); err != nil {
			return err
		}
	}
	for _, f := range out {
		g.files = append(g.files, plan.File{Path: f.Path, Content: f.Content, Owner: plan.Machine, Origin: sqlcOrigin})
	}
	return nil
}

// checkColumns refuses a model whose table is called like a column of custos' tables: sqlc knows one name for both, and the field
// would have the model's.
func (g *generation) checkColumns(schema []sqlc.File) error {
	for _, m := range g.plan.Models {
		column := regexp.MustCompile(`(?im)(^|\badd\s+column)\s+` + regexp.QuoteMeta(m.Table) + `\s`)
		for _, f := range schema {
			if strings.Contains(path.Base(f.Path), "custos_") && column.Match(f.Content) {
				return fmt.Errorf("model %s: tables of custos have a column %s, as its table is called; try %q", m.Name, m.Table, m.Name+"Account")
			}
		}
	}
	return nil
}

// sqlcOrigin marks sqlc's output in the lock.
const sqlcOrigin = "sqlc"

// queries are the files that sqlc reads: the wanted ones as they will be after the merge, and what the user
// put beside them.
func (g *generation) queries(dir string, wanted []plan.File) ([]sqlc.File, error) {
	changes, err := g.ours(merge.Folder(g.project, dir, wanted, g.Version))
	if err != nil {
		return nil, err
	}
	var files []sqlc.File
	have := map[string]bool{}
	for _, f := range wanted {
		for _, c := range changes {
			if c.Path != f.Path {
				continue
			}
			content := c.New
			switch c.Op {
			case plan.Keep:
				content = c.Old
			case plan.Conflict:
				content = c.Stages[1] // sqlc cannot read markers
			}
			have[f.Path] = true
			if content != nil {
				files = append(files, sqlc.File{Path: f.Path, Content: content})
			}
		}
	}
	names, err := filepath.Glob(filepath.Join(g.project.Root, filepath.FromSlash(dir), "*.sql"))
	if err != nil {
		return nil, fmt.Errorf("look for queries in %s: %w", dir, err)
	}
	for _, name := range names {
		p := path.Join(dir, filepath.Base(name))
		if have[p] {
			continue
		}
		if e, ok := g.project.Lock.Find(p); ok && e.Owner == project.OwnerUser {
			continue // of a plugin that is gone: merge decides about it
		}
		content, _, err := g.project.Read(p)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(changes, func(c plan.Change) bool { return c.Path == p && c.Op == plan.Merge }); i >= 0 {
			content = changes[i].New // a query that was moved here is improved here
		}
		files = append(files, sqlc.File{Path: p, Content: content})
	}
	return files, nil
}

// lastOutput is what sqlc wrote last, when that is still what it would write, or nil.
func (g *generation) lastOutput() ([]sqlc.File, error) {
	if g.project.Lock.SQLC != g.sqlc {
		return nil, nil
	}
	var files []sqlc.File
	for _, e := range g.project.Lock.Entries {
		if e.Origin != sqlcOrigin {
			continue
		}
		content, exists, err := g.project.Read(e.Path)
		if err != nil {
			return nil, err
		}
		if !exists || project.Hash(content) != e.Hash {
			return nil, nil
		}
		files = append(files, sqlc.File{Path: e.Path, Content: content})
	}
	return files, nil
}

// ours is what package merge says, which takes what another custos wrote since this one began for the user's.
func (g *generation) ours(changes []plan.Change, err error) ([]plan.Change, error) {
	if foreign := (*merge.ForeignError)(nil); errors.As(err, &foreign) && g.overtaken() {
		return nil, errOvertaken
	}
	for i, c := range changes {
		if g.Settle != nil {
			changes[i] = merge.Settle(c, g.Settle(c.Path))
		}
	}
	return changes, err
}

var errOvertaken = errors.New("generate: another custos has written into this project meanwhile; nothing was written; run it again")

// overtaken reports whether another custos has written, or is writing, into the project since it was loaded.
func (g *generation) overtaken() bool {
	lock, _, err := g.project.Read(project.LockFile)
	return err == nil && !bytes.Equal(lock, g.project.LockFile) || disk.Pending(g.project.Root)
}

// merge compares what is wanted with what is there, and adds the files about the project itself.
func (g *generation) merge() (*Result, error) {
	g.files = append(g.files,
		plan.File{Path: project.SchemaFile, Content: project.Schema(), Owner: plan.Machine, Origin: plugin.Core},
		plan.File{Path: project.Dir + "/.gitattributes", Content: []byte("base/** linguist-generated -diff -merge\n"), Owner: plan.Machine, Origin: plugin.Core},
	)
	if err := g.ignore(); err != nil {
		return nil, err
	}
	changes, err := g.ours(merge.Changes(g.project, g.files, g.Version))
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(changes, plan.Change.Writes) {
		err := plan.CheckDeclarations(g.files)
		if twice := (*plan.DeclarationError)(nil); errors.As(err, &twice) && g.isNew && strings.Contains(twice.Name, g.modelName()) {
			if _, err := model.Parse(g.modelName() + "Account"); err == nil {
				twice.Try = g.modelName() + "Account"
			}
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range g.config.Models {
		if g.config.Models[i].Key == "" {
			g.config.Models[i].Key = engine.BigInt
		}
	}
	g.warnOfLeftModels()
	config := project.RenderConfig(g.config)
	if g.project.ConfigFile != nil {
		if config, err = project.UpdateConfig(g.project.ConfigFile, g.config); err != nil {
			return nil, err
		}
	}
	gomod, err := g.goMod()
	if err != nil {
		return nil, err
	}
	next := merge.Lock(g.project, g.files, changes, g.Version, g.sqlc)
	next.Detached, next.Overrides = g.detached, g.overrides
	lock := next.Bytes()
	add := func(name string, old, content []byte) {
		c := plan.Change{Path: name, Op: plan.Replace, Old: old, New: content, Origin: plugin.Core}
		switch {
		case old == nil:
			c.Op = plan.Create
		case bytes.Equal(old, content):
			c.Op = plan.Same
		}
		changes = append(changes, c)
	}
	add(project.ConfigFile, g.project.ConfigFile, config)
	add(project.LockFile, g.project.LockFile, lock)
	add("go.mod", g.project.GoMod, gomod)
	slices.SortFunc(changes, func(a, b plan.Change) int { return strings.Compare(a.Path, b.Path) })
	if err := g.checkSpelling(changes); err != nil {
		return nil, err
	}
	return &Result{Project: g.project, Plan: g.plan, Library: g.library, Changes: changes, Config: g.config, NewModel: g.isNew, Had: g.had, Warnings: g.warning, Outdated: g.outdated}, nil
}

// ignored is what is in custos' folder only for a while: an upgrade that waits, with files of before in it, and a run.
const ignored = "/merge.json\n/lock\n/tx/\n"

// ignore keeps that out of git. A .gitignore that is the user's, or that they have edited, is left alone.
func (g *generation) ignore() error {
	const name = project.IgnoreFile
	content, exists, err := g.project.Read(name)
	if err != nil {
		return err
	}
	e, known := g.project.Lock.Find(name)
	if exists && string(content) != ignored && (!known || e.Hash != project.Hash(content)) {
		g.project.Lock.Entries = slices.DeleteFunc(slices.Clone(g.project.Lock.Entries), func(e project.Entry) bool { return e.Path == name })
		return nil
	}
	g.files = append(g.files, plan.File{Path: name, Content: []byte(ignored), Owner: plan.Machine, Origin: plugin.Core})
	return nil
}

// checkSpelling refuses two changes of one path.
func (g *generation) checkSpelling(changes []plan.Change) error {
	for i := 1; i < len(changes); i++ {
		if changes[i].Path == changes[i-1].Path {
			return &plan.CollisionError{Path: changes[i].Path, Origins: [2]string{changes[i-1].Origin, changes[i].Origin}}
		}
	}
	return nil
}

// goMod is go.mod with what generated code imports. Versions that are there stay.
func (g *generation) goMod() ([]byte, error) {
	if len(g.plan.Models) == 0 {
		return g.project.GoMod, nil
	}
	wanted := []project.Requirement{
		{Path: plan.Runtime, Version: g.Runtime.Version, Replace: g.Runtime.Replace},
		{Path: g.plan.Driver.Module, Version: g.plan.Driver.Version},
	}
	for _, s := range g.plan.Plugins() {
		for _, path := range slices.Sorted(maps.Keys(s.Manifest.Modules)) {
			wanted = append(wanted, project.Requirement{Path: path, Version: s.Manifest.Modules[path]})
		}
	}
	return project.EditGoMod(g.project.GoMod, wanted)
}
