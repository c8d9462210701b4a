package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

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

func TestRaisedWork(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"none", "", "", ""},
		{"the same", "go 1.25.0\n\nuse ./a\n", "go 1.25.0\n\nuse ./a\n", ""},
		{"spelled out", "go 1.26\n", "go 1.26.0\n", ""},
		{"raised", "go 1.24\n\nuse ./a\n", "go 1.26.0\n\nuse ./a\n", "go 1.24 -> 1.26.0"},
		{"broken", "go 1.24\n\nuse (\n", "go 1.26.0\n", ""},
	} {
		if got := raisedWork([]byte(c.before), []byte(c.after)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// Packages of the user's own build after a run, whatever module the run has raised below them.
func TestSumsAreCompleted(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOFLAGS", "")
	const module = "golang.org/x/mod" // custos has it, so that it is at hand
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire " + module + " " + strings.TrimSpace(string(version)) + "\n",
		"main.go": "package main\n\nimport \"" + module + "/semver\"\n\nfunc main() { println(semver.IsValid(\"v1\")) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a, _, _ := testApp(t, nil)
	if report, err := a.goCommand(t.Context(), dir, []string{"vet", "./..."}); err == nil {
		t.Fatalf("it builds without: %s", report)
	}
	if err := a.completeSums(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if report, err := a.goCommand(t.Context(), dir, []string{"vet", "./..."}); err != nil {
		t.Errorf("%v: %s", err, report)
	}
}
