package project_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/custos-auth/custos/generator/project"
)

func TestLock(t *testing.T) {
	h := project.Hash([]byte("hello"))
	if h != "h1:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
		t.Errorf("hash is %s", h)
	}
	l := project.Lock{Generator: "v0.1.0", SQLC: h, Entries: []project.Entry{
		{Owner: "user", Path: "internal/auth/apiclient/api_tokens.go", Hash: h, Origin: "api_tokens"},
		{Owner: "ledger", Path: "db/migrations/00001_a b\".sql", Hash: h, Origin: "api_tokens", ID: "api_tokens.name"},
		{Owner: "machine", Path: "internal/auth/ä=\u00a0x.go", Hash: h, Origin: "core"},
	}}
	l.Detached = []string{"internal/auth/z.go", "internal/auth/a b.go"}
	l.Overrides = []project.Override{{Path: ".custos/templates/p/go/model/x.go.tmpl", Hash: h}, {Path: ".custos/templates/p/README.md", Hash: h}}
	l.Tombstones = []project.Tombstone{{Path: "b.go", Name: "func Service.List"}, {Path: "a.sql", Name: "query B"}, {Path: "a.sql", Name: "query A"}, {Path: "a.sql", Name: "query A"}}
	want := "custos-lock 1\ngenerator v0.1.0\nsqlc " + h + "\n" +
		`ledger "db/migrations/00001_a b\".sql" ` + h + " origin=api_tokens id=api_tokens.name\n" +
		"user internal/auth/apiclient/api_tokens.go " + h + " origin=api_tokens\n" +
		`machine "internal/auth/ä=\u00a0x.go" ` + h + " origin=core\n" +
		"detached \"internal/auth/a b.go\"\ndetached internal/auth/z.go\n" +
		"override .custos/templates/p/README.md " + h + "\noverride .custos/templates/p/go/model/x.go.tmpl " + h + "\n" +
		"tombstone a.sql \"query A\"\ntombstone a.sql \"query B\"\ntombstone b.go \"func Service.List\"\n"
	if got := string(l.Bytes()); got != want {
		t.Errorf("got:\n%s", got)
	}
	back, err := project.ParseLock(l.Bytes())
	if err != nil || string(back.Bytes()) != want || len(back.Healed) > 0 {
		t.Errorf("got %+v, %v", back, err)
	}
	crlf, err := project.ParseLock([]byte(strings.ReplaceAll(want, "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(crlf, back) {
		t.Errorf("with CRLF: %+v, %v", crlf, err)
	}
	if got := string(project.Lock{}.Bytes()); got != "custos-lock 1\n" {
		t.Errorf("the zero Lock is %q", got)
	}
}

func TestLockHeals(t *testing.T) {
	a, b := project.Hash([]byte("a")), project.Hash([]byte("b"))
	sides := func(ours, theirs string) string {
		return "custos-lock 1\n<<<<<<< HEAD\n" + ours + "||||||| base\nuser gone.go " + a + " origin=core\n=======\n" + theirs + ">>>>>>> topic\nuser z.go " + a + " origin=core\n"
	}
	x := "generator v0.9.0\nsqlc " + a + "\nuser one.go " + a + " origin=core\nuser both.go " + a + " origin=core\n"
	y := "generator v0.10.0\nsqlc " + b + "\nuser both.go " + b + " origin=core\nuser two.go " + b + " origin=p\n"
	l, err := project.ParseLock([]byte(sides(x, y)))
	if err != nil {
		t.Fatal(err)
	}
	m, err := project.ParseLock([]byte(sides(y, x)))
	if err != nil || string(l.Bytes()) != string(m.Bytes()) {
		t.Errorf("healing depends on the side: %v\n%s\n%s", err, l.Bytes(), m.Bytes())
	}
	if l.Generator != "v0.10.0" || l.SQLC != "" || len(l.Entries) != 4 || len(l.Healed) != 1 || !strings.Contains(l.Healed[0], "both.go") {
		t.Errorf("got %+v", l)
	}
	if l, err = project.ParseLock([]byte(sides("sqlc "+a+"\n", ""))); err != nil || l.SQLC != "" {
		t.Errorf("sqlc on one side only: %+v, %v", l, err)
	}
	if l, err = project.ParseLock([]byte(sides("sqlc "+a+"\n", "sqlc "+a+"\n"))); err != nil || l.SQLC != a {
		t.Errorf("sqlc the same on both sides: %+v, %v", l, err)
	}
}

// What one side has detached and the other still has is detached. Of two hashes for an override, either side's merge
// keeps the same one.
func TestLockHealsDetachedAndOverrides(t *testing.T) {
	a, b := project.Hash([]byte("a")), project.Hash([]byte("b"))
	ours := "user x.go " + a + " origin=core\noverride .custos/templates/p/y.tmpl " + a + "\n"
	theirs := "detached x.go\noverride .custos/templates/p/y.tmpl " + b + "\n"
	var texts []string
	for _, sides := range [][2]string{{ours, theirs}, {theirs, ours}} {
		l, err := project.ParseLock([]byte("custos-lock 1\n<<<<<<< HEAD\n" + sides[0] + "=======\n" + sides[1] + ">>>>>>> topic\n"))
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Entries) != 0 || !slices.Equal(l.Detached, []string{"x.go"}) || len(l.Overrides) != 1 || len(l.Healed) != 1 {
			t.Errorf("got %+v", l)
		}
		texts = append(texts, string(l.Bytes()))
	}
	if texts[0] != texts[1] {
		t.Errorf("healing depends on the side:\n%s\n%s", texts[0], texts[1])
	}
}

func TestMarkers(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0}, {"a\n=======\nb\n", 0}, {"<<<<<<< a\nx\n", 0}, {">>>>>>> a\n=======\n<<<<<<< b\n", 0}, {"<<<<<<<< a\n=======\n>>>>>>> b\n", 0},
		{"a\n<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n", 2}, {"<<<<<<< HEAD\r\n||||||| b\r\n=======\r\n>>>>>>> b\r\n", 1},
		{"<<<<<<< lost\na\n<<<<<<< HEAD\n=======\n>>>>>>>", 3},
	} {
		if got := project.Markers([]byte(c.text)); got != c.want {
			t.Errorf("%q: line %d, want %d", c.text, got, c.want)
		}
	}
}

func TestLockFaults(t *testing.T) {
	h := project.Hash(nil)
	const head = "custos-lock 1\n"
	for _, c := range []struct{ text, fault string }{
		{"", "custos.lock:1:1: the file is empty"},
		{"hello", "custos.lock:1:1: not a custos.lock"},
		{"custos-lock 2\nwhatever", "custos.lock:1:13: version 2 was written by a newer custos"},
		{"custos-lock x", `unknown version "x"`},
		{head + "user a " + h, "custos.lock:2:1: an entry has"},
		{head + "user ../a " + h + " origin=core", "custos.lock:2:6: the path \"../a\" leaves the project"},
		{head + "user /a " + h + " origin=core", "leaves the project"},
		{head + "user a h1:zz origin=core", "custos.lock:2:8: \"h1:zz\" is no hash"},
		{head + "user a " + h + " origin=core id=x", "does not belong"},
		{head + "user a " + h + " x=core", "does not belong"},
		{head + "somebody a", "unknown word \"somebody\""},
		{head + "tombstone a", "a tombstone has a path and a name"},
		{head + "tombstone ../a b", "leaves the project"},
		{head + "user  a", "one space"},
		{head + "user \"a", "quotes do not close"},
		{head + "generator", "takes one word"},
		{head + "detached", "takes one path"},
		{head + "detached ../a", "custos.lock:2:10: the path \"../a\" leaves the project"},
		{head + "override .custos/templates/p/x", "takes a path and a hash"},
		{head + "override x " + h, "custos.lock:2:10: the path \"x\" is not below .custos/templates"},
		{head + "override .custos/templates/../x " + h, "is not below"},
		{head + "override .custos/templates/x zz", "is no hash"},
		{head + "<<<<<<< a\n", "custos.lock:2:1: the git conflict that begins here has no end"},
		{head + "=======\n", "out of place"},
		{head + "<<<<<<< a\n<<<<<<< b\n", "custos.lock:3:1: a git conflict marker is out of place"},
	} {
		_, err := project.ParseLock([]byte(c.text))
		var pos *project.PosError
		if err == nil || !strings.Contains(err.Error(), c.fault) || !errors.As(err, &pos) {
			t.Errorf("%q: error is %v, want %q", c.text, err, c.fault)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	h := project.Hash(nil)
	f.Add([]byte("custos-lock 1\ngenerator v0.1.0\nsqlc " + h + "\nledger \"a b\" " + h + " origin=core id=x\n"))
	f.Add([]byte("custos-lock 1\ndetached a\noverride .custos/templates/a/b " + h + "\n"))
	f.Add([]byte("custos-lock 1\n<<<<<<< a\nuser a " + h + " origin=x\n=======\nmachine a " + h + " origin=\"\"\n>>>>>>> b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := project.ParseLock(data)
		if err != nil {
			return
		}
		text := l.Bytes()
		again, err := project.ParseLock(text)
		l.Healed = nil
		if err != nil || !reflect.DeepEqual(again, l) || string(again.Bytes()) != string(text) {
			t.Fatalf("%q\nis %+v\nwritten as\n%s\nis %+v, %v", data, l, text, again, err)
		}
	})
}

// The newest migration of an identity says whether it is in force.
func TestLedger(t *testing.T) {
	entry := func(path, id string) project.Entry {
		return project.Entry{Owner: project.OwnerLedger, Path: path, ID: id}
	}
	made := entry("m/00002_create_x.sql", "p.create_x")
	dropped := entry("m/00010_drop_x.sql", "undo:p.create_x")
	again := entry("m/00011_create_x.sql", "p.create_x")
	up, down := entry("m/3_x.up.sql", "p.pair"), entry("m/3_x.down.sql", "p.pair")
	for _, c := range []struct {
		name    string
		entries []project.Entry
		id      string
		want    []project.Entry
	}{
		{"none", []project.Entry{up}, "p.create_x", nil},
		{"made", []project.Entry{made, up}, "p.create_x", []project.Entry{made}},
		{"two files", []project.Entry{down, up, made}, "p.pair", []project.Entry{down, up}},
		{"undone", []project.Entry{made, dropped}, "p.create_x", nil},
		{"what undoes it", []project.Entry{made, dropped}, "undo:p.create_x", []project.Entry{dropped}},
		{"made again", []project.Entry{made, dropped, again}, "p.create_x", []project.Entry{again}},
		{"what undid it, before it was made again", []project.Entry{again, dropped, made}, "undo:p.create_x", nil},
		{"not a migration", []project.Entry{{Owner: project.OwnerUser, Path: "m/00009_x", ID: "p.create_x"}}, "p.create_x", nil},
	} {
		if got := (project.Lock{Entries: c.entries}).Ledger(c.id); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if project.Undo(project.Undo("a.b")) != "a.b" || project.Undo("a.b") == "a.b" {
		t.Error("to undo twice is to do nothing")
	}
	l := project.Lock{Entries: []project.Entry{{Owner: project.OwnerLedger, Path: "m/1_x.sql", Hash: project.Hash(nil), Origin: "p", ID: project.Undo("p.x")}}}
	if again, err := project.ParseLock(l.Bytes()); err != nil || !slices.Equal(again.Entries, l.Entries) {
		t.Errorf("%+v, %v", again, err)
	}
}
