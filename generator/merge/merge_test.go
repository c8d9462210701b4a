package merge

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

func at(t testing.TB, disk map[string]string, entries ...project.Entry) *project.Project {
	t.Helper()
	p := &project.Project{Root: t.TempDir(), Lock: project.Lock{Entries: entries}}
	for name, content := range disk {
		put(t, p.Root, name, content)
	}
	return p
}

func put(t testing.TB, root, name, content string) {
	t.Helper()
	abs := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(abs), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(abs, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func owned(owner plan.Owner, name, content, id string) project.Entry {
	return project.Entry{Owner: owner.String(), Path: name, Hash: project.Hash([]byte(content)), Origin: "core", ID: id}
}

// What each rule does, as "op path: note" lines.
func TestChanges(t *testing.T) {
	const f = "f.txt"
	type disk = map[string]string
	wants := func(o plan.Owner) []plan.File {
		return []plan.File{{Path: f, Content: []byte("new"), Owner: o, Origin: "core"}}
	}
	ledger := []plan.File{{Path: "m/2.sql", Content: []byte("new"), Owner: plan.Ledger, ID: "tokens"}}
	inLock := func(o plan.Owner, content string) []project.Entry { return []project.Entry{owned(o, f, content, "")} }
	base := BasePath(f)
	tests := []struct {
		name  string
		disk  disk
		lock  []project.Entry
		files []plan.File
		want  []string
		next  []string // "path content-of-hash" of the next lock
	}{
		{"machine new", nil, nil, wants(plan.Machine), []string{"create f.txt"}, []string{"f.txt new"}},
		{"machine same", disk{f: "new"}, inLock(plan.Machine, "new"), wants(plan.Machine), []string{"same f.txt"}, []string{"f.txt new"}},
		{"machine same, not in the lock", disk{f: "new"}, nil, wants(plan.Machine), []string{"same f.txt"}, []string{"f.txt new"}},
		{"machine old", disk{f: "old"}, inLock(plan.Machine, "old"), wants(plan.Machine), []string{"update f.txt"}, []string{"f.txt new"}},
		{"machine edited", disk{f: "mine"}, inLock(plan.Machine, "old"), wants(plan.Machine), []string{"update f.txt: " + noteMachine}, []string{"f.txt new"}},
		{"machine gone", nil, inLock(plan.Machine, "old"), wants(plan.Machine), []string{"create f.txt"}, []string{"f.txt new"}},
		{"machine empty", disk{f: ""}, inLock(plan.Machine, ""), wants(plan.Machine), []string{"update f.txt"}, []string{"f.txt new"}},

		{"user new", nil, nil, wants(plan.User), []string{"create " + base, "create f.txt"}, []string{"f.txt new"}},
		{"user same", disk{f: "new", base: "new"}, inLock(plan.User, "new"), wants(plan.User), []string{"same f.txt"}, []string{"f.txt new"}},
		{"user same, no base", disk{f: "new"}, inLock(plan.User, "new"), wants(plan.User), []string{"create " + base, "same f.txt"}, []string{"f.txt new"}},
		{"user same, by hand", disk{f: "new", base: "old"}, inLock(plan.User, "old"), wants(plan.User), []string{"update " + base, "same f.txt"}, []string{"f.txt new"}},
		{"user same, not in the lock", disk{f: "new"}, nil, wants(plan.User), []string{"create " + base, "same f.txt"}, []string{"f.txt new"}},
		{"user old", disk{f: "old", base: "old"}, inLock(plan.User, "old"), wants(plan.User), []string{"update " + base, "update f.txt"}, []string{"f.txt new"}},
		{"user edited, upstream not", disk{f: "mine", base: "new"}, inLock(plan.User, "new"), wants(plan.User), []string{"keep f.txt"}, []string{"f.txt new"}},
		{"user edited, base lost", disk{f: "mine"}, inLock(plan.User, "new"), wants(plan.User), []string{"create " + base, "keep f.txt"}, []string{"f.txt new"}},
		{"both edited", disk{f: "mine", base: "old"}, inLock(plan.User, "old"), wants(plan.User), []string{"update " + base, "conflict f.txt: line 1, the file: " + bothChanged}, []string{"f.txt new"}},
		{"both edited, base lost", disk{f: "mine"}, inLock(plan.User, "old"), wants(plan.User), []string{"create " + base, "conflict f.txt: line 1, the file: " + noteLost + "; restore it: git checkout -- " + base}, []string{"f.txt new"}},
		{"user emptied", disk{f: "", base: "old"}, inLock(plan.User, "old"), wants(plan.User), []string{"update " + base, "conflict f.txt: line 1, the file: " + bothChanged}, []string{"f.txt new"}},
		{"user deleted", disk{base: "old"}, inLock(plan.User, "old"), wants(plan.User), []string{"update " + base, "keep f.txt: " + noteDeleted + "f.txt"}, []string{"f.txt new"}},
		{"user deleted, base lost", nil, inLock(plan.User, "old"), wants(plan.User), []string{"keep f.txt: " + noteDeleted + "f.txt"}, []string{"f.txt old"}},
		{"user edited another line", disk{f: "a\nmine\nb\nold", base: "a\nb\nold"}, inLock(plan.User, "a\nb\nold"), []plan.File{{Path: f, Content: []byte("a\nb\nnew")}}, []string{"update " + base, "merge f.txt: " + noteMerged}, nil},
		{"secret edited", disk{f: "mine"}, inLock(plan.User, "old"), []plan.File{{Path: f, Content: []byte("new"), Private: true}}, []string{"keep f.txt: " + noteEdited}, []string{"f.txt old"}},
		{"user deleted, upstream not", nil, inLock(plan.User, "new"), wants(plan.User), []string{"keep f.txt: " + noteDeleted + "f.txt"}, []string{"f.txt new"}},
		{"secret", nil, nil, []plan.File{{Path: f, Content: []byte("new"), Private: true}}, []string{"create f.txt"}, []string{"f.txt new"}},

		{"machine to user", disk{f: "old"}, inLock(plan.Machine, "old"), wants(plan.User), []string{"create " + base, "update f.txt"}, []string{"f.txt new"}},
		{"machine to user, edited", disk{f: "mine"}, inLock(plan.Machine, "old"), wants(plan.User), []string{"create " + base, "conflict f.txt: line 1, the file: " + noteLost + "; restore it: git checkout -- " + base}, []string{"f.txt new"}},
		{"machine to user, gone", nil, inLock(plan.Machine, "old"), wants(plan.User), []string{"create " + base, "create f.txt"}, []string{"f.txt new"}},
		{"user to machine", disk{f: "old"}, inLock(plan.User, "old"), wants(plan.Machine), []string{"update f.txt"}, []string{"f.txt new"}},
		{"user to machine, edited", disk{f: "mine"}, inLock(plan.User, "old"), wants(plan.Machine), []string{"foreign f.txt"}, nil},

		{"machine over a stranger", disk{f: "mine"}, nil, wants(plan.Machine), []string{"foreign f.txt"}, nil},
		{"user over a stranger", disk{f: "mine"}, nil, wants(plan.User), []string{"foreign f.txt"}, nil},
		{"over an empty stranger", disk{f: ""}, nil, wants(plan.User), []string{"foreign f.txt"}, nil},
		{"ledger over a stranger", disk{"m/2.sql": "mine"}, nil, ledger, []string{"foreign m/2.sql"}, nil},

		{"ledger new", nil, nil, ledger, []string{"create m/2.sql"}, []string{"m/2.sql new"}},
		{"ledger adopted", disk{"m/2.sql": "new"}, nil, ledger, []string{"same m/2.sql"}, []string{"m/2.sql new"}},
		{"ledger beside another", nil, []project.Entry{owned(plan.Ledger, "m/1.sql", "x", "")}, ledger, []string{"create m/2.sql"}, []string{"m/1.sql x", "m/2.sql new"}},
		{"ledger there", disk{"m/2.sql": "old"}, []project.Entry{owned(plan.Ledger, "m/2.sql", "old", "tokens")}, ledger, []string{"keep m/2.sql"}, []string{"m/2.sql old"}},
		{"ledger there, equal", disk{"m/2.sql": "new"}, []project.Entry{owned(plan.Ledger, "m/2.sql", "old", "tokens")}, ledger, []string{"same m/2.sql"}, []string{"m/2.sql old"}},
		{"ledger edited", disk{"m/2.sql": "mine"}, []project.Entry{owned(plan.Ledger, "m/2.sql", "old", "tokens")}, ledger, []string{"keep m/2.sql"}, []string{"m/2.sql old"}},
		{"ledger deleted", nil, []project.Entry{owned(plan.Ledger, "m/2.sql", "old", "tokens")}, ledger, []string{"keep m/2.sql"}, []string{"m/2.sql old"}},
		{"ledger under another name", disk{"m/1.sql": "old"}, []project.Entry{owned(plan.Ledger, "m/1.sql", "old", "tokens")}, ledger, []string{"keep m/2.sql"}, []string{"m/1.sql old"}},
		{"ledger without ID there", disk{"m/2.sql": "old"}, []project.Entry{owned(plan.Ledger, "m/2.sql", "old", "")},
			[]plan.File{{Path: "m/2.sql", Content: []byte("new"), Owner: plan.Ledger}}, []string{"keep m/2.sql"}, []string{"m/2.sql old"}},
		{"ledger without ID beside others without", nil, []project.Entry{owned(plan.Ledger, "m/1.sql", "old", "")},
			[]plan.File{{Path: "m/2.sql", Content: []byte("new"), Owner: plan.Ledger}}, []string{"create m/2.sql"}, []string{"m/1.sql old", "m/2.sql new"}},

		{"stale machine", disk{f: "old"}, inLock(plan.Machine, "old"), nil, []string{"delete f.txt"}, nil},
		{"stale machine, edited", disk{f: "mine"}, inLock(plan.Machine, "old"), nil, []string{"keep f.txt: " + NoteStale}, []string{"f.txt old"}},
		{"stale machine, gone", nil, inLock(plan.Machine, "old"), nil, nil, nil},
		{"stale user", disk{f: "old", base: "old"}, inLock(plan.User, "old"), nil, []string{"delete " + base, "delete f.txt"}, nil},
		{"stale user, edited", disk{f: "mine", base: "old"}, inLock(plan.User, "old"), nil, []string{"keep f.txt: " + NoteStale}, []string{"f.txt old"}},
		{"stale user, gone", disk{base: "old"}, inLock(plan.User, "old"), nil, []string{"delete " + base}, nil},
		{"stale ledger", disk{"m/1.sql": "old"}, []project.Entry{owned(plan.Ledger, "m/1.sql", "old", "x")}, nil, nil, []string{"m/1.sql old"}},
		{"stranger", disk{"main.go": "mine"}, nil, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := at(t, tt.disk, tt.lock...)
			changes, err := Changes(p, tt.files, "v9")
			var got []string
			if foreign := (*ForeignError)(nil); errors.As(err, &foreign) {
				if changes != nil {
					t.Error("an error and changes")
				}
				for _, name := range foreign.Paths {
					got = append(got, "foreign "+name)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				line := c.Op.String() + " " + c.Path
				if c.Note != "" {
					line += ": " + c.Note
				}
				got = append(got, line)
				if old, there := tt.disk[c.Path]; there != (c.Old != nil) || string(c.Old) != old {
					t.Errorf("%s: old %q", c.Path, c.Old)
				}
				if c.Path == base && c.Op != plan.Delete && !strings.HasSuffix(string(c.New), "new") {
					t.Errorf("base holds %q", c.New)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if err != nil {
				return
			}
			var next []string
			lock := Lock(p, tt.files, changes, "v9", "h1:sqlc")
			for _, e := range lock.Entries {
				for _, content := range []string{"old", "new", "mine", "x"} {
					if e.Hash == project.Hash([]byte(content)) {
						next = append(next, e.Path+" "+content)
					}
				}
			}
			if lock.Generator != "v9" || lock.SQLC != "h1:sqlc" || !slices.Equal(next, tt.next) {
				t.Errorf("next lock %q, want %q", next, tt.next)
			}
		})
	}
}

func TestForeignErrorNamesAll(t *testing.T) {
	p := at(t, map[string]string{"b.go": "mine", "a.go": "mine", "c.go": "new"})
	_, err := Changes(p, []plan.File{
		{Path: "c.go", Content: []byte("new")}, {Path: "b.go", Content: []byte("new")}, {Path: "a.go", Content: []byte("new"), Owner: plan.Machine},
	}, "v9")
	want := "merge a.go, b.go: files of yours in the way; nothing was written; choose another folder with --package internal/authn or move them"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestErrors(t *testing.T) {
	p := at(t, nil)
	two := []plan.File{{Path: "a", Origin: "x"}, {Path: "A", Origin: "y"}}
	if _, err := Changes(p, two, "v9"); !errors.As(err, new(*plan.CollisionError)) {
		t.Errorf("collision: %v", err)
	}
	if _, err := Changes(p, []plan.File{{Path: "../a"}}, "v9"); !errors.As(err, new(*plan.PathError)) {
		t.Errorf("path: %v", err)
	}
	p = at(t, map[string]string{"d/f": "x"})
	if _, err := Changes(p, []plan.File{{Path: "d"}}, "v9"); err == nil || !strings.HasPrefix(err.Error(), "merge d: ") {
		t.Errorf("unreadable: %v", err)
	}
	// The lock comes with a repository: it must not lead out of the project.
	p = at(t, nil, owned(plan.Machine, "../victim", "x", ""))
	put(t, filepath.Dir(p.Root), "victim", "x")
	if _, err := Changes(p, nil, "v9"); err == nil || !strings.Contains(err.Error(), "leaves the project") {
		t.Errorf("hostile lock: %v", err)
	}
}

func TestPrivateIsPassedOn(t *testing.T) {
	changes, err := Changes(at(t, nil), []plan.File{{Path: "a", Private: true, Owner: plan.Machine, Origin: "totp"}}, "v9")
	if err != nil || len(changes) != 1 || !changes[0].Private || changes[0].Origin != "totp" || changes[0].Owner != plan.Machine || changes[0].New == nil {
		t.Errorf("%+v, %v", changes, err)
	}
}

func TestArgumentsAreNotChanged(t *testing.T) {
	p := at(t, nil, owned(plan.Ledger, "z", "z", "z"), owned(plan.Ledger, "y", "y", "y"))
	files := []plan.File{{Path: "b"}, {Path: "a"}}
	entries := slices.Clone(p.Lock.Entries)
	changes, err := Changes(p, files, "v9")
	if err != nil {
		t.Fatal(err)
	}
	Lock(p, files, changes, "", "")
	if files[0].Path != "b" || !reflect.DeepEqual(entries, p.Lock.Entries) {
		t.Error("an argument was sorted")
	}
}

// A life of a project: random upgrades, edits and deletions. Whatever happens, the user's bytes survive, migrations
// never change, base and lock agree, and a second run with the same input writes nothing.
func TestLives(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := at(t, nil)
		typed := map[string]string{} // path -> what the user typed last; "" = deleted
		ledger := map[string]string{}
		for version := range 12 {
			var files []plan.File
			for i := range 9 {
				if rnd.IntN(6) == 0 {
					continue
				}
				f := plan.File{Path: fmt.Sprintf("d%d/f%d", i%2, i), Owner: plan.Owner(i % 3), Origin: "core"}
				f.Content = fmt.Appendf(nil, "%d at %d", i, version-rnd.IntN(3))
				if f.Owner == plan.Ledger {
					f.ID = fmt.Sprint("m", i)
				}
				files = append(files, f)
			}
			changes, err := Changes(p, files, "v9")
			if foreign := (*ForeignError)(nil); errors.As(err, &foreign) {
				for _, name := range foreign.Paths {
					if _, ok := p.Lock.Find(name); ok {
						t.Fatalf("seed %d: %v is in the lock", seed, foreign)
					}
					if err := os.Remove(filepath.Join(p.Root, name)); err != nil {
						t.Fatal(err)
					}
					delete(typed, name)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				abs := filepath.Join(p.Root, filepath.FromSlash(c.Path))
				if was, ok := typed[c.Path]; ok && c.Writes() && c.Owner == plan.User && c.Op != plan.Conflict && !(c.Op == plan.Create && was == "") {
					t.Fatalf("seed %d, version %d: %s %s over %q", seed, version, c.Op, c.Path, was)
				}
				switch c.Op {
				case plan.Create, plan.Replace:
					put(t, p.Root, c.Path, string(c.New))
				case plan.Conflict: // the user decides for what the user has typed
					put(t, p.Root, c.Path, string(c.Stages[1]))
				case plan.Delete:
					if err := os.Remove(abs); err != nil {
						t.Fatal(err)
					}
				}
				if c.Owner == plan.Ledger && c.Op == plan.Create {
					ledger[c.Path] = string(c.New)
				}
			}
			for name, want := range ledger {
				if got, _ := os.ReadFile(filepath.Join(p.Root, name)); string(got) != want {
					t.Fatalf("seed %d: migration %s changed", seed, name)
				}
			}
			p.Lock = Lock(p, files, changes, "v1", "")
			again, err := Changes(p, files, "v9")
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range again {
				if c.Writes() {
					t.Fatalf("seed %d, version %d: the second run wants to %s %s", seed, version, c.Op, c.Path)
				}
			}
			if next := Lock(p, files, again, "v1", ""); !reflect.DeepEqual(next, p.Lock) {
				t.Fatalf("seed %d: the lock changes: %v\n%v", seed, p.Lock, next)
			}
			bases := 0
			for _, e := range p.Lock.Entries {
				if e.Owner != project.OwnerUser {
					continue
				}
				bases++
				if b, err := os.ReadFile(filepath.Join(p.Root, filepath.FromSlash(BasePath(e.Path)))); err != nil || project.Hash(b) != e.Hash {
					t.Fatalf("seed %d: base of %s: %q, %v", seed, e.Path, b, err)
				}
			}
			_ = filepath.WalkDir(filepath.Join(p.Root, project.BaseDir), func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					bases--
				}
				return nil
			})
			if bases != 0 {
				t.Fatalf("seed %d: %d bases too few", seed, bases)
			}
			// The user works.
			for _, e := range p.Lock.Entries {
				if e.Owner != project.OwnerUser {
					continue
				}
				abs := filepath.Join(p.Root, filepath.FromSlash(e.Path))
				_, err := os.Stat(abs)
				switch rnd.IntN(8) {
				case 0:
					typed[e.Path] = fmt.Sprint("typed at ", version)
					put(t, p.Root, e.Path, typed[e.Path])
				case 1:
					if err == nil {
						_ = os.Remove(abs)
						typed[e.Path] = ""
					}
				}
			}
			for name := range typed {
				if _, ok := p.Lock.Find(name); !ok && typed[name] == "" {
					delete(typed, name)
				}
			}
		}
	}
}

// What the new version no longer has goes, unless the user's code needs it, wherever that is.
func TestRemovedUnlessNeeded(t *testing.T) {
	const f = "auth/a.go"
	old := "package auth\n\n// Old is old.\nfunc Old() int { return 1 }\n\nfunc other() int { return Old() }\n"
	neu := "package auth\n\nfunc other() int { return 2 }\n"
	edited := strings.Replace(old, "func other() int {", "func other() (n int) {", 1)
	for _, test := range []struct {
		name, file, content string
		kept                bool
	}{
		{"needed by nobody", "main.go", "package main\n", false},
		{"needed by main", "main.go", "package main\n\nvar _ = auth.Old()\n", true},
		{"needed beside it", "auth/mine.go", "package auth\n\nvar _ = Old()\n", true},
		{"a word of a vendored module", "vendor/x/x.go", "package x\n\nfunc Old() {}\n", false},
	} {
		for _, mine := range []string{old, old + "\nvar mine = 1\n", edited} {
			disk := map[string]string{f: mine, BasePath(f): old, test.file: test.content}
			changes, err := Changes(at(t, disk, owned(plan.User, f, old, "")), []plan.File{{Path: f, Content: []byte(neu)}}, "v9")
			if err != nil {
				t.Fatal(err)
			}
			if mine == edited { // what needs it is the user's own line
				if c := changes[len(changes)-1]; c.Op != plan.Conflict {
					t.Errorf("%s: %s", test.name, c.Op)
				}
				continue
			}
			for _, c := range changes {
				if c.Path == f && bytes.Contains(c.New, []byte("func Old")) != test.kept {
					t.Errorf("%s, mine %q: %s\n%s", test.name, mine, c.Op, c.New)
				}
			}
		}
	}
}

// A file that cannot be read is not guessed at.
func TestSyntaxErrors(t *testing.T) {
	const f = "auth/a.go"
	disk := map[string]string{f: "package auth\n\nfunc {\n", BasePath(f): "package auth\n"}
	_, err := Changes(at(t, disk, owned(plan.User, f, "package auth\n", "")), []plan.File{{Path: f, Content: []byte("package auth\n\nvar a int\n")}}, "v9")
	if !errors.As(err, new(*SyntaxError)) || !strings.Contains(err.Error(), "auth/a.go:3:6: ") || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("%v", err)
	}
	// Where nothing is new, it is none of custos' business.
	if _, err := Changes(at(t, disk, owned(plan.User, f, "package auth\n", "")), []plan.File{{Path: f, Content: []byte("package auth\n")}}, "v9"); err != nil {
		t.Error(err)
	}
}

// What the user has deleted stays away, also when a later version takes it out and another one brings it back.
func TestDeletedStaysAway(t *testing.T) {
	const f = "auth/a.go"
	with, without := "package auth\n\nfunc a() {}\n\nfunc List() {}\n", "package auth\n\nfunc a() {}\n"
	p := at(t, map[string]string{f: without, BasePath(f): with}, owned(plan.User, f, with, ""))
	for i, version := range []string{with + "\nvar x int\n", without + "\nvar x int\n", with + "\nvar x, y int\n"} {
		files := []plan.File{{Path: f, Content: []byte(version)}}
		changes, err := Changes(p, files, "v9")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Writes() {
				put(t, p.Root, c.Path, string(c.New))
			}
			if c.Path == f && bytes.Contains(c.New, []byte("List")) {
				t.Errorf("version %d brings it back: %s", i, c.New)
			}
		}
		p.Lock = Lock(p, files, changes, "v9", "")
		if i != 1 && !slices.Equal(p.Lock.Tombstones, []project.Tombstone{{Path: f, Name: "func List"}}) {
			t.Errorf("version %d: %v", i, p.Lock.Tombstones)
		}
	}
}
