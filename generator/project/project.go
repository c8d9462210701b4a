// Package project reads a user's Go project: its module, what custos was asked for before (custos.yaml),
// what custos wrote before (custos.lock), and what was there already (migrations, sqlc.yaml, drivers).
//
// It only reads. Everything it learns is a value, so the rest of the generator needs no disk.
package project

import (
	"path"
	"strings"

	"github.com/custos-auth/custos/generator/engine"
)

// Names of the files that custos keeps in a project, relative to its root, with forward slashes.
const (
	ConfigFile = "custos.yaml"
	LockFile   = "custos.lock"
	Dir        = ".custos"
	BaseDir    = ".custos/base"
	PluginDir  = ".custos/plugins"
	SchemaFile = ".custos/custos.schema.json"
	IgnoreFile = ".custos/.gitignore"

	TemplateDir = ".custos/templates" // the user's versions of single templates, see [Override]
)

// Project is what is known about a user's project before anything is generated.
type Project struct {
	Root   string // absolute path of the folder with go.mod
	Module string // module path
	GoMod  []byte // go.mod as it is

	Requires map[string]string // module path -> version, from go.mod

	Config     Config // custos.yaml, or the defaults found out from the project
	ConfigFile []byte // custos.yaml as it is; nil when there is none
	Lock       Lock   // custos.lock; the zero Lock when there is none
	LockFile   []byte // custos.lock as it is; nil when there is none

	// Moved is where files were that the user has moved with their folder, by the paths that Lock has for them.
	// Their pristine copies are still there.
	Moved map[string]string

	Migrations Migrations // what the migration folder holds
	// Schema is the SQL outside of the migration folder that the user's own sqlc configuration names as
	// schema: tables may exist that no migration creates.
	Schema   []MigrationFile
	Findings []string // one line for each thing found out, for the user to read: "migrations: db/migrate (goose, timestamps)"
}

// Options are the answers that a user gave on the command line; "" means: find out.
type Options struct {
	Engine  string // --engine
	Driver  string // --driver
	Package string // --package, such as internal/authn
}

// Config is custos.yaml: what the user wants.
type Config struct {
	Engine     string
	Driver     string
	Package    string // folder of the shared package: internal/auth
	Queries    string // folder of custos' own sqlc.yaml and queries: db/custos
	Authctl    string // folder of the administration program: cmd/authctl
	Migrations MigrationConfig
	Models     []ModelConfig // in the order of the file
}

// MigrationConfig says where migrations live and who runs them.
type MigrationConfig struct {
	Dir       string // db/migrations
	Tool      string // goose, golang-migrate, dbmate, plain
	Numbering string // sequential, timestamp
}

// ModelConfig is one model in custos.yaml.
type ModelConfig struct {
	Name    string
	Table   string     // "" = the model's default
	Key     engine.Key // "" = bigint
	Path    string     // where its routes are mounted; "" = "/" + table
	Plugins []PluginConfig
}

// PluginConfig is one plugin of a model, with the options that were given.
type PluginConfig struct {
	Name    string
	Options map[string]string
}

// Model returns the configuration of the named model.
func (c Config) Model(name string) (ModelConfig, bool) {
	for _, m := range c.Models {
		if m.Name == name {
			return m, true
		}
	}
	return ModelConfig{}, false
}

// Migrations is what a migration folder holds.
type Migrations struct {
	Files []MigrationFile // sorted as the tool would run them
	// Foreign reports whether a file is there that custos did not write (it is not in the lock): only then
	// the schema must be read to know whether a model's table exists.
	Foreign bool
	// Width is the number of digits of the newest sequential number (5 for 00012), 0 when there is none.
	Width int
	// Last is the newest number or timestamp in the folder, 0 when there is none.
	Last int64
}

// MigrationFile is one file of the migration folder.
type MigrationFile struct {
	Path    string // relative to the root, forward slashes
	Version int64
	Content []byte
}

// The owners of a written file, as custos.lock spells them.
const (
	OwnerMachine = "machine" // rewritten by every run
	OwnerUser    = "user"    // the user's: merged, never overwritten once edited
	OwnerLedger  = "ledger"  // a migration: written once
)

// Lock is custos.lock: what was written.
type Lock struct {
	Generator string // version of custos that wrote it, such as "v0.1.0" or "devel"
	SQLC      string // hash of everything that went into sqlc's output, so that an unchanged run need not start it
	Entries   []Entry
	Detached  []string   // files that custos has made and leaves alone since the user said so; sorted
	Overrides []Override // sorted by path
	// Tombstones are declarations that the user has deleted from files that are still there, so that no upgrade
	// brings them back. They are written down when an upgrade meets them.
	Tombstones []Tombstone
	Healed     []string // one line for each disagreement that git left and [ParseLock] settled; not part of the file
}

// Entry is one written file.
type Entry struct {
	Owner  string // OwnerMachine, OwnerUser, OwnerLedger
	Path   string // relative to the root, forward slashes
	Hash   string // Hash of the bytes that custos wrote
	Origin string // the plugin whose template made it, or "core"
	ID     string // ledger only: the identity of the migration, such as PLUGIN.create_things, model.ApiClient, or [Undo] of one; "" otherwise
}

// Override is a template of the user's in place of one of a plugin's.
type Override struct {
	Path string // relative to the root, below TemplateDir: .custos/templates/PLUGIN/...
	Hash string // Hash of the template that it was made from
}

// Tombstone is a declaration, or a query, that the user has deleted.
type Tombstone struct {
	Path string // the file that it is generated into
	Name string // "func Service.List", "query ListUsers"
}

// Find returns the entry of a path.
func (l Lock) Find(path string) (Entry, bool) {
	for _, e := range l.Entries {
		if e.Path == path {
			return e, true
		}
	}
	return Entry{}, false
}

// Ledger returns the entries of a migration that is in force: one for tools with one file each, two for up and
// down files. Of a migration and those that undo it, the newest decides; one that was undone has no entries.
func (l Lock) Ledger(id string) []Entry {
	newest := Entry{}
	for _, e := range l.Entries {
		if e.Owner == OwnerLedger && (e.ID == id || e.ID == Undo(id)) && (newest.Path == "" || e.Version() > newest.Version()) {
			newest = e
		}
	}
	var out []Entry
	for _, e := range l.Entries {
		if e.Owner == OwnerLedger && e.ID == id && newest.ID == id && e.Version() == newest.Version() {
			out = append(out, e)
		}
	}
	return out
}

const undo = "undo:"

// Undo is the identity of the migration that undoes another one. What undoes that is the first one, made again.
func Undo(id string) string {
	if undone, ok := strings.CutPrefix(id, undo); ok {
		return undone
	}
	return undo + id
}

// Version is the number in a migration's name, 0 when there is none.
func (e Entry) Version() int64 {
	v, _ := number(path.Base(e.Path))
	return v
}
