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
	name, tok, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(name, scheme) { // no letter of it has a twin outside of ASCII
		if !isToken(name) {
			return "", ErrMalformed
		}
		return "", ErrMissing
	}
	if len(tok) > MaxTokenBytes || !isB64Token(tok) {
		return "", ErrMalformed
	}
	return tok, nil
}

// isB64Token reports whether s is 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=".
func isB64Token(s string) bool {
	n := 0
	for n < len(s) && b64Bytes[s[n]] {
		n++
	}
	return n > 0 && strings.TrimLeft(s[n:], "=") == ""
}

// b64Bytes has the bytes of a b64token but "=". It is only read: a lookup for each byte of each request
// costs a fifth of the comparisons.
var b64Bytes = func() (set [256]bool) {
	for c := range 256 {
		set[c] = isAlphanumeric(byte(c)) || strings.IndexByte("-._~+/", byte(c)) >= 0
	}
	return set
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
