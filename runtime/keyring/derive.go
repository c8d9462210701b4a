package keyring

import (
	"crypto/hkdf"
	"crypto/sha256"
	"strings"
)

// SubkeyLen is the length of a sub-key, in bytes.
const SubkeyLen = sha256.Size

// Derive calls f with the sub-key of every master key for one use, such as "seal/totp", the current one first.
// It is for the other packages of the runtime: sub-keys for different uses are unrelated, so none of them can
// be turned against another, and the master keys never leave this package (RFC 5869). f owns
// key and must not let it be printed.
//
// It panics on an empty use, on one that starts with "token/", whose sub-keys make digests, and on a Keyring that
// did not come from [Parse].
func (k *Keyring) Derive(use string, f func(id int, key []byte)) {
	if len(k.keys) == 0 {
		panic("keyring: Derive: the keyring holds no key; make it with Parse")
	}
	if use == "" || strings.HasPrefix(use, tokenUse) {
		panic("keyring: Derive: use must not be empty or start with " + tokenUse)
	}
	for _, key := range k.keys {
		f(key.id, key.derive(use))
	}
}

func (k key) derive(use string) []byte {
	sub, err := hkdf.Key(sha256.New, k.secret(), nil, "custos/v1/"+use, SubkeyLen)
	if err != nil {
		// Only a length above 255 hashes or a FIPS 140 refusal of a short key; neither is possible.
		panic("keyring: derive sub-key: " + err.Error())
	}
	return sub
}
