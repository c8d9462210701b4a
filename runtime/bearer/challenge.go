package bearer

import (
	"net/http"
	"strings"
)

// The error codes of RFC 6750 section 3.1, for [Challenge].
const (
	// InvalidRequest goes with status 400: the credentials are malformed.
	InvalidRequest = "invalid_request"
	// InvalidToken goes with status 401: the token is unknown, expired or revoked. Do not say which.
	InvalidToken = "invalid_token"
	// InsufficientScope goes with status 403: the token is good, its scopes are not enough.
	InsufficientScope = "insufficient_scope"
)

// Challenge is the content of a WWW-Authenticate header (RFC 9110 section 11.6.1, RFC 6750 section 3).
type Challenge struct {
	// Realm names the application to the client. It may be any text; see [Challenge.String].
	Realm string
	// Error is [InvalidRequest], [InvalidToken], [InsufficientScope], or empty. It must be empty when
	// the request carried no credentials: such a client is told how to authenticate and nothing more.
	Error string
	// Scope lists the scopes needed, separated by spaces. Empty means that none are named.
	Scope string
}

// String returns the header's value, for example
//
//	Bearer realm="acme", error="insufficient_scope", scope="posts:write"
//
// No field can break out of its quotes or of the header. Realm keeps printable ASCII, with quotes and
// backslashes escaped; all else is dropped, line breaks above all. Error and Scope keep the characters
// that RFC 6750 section 3 allows them, which include neither quotes nor backslashes.
func (c Challenge) String() string {
	var b strings.Builder
	b.WriteString(scheme + ` realm="`)
	for i := 0; i < len(c.Realm); i++ {
		switch ch := c.Realm[i]; {
		case ch < ' ' || ch > '~':
		case ch == '"' || ch == '\\':
			b.WriteByte('\\')
			b.WriteByte(ch)
		default:
			b.WriteByte(ch)
		}
	}
	b.WriteByte('"')
	writeParam(&b, "error", c.Error)
	writeParam(&b, "scope", c.Scope)
	return b.String()
}

// writeParam appends a parameter unless nothing of its value may be sent.
func writeParam(b *strings.Builder, name, value string) {
	value = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, value)
	if value != "" {
		b.WriteString(`, ` + name + `="` + value + `"`)
	}
}

// Set writes c into h, which is the header of the response, in place of other challenges.
func (c Challenge) Set(h http.Header) { h.Set("WWW-Authenticate", c.String()) }
