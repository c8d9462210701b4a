package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
)

func TestByName(t *testing.T) {
	for in, want := range map[string]string{
		"sqlite": "sqlite", "sqlite3": "sqlite", "SQLite": "sqlite", "postgres": "postgres", "postgresql": "postgres", "pg": "postgres", "mysql": "mysql", "mariadb": "mysql",
	} {
		if e, err := engine.ByName(in); err != nil || e.Name != want {
			t.Errorf("ByName(%q) = %q, %v", in, e.Name, err)
		}
	}
	var unknown *engine.UnknownError
	if _, err := engine.ByName("oracle"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "sqlite, postgres, mysql") {
		t.Errorf("ByName(oracle): %v", err)
	}
	for _, e := range engine.All() {
		if again, err := engine.ByName(e.Name); err != nil || again.Name != e.Name {
			t.Errorf("ByName(%q): %v", e.Name, err)
		}
	}
}

func TestDriver(t *testing.T) {
	for _, e := range engine.All() {
		first, err := e.Driver("")
		if err != nil || first.Name != e.Drivers[0].Name {
			t.Errorf("%s: the default driver is %q, %v", e.Name, first.Name, err)
		}
		for _, d := range e.Drivers {
			if got, err := e.Driver(d.Name); err != nil || got.Import != d.Import {
				t.Errorf("%s: Driver(%q) = %+v, %v", e.Name, d.Name, got, err)
			}
			if !strings.HasPrefix(d.Import, d.Module) || !strings.HasPrefix(d.Version, "v") || d.SQLPackage == "" || d.SQLName == "" {
				t.Errorf("%s: %+v", e.Name, d)
			}
		}
		var unknown *engine.UnknownError
		if _, err := e.Driver("odbc"); !errors.As(err, &unknown) {
			t.Errorf("%s: Driver(odbc): %v", e.Name, err)
		}
	}
}

// Every engine has every word, or a template would render on one and fail on another.
func TestEnginesHaveTheSameWords(t *testing.T) {
	words := []string{"id", "time", "number", "digest", "string", "owner", "text", "one", "returning", "or_keep", "in", "table", "batch", "batch_end", "for_update", "unhurried"}
	for _, e := range engine.All() {
		for _, w := range words {
			if _, err := e.Word(w); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
		}
		if _, err := e.Word("tyme"); err == nil || !strings.Contains(err.Error(), "tyme") {
			t.Errorf("%s: Word(tyme): %v", e.Name, err)
		}
		for _, k := range engine.Keys() {
			if cast, err := e.CastKey(k, "t.owner"); err != nil || !strings.Contains(cast, "t.owner") || strings.Contains(cast, "$") {
				t.Errorf("%s: CastKey(%s) = %q, %v", e.Name, k, cast, err)
			}
		}
		if _, err := e.CastKey("float", "x"); err == nil {
			t.Errorf("%s casts a float", e.Name)
		}
		if in, err := e.In("ids"); err != nil || !strings.Contains(in, "ids") || strings.Contains(in, "$") {
			t.Errorf("%s: In = %q, %v", e.Name, in, err)
		}
	}
}

func TestGoType(t *testing.T) {
	for key, want := range map[engine.Key]string{engine.BigInt: "int64", engine.UUID: "string", engine.Text: "string"} {
		if got := key.GoType(); got != want {
			t.Errorf("%s: %s", key, got)
		}
	}
}
