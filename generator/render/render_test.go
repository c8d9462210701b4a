package render_test

import (
	"errors"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
	"github.com/custos-auth/custos/generator/render"
)

// planOf plans the model ApiClient and its sister Partner with a plugin x made of these files.
func planOf(t *testing.T, eng string, files map[string]string, options map[string]string) *plan.Plan {
	t.Helper()
	m := fstest.MapFS{"core/plugin.yaml": {Data: []byte("summary: all have it.\n")}}
	for name, content := range files {
		m[path.Join("x", name)] = &fstest.MapFile{Data: []byte(content)}
	}
	if m["x/plugin.yaml"] == nil {
		m["x/plugin.yaml"] = &fstest.MapFile{Data: []byte("summary: x.\ncommands: {x: {func: xCommand, summary: s}}\noptions: {deep: {type: bool, default: \"false\", help: h}, tag: {type: word, pattern: \"[a-z]+\", help: h}}\n")}
	}
	lib, err := plugin.Load(plugin.Source{Origin: "test", FS: m})
	if err != nil {
		t.Fatal(err)
	}
	pl, err := plan.New(&project.Project{Module: "example.com/shop"}, project.Config{
		Engine: eng, Package: "internal/auth", Queries: "db/custos", Authctl: "cmd/authctl",
		Migrations: project.MigrationConfig{Dir: "db/migrations", Tool: project.Goose},
		Models: []project.ModelConfig{
			{Name: "ApiClient", Plugins: []project.PluginConfig{{Name: "x", Options: options}}},
			{Name: "Partner"},
		},
	}, lib, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pl
}

func rendered(t *testing.T, pl *plan.Plan) map[string]string {
	t.Helper()
	files, err := render.Files(pl)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range files {
		out[f.Path] = string(f.Content)
	}
	return out
}

func TestFilesGoWhereTheirPlaceSays(t *testing.T) {
	files := rendered(t, planOf(t, "sqlite", map[string]string{
		"go/auth/a.go.tmpl":               "package {{.Auth}}\n",
		"go/authdb/b.go.tmpl":             "package authdb\n",
		"go/authdbtest/c.go.tmpl":         "package authdbtest\n",
		"go/authctl/d.go.tmpl":            "package main\n",
		"go/model/e.go.tmpl":              "package {{.Model.Package}}\n",
		"go/model/MODEL_f.go.tmpl":        "package {{.Model.Package}}\n",
		"queries/MODEL_g.sql.tmpl":        "-- {{.Model.Table}}\n",
		"go/model/h.sqlite.go.tmpl":       "package {{.Model.Package}}\n",
		"go/model/i.mysql.go.tmpl":        "package {{.Model.Package}}\n",
		"go/model/j.mysql+sqlite.go.tmpl": "package {{.Model.Package}}\n",
		"mail/k.txt.tmpl":                 "k",
		"mail/k.html.tmpl":                "k",
		"go/model/texts/l.en.json.tmpl":   "{}",
		"go/auth/texts/all/m.txt.tmpl":    "m",
	}, nil))
	for _, want := range []string{
		"internal/auth/a.go", "internal/auth/authdb/b.go", "internal/auth/authdb/authdbtest/c.go", "cmd/authctl/d.go", "internal/auth/apiclient/e.go",
		"internal/auth/apiclient/api_client_f.go", "db/custos/queries/api_client_g.sql", "internal/auth/apiclient/h.go", "internal/auth/apiclient/j.go",
		"internal/auth/apiclient/mail/k.txt", "internal/auth/apiclient/mail/k.html",
		"internal/auth/apiclient/texts/l.en.json", "internal/auth/texts/all/m.txt",
	} {
		if _, ok := files[want]; !ok {
			t.Errorf("no %s", want)
		}
		delete(files, want)
	}
	for extra := range files {
		t.Errorf("also %s", extra)
	}
}

// What custos fills in is between other braces than what the running program fills in.
// What each plugin says about security is one file, core's part first.
func TestSecurityNotesAreOneFile(t *testing.T) {
	files := rendered(t, planOf(t, "sqlite", map[string]string{"../core/SECURITY.md.tmpl": "# Of {{.App}}\n", "SECURITY.md.tmpl": "## X\n"}, nil))
	if got := files["internal/auth/SECURITY.md"]; got != "# Of shop\n\n## X\n" {
		t.Errorf("%q in %v", got, files)
	}
}

func TestMailIsATemplateTwice(t *testing.T) {
	pl := planOf(t, "sqlite", map[string]string{"mail/MODEL_hello.txt.tmpl": "Dear [[.Model.Words]] {{.Name | shout}}, [[.App]] says: {{if .Late}}[0]{{end}}\n"}, nil)
	files, err := render.Files(pl)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	want := plan.File{Path: "internal/auth/apiclient/mail/api_client_hello.txt", Owner: plan.User, Origin: "x", Content: []byte("Dear API client {{.Name | shout}}, shop says: {{if .Late}}[0]{{end}}\n")}
	if got := files[0]; got.Path != want.Path || got.Owner != want.Owner || got.Origin != want.Origin || string(got.Content) != string(want.Content) {
		t.Errorf("%+v: %s", got, got.Content)
	}
}

func TestEngineOverlay(t *testing.T) {
	files := map[string]string{
		"queries/MODEL.sql.tmpl":       "{{block \"insert\" .}}INSERT one{{end}} -- {{.Model.Table}}\n",
		"queries/MODEL.mysql.sql.tmpl": "{{define \"insert\"}}INSERT other{{end}}",
	}
	for eng, want := range map[string]string{"sqlite": "INSERT one -- api_clients\n", "postgres": "INSERT one -- api_clients\n", "mysql": "INSERT other -- api_clients\n"} {
		if got := rendered(t, planOf(t, eng, files, nil))["db/custos/queries/api_client.sql"]; got != want {
			t.Errorf("%s: %q, want %q", eng, got, want)
		}
	}
	for overlay, want := range map[string]string{"{{define \"inserts\"}}x{{end}}": "no block", "{{define \"insert\"}} {{end}}": "blank"} {
		files["queries/MODEL.mysql.sql.tmpl"] = overlay
		if _, err := render.Files(planOf(t, "mysql", files, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", overlay, err, want)
		}
	}
}

func TestFaultsNameTheTemplate(t *testing.T) {
	for _, c := range []struct{ file, text, want string }{
		{"go/auth/a.go.tmpl", "package {{.Auth", "unclosed action"},
		{"go/auth/a.go.tmpl", "package {{.Nothing}}", "Nothing"},
		{"go/auth/a.go.tmpl", "package a\nfunc {", "not Go"},
		{"go/auth/a.go.tmpl", "package a // {{type \"tyme\"}}", "tyme"},
		{"go/model/a.go.tmpl", "package a // {{.Has \"deeep\"}}", `no option "deeep"`},
		{"go/elsewhere/a.go.tmpl", "package a", "unknown folder go/elsewhere"},
		{"go/model/deep/a.go.tmpl", "package a", "go/model/deep/a.go: a folder in a package's folder has no Go"},
		{"queries/a.sql.tmpl", "{{printenv}}", "printenv"},
		{"mail/a.txt.tmpl", "[[.Nothing]]", "Nothing"},
		{"mail/a.html.tmpl", "{{if .Name}}", "what comes out is no template"},
		{"mail/a.md.tmpl", "a", "mail/a.md is no mail; known: mail/NAME.txt.tmpl, mail/NAME.html.tmpl"},
		{"mail/en/a.txt.tmpl", "a", "is no mail"},
	} {
		_, err := render.Files(planOf(t, "sqlite", map[string]string{c.file: c.text}, nil))
		var fault *render.Error
		if !errors.As(err, &fault) || fault.Plugin != "x" || fault.Template != c.file || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestMigrations(t *testing.T) {
	files := map[string]string{
		"migrations/create_xs.up.sql.tmpl":               "CREATE TABLE xs (id {{type \"id\"}});\n",
		"migrations/create_xs.down.sql.tmpl":             "DROP TABLE xs;\n",
		"migrations/option.deep/deepen_xs.up.sql.tmpl":   "UP\n",
		"migrations/option.deep/deepen_xs.down.sql.tmpl": "DOWN\n",
		"migrations/option.tag/tag_xs.up.sql.tmpl":       "UP\n",
		"migrations/option.tag/tag_xs.down.sql.tmpl":     "DOWN\n",
		"migrations/table/create_TABLE.up.sql.tmpl":      "CREATE TABLE {{.Model.Table}};\n",
		"migrations/table/create_TABLE.down.sql.tmpl":    "DROP TABLE {{.Model.Table}};\n",
	}
	ids := func(options map[string]string) string {
		ms, err := render.Migrations(planOf(t, "sqlite", files, options))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range ms {
			if m.Up == "" || m.Down == "" || m.Origin != "x" || strings.Contains(m.Name, "TABLE") {
				t.Errorf("%+v", m)
			}
			out = append(out, m.ID)
		}
		return strings.Join(out, " ")
	}
	if got, want := ids(nil), "x.create_xs "+plan.LedgerID("ApiClient")+" "+plan.LedgerID("Partner"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := ids(map[string]string{"deep": "true"}); !strings.Contains(got, "x.deepen_xs") || strings.Contains(got, "x.tag_xs") {
		t.Errorf("with deep: %s", got)
	}
	if got := ids(map[string]string{"tag": "a"}); strings.Contains(got, "x.deepen_xs") || !strings.Contains(got, "x.tag_xs") {
		t.Errorf("with tag: %s", got)
	}
	delete(files, "migrations/create_xs.down.sql.tmpl")
	if _, err := render.Migrations(planOf(t, "sqlite", files, nil)); err == nil || !strings.Contains(err.Error(), "create_xs.down.sql.tmpl") {
		t.Errorf("without a down: %v", err)
	}
	for name, want := range map[string]string{"migrations/option.wide/a": `no option "wide"`, "migrations/later/a": `unknown folder "later"`} {
		if _, err := render.Migrations(planOf(t, "sqlite", map[string]string{name + ".up.sql.tmpl": "x", name + ".down.sql.tmpl": "x"}, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// The words are the engine's, and every engine has those that templates use.
func TestWords(t *testing.T) {
	for _, e := range engine.All() {
		want, err := e.Word("time")
		if err != nil {
			t.Fatal(err)
		}
		got := rendered(t, planOf(t, e.Name, map[string]string{"queries/w.sql.tmpl": `{{type "time"}}`}, nil))["db/custos/queries/w.sql"]
		if got != want {
			t.Errorf("%s: %q, want %q", e.Name, got, want)
		}
	}
}

// What this custos wrote last is not formatted again; all else is.
func TestWhatWasWrittenIsNotFormatted(t *testing.T) {
	const name, raw, clean = "internal/auth/a.go", "package auth\n\nvar  A = 1\n", "package auth\n\nvar A = 1\n"
	for why, c := range map[string]struct {
		lock project.Lock
		want string
	}{
		"no lock":         {project.Lock{}, clean},
		"as it was":       {project.Lock{Generator: "v1", Entries: []project.Entry{{Path: name, Hash: project.Hash([]byte(raw))}}}, raw},
		"another version": {project.Lock{Generator: "v0", Entries: []project.Entry{{Path: name, Hash: project.Hash([]byte(raw))}}}, clean},
		"other bytes":     {project.Lock{Generator: "v1", Entries: []project.Entry{{Path: name, Hash: project.Hash([]byte(clean))}}}, clean},
		"another file":    {project.Lock{Generator: "v1", Entries: []project.Entry{{Path: "b.go", Hash: project.Hash([]byte(raw))}}}, clean},
	} {
		pl := planOf(t, "sqlite", map[string]string{"go/auth/a.go.tmpl": raw}, nil)
		pl.Trust(c.lock, "v1")
		if got := rendered(t, pl)[name]; got != c.want {
			t.Errorf("%s: %q, want %q", why, got, c.want)
		}
	}
}
