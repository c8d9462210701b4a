package generator_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/model"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// matrix is an overlay for the go command that adds, to the project's first model, the test of every way in against every
// state that an account can be in (testdata/matrix). It is "" for models that nobody signs in to.
func (s set) matrix(t *testing.T, dir string) string {
	t.Helper()
	if !s.has(t, "sessions") {
		return ""
	}
	m, err := model.Parse(s.models[0].name)
	if err != nil {
		t.Fatal(err)
	}
	return s.overlay(t, dir, m.Package, nil)
}

// has reports whether the first model has a plugin, asked for or not.
func (s set) has(t *testing.T, name string) bool {
	t.Helper()
	resolved, err := library(t).Resolve(s.models[0].plugins)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(resolved, func(p plugin.Selected) bool { return p.Name == name })
}

// overlay is a file for go test -overlay that puts files of testdata/matrix into the package of the first model: those that
// fit its plugins, base and rotation, and of the others without a dot in their names the ones in extra, which are passed
// through its functions.
func (s set) overlay(t *testing.T, dir, pkg string, extra map[string]func(string) string) string {
	t.Helper()
	m, err := model.Parse(s.models[0].name)
	if err != nil {
		t.Fatal(err)
	}
	auth := module + "/" + project.DefaultPackage
	fill := strings.NewReplacer(
		"PACKAGE", pkg, "MODEL", m.Name, "TABLE", m.Table,
		"AUTHDBTEST", auth+"/authdb/authdbtest", `"AUTH"`, strconv.Quote(auth), "GATE", "github.com/custos-auth/custos/runtime/gate",
		"KEYRING", "github.com/custos-auth/custos/runtime/keyring",
	)
	names, err := filepath.Glob(filepath.Join(root(t), "testdata", "matrix", "*.go.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no matrix: %v", err)
	}
	work := t.TempDir()
	replace := map[string]string{}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".go.txt")
		text := string(read(t, name))
		switch kind, of, dotted := strings.Cut(base, "."); {
		case dotted && s.has(t, of) == (kind == "without"):
			continue
		case !dotted && base != "base" && base != "rotation":
			change, wanted := extra[base]
			if !wanted {
				continue
			}
			text = change(text)
		}
		file := "matrix_" + strings.ReplaceAll(base, ".", "_") + "_test.go"
		written := filepath.Join(work, file)
		if err := os.WriteFile(written, []byte(fill.Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(dir, filepath.FromSlash(path.Join(project.DefaultPackage, pkg, file)))] = written
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

// The matrix notices a way in that forgets to ask: it is a test that can fail.
func TestMatrixNotices(t *testing.T) {
	t.Parallel()
	s := set{name: "matrix-broken", models: []wanted{{"User", selection("sessions", "lockout")}}}
	dir := t.TempDir()
	s.generate(t, dir, engine.Default())
	seams := filepath.Join(dir, project.DefaultPackage, "user", "seams_gen.go")
	text := string(read(t, seams))
	broken := strings.Replace(text, "s.countAttempt(ctx, e)", "error(nil)", 1)
	if broken == text {
		t.Fatalf("nobody asks lockout:\n%s", text)
	}
	if err := os.WriteFile(seams, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, dir, "go", "test", "-vet=off", "-overlay="+s.matrix(t, dir), "-run", "TestMatrix", "./"+project.DefaultPackage+"/user")
	if err == nil || !strings.Contains(out, "is not locked") {
		t.Errorf("the matrix passes without the lockout: %v\n%s", err, out)
	}
}

// The matrix notices a route that forgets to ask whether there was too much of it: what the guards do, rate_limit's own tests see.
func TestLimitsNotice(t *testing.T) {
	t.Parallel()
	s := set{name: "limits-broken", models: []wanted{{"User", selection("rate_limit", "registration", "api_tokens", "password_reset")}}}
	dir := t.TempDir()
	s.generate(t, dir, engine.Default())
	overlay := s.matrix(t, dir)
	for _, c := range []struct{ file, ask, want string }{
		{"outbox.go", "s.allowMail(ctx,", "TestMatrixLimits/password_reset"},
		{"registration.go", "s.allowAccount(ctx,", "TestMatrixLimits/registration"},
		{"api_token_middleware.go", "s.askRejected(", "TestMatrixLimits/api_tokens"},
	} {
		name := filepath.Join(dir, project.DefaultPackage, "user", c.file)
		text := read(t, name)
		broken := strings.Replace(string(text), c.ask, "forgetful"+strings.TrimPrefix(c.ask, "s"), 1)
		if broken == string(text) {
			t.Fatalf("%s does not ask %s", c.file, c.ask)
		}
		broken += "\nvar forgetful = new(Service)\n\nfunc init() { forgetful.rateLimits = new(rateLimits).open(forgetful) }\n"
		if err := os.WriteFile(name, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := command(t, dir, "go", "test", "-vet=off", "-overlay="+overlay, "-run", "TestMatrixLimits", "./"+project.DefaultPackage+"/user")
		if err == nil || !strings.Contains(out, "--- FAIL: "+c.want) {
			t.Errorf("the matrix passes though nobody asks %s: %v\n%s", c.ask, err, out)
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever digests or seals with the keys says in testdata/matrix what becomes of it when keys change; TestRotation tries it.
func TestEveryKeyRotates(t *testing.T) {
	t.Parallel()
	uses := regexp.MustCompile(`\bConfig\.Keys\b|\bconfig\.Keys\b`)
	for _, p := range everyPlugin(t) {
		if p.Name == plugin.Core || p.Origin != "built in" {
			continue
		}
		for name, content := range memory(t, p.FS) {
			if !strings.HasPrefix(name, "go/model/") || strings.HasSuffix(name, "_test.go.tmpl") || !uses.Match(content) {
				continue
			}
			if _, err := os.Stat(filepath.Join(root(t), "testdata", "matrix", "secret."+p.Name+".go.txt")); err != nil {
				t.Errorf("%s/%s uses the keys; what becomes of that when they change? %v", p.Name, name, err)
			}
		}
	}
}

// The rotation notices what stays under the old key: it is a test that can fail.
func TestRotationNotices(t *testing.T) {
	t.Parallel()
	s := set{name: "rotation-broken", models: []wanted{{"User", selection("sessions")}}}
	dir := t.TempDir()
	s.generate(t, dir, engine.Default())
	sessions := filepath.Join(dir, project.DefaultPackage, "user", "sessions.go")
	text := string(read(t, sessions))
	broken := strings.Replace(text, "if !current {", "if false {", 1)
	if broken = strings.Replace(broken, "current, ok := candidates", "_, ok := candidates", 1); broken == text {
		t.Fatalf("nothing moves a session:\n%s", text)
	}
	if err := os.WriteFile(sessions, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, dir, "go", "test", "-vet=off", "-overlay="+s.matrix(t, dir), "-run", "TestRotation", "./"+project.DefaultPackage+"/user")
	if err == nil || !strings.Contains(out, "session/used_since") {
		t.Errorf("the rotation passes though sessions stay under the old key: %v\n%s", err, out)
	}
}
