package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"
	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/project"
)

type migrateOptions struct {
	verb     string // up, down, status
	database string
	json     bool
	dryRun   bool
}

func newMigrateCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Run the migrations of a project that uses goose",
		Long: "The database is --database, or DATABASE_URL in the environment or in .env, or app.db for SQLite. goose\n" +
			"itself works on the same files and the same version table.",
	}
	group(cmd)
	for _, sub := range []struct{ verb, short string }{
		{"up", "Run every migration that was not run yet"},
		{"down", "Undo the last migration"},
		{"status", "List the migrations and whether they were run"},
	} {
		o := migrateOptions{verb: sub.verb}
		c := &cobra.Command{
			Use: sub.verb, Short: sub.short, Args: args(0, 0),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.runMigrate(cmd.Context(), o) },
		}
		c.Flags().StringVar(&o.database, "database", "", "the database's DSN or URL")
		if sub.verb == "status" {
			c.Flags().BoolVar(&o.json, "json", false, "print JSON")
		} else {
			c.Flags().BoolVar(&o.dryRun, "dry-run", false, "show which migrations would be run, and run none")
		}
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) runMigrate(ctx context.Context, o migrateOptions) error {
	p, err := a.configured("migrate " + o.verb)
	if err != nil {
		return err
	}
	if cfg := p.Config.Migrations; cfg.Tool != project.Goose {
		return fmt.Errorf("migrate %s: %s is for %s, whose record of what was run would not know what custos does; type: %s", o.verb, cfg.Dir, toolTitle(cfg.Tool), theirCommand(p, o.verb))
	}
	kind := databases()[p.Config.Engine]
	dsn, err := a.dsn(p, kind, o)
	if err != nil {
		return err
	}
	dir := os.DirFS(filepath.Join(p.Root, filepath.FromSlash(p.Config.Migrations.Dir)))
	connect := kind.connect
	if o.dryRun {
		connect = kind.look
	}
	db, err := connect(ctx, dsn, p.Root)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", o.verb, err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(kind.dialect, db, dir, goose.WithDisableGlobalRegistry(true))
	switch {
	case errors.Is(err, goose.ErrNoMigrations):
		return fmt.Errorf("migrate %s: no migrations in %s; type: custos gen model NAME PLUGIN", o.verb, p.Config.Migrations.Dir)
	case err != nil:
		if name := goMigration(dir); name != "" {
			return fmt.Errorf("migrate %s: %s has migrations in Go, such as %s, which are compiled into your own goose program; run that one: it takes the SQL files, too", o.verb, p.Config.Migrations.Dir, name)
		}
		return fmt.Errorf("migrate %s: read %s: %w", o.verb, p.Config.Migrations.Dir, err)
	}
	switch {
	case o.dryRun:
		return a.previewMigrations(ctx, kind, db, provider, o.verb)
	case o.verb == "up":
		return a.migrateUp(ctx, provider)
	case o.verb == "down":
		return a.migrateDown(ctx, provider)
	default:
		return a.migrateStatus(ctx, provider, o.json)
	}
}

// goMigration is a migration that is written in Go, or "".
func goMigration(dir fs.FS) string {
	names, err := fs.Glob(dir, "[0-9]*.go")
	if i := slices.IndexFunc(names, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }); err == nil && i >= 0 {
		return names[i]
	}
	return ""
}

// dsn finds the database as generated code does. A path on the command line is seen from where it was typed, any
// other from the project's root, where the server runs.
func (a *app) dsn(p *project.Project, kind database, o migrateOptions) (string, error) {
	if o.database != "" {
		if abs := filepath.Join(a.dir, o.database); kind.fallback != "" && !strings.Contains(o.database, ":") && filepath.IsLocal(o.database) {
			return abs, nil
		}
		return o.database, nil
	}
	v, err := a.variable(p.Root, databaseVariable)
	if err != nil || v != "" {
		return v, err
	}
	if kind.fallback != "" {
		return kind.fallback, nil
	}
	return "", fmt.Errorf("migrate %s: which database? set DATABASE_URL, in the environment or in .env, or type: custos migrate %s --database %s",
		o.verb, o.verb, kind.example)
}

func toolTitle(tool string) string {
	if tool == project.Plain {
		return "no tool (plain SQL)"
	}
	return tool
}

// theirCommand is what to type with another tool.
func theirCommand(p *project.Project, verb string) string {
	cfg := p.Config.Migrations
	switch cfg.Tool {
	case project.GolangMigrate:
		word := map[string]string{"up": "up", "down": "down 1", "status": "version"}[verb]
		return fmt.Sprintf("migrate -path %s -database \"$DATABASE_URL\" %s", cfg.Dir, word)
	case project.Dbmate:
		word := map[string]string{"up": "up", "down": "down", "status": "status"}[verb]
		return fmt.Sprintf("dbmate --migrations-dir %s %s", cfg.Dir, word)
	}
	return fmt.Sprintf(databases()[p.Config.Engine].shell, cfg.Dir+"/FILE.sql")
}

func (a *app) migrateUp(ctx context.Context, provider *goose.Provider) error {
	results, err := provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
	}
	for _, r := range results {
		if err := a.printMigration(r); err != nil {
			return err
		}
	}
	switch {
	case partial != nil:
		return fmt.Errorf("migrate up: %s: %w", partial.Failed.Source.Path, partial.Err)
	case err != nil:
		return fmt.Errorf("migrate up: %w", err)
	case len(results) == 0:
		return a.printf("Nothing to do: every migration was run.\n")
	}
	return nil
}

func (a *app) migrateDown(ctx context.Context, provider *goose.Provider) error {
	result, err := provider.Down(ctx)
	var partial *goose.PartialError
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		return a.printf("Nothing to do: no migration was run.\n")
	case errors.As(err, &partial):
		return fmt.Errorf("migrate down: %s: %w", partial.Failed.Source.Path, partial.Err)
	case err != nil:
		return fmt.Errorf("migrate down: %w", err)
	}
	return a.printMigration(result)
}

// previewMigrations shows what up or down would run. goose's own status makes its table; this writes nothing.
func (a *app) previewMigrations(ctx context.Context, kind database, db *sql.DB, provider *goose.Provider, verb string) error {
	done, err := appliedMigrations(ctx, kind, db)
	if err != nil {
		return fmt.Errorf("migrate %s: read which migrations were run: %w", verb, err)
	}
	var last int64
	for version := range done {
		last = max(last, version)
	}
	var names []string
	for _, s := range provider.ListSources() {
		name := filepath.Base(s.Path)
		switch {
		case verb == "down" && s.Version == last && last > 0:
			names = []string{name}
		case verb == "down" || done[s.Version]:
		case s.Version < last:
			return fmt.Errorf("migrate up: %s was not run, and its number is lower than %d, which was; give it a higher one", name, last)
		default:
			names = append(names, name)
		}
	}
	switch {
	case verb == "down" && last > 0 && len(names) == 0:
		return fmt.Errorf("migrate down: the last migration that was run, %d, has no file", last)
	case verb == "down" && len(names) == 0:
		return a.printf("Nothing to do: no migration was run.\n")
	case len(names) == 0:
		return a.printf("Nothing to do: every migration was run.\n")
	}
	for _, name := range names {
		if err := a.printf("%s  %s\n", pad(verb, 4), name); err != nil {
			return err
		}
	}
	return a.printf("Dry run: would run %s; nothing was run.\n", plural(len(names), "migration"))
}

// appliedMigrations reads goose's table, if there is one.
func appliedMigrations(ctx context.Context, kind database, db *sql.DB) (map[int64]bool, error) {
	store, err := goosedb.NewStore(kind.dialect, goose.DefaultTablename)
	if err != nil {
		return nil, err
	}
	there, err := hasTable(ctx, db, store)
	if err != nil || !there {
		return nil, err
	}
	all, err := store.ListMigrations(ctx, db)
	if err != nil {
		return nil, err
	}
	done := map[int64]bool{}
	for _, m := range all {
		if m.IsApplied && m.Version > 0 {
			done[m.Version] = true
		}
	}
	return done, nil
}

// hasTable reports whether there is a table of goose's. goose does not know how to ask SQLite.
func hasTable(ctx context.Context, db *sql.DB, store goosedb.Store) (bool, error) {
	err := errors.ErrUnsupported
	there := false
	if s, ok := store.(goosedb.StoreExtender); ok {
		there, err = s.TableExists(ctx, db)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = db.QueryRowContext(ctx, "SELECT COUNT(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = ?", goose.DefaultTablename).Scan(&there)
	}
	return there, err
}

func (a *app) printMigration(r *goose.MigrationResult) error {
	return a.printf("%s  %s (%s)\n", pad(r.Direction, 4), filepath.Base(r.Source.Path), r.Duration.Round(10*time.Microsecond))
}

func (a *app) migrateStatus(ctx context.Context, provider *goose.Provider, asJSON bool) error {
	all, err := provider.Status(ctx)
	if err != nil {
		return fmt.Errorf("migrate status: %w", err)
	}
	type state struct {
		Version int64      `json:"version"`
		File    string     `json:"file"`
		State   string     `json:"state"`
		Applied *time.Time `json:"applied_at"`
	}
	states := []state{}
	var rows [][]string
	for _, s := range all {
		st := state{Version: s.Source.Version, File: filepath.Base(s.Source.Path), State: string(s.State)}
		when := "-"
		if s.State == goose.StateApplied {
			at := s.AppliedAt.UTC()
			st.Applied, when = &at, at.Format(time.DateTime)
		}
		states = append(states, st)
		rows = append(rows, []string{st.State, when, st.File})
	}
	if asJSON {
		return a.printJSON(states)
	}
	return a.printTable("", rows)
}
