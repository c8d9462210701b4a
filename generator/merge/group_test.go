package merge

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the scenarios want")

var testLabels = labels{Mine: "yours", Base: "base", Theirs: "new"}

// scenario is a txtar: the files of each version, those that do not differ from base left out; what must be in the
// result ("has:", also in a note or a reason), how many hunks, and the result.
type scenario struct {
	name      string
	archive   *txtar.Archive
	conflicts string
	has       []string
	files     []three
	want      map[string]string
}

func readScenario(t *testing.T, file string) scenario {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := scenario{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), archive: a, want: map[string]string{}}
	for _, l := range strings.Split(string(a.Comment), "\n") {
		if v, ok := strings.CutPrefix(l, "conflicts: "); ok {
			s.conflicts = v
		}
		if v, ok := strings.CutPrefix(l, "has: "); ok {
			s.has = append(s.has, v)
		}
	}
	versions := map[string]map[string][]byte{"base": {}, "mine": {}, "theirs": {}}
	names := map[string]bool{}
	for _, f := range a.Files {
		kind, name, _ := strings.Cut(f.Name, "/")
		content := bytes.ReplaceAll(f.Data, []byte("<CR>"), []byte("\r"))
		if kind == "want" {
			s.want[name] = string(content)
			continue
		}
		versions[kind][name] = content
		names[name] = true
	}
	for name := range names {
		f := three{path: name, base: versions["base"][name]}
		for kind, to := range map[string]*[]byte{"mine": &f.mine, "theirs": &f.theirs} {
			switch content, there := versions[kind][name]; {
			case string(content) == "<GONE>\n":
			case there:
				*to = content
			default:
				*to = f.base
			}
		}
		s.files = append(s.files, f)
	}
	slices.SortFunc(s.files, func(a, b three) int { return strings.Compare(a.path, b.path) })
	return s
}

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) < 14 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	module := t.TempDir()
	put(t, module, "go.mod", "module scenarios\n\ngo 1.26\n")
	hunks := 0
	for _, file := range files {
		s := readScenario(t, file)
		t.Run(s.name, func(t *testing.T) {
			out, err := mergeGroup(s.files, testLabels, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, all, n := map[string]string{}, "", 0
			for _, r := range out {
				n += len(r.hunks)
				if r.content != nil {
					got[r.path] = string(r.content)
					all += string(r.content)
				}
				for _, note := range r.notes {
					all += "note: " + note + "\n"
				}
				for _, h := range r.hunks {
					all += "note: " + h.Why + "\n"
				}
				if len(r.hunks) == 0 && path.Ext(r.path) == ".go" && r.content != nil && !bytes.Contains(r.content, []byte("\r")) {
					put(t, module, "s"+s.name+"/"+r.path, string(r.content))
				}
			}
			if s.name < "15" {
				hunks += n
			}
			if fmt.Sprint(n) != s.conflicts {
				t.Errorf("%d conflicts, want %s", n, s.conflicts)
			}
			for _, h := range s.has {
				if !strings.Contains(all, h) {
					t.Errorf("%q is not in the result", h)
				}
			}
			if *update {
				s.archive.Files = slices.DeleteFunc(s.archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
				for _, r := range out {
					if r.content != nil {
						s.archive.Files = append(s.archive.Files, txtar.File{Name: "want/" + r.path, Data: bytes.ReplaceAll(r.content, []byte("\r"), []byte("<CR>"))})
					}
				}
				if err := os.WriteFile(file, txtar.Format(s.archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for name, want := range s.want {
				if got[name] != want {
					t.Errorf("%s:\n%s\nwant:\n%s", name, got[name], want)
				}
			}
			if len(got) != len(s.want) {
				t.Errorf("%d files, want %d", len(got), len(s.want))
			}
			if n > 0 {
				return
			}
			// Again: the base is the new version now, and nothing is left to do.
			var again []three
			for _, f := range s.files {
				next := three{path: f.path, base: f.theirs, theirs: f.theirs}
				if content, there := got[f.path]; there {
					next.mine = []byte(content)
				}
				again = append(again, next)
			}
			out, err = mergeGroup(again, testLabels, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range out {
				if content := got[r.path]; string(r.content) != content || len(r.hunks) > 0 {
					t.Errorf("the second time %s becomes\n%s", r.path, r.content)
				}
			}
		})
	}
	if hunks > 1 {
		t.Errorf("%d conflicts in the scenarios of the study, want the true one only", hunks)
	}
	cmd := exec.Command("go", "vet", "./...")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the results do not build: %v\n%s", err, out)
	}
}
