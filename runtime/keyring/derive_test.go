package keyring

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"testing"
)

// hkdf32 is RFC 5869 for one block of output, written down a second time.
func hkdf32(secret []byte, info string) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write(secret)
	expand := hmac.New(sha256.New, extract.Sum(nil))
	expand.Write(append([]byte(info), 1))
	return expand.Sum(nil)
}

func TestDerive(t *testing.T) {
	k := mustParse(t, entry(7, secretN(7))+","+entry(3, secretN(3)))
	var ids []int
	seen := map[string]bool{}
	for _, use := range []string{"seal/totp", "seal/oauth", "csrf"} {
		ids = nil
		k.Derive(use, func(id int, key []byte) {
			ids = append(ids, id)
			if want := hkdf32(secretN(id), "custos/v1/"+use); !bytes.Equal(key, want) || len(key) != SubkeyLen {
				t.Errorf("%s, key %d = %x, want %x", use, id, key, want)
			}
			if seen[string(key)] || bytes.Equal(key, secretN(id)) {
				t.Errorf("%s, key %d is not a key of its own", use, id)
			}
			seen[string(key)] = true
		})
		if !slices.Equal(ids, []int{7, 3}) {
			t.Errorf("ids = %v", ids)
		}
	}
	for name, derive := range map[string]func(){
		"no use":        func() { k.Derive("", func(int, []byte) {}) },
		"digests' keys": func() { k.Derive("token/api_token", func(int, []byte) {}) },
		"zero Keyring":  func() { new(Keyring).Derive("seal/totp", func(int, []byte) {}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			derive()
		}()
	}
}
