package generator_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/project"
)

// fixture is a project that an earlier custos wrote, in a compressed txtar. The pristine copies are not in it twice, and
// what is the machine's is written anew.
func fixture(t *testing.T, name string) memoryFS {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(read(t, filepath.Join(root(t), "testdata", "upgrade", name))))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	files := memoryFS{"go.mod": goMod(t), "go.sum": read(t, filepath.Join(root(t), "go.sum"))}
	for _, f := range txtar.Parse(text).Files {
		files[f.Name] = bytes.Clone(f.Data)
	}
	lock, err := project.ParseLock(files[project.LockFile])
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range lock.Entries {
		if e.Owner == project.OwnerUser {
			if project.Hash(files[e.Path]) != e.Hash {
				t.Fatalf("%s is not what the lock says", e.Path)
			}
			files[merge.BasePath(e.Path)] = files[e.Path]
		}
	}
	return files
}

// A security fix reaches a project whose owner has edited, moved and renamed just what it changes: session epochs, which
// came after the fixture was written. A sign-in under way while its credential is changed opens no session any more.
func TestSecurityFixReachesEditedCode(t *testing.T) {
	t.Parallel()
	files := fixture(t, "before_epochs.txtar.gz")
	const dir = "internal/auth/user/"
	edit := func(name, old, new string) {
		t.Helper()
		if !bytes.Contains(files[dir+name], []byte(old)) {
			t.Fatalf("%s has no %q", name, old)
		}
		files[dir+name] = bytes.ReplaceAll(files[dir+name], []byte(old), []byte(new))
	}
	// try moves to a file of its own, and says more.
	src := string(files[dir+"sign_in.go"])
	from, to := strings.Index(src, "// try asks everyone"), strings.Index(src, "// A SignInOption changes")
	try := src[from:to]
	edit("sign_in.go", try, "")
	files[dir+"attempts.go"] = []byte("package user\n\nimport (\n\t\"context\"\n\n\t\"example.com/shop/internal/auth\"\n\t\"github.com/custos-auth/custos/runtime/gate\"\n)\n\n" +
		strings.Replace(strings.TrimRight(try, "\n"), "Address: a.address, At: s.now()}\n", "Address: a.address, At: s.now()}\n\ts.config.Logger.DebugContext(ctx, \"attempt\", \"factor\", a.factor)\n", 1) + "\n")
	// A proof is good for half as long; a function is renamed, one is deleted, one is new.
	edit("sign_in.go", "> time.Minute {", "> 30*time.Second {")
	edit("sign_in.go", "limitSessions", "capSessions")
	edit("session_handlers.go", "	s.clearCookie(ctx, sessionFactor)\n", "	s.forget(ctx)\n")
	src = string(files[dir+"sign_in.go"])
	from, to = strings.Index(src, "// clearCookie removes"), strings.Index(src, "type requestKey struct")
	edit("sign_in.go", src[from:to], "// forget is ours.\nfunc (s *Service) forget(ctx context.Context) {\n\tif w, ok := ctx.Value(responseKey{}).(http.ResponseWriter); ok {\n\t\ts.sessions.jar.Clear(w, sessionFactor)\n\t}\n}\n\n")
	// An editor of Windows, and a query and a test of the owner's.
	edit("sessions.go", "\n", "\r\n")
	queries := "db/custos/queries/user_sessions.sql"
	files[queries] = append(bytes.Clone(files[queries]), "\n-- name: CountEveryUserSession :one\nSELECT COUNT(*) FROM custos_sessions WHERE authenticatable_type = 'User';\n"...)
	files[dir+"shop_test.go"] = []byte(`package user

import (
	"testing"
	"time"
)

func TestShop(t *testing.T) {
	f := newFixture(t)
	owner := f.owner()
	proof, err := f.prove(t.Context(), f.Service, formatID(owner.ID))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.SignIn(t.Context(), proof); err != nil {
		t.Error(err)
	}
	f.advance(31 * time.Second)
	if _, _, err := f.SignIn(t.Context(), proof); err == nil {
		t.Error("a proof of 31 seconds ago opens a session")
	}
	if n, err := f.Service.db.CountEveryUserSession(t.Context()); err != nil || n != 1 {
		t.Errorf("%d sessions, %v", n, err)
	}
}
`)
	project := t.TempDir()
	files.write(t, project)
	result := run(t, request(t, project, engine.Default(), wanted{}))
	now := snapshot(t, project)
	for name, want := range map[string]plan.Op{"sign_in.go": plan.Merge, "attempts.go": plan.Merge, "sessions.go": plan.Merge, "session_epoch.go": plan.Create} {
		if c, _ := byPath(result.Changes, dir+name); c.Op != want {
			t.Errorf("%s: %s %s, want %s", name, c.Op, c.Note, want)
		}
	}
	for name, words := range map[string][]string{
		"attempts.go": {"epochOf(ctx, a.owner)", `"attempt", "factor"`},
		"sign_in.go":  {"30*time.Second", "Epoch", "capSessions(ctx", "// forget is ours."},
		"sessions.go": {"s.beginEpoch(ctx, e.OwnerID); err != nil {\r\n"},
	} {
		for _, w := range words {
			if !bytes.Contains(now[dir+name], []byte(w)) {
				t.Errorf("%s has no %q", name, w)
			}
		}
	}
	if n := bytes.Count(now[dir+"sessions.go"], []byte("\n")); n != bytes.Count(now[dir+"sessions.go"], []byte("\r\n")) {
		t.Error("sessions.go has two kinds of line ends")
	}
	for _, w := range []string{"limitSessions", "clearCookie", "func (s *Service) try("} {
		if bytes.Contains(now[dir+"sign_in.go"], []byte(w)) {
			t.Errorf("sign_in.go has %s again", w)
		}
	}
	goCommand(t, project, "vet", "./...")
	goCommand(t, project, "test", "-run", "Shop|Session|SignIn", "./"+dir)
	if again := run(t, request(t, project, engine.Default(), wanted{})); again.Writes() != 0 {
		t.Errorf("a second upgrade writes %d files", again.Writes())
	}
}
