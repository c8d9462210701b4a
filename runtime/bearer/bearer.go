package bearer

import (
	"errors"
	"net/http"
	"strings"
)

// MaxTokenBytes is the length of the longest token that [FromHeader] returns (T-11).
const MaxTokenBytes = 512

const scheme = "Bearer"

var (
	// ErrMissing says that the request carries no bearer credentials: it has no Authorization header,
	// or one of another scheme. Answer 401 with a [Challenge] that has no error code.
	ErrMissing = errors.New("read Authorization header: no bearer credentials; send \"Authorization: Bearer <token>\"")

	// ErrMalformed says that the request carries an Authorization header that is not exactly one
	// well-formed bearer token. Answer 400 with a [Challenge] of [InvalidRequest].
	ErrMalformed = errors.New("read Authorization header: malformed; send \"Authorization: Bearer <token>\" once")
)

// FromHeader returns the bearer token of a request's headers, unverified. The error is [ErrMissing] or
// [ErrMalformed]; neither contains any part of the header.
//
// The grammar is that of RFC 6750 section 2.1, with exactly one space: the scheme in any case, and 1 to
// [MaxTokenBytes] characters of b64token. More than one Authorization header is malformed even if they
// are equal (D-04), because a proxy in front may have looked at the other one. FromHeader does not
// allocate and only reads h.
func FromHeader(h http.Header) (string, error) {
	values := h["Authorization"]
	if len(values) == 0 {
		return "", ErrMissing
	}
	if len(values) > 1 {
		return "", ErrMalformed
	}
	tok, ok := strings.CutPrefix(values[0], scheme+" ") // nearly always
	if !ok {
		var name string
		name, tok, _ = strings.Cut(values[0], " ")
		if !isToken(name) {
			return "", ErrMalformed
		}
		if !strings.EqualFold(name, scheme) {
			return "", ErrMissing
		}
	}
	if len(tok) > MaxTokenBytes || !isB64Token(tok) {
		return "", ErrMalformed
	}
	return tok, nil
}

// isB64Token reports whether s is 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
func isB64Token(s string) bool {
	switch classesIn(s) {
	case 0:
		return s != ""
	case padding:
		body := strings.TrimRight(s, "=")
		return body != "" && strings.IndexByte(body, '=') < 0
	}
	return false
}

// classesIn returns the classes of the bytes of s, or-ed. It looks at eight bytes at a time.
func classesIn(s string) (all byte) {
	for ; len(s) >= 8; s = s[8:] {
		all |= classes[s[0]] | classes[s[1]] | classes[s[2]] | classes[s[3]] |
			classes[s[4]] | classes[s[5]] | classes[s[6]] | classes[s[7]]
	}
	for i := range len(s) {
		all |= classes[s[i]]
	}
	return all
}

// The classes of bytes in a b64token. All others are in class 0.
const (
	padding = 1 << iota
	forbidden
)

// classes has the class of each byte. It is only read. FromHeader runs for every request, and a lookup
// costs a fraction of the comparisons.
var classes = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case c == '=':
			t[i] = padding
		case !isAlphanumeric(c) && strings.IndexByte("-._~+/", c) < 0:
			t[i] = forbidden
		}
	}
	return t
}()

// isToken reports whether s is a token of RFC 9110 section 5.6.2, as every scheme is. What starts
// otherwise is not another scheme but garbage.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlphanumeric(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
