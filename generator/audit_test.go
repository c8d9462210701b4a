package generator_test

import (
	"path"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/project"
)

// The advisories of all plugins are well-formed, no two have one id, and what today's templates make has none of the
// flaws, nor anything else that custos check would find in it.
func TestAdvisories(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, p := range everyPlugin(t) {
		all, err := p.Advisories()
		if err != nil {
			t.Error(err)
		}
		for _, a := range all {
			if other := seen[a.ID]; other != "" {
				t.Errorf("%s is an advisory of both %s and %s", a.ID, other, p.Name)
			}
			seen[a.ID] = p.Name
		}
	}
	for _, e := range engine.All() {
		p, err := project.Load(optionsSet(t, library(t)).project(t, e), project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		flaws, err := generator.Audit(p, library(t))
		if err != nil {
			t.Error(err)
		}
		faults, err := generator.Inspect(p)
		if err != nil || len(faults) > 0 {
			t.Errorf("%s: %v, %v", e.Name, faults, err)
		}
		for _, f := range flaws {
			t.Errorf("%s: %s:%d: %s has the flaw of %s", e.Name, f.Path, f.Line, f.Declaration, f.Advisory.ID)
		}
	}
}

// An advisory also reaches a project that stands its own copy of the plugin before ours, and one that replaces the
// advisories of ours.
func TestAuditReachesEjectedPlugins(t *testing.T) {
	t.Parallel()
	const old = "func (s *Service) Greet() string {\n\treturn \"Good day, {{.Model.Words}}\"\n}\n"
	advisories := "- {id: TEST-2027-001, summary: Too polite., severity: low, fixed: v2, flawed: ['" + "func (s *Service) Greet() string { return \"Good day, {{.Model.Words}}\" }" + "']}\n"
	templates := memory(t, builtIn(t))
	templates["greeting/plugin.yaml"] = []byte("summary: Greets.\nrequires: [core]\n")
	templates["greeting/go/model/greeting.go.tmpl"] = []byte("package {{.Model.Package}}\n\n" + old)

	dir := t.TempDir()
	memoryFS{"go.mod": goMod(t)}.write(t, dir)
	req := request(t, dir, engine.Default(), wanted{name: "ApiClient", plugins: selection("greeting")})
	req.Templates = templates.folder(t)
	run(t, req)

	templates["greeting/"+"advisories.yaml"] = []byte(advisories)
	templates["greeting/go/model/greeting.go.tmpl"] = []byte("package {{.Model.Package}}\n\nfunc (s *Service) Greet() string { return \"Who goes there?\" }\n")
	newer := templates.folder(t)
	audit := func(at string) {
		t.Helper()
		p, err := project.Load(dir, project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		lib, err := generator.Library(dir, newer)
		if err != nil {
			t.Fatal(err)
		}
		flaws, err := generator.Audit(p, lib)
		if err != nil || len(flaws) != 1 || flaws[0].Declaration != "Service.Greet" || flaws[0].Edited {
			t.Errorf("%s: %+v, %v", at, flaws, err)
		}
	}
	audit("built in")
	memoryFS{path.Join(project.TemplateDir, "greeting", "advisories.yaml"): []byte("[]\n")}.write(t, dir)
	audit("the advisories overridden")
	memoryFS{
		path.Join(project.PluginDir, "greeting", "plugin.yaml"):                     []byte("summary: Greets.\nrequires: [core]\n"),
		path.Join(project.PluginDir, "greeting", "advisories.yaml"):                 []byte("[]\n"),
		path.Join(project.PluginDir, "greeting", "go", "model", "greeting.go.tmpl"): []byte("package {{.Model.Package}}\n\n" + old),
	}.write(t, dir)
	audit("ejected")
}
