package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/custos-auth/custos/generator/plan"
)

// snapshot is every file and folder below a root, with mode and content.
func snapshot(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		v := fi.Mode().String()
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			v += " " + string(b)
		}
		out[filepath.ToSlash(rel)] = v
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func difference(a, b map[string]string) string {
	var out []string
	for k, v := range a {
		if w, ok := b[k]; !ok {
			out = append(out, "-"+k)
		} else if v != w {
			out = append(out, fmt.Sprintf("%s: %.40q != %.40q", k, v, w))
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out = append(out, "+"+k)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func put(t testing.TB, root, name, content string, mode fs.FileMode) {
	t.Helper()
	p := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p, mode); err != nil {
		t.Fatal(err)
	}
}

// project makes a small project and the changes that touch every path through the code.
func project(t testing.TB) (string, []plan.Change) {
	t.Helper()
	root := t.TempDir()
	put(t, root, "go.mod", "module x\n", 0o644)
	put(t, root, "a/keep.go", "keep", 0o644)
	put(t, root, "a/replaced.go", "old", 0o640)
	put(t, root, "a/tool.sh", "old tool", 0o755)
	put(t, root, "a/empty.txt", "", 0o644)
	put(t, root, "gone/deep/one.go", "one", 0o600)
	put(t, root, "gone/deep/two.go", "two", 0o644)
	put(t, root, "half/left.go", "left", 0o644)
	put(t, root, "half/gone.go", "gone", 0o644)
	if err := os.Chmod(filepath.Join(root, "gone", "deep"), 0o750); err != nil {
		t.Fatal(err)
	}
	return root, []plan.Change{
		{Path: "a/keep.go", Op: plan.Same, Old: []byte("keep"), New: []byte("keep")},
		{Path: "a/replaced.go", Op: plan.Replace, Old: []byte("old"), New: []byte("new")},
		{Path: "a/tool.sh", Op: plan.Replace, Old: []byte("old tool"), New: []byte("new tool")},
		{Path: "a/empty.txt", Op: plan.Replace, Old: []byte{}, New: []byte("full")},
		{Path: "a/b/c/new.go", Op: plan.Create, New: []byte("created")},
		{Path: "a/b/secret", Op: plan.Create, New: []byte("s"), Private: true},
		{Path: "a/void", Op: plan.Create, New: []byte{}},
		{Path: ".custos/base/a/b/c/new.go", Op: plan.Create, New: []byte("created")},
		{Path: "gone/deep/one.go", Op: plan.Delete, Old: []byte("one")},
		{Path: "gone/deep/two.go", Op: plan.Delete, Old: []byte("two")},
		{Path: "half/gone.go", Op: plan.Delete, Old: []byte("gone")},
	}
}

// with runs changes as Apply does, with a hook before each step.
func with(root string, wait time.Duration, step func(string) error, changes []plan.Change) error {
	t, err := open(root)
	if err != nil {
		return err
	}
	defer t.close()
	t.wait, t.step = wait, step
	return t.apply(changes)
}

func TestApply(t *testing.T) {
	root, changes := project(t)
	kept := filepath.Join(root, "a", "keep.go")
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(kept, past, past); err != nil {
		t.Fatal(err)
	}
	// An Op that writes, with bytes that are there: not written.
	changes[0].Op = plan.Replace
	if err := Apply(root, changes); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(kept); err != nil || !fi.ModTime().Equal(past) {
		t.Errorf("equal bytes were written again: %v %v", fi.ModTime(), err)
	}
	got := snapshot(t, root)
	want := map[string]string{
		"go.mod": "-rw-r--r-- module x\n", "a/keep.go": "-rw-r--r-- keep",
		"a/replaced.go": "-rw-r----- new", "a/tool.sh": "-rwxr-xr-x new tool", "a/empty.txt": "-rw-r--r-- full",
		"a/b/c/new.go": "-rw-r--r-- created", "a/b/secret": "-rw------- s", "a/void": "-rw-r--r-- ",
		".custos/base/a/b/c/new.go": "-rw-r--r-- created", "half/left.go": "-rw-r--r-- left",
	}
	if runtime.GOOS != "windows" {
		for k, v := range got {
			if strings.HasPrefix(v, "d") {
				if k != "." && v != "drwxr-xr-x" {
					t.Errorf("folder %s: %s", k, v)
				}
				delete(got, k)
			}
		}
		if d := difference(want, got); d != "" {
			t.Error(d)
		}
	}
	for _, name := range []string{"gone", "a/b/c/new.go.tmp", ".custos/tx", ".custos/lock"} {
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name))); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestApplyNothingLeavesNothing(t *testing.T) {
	root, _ := project(t)
	before := snapshot(t, root)
	if err := Apply(root, []plan.Change{{Path: "go.mod", Op: plan.Keep, Old: []byte("module x\n"), New: []byte("y")}}); err != nil {
		t.Fatal(err)
	}
	if err := Apply(root, []plan.Change{{Path: "go.mod", Op: plan.Replace, Old: []byte("module x\n"), New: []byte("y")}}); err != nil {
		t.Fatal(err)
	}
	if err := Apply(root, []plan.Change{{Path: "go.mod", Op: plan.Replace, Old: []byte("y"), New: []byte("module x\n")}}); err != nil {
		t.Fatal(err)
	}
	if d := difference(before, snapshot(t, root)); d != "" {
		t.Error(d)
	}
}

func TestRefusals(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "f", "theirs", 0o644)
	link := func(t *testing.T, root, to, name string) {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	create := func(p string) []plan.Change { return []plan.Change{{Path: p, Op: plan.Create, New: []byte("n")}} }
	tests := []struct {
		name    string
		setup   func(t *testing.T, root string)
		changes []plan.Change
		want    string
		is      error
	}{
		{"changed", nil, []plan.Change{{Path: "go.mod", Op: plan.Replace, Old: []byte("other"), New: []byte("n")}}, "go.mod", ErrChanged},
		{"appeared", nil, create("go.mod"), "go.mod", ErrChanged},
		{"vanished", nil, []plan.Change{{Path: "no", Op: plan.Replace, Old: []byte("o"), New: []byte("n")}}, "no", ErrChanged},
		{"appeared empty", nil, create("a/empty.txt"), "a/empty.txt", ErrChanged},
		{"kept one changed", nil, append(create("n"), plan.Change{Path: "go.mod", Op: plan.Keep, Old: []byte("o")}), "go.mod", ErrChanged},
		{"same one vanished", nil, []plan.Change{{Path: "no", Op: plan.Same, Old: []byte("o")}}, "no", ErrChanged},
		{"second of two", nil, append(create("n"), create("go.mod")...), "go.mod", ErrChanged},
		{"parent", nil, create("../x"), "leaves the project", nil},
		{"absolute", nil, create("/etc/x"), "leaves the project", nil},
		{"unclean", nil, create("a//x"), "leaves the project", nil},
		{"own stage", nil, create(".custos/tx/journal"), "custos' own", nil},
		{"own stage, case folded", nil, create(".Custos/TX/journal"), "custos' own", nil},
		{"own folder", nil, create(".custos"), "a folder is in the way", nil},
		{"own lock, as it is", nil, []plan.Change{{Path: ".custos/lock", Op: plan.Replace, Old: []byte{}, New: []byte("n")}}, "custos' own", nil},
		{"own lock", nil, create(".custos/lock"), "", nil},
		{"folder in the way", nil, create("a"), "a folder is in the way", nil},
		{"file as folder", nil, create("go.mod/x"), "go.mod is a file where a folder is needed", nil},
		{"file and folder", nil, append(create("n"), create("n/x")...), "cannot be a folder", nil},
		{"twice", nil, append(create("n"), create("n")...), "same file", nil},
		{"delete nothing", nil, []plan.Change{{Path: "n", Op: plan.Delete}}, "nothing to delete", nil},
		{"folder link", func(t *testing.T, root string) { link(t, root, outside, "out") }, create("out/x"), "link out of the project", nil},
		{"folder link, file there", func(t *testing.T, root string) { link(t, root, outside, "out") },
			[]plan.Change{{Path: "out/f", Op: plan.Replace, Old: []byte("theirs"), New: []byte("n")}}, "link out of the project", nil},
		{"file link", func(t *testing.T, root string) { link(t, root, filepath.Join(outside, "f"), "l") },
			[]plan.Change{{Path: "l", Op: plan.Replace, Old: []byte("theirs"), New: []byte("n")}}, "link out of the project", nil},
		{"delete through a link", func(t *testing.T, root string) { link(t, root, filepath.Join(outside, "f"), "l") },
			[]plan.Change{{Path: "l", Op: plan.Delete, Old: []byte("theirs")}}, "link out of the project", nil},
		{"delete a link", func(t *testing.T, root string) { link(t, root, "go.mod", "l") },
			[]plan.Change{{Path: "l", Op: plan.Delete, Old: []byte("module x\n")}}, "is a symbolic link", nil},
		{"dangling", func(t *testing.T, root string) { link(t, root, "nowhere", "l") }, create("l"), "link to nothing", nil},
		{"link loop", func(t *testing.T, root string) { link(t, root, "l", "l") }, create("l"), "l", nil},
		{"two names", func(t *testing.T, root string) { link(t, root, "a", "l") },
			append(create("l/n"), create("a/n")...), "same file", nil},
		{"into the stage by a link", func(t *testing.T, root string) {
			put(t, root, ".custos/x", "", 0o644)
			link(t, root, ".custos", "l")
		}, create("l/tx/n"), "custos' own", nil},
		{".custos is a link", func(t *testing.T, root string) { link(t, root, outside, ".custos") }, create("n"), ".custos is not a folder", nil},
		{".custos is a file", func(t *testing.T, root string) { put(t, root, ".custos", "", 0o644) }, create("n"), ".custos is not a folder", nil},
		{"fifo or device", func(t *testing.T, root string) { link(t, root, os.DevNull, "l") }, create("l"), "l", nil},
		{"read-only", func(t *testing.T, root string) {
			if os.Getuid() == 0 || runtime.GOOS == "windows" {
				t.Skip("root may write everywhere")
			}
			dir := filepath.Join(root, "a")
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		}, create("a/x/y"), "folder a is not writable", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root, _ := project(t)
			if tt.setup != nil {
				tt.setup(t, root)
			}
			before, theirs := snapshot(t, root), snapshot(t, outside)
			visible := func(step string) error {
				for _, ok := range []string{"mkdir .custos", "create .custos/lock", "flock .custos/lock", "remove .custos/lock", "rmdir .custos"} {
					if step == ok {
						return nil
					}
				}
				t.Errorf("step %q before the refusal", step)
				return nil
			}
			err := with(root, time.Second, visible, tt.changes)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if d := difference(before, snapshot(t, root)); d != "" {
				t.Errorf("written all the same:\n%s", d)
			}
			if d := difference(theirs, snapshot(t, outside)); d != "" {
				t.Errorf("outside:\n%s", d)
			}
		})
	}
}

// All problems are reported at once.
func TestRefusesAllAtOnce(t *testing.T) {
	root, _ := project(t)
	err := Apply(root, []plan.Change{{Path: "../x", New: []byte("n")}, {Path: "go.mod", New: []byte("n")}, {Path: "a", New: []byte("n")}})
	for _, want := range []string{"../x", "go.mod", "apply a:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}

// A folder that loses its last file and gets another one stays.
func TestDeleteAndCreateInOneFolder(t *testing.T) {
	root := t.TempDir()
	put(t, root, "d/old", "o", 0o644)
	if err := os.Chmod(filepath.Join(root, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := Apply(root, []plan.Change{{Path: "d/old", Op: plan.Delete, Old: []byte("o")}, {Path: "d/e/new", New: []byte("n")}})
	if err != nil {
		t.Fatal(err)
	}
	got := snapshot(t, root)
	if got["d/e/new"] != "-rw-r--r-- n" || got["d"] != "drwx------" || len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// Links inside the project are followed and stay links.
func TestInnerLinks(t *testing.T) {
	root, _ := project(t)
	for name, to := range map[string]string{"rel": "a", "abs": filepath.Join(root, "a"), "file": "a/replaced.go"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	err := Apply(root, []plan.Change{
		{Path: "rel/x", New: []byte("x")}, {Path: "abs/y/z", New: []byte("z")},
		{Path: "file", Op: plan.Replace, Old: []byte("old"), New: []byte("new")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := snapshot(t, root)
	for name, want := range map[string]string{"a/x": "-rw-r--r-- x", "a/y/z": "-rw-r--r-- z", "a/replaced.go": "-rw-r----- new"} {
		if got[name] != want {
			t.Errorf("%s: %q", name, got[name])
		}
	}
	if !strings.HasPrefix(got["file"], "L") {
		t.Errorf("the link became %q", got["file"])
	}
}

type killed struct{ at string }

// A run that dies at any step, and whose recovery dies at any step, ends as the old tree or the new one.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{true, false} { // was there a .custos before?
		make := func() (string, []plan.Change) {
			root, changes := project(t)
			if !fresh {
				put(t, root, ".custos/base/z", "z", 0o644)
			}
			return root, changes
		}
		root, changes := make()
		old := snapshot(t, root)
		var steps []string
		if err := with(root, 0, func(s string) error { steps = append(steps, s); return nil }, changes); err != nil {
			t.Fatal(err)
		}
		neu := snapshot(t, root)
		sawOld, sawNew := 0, 0
		for k := range steps {
			root, changes := make()
			if at := die(t, k, func(step func(string) error) error { return with(root, 0, step, changes) }); at != steps[k] {
				t.Fatalf("died at %q, want %q", at, steps[k])
			}
			committed := slices.Index(steps, "remove journal") < k
			// The recovery dies too, at each of its steps, until it gets through.
			stride := 1
			if k%4 != 0 || !fresh && k%16 != 0 {
				stride = 7 // the same code, sampled
			}
			for m := 0; ; m += stride {
				if die(t, m, func(step func(string) error) error {
					tr, err := open(root)
					if err != nil {
						return err
					}
					defer tr.close()
					tr.step = step
					_, err = tr.recover()
					return err
				}) == "" {
					break
				}
			}
			if _, err := Recover(root); err != nil {
				t.Fatalf("killed before %s: %v", steps[k], err)
			}
			if Pending(root) {
				t.Errorf("killed before %s: still pending", steps[k])
			}
			want := old
			if committed {
				want, sawNew = neu, sawNew+1
			} else {
				sawOld++
			}
			if d := difference(want, snapshot(t, root)); d != "" {
				t.Errorf("killed before %s:\n%s", steps[k], d)
			}
			if done, err := Recover(root); done || err != nil {
				t.Errorf("killed before %s: second recovery: %v, %v", steps[k], done, err)
			}
		}
		if sawOld < 30 || sawNew < 3 {
			t.Errorf("too few steps: %d old, %d new: %q", sawOld, sawNew, steps)
		}
	}
}

// die runs f and kills it before step k; it returns the step's name, or "" if f ended before.
func die(t *testing.T, k int, f func(step func(string) error) error) (at string) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			at = r.(killed).at
		}
	}()
	n := 0
	err := f(func(s string) error {
		if n == k {
			panic(killed{s})
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ""
}

// A disk that is full at any one step: the old tree, or the new one and no error.
func TestErrorAtEveryStep(t *testing.T) {
	t.Parallel()
	root, changes := project(t)
	old := snapshot(t, root)
	var steps []string
	if err := with(root, 0, func(s string) error { steps = append(steps, s); return nil }, changes); err != nil {
		t.Fatal(err)
	}
	neu := snapshot(t, root)
	for k, name := range steps {
		root, changes := project(t)
		n := 0
		err := with(root, 0, func(string) error {
			n++
			if n == k+1 {
				return syscall.ENOSPC
			}
			return nil
		}, changes)
		want := old
		if err == nil {
			want = neu
		} else if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: error %v", name, err)
		}
		if err == nil && k < slices.Index(steps, "remove journal") && !strings.HasPrefix(name, "link ") {
			t.Errorf("%s failed, but there is no error", name)
		}
		// A failing sweep leaves an unused stage or lock; the next run takes it away.
		if _, err := Recover(root); err != nil {
			t.Error(err)
		}
		if d := difference(want, snapshot(t, root)); d != "" {
			t.Errorf("%s failed:\n%s", name, d)
		}
	}
}

// A disk that stays full from some step on: the roll-back may fail too, and then the error says so and the next
// run repairs it.
func TestErrorFromStepOn(t *testing.T) {
	t.Parallel()
	root, changes := project(t)
	old := snapshot(t, root)
	n := 0
	if err := with(root, 0, func(string) error { n++; return nil }, changes); err != nil {
		t.Fatal(err)
	}
	neu := snapshot(t, root)
	partial := 0
	for k := range n {
		root, changes := project(t)
		i := 0
		err := with(root, 0, func(string) error {
			if i++; i > k {
				return syscall.EIO
			}
			return nil
		}, changes)
		if p := (*PartialError)(nil); errors.As(err, &p) {
			partial++
			if !errors.Is(err, syscall.EIO) || strings.Count(err.Error(), syscall.EIO.Error()) < 2 {
				t.Errorf("both errors: %v", err)
			}
			if !Pending(root) {
				t.Error("a partial change must be pending")
			}
			for _, done := range p.Done {
				if !slices.ContainsFunc(changes, func(c plan.Change) bool { return c.Path == done }) {
					t.Errorf("done: %q", done)
				}
			}
		}
		want := old
		if err == nil {
			want = neu
		}
		if _, err := Recover(root); err != nil {
			t.Error(err)
		}
		if d := difference(want, snapshot(t, root)); d != "" {
			t.Errorf("failed from step %d on (%v):\n%s", k, err, d)
		}
	}
	if partial < 5 {
		t.Errorf("only %d partial errors", partial)
	}
}

// Without hard links the backups are copies; a kill must restore the modes all the same.
func TestNoHardLinks(t *testing.T) {
	root, changes := project(t)
	old := snapshot(t, root)
	copied := 0
	func() {
		defer func() { _ = recover().(killed) }()
		_ = with(root, 0, func(s string) error {
			if strings.HasPrefix(s, "link ") {
				copied++
				return syscall.EPERM
			}
			if s == "remove journal" {
				panic(killed{s})
			}
			return nil
		}, changes)
	}()
	if done, err := Recover(root); !done || err != nil || copied != 6 {
		t.Errorf("%v, %v, %d copies", done, err, copied)
	}
	if d := difference(old, snapshot(t, root)); d != "" {
		t.Error(d)
	}
}

// A file that changes between the check and its rename.
func TestChangedInTheMiddle(t *testing.T) {
	root, changes := project(t)
	name := filepath.Join(root, "half", "gone.go")
	want := snapshot(t, root)
	want["half/gone.go"] = "-rw-r--r-- the user typed"
	err := with(root, 0, func(s string) error {
		if s == "rename a/replaced.go" {
			put(t, root, "half/gone.go.new", "the user typed", 0o644)
			return os.Rename(name+".new", name)
		}
		return nil
	}, changes)
	if !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
	if d := difference(want, snapshot(t, root)); d != "" {
		t.Error(d)
	}
}

// What somebody typed into a half-written project is not rolled back.
func TestEditedAfterTheKill(t *testing.T) {
	root, changes := project(t)
	want := snapshot(t, root)
	killAt(t, root, changes, "remove journal")
	put(t, root, "a/replaced.go", "typed", 0o640)
	want["a/replaced.go"] = "-rw-r----- typed"
	done, err := Recover(root)
	var edited *EditedError
	if !done || !errors.As(err, &edited) || !slices.Equal(edited.Paths, []string{"a/replaced.go"}) {
		t.Errorf("%v, %v", done, err)
	}
	if d := difference(want, snapshot(t, root)); d != "" {
		t.Error(d)
	}
	if done, err := Recover(root); done || err != nil {
		t.Errorf("second: %v, %v", done, err)
	}
}

func killAt(t *testing.T, root string, changes []plan.Change, step string) {
	t.Helper()
	defer func() { _ = recover().(killed) }()
	_ = with(root, 0, func(s string) error {
		if s == step {
			panic(killed{s})
		}
		return nil
	}, changes)
	t.Fatal("not killed")
}

// Apply itself recovers first; changes computed from the half-written tree are refused.
func TestApplyRecoversFirst(t *testing.T) {
	root, changes := project(t)
	killAt(t, root, changes, "remove journal")
	if !Pending(root) {
		t.Fatal("not pending")
	}
	err := Apply(root, []plan.Change{{Path: "a/replaced.go", Op: plan.Replace, Old: []byte("new"), New: []byte("newer")}})
	if !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
	if err := Apply(root, changes); err != nil {
		t.Fatal(err)
	}
}

// A journal may come with a cloned repository.
func TestHostileJournal(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "f", "theirs", 0o644)
	base := filepath.Base(outside)
	for _, tt := range []struct{ name, journal, want string }{
		{"parent", `{"version":1,"entries":[{"path":"../` + base + `/f","old":"","new":"` + hash([]byte("theirs")) + `"}]}`, "leaves the project"},
		{"link", `{"version":1,"entries":[{"path":"out/f","old":"","new":"` + hash([]byte("theirs")) + `"}]}`, "escapes"},
		{"folder", `{"version":1,"rmdirs":[{"path":"../new","mode":511}]}`, "leaves the project"},
		{"version", `{"version":2}`, "unknown version 2"},
		{"garbage", `{`, "recover .custos/tx/journal"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := filepath.Join(filepath.Dir(outside), "p"+tt.name)
			put(t, root, ".custos/tx/journal", tt.journal, 0o644)
			if err := os.Symlink(outside, filepath.Join(root, "out")); err != nil {
				t.Skip(err)
			}
			before := snapshot(t, filepath.Dir(outside))
			if done, err := Recover(root); done || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v", done, err)
			}
			if d := difference(before, snapshot(t, filepath.Dir(outside))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLocked(t *testing.T) {
	root, changes := project(t)
	tr, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	l, err := tr.lock()
	if err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, root)
	if err := with(root, 30*time.Millisecond, nil, changes); !errors.Is(err, ErrLocked) {
		t.Errorf("error %v", err)
	}
	if done, err := Recover(root); done || err != nil {
		t.Errorf("recover while a run is alive: %v, %v", done, err)
	}
	if d := difference(before, snapshot(t, root)); d != "" {
		t.Error(d)
	}
	tr.unlock(l)
	if err := Apply(root, changes); err != nil {
		t.Error(err)
	}
}

// The holder removes the lock file just after we opened it: a lock on that file would exclude nobody.
func TestLockOnARemovedFile(t *testing.T) {
	root := t.TempDir()
	tr, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.close()
	tries := 0
	tr.step = func(s string) error {
		if strings.HasPrefix(s, "flock ") {
			if tries++; tries == 1 {
				return os.Remove(filepath.Join(root, ".custos", "lock"))
			}
		}
		return nil
	}
	l, err := tr.lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if runtime.GOOS == "windows" {
		return // an open file cannot be removed there
	}
	if err := with(root, 0, nil, []plan.Change{{Path: "f", New: []byte("n")}}); tries != 2 || !errors.Is(err, ErrLocked) {
		t.Errorf("%d tries; a second lock: %v", tries, err)
	}
}

// Many at once: exactly one wins each round, the others see a changed project, and nothing is torn.
func TestConcurrentApply(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for round := range 5 {
		old := []byte(nil)
		op := plan.Create
		if round > 0 {
			old, op = []byte(fmt.Sprint("round ", round-1)), plan.Replace
		}
		const n = 8
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				errs[i] = Apply(root, []plan.Change{
					{Path: "a/x", Op: op, Old: old, New: []byte(fmt.Sprint("round ", round))},
					{Path: fmt.Sprintf("by/%d/%d", round, i), Op: plan.Create, New: []byte("me")},
				})
			})
		}
		wg.Wait()
		won := 0
		for i, err := range errs {
			_, there := os.Lstat(filepath.Join(root, "by", fmt.Sprint(round), fmt.Sprint(i)))
			switch {
			case err == nil && there == nil:
				won++
			case err != nil && errors.Is(err, ErrChanged) && there != nil:
			default:
				t.Errorf("round %d, %d: %v, %v", round, i, err, there)
			}
		}
		if won != 1 {
			t.Errorf("round %d: %d winners", round, won)
		}
	}
	if _, err := os.Lstat(filepath.Join(root, dotDir)); err == nil {
		t.Error(".custos stayed")
	}
}

// worlds are the two trees that the killed process goes back and forth between, by 40 changes.
func worlds() (a, b map[string]string) {
	a, b = map[string]string{}, map[string]string{}
	for i := range 40 {
		name := fmt.Sprintf("d%d/e%d/f%02d.go", i%3, i%7, i)
		switch {
		case i < 20:
			a[name], b[name] = strings.Repeat(fmt.Sprintf("a%d\n", i), 200), strings.Repeat(fmt.Sprintf("b%d\n", i), 300)
		case i < 30:
			a["gone/"+name] = fmt.Sprint("only in a ", i)
		default:
			b["neu/"+name] = fmt.Sprint("only in b ", i)
		}
	}
	return a, b
}

func between(from, to map[string]string) []plan.Change {
	var out []plan.Change
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if c, ok := to[name]; ok {
			out = append(out, plan.Change{Path: name, Op: plan.Replace, Old: []byte(from[name]), New: []byte(c)})
		} else {
			out = append(out, plan.Change{Path: name, Op: plan.Delete, Old: []byte(from[name])})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(to)) {
		if _, ok := from[name]; !ok {
			out = append(out, plan.Change{Path: name, Op: plan.Create, New: []byte(to[name])})
		}
	}
	return out
}

const victim = "CUSTOS_DISK_VICTIM"

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	root := os.Getenv(victim)
	if root == "" {
		os.Exit(m.Run())
	}
	a, b := worlds()
	there, back := between(a, b), between(b, a)
	if _, err := os.Stat(filepath.Join(root, "neu")); err == nil {
		there, back = back, there
	}
	fmt.Println("ready")
	for {
		for _, c := range [][]plan.Change{there, back} {
			if err := Apply(root, c); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

func TestSIGKILL(t *testing.T) {
	kills := 80
	if testing.Short() {
		kills = 10
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	a, b := worlds()
	for name, c := range b {
		put(t, root, name, c, 0o644)
	}
	inB := snapshot(t, root)
	// How long does one run take here? The kills are spread over two of them.
	start := time.Now()
	if err := Apply(root, between(b, a)); err != nil {
		t.Fatal(err)
	}
	span := 2 * time.Since(start)
	inA := snapshot(t, root)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	count := map[string]int{}
	for k := range kills {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), victim+"="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ready := make([]byte, 256)
		n, _ := out.Read(ready)
		if got := string(ready[:n]); got != "ready\n" {
			t.Fatalf("kill %d: victim says %q", k, got)
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(span) + 1)))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if Pending(root) {
			count["pending"]++
			if _, err := os.Lstat(filepath.Join(root, journalPath)); err == nil {
				count["journal"]++
			}
		}
		if _, err := Recover(root); err != nil {
			t.Fatalf("seed %d, kill %d: %v", seed, k, err)
		}
		got := snapshot(t, root)
		switch {
		case maps.Equal(got, inA):
			count["a"]++
		case maps.Equal(got, inB):
			count["b"]++
		default:
			t.Fatalf("seed %d, kill %d: neither the old tree nor the new one:\n%s\n\n%s", seed, k, difference(inA, got), difference(inB, got))
		}
	}
	t.Log(span, count)
	if !testing.Short() && (count["pending"] < kills/4 || count["journal"] < 2) {
		t.Errorf("the kills came at harmless moments: %v", count)
	}
}

// Files are written several at once: every one, once, and no more of them after an error.
func TestEach(t *testing.T) {
	tr := &tree{}
	var calls [1000]atomic.Int32
	if err := tr.each(len(calls), func(i int) error { calls[i].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		if n := calls[i].Load(); n != 1 {
			t.Errorf("%d was called %d times", i, n)
		}
	}
	full := errors.New("disk full")
	var begun atomic.Int32
	err := tr.each(100_000, func(i int) error {
		begun.Add(1)
		if i == 3 {
			return full
		}
		time.Sleep(time.Microsecond)
		return nil
	})
	if !errors.Is(err, full) || begun.Load() == 100_000 {
		t.Errorf("%v after %d calls", err, begun.Load())
	}
}
