package generator_test

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/project"
)

// Bad input: whatever plugin a route is of, a body that nobody can mean gets a 4xx in JSON and changes nothing. The test
// itself is testdata/matrix/input.go.txt.
func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	e := engine.Default()
	s := set{name: "input", models: []wanted{{"User", selection(allTogether(library(t))...)}}}
	dir := s.project(t, e)
	result, err := generator.Generate(context.Background(), request(t, dir, e, s.models[0]))
	if err != nil {
		t.Fatal(err)
	}
	m := result.Plan.Models[0]
	var routes strings.Builder
	for _, r := range m.Routes() {
		if r.Method != "GET" && r.Method != "DELETE" {
			fmt.Fprintf(&routes, "\t{%q, %q, %q},\n", r.Method, r.Path, r.Require)
		}
	}
	pkg := path.Join(project.DefaultPackage, m.Package)
	overlay := s.overlay(t, dir, m.Package, map[string]func(string) string{
		"input": strings.NewReplacer("ROUTES", routes.String(), "FIELDS", strings.Join(fieldsOf(t, filepath.Join(dir, pkg)), ", ")).Replace,
	})
	out, err := command(t, dir, "go", "test", "-v", "-vet=off", "-run", "^TestBadInput$", "-overlay="+overlay, "./"+pkg)
	if err != nil || !strings.Contains(out, "--- PASS: TestBadInput ") {
		t.Errorf("%v\n%s", err, out)
	}
}

var jsonTag = regexp.MustCompile("`json:\"([a-z_]+)")

// fieldsOf finds the names of fields of JSON bodies in a package, as Go strings.
func fieldsOf(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range jsonTag.FindAllStringSubmatch(string(data), -1) {
			if field := fmt.Sprintf("%q", found[1]); !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	slices.Sort(fields)
	return fields
}
