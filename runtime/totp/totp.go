// Package totp makes and checks the six digits of authenticator apps (RFC 6238, over RFC 4226).
//
// The threats: a code that is read over a shoulder or caught by a phishing page is used a second time, so a step
// counts once ([Match] and its parameter after; requirement F-01, ASVS 6.5.1); a guess, of which three in a
// million are right at any time, so the caller must count failures (ASVS 6.6.3); and a seed that is read from the
// database, so the caller seals it with package seal (T-10, F-02).
//
// The parameters are those that every app understands: HMAC-SHA-1, 6 digits, 30 seconds. Several apps ignore
// others without a word. SHA-1's collisions are no weakness here: HMAC does not rest on collision resistance
// (RFC 6194 section 3.3).
//
// One step before and after the current one is accepted, as RFC 6238 section 5.2 allows, for clocks that differ
// and people who type slowly. So a code lives up to 90 seconds instead of the 30 of ASVS 6.5.5.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// SecretLen is the length of a new secret, in bytes: 160 bits (RFC 4226 section 4, requirement F-02).
	SecretLen = 20
	// Digits is the length of a code.
	Digits = 6
	// Period is how long a step lasts.
	Period = 30 * time.Second
)

// GenerateSecret returns a new secret of [SecretLen] bytes from crypto/rand. It cannot fail: crypto/rand ends the
// program when the system has no randomness to give.
func GenerateSecret() []byte {
	secret := make([]byte, SecretLen)
	_, _ = rand.Read(secret)
	return secret
}

// Encode returns a secret in base32 without padding, which is how people type it into an app that cannot scan. It
// is as secret as its argument.
func Encode(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// URI returns what an app reads from a QR code (Key Uri Format of Google Authenticator), for example
//
//	otpauth://totp/Acme:jane%40example.com?secret=...&issuer=Acme&algorithm=SHA1&digits=6&period=30
//
// issuer names the application and account its user, such as an e-mail address. Colons, which separate the two,
// are dropped from both. The URI contains the secret: show it once, over https, and never log it.
func URI(issuer, account string, secret []byte) string {
	issuer, account = escape(issuer), escape(account)
	label := account
	if issuer != "" {
		label = issuer + ":" + account
	}
	uri := "otpauth://totp/" + label + "?secret=" + Encode(secret)
	if issuer != "" {
		uri += "&issuer=" + issuer
	}
	return uri + fmt.Sprintf("&algorithm=SHA1&digits=%d&period=%d", Digits, Period/time.Second)
}

// escape writes a blank as %20: apps show a plus sign as it is.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(s, ":", "")), "+", "%20")
}

// Match reports whether code is the code of the step before now, of now, or of the next, and is newer than after, the
// step that was accepted last (0 if none was). It returns that step.
//
// The caller must store step in one statement that demands that it is still greater than what is stored, and let
// the row count decide: of two requests with one code, one wins (requirement F-01).
//
// A code is exactly six ASCII digits (F-10), and an empty secret has none. All three candidates are computed and
// compared, in constant time. If two steps have the same code, the later one is returned, so that it cannot be used
// again for that one.
func Match(secret []byte, code string, now time.Time, after int64) (step int64, ok bool) {
	if len(secret) == 0 || !isCode(code) {
		return 0, false
	}
	current := stepAt(now)
	for candidate := current - 1; candidate <= current+1; candidate++ {
		same := subtle.ConstantTimeCompare([]byte(codeAt(secret, candidate)), []byte(code)) == 1
		if same && candidate > after && candidate >= 0 {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// Code returns the code of a secret at a time. It is what an app shows; a server has no use for it but in tests.
func Code(secret []byte, at time.Time) string { return codeAt(secret, stepAt(at)) }

func stepAt(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// codeAt is RFC 4226 section 5.3 with the step as the counter.
func codeAt(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step))) // a hash.Hash never fails
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", Digits, n%1_000_000)
}

func isCode(s string) bool {
	if len(s) != Digits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
