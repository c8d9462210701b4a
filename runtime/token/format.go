package token

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

const (
	entropyBytes = 32 // 256 bits, T-01
	bodyLen      = 43 // characters: 62^43 > 2^256 > 62^42, and ceil(256/6) = 43 as well
	sumLen       = 6  // characters: 62^6 > 2^32
	kind         = "_pat_"

	alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	// maxBody is 2^256-1 in base62. The alphabet is in ASCII order, so comparing strings of equal
	// length compares numbers.
	maxBody = "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"
)

// ErrPrefix is returned by [NewFormat] for a prefix it does not accept.
var ErrPrefix = errors.New("prefix must be 2 to 10 characters, a lower-case letter followed by lower-case letters and digits, for example \"acme\"")

// Format is the wire format of a token. The zero Format has no prefix. A Format is immutable,
// comparable and safe for concurrent use.
type Format struct {
	prefix string // complete, for example "acme_pat_"; or empty
	crc    uint32 // of prefix, and zeros for the body
}

// NewFormat returns the format whose tokens start with prefix + "_pat_". The prefix names the
// application: it matches [a-z][a-z0-9]{1,9}. An empty prefix gives the zero Format. All errors wrap
// [ErrPrefix].
func NewFormat(prefix string) (Format, error) {
	if prefix == "" {
		return Format{}, nil
	}
	if len(prefix) < 2 || len(prefix) > 10 || !isLower(prefix[0]) {
		return Format{}, fmt.Errorf("make token format: %w", ErrPrefix)
	}
	for i := 1; i < len(prefix); i++ {
		if c := prefix[i]; !isLower(c) && !isDigit(c) {
			return Format{}, fmt.Errorf("make token format: %w", ErrPrefix)
		}
	}
	prefix += kind
	return Format{prefix: prefix, crc: crc32.ChecksumIEEE(append([]byte(prefix), make([]byte, bodyLen)...))}, nil
}

// MustFormat is like [NewFormat] but panics on an error. It is for prefixes written in source code.
func MustFormat(prefix string) Format {
	f, err := NewFormat(prefix)
	if err != nil {
		panic("token: " + err.Error())
	}
	return f
}

// Prefix returns what every token of the format starts with, for example "acme_pat_", or "". It is
// not secret: show it in front of [Token.Last4] in a list of tokens.
func (f Format) Prefix() string { return f.prefix }

// Generate issues a token with 256 bits from crypto/rand. It cannot fail: crypto/rand ends the
// program when the system has no randomness to give, which is the only safe answer.
func (f Format) Generate() Token {
	var random [entropyBytes]byte
	_, _ = rand.Read(random[:])
	return newToken(f.encode(random))
}

func (f Format) encode(random [entropyBytes]byte) string {
	if f.prefix == "" {
		return base64.RawURLEncoding.EncodeToString(random[:])
	}
	b := make([]byte, 0, len(f.prefix)+bodyLen+sumLen)
	b = append(b, f.prefix...)
	b = appendBase62(b, random)
	sum := crc32.ChecksumIEEE(b)
	b = b[:len(b)+sumLen]
	for i := len(b) - 1; i >= len(b)-sumLen; i-- {
		b[i] = alphabet[sum%62]
		sum /= 62
	}
	return string(b)
}

// appendBase62 appends the 43 base62 digits of a 256-bit big-endian number, left padded with '0'.
//
// It divides the whole number. Taking each random byte modulo 62 would be shorter and would make the
// first eight letters a quarter more likely than the others.
func appendBase62(dst []byte, random [entropyBytes]byte) []byte {
	var words [entropyBytes / 4]uint32
	for i := range words {
		words[i] = binary.BigEndian.Uint32(random[4*i:])
	}
	var digits [bodyLen]byte
	for i := len(digits) - 1; i >= 0; i-- {
		var rest uint64
		for j := range words {
			n := rest<<32 | uint64(words[j])
			words[j], rest = uint32(n/62), n%62
		}
		digits[i] = alphabet[rest]
	}
	return append(dst, digits[:]...)
}

// Valid reports whether s is a string that [Format.Generate] could have returned: exact length,
// prefix, alphabet, a number below 2^256 in its one spelling, and the right checksum. It says nothing
// about whether s was issued. Use it to answer 401 without a query (T-07, T-11).
//
// Each accepted string stands for different random bytes, so no two spellings name one token. Valid
// does not allocate. It may stop early and so does not run in constant time; it works on nothing but
// s and public constants.
func (f Format) Valid(s string) bool {
	if f.prefix == "" {
		return validBase64(s)
	}
	rest, ok := strings.CutPrefix(s, f.prefix)
	if !ok || len(rest) != bodyLen+sumLen {
		return false
	}
	var all byte
	crc := f.crc
	for i := range weights {
		d := base62[rest[i]]
		all |= d
		crc ^= weights[i][d%64]
	}
	var sum uint64 // 62^6 needs 36 bits
	for i := bodyLen; i < bodyLen+sumLen; i++ {
		d := base62[rest[i]]
		all |= d
		sum = sum*62 + uint64(d)
	}
	return all&notDigit == 0 && sum == uint64(crc) && rest[:bodyLen] <= maxBody
}

func validBase64(s string) bool {
	// 43 characters hold 258 bits. The last two are padding; if they could be set, four spellings
	// would decode to the same bytes.
	return len(s) == bodyLen && base64url.spells(s) && base64url[s[bodyLen-1]]&3 == 0
}

// digits has the value of each character of an alphabet, and notDigit for all other bytes.
type digits [256]byte

const notDigit = 0x80 // a bit that no value has

// These tables and weights are only read. They make Valid several times as fast as comparisons do,
// and it runs for every request.
var (
	base62    = digitsOf(alphabet)
	base64url = digitsOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
)

func digitsOf(alphabet string) (d digits) {
	for c := range d {
		d[c] = notDigit
	}
	for value, c := range []byte(alphabet) {
		d[c] = byte(value)
	}
	return d
}

// spells reports whether s is in the alphabet. It looks at eight bytes at a time.
func (d *digits) spells(s string) bool {
	var all byte
	for ; len(s) >= 8; s = s[8:] {
		all |= d[s[0]] | d[s[1]] | d[s[2]] | d[s[3]] | d[s[4]] | d[s[5]] | d[s[6]] | d[s[7]]
	}
	for i := range len(s) {
		all |= d[s[i]]
	}
	return all&notDigit == 0
}

// weights[i][d] is what the digit d at place i of a body does to the checksum. A CRC is linear: what a byte does depends on
// its place and on no other byte. crc32.Update takes a slice that escapes, which would cost an allocation for each request.
var weights = func() (w [bodyLen][64]uint32) {
	var body [bodyLen]byte
	zero := crc32.ChecksumIEEE(body[:])
	for i := range w {
		for d, c := range []byte(alphabet) {
			body[i] = c
			w[i][d] = crc32.ChecksumIEEE(body[:]) ^ zero
		}
		body[i] = 0
	}
	return w
}()

// Pattern returns a regular expression (RE2 syntax, also valid in PCRE) that finds tokens of this
// format in source code and logs, to be registered with secret scanners. It matches every token that
// was issued; verify a hit's checksum with [Format.Valid].
//
// It returns "" for a format without a prefix, because such tokens cannot be told from any other
// random text. Do not compile that: the empty expression matches everything.
func (f Format) Pattern() string {
	if f.prefix == "" {
		return ""
	}
	return fmt.Sprintf(`\b%s[0-9A-Za-z]{%d}\b`, f.prefix, bodyLen+sumLen)
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
