package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/custos-auth/custos/generator/engine"
)

// ErrNoModule is wrapped by [Load] when there is no go.mod in the folder or above it.
var ErrNoModule = errors.New("no go.mod")

// Load reads the project that dir is in. What custos.yaml does not say is found out: first from the options,
// then from the user's sqlc configuration, drivers and migrations.
func Load(dir string, o Options) (*Project, error) {
	root, err := findModule(dir)
	if err != nil {
		return nil, err
	}
	p := &Project{Root: root}
	direct, err := p.readModule()
	if err != nil {
		return nil, err
	}
	if p.LockFile, _, err = p.Read(LockFile); err != nil {
		return nil, err
	}
	if p.LockFile != nil {
		var disputed map[string][]Entry
		if p.Lock, disputed, err = parseLock(p.LockFile); err != nil {
			return nil, err
		}
		if err := p.mend(disputed); err != nil {
			return nil, err
		}
		p.Findings = append(p.Findings, p.Lock.Healed...)
	} else if err := p.checkLost(); err != nil {
		return nil, err
	}
	if p.ConfigFile, _, err = p.Read(ConfigFile); err != nil {
		return nil, err
	}
	asked := o
	if o, err = o.checked(); err != nil {
		return nil, err
	}
	var d *doc
	if p.ConfigFile != nil {
		if p.Config, d, err = parseConfig(p.ConfigFile); err != nil {
			return nil, err
		}
		if err := o.contradicts(d, asked, p.Lock.migrated()); err != nil {
			return nil, err
		}
	}
	fill(&p.Config.Package, o.Package, DefaultPackage)
	fill(&p.Config.Queries, DefaultQueries)
	fill(&p.Config.Authctl, DefaultAuthctl)
	found, err := p.findSQLC()
	if err != nil {
		return nil, err
	}
	if err := p.findEngine(o, found, direct); err != nil {
		return nil, err
	}
	if err := p.checkEngine(d); err != nil {
		return nil, err
	}
	if err := p.findMigrations(found); err != nil {
		return nil, err
	}
	return p, p.readSchema(found)
}

// fill gives an empty setting the first answer that there is.
func fill(s *string, answers ...string) {
	for _, a := range answers {
		if *s == "" {
			*s = a
		}
	}
}

func (p *Project) found(format string, args ...any) {
	p.Findings = append(p.Findings, fmt.Sprintf(format, args...))
}

// ErrLockLost is custos.lock missing where custos has written: all that it wrote would be taken for the user's.
var ErrLockLost = errors.New("read " + LockFile + ": it is missing, and " + BaseDir + " is not; bring it back: git checkout -- " + LockFile)

func (p *Project) checkLost() error {
	entries, err := p.list(BaseDir)
	if err == nil && len(entries) > 0 {
		return ErrLockLost
	}
	return err
}

func findModule(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	}
	if info, err := os.Stat(abs); err != nil {
		return "", fmt.Errorf("find go.mod: %w", err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("find go.mod: %s is not a folder", dir)
	}
	for d := abs; ; d = filepath.Dir(d) {
		info, err := os.Stat(filepath.Join(d, "go.mod"))
		switch {
		case err == nil && info.Mode().IsRegular():
			return d, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("find go.mod: %w", err)
		case filepath.Dir(d) == d:
			if dirs := workspace(abs); len(dirs) > 0 {
				return "", fmt.Errorf("find go.mod: %w in %s or above; go.work has %s; type: cd %s", ErrNoModule, abs, strings.Join(dirs, ", "), dirs[0])
			}
			name := strings.ToLower(filepath.Base(abs))
			if module.CheckPath("example.com/"+name) != nil {
				name = "app"
			}
			return "", fmt.Errorf("find go.mod: %w in %s or above; a Go project begins with: go mod init example.com/%s", ErrNoModule, abs, name)
		}
	}
}

// workspace are the folders of a go.work in dir or above, as seen from dir.
func workspace(dir string) []string {
	for d := dir; ; d = filepath.Dir(d) {
		content, err := os.ReadFile(filepath.Join(d, "go.work"))
		if err != nil && filepath.Dir(d) != d {
			continue
		}
		w, err := modfile.ParseWork("go.work", content, nil)
		if err != nil {
			return nil
		}
		var out []string
		for _, u := range w.Use {
			full := filepath.FromSlash(u.Path)
			if !filepath.IsAbs(full) {
				full = filepath.Join(d, full)
			}
			if rel, err := filepath.Rel(dir, full); err == nil {
				out = append(out, filepath.ToSlash(rel))
			}
		}
		return out
	}
}

// readModule reads go.mod; direct are the modules that the project itself imports.
func (p *Project) readModule() (direct map[string]bool, err error) {
	if p.GoMod, _, err = p.Read("go.mod"); err != nil {
		return nil, err
	}
	f, err := modfile.Parse("go.mod", p.GoMod, nil)
	if err != nil {
		return nil, fmt.Errorf("parse %w; repair the line, then check it with: go mod verify", err)
	}
	if f.Module == nil {
		return nil, errors.New("parse go.mod:1: no module line; give the project a name: go mod edit -module=example.com/app")
	}
	p.Module = f.Module.Mod.Path
	p.Requires, direct = map[string]string{}, map[string]bool{}
	for _, r := range f.Require {
		p.Requires[r.Mod.Path] = r.Mod.Version
		if !r.Indirect {
			direct[r.Mod.Path] = true
		}
	}
	p.found("module: %s", p.Module)
	return direct, nil
}

// checked refuses options that nothing could be done with, and spells engines as custos.yaml does.
func (o Options) checked() (Options, error) {
	if o.Engine != "" {
		e, err := engine.ByName(o.Engine)
		if err != nil {
			return o, fmt.Errorf("use --engine: %w", err)
		}
		o.Engine = e.Name
	}
	if o.Driver != "" {
		var names []string
		for _, e := range engine.All() {
			for _, d := range e.Drivers {
				names = append(names, d.Name)
				if d.Name == o.Driver && o.Engine == "" {
					o.Engine = e.Name // a driver speaks to one engine only
				}
			}
		}
		if o.Engine == "" {
			return o, fmt.Errorf("use --driver: unknown driver %q; known: %s", o.Driver, strings.Join(names, ", "))
		}
		e, err := engine.ByName(o.Engine)
		if err != nil {
			return o, err
		}
		if _, err := e.Driver(o.Driver); err != nil {
			return o, fmt.Errorf("use --driver: %w", err)
		}
	}
	if o.Package != "" {
		o.Package = path.Clean(o.Package) // a shell completes folders with a slash
		if err := checkPackage(o.Package); err != nil {
			return o, fmt.Errorf("use --package %q: %w", o.Package, err)
		}
	}
	return o, nil
}

// contradicts refuses an option that asks for something else than custos.yaml.
func (o Options) contradicts(d *doc, asked Options, migrated bool) error {
	var errs []error
	for _, k := range []struct{ key, asked string }{{"engine", o.Engine}, {"driver", o.Driver}, {"package", o.Package}} {
		it, ok := d.root.item(k.key)
		if !ok || k.asked == "" || it.val.text == k.asked {
			continue
		}
		option := k.key + " " + k.asked
		if k.key == "engine" && asked.Engine == "" {
			option = "driver " + o.Driver // it implies the engine
		}
		if k.key == "engine" && migrated {
			errs = append(errs, fmt.Errorf("use --%s: %w", option, d.errorf(it.val.pos, "says %s; leave the option out: %s", it.val.text, engineStays)))
			continue
		}
		errs = append(errs, fmt.Errorf("use --%s: %w", option,
			d.errorf(it.val.pos, "says %s; leave the option out, or write %s: %s there and run: custos upgrade", it.val.text, k.key, k.asked)))
	}
	return errors.Join(errs...)
}

const engineStays = "a project cannot change its engine once its migrations are written"

// migrated reports whether custos has written migrations.
func (l Lock) migrated() bool {
	return slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Owner == OwnerLedger })
}

// checkEngine refuses an engine that is not the one of the last run. custos' own sqlc.yaml remembers that one.
func (p *Project) checkEngine(d *doc) error {
	i := slices.IndexFunc(p.Lock.Entries, func(e Entry) bool { return e.Owner == OwnerMachine && path.Base(e.Path) == "sqlc.yaml" })
	if i < 0 || !p.Lock.migrated() {
		return nil
	}
	content, _, err := p.Read(p.Lock.Entries[i].Path)
	if err != nil {
		return err
	}
	var f sqlcFile
	if err := yaml.Unmarshal(content, &f); err != nil || len(f.SQL) == 0 {
		return nil // edited: it will be written again
	}
	last, err := engine.ByName(f.SQL[0].Engine)
	if err != nil || last.Name == p.Config.Engine {
		return nil
	}
	if d != nil {
		if it, ok := d.root.item("engine"); ok {
			return d.errorf(it.val.pos, "the migrations are for %s, and %s; write engine: %s again", last.Name, engineStays, last.Name)
		}
	}
	return fmt.Errorf("read %s: the engine is %s, but the migrations are for %s, and %s; write engine: %s", ConfigFile, p.Config.Engine, last.Name, engineStays, last.Name)
}

// driverModule is a module in a go.mod that tells which database the project speaks to.
type driverModule struct {
	module, engine, driver string
	beside                 string // what to call it, when generated code cannot use its connections; "" = it can
}

func driverModules() []driverModule {
	return []driverModule{
		{"modernc.org/sqlite", "sqlite", "modernc", ""},
		{"github.com/mattn/go-sqlite3", "sqlite", "mattn", ""},
		{"github.com/jackc/pgx/v5", "postgres", "pgx", ""},
		{"github.com/lib/pq", "postgres", "pgx", "lib/pq"},
		{"github.com/go-sql-driver/mysql", "mysql", "mysql", ""},
		{"gorm.io/driver/sqlite", "sqlite", "mattn", ""},
		{"github.com/glebarez/sqlite", "sqlite", "modernc", ""},
		{"gorm.io/driver/postgres", "postgres", "pgx", ""},
		{"gorm.io/driver/mysql", "mysql", "mysql", ""},
		{"github.com/uptrace/bun/driver/pgdriver", "postgres", "pgx", "pgdriver"},
		{"github.com/uptrace/bun/driver/sqliteshim", "sqlite", "modernc", ""},
		{"github.com/jackc/pgx/v4", "postgres", "pgx", "pgx v4"},
		{"github.com/go-pg/pg/v10", "postgres", "pgx", "go-pg"},
	}
}

// drivers are those in go.mod that the project imports itself; without one, those that another module brings along, as
// those of GORM do.
func (p *Project) drivers(direct map[string]bool) []driverModule {
	var out, others []driverModule
	for _, d := range driverModules() {
		if direct[d.module] {
			out = append(out, d)
		} else if p.Requires[d.module] != "" {
			others = append(others, d)
		}
	}
	if len(out) == 0 {
		return others
	}
	return out
}

// findEngine decides on engine and driver.
func (p *Project) findEngine(o Options, found sqlcConfigs, direct map[string]bool) error {
	drivers := p.drivers(direct)
	var fromMod []string // engines
	for _, d := range drivers {
		if !slices.Contains(fromMod, d.engine) {
			fromMod = append(fromMod, d.engine)
		}
	}
	if p.Config.Engine == "" {
		if err := p.chooseEngine(o, found, drivers, fromMod); err != nil {
			return err
		}
	}
	if p.Config.Driver != "" { // of another engine: only when custos.yaml names a driver, but no engine
		e, err := engine.ByName(p.Config.Engine)
		if err != nil {
			return err
		}
		if _, err := e.Driver(p.Config.Driver); err != nil {
			return fmt.Errorf("read %s: %w; write engine: and driver: that belong together", ConfigFile, err)
		}
		return nil
	}
	e, err := engine.ByName(p.Config.Engine)
	if err != nil {
		return err
	}
	p.Config.Driver = o.Driver
	for _, d := range drivers {
		if p.Config.Driver == "" && d.engine == e.Name {
			p.Config.Driver = d.driver
			p.found("driver: %s (go.mod: %s)", d.driver, d.module)
			if d.beside != "" {
				p.found("driver: custos opens its own pgx pool beside your %s connections; both speak to the same database", d.beside)
			}
		}
	}
	if p.Config.Driver == "" {
		d, err := e.Driver("")
		if err != nil {
			return err
		}
		p.Config.Driver = d.Name
	}
	return nil
}

func (p *Project) chooseEngine(o Options, found sqlcConfigs, drivers []driverModule, fromMod []string) error {
	switch {
	case o.Engine != "":
		p.Config.Engine = o.Engine
	case p.Config.Driver != "":
		for _, e := range engine.All() {
			if _, err := e.Driver(p.Config.Driver); err == nil {
				p.Config.Engine = e.Name
			}
		}
		if p.Config.Engine == "" {
			return fmt.Errorf("read %s: unknown driver %q; write engine: %s", ConfigFile, p.Config.Driver, engine.Default().Name)
		}
	case found.err != nil:
		return fmt.Errorf("%w; repair it, or say which database it is: --engine %s", found.err, strings.Join(engines(), "|"))
	case len(found.engines) > 1:
		return fmt.Errorf("find the engine: %s names %s; choose one with --engine %s",
			strings.Join(found.files, ", "), strings.Join(found.engines, " and "), strings.Join(found.engines, "|"))
	case len(found.engines) == 1:
		p.Config.Engine = found.engines[0]
		p.found("engine: %s (%s)", p.Config.Engine, found.files[0])
	case len(fromMod) > 1:
		var modules []string
		for _, d := range drivers {
			modules = append(modules, d.module)
		}
		return fmt.Errorf("find the engine: go.mod requires drivers of %s (%s); choose one with --engine %s",
			strings.Join(fromMod, " and "), strings.Join(modules, ", "), strings.Join(fromMod, "|"))
	case len(fromMod) == 1:
		p.Config.Engine = fromMod[0]
		p.found("engine: %s (go.mod: %s)", p.Config.Engine, drivers[0].module)
	default:
		p.Config.Engine = engine.Default().Name
		p.found("engine: %s (the default: neither sqlc.yaml nor go.mod names one; --engine chooses)", p.Config.Engine)
	}
	return nil
}

func folders() []string {
	return []string{DefaultMigrations, "db/migrate", "migrations", "internal/db/migrations", "internal/database/migrations",
		"sql/migrations", "sql/schema", "database/migrations", "schema/migrations"}
}

// findMigrations decides on folder, tool and numbering, and reads the folder.
func (p *Project) findMigrations(found sqlcConfigs) error {
	cfg := &p.Config.Migrations
	f, err := p.chooseFolder(found)
	if err != nil {
		return err
	}
	tool, err := f.tool(cfg.Tool)
	if err != nil {
		return err
	}
	if cfg.Tool != "" && tool != "" && tool != cfg.Tool {
		return fmt.Errorf("read migrations in %s: %s is for %s, but %s says tool: %s; write tool: %s there, or name another folder",
			f.dir, f.examples[tool], describe(tool), ConfigFile, cfg.Tool, tool)
	}
	asked := *cfg
	cfg.Dir = f.dir
	fill(&cfg.Tool, tool, Goose)
	fill(&cfg.Numbering, f.numbering(cfg.Tool))
	p.Migrations = f.migrations(cfg.Tool, p.Lock)
	if asked == *cfg {
		return nil
	}
	count := fmt.Sprintf("%d files", len(f.files))
	switch len(f.files) {
	case 0:
		count = "new"
	case 1:
		count = "1 file"
	}
	p.found("migrations: %s (%s, %s numbers, %s)", cfg.Dir, cfg.Tool, cfg.Numbering, count)
	if entries, err := p.list(cfg.Dir); err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "atlas.sum" }) {
		p.found("migrations: %s/atlas.sum lists checksums; after each new migration run: atlas migrate hash", cfg.Dir)
	}
	return nil
}

func (p *Project) chooseFolder(found sqlcConfigs) (*folder, error) {
	if dir := p.Config.Migrations.Dir; dir != "" {
		return p.readFolder(dir)
	}
	// A folder of numbered files that sqlc reads is the best witness; one without numbers may be a schema
	// that is kept beside the migrations, so it comes last.
	var unnumbered *folder
	for i, dir := range slices.Concat(found.schema, folders()) {
		if _, info, err := p.stat(dir); err != nil || info == nil || !info.IsDir() {
			if err != nil && i < len(found.schema) {
				return nil, err
			}
			continue
		}
		f, err := p.readFolder(dir)
		switch {
		case err != nil:
			return nil, err
		case len(f.examples) == 0:
		case f.numbered || i >= len(found.schema):
			return f, nil
		case unnumbered == nil:
			unnumbered = f
		}
	}
	if unnumbered != nil {
		return unnumbered, nil
	}
	return p.readFolder(DefaultMigrations)
}
