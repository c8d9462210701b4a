package sqlc

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestShortenArgs(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"a = sqlc.arg(b) AND c = sqlc.arg(d_1)", "a = @b AND c = @d_1"},
		{"a = sqlc.narg(b) OR c IN (sqlc.slice('d')) OR e = sqlc.arg('f')", "a = sqlc.narg(b) OR c IN (sqlc.slice('d')) OR e = sqlc.arg('f')"},
		{"-- sqlc.arg(a) is it's\nb = sqlc.arg(b)", "-- sqlc.arg(a) is it's\nb = @b"},
		{"/* sqlc.arg(a)\nsqlc.arg(a) */ b = sqlc.arg(b)", "/* sqlc.arg(a)\nsqlc.arg(a) */ b = @b"},
		{"'-- it''s sqlc.arg(a)' = sqlc.arg(b)", "'-- it''s sqlc.arg(a)' = @b"},
		{"\"sqlc.arg(a)\" = `sqlc.arg(b)`", "\"sqlc.arg(a)\" = `sqlc.arg(b)`"},
	} {
		if got := string(shortenArgs([]byte(c.sql))); got != c.want {
			t.Errorf("%q: %q, want %q", c.sql, got, c.want)
		}
	}
}

func TestDropIndexes(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"CREATE TABLE a (b INT);\nCREATE INDEX c ON a (b);\ncreate unique index d\n  ON a (b);\nDROP TABLE a;", "CREATE TABLE a (b INT);\n\n\nDROP TABLE a;"},
		{"-- CREATE INDEX a ON b (c);\n'\nCREATE INDEX a ON b (c);\n'", "-- CREATE INDEX a ON b (c);\n'\nCREATE INDEX a ON b (c);\n'"},
		{"CREATE INDEX a ON b (c) WHERE c <> ';';", "CREATE INDEX a ON b (c) WHERE c <> ';';"},
		{"CREATE INDEX a ON b (c) -- it;\n;", "CREATE INDEX a ON b (c) -- it;\n;"},
	} {
		if got := string(dropIndexes([]byte(c.sql))); got != c.want {
			t.Errorf("%q: %q, want %q", c.sql, got, c.want)
		}
	}
}

func TestDropTables(t *testing.T) {
	queries := []File{{"q/a.sql", []byte("-- name: A :one\nSELECT * FROM custos_a;\n")}, {"q/b.sql", []byte("SELECT * FROM (custos_bs)")}}
	for _, c := range []struct{ sql, want string }{
		{"CREATE TABLE custos_a (\n  id INT\n);\nCREATE TABLE custos_b (\n  id INT\n);\nCREATE TABLE custos_bs (id INT);\nDROP TABLE custos_b;\nDROP TABLE custos_bs;", "CREATE TABLE custos_a (\n  id INT\n);\n\nCREATE TABLE custos_bs (id INT);\n\nDROP TABLE custos_bs;"},
		{"CREATE TABLE users (id INT);", "CREATE TABLE users (id INT);"},
		{"-- CREATE TABLE custos_b (id INT);\n'\nCREATE TABLE custos_b (id INT);\n'", "-- CREATE TABLE custos_b (id INT);\n'\nCREATE TABLE custos_b (id INT);\n'"},
		{"CREATE TABLE custos_b (id TEXT DEFAULT ';');", "CREATE TABLE custos_b (id TEXT DEFAULT ';');"},
		{"CREATE TABLE custos_b (id INT);\nALTER TABLE custos_b ADD COLUMN c INT;", "CREATE TABLE custos_b (id INT);\nALTER TABLE custos_b ADD COLUMN c INT;"},
		{"CREATE TABLE custos_b (id INT);\ncreate view v as select id from custos_b;", "CREATE TABLE custos_b (id INT);\ncreate view v as select id from custos_b;"},
	} {
		schema := []File{{"m/1.sql", []byte(c.sql)}}
		if got := string(dropTables(schema, queries)[0].Content); got != c.want || string(schema[0].Content) != c.sql {
			t.Errorf("%q: %q, want %q", c.sql, got, c.want)
		}
	}
}

// many is an input that is worth two children. Two files have a table in common, and each one of its own.
func many(t *testing.T) Input {
	t.Helper()
	in := Input{
		Config: File{"db/custos/sqlc.yaml", []byte("version: \"2\"\nsql:\n  - engine: sqlite\n    schema: [../migrations]\n" + queriesLine +
			"    gen: {go: {package: authdb, out: ../../internal/authdb, emit_interface: true, omit_unused_structs: true, emit_exact_table_names: true}}\n")},
		Schema: []File{{"db/migrations/1.sql", []byte("CREATE TABLE shared (id INTEGER PRIMARY KEY);\nCREATE TABLE unused (id INTEGER PRIMARY KEY);\n" +
			"CREATE TABLE b (id INTEGER PRIMARY KEY, at DATETIME NOT NULL);\nCREATE INDEX b_at ON b (at);\nCREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT);\n")}},
		Out: "internal/authdb",
	}
	for _, table := range []string{"b", "a"} {
		var sql strings.Builder
		for i := range 8 {
			fmt.Fprintf(&sql, "-- %s\n-- name: Find%d%s :one\nSELECT * FROM %s WHERE id = sqlc.arg(id) OR id > sqlc.arg(least); -- as sqlc.arg(id)\n\n",
				strings.Repeat("It is long. ", 70), i, table, table)
		}
		fmt.Fprintf(&sql, "-- name: Share%s :many\nSELECT shared.* FROM shared JOIN %s ON shared.id = %s.id WHERE shared.id = sqlc.narg(id);\n", table, table, table)
		fmt.Fprintf(&sql, "-- Not IS NULL.\n-- name: Remove%s :execrows\nDELETE FROM %s WHERE id IN (\n    SELECT s.id FROM shared AS s WHERE s.id < sqlc.arg(most) LIMIT 10\n);\n", table, table)
		fmt.Fprintf(&sql, "-- name: Change%s :exec\nUPDATE %s SET id = sqlc.arg(new_id)\nWHERE id IS NOT NULL AND id = sqlc.arg(id); -- IS NULL\n", table, table)
		in.Queries = append(in.Queries, File{"db/custos/queries/" + table + ".sql", []byte(sql.String())})
	}
	return in
}

// Both ways have the same output, byte for byte.
func TestQuickIsPlain(t *testing.T) {
	in := many(t)
	if parts := deal(in.Queries, 2); len(parts) != 2 {
		t.Fatalf("%d parts", len(parts))
	}
	quick, ok := Runner{}.quick(t.Context(), in)
	if !ok {
		t.Fatal("the quick way did not work")
	}
	plain, err := Runner{}.plain(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b File) bool { return a.Path == b.Path && string(a.Content) == string(b.Content) }
	if !slices.EqualFunc(quick, plain, same) {
		t.Errorf("quick:\n%s\nplain:\n%s", quick, plain)
	}
	in.Config.Content = []byte(strings.Replace(string(in.Config.Content), "sqlite", "postgresql", 1))
	if _, ok := (Runner{}).quick(t.Context(), in); ok {
		t.Error("PostgreSQL goes the quick way")
	}
}

// What only the whole can tell, such as a name that two files have, is left to the plain way.
func TestQuickIsNoJudge(t *testing.T) {
	for name, spoil := range map[string]func(in *Input){
		"two queries of one name": func(in *Input) {
			in.Queries[1].Content = append(in.Queries[1].Content, "-- name: Find0b :one\nSELECT 1;\n"...)
		},
		"a query that is no SQL": func(in *Input) {
			in.Queries[1].Content = append(in.Queries[1].Content, "-- name: More :one\nSELECT FROM;\n"...)
		},
	} {
		in := many(t)
		spoil(&in)
		if _, ok := (Runner{}).quick(t.Context(), in); ok {
			t.Errorf("%s: an output", name)
		}
	}
}

func TestLay(t *testing.T) {
	for _, chosen := range []string{"", t.TempDir()} {
		t.Setenv("TMPDIR", chosen)
		dir, clean, err := lay([]File{{"a/b.sql", []byte("SELECT 1;\n")}})
		if err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(filepath.Join(dir, "a", "b.sql")); err != nil || string(content) != "SELECT 1;\n" {
			t.Errorf("TMPDIR=%q: %q, %v", chosen, content, err)
		}
		if chosen != "" && filepath.Dir(dir) != chosen {
			t.Errorf("TMPDIR=%q: %s", chosen, dir)
		}
		clean()
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("TMPDIR=%q: %s stays, %v", chosen, dir, err)
		}
	}
}

func TestDeal(t *testing.T) {
	file := func(name string, size int) File { return File{name, make([]byte, size)} }
	for _, c := range []struct {
		name  string
		files []File
		want  string
	}{
		{"small", []File{file("q/a.sql", 4000), file("q/b.sql", 4000)}, "q/a.sql q/b.sql"},
		{"one file", []File{file("q/a.sql", 40000)}, "q/a.sql"},
		{"alike", []File{file("q/a.sql", 5000), file("q/b.sql", 7000), file("q/c.sql", 3000)}, "q/b.sql | q/a.sql q/c.sql"},
		{"one output", []File{file("q/a.sql", 8000), file("q/b.sql", 8000), file("q/1/a.sql", 8000)}, "q/a.sql q/1/a.sql | q/b.sql"},
	} {
		var got []string
		for _, part := range deal(c.files, 2) {
			var names []string
			for _, f := range part {
				names = append(names, f.Path)
			}
			got = append(got, strings.Join(names, " "))
		}
		if strings.Join(got, " | ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMergeRefuses(t *testing.T) {
	const head = "// Generated.\n\npackage authdb\n"
	queriers := func(methods string) string {
		return head + "\n" + querierStart + methods + "}\n\n" + querierEnd + "\n"
	}
	for _, c := range []struct{ name, file, a, b string }{
		{"a file of both", "a.sql.go", head, head},
		{"another file", "batch.go", head, head},
		{"a file of one", "models.go", head, ""},
		{"another db.go", "db.go", head, head + "\nvar a int\n"},
		{"two heads", "models.go", head, strings.Replace(head, "Gen", "gen", 1)},
		{"two types of one name", "models.go", head + "\ntype A struct {\n\tID int64\n}\n", head + "\ntype A struct {\n\tID string\n}\n"},
		{"no struct", "models.go", head, head + "\ntype A string\n"},
		{"an import with a name", "models.go", head, head + "\nimport (\n\ttime \"time\"\n)\n"},
		{"an import from elsewhere", "models.go", head, head + "\nimport (\n\t\"example.com/time\"\n)\n"},
		{"a method of both", "querier.go", queriers("\tA() error\n"), queriers("\tA() error\n")},
		{"no method", "querier.go", queriers(""), queriers("\tio.Reader\n")},
		{"a comment and no method", "querier.go", queriers(""), queriers("\t// A.\n")},
	} {
		parts := [][]File{{{path.Join("out", c.file), []byte(c.a)}}, nil}
		if c.b != "" {
			parts[1] = []File{{path.Join("out", c.file), []byte(c.b)}}
		}
		if files, ok := merge(parts); ok {
			t.Errorf("%s: %s", c.name, files)
		}
	}
}
