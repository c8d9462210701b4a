package bearer

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func header(values ...string) http.Header {
	h := http.Header{}
	for _, v := range values {
		h.Add("Authorization", v)
	}
	return h
}

func TestFromHeader(t *testing.T) {
	long := strings.Repeat("a", MaxTokenBytes)
	cases := []struct {
		name string
		h    http.Header
		want string
		err  error
	}{
		{"token", header("Bearer abc"), "abc", nil},
		{"lower-case scheme", header("bearer abc"), "abc", nil},
		{"mixed-case scheme", header("bEARER abc"), "abc", nil},
		{"whole alphabet", header("Bearer azAZ09-._~+/=="), "azAZ09-._~+/==", nil},
		{"longest", header("Bearer " + long), long, nil},

		{"nil header", nil, "", ErrMissing},
		{"no header", header(), "", ErrMissing},
		{"basic", header("Basic dXNlcjpwYXNz"), "", ErrMissing},
		{"other scheme alone", header("Negotiate"), "", ErrMissing},
		{"digest", header(`Digest username="x", realm="y"`), "", ErrMissing},
		{"scheme starts alike", header("BearerX abc"), "", ErrMissing},
		{"scheme look-alike", header("Bearer\u017f abc"), "", ErrMalformed},

		{"empty value", header(""), "", ErrMalformed},
		{"scheme only", header("Bearer"), "", ErrMalformed},
		{"empty token", header("Bearer "), "", ErrMalformed},
		{"too long", header("Bearer " + long + "a"), "", ErrMalformed},
		{"too long by padding", header("Bearer " + long + "="), "", ErrMalformed},
		{"two headers", header("Bearer abc", "Bearer abc"), "", ErrMalformed},
		{"bearer and basic", header("Basic x", "Bearer abc"), "", ErrMalformed},
		{"two in one", header("Bearer abc, Bearer def"), "", ErrMalformed},
		{"two spaces", header("Bearer  abc"), "", ErrMalformed},
		{"tab", header("Bearer\tabc"), "", ErrMalformed},
		{"space before", header(" Bearer abc"), "", ErrMalformed},
		{"space after", header("Bearer abc "), "", ErrMalformed},
		{"two words", header("Bearer abc def"), "", ErrMalformed},
		{"NUL", header("Bearer a\x00c"), "", ErrMalformed},
		{"line break", header("Bearer abc\r\nX: y"), "", ErrMalformed},
		{"not ASCII", header("Bearer abç"), "", ErrMalformed},
		{"quoted", header(`Bearer "abc"`), "", ErrMalformed},
		{"padding only", header("Bearer =="), "", ErrMalformed},
		{"padding inside", header("Bearer a=c"), "", ErrMalformed},
		{"parameter", header("Bearer token=abc"), "", ErrMalformed},
	}
	for _, c := range cases {
		got, err := FromHeader(c.h)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestFromHeaderDoesNotAllocate(t *testing.T) {
	h := header("bearer acme_pat_0123456789")
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := FromHeader(h); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("FromHeader allocates %v times", n)
	}
}

func TestChallenge(t *testing.T) {
	cases := []struct {
		c    Challenge
		want string
	}{
		{Challenge{}, `Bearer realm=""`},
		{Challenge{Realm: "acme"}, `Bearer realm="acme"`},
		{Challenge{Realm: "acme", Error: InvalidRequest}, `Bearer realm="acme", error="invalid_request"`},
		{Challenge{Realm: "acme", Error: InvalidToken}, `Bearer realm="acme", error="invalid_token"`},
		{Challenge{Realm: "acme", Error: InsufficientScope, Scope: "posts:read posts:write"}, `Bearer realm="acme", error="insufficient_scope", scope="posts:read posts:write"`},
		{Challenge{Realm: `a"b\c`}, `Bearer realm="a\"b\\c"`},
		{Challenge{Realm: "a\r\nSet-Cookie: x=y\x00\x7f"}, `Bearer realm="aSet-Cookie: x=y"`},
		{Challenge{Realm: "Café 1"}, `Bearer realm="Caf 1"`},
		{Challenge{Realm: `\`}, `Bearer realm="\\"`},
		{Challenge{Realm: `a", error="invalid_token`}, `Bearer realm="a\", error=\"invalid_token"`},
		{Challenge{Realm: "a", Error: "x\"\r\ny\\", Scope: `a" b\`}, `Bearer realm="a", error="xy", scope="a b"`},
		{Challenge{Realm: "a", Error: "\r\n"}, `Bearer realm="a"`},
	}
	for _, c := range cases {
		if got := c.c.String(); got != c.want {
			t.Errorf("%#v:\n got %s\nwant %s", c.c, got, c.want)
		}
	}
	h := http.Header{"Www-Authenticate": {"Basic", "Negotiate"}}
	Challenge{Realm: "acme"}.Set(h)
	if got := h.Values("WWW-Authenticate"); len(got) != 1 || got[0] != `Bearer realm="acme"` {
		t.Errorf("Set wrote %q", got)
	}
}

func FuzzFromHeader(f *testing.F) {
	for _, s := range []string{"Bearer abc", "bearer a==", "Basic x", "Bearer", "Bearer  a", "\x00", "Bearer a,Bearer b"} {
		f.Add(s)
	}
	want := regexp.MustCompile(`^(?i:bearer) ([A-Za-z0-9._~+/-]+=*)$`)
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := FromHeader(header(s))
		m := want.FindStringSubmatch(s)
		ok := m != nil && len(m[1]) <= MaxTokenBytes && !strings.HasSuffix(s, "\n")
		if ok != (err == nil) || ok && tok != m[1] || !ok && tok != "" {
			t.Fatalf("FromHeader(%q) = %q, %v", s, tok, err)
		}
		if err != nil && err != ErrMissing && err != ErrMalformed {
			t.Fatalf("FromHeader(%q): unknown error %v", s, err)
		}
		if _, err := FromHeader(header(s, s)); err != ErrMalformed {
			t.Fatalf("two headers %q: %v", s, err)
		}
	})
}

// FuzzChallenge holds that no input breaks out of the quotes: the value always reads back as a scheme
// and its quoted parameters.
func FuzzChallenge(f *testing.F) {
	f.Add("acme", InvalidToken, "a b")
	f.Add("a\"\\\r\n", "\"", "\\")
	want := regexp.MustCompile(`\ABearer realm="(\\["\\]|[ !#-\[\]-~])*"(, error="[ !#-\[\]-~]+")?(, scope="[ !#-\[\]-~]+")?\z`)
	f.Fuzz(func(t *testing.T, realm, code, scope string) {
		if got := (Challenge{realm, code, scope}).String(); !want.MatchString(got) {
			t.Fatalf("%q", got)
		}
	})
}
