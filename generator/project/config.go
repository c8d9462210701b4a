package project

import (
	_ "embed" // custos.schema.json
	"errors"
	"fmt"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/mod/module"

	"github.com/custos-auth/custos/generator/engine"
)

//go:embed custos.schema.json
var schema string

// Schema returns the JSON Schema of custos.yaml, for editors.
func Schema() []byte { return []byte(schema) }

const configVersion = "1"

// The migration tools, and the two ways to number migrations.
const (
	Goose         = "goose"
	GolangMigrate = "golang-migrate"
	Dbmate        = "dbmate"
	Plain         = "plain"

	Sequential = "sequential"
	Timestamp  = "timestamp"
)

// Folders that custos uses unless custos.yaml names others.
const (
	DefaultPackage    = "internal/auth"
	DefaultQueries    = "db/custos"
	DefaultAuthctl    = "cmd/authctl"
	DefaultMigrations = "db/migrations"
)

// The keys of custos.yaml, in the order in which they are written.
func rootKeys() []string {
	return []string{"version", "engine", "driver", "package", "queries", "authctl", "migrations", "models"}
}
func migrationKeys() []string { return []string{"dir", "tool", "numbering"} }
func modelKeys() []string     { return []string{"table", "key", "path", "plugins"} }

func tools() []string      { return []string{Goose, GolangMigrate, Dbmate, Plain} }
func numberings() []string { return []string{Sequential, Timestamp} }

func keys() []string {
	var out []string
	for _, k := range engine.Keys() {
		out = append(out, string(k))
	}
	return out
}

func engines() []string {
	var out []string
	for _, e := range engine.All() {
		out = append(out, e.Name)
	}
	return out
}

// ParseConfig reads custos.yaml. Keys that are not there stay empty; [Load] finds them out. It reports every
// fault, each a *PosError.
func ParseConfig(data []byte) (Config, error) {
	c, _, err := parseConfig(data)
	return c, err
}

func parseConfig(data []byte) (Config, *doc, error) {
	d, err := parseDoc(ConfigFile, data)
	if err != nil {
		return Config{}, nil, err
	}
	r := &configReader{doc: d}
	c := r.config(d.root)
	if err := errors.Join(r.errs...); err != nil {
		return Config{}, nil, err
	}
	return c, d, nil
}

// configReader turns the tree into a Config and collects what is wrong with it.
type configReader struct {
	doc  *doc
	errs []error
}

func (r *configReader) fail(pos int, format string, args ...any) {
	r.errs = append(r.errs, r.doc.errorf(pos, format, args...))
}

func (r *configReader) config(root *node) Config {
	var c Config
	r.unique(root, "")
	version := false
	for _, it := range root.items {
		switch it.key {
		case "version":
			version = true
			r.version(it)
		case "engine":
			c.Engine = r.oneOf(it, engines())
		case "driver":
			c.Driver = r.word(it)
		case "package":
			c.Package = r.valid(it, checkPackage)
		case "queries":
			c.Queries = r.valid(it, checkFolder)
		case "authctl":
			c.Authctl = r.valid(it, checkGoFolder)
		case "migrations":
			c.Migrations = r.migrations(it)
		case "models":
			c.Models = r.models(it)
		default:
			r.unknown(it, "", rootKeys())
		}
	}
	if !version {
		r.fail(0, `the key "version" is missing; write at the top: version: %s`, configVersion)
	}
	if it, ok := root.item("driver"); ok && c.Engine != "" && c.Driver != "" {
		if e, err := engine.ByName(c.Engine); err == nil {
			if _, err := e.Driver(c.Driver); err != nil {
				r.fail(it.val.pos, "%v", err)
			}
		}
	}
	if it, ok := root.item("queries"); ok && c.Queries != "" && c.Queries == c.Migrations.Dir {
		r.fail(it.val.pos, "queries and migrations cannot share the folder %s; write queries: %s", c.Queries, DefaultQueries)
	}
	return c
}

func (r *configReader) version(it item) {
	v := r.word(it)
	if v == "" || v == configVersion {
		return
	}
	if n, err := strconv.Atoi(v); err == nil && n > 1 {
		r.fail(it.val.pos, "version %s was written by a newer custos; update custos: go install github.com/custos-auth/custos/cmd/custos@latest", v)
		return
	}
	r.fail(it.val.pos, "unknown version %q; write version: %s", v, configVersion)
}

func (r *configReader) migrations(it item) MigrationConfig {
	var m MigrationConfig
	for _, it := range r.mapping(it, "migrations.") {
		switch it.key {
		case "dir":
			m.Dir = r.valid(it, checkFolder)
		case "tool":
			m.Tool = r.oneOf(it, tools())
		case "numbering":
			m.Numbering = r.oneOf(it, numberings())
		default:
			r.unknown(it, "migrations.", migrationKeys())
		}
	}
	return m
}

func (r *configReader) models(it item) []ModelConfig {
	var out []ModelConfig
	for _, it := range r.mapping(it, "models.") {
		m := ModelConfig{Name: it.key}
		for _, it := range r.mapping(it, it.key+".") {
			switch it.key {
			case "table":
				m.Table = r.valid(it, checkTable)
			case "key":
				m.Key = engine.Key(r.oneOf(it, keys()))
			case "path":
				m.Path = r.valid(it, checkRoute)
			case "plugins":
				m.Plugins = r.plugins(it)
			default:
				r.unknown(it, m.Name+".", modelKeys())
			}
		}
		out = append(out, m)
	}
	return out
}

func (r *configReader) plugins(it item) []PluginConfig {
	var out []PluginConfig
	for _, it := range r.mapping(it, "plugins.") {
		p := PluginConfig{Name: it.key, Options: map[string]string{}}
		for _, it := range r.mapping(it, it.key+".") {
			switch it.val.kind {
			case scalar:
				p.Options[it.key] = it.val.text
			case null:
				r.fail(it.keyPos, "%s has no value; write one, or delete the line", it.key)
			default:
				r.fail(it.val.pos, "%s takes one value, not a mapping", it.key)
			}
		}
		out = append(out, p)
	}
	return out
}

// mapping returns the items of a value that must be a mapping. Nothing at all is an empty one.
func (r *configReader) mapping(it item, prefix string) []item {
	switch it.val.kind {
	case null:
		return nil
	case scalar:
		r.fail(it.val.pos, "%s holds keys and values, not %q", it.key, clip(it.val.text))
		return nil
	}
	r.unique(it.val, prefix)
	return it.val.items
}

func (r *configReader) unique(n *node, prefix string) {
	seen := map[string]int{}
	for _, it := range n.items {
		if first, ok := seen[it.key]; ok {
			line, _ := r.doc.place(first)
			r.fail(it.keyPos, "%s%s is there twice, first on line %d; delete one", prefix, clip(it.key), line)
			continue
		}
		seen[it.key] = it.keyPos
	}
}

func (r *configReader) unknown(it item, prefix string, known []string) {
	if n := nearest(it.key, known); n != "" {
		r.fail(it.keyPos, "unknown key %q; did you mean %q?", prefix+clip(it.key), prefix+n)
		return
	}
	r.fail(it.keyPos, "unknown key %q; known: %s", prefix+clip(it.key), strings.Join(known, ", "))
}

// word reads a value that must be a scalar.
func (r *configReader) word(it item) string {
	switch {
	case it.val.kind == mapping:
		r.fail(it.val.pos, "%s takes one value, not a mapping", it.key)
	case it.val.kind == null || it.val.text == "":
		r.fail(it.keyPos, "%s has no value; write one, or delete the line", it.key)
	default:
		return it.val.text
	}
	return ""
}

func (r *configReader) oneOf(it item, known []string) string {
	w := r.word(it)
	if w == "" || slices.Contains(known, w) {
		return w
	}
	what := it.key
	if what == "key" { // of a table, not of this file
		what = "type of a table's key:"
	}
	if n := nearest(w, known); n != "" {
		r.fail(it.val.pos, "unknown %s %q; did you mean %q?", what, clip(w), n)
	} else {
		r.fail(it.val.pos, "unknown %s %q; known: %s", what, clip(w), strings.Join(known, ", "))
	}
	return ""
}

func (r *configReader) valid(it item, check func(string) error) string {
	w := r.word(it)
	if w == "" {
		return ""
	}
	if err := check(w); err != nil {
		r.fail(it.val.pos, "%s %q: %v", it.key, clip(w), err)
		return ""
	}
	return w
}

func checkFolder(p string) error {
	if strings.Contains(p, "\\") {
		return errors.New("write the path with forward slashes")
	}
	if !local(p) {
		return errors.New("write a folder below the project's root, such as db/custos: no leading slash, no \"..\", no \".\"")
	}
	if first, _, _ := strings.Cut(strings.ToLower(p), "/"); first == Dir || first == ".git" {
		return fmt.Errorf("%s has another use; name another folder", first)
	}
	if err := module.CheckFilePath(p); err != nil {
		return errors.New(reason(err))
	}
	return nil
}

func checkGoFolder(p string) error {
	if err := checkFolder(p); err != nil {
		return err
	}
	if err := module.CheckImportPath(p); err != nil {
		return errors.New(reason(err))
	}
	for _, e := range strings.Split(p, "/") {
		if e == "vendor" || e == "testdata" || e[0] == '_' || e[0] == '.' {
			return fmt.Errorf("a folder called %s is one that Go does not build; name another", e)
		}
	}
	return nil
}

func checkPackage(p string) error {
	if err := checkGoFolder(p); err != nil {
		return err
	}
	name := path.Base(p)
	if !token.IsIdentifier(name) || strings.ToLower(name) != name || name == "main" || name == "_" {
		return fmt.Errorf("%q cannot be the name of a Go package; write lower-case letters, such as internal/authn", name)
	}
	return nil
}

func checkTable(t string) error {
	ok := len(t) <= 63 && (t[0] < '0' || t[0] > '9')
	for _, c := range t {
		ok = ok && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_')
	}
	if !ok {
		return errors.New("a table is called with at most 63 lower-case letters, digits and underscores, such as api_clients")
	}
	return nil
}

func checkRoute(p string) error {
	ok := p[0] == '/'
	for _, c := range p {
		ok = ok && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("_/-", c))
	}
	if !ok || strings.Contains(p, "//") {
		return errors.New("a route begins with a slash and has only a-z, 0-9, _, - and single slashes, such as /api_clients")
	}
	return nil
}

// local reports whether a path is relative, clean, and stays below the root.
func local(p string) bool {
	if p == "" || strings.ContainsAny(p, "\\:\x00") {
		return false
	}
	for _, e := range strings.Split(p, "/") {
		if e == "" || e == "." || e == ".." {
			return false
		}
	}
	return true
}

// reason is the innermost cause of an error of the module package, which repeats the path on the way.
func reason(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:77], "") + "..."
	}
	return s
}

// tree is a value to be written as YAML.
type tree struct {
	text  string
	items []pair
	block bool // it has items, or could have
}

type pair struct {
	key string
	val tree
}

func word(s string) tree { return tree{text: s} }

func (m ModelConfig) tree() tree {
	t := tree{block: true}
	for _, p := range []pair{{"table", word(m.Table)}, {"key", word(string(m.Key))}, {"path", word(m.Path)}} {
		if p.val.text != "" {
			t.items = append(t.items, p)
		}
	}
	plugins := tree{block: true}
	for _, p := range m.Plugins {
		plugins.items = append(plugins.items, pair{p.Name, p.tree()})
	}
	t.items = append(t.items, pair{"plugins", plugins})
	return t
}

func (p PluginConfig) tree() tree {
	t := tree{block: true}
	for _, o := range slices.Sorted(maps.Keys(p.Options)) {
		t.items = append(t.items, pair{o, word(p.Options[o])})
	}
	return t
}

// lines writes one key and its value, over as many lines as it takes.
func (p pair) lines(indent, step int, nl string) string {
	head := strings.Repeat(" ", indent) + quoteYAML(p.key) + ":"
	if len(p.val.items) == 0 {
		return head + " " + p.val.inline() + nl
	}
	var b strings.Builder
	b.WriteString(head + nl)
	for _, it := range p.val.items {
		b.WriteString(it.lines(indent+step, step, nl))
	}
	return b.String()
}

// inline writes the value on one line, mappings in braces.
func (t tree) inline() string {
	if !t.block {
		return quoteYAML(t.text)
	}
	var parts []string
	for _, p := range t.items {
		parts = append(parts, p.inline())
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (p pair) inline() string { return quoteYAML(p.key) + ": " + p.val.inline() }

// quoteYAML writes a string so that it is read back as the same one, with quotes only where they are needed.
func quoteYAML(s string) string {
	plain := s != ""
	for i, c := range s {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '/'
		plain = plain && (letter || i > 0 && strings.ContainsRune(".-+@", c))
	}
	if plain && strings.ToLower(s) != "null" {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteString("\\" + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(c) && c != '\ufeff':
			b.WriteRune(c)
		case c <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, c)
		case c <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// RenderConfig writes a new custos.yaml, with comments. What is empty is left out. For a file that exists
// already, use [UpdateConfig].
func RenderConfig(c Config) []byte {
	var b strings.Builder
	line := func(indent, key, value, comment string) {
		if value == "" {
			return
		}
		s := indent + key + ": " + quoteYAML(value)
		if comment != "" {
			s = fmt.Sprintf("%-25s # %s", s, comment)
		}
		b.WriteString(s + "\n")
	}
	b.WriteString("# custos: what you asked for. Edit it, then run `custos upgrade`.\n")
	b.WriteString("# yaml-language-server: $schema=" + SchemaFile + "\n")
	line("", "version", configVersion, "")
	line("", "engine", c.Engine, strings.Join(engines(), ", "))
	line("", "driver", c.Driver, "")
	line("", "package", c.Package, "the shared package; each model's package lives below it")
	line("", "queries", c.Queries, "custos' own sqlc.yaml and queries")
	line("", "authctl", c.Authctl, "administration from the shell")
	if c.Migrations != (MigrationConfig{}) {
		b.WriteString("migrations:\n")
		line("  ", "dir", c.Migrations.Dir, "")
		line("  ", "tool", c.Migrations.Tool, strings.Join(tools(), ", "))
		line("  ", "numbering", c.Migrations.Numbering, strings.Join(numberings(), ", "))
	}
	models := tree{block: true}
	for _, m := range c.Models {
		models.items = append(models.items, pair{m.Name, m.tree()})
	}
	text := pair{"models", models}.lines(0, 2, "\n")
	for _, k := range []struct{ key, comment string }{
		{"key", strings.Join(keys(), ", ")},
		{"path", "where its routes are mounted"},
	} {
		text = commentFirst(text, "    "+k.key+": ", k.comment)
	}
	b.WriteString(text)
	return []byte(b.String())
}

// commentFirst explains a key where it appears for the first time.
func commentFirst(text, key, comment string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, key) {
			lines[i] = fmt.Sprintf("%-25s # %s\n", strings.TrimSuffix(l, "\n"), comment)
			break
		}
	}
	return strings.Join(lines, "")
}
