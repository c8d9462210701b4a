// Package redirect decides where a server may send a browser, and builds the address with what it has to tell there.
//
// The threat is the open redirect: a link to an honest server that ends at somebody else's, and, when the address carries
// a token, hands it over. So a target is compared in its parts, never as text: in text, https://app.example is the
// beginning of https://app.example.evil.test, and *.app.example is in https://evil.test/?.app.example (requirement of
// ASVS 3.7.2; devise_token_auth's redirect_whitelist has both faults).
package redirect

import (
	"net/url"
	"slices"
	"strings"
)

// maxLength is the longest target, in bytes. Browsers and proxies take no longer ones for sure.
const maxLength = 2000

// Whitelist is where browsers may be sent. Each entry is an origin, https://app.example or http://localhost:4200, with any
// path; or it goes on with a path, to which the target's must be equal. In an entry * stands for any characters of the
// part that it is in: https://*.app.example is every host below app.example, myapp://* is an app's own scheme, and
// https://app.example/welcome* is all that begins with that. The entry * is everything. Case counts in paths only.
type Whitelist []string

// Allows reports whether a target is an absolute URL that an entry describes. A target with a name and password in it, with
// white space or a control character, with a backslash, which browsers take for a slash, or with a segment . or .. in its
// path, which they leave out, never is.
func (w Whitelist) Allows(target string) bool {
	u, ok := parse(target)
	return ok && slices.ContainsFunc(w, func(entry string) bool { return allows(entry, u) })
}

func parse(target string) (*url.URL, bool) {
	if len(target) > maxLength || strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return nil, false
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme == "" || u.Opaque != "" || u.User != nil || u.Host == "" {
		return nil, false
	}
	if slices.ContainsFunc(strings.Split(u.EscapedPath(), "/"), dots) {
		return nil, false
	}
	switch strings.ToLower(u.Scheme) {
	case "javascript", "data", "vbscript", "file", "about", "blob":
		return nil, false
	}
	return u, true
}

// dots reports whether a browser takes a segment of a path for the folder that it is in, or the one above: . and .., each dot
// also as %2e.
func dots(segment string) bool {
	if len(segment) > len("%2e%2e") {
		return false
	}
	segment = strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
	return segment == "." || segment == ".."
}

func allows(entry string, u *url.URL) bool {
	if entry == "*" {
		return true
	}
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok {
		return false
	}
	host, path, hasPath := strings.Cut(rest, "/")
	if !like(strings.ToLower(scheme), strings.ToLower(u.Scheme)) || !like(origin(scheme, host), origin(u.Scheme, u.Host)) {
		return false
	}
	if !hasPath {
		return true
	}
	got := u.EscapedPath()
	if u.RawQuery != "" && strings.Contains(path, "*") {
		got += "?" + u.RawQuery
	}
	return like("/"+path, got) || path == "" && got == ""
}

// origin is a host and its port in one spelling.
func origin(scheme, host string) string {
	host = strings.ToLower(host)
	switch strings.ToLower(scheme) {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// like reports whether text is what the pattern says, where * is any characters.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

// With returns a target with more parameters: behind those that it has, sorted by name, form-encoded. When the target has a
// fragment, the whole query is repeated behind it, for applications that have their routes there. The result is "" for
// what [Whitelist.Allows] would never allow.
func With(target string, parameters url.Values) string {
	u, ok := parse(target)
	if !ok {
		return ""
	}
	u.Host = origin(u.Scheme, u.Host)
	query := u.RawQuery
	if more := parameters.Encode(); more != "" {
		if query != "" {
			query += "&"
		}
		query += more
	}
	fragment := u.EscapedFragment()
	u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = query, "", "", false
	out := u.String()
	if fragment != "" {
		out += "#" + fragment
		if query != "" {
			out += "?" + query
		}
	}
	return out
}

// BehindHash returns a target with parameters behind its #, where applications that have their routes there read them, and
// nowhere else: https://app.example/x becomes https://app.example/x#?a=b. The result is "" for what [Whitelist.Allows] would
// never allow.
func BehindHash(target string, parameters url.Values) string {
	u, ok := parse(target)
	if !ok {
		return ""
	}
	u.Host = origin(u.Scheme, u.Host)
	fragment := u.EscapedFragment()
	u.Fragment, u.RawFragment = "", ""
	return u.String() + "#" + fragment + "?" + parameters.Encode()
}
