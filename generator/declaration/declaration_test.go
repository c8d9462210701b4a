package declaration_test

import (
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/declaration"
)

func only(t *testing.T, name, content string) declaration.Declaration {
	t.Helper()
	all, err := declaration.Of(name, []byte(content))
	if err != nil || len(all) != 1 {
		t.Fatalf("%q: %+v, %v", content, all, err)
	}
	return all[0]
}

// What is the same, and what is not, whatever it is called and however it is laid out.
func TestKnownAgain(t *testing.T) {
	const rotate = "package p\n\n// Rotate rotates.\nfunc (s *Service) Rotate(ctx context.Context, id int64) error {\n\treturn s.db.Rotate(ctx, id)\n}\n"
	const find = "-- Find finds.\n-- name: Find :one\nSELECT id FROM tokens\nWHERE digest = sqlc.arg(digest) AND revoked_at IS NULL;\n"
	for _, c := range []struct {
		name, file, a, b string
		same             bool
	}{
		{"renamed", "a.go", rotate, strings.ReplaceAll(rotate, ") Rotate(", ") turn("), true},
		{"a function now", "a.go", rotate, strings.ReplaceAll(rotate, "(s *Service) ", ""), true},
		{"laid out", "a.go", rotate, "package q\nfunc (s *Service) Rotate(\n\tctx context.Context,\n\tid int64,\n) error {\r\n\r\n\treturn s.db.Rotate(\n\t\tctx, id, // here\n\t)\n}", true},
		{"another body", "a.go", rotate, strings.ReplaceAll(rotate, "(ctx, id)", "(ctx, id+1)"), false},
		{"another signature", "a.go", rotate, strings.ReplaceAll(rotate, "int64", "string"), false},
		{"a constant", "a.go", "package p\nconst life = 3 * hour", "package p\nconst (\n\t// long\n\tlife = 3*hour\n)", true},
		{"another constant", "a.go", "package p\nconst life = 3 * hour", "package p\nconst rest = 3 * hour", false},
		{"a variable", "a.go", "package p\nconst life = 3", "package p\nvar life = 3", false},
		{"query renamed and laid out", "a.sql", find, "-- name: Look   :one\r\n  SELECT id -- the key\n  FROM tokens WHERE digest = sqlc.arg(digest)\nAND revoked_at IS NULL;\n\n", true},
		{"query with another result", "a.sql", find, strings.ReplaceAll(find, ":one", ":many"), false},
		{"query without a condition", "a.sql", find, strings.ReplaceAll(find, " AND revoked_at IS NULL", ""), false},
	} {
		a, b := only(t, c.file, c.a), only(t, c.file, c.b)
		if (a.Hash == b.Hash) != c.same {
			t.Errorf("%s: %q and %q: want same %v", c.name, a.Text, b.Text, c.same)
		}
	}
	if d := only(t, "a.go", rotate); d.Name != "Service.Rotate" || d.Line != 4 || !strings.HasPrefix(d.Text, "func (s *Service) Rotate") {
		t.Errorf("%+v", d)
	}
	if d := only(t, "a.go", rotate); rotate[d.Start:d.End] != rotate[len("package p\n\n"):] || d.Group != nil || d.Shared {
		t.Errorf("the lines of it are %q", rotate[d.Start:d.End])
	}
	if d := only(t, "a.sql", find); find[d.Start:d.End] != find {
		t.Errorf("the lines of it are %q", find[d.Start:d.End])
	}
	const group = "package p\n\n// All.\nvar (\n\t// a is a.\n\ta = 1 // one\n)\n"
	if d := only(t, "a.go", group); d.Group == nil || group[d.Start:d.End] != "\t// a is a.\n\ta = 1 // one\n" || group[d.At:d.End] != "a = 1 // one\n" || d.Shared {
		t.Errorf("%+v", d)
	} else if start, end := d.Whole(); group[start:end] != group[11:] {
		t.Errorf("the group is %q", group[start:end])
	}
	if d := only(t, "a.go", "package p\n\nvar ( a = 1 )\n"); !d.Shared || d.Group.Counted {
		t.Errorf("%+v", d)
	}
	if d := only(t, "a.go", "package p\n\nconst (\n\ta = iota\n)\n"); d.Shared || !d.Group.Counted {
		t.Errorf("%+v", d)
	}
	if d := only(t, "a.sql", find); d.Name != "Find" || d.Line != 2 || !strings.HasSuffix(d.Text, "IS NULL;") {
		t.Errorf("%+v", d)
	}
}

// What is the same under another name.
func TestNameless(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"a constant", "const life = 3 * hour", "const (\n\t// long\n\trest = 3*hour\n)", true},
		{"another value", "const life = 3 * hour", "const rest = 4 * hour", false},
		{"a variable", "const life = 3", "var rest = 3", false},
		{"another type", "const life mood = 3", "const life = 3", false},
		{"a type", "type node struct{ next *node }", "type link struct{ next *link }", true},
		{"a type and its field", "type mood struct{ mood string; more other.mood }", "type feeling struct{ mood string; more other.mood }", true},
		{"another field", "type node struct{ next *node }", "type link struct{ other *link }", false},
		{"with parameters", "type set[K comparable] map[K]*set[K]", "type pile[K comparable] map[K]*pile[K]", true},
	} {
		a, b := only(t, "a.go", "package p\n"+c.a), only(t, "a.go", "package p\n"+c.b)
		if (a.Nameless == b.Nameless) != c.same || a.Nameless == "" {
			t.Errorf("%s: %q and %q: want same %v", c.name, a.Text, b.Text, c.same)
		}
	}
	all := must(declaration.Of("a.go", []byte("package p\n\nconst (\n\ta = iota\n\tb\n)\n\nfunc f() {}\n")))
	if all[0].Nameless == "" || all[1].Nameless != "" || all[2].Nameless != "" {
		t.Errorf("%+v", all)
	}
}

func TestOf(t *testing.T) {
	all, err := declaration.Of("a.go", []byte("package p\n\ntype T[K comparable] struct{}\n\nfunc (t *T[K]) M() {}\n\nvar a, b = 1, 2\n\nimport \"fmt\"\n"))
	var names []string
	for _, d := range all {
		names = append(names, d.Name)
	}
	if err == nil || strings.Join(names, " ") != "T T.M a b" {
		t.Errorf("a file with an import too late: %v, %v", names, err)
	}
	if all, err := declaration.Of("a.md", []byte("# a")); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
	if all := must(declaration.Of("a.sql", []byte("SELECT 1;\n"))); len(all) != 0 {
		t.Errorf("a statement without a name: %v", all)
	}
}

func must(all []declaration.Declaration, _ error) []declaration.Declaration { return all }

func FuzzOf(f *testing.F) {
	f.Add("package p\nfunc f() {}")
	f.Add("package p\nvar (\n\ta = 1\n)\nfunc (")
	f.Fuzz(func(t *testing.T, src string) {
		for _, name := range []string{"a.go", "a.sql"} {
			all, _ := declaration.Of(name, []byte(src))
			for _, d := range all {
				if d.Line < 1 || d.Hash == "" || d.Start < 0 || d.Start >= d.End || d.End > len(src) {
					t.Errorf("%q: %+v", src, d)
				}
			}
		}
	})
}
