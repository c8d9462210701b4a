package sqlc_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/sqlc"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sqlc.Command {
		os.Exit(sqlc.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func file(path, content string) sqlc.File { return sqlc.File{Path: path, Content: []byte(content)} }

func input(schema, queries string) sqlc.Input {
	return sqlc.Input{
		Config: file("db/custos/sqlc.yaml", "version: \"2\"\nsql:\n  - engine: sqlite\n    schema: [../migrations]\n    queries: queries\n    gen: {go: {package: authdb, out: ../../internal/authdb}}\n"),
		Schema: []sqlc.File{file("db/migrations/00001_users.sql", schema)},
		Queries: []sqlc.File{
			file("db/custos/queries/users.sql", queries),
		},
		Out: "internal/authdb",
	}
}

func TestGenerate(t *testing.T) {
	in := input("CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: Find :one\nSELECT * FROM users WHERE id = ?;\n")
	files, err := sqlc.Runner{}.Generate(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		seen[f.Path] = len(f.Content) > 0
	}
	for _, name := range []string{"internal/authdb/db.go", "internal/authdb/models.go", "internal/authdb/users.sql.go"} {
		if !seen[name] {
			t.Errorf("no %s among %v", name, seen)
		}
	}
}

// Faults come with the path that the user knows, and their line.
func TestGenerateNamesThePlaceOfAFault(t *testing.T) {
	for _, c := range []struct {
		name, schema, queries, path string
		line                        int
	}{
		{"a query on a column that is not there", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: Find :one\nSELECT nme FROM users;\n", "db/custos/queries/users.sql", 2},
		{"a query on a table that is not there", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: A :one\nSELECT 1;\n\n-- name: Find :one\nSELECT * FROM admins;\n", "db/custos/queries/users.sql", 5},
		{"a third query that is no SQL", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: A :one\nSELECT 1;\n\n-- name: B :one\nSELECT 2;\n\n-- About C.\n-- name: C :one\nSELECT 3\nFROM );\n", "db/custos/queries/users.sql", 10},
		{"a migration that is no SQL", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n\nCREATE TABEL admins (id INTEGER);\n", "-- name: Find :one\nSELECT 1;\n", "db/migrations/00001_users.sql", 3},
	} {
		_, err := sqlc.Runner{}.Generate(t.Context(), input(c.schema, c.queries))
		var fault *sqlc.Error
		if !errors.As(err, &fault) || fault.Path != c.path || fault.Line < c.line-1 || fault.Line > c.line || fault.Msg == "" {
			t.Errorf("%s: %v (%+v), want %s:%d", c.name, err, fault, c.path, c.line)
		}
		if err != nil && strings.Contains(err.Error(), os.TempDir()) {
			t.Errorf("%s: the message names a temporary folder: %v", c.name, err)
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	in := input("CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: Find :one\nSELECT 1;\n")
	in.Queries[0].Path = "../../evil.sql"
	if _, err := (sqlc.Runner{}).Generate(t.Context(), in); err == nil || !strings.Contains(err.Error(), "leaves the project") {
		t.Errorf("a path out of the folder: %v", err)
	}
	in = input("", "")
	if _, err := (sqlc.Runner{Exe: filepath.Join(t.TempDir(), "none")}).Generate(t.Context(), in); err == nil || !strings.Contains(err.Error(), "start sqlc") {
		t.Errorf("no binary: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (sqlc.Runner{}).Generate(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := (sqlc.Runner{}).Generate(brief, in); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("out of time: %v", err)
	}
}

// What sqlc is given is gone from the temporary folder afterwards.
func TestGenerateLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	_, _ = sqlc.Runner{}.Generate(t.Context(), input("CREATE TABLE users (id INTEGER PRIMARY KEY);\n", "-- name: Find :one\nSELECT 1;\n"))
	_, _ = sqlc.Runner{}.Generate(t.Context(), input("nonsense", "nonsense"))
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "custos-") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// A number is an int64 on every engine, and a *int64 when it may be NULL.
func TestNumber(t *testing.T) {
	for _, e := range engine.All() {
		number, err := e.Word("number")
		if err != nil {
			t.Fatal(err)
		}
		config := sqlc.Config(&plan.Plan{Engine: e, Driver: e.Drivers[0], Config: project.Config{
			Package: "internal/auth", Queries: "db/custos", Migrations: project.MigrationConfig{Dir: "db/migrations"},
		}})
		files, err := sqlc.Runner{}.Generate(t.Context(), sqlc.Input{
			Config: config, Out: "internal/auth/authdb",
			Schema: []sqlc.File{file("db/migrations/00001_n.sql", "CREATE TABLE counters (taken "+number+" NOT NULL, most "+number+");\n")},
			Queries: []sqlc.File{file("db/custos/queries/n.sql", "-- name: Find :many\nSELECT taken, most FROM counters WHERE most = sqlc.narg(most);\n\n"+
				"-- name: Count :execrows\nUPDATE counters SET taken = taken + 1, most = sqlc.narg(most) WHERE taken = sqlc.arg(taken);\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		var out string
		for _, f := range files {
			out += strings.Join(strings.Fields(string(f.Content)), " ")
		}
		for _, want := range []string{"struct { Taken int64", "Most *int64", "Find(ctx context.Context, most *int64)", "type CountParams struct { Most *int64", "Taken int64"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q", e.Name, want)
			}
		}
	}
}

func TestHash(t *testing.T) {
	base := input("a", "b")
	if base.Hash() != input("a", "b").Hash() {
		t.Error("equal inputs have two hashes")
	}
	for name, other := range map[string]sqlc.Input{
		"other schema": input("x", "b"), "other queries": input("a", "x"), "a byte that moved": input("ab", ""),
		"another path": {Config: base.Config, Schema: base.Schema, Queries: []sqlc.File{file("db/custos/queries/user.sql", "b")}},
		"fewer files":  {Config: base.Config, Schema: base.Schema},
	} {
		if other.Hash() == base.Hash() {
			t.Errorf("%s: the same hash", name)
		}
	}
}

func TestReadSchema(t *testing.T) {
	for _, e := range engine.All() {
		const key = "CHAR(36) PRIMARY KEY"
		schema, err := sqlc.Runner{}.ReadSchema(t.Context(), e, []sqlc.File{
			file("db/migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE users (id "+key+", name VARCHAR(20) NOT NULL);\n\n-- +goose Down\nDROP TABLE users;\n"),
			file("db/migrations/00002_b.up.sql", "CREATE TABLE admins (id "+key+");\nCREATE TABLE gone (id "+key+");\n"),
			file("db/migrations/00002_b.down.sql", "DROP TABLE admins;\n"),
			file("db/migrations/00003_c.sql", "DROP TABLE gone;\nALTER TABLE users ADD COLUMN age INTEGER;\n"),
		})
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		users, ok := schema.Find("users")
		if !ok || len(users.Columns) != 3 || users.Columns[1].Name != "name" || !users.Columns[1].NotNull || users.Columns[2].NotNull {
			t.Errorf("%s: users = %+v", e.Name, users)
		}
		if _, ok := schema.Find("admins"); !ok {
			t.Errorf("%s: the down migration was read", e.Name)
		}
		if _, ok := schema.Find("gone"); ok {
			t.Errorf("%s: a table that was dropped is there", e.Name)
		}
	}
	if schema, err := (sqlc.Runner{Exe: "/none"}).ReadSchema(t.Context(), engine.Default(), nil); err != nil || len(schema) != 0 {
		t.Errorf("no migrations: %v, %v", schema, err)
	}
	_, err := sqlc.Runner{}.ReadSchema(t.Context(), engine.Default(), []sqlc.File{file("db/m/1.sql", "CREATE TABLE a (id INTEGER);\nCREATE NONSENSE;\n")})
	var fault *sqlc.Error
	if !errors.As(err, &fault) || fault.Path != "db/m/1.sql" || fault.Line == 0 {
		t.Errorf("a migration that is no SQL: %v", err)
	}
}

func TestKey(t *testing.T) {
	column := func(kind string) plan.Table {
		return plan.Table{Name: "users", Columns: []plan.Column{{Name: "id", Type: kind}, {Name: "name", Type: "text"}}}
	}
	for _, c := range []struct {
		name, sql, kind string
		want            engine.Key
		fault           string
	}{
		{"inline", "CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT)", "bigint", engine.BigInt, ""},
		{"lower case", "create table users (id bigint not null primary key)", "bigint", engine.BigInt, ""},
		{"serial", "CREATE TABLE users (id BIGSERIAL PRIMARY KEY)", "bigserial", engine.BigInt, ""},
		{"sqlite's", "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT)", "integer", engine.BigInt, ""},
		{"pg_catalog", "CREATE TABLE users (id int8 PRIMARY KEY)", "pg_catalog.int8", engine.BigInt, ""},
		{"unsigned", "CREATE TABLE users (id BIGINT UNSIGNED PRIMARY KEY)", "bigint unsigned", engine.BigInt, ""},
		{"uuid", "CREATE TABLE users (id uuid DEFAULT gen_random_uuid() PRIMARY KEY)", "uuid", engine.UUID, ""},
		{"text", "CREATE TABLE users (id text PRIMARY KEY)", "text", engine.Text, ""},
		{"char", "CREATE TABLE users (id CHAR(36) PRIMARY KEY)", "char", engine.Text, ""},
		{"varchar", "CREATE TABLE users (id VARCHAR(26) PRIMARY KEY)", "varchar(26)", engine.Text, ""},
		{"of the table", "CREATE TABLE users (id BIGINT, name TEXT, PRIMARY KEY (id))", "bigint", engine.BigInt, ""},
		{"with a name", "CREATE TABLE users (id BIGINT, CONSTRAINT users_pk PRIMARY KEY (\"id\"))", "bigint", engine.BigInt, ""},
		{"quoted", "CREATE TABLE IF NOT EXISTS public.\"users\" (\"id\" BIGINT PRIMARY KEY)", "bigint", engine.BigInt, ""},
		{"back-ticks", "CREATE TABLE `users` (`id` BIGINT, PRIMARY KEY (`id`))", "bigint", engine.BigInt, ""},
		{"altered", "CREATE TABLE users (id BIGINT);\nALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);", "bigint", engine.BigInt, ""},
		{"altered without a name", "CREATE TABLE users (id BIGINT);\nALTER TABLE users ADD PRIMARY KEY (id);", "bigint", engine.BigInt, ""},
		{"comments", "CREATE TABLE users ( -- id, PRIMARY KEY (a, b)\n /* PRIMARY KEY */ id BIGINT PRIMARY KEY)", "bigint", engine.BigInt, ""},
		{"a check with commas", "CREATE TABLE users (name TEXT CHECK (name IN ('a', 'b')), id BIGINT PRIMARY KEY)", "bigint", engine.BigInt, ""},
		{"another table's", "CREATE TABLE admins (a INT, b INT, PRIMARY KEY (a, b));\nCREATE TABLE users (id BIGINT PRIMARY KEY)", "bigint", engine.BigInt, ""},
		{"composite", "CREATE TABLE users (id BIGINT, tenant BIGINT, PRIMARY KEY (tenant, id))", "bigint", "", "composite (tenant, id)"},
		{"none", "CREATE TABLE users (id BIGINT NOT NULL)", "bigint", "", "has no primary key"},
		{"another column", "CREATE TABLE users (uid BIGINT PRIMARY KEY, id TEXT)", "text", "", "the column uid"},
		{"another type", "CREATE TABLE users (id BYTEA PRIMARY KEY)", "bytea", "", "of the type bytea"},
		{"a number with a point", "CREATE TABLE users (id NUMERIC(10,2) PRIMARY KEY)", "numeric", "", "of the type numeric"},
	} {
		got, err := sqlc.Key(column(c.kind), []sqlc.File{file("1.sql", c.sql)})
		var fault *sqlc.KeyError
		switch {
		case c.fault == "" && (err != nil || got != c.want):
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		case c.fault != "" && (!errors.As(err, &fault) || !strings.Contains(err.Error(), c.fault) || fault.Table != "users"):
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.fault)
		}
	}
}

func TestReturnsKeys(t *testing.T) {
	for sql, want := range map[string]bool{
		"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)":                                                  true,
		"CREATE TABLE users (id INTEGER NOT NULL, name TEXT, PRIMARY KEY (id))":                                   true,
		"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT DEFAULT 'autoincrement')":                          true,
		"CREATE TABLE users (id INTEGER PRIMARY KEY -- AUTOINCREMENT\n, name TEXT)":                               true,
		"create table \"users\" (id integer not null primary key asc autoincrement, name text)":                   false,
		"CREATE TABLE users (name TEXT, PRIMARY KEY (id AUTOINCREMENT))":                                          false,
		"CREATE TABLE other (id INTEGER PRIMARY KEY)":                                                             false,
		"CREATE TABLE users (id INTEGER PRIMARY KEY);\nCREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT)": false,
	} {
		users := plan.Table{Name: "users", Columns: []plan.Column{{Name: "id", Type: "integer"}, {Name: "name", Type: "text"}}}
		if got := sqlc.ReturnsKeys(users, []sqlc.File{file("1.sql", sql)}); got != want {
			t.Errorf("%s: %v", sql, got)
		}
		users.Columns[0].Type = "bigint"
		if sqlc.ReturnsKeys(users, []sqlc.File{file("1.sql", sql)}) {
			t.Errorf("%s, with another type than INTEGER", sql)
		}
	}
}
