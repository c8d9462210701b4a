package cookie

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// MaxValue is the length of the longest value, in bytes. Browsers keep no more than 4096 for name, value
// and attributes together.
const MaxValue = 4096

const hostPrefix = "__Host-"

// ErrDuplicate is returned by [Jar.Get] when a request carries a cookie twice. Answer it with 400.
var ErrDuplicate = errors.New("cookie appears twice in one request")

// Jar sets, reads and clears the cookies of one model. It is immutable and safe for concurrent use.
type Jar struct {
	prefix string // complete, for example "__Host-user_"
	secure bool
}

// New returns the jar for the URL at which browsers reach the application. The name of a cookie is
// "__Host-" + prefix + "_" + name; prefix keeps models apart, and applications that share localhost, whose
// ports share their cookies. It is a letter followed by up to 31 letters, digits, '-' or '_'.
//
// A base URL is https, or http on localhost, 127.0.0.1 or [::1] with any port; only for the latter the
// cookies have no "__Host-" and are not Secure. Everything else is an error, to stop the program at its
// start: a cookie in clear text is everybody's.
func New(base *url.URL, prefix string) (*Jar, error) {
	if !validPrefix(prefix) {
		return nil, fmt.Errorf("make cookie jar: prefix %q is not a letter followed by up to 31 letters, digits, '-' or '_'", prefix)
	}
	switch {
	case base == nil || base.Hostname() == "":
		return nil, errors.New("make cookie jar: the base URL has no host; set it to where browsers reach the application, such as https://www.example.com")
	case base.Scheme == "https":
		return &Jar{prefix: hostPrefix + prefix + "_", secure: true}, nil
	case base.Scheme == "http" && isLoopback(base.Hostname()):
		return &Jar{prefix: prefix + "_"}, nil
	}
	return nil, fmt.Errorf("make cookie jar: the base URL %s://%s would send cookies in clear text; set it to https://..., or to http://localhost, http://127.0.0.1 or http://[::1] for development",
		base.Scheme, base.Host)
}

func validPrefix(s string) bool {
	return s != "" && len(s) <= 32 && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') && validValue(s) && !strings.Contains(s, ".")
}

// isLoopback takes names for what they say and resolves nothing: what a name resolves to is not up to us.
func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1"
}

// Name returns the full name of a cookie, for example "__Host-user_session".
func (j *Jar) Name(name string) string { return j.prefix + name }

// Set makes the browser keep value for maxAge, or until it closes if that is 0; a negative maxAge clears
// the cookie. It replaces what this response has said about that cookie before.
//
// The name is letters, digits, '-' and '_', and the value what [Jar.Get] would return: 1 to [MaxValue]
// letters, digits, '-', '_' and '.'. Both come from the program, not from a request. With any other value
// nothing is set, so nobody is signed in: such a mistake shows in the first test and harms no one.
//
// The browser's clock decides when a cookie ends, so a lifetime must be kept on the server as well.
func (j *Jar) Set(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	if maxAge < 0 {
		j.Clear(w, name)
		return
	}
	if !validValue(value) {
		return
	}
	c := j.cookie(name, value)
	c.MaxAge = int((maxAge + time.Second - 1) / time.Second) // 0 would mean: until the browser closes
	set(w, c)
}

// Clear makes the browser forget a cookie, in place of what this response has said about it before.
func (j *Jar) Clear(w http.ResponseWriter, name string) {
	c := j.cookie(name, "")
	c.MaxAge = -1
	c.Expires = time.Unix(1, 0) // for clients that do not know Max-Age
	set(w, c)
}

func (j *Jar) cookie(name, value string) *http.Cookie {
	return &http.Cookie{
		Name: j.Name(name), Value: value,
		Path: "/", Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// set adds c to the response without leaving two lines for one name, of which browsers would take the
// last and other clients either (RFC 6265 section 4.1.1 forbids it).
func set(w http.ResponseWriter, c *http.Cookie) {
	line := c.String()
	if line == "" { // the name is no cookie name
		return
	}
	h := w.Header()
	var kept []string
	for _, other := range h["Set-Cookie"] {
		if !strings.HasPrefix(other, c.Name+"=") {
			kept = append(kept, other)
		}
	}
	h["Set-Cookie"] = append(kept, line)
}

// Get returns the value of a cookie. ok is false if the request has none, or one that [Jar.Set] cannot
// have set: empty, longer than [MaxValue], or with a character that no token has. What it returns comes
// from the client; it is a string that could be a token and no more.
//
// Two cookies of one name are [ErrDuplicate], whatever their values (requirement D-04): one of them was
// planted, and taking the first or the last lets the attacker choose.
func (j *Jar) Get(r *http.Request, name string) (value string, ok bool, err error) {
	want := j.Name(name)
	seen := false
	for _, line := range r.Header["Cookie"] {
		for part := range strings.SplitSeq(line, ";") {
			// Only ASCII blanks are trimmed. Servers that trim more take a cookie that the browser let
			// anybody set, "\u2000__Host-...", for the real one. net/http would also skip parts that it
			// cannot read, and then a duplicate would not show.
			got, v, _ := strings.Cut(strings.Trim(part, " \t"), "=")
			if got != want {
				continue
			}
			if seen {
				return "", false, ErrDuplicate
			}
			seen, value = true, v
		}
	}
	if !validValue(value) {
		return "", false, nil
	}
	return value, true, nil
}

func validValue(s string) bool {
	if s == "" || len(s) > MaxValue {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
