package redirect

import (
	"net/url"
	"strings"
	"testing"
)

func TestAllows(t *testing.T) {
	for _, c := range []struct {
		entry, target string
		want          bool
	}{
		{"https://app.example", "https://app.example", true},
		{"https://app.example", "https://APP.example:443/x?y=1#z", true},
		{"https://app.example:443", "https://app.example/", true},
		{"https://app.example", "https://app.example.evil.test/", false},
		{"https://app.example", "https://evil.test/https://app.example", false},
		{"https://app.example", "https://app.example@evil.test/", false},
		{"https://app.example", "http://app.example/", false},
		{"https://app.example", "https://app.example:8443/", false},
		{"https://app.example", "//app.example/", false},
		{"https://app.example", "/welcome", false},
		{"https://app.example", "", false},
		{"https://app.example", "https://app.example\\@evil.test", false},
		{"https://app.example", "https://evil.test\nhttps://app.example", false},
		{"https://app.example", " https://app.example", false},
		{"https://*.app.example", "https://a.b.app.example/x", true},
		{"https://*.app.example", "https://app.example/", false},
		{"https://*.app.example", "https://evil.test/?.app.example", false},
		{"https://*.app.example*", "https://evil.test/x.app.example", false},
		{"http://localhost:*", "http://localhost:4200/", true},
		{"http://localhost:*", "http://localhost.evil.test:4200/", false},
		{"https://app.example/done", "https://app.example/done", true},
		{"https://app.example/done", "https://app.example/done?x=1", true},
		{"https://app.example/done", "https://app.example/undone", false},
		{"https://app.example/done*", "https://app.example/done/x?y=2", true},
		{"https://app.example/*", "https://app.example/", true},
		{"http*://app.example", "https://app.example/", true},
		{"myapp://*", "myapp://reset", true},
		{"*", "https://any.test/", true},
		{"*", "javascript://any.test/%0aalert(1)", false},
		{"*", "com.app:/cb", false},
		{"app.example", "https://app.example", false},
		{"https://app.example/acme/*", "https://app.example/acme/x/.../.x/x./y", true},
		{"https://app.example/acme/*", "https://app.example/acme/?x=/../y#/../z", true},
		{"https://app.example/acme/*", "https://app.example/acme/../mallory", false},
		{"https://app.example/acme/*", "https://app.example/acme/%2e%2e/mallory", false},
		{"https://app.example/acme/*", "https://app.example/acme/.%2E/mallory", false},
		{"https://app.example/acme/*", "https://app.example/acme/%2E./mallory", false},
		{"https://app.example/acme/*", "https://app.example/acme/x/..", false},
		{"https://app.example/acme/*", "https://app.example/acme/./x", false},
		{"https://app.example/acme*", "https://app.example/acme/%2e", false},
		{"*", "https://any.test/" + strings.Repeat("x", maxLength), false},
	} {
		if got := (Whitelist{"https://other.example", c.entry}).Allows(c.target); got != c.want {
			t.Errorf("%s allows %q: %v", c.entry, c.target, got)
		}
	}
	if (Whitelist)(nil).Allows("https://app.example") {
		t.Error("an empty list allows something")
	}
}

// MOD-19 of the protocol of DeviseTokenAuth.
func TestWith(t *testing.T) {
	values := url.Values{"b": {"1 2"}, "a": {""}}
	for _, c := range []struct{ target, want string }{
		{"http://h/x", "http://h/x?a=&b=1+2"},
		{"http://h:80/x?z=%20&a=1", "http://h/x?z=%20&a=1&a=&b=1+2"},
		{"http://h:443/", "http://h:443/?a=&b=1+2"},
		{"http://h:8080", "http://h:8080?a=&b=1+2"},
		{"http://h/x?q=1#frag", "http://h/x?q=1&a=&b=1+2#frag?q=1&a=&b=1+2"},
		{"http://h/#/login", "http://h/?a=&b=1+2#/login?a=&b=1+2"},
		{"myapp://reset", "myapp://reset?a=&b=1+2"},
		{"http://name:secret@h/", ""},
		{"com.app:/cb", ""},
		{"/x", ""},
	} {
		if got := With(c.target, values); got != c.want {
			t.Errorf("With(%q) = %q, want %q", c.target, got, c.want)
		}
	}
}

func TestBehindHash(t *testing.T) {
	values := url.Values{"b": {"1 2"}, "a": {""}}
	for _, c := range []struct{ target, want string }{
		{"http://h/x", "http://h/x#?a=&b=1+2"},
		{"http://h:80/x?q=1#/login", "http://h/x?q=1#/login?a=&b=1+2"},
		{"http://h", "http://h#?a=&b=1+2"},
		{"http://name:secret@h/", ""},
		{"/x", ""},
	} {
		if got := BehindHash(c.target, values); got != c.want {
			t.Errorf("BehindHash(%q) = %q, want %q", c.target, got, c.want)
		}
	}
}

// Whatever the target and the parameters: the browser goes to the host that was allowed, and, where the entry says so, below
// the path.
func FuzzWith(f *testing.F) {
	f.Add("https://app.example/x?y=1#z", "k", "v")
	f.Add("https://app.example\\@evil.test", "k\n", "v&x=1#")
	f.Add("https://app.example/acme/%2E./mallory", "k", "v")
	f.Fuzz(func(t *testing.T, target, key, value string) {
		w := Whitelist{"https://app.example", "https://*.app.example"}
		if below := (Whitelist{"https://app.example/acme/*"}); below.Allows(target) {
			u, err := url.Parse(target)
			if err != nil || !strings.HasPrefix(u.JoinPath().Path, "/acme/") { // JoinPath takes dots out, as browsers do
				t.Errorf("%q is below /acme/: %v", target, err)
			}
		}
		if !w.Allows(target) {
			return
		}
		out := With(target, url.Values{key: {value}})
		u, err := url.Parse(out)
		if err != nil || u.Scheme != "https" || u.Host != "app.example" && !strings.HasSuffix(u.Host, ".app.example") || strings.ContainsAny(out, "\r\n\\ ") {
			t.Errorf("%q becomes %q: %v", target, out, err)
		}
		behind, err := url.Parse(BehindHash(target, url.Values{key: {value}}))
		if err != nil || behind.Scheme != u.Scheme || behind.Host != u.Host || behind.Path != u.Path {
			t.Errorf("%q becomes %v behind the #: %v", target, behind, err)
		}
		if u.Query().Get(key) != value && !strings.Contains(u.RawQuery, url.QueryEscape(key)+"=") {
			t.Errorf("%q: %q has no %q", target, out, key)
		}
	})
}
