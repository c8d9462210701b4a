package generator_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// TestUpgradesOfEditedProjects plays a user and the templates against each other, on a project with every plugin. Each
// trial edits some files as users do (insert, delete, move, rename, reformat, CRLF, split, change a body) and others,
// or the same, as a new version does. Whatever happens, nothing of the user's is lost; a merge without conflict has
// both, can be read, builds (of some trials) and is done: a second upgrade writes nothing. With nothing new, nothing
// is written.
//
// CUSTOS_UPGRADES sets the number of trials, and CUSTOS_UPGRADES_FROM the first, for a run in slices; see
// `make upgrades`.
func TestUpgradesOfEditedProjects(t *testing.T) {
	t.Parallel()
	trials, from := number(t, "CUSTOS_UPGRADES", 300), number(t, "CUSTOS_UPGRADES_FROM", 0)
	s := set{models: []wanted{{"User", selection(allTogether(library(t))...)}}}
	dir := t.TempDir()
	s.generate(t, dir, engine.Default())
	// The plugins that stand for a user's own must not be taken for edits.
	u := &upgrades{t: t, dir: dir, base: memoryFS{}}
	lock, err := project.ParseLock(read(t, filepath.Join(dir, project.LockFile)))
	if err != nil {
		t.Fatal(err)
	}
	u.lock = lock
	for _, e := range lock.Entries {
		u.base[e.Path] = read(t, filepath.Join(dir, filepath.FromSlash(e.Path)))
		if ext := path.Ext(e.Path); e.Owner == project.OwnerUser && (ext != ".go" || len(functions(string(u.base[e.Path]))) > 0) {
			u.editable = append(u.editable, e.Path)
		}
	}
	clean, builds := 0, 0
	every := uint64(100) // of so many trials one is built
	if trials < every {
		every = 5
	}
	for seed := from; seed < from+trials; seed++ {
		if s := os.Getenv("CUSTOS_UPGRADE"); s != "" && s != fmt.Sprint(seed) {
			continue // one trial, to be looked at
		}
		build := seed%every == 0
		if u.trial(seed, build) {
			clean++
			if build {
				builds++
			}
		}
		if t.Failed() {
			t.Fatalf("trial %d", seed)
		}
	}
	t.Logf("%d trials, %d without conflict, %d of them built", trials, clean, builds)
	if clean < int(trials)/2 {
		t.Errorf("%d of %d trials are without conflict: the edits are not what users do", clean, trials)
	}
}

// number is how often a test is to do something, where the environment says so.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(variable)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

type upgrades struct {
	t    *testing.T
	dir  string
	lock project.Lock
	base memoryFS // every file of the lock

	editable []string                   // what is worth editing of it
	declared map[string]map[string]bool // by file, of base
}

func (u *upgrades) files(content memoryFS) []plan.File {
	owners := map[string]plan.Owner{project.OwnerUser: plan.User, project.OwnerMachine: plan.Machine, project.OwnerLedger: plan.Ledger}
	var out []plan.File
	for _, name := range slices.Sorted(maps.Keys(content)) {
		f := plan.File{Path: name, Content: content[name], Origin: "core"}
		if e, ok := u.lock.Find(name); ok {
			f.Owner, f.Origin, f.ID = owners[e.Owner], e.Origin, e.ID
		}
		out = append(out, f)
	}
	return out
}

func (u *upgrades) changes(lock project.Lock, files []plan.File) []plan.Change {
	u.t.Helper()
	changes, err := merge.Changes(&project.Project{Root: u.dir, Lock: lock}, files, "new")
	if err != nil {
		u.t.Fatal(err)
	}
	return changes
}

// put brings the project's files into the state wanted; what is not in it is removed.
func (u *upgrades) put(from, to memoryFS) {
	u.t.Helper()
	for name := range from {
		if _, there := to[name]; !there {
			if err := os.Remove(filepath.Join(u.dir, name)); err != nil {
				u.t.Fatal(err)
			}
		}
	}
	changed := memoryFS{}
	for name, content := range to {
		if old, there := from[name]; !there || !bytes.Equal(old, content) {
			changed[name] = content
		}
	}
	changed.write(u.t, u.dir)
}

// trial reports whether there was no conflict.
func (u *upgrades) trial(seed uint64, build bool) bool {
	t := u.t
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 5))
	mine := &hand{rnd: rnd, word: "mine", files: maps.Clone(u.base)}
	theirs := &hand{rnd: rnd, word: "improved", files: maps.Clone(u.base)}
	for name := range u.base {
		if e, _ := u.lock.Find(name); e.Owner != project.OwnerUser {
			delete(mine.files, name)
			delete(theirs.files, name)
		}
	}
	fixed := maps.Clone(u.base)
	for name := range mine.files {
		delete(fixed, name)
	}
	// Both work on the same few files, so that they meet.
	mine.stage = u.stage(rnd)
	theirs.stage = mine.stage
	for range 1 + rnd.IntN(6) {
		mine.edit(true)
	}
	for range 1 + rnd.IntN(8) {
		theirs.edit(false)
	}
	with := func(m memoryFS) memoryFS {
		all := maps.Clone(fixed)
		maps.Copy(all, m)
		return all
	}
	u.put(u.base, with(mine.files))
	state := with(mine.files)
	defer func() { u.put(state, u.base) }()

	// Nothing new: not a byte.
	if seed%3 == 0 {
		for _, c := range u.changes(u.lock, u.files(u.base)) {
			if c.Writes() {
				t.Errorf("nothing is new, but %s would be written (%s)", c.Path, c.Op)
			}
		}
	}
	files := u.files(with(theirs.files))
	changes := u.changes(u.lock, files)
	result, conflicts := maps.Clone(state), 0
	bases := memoryFS{}
	for _, c := range changes {
		switch {
		case strings.HasPrefix(c.Path, project.Dir+"/"):
			bases[c.Path] = c.New
		case c.Op == plan.Conflict:
			conflicts++
			result[c.Path] = c.Stages[1] // as the user has it
		case c.Op == plan.Delete:
			delete(result, c.Path)
		case c.Writes():
			result[c.Path] = c.New
		}
	}
	u.check(mine, theirs, result, conflicts > 0)
	if t.Failed() {
		for _, l := range append(mine.log, theirs.log...) {
			t.Log(l)
		}
		return false
	}
	if conflicts > 0 {
		return false
	}
	old := memoryFS{}
	for name := range bases {
		if content, err := os.ReadFile(filepath.Join(u.dir, filepath.FromSlash(name))); err == nil {
			old[name] = content
		}
	}
	u.put(state, result)
	state = result
	bases.write(t, u.dir)
	lock := merge.Lock(&project.Project{Root: u.dir, Lock: u.lock}, files, changes, "new", "")
	for _, c := range u.changes(lock, files) {
		if c.Writes() {
			t.Errorf("the second time %s would be written (%s)", c.Path, c.Op)
		}
	}
	u.put(bases, old)
	if build {
		// go vet compiles the tests, too.
		if out, err := command(t, u.dir, "go", "vet", "./..."); err != nil {
			t.Errorf("does not build: %s", out)
		}
	}
	if t.Failed() {
		for _, l := range append(mine.log, theirs.log...) {
			t.Log(l)
		}
	}
	return true
}

var marks = regexp.MustCompile(`(mine|improved) \d+`)

// check compares declarations and marks.
func (u *upgrades) check(mine, theirs *hand, result memoryFS, conflicts bool) {
	t := u.t
	t.Helper()
	count := func(files memoryFS, word string) map[string]int {
		n := map[string]int{}
		for name, content := range files {
			if bytes.Equal(content, u.base[name]) {
				continue
			}
			for _, m := range marks.FindAllString(string(content), -1) {
				if strings.HasPrefix(m, word) {
					n[m]++
				}
			}
		}
		return n
	}
	have := count(result, "mine")
	for m, n := range count(mine.files, "mine") {
		if have[m] != n {
			t.Errorf("%q of the user's is there %d times, want %d", m, have[m], n)
		}
	}
	names := u.declarations(result)
	for n := range u.declarations(mine.files) {
		if !names[n] {
			t.Errorf("%s of the user's is lost", n)
		}
	}
	if conflicts {
		return
	}
	have = count(result, "improved")
	for m, n := range count(theirs.files, "improved") {
		if have[m] != n && !(have[m] == 0 && mine.gone[theirs.target[m]]) {
			t.Errorf("%q, in %s, is there %d times, want %d", m, theirs.target[m], have[m], n)
		}
	}
}

// declarations are the names that Go files declare, with their folders. All files must be Go.
func (u *upgrades) declarations(files memoryFS) map[string]bool {
	u.t.Helper()
	if u.declared == nil {
		u.declared = map[string]map[string]bool{}
		for name, content := range u.base {
			u.declared[name] = declarations(u.t, name, content)
		}
	}
	out := map[string]bool{}
	for name, content := range files {
		of := u.declared[name]
		if !bytes.Equal(content, u.base[name]) {
			of = declarations(u.t, name, content)
		}
		maps.Copy(out, of)
	}
	return out
}

func declarations(t *testing.T, name string, content []byte) map[string]bool {
	t.Helper()
	if path.Ext(name) != ".go" {
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("cannot be read: %v", err)
		return nil
	}
	out := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			recv := ""
			if d.Recv != nil {
				recv = types.ExprString(d.Recv.List[0].Type)
			}
			out[path.Dir(name)+" "+recv+"."+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok {
					out[path.Dir(name)+" "+ts.Name.Name] = true
				}
			}
		}
	}
	return out
}

// hand edits files, as the user or as the author of templates.
type hand struct {
	rnd    *rand.Rand
	word   string
	n      int
	files  memoryFS
	stage  []string // the files that are edited
	log    []string
	gone   map[string]bool   // functions that were deleted or renamed
	target map[string]string // mark -> the function that it is in
}

// mark is a word that occurs once.
func (h *hand) mark(fun string) string {
	h.n++
	m := fmt.Sprintf("%s %d", h.word, h.n)
	if h.target == nil {
		h.target = map[string]string{}
	}
	h.target[m] = fun
	return m
}

// stage is some files, most of them Go of one folder.
func (u *upgrades) stage(rnd *rand.Rand) []string {
	pick := func(n int, like string) (out []string) {
		var names []string
		for _, name := range u.editable {
			if ok, _ := path.Match(like, name); ok {
				names = append(names, name)
			}
		}
		for range n {
			out = append(out, names[rnd.IntN(len(names))])
		}
		return out
	}
	first := pick(1, "internal/auth/*/*.go")
	return slices.Concat(first, pick(3, path.Dir(first[0])+"/*.go"), pick(1, "db/custos/queries/*.sql"), pick(1, "internal/auth/*.md"))
}

// pick is a file of the stage, "" when there is none (left) of that kind.
func (h *hand) pick(ext string) string {
	var names []string
	for _, name := range h.stage {
		if content, there := h.files[name]; there && path.Ext(name) == ext && !bytes.Contains(content, []byte("\r")) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[h.rnd.IntN(len(names))]
}

type function struct {
	name       string
	start, end int // with its comment
	open       int // behind the brace
	test       bool
}

var plainTest = regexp.MustCompile(`^Test`)

func functions(src string) []function {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	var out []function
	for _, d := range f.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok || d.Body == nil || fset.Position(d.Body.Lbrace).Line == fset.Position(d.Body.Rbrace).Line {
			continue
		}
		fn := function{name: d.Name.Name, start: at(d.Pos()), end: at(d.End()), open: at(d.Body.Lbrace) + 1}
		if d.Doc != nil {
			fn.start = at(d.Doc.Pos())
		}
		fn.test = d.Recv == nil && plainTest.MatchString(fn.name)
		out = append(out, fn)
	}
	return out
}

// edit makes one edit; some of them only users make.
func (h *hand) edit(user bool) {
	if h.rnd.IntN(8) == 0 {
		h.editText()
		return
	}
	name := h.pick(".go")
	src := string(h.files[name])
	if src == "" {
		return
	}
	all := functions(src)
	if len(all) == 0 {
		return
	}
	fn := all[0] // often the same
	if h.rnd.IntN(3) > 0 {
		fn = all[h.rnd.IntN(len(all))]
	}
	kinds := 7
	if user {
		kinds = 14
	}
	kind := h.rnd.IntN(kinds)
	h.log = append(h.log, fmt.Sprintf("%s: edit %d of %s in %s", h.word, kind, fn.name, name))
	set := func(s string) { h.files[name] = []byte(s) }
	beside := func(what, body string) { // a new file with what a function was
		suffix := ".go"
		if strings.HasSuffix(name, "_test.go") {
			suffix = "_test.go"
		}
		h.n++
		h.files[path.Join(path.Dir(name), fmt.Sprintf("zz_%s%d%s", what, h.n, suffix))] = []byte(withImports(src, body))
	}
	switch kind {
	case 0, 1: // a statement at the start
		set(src[:fn.open] + "\n\t_ = \"" + h.mark(fn.name) + "\"" + src[fn.open:])
	case 2: // a statement in a block
		body := src[fn.open:fn.end]
		if m := regexp.MustCompile(`\n\t+(if|for) [^\n]*\{\n`).FindStringIndex(body); m != nil {
			at := fn.open + m[1]
			set(src[:at] + "\t\t_ = \"" + h.mark(fn.name) + "\"\n" + src[at:])
			formatted(h, name)
		}
	case 3: // a function
		m := h.mark("")
		word := strings.ReplaceAll(m, " ", "")
		set(src[:fn.end] + "\n\n// " + word + " is " + h.word + ".\nfunc " + word + "() string { return \"" + m + "\" }\n" + src[fn.end:])
		formatted(h, name)
	case 4: // the words of an error
		if i := strings.Index(src[fn.open:fn.end], `fmt.Errorf("`); i >= 0 {
			at := fn.open + i + len(`fmt.Errorf("`)
			set(src[:at] + h.mark(fn.name) + ": " + src[at:])
		}
	case 5: // a field; tests have literals without the names of fields
		if m := regexp.MustCompile(`\ntype \w+ struct \{\n`).FindStringIndex(src); m != nil && !strings.HasSuffix(name, "_test.go") {
			if end := strings.Index(src[m[1]:], "\n}\n"); end > 0 {
				mark := h.mark("")
				at := m[1] + end
				set(src[:at] + "\n\t" + strings.ReplaceAll(mark, " ", "") + " int // " + mark + src[at:])
				formatted(h, name)
			}
		}
	case 6: // its comment
		set(src[:fn.start] + "// " + h.mark(fn.name) + ", says a comment.\n" + src[fn.start:])
	case 7, 8: // to another file
		set(withImports(src, cutAway(src, fn)))
		beside("moved", src[fn.start:fn.end]+"\n")
	case 9: // another name
		if fn.test {
			h.vanish(fn.name)
			h.log = append(h.log, "renamed")
			set(strings.Replace(src, "func "+fn.name+"(", "func "+fn.name+"Mine(", 1))
		}
	case 10: // away
		if fn.test {
			h.vanish(fn.name)
			set(withImports(src, cutAway(src, fn)))
		}
	case 11: // Windows
		set(strings.ReplaceAll(src, "\n", "\r\n"))
	case 12: // another layout
		set(strings.ReplaceAll(src, "\n\treturn", "\n\n\treturn"))
	case 13: // split, or a new name
		half := all[len(all)/2].start
		if f := strings.Index(src, "\nimport"); f > 0 && half > f && !strings.Contains(src, "//go:embed") && !strings.Contains(src, "//go:build") {
			beside("split", src[half:])
			set(withImports(src, src[bodyStart(src):half]))
		}
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", h.files[name], parser.SkipObjectResolution); err != nil && h.files[name] != nil {
		h.files[name] = []byte(src) // no place for such an edit
	}
}

func (h *hand) vanish(fun string) {
	if h.gone == nil {
		h.gone = map[string]bool{}
	}
	h.gone[fun] = true
}

func formatted(h *hand, name string) {
	if b, err := format.Source(h.files[name]); err == nil {
		h.files[name] = b
	}
}

func (h *hand) editText() {
	if h.rnd.IntN(3) > 0 {
		name := h.pick(".sql")
		parts := strings.SplitAfter(string(h.files[name]), ";\n")
		i := h.rnd.IntN(len(parts))
		if strings.Contains(parts[i], "-- name: ") {
			m := h.mark("")
			if h.rnd.IntN(2) == 0 {
				parts[i] += "\n-- name: " + strings.ReplaceAll(m, " ", "") + " :one\nSELECT 1; -- " + m + "\n"
			} else {
				parts[i] = strings.TrimSuffix(parts[i], ";\n") + " -- " + m + "\n;\n"
			}
		}
		h.files[name] = []byte(strings.Join(parts, ""))
		h.log = append(h.log, h.word+": a query of "+name)
		return
	}
	name := h.pick(".md")
	text := strings.SplitAfter(string(h.files[name]), "\n")
	at := h.rnd.IntN(len(text))
	text = slices.Insert(text, at, h.mark("")+"\n")
	h.files[name] = []byte(strings.Join(text, ""))
	h.log = append(h.log, fmt.Sprintf("%s: line %d of %s", h.word, at, name))
}

// cutAway is all of a file below its imports but for one function.
func cutAway(src string, fn function) string {
	return strings.TrimRight(src[bodyStart(src):fn.start], "\n") + "\n" + strings.TrimLeft(src[fn.end:], "\n")
}

// bodyStart is the end of the imports.
func bodyStart(src string) int {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ImportsOnly)
	if err != nil {
		panic(err)
	}
	end := fset.Position(f.Name.End()).Offset
	for _, d := range f.Decls {
		end = fset.Position(d.End()).Offset
	}
	return end
}

// withImports is a file with src's package clause and those of its imports that the body needs.
func withImports(src, body string) string {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		panic(err)
	}
	used := map[string]bool{}
	if b, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+body, 0); err == nil {
		open := map[*ast.Ident]bool{}
		for _, id := range b.Unresolved {
			open[id] = true
		}
		ast.Inspect(b, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if id, ok := sel.X.(*ast.Ident); ok && open[id] {
					used[id.Name] = true
				}
			}
			return true
		})
	}
	var specs []string
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		base := path.Base(p)
		if regexp.MustCompile(`^v\d+$`).MatchString(base) {
			base = path.Base(path.Dir(p))
		}
		spec := i.Path.Value
		if i.Name != nil {
			base, spec = i.Name.Name, i.Name.Name+" "+spec
		}
		base = strings.TrimPrefix(base, "go-")
		if base == "_" || used[base] {
			specs = append(specs, "\t"+spec+"\n")
		}
	}
	s := src[:fset.Position(f.Name.End()).Offset] + "\n"
	if len(specs) > 0 {
		s += "\nimport (\n" + strings.Join(specs, "") + ")\n"
	}
	if b, err := format.Source([]byte(s + "\n" + body)); err == nil {
		return string(b)
	}
	return s + "\n" + body
}
