package generator_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateScenarios = flag.Bool("update-scenarios", false, "write into the tables of scenarios which tests show them")

// A protocol that others have defined comes with scenarios, each with an id. A plugin lists them in testdata/scenarios.md, in
// tables of three columns: the id, what happens, and the tests that show it, or the reason why none does. A test shows a
// scenario by carrying its id: in the comment above it, in the name of a case, anywhere within it.
func TestScenariosAreShown(t *testing.T) {
	t.Parallel()
	tables, err := filepath.Glob(filepath.Join(root(t), "templates", "*", "testdata", "scenarios.md"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, table := range tables {
		content, faults := scenarioTable(string(read(t, table)), scenarioTests(t))
		for id := range scenarioRows(content) {
			if other, there := seen[id]; there {
				t.Errorf("%s: %s is in %s, too", table, id, other)
			}
			seen[id] = table
		}
		if *updateScenarios {
			if err := os.WriteFile(table, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if content != string(read(t, table)) {
			t.Errorf("%s is out of date; type: go test ./generator -run %s -update-scenarios", table, t.Name())
		}
		for _, fault := range faults {
			t.Errorf("%s: %s", table, fault)
		}
	}
}

// scenarioRow is a row of a table: | REG-01 | title | shown by |.
var scenarioRow = regexp.MustCompile(`^\| ([A-Z]{2,5}-\d{2,3}) \| (.+) \|([^|]*)\|$`)

// scenarioTable brings the third column up to date, and lists what is wrong. shown are the tests by id.
func scenarioTable(content string, shown map[string][]string) (updated string, faults []string) {
	var out strings.Builder
	known, prefixes := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(content) {
		row := scenarioRow.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if row == nil {
			out.WriteString(line)
			continue
		}
		id, title, cell := row[1], row[2], strings.TrimSpace(row[3])
		prefix, _, _ := strings.Cut(id, "-")
		if known[id] {
			faults = append(faults, id+" is there twice")
		}
		known[id], prefixes[prefix] = true, true
		switch tests := shown[id]; {
		case len(tests) > 0:
			cell = "`" + strings.Join(tests, "`, `") + "`"
		case strings.HasPrefix(cell, "`"):
			faults, cell = append(faults, id+": no test carries it any more; write one, or the reason"), ""
		case len(strings.Fields(cell)) < 2:
			faults = append(faults, id+": no test carries it, and there is no reason")
		}
		fmt.Fprintf(&out, "| %s | %s | %s |\n", id, title, cell)
	}
	for _, id := range keys(shown) {
		if prefix, _, _ := strings.Cut(id, "-"); prefixes[prefix] && !known[id] {
			faults = append(faults, fmt.Sprintf("%s, which %s carries, is no scenario", id, strings.Join(shown[id], ", ")))
		}
	}
	return out.String(), faults
}

// scenarioRows is the ids of a table and what shows them.
func scenarioRows(content string) map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(content) {
		if row := scenarioRow.FindStringSubmatch(strings.TrimSuffix(line, "\n")); row != nil {
			rows[row[1]] = row[3]
		}
	}
	return rows
}

// scenarioTests is which tests carry which ids: those that are generated, those of the runtime, and what is run in testdata.
func scenarioTests(t *testing.T) map[string][]string {
	t.Helper()
	shown := map[string][]string{}
	for _, dir := range []string{"templates", "runtime", "testdata"} {
		files := os.DirFS(filepath.Join(root(t), dir))
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if d != nil && d.Name() == "node_modules" {
					return fs.SkipDir
				}
				return err
			}
			isGo := strings.HasSuffix(strings.TrimSuffix(name, ".tmpl"), "_test.go") || strings.HasSuffix(name, "_test.go.txt")
			if !isGo && (dir != "testdata" || !slices.Contains([]string{".cjs", ".txtar"}, path.Ext(name))) {
				return nil
			}
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			for id, tests := range carried(string(text), path.Join(dir, name), isGo) {
				for _, test := range tests {
					if !slices.Contains(shown[id], test) {
						shown[id] = append(shown[id], test)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return shown
}

var (
	scenarioID = regexp.MustCompile(`\b[A-Z]{2,5}-\d{2,3}\b`)
	testFunc   = regexp.MustCompile(`^func ((?:Test|Fuzz)\w*)\(`)
)

// carried is the ids in a file, by the tests that they are in; a file that is no Go is one test. It reads lines and not Go: a
// template is none.
func carried(text, file string, isGo bool) map[string][]string {
	out := map[string][]string{}
	add := func(ids []string, test string) {
		for _, id := range ids {
			if !slices.Contains(out[id], test) {
				out[id] = append(out[id], test)
			}
		}
	}
	if !isGo {
		add(scenarioID.FindAllString(text, -1), file)
		return out
	}
	var above []string // in the comment above what comes next
	test := ""
	for line := range strings.Lines(text) {
		ids := scenarioID.FindAllString(line, -1)
		switch found := testFunc.FindStringSubmatch(line); {
		case found != nil:
			test = found[1]
			add(append(above, ids...), test)
			above = nil
			if strings.HasSuffix(line, "}\n") {
				test = ""
			}
		case strings.HasPrefix(line, "//"):
			above = append(above, ids...)
		case test != "":
			add(ids, test)
			if strings.HasPrefix(line, "}") {
				test = ""
			}
			above = nil
		default:
			above = nil
		}
	}
	return out
}

// The table notices what is missing, wrong or out of date.
func TestScenarioTable(t *testing.T) {
	t.Parallel()
	source := "// Shown: AB-01.\n//\n// And AB-02.\nfunc TestOne(t *testing.T) {\n\tcheck(\"AB-03 twice\") // AB-03\n}\n\n// AB-04 is no test's.\nfunc helper() {\n\tuse(\"AB-05\")\n}\n\n" +
		"func FuzzTwo(f *testing.F) {\n\tuse(\"AB-01\")\n}\n// AB-04\nvar x = 1\nfunc TestThree(t *testing.T) { use(\"AB-99 UTF-16\") }\nvar y = \"AB-05\"\n"
	shown := carried(source, "x_test.go", true)
	if got := fmt.Sprint(shown); got != "map[AB-01:[TestOne FuzzTwo] AB-02:[TestOne] AB-03:[TestOne] AB-99:[TestThree] UTF-16:[TestThree]]" {
		t.Errorf("carried: %s", got)
	}
	if got := fmt.Sprint(carried("step AB-01\nstep AB-02 AB-01", "testdata/x.cjs", false)); got != "map[AB-01:[testdata/x.cjs] AB-02:[testdata/x.cjs]]" {
		t.Errorf("carried by a script: %s", got)
	}
	updated, faults := scenarioTable(`# Scenarios
| id | what | shown by |
|---|---|---|
| AB-01 | a \| b | |
| AB-02 | c | not yet: no time |
| AB-03 | d | `+"`TestOld`"+` |
| AB-04 | e | `+"`TestOld`"+` |
| AB-05 | f | later |
| AB-06 | g | about Rails' own machinery |
| AB-06 | h | about Rails' own machinery |
`, shown)
	want := `# Scenarios
| id | what | shown by |
|---|---|---|
| AB-01 | a \| b | ` + "`TestOne`, `FuzzTwo`" + ` |
| AB-02 | c | ` + "`TestOne`" + ` |
| AB-03 | d | ` + "`TestOne`" + ` |
| AB-04 | e |  |
| AB-05 | f | later |
| AB-06 | g | about Rails' own machinery |
| AB-06 | h | about Rails' own machinery |
`
	if updated != want {
		t.Errorf("updated:\n%s", updated)
	}
	if got := fmt.Sprintf("%q", faults); got != `["AB-04: no test carries it any more; write one, or the reason" "AB-05: no test carries it, and there is no reason" "AB-06 is there twice" "AB-99, which TestThree carries, is no scenario"]` {
		t.Errorf("faults: %s", got)
	}
	if again, _ := scenarioTable(updated, shown); again != updated {
		t.Errorf("again:\n%s", again)
	}
}
