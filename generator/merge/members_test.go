package merge

import (
	"fmt"
	"go/format"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Of constants that iota counts, each side edits lines, adds, removes or swaps. What is merged has the order of the side that
// changed it, so that every constant has the value that this side gave it, and the edits of both; the two sides make
// the same of it, whoever is whom.
func TestCountedConstants(t *testing.T) {
	type constant struct{ name, comment string }
	spell := func(list []constant) string {
		var b strings.Builder
		b.WriteString("const (\n")
		for i, c := range list {
			b.WriteString("\t" + c.name)
			if i == 0 {
				b.WriteString(" = iota")
			}
			if c.comment != "" {
				b.WriteString(" // " + c.comment)
			}
			b.WriteString("\n")
		}
		formatted, err := format.Source([]byte(b.String() + ")\n"))
		if err != nil {
			t.Fatal(err)
		}
		return string(formatted)
	}
	read := func(s string) (list []constant) {
		for _, l := range strings.Split(s, "\n") {
			code, comment, _ := strings.Cut(strings.TrimPrefix(l, "\t"), " // ")
			if code, _, _ = strings.Cut(strings.TrimSpace(code), " "); strings.HasPrefix(l, "\t") {
				list = append(list, constant{code, comment})
			}
		}
		return list
	}
	names := func(list []constant) (out []string) {
		for _, c := range list {
			out = append(out, c.name)
		}
		return out
	}
	merges := 0
	for seed := range uint64(5000) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		var base []constant
		for i := range 3 + rnd.IntN(4) {
			base = append(base, constant{name: string(rune('A' + i))})
		}
		edit := func(who string) []constant {
			list := slices.Clone(base)
			for range rnd.IntN(3) {
				list[rnd.IntN(len(list))].comment = who
			}
			switch at := 1 + rnd.IntN(len(list)-1); rnd.IntN(6) {
			case 0:
				list = slices.Insert(list, at, constant{name: strings.ToUpper(who)})
			case 1:
				list = slices.Delete(list, at, at+1)
			case 2:
				list[at], list[len(list)-1] = list[len(list)-1], list[at]
			}
			return list
		}
		mine, theirs := edit("mine"), edit("theirs")
		got, ok := mergeMembers(spell(base), spell(mine), spell(theirs))
		mirrored, also := mergeMembers(spell(base), spell(theirs), spell(mine))
		if ok && also && got != mirrored {
			t.Fatalf("%d: the sides make\n%s of it and\n%s", seed, got, mirrored)
		}
		if !ok {
			continue
		}
		merges++
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("%d: %s\nbase\n%smine\n%stheirs\n%sbecomes\n%s", seed, fmt.Sprintf(format, args...), spell(base), spell(mine), spell(theirs), got)
		}
		result := read(got)
		want := names(mine)
		if slices.Equal(want, names(base)) {
			want = names(theirs)
		}
		if !slices.Equal(names(result), want) {
			fail("the order is %v, want %v", names(result), want)
		}
		for _, side := range [][]constant{mine, theirs} {
			for _, c := range side {
				i := slices.IndexFunc(result, func(r constant) bool { return r.name == c.name })
				if c.comment != "" && (i < 0 || result[i].comment != c.comment) {
					fail("%s of %s is lost", c.comment, c.name)
				}
			}
		}
	}
	if merges < 1000 {
		t.Errorf("only %d merges", merges)
	}
}
