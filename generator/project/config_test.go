package project_test

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/project"
)

const sample = `# custos: what you asked for. Edit it, then run ` + "`custos upgrade`" + `.
# yaml-language-server: $schema=.custos/custos.schema.json
version: 1
engine: sqlite            # sqlite, postgres, mysql
driver: modernc
package: internal/auth    # the shared package; each model's package lives below it
queries: db/custos        # custos' own sqlc.yaml and queries
authctl: cmd/authctl      # administration from the shell
migrations:
  dir: db/migrations
  tool: goose             # goose, golang-migrate, dbmate, plain
  numbering: sequential   # sequential, timestamp
models:
  ApiClient:
    table: api_clients
    key: bigint           # bigint, uuid, text
    path: /api_clients    # where its routes are mounted
    plugins:
      api_tokens:
        default_expiry: 90d
        scopes: true
`

func sampleConfig() project.Config {
	return project.Config{
		Engine: "sqlite", Driver: "modernc", Package: "internal/auth", Queries: "db/custos", Authctl: "cmd/authctl",
		Migrations: project.MigrationConfig{Dir: "db/migrations", Tool: "goose", Numbering: "sequential"},
		Models: []project.ModelConfig{{
			Name: "ApiClient", Table: "api_clients", Key: engine.BigInt, Path: "/api_clients",
			Plugins: []project.PluginConfig{{Name: "api_tokens", Options: map[string]string{"default_expiry": "90d", "scopes": "true"}}},
		}},
	}
}

func TestRenderConfig(t *testing.T) {
	if got := string(project.RenderConfig(sampleConfig())); got != sample {
		t.Errorf("got:\n%s", got)
	}
	c, err := project.ParseConfig([]byte(sample))
	if err != nil || !reflect.DeepEqual(c, sampleConfig()) {
		t.Errorf("got %+v, %v", c, err)
	}
	if got := string(project.RenderConfig(project.Config{})); !strings.HasSuffix(got, "version: 1\nmodels: {}\n") {
		t.Errorf("got:\n%s", got)
	}
}

func TestParseConfigFaults(t *testing.T) {
	for _, c := range []struct{ text, fault string }{
		{"", "custos.yaml:1:1: the file is empty"},
		{"# only\n", "the file is empty"},
		{"[]", "custos.yaml:1:1: a list"},
		{"x", "custos.yaml:1:1: the file must hold"},
		{"engine: sqlite", `custos.yaml:1:1: the key "version" is missing`},
		{"version: 2", "custos.yaml:1:10: version 2 was written by a newer custos"},
		{"version: x", `custos.yaml:1:10: unknown version "x"; write version: 1`},
		{"version: 1\nengin: x", `custos.yaml:2:1: unknown key "engin"; did you mean "engine"?`},
		{"version: 1\nzzzzzzzz: x", `unknown key "zzzzzzzz"; known: version, engine`},
		{"version: 1\nengine: sqlit", `custos.yaml:2:9: unknown engine "sqlit"; did you mean "sqlite"?`},
		{"version: 1\nengine:", "custos.yaml:2:1: engine has no value"},
		{"version: 1\nengine: {}", "custos.yaml:2:9: engine takes one value"},
		{"version: 1\nengine: [a]", "custos.yaml:2:9: a list"},
		{"version: 1\nengine: sqlite\ndriver: pgx", `custos.yaml:3:9: unknown sqlite driver "pgx"; known: modernc, mattn`},
		{"version: 1\npackage: ../auth", "custos.yaml:2:10: package \"../auth\": write a folder below"},
		{"version: 1\npackage: /auth", "write a folder below"},
		{"version: 1\npackage: internal/go", "cannot be the name of a Go package"},
		{"version: 1\npackage: vendor/x", "vendor"},
		{`version: 1` + "\n" + `package: internal\auth`, "forward slashes"},
		{"version: 1\nqueries: .git/hooks", ".git has another use"},
		{"version: 1\nqueries: db/x\nmigrations: {dir: db/x}", "cannot share"},
		{"version: 1\nmigrations: x", "custos.yaml:2:13: migrations holds keys"},
		{"version: 1\nmigrations: {tol: goose}", `unknown key "migrations.tol"; did you mean "migrations.tool"?`},
		{"version: 1\nmodels:\n  A:\n    table: Users", "custos.yaml:4:12: table \"Users\""},
		{"version: 1\nmodels:\n  A:\n    key: int", "custos.yaml:4:10: unknown type of a table's key: \"int\"; known: bigint, uuid, text"},
		{"version: 1\nmodels:\n  A:\n    path: users", "custos.yaml:4:11: path"},
		{"version: 1\nmodels:\n  A:\n    path: /{id}", "a route begins with a slash"},
		{"version: 1\nmodels:\n  A: {}\n  A: {}", "custos.yaml:4:3: models.A is there twice, first on line 3"},
		{"version: 1\nmodels:\n  A:\n    plugins:\n      p: {o: {}}", "custos.yaml:5:14: o takes one value"},
		{"version: 1\nmodels:\n  A:\n    plugins:\n      p:\n        o:", "custos.yaml:6:9: o has no value"},
		{"version: 1\nmodels:\n  A:\n    plugins:\n      p:\n        o: |\n          x\n", "one line"},
		{"version: &a 1", "anchors"},
		{"version: 1\nengine: *a", "not valid YAML"},
		{"version: !!str 1", "tags"},
		{"version: 1\n---\nversion: 1", "a second YAML document"},
		{"version: 1\n\tx: y", "not valid YAML"},
		{"version: 1\rengine: sqlite", "U+000D"},
		{"version: \xff", "UTF-8"},
		{"version: 1\n<<<<<<< a\n", "custos.yaml:2:1: git left a conflict here"},
		{"? version\n: 1\n", "write key: value"},
	} {
		_, err := project.ParseConfig([]byte(c.text))
		var pos *project.PosError
		if err == nil || !strings.Contains(err.Error(), c.fault) || !errors.As(err, &pos) {
			t.Errorf("%q: error is %v, want %q", c.text, err, c.fault)
		}
	}
	_, err := project.ParseConfig([]byte("version: 1\nengin: x\ndrive: y\n"))
	if err == nil || strings.Count(err.Error(), "custos.yaml:") != 2 {
		t.Errorf("not every fault is reported: %v", err)
	}
}

func TestUpdateConfig(t *testing.T) {
	type C = project.Config
	model := func(c *C, name string) *project.ModelConfig {
		for i := range c.Models {
			if c.Models[i].Name == name {
				return &c.Models[i]
			}
		}
		t.Fatalf("no model %s", name)
		return nil
	}
	plugin := func(name string, kv ...string) project.PluginConfig {
		p := project.PluginConfig{Name: name, Options: map[string]string{}}
		for i := 0; i < len(kv); i += 2 {
			p.Options[kv[i]] = kv[i+1]
		}
		return p
	}
	addModel := func(c *C) {
		c.Models = append(c.Models, project.ModelConfig{Name: "User", Key: engine.UUID, Plugins: []project.PluginConfig{plugin("api_tokens"), plugin("lockout", "max", "5")}})
	}
	addPlugin := func(c *C) {
		m := model(c, "ApiClient")
		m.Plugins = append(m.Plugins, plugin("lockout", "window", "a b"))
	}
	option := func(k, v string) func(*C) {
		return func(c *C) { model(c, "ApiClient").Plugins[0].Options[k] = v }
	}
	noOptions := func(c *C) { clear(model(c, "ApiClient").Plugins[0].Options) }
	noPlugins := func(c *C) { model(c, "ApiClient").Plugins = nil }
	noModels := func(c *C) { c.Models = nil }
	swap := func(c *C) { model(c, "ApiClient").Plugins = []project.PluginConfig{plugin("lockout")} }
	key := func(c *C) { model(c, "ApiClient").Key = engine.Text }
	const head = "version: 1\n"
	const block = head + "models:\n  # mine\n  ApiClient: # c1\n\n    plugins:   # c2\n      api_tokens:  # c3\n        # why\n        expiry: '90d'   # c4\n  # end\n\n# tail"
	for name, c := range map[string]struct {
		old    string
		change func(*C)
		want   string
	}{
		"nothing":           {block, func(*C) {}, block},
		"add model":         {block, addModel, strings.Replace(block, "c4\n", "c4\n  User:\n    key: uuid\n    plugins:\n      api_tokens: {}\n      lockout:\n        max: 5\n", 1)},
		"add plugin":        {block, addPlugin, strings.Replace(block, "c4\n", "c4\n      lockout:\n        window: \"a b\"\n", 1)},
		"add option":        {block, option("scopes", "true"), strings.Replace(block, "c4\n", "c4\n        scopes: true\n", 1)},
		"change option":     {block, option("expiry", "1 d"), strings.Replace(block, "'90d'", `"1 d"`, 1)},
		"no options":        {block, noOptions, strings.Replace(block, "api_tokens:  # c3\n        # why\n        expiry: '90d'   # c4\n", "api_tokens: {}  # c3\n        # why\n", 1)},
		"no plugins":        {block, noPlugins, strings.Replace(block, "plugins:   # c2\n      api_tokens:  # c3\n        # why\n        expiry: '90d'   # c4\n", "plugins: {}   # c2\n", 1)},
		"no models":         {block, noModels, head + "models: {}\n  # mine\n  # end\n\n# tail"},
		"swap plugins":      {block, swap, strings.Replace(block, "api_tokens:  # c3\n        # why\n        expiry: '90d'   # c4\n", "lockout: {}\n", 1)},
		"add key":           {block, key, strings.Replace(block, "    plugins", "    key: text\n    plugins", 1)},
		"crlf":              {strings.ReplaceAll(block, "\n", "\r\n"), addPlugin, strings.ReplaceAll(strings.Replace(block, "c4\n", "c4\n      lockout:\n        window: \"a b\"\n", 1), "\n", "\r\n")},
		"bom":               {"\ufeff" + head, addModel, "\ufeff" + head + "models:\n  User:\n    key: uuid\n    plugins:\n      api_tokens: {}\n      lockout:\n        max: 5\n"},
		"no newline":        {"version: 1", func(c *C) { c.Engine = "mysql" }, "version: 1\nengine: mysql"},
		"empty models":      {head + "models: {} # none\n# x\n", func(c *C) { c.Models = []project.ModelConfig{{Name: "A"}} }, head + "models: # none\n  A:\n    plugins: {}\n# x\n"},
		"null models":       {head + "models:", func(c *C) { c.Models = []project.ModelConfig{{Name: "A"}} }, head + "models:\n  A:\n    plugins: {}"},
		"flow":              {head + "models: {ApiClient: {plugins: {api_tokens: {a: \"1\"}}}}\n", addPlugin, head + "models: {ApiClient: {plugins: {api_tokens: {a: \"1\"}, lockout: {window: \"a b\"}}}}\n"},
		"flow option":       {head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1, b: 2} # x\n", option("b", "3"), head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1, b: 3} # x\n"},
		"flow remove":       {head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1, b: 2} # x\n", func(c *C) { delete(model(c, "ApiClient").Plugins[0].Options, "b") }, head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1} # x\n"},
		"flow remove first": {head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1, b: 2,}\n", func(c *C) { delete(model(c, "ApiClient").Plugins[0].Options, "a") }, head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {b: 2,}\n"},
		"flow remove all":   {head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {a: 1, b: 2,}\n", noOptions, head + "models:\n  ApiClient:\n    plugins:\n      api_tokens: {}\n"},
		"engine":            {head + "engine: sqlite   # e\nmodels: {}\n", func(c *C) { c.Engine, c.Driver = "mysql", "mysql" }, head + "engine: mysql   # e\ndriver: mysql\nmodels: {}\n"},
		"defaults":          {head, func(c *C) { c.Package, c.Queries, c.Authctl = "internal/auth", "db/custos", "cmd/authctl" }, head},
		"migrations":        {head + "models: {}\n", func(c *C) { c.Migrations = project.MigrationConfig{Dir: "m", Tool: "goose", Numbering: "timestamp"} }, head + "migrations:\n  dir: m\n  tool: goose\n  numbering: timestamp\nmodels: {}\n"},
		"wide indent":       {head + "models:\n    ApiClient:\n        plugins: {}\n", addPlugin, head + "models:\n    ApiClient:\n        plugins:\n            lockout:\n                window: \"a b\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			want, err := project.ParseConfig([]byte(c.old))
			if err != nil {
				t.Fatal(err)
			}
			c.change(&want)
			got, err := project.UpdateConfig([]byte(c.old), want)
			if err != nil || string(got) != c.want {
				t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, got, c.want)
			}
			again, err := project.UpdateConfig(got, want)
			if err != nil || string(again) != string(got) {
				t.Errorf("a second update is not the same: %v\n%s", err, again)
			}
		})
	}
}

func TestUpdateConfigByHand(t *testing.T) {
	c := sampleConfig()
	c.Driver = "pgx" // does not speak to sqlite: what is written could not be read
	_, err := project.UpdateConfig([]byte(sample), c)
	if err == nil || !strings.Contains(err.Error(), "edit it by hand so that it says:\n\n# custos") {
		t.Errorf("got %v", err)
	}
	if _, err := project.UpdateConfig(nil, c); err == nil {
		t.Error("an empty file was updated")
	}
}

// TestSchema keeps the JSON Schema and the parser at one mind.
func TestSchema(t *testing.T) {
	type object struct {
		Properties           map[string]json.RawMessage
		AdditionalProperties json.RawMessage
		Enum                 []string
	}
	read := func(b []byte) object {
		var o object
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	same := func(what string, got []string, message string) {
		_, err := project.ParseConfig([]byte(message))
		if err == nil {
			t.Fatalf("%s: no error", what)
		}
		_, known, _ := strings.Cut(err.Error(), "known: ")
		want := strings.Split(known, ", ")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has %v, the parser %v", what, got, want)
		}
	}
	names := func(o object) []string { return slices.Collect(maps.Keys(o.Properties)) }
	root := read(project.Schema())
	migrations := read(root.Properties["migrations"])
	model := read(read(root.Properties["models"]).AdditionalProperties)
	same("root", names(root), "version: 1\nqqqqqqqqqq: x")
	same("migrations", names(migrations), "version: 1\nmigrations: {qqqqqqqqqq: x}")
	same("model", names(model), "version: 1\nmodels: {A: {qqqqqqqqqq: x}}")
	same("engine", read(root.Properties["engine"]).Enum, "version: 1\nengine: qqqqqqqqqq")
	same("tool", read(migrations.Properties["tool"]).Enum, "version: 1\nmigrations: {tool: qqqqqqqqqqqq}")
	same("numbering", read(migrations.Properties["numbering"]).Enum, "version: 1\nmigrations: {numbering: qqqqqqqqqqqq}")
	same("key", read(model.Properties["key"]).Enum, "version: 1\nmodels: {A: {key: qqqqqqqqqq}}")
	var drivers []string
	for _, e := range engine.All() {
		for _, d := range e.Drivers {
			drivers = append(drivers, d.Name)
		}
	}
	if got := read(root.Properties["driver"]).Enum; !slices.Equal(got, drivers) {
		t.Errorf("driver: the schema has %v, the engines %v", got, drivers)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("version: 1\nmodels: {A: {plugins: {p: {o: 'it''s', \"q\\n\": \"\\u2028\"}, q}}}\n"))
	f.Add([]byte("\ufeffversion: 1\r\nmodels:\r\n  A:\r\n    plugins:\r\n      p: ~\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := project.ParseConfig(data)
		if err != nil {
			return
		}
		text := project.RenderConfig(c)
		again, err := project.ParseConfig(text)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("%q\nis %+v\nwritten as\n%s\nis %+v, %v", data, c, text, again, err)
		}
		same, err := project.UpdateConfig(data, c)
		if err != nil || string(same) != string(data) {
			t.Fatalf("%q became %q: %v", data, same, err)
		}
	})
}

func FuzzUpdateConfig(f *testing.F) {
	f.Add([]byte(sample), []byte("version: 1\nengine: mysql\nmodels: {B: {table: b, plugins: {q: {x: y}}}}"))
	f.Add([]byte("version: 1\nmodels: {A: {plugins: {p: {a: 1, b: 2,}, q: }}} # x"), []byte(sample))
	f.Add([]byte("version: 1\nmodels:\n  ApiClient: { # x\n  key: text }"), []byte(sample))
	f.Fuzz(func(t *testing.T, old, wanted []byte) {
		if _, err := project.ParseConfig(old); err != nil {
			return
		}
		want, err := project.ParseConfig(wanted)
		if err != nil {
			return
		}
		got, err := project.UpdateConfig(old, want)
		if err != nil {
			if !strings.Contains(err.Error(), "edit it by hand") {
				t.Fatalf("%q: %v", old, err)
			}
			return
		}
		have, err := project.ParseConfig(got)
		if err != nil || len(have.Models) != len(want.Models) {
			t.Fatalf("%q to %q became %q: %v", old, wanted, got, err)
		}
		for _, m := range want.Models {
			h, ok := have.Model(m.Name)
			slices.SortFunc(h.Plugins, byName)
			slices.SortFunc(m.Plugins, byName)
			if !ok || !reflect.DeepEqual(h, m) {
				t.Fatalf("%q to %q became %q: %+v", old, wanted, got, h)
			}
		}
	})
}

func byName(a, b project.PluginConfig) int { return strings.Compare(a.Name, b.Name) }
