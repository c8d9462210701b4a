package main

import "testing"

func TestRaised(t *testing.T) {
	const head = "module example.com/app\n\n"
	const loops = "; from go 1.22 on each turn of a loop has variables of its own: https://go.dev/blog/loopvar-preview"
	for _, c := range []struct{ name, before, after, want string }{
		{"a new project", "", head + "go 1.26.0\n", ""},
		{"the same", head + "go 1.25.0\n", head + "go 1.25.0\n", ""},
		{"spelled out", head + "go 1.26\n", head + "go 1.26.0\n", ""},
		{"added", head + "go 1.25.0\n", head + "go 1.25.0\nrequire example.com/a v1.0.0\n", ""},
		{"raised", head + "go 1.25.0\nrequire (\nexample.com/a v1.0.0\nexample.com/b v1.0.0 // indirect\nexample.com/c v1.0.0\n)\n",
			head + "go 1.26.0\nrequire (\nexample.com/a v1.2.0\nexample.com/b v1.1.0 // indirect\nexample.com/c v1.0.0\n)\n",
			"go 1.25.0 -> 1.26.0, example.com/a v1.0.0 -> v1.2.0, 1 indirect module"},
		{"loops", head + "go 1.21\n", head + "go 1.26.0\n", "go 1.21 -> 1.26.0" + loops},
		{"no go line", head, head + "go 1.26.0\n", "go 1.16 -> 1.26.0" + loops},
	} {
		if got := raised([]byte(c.before), []byte(c.after)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
