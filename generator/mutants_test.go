package generator_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// A mutant is a generated project in which one guard is missing. Its own tests must notice.
//
// testdata/mutants/*.txtar holds them. The archive's comment is the command line that makes the project; each
// file of it is one mutant:
//
//	in: a file of the project, or a pattern
//	after: a text; what is replaced comes after it
//	old: the text that is replaced, several lines with several of these
//	new: what takes its place
//	by: a test of the model's package that noticed; it is asked first, and the others when it does not notice
type mutant struct {
	name, in, after string
	from, to        string
	by              string
}

var updateMutants = flag.Bool("update-mutants", false, "write which tests notice the mutants into testdata/mutants")

func parseMutant(t *testing.T, f txtar.File) mutant {
	t.Helper()
	m := mutant{name: f.Name}
	var from, to []string
	for line := range strings.Lines(string(f.Data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch strings.TrimSuffix(key, ":") {
		case "":
		case "in":
			m.in = value
		case "after":
			m.after = value
		case "by":
			m.by = value
		case "old":
			from = append(from, value)
		case "new":
			to = append(to, value)
		default:
			t.Fatalf("%s: %q", f.Name, line)
		}
	}
	m.from, m.to = strings.Join(from, "\n"), strings.Join(to, "\n")
	if m.in == "" || m.from == "" {
		t.Fatalf("%s: in and old are needed", f.Name)
	}
	return m
}

// overlay writes what changes for the go command, and returns the name of its file.
func (m mutant) overlay(t *testing.T, dir string) string {
	t.Helper()
	name, content := m.apply(t, dir)
	work := t.TempDir()
	changed, overlay := filepath.Join(work, "mutant.go"), filepath.Join(work, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {name: changed}})
	if err != nil {
		t.Fatal(err)
	}
	memoryFS{"mutant.go": []byte(content), "overlay.json": replace}.write(t, work)
	return overlay
}

// noticedBy returns a mutant's text with another line for the test that noticed it; "" is none.
func noticedBy(text, test string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "by: ") {
			b.WriteString(line)
		}
	}
	if test != "" {
		fmt.Fprintf(&b, "by: %s\n", test)
	}
	return b.String()
}

// apply returns the file that changes, and its new content.
func (m mutant) apply(t *testing.T, dir string) (name, content string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, m.in))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s is no file of the project: %v", m.in, err)
	}
	for _, name := range names {
		text := string(read(t, name))
		head, tail := "", text
		if m.after != "" {
			i := strings.Index(text, m.after)
			if i < 0 {
				continue
			}
			head, tail = text[:i], text[i:]
		}
		if strings.Contains(tail, m.from) {
			return name, head + strings.Replace(tail, m.from, m.to, 1)
		}
	}
	t.Fatalf("%s has no\n%s\nbehind %q: the code has changed, and so must the mutant", m.in, m.from, m.after)
	return "", ""
}

// kills counts mutants.
type kills struct{ all, killed, unforeseen atomic.Int64 }

func TestMutantsAreKilled(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join(root(t), "testdata", "mutants", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no mutants: %v", err)
	}
	var k kills
	t.Cleanup(func() {
		fmt.Printf("mutants: %d killed of %d\n", k.killed.Load(), k.all.Load())
		if n := k.unforeseen.Load(); n > 0 && !*updateMutants {
			fmt.Printf("mutants: %d not by the test that they name, which takes longer; type: go test ./generator -run TestMutantsAreKilled -update-mutants\n", n)
		}
	})
	for _, archive := range archives {
		t.Run("mutants-"+strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			t.Parallel()
			k.archive(t, archive)
		})
	}
}

func (k *kills) archive(t *testing.T, archive string) {
	data, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(data.Comment))
	s := set{name: path.Base(t.Name()), models: []wanted{{name: words[0]}}}
	for _, arg := range words[1:] {
		sel, err := plugin.ParseArg(arg)
		if err != nil {
			t.Fatal(err)
		}
		s.models[0].plugins = append(s.models[0].plugins, sel)
	}
	dir := s.project(t, engine.Default())
	tested := map[string]bool{}
	for name := range snapshot(t, dir) {
		if strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".") {
			tested["./"+path.Dir(name)] = true
		}
	}
	args := []string{"test", "-vet=off", "-failfast", "-ldflags=-s -w", "-timeout=60s"}
	goCommand(t, dir, append(args, keys(tested)...)...) // unchanged, it passes
	if *updateMutants {
		t.Cleanup(func() {
			if err := os.WriteFile(archive, txtar.Format(data), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
	own := "./" + project.DefaultPackage + "/" + strings.ToLower(words[0]) // most are noticed there
	for i := range data.Files {
		f := &data.Files[i]
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			k.all.Add(1)
			m := parseMutant(t, *f)
			overlay := "-overlay=" + m.overlay(t, dir)
			test := func(more ...string) (string, error) {
				return command(t, dir, "go", append(append(slices.Clone(args), overlay), more...)...)
			}
			var out string
			var err error
			by := m.by
			if by != "" {
				out, err = test("-run=^"+by+"$", own)
			}
			if err == nil {
				out, err = test(own)
				by = firstFailure(out)
			}
			if err == nil {
				out, err = test(keys(tested)...)
			}
			switch {
			case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
				t.Fatalf("the mutant does not compile:\n%s", out)
			case err == nil:
				t.Errorf("no generated test noticed: %s without\n%s", m.in, m.from)
			case !strings.Contains(out, "--- FAIL") && !strings.Contains(out, "panic:"):
				t.Errorf("the tests failed for another reason: %v\n%s", err, out)
			default:
				k.killed.Add(1)
				if by != m.by {
					k.unforeseen.Add(1)
				}
				f.Data = []byte(noticedBy(string(f.Data), by))
			}
		})
	}
}

// firstFailure is the first test that failed, by its name in the code.
func firstFailure(out string) string {
	_, after, found := strings.Cut(out, "--- FAIL: ")
	if !found {
		return ""
	}
	name, _, _ := strings.Cut(strings.Fields(after)[0], "/")
	return name
}
