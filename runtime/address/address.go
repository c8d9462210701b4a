// Package address reads the e-mail addresses that people type, as one address and nothing else.
//
// An address field is where mail systems are attacked: a comma makes it two recipients, a line break a header, a
// display name a text of the attacker's in somebody's inbox (Auth.js CVE-2022-35924). And an address decides
// whose account is meant, so two spellings of one address must not be two accounts, nor two addresses one
// (Django CVE-2019-19844). Parse therefore takes plain ASCII addr-specs only; an internationalised domain is
// written in its A-label form (xn--...). Local parts outside ASCII (SMTPUTF8) are refused.
package address

import (
	"errors"
	"strings"
)

// ErrInvalid is the one answer for what is no address. It does not repeat the input.
var ErrInvalid = errors.New("not an e-mail address")

// maxLength is the longest address that SMTP can carry (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const maxLength = 254

// Normalize returns the one spelling of an address under which it is stored and looked up: lower case. The
// domain is case-insensitive by RFC 5321; the local part is so at every provider of note, and an account that
// depends on its case is one that people cannot find again. It neither trims nor repairs: ASVS 5.0 1.1.1 asks
// that what is validated is what is used. The error is ErrInvalid.
func Normalize(s string) (string, error) {
	if len(s) > maxLength {
		return "", ErrInvalid
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || !validLocal(local) || !validDomain(domain) {
		return "", ErrInvalid
	}
	return strings.ToLower(s), nil
}

// validLocal is dot-atom of RFC 5322 section 3.2.3, of at most 64 bytes. Quoted strings are addresses too, on paper.
func validLocal(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" {
			return false
		}
		for _, c := range []byte(part) {
			if !alphanumeric(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c)) {
				return false
			}
		}
	}
	return true
}

// validDomain is a host name of letters, digits and hyphens with at least two labels (RFC 1123 section 2.1).
func validDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !alphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	last := labels[len(labels)-1]
	return strings.ContainsFunc(last, func(r rune) bool { return r < '0' || r > '9' }) // 192.0.2.1 is no domain
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
