package plan_test

import (
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"

	"testing/fstest"
)

func TestLocal(t *testing.T) {
	for in, want := range map[string]bool{
		"a": true, "a/b.go": true, ".custos/base/x": true, "a..b": true, "...": true,
		"": false, ".": false, "..": false, "/a": false, "a/": false, "a//b": false, "./a": false, "a/../b": false, "../a": false, "a/..": false,
		"a\\b": false, "C:a": false, "a\x00b": false,
	} {
		if got := plan.Local(in); got != want {
			t.Errorf("Local(%q) = %v", in, got)
		}
	}
}

func FuzzLocal(f *testing.F) {
	for _, s := range []string{"a/b", "../a", "a/../b", "/", "a//b", "C:\\x", "a/.", "\x00", "..../x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if !plan.Local(p) {
			return
		}
		if path.Clean(p) != p || path.IsAbs(p) || !filepath.IsLocal(filepath.FromSlash(p)) {
			t.Errorf("%q is not clean and below the root", p)
		}
		if joined := path.Join("/root", p); !strings.HasPrefix(joined, "/root/") {
			t.Errorf("%q leads to %s", p, joined)
		}
	})
}

func TestCheck(t *testing.T) {
	file := func(name, origin string) plan.File { return plan.File{Path: name, Origin: origin} }
	files := []plan.File{file("b", "x"), file("a", "y")}
	if err := plan.Check(files); err != nil || files[0].Path != "a" {
		t.Errorf("%v, %v", files, err)
	}
	var collision *plan.CollisionError
	for _, name := range []string{"a/b.go", "A/B.go"} {
		if err := plan.Check([]plan.File{file("a/b.go", "x"), file(name, "y")}); !errors.As(err, &collision) || !strings.Contains(err.Error(), "x and y") && !strings.Contains(err.Error(), "y and x") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var escape *plan.PathError
	if err := plan.Check([]plan.File{file("../a", "x")}); !errors.As(err, &escape) || escape.Origin != "x" {
		t.Errorf("%v", err)
	}
}

func TestWrites(t *testing.T) {
	for op, want := range map[plan.Op]bool{plan.Create: true, plan.Replace: true, plan.Delete: true, plan.Merge: true, plan.Conflict: true, plan.Same: false, plan.Keep: false} {
		if got := (plan.Change{Op: op}).Writes(); got != want {
			t.Errorf("%s writes: %v", op, got)
		}
	}
}

func library(t *testing.T, files map[string]string) *plugin.Library {
	t.Helper()
	m := fstest.MapFS{"core/plugin.yaml": {Data: []byte("summary: all have it.\n")}}
	for name, content := range files {
		m[name] = &fstest.MapFile{Data: []byte(content)}
	}
	lib, err := plugin.Load(plugin.Source{Origin: "test", FS: m})
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func TestNew(t *testing.T) {
	lib := library(t, map[string]string{
		"doors/plugin.yaml": "summary: doors.\nrequires: [locks]\nroutes: [{method: GET, path: \"/doors/{id}\", handler: door, require: RequireMODEL}]\n",
		"locks/plugin.yaml": "summary: locks.\ntables: [custos_locks]\noptions: {size: {type: enum, values: [s, l], default: s, help: how large}}\n",
	})
	cfg := project.Config{Engine: "sqlite", Package: "internal/auth", Models: []project.ModelConfig{
		{Name: "Zebra", Plugins: []project.PluginConfig{{Name: "doors"}}},
		{Name: "ApiClient", Table: "consumers", Path: "/v1/consumers", Plugins: []project.PluginConfig{{Name: "locks", Options: map[string]string{"size": "l"}}}},
	}}
	pl, err := plan.New(&project.Project{Module: "example.com/shop"}, cfg, lib, nil)
	if err != nil {
		t.Fatal(err)
	}
	api, zebra := pl.Models[0], pl.Models[1]
	if api.Name != "ApiClient" || api.Table != "consumers" || api.Key != engine.BigInt || !api.Owned || api.Plugins[1].Values["size"].Text != "l" {
		t.Errorf("%+v", api)
	}
	if zebra.Path != "/zebras" || len(zebra.Plugins) != 3 || zebra.Plugins[1].Name != "locks" || zebra.Plugins[2].Name != "doors" {
		t.Errorf("%+v", zebra)
	}
	if r := zebra.Routes(); len(r) != 1 || r[0].Path != "/zebras/doors/{id}" || r[0].Require != "RequireZebra" {
		t.Errorf("routes %+v", r)
	}
	if pl.AuthDB() != "internal/auth/authdb" || pl.Import(pl.AuthDB()) != "example.com/shop/internal/auth/authdb" || pl.AuthPackage() != "auth" || len(pl.Plugins()) != 3 {
		t.Errorf("%+v", pl)
	}
	if api.Article() != "an" || zebra.Article() != "a" {
		t.Errorf("articles %s, %s", api.Article(), zebra.Article())
	}
	for words, want := range map[string]string{"user": "a", "uncle": "an", "unit": "a", "usher": "an", "admin": "an"} {
		if got := (plan.Model{Model: model.Model{Words: words}}).Article(); got != want {
			t.Errorf("%s %s", got, words)
		}
	}
}

// Where clients expect the routes, the first model has them; a later one is beside it.
func TestMounts(t *testing.T) {
	lib := library(t, map[string]string{"doors/plugin.yaml": "summary: doors.\nmounts: [{method: MountDoors, path: /doors, summary: all of them}]\n"})
	cfg := project.Config{Engine: "sqlite", Package: "internal/auth"}
	for _, c := range []struct{ model, want string }{{"Zebra", "/doors"}, {"ApiClient", "/api_client_doors"}} {
		cfg.Models = append(cfg.Models, project.ModelConfig{Name: c.model, Plugins: []project.PluginConfig{{Name: "doors"}}})
		pl, err := plan.New(&project.Project{Module: "example.com/shop"}, cfg, lib, nil)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(pl.Models, func(m plan.Model) bool { return m.Name == c.model })
		if got := pl.Mounts(pl.Models[i]); len(got) != 1 || got[0].Path != c.want || got[0].Method != "MountDoors" {
			t.Errorf("%s: %+v, want %s", c.model, got, c.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	lib := library(t, map[string]string{
		"locks/plugin.yaml": "summary: locks.\ntables: [custos_locks]\nconflicts: [keys]\n",
		"keys/plugin.yaml":  "summary: keys.\n",
		"latch/plugin.yaml": "summary: latch.\ncommands: {bolt: {func: latchCommand, summary: s}}\n",
		"bolts/plugin.yaml": "summary: bolts.\ncommands: {bolt: {func: boltMODEL, summary: s}}\n",
	})
	locks := []project.PluginConfig{{Name: "locks"}}
	bolts := []project.PluginConfig{{Name: "bolts"}}
	users := plan.Schema{{Name: "users"}, {Name: "custos_locks"}}
	for _, c := range []struct {
		name   string
		cfg    project.Config
		schema plan.Schema
		want   string
	}{
		{"an unknown engine", project.Config{Engine: "oracle"}, nil, `unknown engine "oracle"`},
		{"an unknown driver", project.Config{Engine: "mysql", Driver: "pgx"}, nil, `unknown mysql driver "pgx"`},
		{"a word with two functions", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: bolts}, {Name: "Admin", Plugins: bolts}}}, nil, "leave MODEL out"},
		{"a word of two plugins", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: bolts}, {Name: "Admin", Plugins: []project.PluginConfig{{Name: "latch"}}}}}, nil, "plugins bolts and latch both bring the word bolt"},
		{"a bad name", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "func"}}}, nil, "keyword"},
		{"an unknown plugin", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: []project.PluginConfig{{Name: "lock"}}}}}, nil, `did you mean "locks"?`},
		{"an unknown option", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: []project.PluginConfig{{Name: "keys", Options: map[string]string{"x": "1"}}}}}}, nil, `unknown option of keys "x"`},
		{"plugins that conflict", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: []project.PluginConfig{{Name: "keys"}, {Name: "locks"}}}}}, nil, "locks and keys cannot be in one model"},
		{"two models with one package", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "ApiClient"}, {Name: "APIClient", Table: "x", Path: "/x"}}}, nil, "two models share a name"},
		{"two models with one table", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User"}, {Name: "Admin", Table: "users"}}}, nil, "share the table users"},
		{"two models at one path", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User"}, {Name: "Admin", Path: "/users"}}}, nil, "both mounted at /users"},
		{"a table of a plugin's name", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Table: "custos_users"}}}, nil, "names that start with custos_"},
		{"a plugin's table that the user has", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "User", Plugins: locks}}}, users, "the table custos_locks is in your migrations"},
		{"an owned table with another key", project.Config{Engine: "sqlite", Models: []project.ModelConfig{{Name: "Admin", Key: engine.UUID}}}, nil, "custos makes tables with a bigint key"},
	} {
		if _, err := plan.New(&project.Project{Module: "m"}, c.cfg, lib, c.schema); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestSchemaFind(t *testing.T) {
	s := plan.Schema{{Name: "Users"}}
	if _, ok := s.Find("users"); !ok {
		t.Error("SQL folds case")
	}
	if _, ok := s.Find("admins"); ok {
		t.Error("found what is not there")
	}
}
