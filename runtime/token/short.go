package token

import (
	"crypto/rand"
	"strings"
)

// crockford is the alphabet of Crockford's base32: no I, L, O and U, which people misread or would rather not
// read.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	backupLen = 24 // characters of 5 bits
	codeLen   = 8
	groupLen  = 4
)

// Backup issues a backup code, to be printed and typed: 24 characters of Crockford's base32 in groups of four,
// for example "7QJ4-0F2M-...". It has 120 bits from crypto/rand, which ASVS 6.5.2 allows to be stored as a keyed
// digest (at least 112, requirement F-07). Digest [Token.Expose] as it is: [NormalizeBackup] gives the same
// spelling back.
func Backup() Token {
	return typed(backupLen)
}

// Code issues a code that is mailed and typed once: 8 characters as those of [Backup], for example "7QJ4-0F2M". It has
// 40 bits from crypto/rand: such a code must end after minutes and after a few attempts, which are counted before they are
// looked at, and be digested together with what it belongs to (ASVS 6.6.3). [NormalizeCode] gives the same spelling back.
func Code() Token {
	return typed(codeLen)
}

// typed makes n characters.
func typed(n int) Token {
	chars := make([]byte, n)
	_, _ = rand.Read(chars)
	for i, b := range chars {
		chars[i] = crockford[b%32] // 256 is a multiple of 32, so this is even
	}
	return newToken(group(string(chars)))
}

func group(chars string) string {
	groups := make([]string, 0, len(chars)/groupLen)
	for i := 0; i < len(chars); i += groupLen {
		groups = append(groups, chars[i:i+groupLen])
	}
	return strings.Join(groups, "-")
}

// NormalizeBackup returns a typed backup code in the spelling of [Backup], or false if it cannot be one. Case does
// not matter, dashes and blanks may be anywhere or missing, O stands for 0, and I and L for 1. What it accepts
// was not necessarily issued.
func NormalizeBackup(s string) (string, bool) { return normalize(s, backupLen) }

// NormalizeCode returns a typed code in the spelling of [Code], or false if it cannot be one. It is as lenient as
// [NormalizeBackup].
func NormalizeCode(s string) (string, bool) { return normalize(s, codeLen) }

func normalize(s string, n int) (string, bool) {
	if len(s) > 4*n { // nobody types that
		return "", false
	}
	chars := make([]byte, 0, n)
	for _, c := range []byte(s) {
		switch {
		case c == '-' || c == ' ':
			continue
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		switch c {
		case 'O':
			c = '0'
		case 'I', 'L':
			c = '1'
		}
		if strings.IndexByte(crockford, c) < 0 {
			return "", false
		}
		chars = append(chars, c)
	}
	if len(chars) != n {
		return "", false
	}
	return group(string(chars)), true
}

// maxDigits is far more than anybody types.
const maxDigits = 64

// Digits returns n random decimal digits from crypto/rand, all equally likely, for codes that are sent by SMS. Six
// of them are 20 bits: such a code must end after minutes and after a few attempts (ASVS 6.6.3, requirement F-08).
// It panics if n is not within 1 to 64.
func Digits(n int) string {
	if n < 1 || n > maxDigits {
		panic("token: Digits: n is not within 1 to 64")
	}
	out := make([]byte, 0, n)
	var random [maxDigits]byte
	for len(out) < n {
		_, _ = rand.Read(random[:])
		out = appendDigits(out, random[:], n)
	}
	return string(out)
}

// appendDigits appends a digit for each byte until there are n. Bytes from 250 on are dropped: there are 256, and
// taking them modulo 10 would make the digits 0 to 5 likelier than the rest.
func appendDigits(out, random []byte, n int) []byte {
	for _, b := range random {
		if b < 250 && len(out) < n {
			out = append(out, '0'+b%10)
		}
	}
	return out
}
