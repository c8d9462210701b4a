package token

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what every printing path of a Token gives.
const redacted = "[redacted]"

// Token is an opaque secret that was just issued. Show it to its owner once and store only a digest
// of it (T-02).
//
// Printing, logging and encoding a Token give "[redacted]", also when it is an unexported field of a
// printed struct. Tokens cannot be compared with ==, which would not run in constant time (T-09).
// The zero Token holds no secret. A Token is immutable and safe for concurrent use.
type Token struct {
	// A closure rather than a string: fmt, debug printers and serialisers that walk unexported
	// fields by reflection, and so never reach the methods below, find only an address. It also
	// makes the type not comparable.
	expose func() string
}

func newToken(secret string) Token {
	return Token{expose: func() string { return secret }}
}

// Expose returns the secret in clear, or "" for the zero Token. It is the only way out: call it where
// the secret is handed to its owner and where its digest is computed, nowhere else.
func (t Token) Expose() string {
	if t.expose == nil {
		return ""
	}
	return t.expose()
}

// Last4 returns the last four characters, by which an owner tells tokens apart in a list, or "" for
// the zero Token. They are part of the checksum or of the random part; either way more than 230
// unknown bits remain.
func (t Token) Last4() string {
	s := t.Expose()
	if len(s) < 4 {
		return ""
	}
	return s[len(s)-4:]
}

// IsZero reports whether t holds no secret.
func (t Token) IsZero() bool { return t.expose == nil }

// String implements [fmt.Stringer] and returns "[redacted]".
func (t Token) String() string { return redacted }

// GoString implements [fmt.GoStringer] and returns "[redacted]".
func (t Token) GoString() string { return redacted }

// Format implements [fmt.Formatter] and writes "[redacted]" for every verb, also for those that
// ignore String, like %d and %x.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements [encoding/json.Marshaler] and gives the string "[redacted]". It never fails.
func (t Token) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements [encoding.TextMarshaler] and gives "[redacted]". It never fails.
func (t Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer] and gives "[redacted]".
func (t Token) LogValue() slog.Value { return slog.StringValue(redacted) }
