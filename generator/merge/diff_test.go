package merge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/plan"
)

func TestDiff(t *testing.T) {
	tests := []struct {
		name string
		c    plan.Change
		want string
	}{
		{"equal", plan.Change{Path: "f", Old: []byte("a\n"), New: []byte("a\n")}, ""},
		{"both empty", plan.Change{Path: "f", New: []byte{}}, ""},
		{"one line", plan.Change{Path: "f", Old: []byte("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), New: []byte("1\n2\n3\n4\nfive\n6\n7\n8\n9\n")},
			"--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"},
		{"six lines between join", plan.Change{Path: "f", Old: []byte("a\n1\n2\n3\n4\n5\n6\nb\n"), New: []byte("A\n1\n2\n3\n4\n5\n6\nB\n")},
			"--- a/f\n+++ b/f\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
		{"create", plan.Change{Path: "d/f", New: []byte("a\nb\n")}, "--- /dev/null\n+++ b/d/f\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
		{"delete", plan.Change{Path: "f", Op: plan.Delete, Old: []byte("a\n")}, "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"},
		{"newline gone", plan.Change{Path: "f", Old: []byte("a\n"), New: []byte("a")},
			"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"},
		{"newline missing on both sides", plan.Change{Path: "f", Old: []byte("a\nz"), New: []byte("b\nz")},
			"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+b\n z\n\\ No newline at end of file\n"},
		{"space", plan.Change{Path: "a b", Old: []byte("a\n"), New: []byte("b\n")}, "--- a/a b\t\n+++ b/a b\t\n@@ -1 +1 @@\n-a\n+b\n"},
		{"binary", plan.Change{Path: "f", Old: []byte("a\n"), New: []byte{0}}, "Binary files a/f and b/f differ\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Diff(tt.c); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// randomText makes short texts of few different lines, with all kinds of ends.
func randomText(rnd *rand.Rand) []byte {
	words := []string{"a", "b", "c", "", "}", "-", "+", "--- a", "\t x", "\\", "\r", "@@"}
	var b []byte
	for range rnd.IntN(30) {
		b = append(b, words[rnd.IntN(len(words))]...)
		b = append(b, '\n')
	}
	return cut(rnd, b)
}

func cut(rnd *rand.Rand, b []byte) []byte {
	if rnd.IntN(3) == 0 {
		b = bytes.TrimSuffix(b, []byte("\n"))
	}
	return b
}

// mutate changes a text a little.
func mutate(rnd *rand.Rand, b []byte) []byte {
	l := lines(b)
	for range rnd.IntN(4) {
		i := rnd.IntN(len(l) + 1)
		switch {
		case rnd.IntN(2) == 0 || i == len(l):
			l = append(l[:i:i], append([]string{"x\n"}, l[i:]...)...)
		default:
			l = append(l[:i:i], l[i+1:]...)
		}
	}
	var out []byte
	for i, s := range l {
		if i < len(l)-1 && !strings.HasSuffix(s, "\n") {
			s += "\n"
		}
		out = append(out, s...)
	}
	return cut(rnd, out)
}

// patch and git apply are the oracles: what they make of our diff is the new text. git's own diff is not shorter.
func TestDiffAgainstPatchAndGit(t *testing.T) {
	for _, tool := range []string{"patch", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	rounds := 150
	if testing.Short() {
		rounds = 20
	}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 2))
	dir := t.TempDir()
	run := func(in, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	file := filepath.Join(dir, "f")
	for range rounds {
		old := randomText(rnd)
		neu := mutate(rnd, old)
		if rnd.IntN(4) == 0 {
			neu = randomText(rnd)
		}
		c := plan.Change{Path: "f", Old: old, New: neu}
		if c.Old == nil {
			c.Old = []byte{}
		}
		d := Diff(c)
		if bytes.Equal(old, neu) {
			if d != "" {
				t.Fatalf("equal texts differ: %s", d)
			}
			continue
		}
		for _, args := range [][]string{{"git", "apply", "-p1", "--whitespace=nowarn"}, {"patch", "-p1", "--binary", "-s"}} {
			// Neither knows how to patch an empty file under its own name; both do as a new one.
			in := d
			if len(old) == 0 {
				in = Diff(plan.Change{Path: "f", New: neu})
				_ = os.Remove(file)
			} else if err := os.WriteFile(file, old, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := run(in, args[0], args[1:]...); err != nil {
				t.Fatalf("seed %d: %v: %v\n%s\nold %q\nnew %q\n%s", seed, args, err, out, old, neu, d)
			}
			got, err := os.ReadFile(file)
			if err != nil && len(neu) > 0 || !bytes.Equal(got, neu) {
				t.Fatalf("seed %d: %v makes %q of %q, want %q\n%s", seed, args, got, old, neu, d)
			}
		}
		// The shortest script: no more changed lines than git's minimal one.
		put(t, dir, "x", string(old))
		put(t, dir, "y", string(neu))
		theirs, _ := run("", "git", "diff", "--no-index", "--minimal", "x", "y")
		if a, b := changed(d), changed(theirs); a > b {
			t.Errorf("seed %d: %d changed lines, git has %d\n%s\n%s", seed, a, b, d, theirs)
		}
	}
}

// changed counts the lines that a diff takes and gives.
func changed(d string) int {
	n := 0
	body := false
	for l := range strings.Lines(d) {
		if strings.HasPrefix(l, "@@ ") {
			body = true
		} else if body && (l[0] == '+' || l[0] == '-') {
			n++
		}
	}
	return n
}

// Two long texts with nothing in common stay cheap, and right.
func TestDiffFarApart(t *testing.T) {
	var a, b []byte
	for i := range 20000 {
		a = fmt.Appendf(a, "a%d\n", i)
		b = fmt.Appendf(b, "b%d\n", i)
	}
	d := Diff(plan.Change{Path: "f", Old: append(a, "end\n"...), New: append(b, "end\n"...)})
	if n := changed(d); n != 40000 || !strings.Contains(d, "@@ -1,20001 +1,20001 @@\n") || !strings.HasSuffix(d, "\n end\n") {
		t.Errorf("%d changed lines", n)
	}
}

// The edits, applied to x, make y: for all texts.
func FuzzCompare(f *testing.F) {
	f.Add("a\nb\nc", "a\nc\n")
	f.Add("", "\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := lines([]byte(a)), lines([]byte(b))
		var got []string
		pos := 0
		for _, e := range compare(x, y) {
			if e.x < pos || e.x == e.xEnd && e.y == e.yEnd {
				t.Fatalf("edit %v after %d", e, pos)
			}
			got = append(append(got, x[pos:e.x]...), y[e.y:e.yEnd]...)
			pos = e.xEnd
		}
		got = append(got, x[pos:]...)
		if strings.Join(got, "") != b {
			t.Fatalf("%q and %q make %q", a, b, got)
		}
	})
}
