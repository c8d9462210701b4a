// Package seal encrypts the secrets that a program must be able to read again, such as TOTP seeds and the
// refresh tokens of other services. What only has to be recognised is digested instead; see package keyring.
//
// The threats are a stolen database, which without CUSTOS_KEYS shows nothing, and a database that somebody
// else writes to: a ciphertext is bound to its purpose, its model and whatever else the caller names, so the seed
// of the attacker's own account, copied into the victim's row, does not open there (requirement T-10). There is no
// way to read plain text in place of a ciphertext, and no older format to fall back to.
//
// Each purpose has sub-keys of its own, derived from the master keys by HKDF-SHA256 (RFC 5869) under the use
// "seal/" + purpose. A sealed text is base64url without padding of
//
//	0x01 || key id (2 bytes, big-endian) || nonce (12 bytes) || ciphertext || tag (16 bytes)
//
// encrypted with AES-256-GCM (NIST SP 800-38D, ASVS 11.3.2). Nonces are random, which is safe for 2^32 texts under
// one sub-key. The additional data is the first three bytes, the model and the caller's words, each with its length
// before it.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/custos-auth/custos/runtime/keyring"
)

// ErrOpen is the only error of [Sealer.Open]: what exactly was wrong helps nobody but an attacker. Fail closed
// and write it into the audit log.
var ErrOpen = errors.New("sealed text does not open")

const (
	version   = 0x01
	headerLen = 3 // version and key id
	nonceLen  = 12
	tagLen    = 16
	minLen    = headerLen + nonceLen + tagLen
)

// Sealer seals and opens the texts of one purpose and one model. Make it once, at start-up. It is safe for
// concurrent use.
type Sealer struct {
	model string
	keys  []key // current first
}

type key struct {
	id   uint16
	aead cipher.AEAD // puts a random nonce before the ciphertext
}

// New returns the sealer for one purpose, such as "totp", and one model, such as "User". It panics if either is
// empty, both being constants of the calling program, and on a Keyring that did not come from [keyring.Parse].
func New(keys *keyring.Keyring, purpose, model string) *Sealer {
	if purpose == "" || model == "" {
		panic("seal: New: purpose and model must not be empty")
	}
	s := &Sealer{model: model}
	keys.Derive("seal/"+purpose, func(id int, secret []byte) {
		block, err := aes.NewCipher(secret)
		if err != nil {
			panic("seal: New: " + err.Error()) // only for a wrong length
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			panic("seal: New: " + err.Error()) // only for a cipher that is not AES
		}
		s.keys = append(s.keys, key{id: uint16(id), aead: aead}) // ids end at 32767
	})
	return s
}

// Seal encrypts plain under the current key. aad says where the text belongs, such as the id of the owner and of
// the row; it is not stored, and Open needs the same words in the same order. Sealing twice gives two different
// texts.
func (s *Sealer) Seal(plain []byte, aad ...string) string {
	k := s.keys[0]
	blob := binary.BigEndian.AppendUint16([]byte{version}, k.id)
	return base64.RawURLEncoding.EncodeToString(k.aead.Seal(blob, nil, plain, s.data(blob, aad)))
}

// Open returns what was sealed, and whether it was sealed under the current key; if it was not, seal it anew and
// store that, before the old key is removed. Every error is [ErrOpen], and then plain is nil.
func (s *Sealer) Open(blob string, aad ...string) (plain []byte, current bool, err error) {
	if strings.ContainsAny(blob, "\r\n") { // package base64 skips them
		return nil, false, ErrOpen
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(blob)
	if err != nil || len(b) < minLen || b[0] != version {
		return nil, false, ErrOpen
	}
	header, sealed := b[:headerLen], b[headerLen:]
	for i, k := range s.keys {
		if k.id != binary.BigEndian.Uint16(header[1:]) {
			continue
		}
		plain, err := k.aead.Open(nil, nil, sealed, s.data(header, aad))
		if err != nil {
			return nil, false, ErrOpen
		}
		return plain, i == 0, nil
	}
	return nil, false, ErrOpen
}

// Prefix is how every text begins that was sealed under the key with that id, so that those who keep such texts can count
// what a key is still needed for. It panics on an id that no key has.
func Prefix(keyID int) string {
	if keyID < 1 || keyID > math.MaxInt16 {
		panic("seal: Prefix: no key has that id")
	}
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint16([]byte{version}, uint16(keyID)))
}

// data is the additional data. With the length before each word, no two lists of words give the same bytes.
func (s *Sealer) data(header []byte, words []string) []byte {
	out := append([]byte(nil), header...)
	out = appendWord(out, s.model)
	for _, w := range words {
		out = appendWord(out, w)
	}
	return out
}

func appendWord(out []byte, w string) []byte {
	return append(binary.BigEndian.AppendUint64(out, uint64(len(w))), w...)
}

// Format implements [fmt.Formatter] and writes "[redacted]" for every verb.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }
