package project_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/custos-auth/custos/generator/project"
)

// TestLoad reads each archive in testdata/load: its comment says what to do and what to find, in lines
// "engine X", "driver X", "package X" (options), "dir X", "symlink NAME TARGET", "want FACT VALUE...",
// "finding PART" and "error PART".
func TestLoad(t *testing.T) {
	archives, err := filepath.Glob("testdata/load/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(archive)
			if err != nil {
				t.Fatal(err)
			}
			testLoad(t, a)
		})
	}
}

func testLoad(t *testing.T, a *txtar.Archive) {
	root := filepath.Join(t.TempDir(), "app")
	mkdir(t, root)
	for _, f := range a.Files {
		write(t, filepath.Join(root, f.Name), f.Data)
	}
	before := snapshot(t, root)
	dir := root
	var o project.Options
	var wants [][]string
	var findings, faults []string
	for line := range strings.Lines(string(a.Comment)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		args := strings.Fields(rest)
		switch word {
		case "engine":
			o.Engine = rest
		case "driver":
			o.Driver = rest
		case "package":
			o.Package = rest
		case "dir":
			dir = filepath.Join(root, rest)
		case "symlink":
			if err := os.Symlink(filepath.FromSlash(args[1]), filepath.Join(root, args[0])); err != nil {
				t.Skip(err)
			}
			before = snapshot(t, root)
		case "want":
			wants = append(wants, args)
		case "finding":
			findings = append(findings, rest)
		case "error":
			faults = append(faults, rest)
		case "":
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	p, err := project.Load(dir, o)
	if after := snapshot(t, root); !reflect.DeepEqual(before, after) {
		t.Errorf("Load wrote: %v became %v", before, after)
	}
	if len(faults) > 0 {
		if err == nil {
			t.Fatalf("no error, want %q; found %+v", faults, p.Config)
		}
		for _, f := range faults {
			if !strings.Contains(err.Error(), f) {
				t.Errorf("error is %q, want %q in it", err, f)
			}
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wants {
		if got := fact(p, w[0]); got != strings.Join(w[1:], " ") {
			t.Errorf("%s is %q, want %q", w[0], got, w[1:])
		}
	}
	for _, f := range findings {
		if !strings.Contains(strings.Join(p.Findings, "\n"), f) {
			t.Errorf("findings %q, want %q among them", p.Findings, f)
		}
	}
	config, err := project.ParseConfig(project.RenderConfig(p.Config))
	if err != nil || !reflect.DeepEqual(config, p.Config) {
		t.Errorf("the configuration does not survive being written: %+v, %v", config, err)
	}
}

func fact(p *project.Project, name string) string {
	names := func(files []project.MigrationFile) string {
		var out []string
		for _, f := range files {
			out = append(out, f.Path)
		}
		return strings.Join(out, " ")
	}
	switch m := p.Config.Migrations; name {
	case "module":
		return p.Module
	case "engine":
		return p.Config.Engine
	case "driver":
		return p.Config.Driver
	case "package":
		return p.Config.Package
	case "queries":
		return p.Config.Queries
	case "authctl":
		return p.Config.Authctl
	case "migrations":
		return m.Dir + " " + m.Tool + " " + m.Numbering
	case "files":
		return names(p.Migrations.Files)
	case "schema":
		return names(p.Schema)
	case "foreign":
		return fmt.Sprint(p.Migrations.Foreign)
	case "next":
		return strings.Join(p.Migrations.Next(m, 2, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), " ")
	}
	return "no such fact"
}

func TestLoadNoModule(t *testing.T) {
	_, err := project.Load(t.TempDir(), project.Options{})
	if !errors.Is(err, project.ErrNoModule) {
		t.Errorf("got %v", err)
	}
	if _, err := project.Load(filepath.Join(t.TempDir(), "none"), project.Options{}); err == nil {
		t.Error("a folder that does not exist was loaded")
	}
}

func TestRead(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "a", "b.txt"), []byte("hello"))
	outside := t.TempDir()
	for name, target := range map[string]string{"out": outside, "in": "a", "gone": "nowhere", "loop": "loop", "outfile": filepath.Join(outside, "x")} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	write(t, filepath.Join(outside, "x"), []byte("secret"))
	p := &project.Project{Root: root}
	for _, c := range []struct{ path, content, fault string }{
		{"a/b.txt", "hello", ""},
		{"in/b.txt", "hello", ""},
		{"none", "", ""},
		{"none/none", "", ""},
		{"a", "", "it is a folder"},
		{"a/b.txt/c", "", "a/b.txt is a file"},
		{"out/new", "", "leads out of the project"},
		{"out/x", "", "leads out of the project"},
		{"outfile", "", "leads out of the project"},
		{"gone", "", "leads nowhere"},
		{"loop/x", "", "leads nowhere"},
		{"../x", "", "leaves the project"},
		{"/etc/passwd", "", "leaves the project"},
		{"a/../../x", "", "leaves the project"},
		{`a\b`, "", "leaves the project"},
		{"", "", "leaves the project"},
	} {
		content, exists, err := p.Read(c.path)
		switch {
		case c.fault != "":
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%q: error is %v, want %q", c.path, err, c.fault)
			}
		case err != nil || string(content) != c.content || exists != (c.content != ""):
			t.Errorf("%q: got %q, %v, %v", c.path, content, exists, err)
		}
	}
}

func mkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	mkdir(t, filepath.Dir(file))
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t *testing.T, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
