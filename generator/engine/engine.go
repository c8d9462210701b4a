// Package engine describes the three databases as values: words that templates use and facts that the rest
// of custos reads. No other package asks which engine it is talking about; it asks the engine for a word.
package engine

import (
	"fmt"
	"strings"
)

// Key is the type of a model's primary key.
type Key string

// The keys that a model's table may have.
const (
	BigInt Key = "bigint"
	UUID   Key = "uuid"
	Text   Key = "text"
)

// Keys lists the supported primary keys.
func Keys() []Key { return []Key{BigInt, UUID, Text} }

// GoType is the Go type of a key in every engine's sqlc output.
func (k Key) GoType() string {
	if k == BigInt {
		return "int64"
	}
	return "string"
}

// Engine is one database. Values are read-only and safe for concurrent use.
type Engine struct {
	Name    string   // sqlite, postgres, mysql: the word in custos.yaml
	Title   string   // the name in prose
	SQLC    string   // what sqlc calls it
	Drivers []Driver // the first is the default

	words map[string]string
	casts map[Key]string
}

// Driver is a Go package that speaks to an engine.
type Driver struct {
	Name       string  // the word in custos.yaml: modernc, mattn, pgx, mysql
	Module     string  // its Go module
	Version    string  // the version written into a go.mod that does not have it yet
	Import     string  // the package that generated code imports
	SQLPackage string  // sqlc's sql_package
	SQLName    string  // its name for database/sql's Open
	Params     []Param // what generated code adds to a DSN
}

// Param is one parameter of a DSN.
type Param struct{ Key, Value string }

// All lists the engines, the default first.
func All() []Engine { return []Engine{sqlite(), postgres(), mysql()} }

// Default is the engine of a project in which nothing points to another one.
func Default() Engine { return sqlite() }

// UnknownError is returned by [ByName] and [Engine.Driver].
type UnknownError struct {
	Kind  string // engine or driver
	Name  string
	Known []string
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown %s %q; known: %s", e.Kind, e.Name, strings.Join(e.Known, ", "))
}

// ByName finds an engine by its word or one of its common other names. The error is an *UnknownError.
func ByName(name string) (Engine, error) {
	switch strings.ToLower(name) {
	case "sqlite", "sqlite3":
		return sqlite(), nil
	case "postgres", "postgresql", "pg":
		return postgres(), nil
	case "mysql", "mariadb":
		return mysql(), nil
	}
	return Engine{}, &UnknownError{Kind: "engine", Name: name, Known: []string{"sqlite", "postgres", "mysql"}}
}

// Driver finds one of the engine's drivers; "" is the default. The error is an *UnknownError.
func (e Engine) Driver(name string) (Driver, error) {
	var known []string
	for _, d := range e.Drivers {
		if d.Name == name || name == "" {
			return d, nil
		}
		known = append(known, d.Name)
	}
	return Driver{}, &UnknownError{Kind: e.Name + " driver", Name: name, Known: known}
}

// Word is the engine's SQL for a word of the templates, such as the column type "time". An unknown word is
// an error, so that a typo in a template never renders as nothing.
func (e Engine) Word(word string) (string, error) {
	w, ok := e.words[word]
	if !ok {
		return "", fmt.Errorf("unknown SQL word %q for %s", word, e.Title)
	}
	return w, nil
}

// Reserves reports whether a table of that name would have to be quoted on one of the engines. Only plurals are
// in the list, because only tables that custos makes are asked about.
func Reserves(table string) bool {
	switch table {
	case "as", "databases", "exists", "groups", "indexes", "is", "keys", "lines", "others", "reads", "references", "rows", "schemas", "values":
		return true
	}
	return false
}

// CastKey is an SQL expression that turns a text column holding a key into the key's own type, so that a
// join on it can use the owner's primary key index.
func (e Engine) CastKey(k Key, expr string) (string, error) {
	c, ok := e.casts[k]
	if !ok {
		return "", fmt.Errorf("unknown key type %q; known: bigint, uuid, text", k)
	}
	return strings.ReplaceAll(c, "$", expr), nil
}

// In is the SQL that tests whether an id is in a slice parameter of sqlc.
func (e Engine) In(param string) (string, error) {
	w, err := e.Word("in")
	return strings.ReplaceAll(w, "$", param), err
}
