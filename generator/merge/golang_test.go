package merge

import (
	"go/build"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGoTokens(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"func f(a, b int) {\n\treturn\n}\n", "func f(\n\ta, b int,\n) {\n\n\treturn\n}\n", true},
		{"x := []int{1, 2}", "x := []int{\n\t1,\n\t2,\n}\n", true},
		{"a  b // c  \r\n", "a b // c\n", true},
		{"func f() { g() }", "func f() {\n\tg()\n}", true},
		{"return x\n", "return\nx\n", false},
		{"f() // c", "f() // d", false},
		{"`a  b`", "`a b`", false},
		{"\"a\"", "\"b\"", false},
		{"a - b", "a -b", true},
	} {
		if got := goTokens(c.a) == goTokens(c.b); got != c.same {
			t.Errorf("%q and %q: the same is %v", c.a, c.b, got)
		}
	}
}

func TestRenameGo(t *testing.T) {
	function := func(from, to string) renaming {
		return renaming{&unit{words: []string{from}, sig: "func "}, &unit{words: []string{to}}}
	}
	method := func(from, to string) renaming {
		return renaming{&unit{words: []string{from}, sig: "method T "}, &unit{words: []string{to}}}
	}
	for _, c := range []struct {
		src, want string
		r         renaming
	}{
		{"func old() { old(); x.old() } // old", "func neu() { neu(); x.old() } // old", function("old", "neu")},
		{"func (t *T) old() { t.old(); old() }", "func (t *T) neu() { t.neu(); old() }", method("old", "neu")},
		{"func f() { old := 1; _ = old }", "func f() { old := 1; _ = old }", function("old", "neu")},
		{"func f() { defer old() }", "func f() { defer neu() }", function("old", "neu")},
	} {
		if got := renameGo(c.src, []renaming{c.r}); got != c.want {
			t.Errorf("%q became %q, want %q", c.src, got, c.want)
		}
	}
}

// The standard library is cut and put together again without a byte's difference, and its units are what its
// declarations are.
func TestCutsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(build.Default.GOROOT, "src", "net", "*", "*.go"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	whole := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := cutGo(name, content)
		if err != nil {
			t.Fatal(err)
		}
		if s.head == len(content) {
			whole++
			continue
		}
		at := s.begin
		for _, u := range s.units {
			if u.start < at || strings.TrimSpace(string(content[at:u.start])) != "" || u.text != string(content[u.start:u.end]) {
				t.Errorf("%s: %s begins at %d, and what is before it ends at %d", name, u.title(), u.start, at)
			}
			at = u.end
		}
		if rest := strings.TrimSpace(string(content[at:])); rest != "" {
			t.Errorf("%s: %q is in no unit", name, rest)
		}
		if got := splice(content, nil, func(v versions) string { return v.mine }); string(got) != string(content) {
			t.Errorf("%s is another one afterwards", name)
		}
	}
	if whole > len(files)/50 {
		t.Errorf("%d of %d files could not be cut", whole, len(files))
	}
}
