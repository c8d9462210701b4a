package generator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/sqlc"
)

// The tests of the laws hold over every plugin: those in templates, and those in testdata/plugins, which stand
// for a user's own. They are found by glob; no test knows one by name.

// scratch is where the shared projects live while the tests run.
var scratch string

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sqlc.Command {
		os.Exit(sqlc.Main(os.Args[2:]))
	}
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(generateAsChild(dir))
	}
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "custos-laws-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(scratch) }()
		return m.Run()
	}())
}

// root is the folder of the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// builtIn is the plugins of custos, read from the folder, so that one that somebody forgot to embed is seen.
func builtIn(t testing.TB) fs.FS { return asOfNow(t, "templates") }

// users is the plugins that stand for a user's own.
func users(t testing.TB) fs.FS { return asOfNow(t, "testdata/plugins") }

// asOfNow is a folder of the repository as it was when it was first asked for: somebody may be editing it, and
// all tests must see the same.
func asOfNow(t testing.TB, dir string) fs.FS {
	t.Helper()
	frozen.Lock()
	defer frozen.Unlock()
	to := filepath.Join(scratch, filepath.FromSlash(dir))
	if _, err := os.Stat(to); err != nil {
		memory(t, os.DirFS(filepath.Join(root(t), filepath.FromSlash(dir)))).write(t, to)
	}
	return os.DirFS(to)
}

var frozen sync.Mutex

// library is every plugin there is.
func library(t testing.TB) *plugin.Library {
	t.Helper()
	lib, err := plugin.Load(plugin.Source{Origin: project.PluginDir, FS: users(t)}, plugin.Source{Origin: "built in", FS: builtIn(t)})
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

// everyPlugin is every plugin there is, core too.
func everyPlugin(t testing.TB) []*plugin.Plugin {
	t.Helper()
	lib := library(t)
	var out []*plugin.Plugin
	for _, name := range append([]string{plugin.Core}, lib.Names()...) {
		p, err := lib.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// memory copies a file system, so that a test can change it.
func memory(t testing.TB, from fs.FS) memoryFS {
	t.Helper()
	m := memoryFS{}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		m[name], err = fs.ReadFile(from, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type memoryFS map[string][]byte

// write puts the files below a folder.
func (m memoryFS) write(t testing.TB, dir string) {
	t.Helper()
	for name, content := range m {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

// folder writes the files below a new folder and opens it.
func (m memoryFS) folder(t testing.TB) fs.FS {
	t.Helper()
	dir := t.TempDir()
	m.write(t, dir)
	return os.DirFS(dir)
}

// snapshot reads a whole tree.
func snapshot(t testing.TB, dir string) memoryFS { return memory(t, os.DirFS(dir)) }

// differences lists the paths that differ.
func differences(a, b memoryFS) []string {
	var out []string
	for name := range a {
		if _, there := b[name]; !there {
			out = append(out, "- "+name)
		} else if !bytes.Equal(a[name], b[name]) {
			out = append(out, "~ "+name)
		}
	}
	for name := range b {
		if _, there := a[name]; !there {
			out = append(out, "+ "+name)
		}
	}
	slices.Sort(out)
	return out
}

// wanted is one model of a project, as a user asks for it.
type wanted struct {
	name    string
	plugins []plugin.Selection
}

// set is a project to generate.
type set struct {
	name    string
	models  []wanted
	foreign bool // the tables of all models but the first are a user's own
}

// The models of a project with tables of the user's own, by the type of their keys.
func foreignModels() map[engine.Key]string {
	return map[engine.Key]string{engine.UUID: "Partner", engine.Text: "Device", engine.BigInt: "Merchant"}
}

func selection(names ...string) []plugin.Selection {
	var out []plugin.Selection
	for _, n := range names {
		out = append(out, plugin.Selection{Name: n})
	}
	return out
}

// allTogether is as many plugins as one model can have.
func allTogether(lib *plugin.Library) []string {
	var names []string
	for _, n := range lib.Names() {
		if _, err := lib.Resolve(selection(append(slices.Clone(names), n)...)); err == nil {
			names = append(names, n)
		}
	}
	return names
}

// sets is each plugin alone, all together, and all with every option on, in one project with tables of the user's.
func sets(t testing.TB) []set {
	t.Helper()
	lib := library(t)
	candidates := [][]string{nil}
	for _, n := range lib.Names() {
		candidates = append(candidates, []string{n})
	}
	return append(distinct(lib, append(candidates, allTogether(lib))), optionsSet(t, lib))
}

// everything is the last two of sets: all plugins together, and with every option for four models.
func everything(t testing.TB) []set {
	t.Helper()
	all := sets(t)
	return all[len(all)-2:]
}

// pairs is each pair of plugins that meet at a seam, but for those that sets has.
func pairs(t testing.TB) []set {
	t.Helper()
	lib := library(t)
	names := lib.Names()
	var candidates [][]string
	for i, a := range names {
		for _, b := range names[i+1:] {
			if meet(t, lib, a, b) {
				candidates = append(candidates, []string{a, b})
			}
		}
	}
	known := map[string]bool{}
	for _, s := range sets(t) {
		known[s.name] = true
	}
	return slices.DeleteFunc(distinct(lib, candidates), func(s set) bool { return known[s.name] })
}

// distinct makes sets of plugins that do not conflict, leaving out what is the same with all that comes along.
func distinct(lib *plugin.Library, candidates [][]string) []set {
	var out []set
	seen := map[string]bool{}
	for _, c := range candidates {
		resolved, err := lib.Resolve(selection(c...))
		if err != nil {
			continue // they conflict
		}
		var all []string
		for _, s := range resolved {
			all = append(all, s.Name)
		}
		key := strings.Join(all, "+")
		if seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, set{name: key, models: []wanted{{"ApiClient", selection(c...)}}})
	}
	return out
}

// meet reports whether two plugins meet at a seam: they declare it, join it, or call it.
func meet(t testing.TB, lib *plugin.Library, a, b string) bool {
	t.Helper()
	methods, heard := map[string]string{}, map[string]bool{} // seam -> method, and whether it is an observe seam
	for _, p := range everyPlugin(t) {
		for name, seam := range p.Manifest.Seams {
			methods[name], heard[name] = seam.Method, seam.Kind == plugin.Observe
		}
	}
	at := func(name string) map[string]bool {
		p, err := lib.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		files := memory(t, p.FS)
		for seam, method := range methods {
			_, declares := p.Manifest.Seams[seam]
			_, joins := p.Manifest.Hooks[seam]
			joins = joins || heard[seam] && p.Manifest.Hooks[plugin.EverySeam] != nil
			calls := false
			for f, content := range files {
				calls = calls || strings.HasSuffix(f, ".go.tmpl") && bytes.Contains(content, []byte("."+method+"("))
			}
			out[seam] = declares || joins || calls
		}
		return out
	}
	mine, theirs := at(a), at(b)
	for seam := range methods {
		if mine[seam] && theirs[seam] {
			return true
		}
	}
	return false
}

// optionsSet has every plugin with every option on, each enum in each of its values, spread over models with a
// table of their own and with tables of the user's.
func optionsSet(t testing.TB, lib *plugin.Library) set {
	t.Helper()
	s := set{name: "options", foreign: true}
	names := allTogether(lib)
	most := 1
	for _, n := range names {
		p, err := lib.Get(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Manifest.Options {
			most = max(most, len(o.Values))
		}
	}
	models := []string{"ApiClient"}
	for _, key := range engine.Keys() {
		models = append(models, foreignModels()[key])
	}
	if most > len(models)-1 {
		t.Fatalf("an option has %d values: add models here, one for each", most)
	}
	for i, m := range models {
		var plugins []plugin.Selection
		for _, n := range names {
			p, err := lib.Get(n)
			if err != nil {
				t.Fatal(err)
			}
			sel := plugin.Selection{Name: n}
			if i < len(models)-1 { // the last one has the defaults
				sel.Options = everyOption(t, p.Manifest, i)
			}
			plugins = append(plugins, sel)
		}
		s.models = append(s.models, wanted{m, plugins})
	}
	return s
}

// everyOption sets every option; i chooses among the values that one can have.
func everyOption(t testing.TB, m plugin.Manifest, i int) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, o := range m.Options {
		out[name] = optionValue(t, o, i)
	}
	return out
}

func optionValue(t testing.TB, o plugin.Option, i int) string {
	t.Helper()
	switch o.Type {
	case "bool":
		return "true"
	case "duration", "int":
		values := []string{"never", "36h", "52w"}
		if o.Type == "int" {
			values = []string{o.Default}
		}
		if o.Min != "" || o.Max != "" {
			values = nil
			for _, v := range []string{o.Min, o.Max, "never"} {
				if _, err := o.Parse(v); v != "" && err == nil {
					values = append(values, v)
				}
			}
		}
		return values[i%len(values)]
	case "enum":
		return o.Values[i%len(o.Values)]
	}
	if _, err := o.Parse("acme"); err == nil {
		return "acme"
	}
	re, err := syntax.Parse(o.Pattern, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	word := sampleOf(re)
	if words := strings.Fields(word); o.Distinct {
		for i := range words {
			words[i] += string(rune('a' + i))
		}
		word = strings.Join(words, " ")
	}
	if _, err := o.Parse(word); err != nil {
		t.Fatalf("no word for the pattern %s: %v", o.Pattern, err)
	}
	return word
}

// sampleOf is a short text that a regular expression matches.
func sampleOf(re *syntax.Regexp) string {
	var b strings.Builder
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		return string(re.Rune[:1])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpCapture, syntax.OpPlus:
		return sampleOf(re.Sub[0])
	case syntax.OpAlternate:
		return sampleOf(re.Sub[0])
	case syntax.OpRepeat:
		return strings.Repeat(sampleOf(re.Sub[0]), re.Min)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			b.WriteString(sampleOf(sub))
		}
	}
	return b.String()
}

// module is the module path of every generated project: the same, so that trees can be compared.
const module = "example.com/shop"

// seed is what is in the folder before custos comes: a go.mod that needs no network, and what the set asks for.
func (s set) seed(t testing.TB, e engine.Engine) memoryFS {
	t.Helper()
	files := memoryFS{"go.mod": goMod(t), "go.sum": read(t, filepath.Join(root(t), "go.sum"))}
	for name, content := range memory(t, users(t)) {
		files[path.Join(project.PluginDir, name)] = content
	}
	if s.foreign {
		var up, down strings.Builder
		for _, key := range engine.Keys() {
			m := strings.ToLower(foreignModels()[key]) + "s"
			kind := keyColumn(t, e, key)
			fmt.Fprintf(&up, "CREATE TABLE %s (\n  id %s,\n  name VARCHAR(100) NOT NULL,\n  balance NUMERIC(10, 2) NOT NULL,\n  floors INTEGER NOT NULL,\n"+
				"  active BOOLEAN NOT NULL,\n  born DATE NOT NULL,\n  note VARCHAR(20),\n  rank INTEGER NOT NULL DEFAULT 7\n);\n", m, kind)
			fmt.Fprintf(&down, "DROP TABLE %s;\n", m)
		}
		sql := strings.ReplaceAll(up.String(), "rank INTEGER", "standing INTEGER") // rank is a word of MySQL's
		files["db/migrations/00001_tables.sql"] = []byte("-- +goose Up\n" + sql + "\n-- +goose Down\n" + down.String())
	}
	return files
}

// keyColumn is a key as a user would declare it.
func keyColumn(t testing.TB, e engine.Engine, key engine.Key) string {
	t.Helper()
	kind := map[string]map[engine.Key]string{
		"sqlite":   {engine.BigInt: "INTEGER PRIMARY KEY", engine.UUID: "TEXT PRIMARY KEY", engine.Text: "VARCHAR(100) PRIMARY KEY"},
		"postgres": {engine.BigInt: "BIGSERIAL PRIMARY KEY", engine.UUID: "UUID PRIMARY KEY", engine.Text: "TEXT PRIMARY KEY"},
		"mysql":    {engine.BigInt: "BIGINT PRIMARY KEY AUTO_INCREMENT", engine.UUID: "CHAR(36) PRIMARY KEY", engine.Text: "VARCHAR(100) PRIMARY KEY"},
	}[e.Name][key]
	if kind == "" {
		t.Fatalf("no %s key for %s", key, e.Name)
	}
	return kind
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goMod is a go.mod with the versions of this repository's: what the generated code needs is in the module
// cache already, and nothing is asked of the network.
func goMod(t testing.TB) []byte {
	t.Helper()
	name := filepath.Join(root(t), "go.mod")
	ours, err := modfile.Parse(name, read(t, name), nil)
	if err != nil {
		t.Fatal(err)
	}
	drivers := map[string]bool{}
	for _, e := range engine.All() {
		for _, d := range e.Drivers {
			drivers[d.Module] = true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\nrequire (\n", module, ours.Go.Version)
	for _, r := range ours.Require {
		if !drivers[r.Mod.Path] {
			fmt.Fprintf(&b, "\t%s %s // indirect\n", r.Mod.Path, r.Mod.Version)
		}
	}
	b.WriteString(")\n")
	return []byte(b.String())
}

// request is a run for one model.
func request(t testing.TB, dir string, e engine.Engine, m wanted) generator.Request {
	t.Helper()
	return generator.Request{
		Dir: dir, Options: project.Options{Engine: e.Name}, Model: m.name, Plugins: m.plugins,
		Templates: builtIn(t), Version: "v0.0.0-test",
		Runtime: generator.RuntimeModule{Version: "v0.0.0", Replace: filepath.Join(root(t), "runtime")},
		Now:     func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	}
}

// run generates and applies.
func run(t testing.TB, req generator.Request) *generator.Result {
	t.Helper()
	result, err := generator.Generate(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Apply(); err != nil {
		t.Fatal(err)
	}
	return result
}

// generate makes the project in a new folder.
func (s set) generate(t testing.TB, dir string, e engine.Engine) {
	t.Helper()
	s.seed(t, e).write(t, dir)
	for _, m := range s.models {
		run(t, request(t, dir, e, m))
	}
}

// shared holds the projects that several tests look at. Nobody changes them.
var shared struct {
	sync.Mutex
	projects map[string]*sharedProject
}

type sharedProject struct {
	once sync.Once
	dir  string
}

// project is the folder of a project that is generated once for all tests.
func (s set) project(t testing.TB, e engine.Engine) string {
	t.Helper()
	key := e.Name + "-" + s.name
	shared.Lock()
	if shared.projects == nil {
		shared.projects = map[string]*sharedProject{}
	}
	p := shared.projects[key]
	if p == nil {
		p = &sharedProject{}
		shared.projects[key] = p
	}
	shared.Unlock()
	p.once.Do(func() {
		dir := filepath.Join(scratch, key)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s.generate(t, dir, e)
		p.dir = dir
	})
	if p.dir == "" {
		t.Fatalf("%s was not generated; another test says why", key)
	}
	return p.dir
}

// requireDatabase skips the test when the engine has no server here, unless CI demands one.
func requireDatabase(t *testing.T, e engine.Engine) {
	t.Helper()
	address, needed := map[string]string{"postgres": "127.0.0.1:5432", "mysql": "127.0.0.1:3306"}[e.Name]
	if !needed {
		return
	}
	conn, err := net.DialTimeout("tcp", address, 3*time.Second)
	if err == nil {
		_ = conn.Close()
		return
	}
	if os.Getenv("CUSTOS_REQUIRE_DATABASES") == "1" {
		t.Fatalf("no %s on %s, and CUSTOS_REQUIRE_DATABASES=1: %v", e.Title, address, err)
	}
	t.Skipf("no %s on %s: %v", e.Title, address, err)
}

// goEnv is the environment of the go command in a generated project.
func goEnv() []string {
	return append(os.Environ(), "GOFLAGS=-mod=mod -buildvcs=false", "GOWORK=off", "GOTOOLCHAIN=local")
}

// command runs a program in a folder and returns all that it prints.
func command(t testing.TB, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, goEnv()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func goCommand(t testing.TB, dir string, args ...string) {
	t.Helper()
	if out, err := command(t, dir, "go", args...); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// ledger is the migrations among the files of a project.
func ledger(files memoryFS) memoryFS {
	out := memoryFS{}
	for name, content := range files {
		if strings.HasPrefix(name, project.DefaultMigrations+"/") {
			out[name] = content
		}
	}
	return out
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// byPath finds a change.
func byPath(changes []plan.Change, name string) (plan.Change, bool) {
	i := slices.IndexFunc(changes, func(c plan.Change) bool { return c.Path == name })
	if i < 0 {
		return plan.Change{}, false
	}
	return changes[i], true
}
