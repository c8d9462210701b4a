package merge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// edited is a text after a few random edits. Lines that it adds are new ones, or, with copies, also ones that are there.
func edited(rnd *rand.Rand, base []string, side string, copies bool) []string {
	out := slices.Clone(base)
	for n := range rnd.IntN(6) {
		at := rnd.IntN(len(out) + 1)
		line := fmt.Sprintf("%s %d.%d\n", side, n, rnd.IntN(3))
		switch {
		case rnd.IntN(5) == 0:
			line = "both\n" // the same on both sides
		case copies && len(base) > 0 && rnd.IntN(3) == 0:
			line = base[rnd.IntN(len(base))]
		}
		switch k := rnd.IntN(4); {
		case k < 2 || at == len(out):
			out = slices.Insert(out, at, line)
		case k == 2:
			out[at] = line
		default:
			out = slices.Delete(out, at, min(at+1+rnd.IntN(3), len(out)))
		}
	}
	return out
}

func merge3(base, mine, theirs string) (versions, int) {
	chunks := diff3(plainText(base), plainText(mine), plainText(theirs))
	return resolve(chunks, labels{Mine: "mine", Base: "base", Theirs: "theirs"}), conflicts(chunks)
}

// git merge-file is the oracle: on texts whose lines are distinct, so that there is one way to align them, the result
// is the same to the byte, conflicts and all.
func TestDiff3AgreesWithGit(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is the oracle of this test: ", err)
	}
	dir := t.TempDir()
	clean, clashes := 0, 0
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var base []string
		for i := range rnd.IntN(25) {
			base = append(base, fmt.Sprintf("line %d\n", i))
		}
		var texts [3]string
		for i, name := range []string{"mine", "base", "theirs"} {
			side := base
			if i != 1 {
				side = edited(rnd, base, name, false)
				if seen := slices.Compact(slices.Sorted(slices.Values(side))); len(seen) != len(side) {
					side = base // an added line came twice
				}
			}
			texts[i] = strings.Join(side, "")
			if err := os.WriteFile(filepath.Join(dir, name), []byte(texts[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("git", "merge-file", "-p", "--zdiff3", "-L", "mine", "-L", "base", "-L", "theirs", "mine", "base", "theirs")
		cmd.Dir = dir
		want, err := cmd.Output()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		got, n := merge3(texts[1], texts[0], texts[2])
		if got.marked != string(want) || (n > 0) != (err != nil) {
			t.Fatalf("seed %d, %d conflicts:\n%s\ngit: %v\n%s\nbase:\n%s\nmine:\n%s\ntheirs:\n%s", seed, n, got.marked, err, want, texts[1], texts[0], texts[2])
		}
		if n == 0 {
			clean++
		} else {
			clashes++
		}
	}
	if clean < 50 || clashes < 50 {
		t.Errorf("%d clean merges, %d with conflicts: the texts are not what they should be", clean, clashes)
	}
}

// laws3 holds for any three texts.
func laws3(t *testing.T, base, mine, theirs string) {
	t.Helper()
	v, n := merge3(base, mine, theirs)
	for _, c := range []struct {
		name, b, m, t, want string
	}{
		{"nothing new", base, mine, base, mine}, {"nothing mine", base, base, theirs, theirs}, {"the same", base, mine, mine, mine},
	} {
		if got, n := merge3(c.b, c.m, c.t); n > 0 || got.marked != c.want {
			t.Errorf("%s: %d conflicts, %q, want %q", c.name, n, got.marked, c.want)
		}
	}
	if _, other := merge3(base, theirs, mine); other != n {
		t.Errorf("%d conflicts one way, %d the other", n, other)
	}
	if n == 0 && (v.mine != v.marked || v.base != v.marked || v.theirs != v.marked) {
		t.Error("no conflict, but different resolutions")
	}
	for _, side := range []string{mine, theirs} {
		if lost := lostLines(base, side, v.marked); lost != "" {
			t.Errorf("%q is lost: base %q, mine %q, theirs %q, result %q", lost, base, mine, theirs, v.marked)
		}
	}
}

// lostLines is a line that a side has more often than the base, and the result less often than that.
func lostLines(base, side, result string) string {
	count := map[string]int{}
	for _, l := range plainText(side).keys {
		count[strings.TrimSuffix(l, "\x00")]++
	}
	for _, l := range plainText(base).keys {
		count[strings.TrimSuffix(l, "\x00")]--
	}
	have := map[string]int{}
	for _, l := range plainText(result).keys {
		have[strings.TrimSuffix(l, "\x00")]++
	}
	for l, n := range count {
		if n > 0 && have[l] < n {
			return l
		}
	}
	return ""
}

func TestDiff3Laws(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var base []string
		for range rnd.IntN(12) {
			base = append(base, fmt.Sprintf("%d\n", rnd.IntN(5)))
		}
		laws3(t, strings.Join(base, ""), strings.Join(edited(rnd, base, "m", true), ""), strings.Join(edited(rnd, base, "t", true), ""))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzDiff3(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nx\nc\n", "a\nb\nc\nd\n")
	f.Add("a", "a\n", "b")
	f.Add("a\r\nb\r\n", "a\nb\n", "a\r\nc\r\n")
	f.Fuzz(func(t *testing.T, base, mine, theirs string) {
		// Line ends are taken from mine: the laws are about everything else.
		clean := func(s string) string { return strings.NewReplacer("\r", "", "\x00", "").Replace(s) }
		laws3(t, clean(base), clean(mine), clean(theirs))
	})
}

// Whatever bytes the three versions are: no panic, what one side alone changed is taken, and what is merged without
// conflict can be read.
func FuzzGroup(f *testing.F) {
	const src = "package p\n\nimport \"fmt\"\n\n// A is a.\nfunc A() { fmt.Println() }\n\n// floating\n\ntype T struct {\n\tx int // x\n}\n\nconst (\n\ta = iota\n\tb\n)\n"
	for _, ext := range []string{".go", ".sql", ".yaml", ".txt"} {
		f.Add(ext, src, src+"\nfunc B() {}\n", strings.Replace(src, "x int", "y, x int", 1))
		f.Add(ext, "a:\n  b: 1\n", "a:\n  b: 1\n  c: 2\n", "a:\n  b: 1\n  d: 2\n")
		f.Add(ext, "-- name: A :one\nSELECT 1;\n", "-- name: A :one\nSELECT 2;\n", "-- name: A :one\nSELECT 1;\n-- name: B :one\nSELECT 3;\n")
	}
	f.Fuzz(func(t *testing.T, ext, base, mine, theirs string) {
		run := func(b, m, th string) (merged, bool) {
			out, err := mergeGroup([]three{{path: "f" + ext, base: []byte(b), mine: []byte(m), theirs: []byte(th)}}, testLabels, nil, nil)
			return func() merged {
				if err != nil {
					return merged{}
				}
				return out[0]
			}(), err == nil
		}
		if r, ok := run(base, mine, base); ok && (len(r.hunks) > 0 || string(r.content) != mine) {
			t.Errorf("nothing new: %q became %q", mine, r.content)
		}
		if r, ok := run(base, base, theirs); ok && (len(r.hunks) > 0 || string(r.content) != theirs) {
			t.Errorf("nothing mine: %q became %q, want %q", base, r.content, theirs)
		}
		r, ok := run(base, mine, theirs)
		if !ok || len(r.hunks) > 0 || ext != ".go" {
			return
		}
		if _, err := languageOf("f.go").cut("f.go", r.content); err != nil {
			if _, err := languageOf("f.go").cut("f.go", []byte(theirs)); err == nil {
				t.Errorf("%q cannot be read: %v", r.content, err)
			}
		}
	})
}
