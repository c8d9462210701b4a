package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
)

const (
	// DigestLen is the length of a digest: 64 lower-case hexadecimal digits of ASCII.
	DigestLen = 2 * sha256.Size

	tokenUse  = "token/" // the sub-keys of digests; Derive gives them to nobody
	version   = "v1"
	separator = "\x1f"

	// maxPooled is the largest token buffer kept for reuse, in bytes. Real tokens are below 600.
	maxPooled = 4096
)

// Digester computes the digests of the tokens of one purpose and one model. Make it once, at start-up:
// that derives the sub-keys. It is safe for concurrent use and must not be copied.
type Digester struct {
	keys []digestKey // current first
}

type digestKey struct {
	id     int
	states *sync.Pool // of *state
}

// state is an HMAC that is set up with its sub-key, with the memory for one computation, so that
// verifying a request's token allocates nothing.
type state struct {
	mac    hash.Hash
	input  []byte // starts with the header
	header int
	sum    [sha256.Size]byte
}

// Digester returns the digester for one purpose, such as "api_token", and one model, such as
// "ApiClient". Other values of either give unrelated digests (T-03, T-04).
//
// It panics if purpose or model is empty or contains the separator 0x1f: both are constants of the
// calling program, and an ambiguous one would let digests move between models. It also panics on a
// Keyring that did not come from [Parse].
func (k *Keyring) Digester(purpose, model string) *Digester {
	if len(k.keys) == 0 {
		panic("keyring: Digester: the keyring holds no key; make it with Parse")
	}
	for _, s := range [...]string{purpose, model} {
		if s == "" || strings.Contains(s, separator) {
			panic("keyring: Digester: purpose and model must not be empty or contain 0x1f")
		}
	}
	header := version + separator + model + separator
	d := &Digester{keys: make([]digestKey, len(k.keys))}
	for i, key := range k.keys {
		sub := key.derive(tokenUse + purpose)
		d.keys[i] = digestKey{id: key.id, states: &sync.Pool{New: func() any {
			return &state{mac: hmac.New(sha256.New, sub), input: []byte(header), header: len(header)}
		}}}
	}
	return d
}

// digest leaves the digest of tok in s.sum.
func (s *state) digest(tok string) {
	s.input = append(s.input[:s.header], tok...)
	s.mac.Reset()
	_, _ = s.mac.Write(s.input) // a hash.Hash never fails
	s.mac.Sum(s.sum[:0])
}

// release puts s back without the token: a pool outlives requests by minutes.
func (k digestKey) release(s *state) {
	clear(s.input[s.header:])
	if cap(s.input) <= maxPooled {
		k.states.Put(s)
	}
}

func (k digestKey) get() *state { return k.states.Get().(*state) }

// KeyID returns the id of the current key: what to store beside [Digester.Digest].
func (d *Digester) KeyID() int { return d.keys[0].id }

// Digest returns the digest of tok under the current key, to be stored when tok is issued.
func (d *Digester) Digest(tok string) string {
	k := d.keys[0]
	s := k.get()
	defer k.release(s)
	s.digest(tok)
	return encode(&s.sum)
}

// Digests returns the digest of tok under every key, the current one first. It returns none for an
// empty token, which never authenticates anything (T-11).
func (d *Digester) Digests(tok string) []string {
	c := d.Candidates(tok)
	return c.Strings()
}

// Verify reports whether stored is the digest of tok under one of the keys, and whether that is the
// current one; if it is not, digest tok anew and store that. An empty tok or stored never verifies
// (T-11).
//
// The comparison runs in constant time (T-09). Which key matched is not secret, so Verify stops at
// the first. It allocates nothing.
func (d *Digester) Verify(tok, stored string) (current, ok bool) {
	if tok == "" {
		return false, false
	}
	for i, k := range d.keys {
		s := k.get()
		s.digest(tok)
		same := spells(stored, &s.sum)
		k.release(s)
		if same {
			return i == 0, true
		}
	}
	return false, false
}

// TagLen is the length of a tag: 128 bits in characters of base64url.
const TagLen = 22

const tagBytes = 16

// Tag returns the first 128 bits of the digest of text under the current key, in base64url (RFC 4648 section 5): a token
// that is computed whenever it is needed, and stored nowhere.
func (d *Digester) Tag(text string) string {
	k := d.keys[0]
	s := k.get()
	defer k.release(s)
	s.digest(text)
	return base64.RawURLEncoding.EncodeToString(s.sum[:tagBytes])
}

// VerifyTag reports whether tag is the tag of text under one of the keys, and whether that is the current one: if so, it is
// what [Digester.Tag] returns. The comparison runs in constant time (T-09), and allocates nothing. Comparing the texts leaves
// nothing to decode, and so no second spelling. Nothing is the tag of an empty text (T-11).
func (d *Digester) VerifyTag(text, tag string) (current, ok bool) {
	if text == "" || len(tag) != TagLen {
		return false, false
	}
	var presented, computed [TagLen]byte
	copy(presented[:], tag)
	for i, k := range d.keys {
		s := k.get()
		s.digest(text)
		base64.RawURLEncoding.Encode(computed[:], s.sum[:tagBytes])
		k.release(s)
		if subtle.ConstantTimeCompare(computed[:], presented[:]) == 1 {
			return i == 0, true
		}
	}
	return false, false
}

// Candidates are the digests that a stored token may have: one for each key. The zero Candidates
// match nothing. It is a plain value of some hundred bytes, kept on the stack between the query and the
// comparison.
type Candidates struct {
	digests [MaxKeys][sha256.Size]byte // current first
	n       int
}

// Candidates computes the digests of tok under every key, once, without allocating. There are none
// for an empty token.
func (d *Digester) Candidates(tok string) (c Candidates) {
	if tok == "" {
		return c
	}
	for i, k := range d.keys {
		s := k.get()
		s.digest(tok)
		c.digests[i] = s.sum
		k.release(s)
	}
	c.n = len(d.keys)
	return c
}

// Len returns the number of digests, from 0 to [MaxKeys].
func (c *Candidates) Len() int { return c.n }

// Strings returns the digests, the current key's first, as the parameter of a query.
func (c *Candidates) Strings() []string {
	out := make([]string, c.n)
	for i := range out {
		out[i] = encode(&c.digests[i])
	}
	return out
}

// Match reports whether stored, a digest read from the database, is one of c, and whether it is the
// current key's. Call it on every row a query returns: a database may compare more loosely than by
// bytes (T-08). All digests are compared, each in constant time (T-09); nothing is allocated.
func (c *Candidates) Match(stored string) (current, ok bool) {
	for i := range c.n {
		same := spells(stored, &c.digests[i])
		current = current || same && i == 0
		ok = ok || same
	}
	return current, ok
}

// spells reports whether text is a digest as [Digester.Digest] writes it. It takes constant time (T-09): it goes
// through all words, by arithmetic alone. Comparing the texts leaves nothing to decode, and so no second spelling.
func spells(text string, sum *[sha256.Size]byte) bool {
	if len(text) != DigestLen {
		return false
	}
	var different uint64
	for i := range DigestLen / 8 {
		different |= binary.BigEndian.Uint64([]byte(text[8*i:8*i+8])) ^ hexWord(binary.BigEndian.Uint32(sum[4*i:]))
	}
	return different == 0
}

// encode writes a digest in hexadecimal. Package hex would look digits up, which leaves traces in the cache.
func encode(sum *[sha256.Size]byte) string {
	var text [DigestLen]byte
	for i := range DigestLen / 8 {
		binary.BigEndian.PutUint64(text[8*i:], hexWord(binary.BigEndian.Uint32(sum[4*i:])))
	}
	return string(text[:])
}

// hexWord returns the eight lower-case hexadecimal digits of v, one in each byte of a word.
func hexWord(v uint32) uint64 {
	const ones = 0x0101010101010101
	// Open gaps: abcdefgh becomes 0a0b0c0d0e0f0g0h.
	values := uint64(v)
	values = (values | values<<16) & 0x0000ffff0000ffff
	values = (values | values<<8) & 0x00ff00ff00ff00ff
	values = (values | values<<4) & 0x0f0f0f0f0f0f0f0f
	// '0' + value, and more for the letters.
	letters := (values + 6*ones) >> 4 & ones
	return values + '0'*ones + ('a'-'9'-1)*letters
}

// Format implements [fmt.Formatter] and writes "[redacted]" for every verb: digests are looked up by
// value, so they do not belong into logs.
func (c Candidates) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// Format implements [fmt.Formatter] and writes "[redacted]" for every verb.
func (d *Digester) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }
