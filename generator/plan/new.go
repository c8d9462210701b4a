package plan

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// Runtime is the import path of the module that generated code calls. This side of the wall knows it as text.
const Runtime = "github.com/custos-auth/custos/runtime"

// Plan is what a run is about: the project's configuration, checked, with every word resolved.
type Plan struct {
	Module string
	Config project.Config
	Engine engine.Engine
	Driver engine.Driver
	Models []Model  // sorted by name
	Schema []string // files with more of the user's schema, outside the migration folder

	written map[string]string // hashes of what this very custos wrote last, by path
}

// Model is one model with its plugins.
type Model struct {
	model.Model
	Table   string     // the table, also when custos.yaml names another than the default
	Key     engine.Key // the type of its primary key
	Path    string     // where its routes are mounted
	Owned   bool       // custos made the table
	Plugins []plugin.Selected
}

// Table is a table of the user's schema.
type Table struct {
	Name    string // app.users when it is not in the default schema
	Columns []Column
}

// Column is a column of it, in the engine's own words.
type Column struct {
	Name    string
	Type    string
	NotNull bool
}

// Schema finds a table by name; ok is false when there is none.
type Schema []Table

// Find returns the named table.
func (s Schema) Find(name string) (Table, bool) {
	for _, t := range s {
		if strings.EqualFold(t.Name, name) {
			return t, true
		}
	}
	return Table{}, false
}

// LedgerID is the identity of the migration that makes a model's table.
func LedgerID(modelName string) string { return "model." + modelName }

// New checks a configuration against the library and the user's schema, and resolves it. The schema holds the
// tables that custos did not make; it may be empty. New joins every fault that it finds.
func New(p *project.Project, cfg project.Config, lib *plugin.Library, schema Schema) (*Plan, error) {
	eng, err := engine.ByName(cfg.Engine)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", project.ConfigFile, err)
	}
	driver, err := eng.Driver(cfg.Driver)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", project.ConfigFile, err)
	}
	pl := &Plan{Module: p.Module, Config: cfg, Engine: eng, Driver: driver}
	for _, f := range p.Schema {
		pl.Schema = append(pl.Schema, f.Path)
	}
	var errs []error
	var names []model.Model
	for _, mc := range cfg.Models {
		m, err := newModel(p, mc, lib, schema)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		pl.Models = append(pl.Models, m)
		names = append(names, m.Model)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := model.CheckUnique(names); err != nil {
		return nil, err
	}
	slices.SortFunc(pl.Models, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return pl, errors.Join(pl.checkTables(p, schema), pl.checkPaths(), pl.checkCommands())
}

func newModel(p *project.Project, mc project.ModelConfig, lib *plugin.Library, schema Schema) (Model, error) {
	parsed, err := model.Parse(mc.Name)
	if err != nil {
		return Model{}, err
	}
	m := Model{Model: parsed, Table: mc.Table, Key: mc.Key, Path: mc.Path}
	if m.Table == "" {
		m.Table = parsed.Table
	}
	if m.Path == "" {
		m.Path = "/" + m.Table
	}
	var selections []plugin.Selection
	for _, pc := range mc.Plugins {
		selections = append(selections, plugin.Selection{Name: pc.Name, Options: pc.Options})
	}
	if m.Plugins, err = lib.Resolve(selections); err != nil {
		return Model{}, fmt.Errorf("model %s: %w", parsed.Name, err)
	}
	if m.Plugins, err = plugin.Bind(m.Plugins, parsed.Name); err != nil {
		return Model{}, fmt.Errorf("model %s: %w", parsed.Name, err)
	}
	if strings.HasPrefix(m.Table, "custos_") {
		return Model{}, fmt.Errorf("model %s: table %s: names that start with custos_ are for plugins", parsed.Name, m.Table)
	}
	_, theirs := schema.Find(m.Table)
	_, configured := p.Config.Model(parsed.Name)
	m.Owned = len(p.Lock.Ledger(LedgerID(parsed.Name))) > 0 || !theirs && !(configured && p.LockFile != nil)
	if m.Key == "" {
		m.Key = engine.BigInt
	}
	if m.Owned && engine.Reserves(m.Table) {
		return Model{}, fmt.Errorf("model %s: SQL reserves the word %s, its table's name; try %q", parsed.Name, m.Table, parsed.Name+"Account")
	}
	if m.Owned && m.Key != engine.BigInt {
		return Model{}, fmt.Errorf("model %s: custos makes tables with a bigint key; for a %s key write the migration of %s yourself first", parsed.Name, m.Key, m.Table)
	}
	return m, nil
}

// checkTables refuses tables that two models share, and tables of the user's with a plugin's name.
func (pl *Plan) checkTables(p *project.Project, schema Schema) error {
	var errs []error
	seen := map[string]string{}
	for _, m := range pl.Models {
		if other := seen[m.Table]; other != "" {
			errs = append(errs, fmt.Errorf("models %s and %s share the table %s; give one another in %s", other, m.Name, m.Table, project.ConfigFile))
		}
		seen[m.Table] = m.Name
		for _, s := range m.Plugins {
			for _, t := range s.Manifest.Tables {
				if _, theirs := schema.Find(t); theirs {
					errs = append(errs, fmt.Errorf("plugin %s: the table %s is in your migrations and not from custos; rename yours first", s.Name, t))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// checkPaths refuses routes of two models at one place.
func (pl *Plan) checkPaths() error {
	seen := map[string]string{}
	for _, m := range pl.Models {
		if other := seen[m.Path]; other != "" {
			return fmt.Errorf("models %s and %s are both mounted at %s; give one another path in %s", other, m.Name, m.Path, project.ConfigFile)
		}
		seen[m.Path] = m.Name
	}
	return nil
}

// checkCommands refuses a word of authctl that two plugins bring, or whose function would be another one for each
// model: the program has one function for a word.
func (pl *Plan) checkCommands() error {
	type command struct{ plugin, fun string }
	seen := map[string]command{}
	for _, m := range pl.Models {
		for _, s := range m.Plugins {
			for word, c := range s.Manifest.Commands {
				other, ok := seen[word]
				switch {
				case ok && other.plugin != s.Name:
					names := []string{other.plugin, s.Name}
					slices.Sort(names)
					return fmt.Errorf("plugins %s both bring the word %s; one project can have one of them", strings.Join(names, " and "), word)
				case ok && other.fun != c.Func:
					return fmt.Errorf("plugin %s: the word %s runs %s for one model and %s for another; leave MODEL out of its func", s.Name, word, other.fun, c.Func)
				}
				seen[word] = command{s.Name, c.Func}
			}
		}
	}
	return nil
}

// Trust makes the plan know what a lock says was written, if the custos of this version wrote it: another one may format
// Go otherwise. Builds from checkouts are all of one version; they differ in that when Go's own formatting changed.
func (pl *Plan) Trust(l project.Lock, version string) {
	if l.Generator != version {
		return
	}
	pl.written = make(map[string]string, len(l.Entries))
	for _, e := range l.Entries {
		pl.written[e.Path] = e.Hash
	}
}

// Wrote reports whether the content is what was written into a file last, so that it has been formatted.
func (pl *Plan) Wrote(path string, content []byte) bool {
	hash, ok := pl.written[path]
	return ok && hash == project.Hash(content)
}

// AuthPackage is the name of the shared package.
func (pl *Plan) AuthPackage() string { return path.Base(pl.Config.Package) }

// Import is the import path of a folder of the project.
func (pl *Plan) Import(dir string) string { return path.Join(pl.Module, dir) }

// AuthDB is the folder of sqlc's output.
func (pl *Plan) AuthDB() string { return path.Join(pl.Config.Package, "authdb") }

// Plugins is every plugin of any model, each once, in order.
func (pl *Plan) Plugins() []plugin.Selected {
	var out []plugin.Selected
	seen := map[string]bool{}
	for _, m := range pl.Models {
		for _, s := range m.Plugins {
			if !seen[s.Name] {
				seen[s.Name] = true
				out = append(out, s)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b plugin.Selected) int {
		if c := depth(a) - depth(b); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// HasCommands reports whether there is anything for the administration program to do. What core adds to it is for
// the tables of others.
func (pl *Plan) HasCommands() bool {
	return slices.ContainsFunc(pl.Plugins(), func(s plugin.Selected) bool { return s.Name != plugin.Core && len(s.Manifest.Commands) > 0 })
}

// depth puts core before all others.
func depth(s plugin.Selected) int {
	if s.Name == plugin.Core {
		return 0
	}
	return 1
}

// longU begins a word that is spoken like "you": user and unit, but not uncle.
var longU = regexp.MustCompile(`^u[^aeiou][aeiou]`)

// Article is "a" or "an", as the model's name wants it.
func (m Model) Article() string {
	if strings.ContainsRune("aeiouAEIO", rune(m.Words[0])) && !longU.MatchString(m.Words) {
		return "an"
	}
	return "a"
}

// ID is the Go type of the model's key.
func (m Model) ID() string { return m.Key.GoType() }

// Routes lists a model's routes, in the order of its plugins.
func (m Model) Routes() []plugin.Route {
	var out []plugin.Route
	for _, s := range m.Plugins {
		for _, r := range s.Manifest.Routes {
			r.Path = m.Path + r.Path
			out = append(out, r)
		}
	}
	return out
}

// Mounts proposes where a new model's routes go that the application mounts itself: where clients expect them, or beside
// that when a model before it is there.
func (p *Plan) Mounts(m Model) []plugin.Mount {
	var out []plugin.Mount
	for _, s := range m.Plugins {
		taken := slices.ContainsFunc(p.Models, func(o Model) bool {
			return o.Name != m.Name && slices.ContainsFunc(o.Plugins, func(other plugin.Selected) bool { return other.Name == s.Name })
		})
		for _, at := range s.Manifest.Mounts {
			if taken {
				at.Path = "/" + m.Snake + "_" + strings.TrimPrefix(at.Path, "/")
			}
			out = append(out, at)
		}
	}
	return out
}

// Env is what a model's plugins want in the environment.
func (m Model) Env() map[string]plugin.Variable {
	out := map[string]plugin.Variable{}
	for _, s := range m.Plugins {
		maps.Copy(out, s.Manifest.Env)
	}
	return out
}

// Checks are the functions that say what is wrong with the environment, each once, in the order of the plugins.
func (pl *Plan) Checks() []string {
	var out []string
	for _, s := range pl.Plugins() {
		for _, v := range slices.Sorted(maps.Keys(s.Manifest.Env)) {
			if check := s.Manifest.Env[v].Check; check != "" && !slices.Contains(out, check) {
				out = append(out, check)
			}
		}
	}
	return out
}

// AbsentID is a key, as text, that no row of a test has.
func (m Model) AbsentID() string {
	if m.Key == engine.BigInt {
		return "987654321"
	}
	return "00000000-0000-0000-0000-000000000000"
}
