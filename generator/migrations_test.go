package generator_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // pgx
	_ "modernc.org/sqlite"             // sqlite

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
)

// Law 4: each down migration undoes its up.
func TestDownUndoesUp(t *testing.T) {
	t.Parallel()
	overProjects(t, func(t *testing.T, s set, e engine.Engine) {
		requireDatabase(t, e)
		files := ledger(snapshot(t, s.project(t, e)))
		db := database(t, e)
		var before []string
		for _, name := range keys(files) {
			up, _ := halves(t, name, files[name])
			before = append(before, schemaOf(t, db, e))
			execute(t, db, name, up)
			if schemaOf(t, db, e) == before[len(before)-1] {
				t.Errorf("%s does nothing, or the test does not see what", name)
			}
		}
		for i, name := range slices.Backward(keys(files)) {
			_, down := halves(t, name, files[name])
			execute(t, db, name, down)
			if after := schemaOf(t, db, e); after != before[i] {
				t.Errorf("%s does not undo itself:\n%s\nwas before:\n%s", name, after, before[i])
			}
		}
	})
}

// halves cuts a goose file in two.
func halves(t *testing.T, name string, content []byte) (up, down string) {
	t.Helper()
	up, down, both := strings.Cut(string(content), "-- +goose Down")
	if !both || strings.TrimSpace(down) == "" {
		t.Fatalf("%s has no down:\n%s", name, content)
	}
	return up, down
}

func execute(t *testing.T, db *sql.DB, name, statements string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, statements)
	}
}

// database opens a new database.
func database(t *testing.T, e engine.Engine) *sql.DB {
	t.Helper()
	open := func(driver, dsn string) *sql.DB {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	name := "laws_" + strings.ToLower(rand.Text())
	server := func(driver, admin, own string) *sql.DB {
		a := open(driver, admin)
		if _, err := a.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := a.ExecContext(context.Background(), "DROP DATABASE "+name); err != nil {
				t.Error(err)
			}
		})
		return open(driver, own)
	}
	switch e.Name {
	case "sqlite":
		return open("sqlite", "file:"+filepath.Join(t.TempDir(), "laws.db"))
	case "postgres":
		dsn := "host=127.0.0.1 user=postgres dbname="
		// Without this, a file of several statements is no statement for pgx.
		return server("pgx", dsn+"postgres", dsn+name+" default_query_exec_mode=simple_protocol")
	case "mysql":
		config := mysql.NewConfig()
		config.User, config.Net, config.Addr, config.MultiStatements = "root", "tcp", "127.0.0.1:3306", true
		admin := config.FormatDSN()
		config.DBName = name
		return server("mysql", admin, config.FormatDSN())
	}
	t.Fatalf("no way to open %s", e.Name)
	return nil
}

// schemaOf describes all tables, columns and indexes as text.
func schemaOf(t *testing.T, db *sql.DB, e engine.Engine) string {
	t.Helper()
	queries := map[string][]string{
		"sqlite": {
			`SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1`,
			`SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk || ' ' || c.cid || coalesce(c.dflt_value, '')
				FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.name NOT LIKE 'sqlite_%' ORDER BY 1`,
		},
		"postgres": {
			`SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(character_maximum_length, 0) || ' ' || coalesce(column_default, '') || is_identity
				FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`,
			`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`,
			`SELECT c.conname || ' ' || pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'public' ORDER BY 1`,
			`SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`,
			`SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public' ORDER BY 1`,
		},
		"mysql": {
			`SELECT concat_ws(' ', table_name, column_name, ordinal_position, column_type, is_nullable, ifnull(column_default, '-'), extra, ifnull(collation_name, '-'))
				FROM information_schema.columns WHERE table_schema = database() ORDER BY 1`,
			`SELECT concat_ws(' ', table_name, index_name, seq_in_index, column_name, non_unique) FROM information_schema.statistics WHERE table_schema = database() ORDER BY 1`,
			`SELECT concat_ws(' ', table_name, constraint_name, constraint_type) FROM information_schema.table_constraints WHERE table_schema = database() ORDER BY 1`,
		},
	}[e.Name]
	var b strings.Builder
	for _, q := range queries {
		rows, err := db.QueryContext(t.Context(), q)
		if err != nil {
			t.Fatalf("%v\n%s", err, q)
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, strings.Join(strings.Fields(line), " "))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	return b.String()
}

var updateMigrations = flag.Bool("update-migrations", false, "add new migrations to testdata/migrations.sum")

// Law 4, for those who write plugins: a migration that projects may have stays as it is. What an upgrade brings to a table
// that exists is a migration more; only so do new queries find their columns there.
func TestMigrationsOfPluginsStay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(root(t), "testdata", "migrations.sum")
	known := map[string]string{}
	for line := range strings.Lines(string(read(t, file))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		known[name] = sum
	}
	var lines strings.Builder
	templates := memory(t, builtIn(t))
	for _, name := range keys(templates) {
		if !strings.Contains(name, "/migrations/") {
			continue
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(templates[name]))
		switch old, there := known[name]; {
		case there && old != sum:
			t.Errorf("templates/%s has changed: bring it back, and add a migration that follows it", name)
		case !there && !*updateMigrations:
			t.Errorf("templates/%s is new; type: go test ./generator -run TestMigrationsOfPluginsStay -update-migrations", name)
		}
		delete(known, name)
		fmt.Fprintf(&lines, "%s  %s\n", sum, name)
	}
	for name := range known {
		t.Errorf("templates/%s is gone, and with it what projects can undo", name)
	}
	if *updateMigrations && !t.Failed() {
		if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Law 4: a migration that was written stays as it is, whatever its template says today.
func TestWrittenMigrationsAreNeverChanged(t *testing.T) {
	t.Parallel()
	s := optionsSet(t, library(t))
	for _, e := range engine.All() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s.generate(t, dir, e)
			before := ledger(snapshot(t, dir))
			templates := memory(t, builtIn(t))
			changed := 0
			for name := range templates {
				if path.Ext(name) == ".tmpl" && strings.Contains(name, "/migrations/") {
					templates[name] = append([]byte("-- as it should have been\n"), templates[name]...)
					changed++
				}
			}
			if changed == 0 {
				t.Fatal("no migration templates")
			}
			req := request(t, dir, e, wanted{})
			req.Templates = templates.folder(t)
			result, err := generator.Generate(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range result.Changes {
				if c.Writes() && c.Owner == plan.Ledger {
					t.Errorf("would %s %s", c.Op, c.Path)
				}
			}
			if err := result.Apply(); err != nil {
				t.Fatal(err)
			}
			if diff := differences(before, ledger(snapshot(t, dir))); len(diff) > 0 {
				t.Errorf("the ledger changed: %v", diff)
			}
		})
	}
}
