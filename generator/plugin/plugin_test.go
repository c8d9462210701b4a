package plugin_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/custos-auth/custos/generator/plugin"
)

func source(origin string, files map[string]string) plugin.Source {
	m := fstest.MapFS{}
	for name, content := range files {
		m[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return plugin.Source{Origin: origin, FS: m}
}

const core = "summary: all have it.\nseams: {request: {kind: guard, method: admit, summary: asks.}, credential.created: {kind: observe, method: created, summary: tells.}}\n"

func load(t *testing.T, files map[string]string) *plugin.Library {
	t.Helper()
	lib, err := plugin.Load(source("test", files))
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func names(selected []plugin.Selected) []string {
	var out []string
	for _, s := range selected {
		out = append(out, s.Name)
	}
	return out
}

func TestResolve(t *testing.T) {
	lib := load(t, map[string]string{
		"core/plugin.yaml": core,
		"a/plugin.yaml":    "summary: a.\nrequires: [z]\n",
		"b/plugin.yaml":    "summary: b.\nconflicts: [c]\noptions: {size: {type: enum, values: [s, l], default: s, help: h}, life: {type: duration, default: 1d, help: h}, tag: {type: word, pattern: \"[a-z]{2}\", help: h}}\n",
		"c/plugin.yaml":    "summary: c.\n",
		"z/plugin.yaml":    "summary: z.\n",
	})
	if got := lib.Names(); !slices.Equal(got, []string{"a", "b", "c", "z"}) {
		t.Errorf("Names = %v", got)
	}
	got, err := lib.Resolve([]plugin.Selection{{Name: "b", Options: map[string]string{"size": "l"}}, {Name: "a"}})
	if err != nil || !slices.Equal(names(got), []string{"core", "z", "a", "b"}) {
		t.Fatalf("%v, %v", names(got), err)
	}
	if z, a, b := got[1], got[2], got[3]; z.Asked || !a.Asked || b.Values["size"].Text != "l" || b.Values["life"].Duration != 24*time.Hour {
		t.Errorf("%+v\n%+v\n%+v", z, a, b)
	}
	if _, set := got[3].Values["tag"]; set {
		t.Error("a word without a default has a value")
	}
	for _, c := range []struct {
		want string
		ask  []plugin.Selection
	}{
		{`unknown plugin "aa"; did you mean "a"?`, []plugin.Selection{{Name: "aa"}}},
		{`unknown plugin "nothing"; known: a, b, c, z`, []plugin.Selection{{Name: "nothing"}}},
		{`is always there`, []plugin.Selection{{Name: "core"}}},
		{`given twice`, []plugin.Selection{{Name: "a"}, {Name: "a"}}},
		{`cannot be in one model`, []plugin.Selection{{Name: "c"}, {Name: "b"}}},
		{`unknown option of b "sise"; did you mean "size"?`, []plugin.Selection{{Name: "b", Options: map[string]string{"sise": "l"}}}},
		{`option b:size: "xl" is not one of s, l`, []plugin.Selection{{Name: "b", Options: map[string]string{"size": "xl"}}}},
		{`option b:tag: "X" does not match`, []plugin.Selection{{Name: "b", Options: map[string]string{"tag": "X"}}}},
	} {
		if _, err := lib.Resolve(c.ask); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.ask, err, c.want)
		}
	}
}

func TestLoadPrefersTheFirstSource(t *testing.T) {
	lib, err := plugin.Load(source("mine", map[string]string{"a/plugin.yaml": "summary: mine.\n"}), source("theirs", map[string]string{"a/plugin.yaml": "nonsense", "core/plugin.yaml": core}))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := lib.Get("a"); err != nil || a.Origin != "mine" || a.Manifest.Summary != "mine." {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ want, manifest string }{
		{"no such file in test", ""},
		{"summary is missing", "requires: [core]\n"},
		{"field sumary not found", "sumary: a.\n"},
		{`unknown plugin "kore"`, "summary: a.\nrequires: [kore]\n"},
		{`the seam "requst"; did you mean "request"?`, "summary: a.\nhooks: {requst: [m]}\n"},
		{"declared by a already", "summary: a.\nseams: {request: {kind: guard, method: m, summary: s}}\n"},
		{`kind is "veto"`, "summary: a.\nseams: {x: {kind: veto, method: m, summary: s}}\n"},
		{`method "a b" is not a Go identifier`, "summary: a.\nseams: {x: {kind: guard, method: a b, summary: s}}\n"},
		{"not UPPER_SNAKE_CASE", "summary: a.\nenv: {custos_url: {development: x, summary: y}}\n"},
		{"without spaces and quotes", "summary: a.\nenv: {CUSTOS_URL: {development: \"x'; rm -rf /\", summary: y}}\n"},
		{"needs a summary", "summary: a.\nenv: {CUSTOS_URL: {development: x}}\n"},
		{"check \"check URL\" is not a Go identifier", "summary: a.\nenv: {CUSTOS_URL: {development: x, summary: y, check: check URL}}\n"},
		{"a plugin's table is named custos_", "summary: a.\ntables: [users]\n"},
		{"is named custos_", "summary: a.\ntables: [\"custos_x; DROP TABLE users\"]\n"},
		{"modules:", "summary: a.\nmodules: {example.com/x: latest}\n"},
		{`"x(); y" is not a Go identifier`, "summary: a.\nhooks: {request: [\"x(); y\"]}\n"},
		{`except "("`, "summary: a.\noptions: {x: {type: word, pattern: a, except: \"(\", help: h}}\n"},
		{"distinct and except are for the type word", "summary: a.\noptions: {x: {type: bool, default: \"true\", distinct: true, help: h}}\n"},
		{"default: word 2", "summary: a.\noptions: {x: {type: word, default: a a, pattern: a a, distinct: true, help: h}}\n"},
		{`mounts[0].routes[1]: path "x"`, "summary: a.\nmounts: [{method: M, path: /a, routes: [{method: GET}, {method: GET, path: x}]}]\n"},
		{`mounts[0].routes[0]: method "HEAD"`, "summary: a.\nmounts: [{method: M, path: /a, routes: [{method: HEAD}]}]\n"},
		{"mounts[0].routes[0]: handler: the method M has them", "summary: a.\nmounts: [{method: M, path: /a, routes: [{method: GET, handler: f}]}]\n"},
		{`mounts[0].routes[0]: require "a b" is not`, "summary: a.\nmounts: [{method: M, path: /a, routes: [{method: GET, require: a b}]}]\n"},
		{"help is missing", "summary: a.\noptions: {x: {type: bool, default: \"true\"}}\n"},
		{`type is "float"`, "summary: a.\noptions: {x: {type: float, default: \"1\", help: h}}\n"},
		{`default: "" is not a whole number`, "summary: a.\noptions: {x: {type: int, help: h}}\n"},
		{`default: "1e3" is not a whole number`, "summary: a.\noptions: {x: {type: int, default: 1e3, help: h}}\n"},
		{`default: "9" is not a whole number from 1 to 8`, "summary: a.\noptions: {x: {type: int, default: 9, min: 1, max: 8, help: h}}\n"},
		{"min 3 is more than max 2", "summary: a.\noptions: {x: {type: int, default: 3, min: 3, max: 2, help: h}}\n"},
		{"min and max are for the types int and duration", "summary: a.\noptions: {x: {type: bool, default: \"true\", min: 1, help: h}}\n"},
		{"bound \"few\" is no int", "summary: a.\noptions: {x: {type: int, default: 1, min: few, help: h}}\n"},
		{"stands for all seams", "summary: a.\nseams: {\"*\": {kind: observe, method: m, summary: s}}\n"},
		{`"check MODEL" is not a Go identifier`, "summary: a.\nhooks: {request: [check MODEL]}\n"},
		{`handler "h()" is not a Go identifier`, "summary: a.\nroutes: [{method: GET, path: /x, handler: h()}]\n"},
		{`require "Require-MODEL" is not a Go identifier`, "summary: a.\nroutes: [{method: GET, path: /x, handler: h, require: Require-MODEL}]\n"},
		{"lower_snake_case", "summary: a.\ncommands: {X: {func: f, summary: s}}\n"},
		{"default:", "summary: a.\noptions: {x: {type: duration, default: soon, help: h}}\n"},
		{"pattern", "summary: a.\noptions: {x: {type: word, pattern: \"[\", help: h}}\n"},
		{`method "FETCH"`, "summary: a.\nroutes: [{method: FETCH, path: /x, handler: h}]\n"},
		{`path "x"`, "summary: a.\nroutes: [{method: GET, path: x, handler: h}]\n"},
		{"not a Go identifier", "summary: a.\nstate: \"a b\"\n"},
		{"not a Go identifier", "summary: a.\ncommands: {x: {func: \"a()\", summary: s}}\n"},
	} {
		files := map[string]string{"core/plugin.yaml": core, "a/README.md": "a", "a/plugin.yaml": c.manifest}
		if c.manifest == "" {
			delete(files, "a/plugin.yaml")
		}
		_, err := plugin.Load(source("test", files))
		var fault *plugin.ManifestError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.manifest, err, c.want)
		}
	}
	if _, err := plugin.Load(source("test", map[string]string{"core/plugin.yaml": core, "Bad-Name/plugin.yaml": "summary: a.\n"})); err == nil || !strings.Contains(err.Error(), "lower_snake_case") {
		t.Errorf("%v", err)
	}
	circle := load(t, map[string]string{"core/plugin.yaml": core, "a/plugin.yaml": "summary: a.\nrequires: [b]\n", "b/plugin.yaml": "summary: b.\nrequires: [a]\n"})
	if _, err := circle.Resolve([]plugin.Selection{{Name: "a"}}); err == nil || !strings.Contains(err.Error(), "requires itself") {
		t.Errorf("a circle: %v", err)
	}
}

// The words of an option may have to differ, and may not have meanings of their own: names of headers.
func TestWordOption(t *testing.T) {
	names := plugin.Option{Type: "word", Pattern: "[A-Za-z-]+( [A-Za-z-]+){2}", Distinct: true, Except: "host|sec-.*"}
	for text, fault := range map[string]string{
		"a Auth c":       "",
		"ghost host-a c": "",
		"a b A":          `word 3, "A", is the same as word 1; choose another`,
		"a b b":          `word 3, "b", is the same as word 2; choose another`,
		"Host b c":       `word 1, "Host", means something already; choose another`,
		"a b Sec-Fetch":  `word 3, "Sec-Fetch", means something already; choose another`,
		"a b":            `"a b" does not match`,
	} {
		got, err := names.Parse(text)
		switch {
		case fault == "" && (err != nil || got.Text != text):
			t.Errorf("%s: %+v, %v", text, got, err)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%s: %v, want %q", text, err, fault)
		}
	}
	if _, err := (plugin.Option{Type: "word", Pattern: "a a"}).Parse("a a"); err != nil {
		t.Errorf("an option that asks for nothing refuses: %v", err)
	}
}

func TestIntOption(t *testing.T) {
	for _, c := range []struct {
		opt   plugin.Option
		text  string
		want  int64
		fault string
	}{
		{plugin.Option{Type: "int"}, "-7", -7, ""},
		{plugin.Option{Type: "int", Min: "2", Max: "9"}, "2", 2, ""},
		{plugin.Option{Type: "int", Min: "2", Max: "9"}, "9", 9, ""},
		{plugin.Option{Type: "int", Min: "2", Max: "9"}, "1", 0, `"1" is not a whole number from 2 to 9`},
		{plugin.Option{Type: "int", Min: "2", Max: "9"}, "10", 0, `"10" is not a whole number from 2 to 9`},
		{plugin.Option{Type: "int", Min: "2"}, "1", 0, `"1" is not a whole number of at least 2`},
		{plugin.Option{Type: "int", Max: "9"}, "10", 0, `"10" is not a whole number of at most 9`},
		{plugin.Option{Type: "int"}, "true", 0, `"true" is not a whole number`},
		{plugin.Option{Type: "int"}, "+5", 0, "not a whole number"},
		{plugin.Option{Type: "int"}, "05", 0, "not a whole number"},
		{plugin.Option{Type: "int"}, "5.0", 0, "not a whole number"},
		{plugin.Option{Type: "int"}, "9223372036854775808", 0, "not a whole number"},
		{plugin.Option{Type: "int"}, "", 0, "not a whole number"},
	} {
		got, err := c.opt.Parse(c.text)
		switch {
		case c.fault == "" && (err != nil || got.Int != c.want || got.Text != c.text):
			t.Errorf("%s: %+v, %v", c.text, got, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v, want %q", c.text, err, c.fault)
		}
	}
	if got := (plugin.Option{Type: "int", Min: "2", Max: "9"}).Kind(); got != "int from 2 to 9" {
		t.Errorf("Kind = %q", got)
	}
}

func TestDurationBounds(t *testing.T) {
	both := plugin.Option{Type: "duration", Min: "5m", Max: "2w"}
	for _, c := range []struct {
		opt   plugin.Option
		text  string
		fault string
	}{
		{both, "5m", ""},
		{both, "14d", ""},
		{both, "4m59s", `"4m59s" is not a duration from 5m to 2w`},
		{both, "14d1s", "is not a duration from 5m to 2w"},
		{both, "never", `"never" is not a duration from 5m to 2w`},
		{plugin.Option{Type: "duration", Min: "5m"}, "never", ""},
		{plugin.Option{Type: "duration", Min: "5m"}, "1s", "of at least 5m"},
		{plugin.Option{Type: "duration", Max: "5m"}, "1s", ""},
		{plugin.Option{Type: "duration"}, "never", ""},
	} {
		if _, err := c.opt.Parse(c.text); (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s in %+v: %v, want %q", c.text, c.opt, err, c.fault)
		}
	}
}

func TestBind(t *testing.T) {
	lib := load(t, map[string]string{
		"core/plugin.yaml": core,
		"audit/plugin.yaml": "summary: audit.\nhooks: {\"*\": [recordMODEL, count], credential.created: [count, first]}\n" +
			"seams: {audited: {kind: observe, method: audited, summary: tells.}}\n" +
			"routes: [{method: GET, path: /audit, handler: listMODELs, require: RequireMODEL}]\ncommands: {audit: {func: auditMODEL, summary: s}}\n",
		"other/plugin.yaml": "summary: other.\nseams: {unseen: {kind: observe, method: unseen, summary: tells.}}\n",
	})
	selected, err := lib.Resolve([]plugin.Selection{{Name: "audit"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{"User", "ApiClient"} {
		bound, err := plugin.Bind(selected, model)
		if err != nil {
			t.Fatal(err)
		}
		m := bound[1].Manifest
		if len(m.Hooks) != 2 || !slices.Equal(m.Hooks["credential.created"], []string{"count", "first", "record" + model}) || !slices.Equal(m.Hooks["audited"], []string{"record" + model, "count"}) {
			t.Errorf("%s: hooks %v", model, m.Hooks)
		}
		if r := m.Routes[0]; r.Handler != "list"+model+"s" || r.Require != "Require"+model || m.Commands["audit"].Func != "audit"+model {
			t.Errorf("%s: %+v", model, m)
		}
	}
	if m := selected[1].Manifest; m.Routes[0].Require != "RequireMODEL" || m.Commands["audit"].Func != "auditMODEL" || len(m.Hooks["*"]) != 2 {
		t.Errorf("what was bound changed: %+v", m)
	}
	var fault *plugin.ManifestError
	if _, err := plugin.Bind(selected, "U-ser"); !errors.As(err, &fault) || fault.Plugin != "audit" || !strings.Contains(err.Error(), `require "RequireU-ser" is not a Go identifier`) {
		t.Errorf("%v", err)
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"never": 0, "90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "36h": 36 * time.Hour, "15m": 15 * time.Minute, "30s": 30 * time.Second,
		"1d12h": 36 * time.Hour, "1w1d1h1m1s": (8*24+1)*time.Hour + time.Minute + time.Second,
	} {
		if got, err := plugin.ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "0d", "d", "90", "-1d", "+1d", "1.5d", "1 d", "90D", "1y", "9999999999d", "999999999w", "29201d", "29200d1s", "soon", "Never", "1d-1h", "٣d"} {
		if got, err := plugin.ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v", in, got)
		}
	}
}

func TestParseArg(t *testing.T) {
	s, err := plugin.ParseArg("locks:name,size=l,life=1d12h,text=a=b")
	if err != nil || s.Name != "locks" || s.Options["name"] != "true" || s.Options["size"] != "l" || s.Options["text"] != "a=b" {
		t.Errorf("%+v, %v", s, err)
	}
	if got, want := s.String(), "locks:life=1d12h,name=true,size=l,text=a=b"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	for in, want := range map[string]string{
		"": "lower_snake_case", "Locks": "lower_snake_case", "../locks": "lower_snake_case", "locks:": "at character 7", "locks:a,": "at character 9",
		"locks:a=1,a=2": "option a is given twice", "locks:=1": "at character 7", "locks:A=1": "at character 7",
	} {
		if _, err := plugin.ParseArg(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseArg(%q): %v, want %q", in, err, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"api_tokens", "password", "remember_me"}
	for in, want := range map[string]string{"api_token": "api_tokens", "apitokens": "api_tokens", "api-tokens": "api_tokens", "APITokens": "api_tokens", "passwrd": "password", "magic": "", "": ""} {
		if got := plugin.Nearest(in, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseArg(f *testing.F) {
	for _, s := range []string{"a", "a:b", "a:b=c,d", "a:b==", "a:b=\n", "a::", "a:b=c,b=d", "locks:life=never"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		s, err := plugin.ParseArg(arg)
		if err != nil {
			return
		}
		again, err := plugin.ParseArg(s.String())
		if err != nil || again.String() != s.String() || again.Name != s.Name || len(again.Options) != len(s.Options) {
			t.Errorf("%q is %+v, which prints as %q, which is %+v, %v", arg, s, s.String(), again, err)
		}
		for k, v := range s.Options {
			if again.Options[k] != v {
				t.Errorf("%q: option %q is %q, then %q", arg, k, v, again.Options[k])
			}
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	for _, s := range []string{core, "summary: a.\n", "summary: [", "a: &a [*a]", "options: {x: {type: word, pattern: \"(\", help: h}}", "summary: a.\nroutes:\n- null\n", "\x00", "seams: {x: null}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := plugin.ParseManifest("fuzzed", data)
		var fault *plugin.ManifestError
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("%T", err)
		}
		if err != nil {
			return
		}
		for name, o := range m.Options {
			if _, err := o.Parse(o.Default); err != nil && (o.Default != "" || o.Type != "word") {
				t.Errorf("option %s: its default does not parse: %v", name, err)
			}
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"never", "90d", "1d12h", "0s", "999999999w", "1w1w1w", "106751d", "-1d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := plugin.ParseDuration(s)
		if err != nil {
			return
		}
		if s == "never" != (d == 0) || d < 0 {
			t.Errorf("%q is %v", s, d)
		}
		if d > 0 && d%time.Second != 0 {
			t.Errorf("%q is %v", s, d)
		}
	})
}

func TestAdvisories(t *testing.T) {
	const good = "- {id: CUSTOS-2027-001, summary: x., severity: high, fixed: v1.2.3, flawed: [a, b]}\n"
	for _, c := range []struct{ text, fault string }{
		{"", ""}, {"[]\n", ""}, {"# none yet\n", ""}, {good, ""},
		{good + good, "the id is there twice"},
		{"- {id: 1}", "1: the id is not like CUSTOS-2027-001"},
		{"- {id: CUSTOS-2027-001}", "summary is missing"},
		{"- {id: CUSTOS-2027-001}", `unknown severity ""; known: low, moderate, high, critical`},
		{"- {id: CUSTOS-2027-001}", "fixed is missing"},
		{"- {id: CUSTOS-2027-001}", "flawed is missing"},
		{"- {name: x}", "field name not found"},
		{"id: x", "cannot unmarshal"},
	} {
		p := &plugin.Plugin{Name: "p", Original: fstest.MapFS{plugin.AdvisoriesFile: {Data: []byte(c.text)}}}
		all, err := p.Advisories()
		var bad *plugin.AdvisoryError
		if c.fault == "" && err != nil || c.fault != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%q: %v, %v; want %q", c.text, all, err, c.fault)
		}
	}
	if all, err := (&plugin.Plugin{Original: fstest.MapFS{}}).Advisories(); len(all) != 0 || err != nil {
		t.Errorf("no file: %v, %v", all, err)
	}
}

// A copy of the user's that lacks a seam is in the way of whoever joins it, and of nobody else.
func TestSeamOfAShadowedPlugin(t *testing.T) {
	lib, err := plugin.Load(
		source(".custos/plugins", map[string]string{"door/plugin.yaml": "summary: an older door.\n"}),
		source("built in", map[string]string{
			"core/plugin.yaml": core,
			"door/plugin.yaml": "summary: a door.\nseams: {opened: {kind: observe, method: opened, summary: tells.}}\n",
			"bell/plugin.yaml": "summary: a bell.\nrequires: [door]\nhooks: {opened: [ring]}\n",
		}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Resolve([]plugin.Selection{{Name: "door"}}); err != nil {
		t.Errorf("the copy alone: %v", err)
	}
	if _, err := lib.Resolve([]plugin.Selection{{Name: "bell"}}); err == nil || !strings.Contains(err.Error(), `bell joins the seam "opened", which your own copy of door does not have`) {
		t.Errorf("who joins the seam: %v", err)
	}
}

// A file of the user's stands in place of one of the plugin's, and nothing else does.
func TestOverrides(t *testing.T) {
	built := plugin.Source{Origin: "built in", FS: fstest.MapFS{
		"core/plugin.yaml": {Data: []byte("summary: Core.\n")}, "core/go/a.tmpl": {Data: []byte("ours")}, "core/go/b.tmpl": {Data: []byte("ours")},
	}}
	mine := func(files map[string]string) plugin.Source {
		m := fstest.MapFS{}
		for name, text := range files {
			m[name] = &fstest.MapFile{Data: []byte(text)}
		}
		return plugin.Source{Origin: "mine", FS: m, Overrides: true}
	}
	lib, err := plugin.Load(mine(map[string]string{"core/go/a.tmpl": "mine", "core/.DS_Store": "x", "core/plugin.yaml": "summary: Mine.\n"}), built)
	if err != nil {
		t.Fatal(err)
	}
	core, err := lib.Get("core")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"go/a.tmpl": "mine", "go/b.tmpl": "ours"} {
		if got, err := fs.ReadFile(core.FS, name); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if core.Manifest.Summary != "Mine." || len(core.Overrides) != 2 || string(core.Overrides[0].Original) != "ours" || core.Overrides[0].Path != "go/a.tmpl" {
		t.Errorf("%+v", core)
	}
	for file, fault := range map[string]string{"core/go/c.tmpl": "replaces nothing", "cor/go/a.tmpl": "unknown plugin"} {
		var bad *plugin.OverrideError
		if _, err := plugin.Load(mine(map[string]string{file: "x"}), built); !errors.As(err, &bad) || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %q", file, err, fault)
		}
	}
}
