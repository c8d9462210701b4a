package cookie

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func jar(t testing.TB, base string) *Jar {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	j, err := New(u, "user")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestNew(t *testing.T) {
	for _, c := range []struct {
		base, prefix string
		name         string // of the cookie "session"; "" if New refuses
	}{
		{"https://www.example.com", "user", "__Host-user_session"},
		{"https://www.example.com:8443/path", "user", "__Host-user_session"},
		{"HTTPS://example.com", "user", "__Host-user_session"},
		{"https://localhost", "user", "__Host-user_session"},
		{"https://example.com", "API-client_2", "__Host-API-client_2_session"},
		{"http://localhost", "user", "user_session"},
		{"http://localhost:8080", "user", "user_session"},
		{"http://LocalHost:8080", "user", "user_session"},
		{"http://127.0.0.1:3000", "user", "user_session"},
		{"http://[::1]:3000", "user", "user_session"},
		{"http://[::1]", "user", "user_session"},

		{"http://www.example.com", "user", ""},
		{"http://192.168.1.10", "user", ""},
		{"http://127.0.0.2", "user", ""},
		{"http://0.0.0.0:8080", "user", ""},
		{"http://localhost.example.com", "user", ""},
		{"http://localhost.", "user", ""},
		{"http://localhost@example.com", "user", ""},
		{"http://app.localhost", "user", ""},
		{"http://[::1%25eth0]", "user", ""},
		{"http://[::ffff:127.0.0.1]", "user", ""},
		{"ftp://localhost", "user", ""},
		{"//localhost", "user", ""},
		{"localhost:8080", "user", ""},
		{"https://", "user", ""},
		{"https:///path", "user", ""},
		{"https://:443", "user", ""},
		{"", "user", ""},
		{"https://example.com", "", ""},
		{"https://example.com", "__Host-user", ""},
		{"https://example.com", "2user", ""},
		{"https://example.com", "us er", ""},
		{"https://example.com", "us=er", ""},
		{"https://example.com", "us.er", ""},
		{"https://example.com", "us;er", ""},
		{"https://example.com", "ü", ""},
		{"https://example.com", strings.Repeat("a", 33), ""},
	} {
		u, err := url.Parse(c.base)
		if err != nil {
			t.Fatal(err)
		}
		j, err := New(u, c.prefix)
		switch {
		case c.name == "" && err == nil:
			t.Errorf("New(%s, %s) accepts it", c.base, c.prefix)
		case c.name != "" && err != nil:
			t.Errorf("New(%s, %s): %v", c.base, c.prefix, err)
		case c.name != "" && j.Name("session") != c.name:
			t.Errorf("New(%s, %s) names it %s, want %s", c.base, c.prefix, j.Name("session"), c.name)
		}
	}
	if _, err := New(nil, "user"); err == nil {
		t.Error("New(nil) accepts it")
	}
}

// TestRefusalSaysWhatToSet, without a password that somebody put into the URL.
func TestRefusalSaysWhatToSet(t *testing.T) {
	_, err := New(&url.URL{Scheme: "http", Host: "www.example.com", User: url.UserPassword("u", "hunter2")}, "user")
	for _, want := range []string{"http://www.example.com", "https://", "http://localhost"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %q has the password", err)
	}
}

// TestAttributes is requirement S-01, byte for byte.
func TestAttributes(t *testing.T) {
	for _, c := range []struct {
		base   string
		maxAge time.Duration
		want   string
	}{
		{"https://example.com", 0, "__Host-user_session=tok-1_A.b; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"https://example.com", 14 * 24 * time.Hour, "__Host-user_session=tok-1_A.b; Path=/; Max-Age=1209600; HttpOnly; Secure; SameSite=Lax"},
		{"https://example.com", time.Millisecond, "__Host-user_session=tok-1_A.b; Path=/; Max-Age=1; HttpOnly; Secure; SameSite=Lax"},
		{"http://localhost:1", time.Hour, "user_session=tok-1_A.b; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"},
		{"https://example.com", -1, "__Host-user_session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
	} {
		w := httptest.NewRecorder()
		jar(t, c.base).Set(w, "session", "tok-1_A.b", c.maxAge)
		if got := w.Header()["Set-Cookie"]; !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s, %v:\n got %q\nwant %q", c.base, c.maxAge, got, c.want)
		}
	}
	w := httptest.NewRecorder()
	jar(t, "http://[::1]").Clear(w, "session")
	if got, want := w.Header().Get("Set-Cookie"), "user_session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("Clear:\n got %q\nwant %q", got, want)
	}
}

func TestSetReplaces(t *testing.T) {
	j := jar(t, "https://example.com")
	w := httptest.NewRecorder()
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
	j.Set(w, "session", "one", 0)
	j.Set(w, "session_hint", "hint", 0)
	j.Clear(w, "session")
	j.Set(w, "session", "two", 0)
	var got []string
	for _, c := range w.Result().Cookies() {
		got = append(got, c.Name+"="+c.Value)
	}
	want := []string{"theme=dark", "__Host-user_session_hint=hint", "__Host-user_session=two"}
	if !slices.Equal(got, want) {
		t.Errorf("cookies = %q, want %q", got, want)
	}
}

// values are what a cookie may and may not hold.
var values = map[string]bool{
	"a": true, "AZaz09-_.": true, strings.Repeat("x", MaxValue): true,
	"": false, strings.Repeat("x", MaxValue+1): false, "a b": false, "a;b": false, "a,b": false, `"a"`: false,
	"a=b": false, "a\r\nb": false, "a\x00b": false, "é": false, "a/b": false, "a+b": false, "a%20b": false,
}

func TestSetTakesTokensOnly(t *testing.T) {
	j := jar(t, "https://example.com")
	for value, ok := range values {
		w := httptest.NewRecorder()
		j.Set(w, "session", value, 0)
		if got := len(w.Header()["Set-Cookie"]) == 1; got != ok {
			t.Errorf("Set(%.20q) sets = %v, want %v", value, got, ok)
		}
	}
	w := httptest.NewRecorder()
	j.Set(w, "ses=sion; Domain=evil", "x", 0)
	if got := w.Header()["Set-Cookie"]; got != nil {
		t.Errorf("a bad name sets %q", got)
	}
}

func TestGet(t *testing.T) {
	const name = "__Host-user_session"
	j := jar(t, "https://example.com")
	for _, c := range []struct {
		header []string
		want   string
		ok     bool
		err    error
	}{
		{[]string{name + "=tok"}, "tok", true, nil},
		{[]string{"a=b; " + name + "=tok; c=d"}, "tok", true, nil},
		{[]string{"a=b;" + name + "=tok"}, "tok", true, nil},
		{[]string{"a=b", "\t" + name + "=tok "}, "tok", true, nil},
		{nil, "", false, nil},
		{[]string{""}, "", false, nil},
		{[]string{"a=b"}, "", false, nil},
		{[]string{name}, "", false, nil},
		{[]string{name + "="}, "", false, nil},
		{[]string{"user_session=tok"}, "", false, nil}, // the name of development, set over http
		{[]string{"__host-user_session=tok"}, "", false, nil},
		{[]string{"\u2000" + name + "=tok"}, "", false, nil}, // a browser lets everybody set this
		{[]string{"\u00a0" + name + "=tok"}, "", false, nil},
		{[]string{"=" + name + "=tok"}, "", false, nil},
		{[]string{"x" + name + "=tok"}, "", false, nil},
		{[]string{name + "x=tok"}, "", false, nil},
		{[]string{name + "=a; " + name + "=b"}, "", false, ErrDuplicate},
		{[]string{name + "=a; " + name + "=a"}, "", false, ErrDuplicate},
		{[]string{name + "=a", name + "=b"}, "", false, ErrDuplicate},
		{[]string{name + "=a; x=y; " + name + `="\"`}, "", false, ErrDuplicate}, // net/http would drop the second
		{[]string{name + "=; " + name + "=a"}, "", false, ErrDuplicate},
		{[]string{name + "; " + name + "=a"}, "", false, ErrDuplicate},
	} {
		got, ok, err := j.Get(&http.Request{Header: http.Header{"Cookie": c.header}}, "session")
		if got != c.want || ok != c.ok || !errors.Is(err, c.err) {
			t.Errorf("Get(%q) = %q, %v, %v, want %q, %v, %v", c.header, got, ok, err, c.want, c.ok, c.err)
		}
	}
	for value, want := range values {
		if strings.Contains(value, ";") {
			continue // ends the value, so what comes back is another one
		}
		if _, ok, err := j.Get(&http.Request{Header: http.Header{"Cookie": {name + "=" + value}}}, "session"); ok != want || err != nil {
			t.Errorf("Get of %.20q = %v, %v, want %v", value, ok, err, want)
		}
	}
}

// TestRoundTrip sends the cookies through net/http in both directions.
func TestRoundTrip(t *testing.T) {
	j := jar(t, "http://127.0.0.1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/set":
			j.Set(w, "session", "tok", time.Hour)
		case "/clear":
			j.Clear(w, "session")
		}
		v, ok, err := j.Get(r, "session")
		if err != nil {
			t.Error(err)
		}
		if ok {
			w.Header().Set("Got", v)
		}
	}))
	defer server.Close()
	client := server.Client()
	client.Jar = &memory{}
	for _, step := range []struct{ path, got string }{{"/", ""}, {"/set", ""}, {"/", "tok"}, {"/clear", "tok"}, {"/", ""}} {
		res, err := client.Get(server.URL + step.path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Got"); got != step.got {
			t.Errorf("%s: got %q, want %q", step.path, got, step.got)
		}
	}
}

// memory keeps the cookies of one host.
type memory struct{ cookies []*http.Cookie }

func (m *memory) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		m.cookies = slices.DeleteFunc(m.cookies, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 {
			m.cookies = append(m.cookies, c)
		}
	}
}

func (m *memory) Cookies(*url.URL) []*http.Cookie { return m.cookies }

// FuzzGet holds that whatever a client sends, what comes out can be set again and comes back the same.
func FuzzGet(f *testing.F) {
	f.Add("__Host-user_session=tok")
	f.Add("a=b; __Host-user_session=x;\t__Host-user_session = y")
	f.Add("__Host-user_session=\"q\"; =; ;;=")
	j := jar(f, "https://example.com")
	f.Fuzz(func(t *testing.T, line string) {
		v, ok, err := j.Get(&http.Request{Header: http.Header{"Cookie": {line}}}, "session")
		if err != nil || !ok {
			if v != "" {
				t.Fatalf("a value %q without ok", v)
			}
			return
		}
		w := httptest.NewRecorder()
		j.Set(w, "session", v, 0)
		c := w.Result().Cookies()
		if len(c) != 1 || c[0].Value != v {
			t.Fatalf("Set(%q) = %v", v, c)
		}
		again, ok, err := j.Get(&http.Request{Header: http.Header{"Cookie": {c[0].Name + "=" + c[0].Value}}}, "session")
		if again != v || !ok || err != nil {
			t.Fatalf("Get of %q = %q, %v, %v", v, again, ok, err)
		}
	})
}
