package generator_test

import (
	"encoding/json"
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
type mutant struct {
	name, in, after string
	from, to        string
}

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

func TestMutantsAreKilled(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join(root(t), "testdata", "mutants", "*.txtar"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no mutants: %v", err)
	}
	var killed, all atomic.Int64
	t.Cleanup(func() { fmt.Printf("mutants: %d killed of %d\n", killed.Load(), all.Load()) })
	for _, archive := range archives {
		data, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(string(data.Comment))
		s := set{name: "mutants-" + strings.TrimSuffix(filepath.Base(archive), ".txtar"), models: []wanted{{name: words[0]}}}
		for _, arg := range words[1:] {
			sel, err := plugin.ParseArg(arg)
			if err != nil {
				t.Fatal(err)
			}
			s.models[0].plugins = append(s.models[0].plugins, sel)
		}
		dir := s.project(t, engine.Default())
		tests := []string{"test", "-vet=off", "-failfast", "-ldflags=-s -w", "-timeout=60s"}
		tested := map[string]bool{}
		for name := range snapshot(t, dir) {
			if strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".") {
				tested["./"+path.Dir(name)] = true
			}
		}
		goCommand(t, dir, append(tests, keys(tested)...)...) // unchanged, it passes
		for _, f := range data.Files {
			m := parseMutant(t, f)
			all.Add(1)
			t.Run(s.name+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				name, content := m.apply(t, dir)
				work := t.TempDir()
				changed, overlay := filepath.Join(work, "mutant.go"), filepath.Join(work, "overlay.json")
				replace, err := json.Marshal(map[string]map[string]string{"Replace": {name: changed}})
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(changed, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(overlay, replace, 0o644); err != nil {
					t.Fatal(err)
				}
				test := func(packages ...string) (string, error) {
					return command(t, dir, "go", append(append(slices.Clone(tests), "-overlay="+overlay), packages...)...)
				}
				out, err := test("./internal/auth/" + strings.ToLower(words[0])) // most are noticed there
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
					killed.Add(1)
					if _, after, ok := strings.Cut(out, "--- FAIL: "); ok {
						t.Log("noticed by", strings.Fields(after)[0])
					}
				}
			})
		}
	}
}
