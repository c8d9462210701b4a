package main

import (
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	one := plan.Change{Path: "one.go", Op: plan.Conflict, Hunks: []plan.Hunk{{Name: "func One", Line: 7, Why: "changed by both", Base: []byte("a\n"), Mine: []byte("b\n"), Theirs: []byte("c\n")}}}
	two := one
	two.Path = "two.go"
	for _, c := range []struct {
		typed string
		want  map[string]merge.Side
		asked int
	}{
		{"m\nn\n", map[string]merge.Side{"one.go": merge.Mine, "two.go": merge.New}, 2},
		{"?\nMINE\n\nnew\n", map[string]merge.Side{"one.go": merge.Mine, "two.go": merge.New}, 4},
		{"m\nq\n", nil, 2},
		{"m\n", nil, 2}, // the end of the input is no answer
		{"", nil, 1},
	} {
		a, out, _ := testApp(t, nil)
		got, err := a.ask(strings.NewReader(c.typed), []plan.Change{one, two})
		if err != nil || len(got) != len(c.want) || got["one.go"] != c.want["one.go"] || got["two.go"] != c.want["two.go"] {
			t.Errorf("%q: %v, %v, want %v", c.typed, got, err, c.want)
		}
		if n := strings.Count(out.String(), "? "); n != c.asked {
			t.Errorf("%q: asked %d times, want %d", c.typed, n, c.asked)
		}
		if !strings.HasPrefix(out.String(), "one.go:7: func One: changed by both\n    <<<<<<< yours\n    b\n    ||||||| base\n    a\n    =======\n    c\n    >>>>>>> new\n") {
			t.Errorf("%q: %s", c.typed, out)
		}
	}
}
