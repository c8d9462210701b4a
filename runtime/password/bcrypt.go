package password

import (
	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptLen = 60 // bytes of a digest
	// bcryptInput is how much of a password bcrypt looks at, in bytes.
	bcryptInput = 72
	// maxBcryptCost takes a second or two of one core. Devise's default is 12.
	maxBcryptCost = 14
)

// isBcrypt reports whether stored is a digest that [verifyBcrypt] can be given: $2a$, $2b$ or $2y$, with a
// cost below the cap. The letters name bugs of old implementations in other languages; for what they write
// today, and for this one, all three are the same.
func isBcrypt(stored string) bool {
	if len(stored) != bcryptLen {
		return false
	}
	switch stored[:4] {
	case "$2a$", "$2b$", "$2y$":
	default:
		return false
	}
	for _, c := range []byte(stored[7:]) {
		if (c < '.' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	cost, err := bcrypt.Cost([]byte(stored))
	return err == nil && cost <= maxBcryptCost && stored[6] == '$'
}

// verifyBcrypt takes the same time for a password that is too long. bcrypt would ignore its end, and two
// passwords that differ there would both be right (requirement P-04, CVE-2025-22228).
func verifyBcrypt(stored, plain string) bool {
	tooLong := len(plain) > bcryptInput
	if tooLong {
		plain = plain[:bcryptInput]
	}
	err := bcrypt.CompareHashAndPassword([]byte(stored), []byte(plain))
	return err == nil && !tooLong
}
