package keyring

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

const (
	// EnvVar is the name of the environment variable that holds the keys.
	EnvVar = "CUSTOS_KEYS"

	// MaxKeys is the number of keys a keyring holds at most: each one costs an HMAC for each
	// authentication.
	MaxKeys = 4

	// MinKeyBytes is the least length of a decoded key, in bytes (256 bits, ASVS 11.2.3).
	MinKeyBytes = 32

	// SampleKeys is the value printed in documentation. Its key is public, so [Parse] refuses it,
	// under any id and in any spelling, in development too: run `custos secret` for a key of your
	// own.
	SampleKeys = "1:Y3VzdG9zLXNhbXBsZS1rZXktZG8tbm90LXVzZS1pdCE="

	maxKeyID = 32767 // fits the SMALLINT column key_id on every engine

	redacted = "[redacted]"
)

// The reasons why [Parse] refuses its input. Test for them with [errors.Is].
var (
	ErrMissing   = errors.New("no key is set")
	ErrMalformed = errors.New("want id:base64 with an id from 1 to 32767")
	ErrTooShort  = errors.New("key is shorter than 32 bytes")
	ErrTooMany   = errors.New("more than 4 keys")
	ErrDuplicate = errors.New("key or id appears twice")
	ErrWeak      = errors.New("key repeats a single byte")
	ErrSample    = errors.New("key is the published sample key")
)

// Keyring holds the master keys. It is immutable and safe for concurrent use. Printing, logging and
// encoding it give "[redacted]".
type Keyring struct {
	keys []key // current first; at least one
}

type key struct {
	id int
	// secret is a closure rather than bytes: for some verbs fmt prints an unexported *Keyring of
	// another struct by reflection, past the methods below, and then finds only an address.
	secret func() []byte
}

// Parse reads the value of CUSTOS_KEYS: one to four entries id:base64, separated by commas, the
// current one first. Base64 may be standard or URL-safe, padded or not. White space around an entry
// is ignored.
//
// An error wraps one of the Err variables of this package, names the entry by its position and never
// contains any part of s, so it can be logged. A program must not start on an error.
func Parse(s string) (*Keyring, error) {
	if strings.TrimSpace(s) == "" {
		return nil, fmt.Errorf("parse %s: %w; run `custos secret` to make one", EnvVar, ErrMissing)
	}
	// One more than allowed is enough to know; the rest is not even split.
	entries := strings.SplitN(s, ",", MaxKeys+1)
	if len(entries) > MaxKeys {
		return nil, fmt.Errorf("parse %s: %w; remove the oldest", EnvVar, ErrTooMany)
	}
	k := &Keyring{}
	for i, entry := range entries {
		parsed, err := parseEntry(strings.TrimSpace(entry))
		if err == nil {
			err = k.add(parsed)
		}
		if err != nil {
			return nil, fmt.Errorf("parse %s: entry %d: %w; run `custos secret` to make a new key", EnvVar, i+1, err)
		}
	}
	return k, nil
}

func parseEntry(entry string) (key, error) {
	id, encoded, ok := strings.Cut(entry, ":")
	if !ok {
		return key{}, ErrMalformed
	}
	n, ok := parseID(id)
	if !ok {
		return key{}, ErrMalformed
	}
	secret, ok := decode(encoded)
	if !ok {
		return key{}, ErrMalformed
	}
	switch {
	case len(secret) < MinKeyBytes:
		return key{}, ErrTooShort
	case isOneByte(secret):
		return key{}, ErrWeak
	case isSample(secret):
		return key{}, ErrSample
	}
	return key{id: n, secret: func() []byte { return secret }}, nil
}

func (k *Keyring) add(n key) error {
	for _, old := range k.keys {
		// The same secret under two ids is a rotation that rotated nothing.
		if old.id == n.id || subtle.ConstantTimeCompare(old.secret(), n.secret()) == 1 {
			return ErrDuplicate
		}
	}
	k.keys = append(k.keys, n)
	return nil
}

// parseID accepts the one spelling that Generate writes: no sign, no leading zero.
func parseID(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxKeyID || strconv.Itoa(n) != s {
		return 0, false
	}
	return n, true
}

// decode accepts all four usual spellings of base64 and nothing between them.
func decode(s string) ([]byte, bool) {
	// Package base64 skips line breaks. A key that was pasted broken should be seen.
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	for _, enc := range [...]*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if b, err := enc.Strict().DecodeString(s); err == nil {
			return b, true
		}
	}
	return nil, false
}

func isOneByte(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}

func isSample(b []byte) bool {
	_, encoded, _ := strings.Cut(SampleKeys, ":")
	sample, _ := decode(encoded)
	return subtle.ConstantTimeCompare(b, sample) == 1
}

// Generate returns a new entry for CUSTOS_KEYS, "id:base64", with 32 bytes from crypto/rand. To
// rotate, put it in front of the existing entries under an id not used before. It panics if id is not
// within 1 to 32767.
func Generate(id int) string {
	if id < 1 || id > maxKeyID {
		panic("keyring: Generate: id " + strconv.Itoa(id) + " is not within 1 to 32767")
	}
	var secret [MinKeyBytes]byte
	for {
		_, _ = rand.Read(secret[:])
		// What Generate returns must parse; the odds are 2^-248, the check is free.
		if !isOneByte(secret[:]) {
			return strconv.Itoa(id) + ":" + base64.StdEncoding.EncodeToString(secret[:])
		}
	}
}

// IDs returns the key ids, the current one first.
func (k *Keyring) IDs() []int {
	ids := make([]int, len(k.keys))
	for i, key := range k.keys {
		ids[i] = key.id
	}
	return ids
}

// String implements [fmt.Stringer] and returns "[redacted]".
func (k Keyring) String() string { return redacted }

// GoString implements [fmt.GoStringer] and returns "[redacted]".
func (k Keyring) GoString() string { return redacted }

// Format implements [fmt.Formatter] and writes "[redacted]" for every verb.
func (k Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements [encoding/json.Marshaler] and gives the string "[redacted]".
func (k Keyring) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText implements [encoding.TextMarshaler] and gives "[redacted]".
func (k Keyring) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer] and gives "[redacted]".
func (k Keyring) LogValue() slog.Value { return slog.StringValue(redacted) }
