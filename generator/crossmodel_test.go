package generator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// severalModels is a project with people of two kinds and machines: all plugins for one, some of them with other options for
// the next, and the third has no sessions at all.
func severalModels(t *testing.T, name string) set {
	t.Helper()
	var admin []plugin.Selection
	for _, arg := range []string{"password", "mfa:strict", "lockout:max_attempts=3", "remember_me", "magic_link", "password_reset", "token_auth"} {
		sel, err := plugin.ParseArg(arg)
		if err != nil {
			t.Fatal(err)
		}
		admin = append(admin, sel)
	}
	return set{name: name, models: []wanted{
		{"User", selection(allTogether(library(t))...)}, {"Admin", admin}, {"ApiClient", selection("api_tokens")},
	}}
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (custos_[a-z_]+) `)

// crossModel is an overlay that adds the tests of testdata/crossmodel to such a project.
func (s set) crossModel(t *testing.T, dir string, e engine.Engine) string {
	t.Helper()
	var routes, tables strings.Builder
	result, err := generator.Generate(context.Background(), request(t, dir, e, wanted{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range result.Plan.Models {
		for _, r := range m.Routes() {
			fmt.Fprintf(&routes, "\t{%q, %q, %q, %q},\n", m.Name, r.Method, r.Path, r.Require)
		}
	}
	made := tablesOf(t, dir)
	for _, table := range keys(made) {
		if table != "custos_emails" && table != "custos_passwords" && strings.Contains(made[table], "authenticatable_type") {
			fmt.Fprintf(&tables, "%q, ", table)
		}
	}
	names, err := filepath.Glob(filepath.Join(root(t), "testdata", "crossmodel", "*.go.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	fill := strings.NewReplacer("AUTH", module+"/"+project.DefaultPackage, "ROUTES", routes.String(), "TABLES", tables.String())
	work, replace := t.TempDir(), map[string]string{}
	pkg := filepath.Join(dir, filepath.FromSlash(project.DefaultPackage), "crossmodel")
	if err := os.MkdirAll(pkg, 0o755); err != nil { // tests run in the folder of their package
		t.Fatal(err)
	}
	for _, name := range names {
		file := strings.TrimSuffix(filepath.Base(name), ".txt")
		written := filepath.Join(work, file)
		if err := os.WriteFile(written, []byte(fill.Replace(string(read(t, name)))), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(pkg, file)] = written
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(name, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// tablesOf finds the tables of the plugins in a project's migrations, each with the migration's text. None is made twice.
func tablesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	tables := map[string]string{}
	for name, content := range ledger(snapshot(t, dir)) {
		for _, found := range createTable.FindAllStringSubmatch(string(content), -1) {
			if tables[found[1]] != "" {
				t.Errorf("%s makes %s again", name, found[1])
			}
			tables[found[1]] = string(content)
		}
	}
	return tables
}

// Several models share tables and nothing else: testdata/crossmodel has the tests.
func TestModelsAreApart(t *testing.T) {
	t.Parallel()
	s := severalModels(t, "models")
	for _, e := range engine.All() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			requireDatabase(t, e)
			dir := s.project(t, e)
			out, err := command(t, dir, "go", "test", "-overlay="+s.crossModel(t, dir, e), "./"+project.DefaultPackage+"/crossmodel")
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// Each of these mixes two models up, and is noticed.
func TestModelsThatMixAreNoticed(t *testing.T) {
	t.Parallel()
	e := engine.Default()
	s := severalModels(t, "models-mixed")
	dir := s.project(t, e)
	overlay := s.crossModel(t, dir, e)
	for _, m := range []mutant{
		{name: "a session is found whatever model it is of", in: "authdb/admin_sessions.sql.go", after: "const findAdminBySession", from: "t.authenticatable_type = 'Admin'", to: "1 = 1"},
		{name: "so is an API token", in: "authdb/user_api_tokens.sql.go", after: "const findUserByAPIToken", from: "t.authenticatable_type = 'User'", to: "1 = 1"},
		{name: "attempts count for another model", in: "authdb/admin_lockouts.sql.go", after: "const countAdminAttempt", from: "'Admin', ?1", to: "'User', ?1"},
		{name: "an API token's digest does not name the model", in: "apiclient/api_tokens.go", from: `Digester(apiTokenFactor, "ApiClient")`, to: `Digester(apiTokenFactor, "User")`},
		{name: "nor does a second factor's seal", in: "admin/mfa.go", from: `seal.New(s.config.Keys, "mfa", "Admin")`, to: `seal.New(s.config.Keys, "mfa", "User")`},
		{name: "cookies have one name", in: "admin/sessions.go", from: `cookie.New(s.config.URL, "admin")`, to: `cookie.New(s.config.URL, "user")`},
	} {
		m.in = project.DefaultPackage + "/" + m.in
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			changed, content := m.apply(t, dir)
			out, err := command(t, dir, "go", "test", "-vet=off", "-failfast", "-overlay="+withFile(t, overlay, changed, content), "./"+project.DefaultPackage+"/crossmodel")
			if err == nil || !strings.Contains(out, "--- FAIL") {
				t.Errorf("nobody noticed: %v\n%s", err, out)
			}
		})
	}
}

// withFile is an overlay that replaces one more file.
func withFile(t *testing.T, overlay, name, content string) string {
	t.Helper()
	var all struct{ Replace map[string]string }
	if err := json.Unmarshal(read(t, overlay), &all); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	all.Replace[name] = filepath.Join(work, "changed.go")
	if err := os.WriteFile(all.Replace[name], []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(out, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}
