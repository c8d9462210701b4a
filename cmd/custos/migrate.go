package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/project"
)

type migrateOptions struct {
	verb     string // up, down, status
	database string
	json     bool
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
	db, err := kind.connect(ctx, dsn, p.Root)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", o.verb, err)
	}
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(kind.dialect, db, dir, goose.WithDisableGlobalRegistry(true))
	switch {
	case errors.Is(err, goose.ErrNoMigrations):
		return fmt.Errorf("migrate %s: no migrations in %s; type: custos gen model NAME PLUGIN", o.verb, p.Config.Migrations.Dir)
	case err != nil:
		return fmt.Errorf("migrate %s: read %s: %w", o.verb, p.Config.Migrations.Dir, err)
	}
	switch o.verb {
	case "up":
		return a.migrateUp(ctx, provider)
	case "down":
		return a.migrateDown(ctx, provider)
	default:
		return a.migrateStatus(ctx, provider, o.json)
	}
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
	if v, set := a.lookup("DATABASE_URL"); set && v != "" {
		return v, nil
	}
	env, _, err := readFile(p.Root, ".env")
	if err != nil {
		return "", err
	}
	if v, _ := lookupDotEnv(env, "DATABASE_URL"); v != "" {
		return v, nil
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
