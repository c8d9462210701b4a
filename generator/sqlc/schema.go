package sqlc

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
)

// catalog is the part of sqlc's JSON output that says what the schema holds.
type catalog struct {
	Catalog struct {
		DefaultSchema string `json:"default_schema"`
		Schemas       []struct {
			Name   string `json:"name"`
			Tables []struct {
				Rel struct {
					Name string `json:"name"`
				} `json:"rel"`
				Columns []struct {
					Name    string `json:"name"`
					NotNull bool   `json:"not_null"`
					Type    struct {
						Name string `json:"name"`
					} `json:"type"`
				} `json:"columns"`
			} `json:"tables"`
		} `json:"schemas"`
	} `json:"catalog"`
}

// ReadSchema returns the tables that migrations make. Migrations that sqlc cannot read are *Error values with
// their file and line.
func (r Runner) ReadSchema(ctx context.Context, eng engine.Engine, migrations []File) (plan.Schema, error) {
	if len(migrations) == 0 {
		return nil, nil
	}
	var schema strings.Builder
	for _, f := range migrations {
		if !strings.HasSuffix(f.Path, ".down.sql") {
			_, _ = fmt.Fprintf(&schema, "      - %s\n", f.Path)
		}
	}
	config := File{Path: "sqlc.yaml", Content: fmt.Appendf(nil,
		"version: \"2\"\nsql:\n  - engine: %s\n    schema:\n%s    queries: .custos/none.sql\n    gen:\n      json: {out: .custos, filename: schema.json}\n",
		eng.SQLC, schema.String())}
	none := File{Path: ".custos/none.sql", Content: []byte("-- name: None :one\nSELECT 1;\n")}
	dir, clean, err := lay(append([]File{config, none}, migrations...))
	if err != nil {
		return nil, err
	}
	defer clean()
	if err := r.run(ctx, dir, config.Path); err != nil {
		return nil, fmt.Errorf("read your migrations: %w", err)
	}
	files, err := collect(dir, ".custos")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if path.Base(f.Path) == "schema.json" {
			return parseCatalog(f.Content)
		}
	}
	return nil, &Error{Msg: "wrote no schema"}
}

func parseCatalog(data []byte) (plan.Schema, error) {
	var c catalog
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("read sqlc's catalog: %w", err)
	}
	var out plan.Schema
	for _, s := range c.Catalog.Schemas {
		if s.Name == "pg_catalog" || s.Name == "information_schema" {
			continue
		}
		for _, t := range s.Tables {
			table := plan.Table{Name: t.Rel.Name}
			if s.Name != c.Catalog.DefaultSchema {
				table.Name = s.Name + "." + table.Name
			}
			for _, col := range t.Columns {
				table.Columns = append(table.Columns, plan.Column{Name: col.Name, Type: strings.ToLower(col.Type.Name), NotNull: col.NotNull})
			}
			out = append(out, table)
		}
	}
	return out, nil
}

// KeyError is a table that cannot be a model because of its primary key.
type KeyError struct {
	Table  string
	Reason string
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("table %s cannot be a model: %s", e.Table, e.Reason)
}

// Key finds the type of a table's primary key. sqlc's catalog has columns but no keys, so the key itself is
// looked up in the text of the migrations. The error is a *KeyError.
func Key(table plan.Table, migrations []File) (engine.Key, error) {
	fail := func(format string, args ...any) (engine.Key, error) {
		return "", &KeyError{Table: table.Name, Reason: fmt.Sprintf(format, args...)}
	}
	columns := keyColumns(table.Name, migrations)
	switch {
	case len(columns) > 1:
		return fail("its key is composite (%s); custos needs a single column id", strings.Join(columns, ", "))
	case len(columns) == 0:
		return fail("it has no primary key; custos needs a column id that is one")
	case columns[0] != "id":
		return fail("its key is the column %s; custos needs it to be called id", columns[0])
	}
	if len(table.Columns) == 1 {
		return fail("it has a key and nothing else; custos needs one column more, such as created_at")
	}
	for _, c := range table.Columns {
		if !strings.EqualFold(c.Name, "id") {
			continue
		}
		name := strings.TrimPrefix(c.Type, "pg_catalog.")
		switch {
		case integers.MatchString(name):
			return engine.BigInt, nil
		case name == "uuid":
			return engine.UUID, nil
		case texts.MatchString(name):
			return engine.Text, nil
		}
		return fail("its key is of the type %s; custos takes integers, uuid and text", c.Type)
	}
	return fail("it has no column id")
}

// ReturnsKeys reports whether SQLite gives the key of a deleted row to a new one: it does so in a table whose key is an
// INTEGER PRIMARY KEY without AUTOINCREMENT, when the row had the greatest key.
func ReturnsKeys(table plan.Table, migrations []File) bool {
	returns := false
	for _, f := range migrations {
		sql := comments.ReplaceAllString(string(f.Content), " ")
		for _, items := range created(sql, table.Name) {
			if len(keyOfBody(items)) > 0 {
				returns = !slices.ContainsFunc(items, counting.MatchString)
			}
		}
	}
	for _, c := range table.Columns {
		if strings.EqualFold(c.Name, "id") {
			return returns && c.Type == "integer" // any other type is not SQLite's own key, which it counts
		}
	}
	return false
}

var (
	counting = regexp.MustCompile(`(?is)\bprimary\s+key\b.*\bautoincrement\b`)
	integers = regexp.MustCompile(`^(int|integer|bigint|int2|int4|int8|serial|bigserial|serial4|serial8|smallint|mediumint|tinyint)( unsigned)?$`)
	texts    = regexp.MustCompile(`^(text|varchar|char|bpchar|character|nchar|nvarchar|citext|string)(\b.*)?$`)
	comments = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/`)
	create   = regexp.MustCompile("(?is)create\\s+table\\s+(?:if\\s+not\\s+exists\\s+)?(?:[\"`]?\\w+[\"`]?\\s*\\.\\s*)?[\"`]?(\\w+)[\"`]?\\s*\\(")
	alter    = regexp.MustCompile("(?is)alter\\s+table\\s+(?:only\\s+)?(?:[\"`]?\\w+[\"`]?\\s*\\.\\s*)?[\"`]?(\\w+)[\"`]?\\s+add\\s+(?:constraint\\s+\\S+\\s+)?primary\\s+key\\s*\\(([^)]*)\\)")
	tableKey = regexp.MustCompile(`(?is)^(?:constraint\s+\S+\s+)?primary\s+key\s*(?:using\s+\w+\s*)?\(([^)]*)\)`)
	inline   = regexp.MustCompile(`(?is)\bprimary\s+key\b`)
)

// keyColumns finds the columns of a table's primary key in CREATE TABLE and ALTER TABLE statements.
func keyColumns(table string, migrations []File) []string {
	var found []string
	for _, f := range migrations {
		sql := comments.ReplaceAllString(string(f.Content), " ")
		for _, items := range created(sql, table) {
			if cols := keyOfBody(items); len(cols) > 0 {
				found = cols
			}
		}
		for _, m := range alter.FindAllStringSubmatch(sql, -1) {
			if strings.EqualFold(m[1], table) {
				found = names(m[2])
			}
		}
	}
	return found
}

// created returns the items of each CREATE TABLE for a table.
func created(sql, table string) (bodies [][]string) {
	for _, at := range create.FindAllStringSubmatchIndex(sql, -1) {
		if strings.EqualFold(sql[at[2]:at[3]], table) {
			bodies = append(bodies, body(sql[at[1]:]))
		}
	}
	return bodies
}

// body returns the comma-separated items up to the parenthesis that closes a CREATE TABLE.
func body(sql string) []string {
	var items []string
	depth, start := 0, 0
	for i, c := range sql {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
			if depth < 0 {
				return append(items, sql[start:i])
			}
		case ',':
			if depth == 0 {
				items, start = append(items, sql[start:i]), i+1
			}
		}
	}
	return append(items, sql[start:])
}

func keyOfBody(items []string) []string {
	for _, item := range items {
		item = strings.TrimSpace(item)
		if m := tableKey.FindStringSubmatch(item); m != nil {
			return names(m[1])
		}
		if inline.MatchString(item) {
			return names(strings.Fields(item)[0])
		}
	}
	return nil
}

func names(list string) []string {
	var out []string
	for _, n := range strings.Split(list, ",") {
		n, _, _ = strings.Cut(strings.TrimSpace(n), " ")
		n, _, _ = strings.Cut(n, "(")
		out = append(out, strings.ToLower(strings.Trim(n, "\"`[]")))
	}
	return out
}
