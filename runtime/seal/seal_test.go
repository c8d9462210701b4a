package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/custos-auth/custos/runtime/keyring"
)

// entries are keys that tests rotate through.
var entries = map[int]string{1: keyring.Generate(1), 2: keyring.Generate(2), 300: keyring.Generate(300), 32767: keyring.Generate(32767)}

func ring(t testing.TB, ids ...int) *keyring.Keyring {
	t.Helper()
	var parts []string
	for _, id := range ids {
		parts = append(parts, entries[id])
	}
	k, err := keyring.Parse(strings.Join(parts, ","))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var plain = []byte("a seed of 20 bytes..")

func TestSealAndOpen(t *testing.T) {
	for _, id := range []int{1, 300, 32767} {
		s := New(ring(t, id), "totp", "User")
		for _, text := range [][]byte{nil, {0}, plain, bytes.Repeat([]byte("x"), 10_000)} {
			blob := s.Seal(text, "42", "7")
			got, current, err := s.Open(blob, "42", "7")
			if !bytes.Equal(got, text) || !current || err != nil {
				t.Errorf("key %d, %d bytes: %d bytes, %v, %v", id, len(text), len(got), current, err)
			}
			if again := s.Seal(text, "42", "7"); again == blob {
				t.Error("sealing twice gives the same text")
			}
		}
	}
}

// TestLayout opens a text with crypto/cipher alone, by what the package comment says.
func TestLayout(t *testing.T) {
	k := ring(t, 300)
	b, err := base64.RawURLEncoding.DecodeString(New(k, "totp", "User").Seal(plain, "42", ""))
	if err != nil {
		t.Fatal(err)
	}
	if b[0] != 1 || binary.BigEndian.Uint16(b[1:]) != 300 || len(b) != 3+12+len(plain)+16 {
		t.Fatalf("layout %x", b)
	}
	k.Derive("seal/totp", func(_ int, key []byte) {
		block, _ := aes.NewCipher(key)
		gcm, _ := cipher.NewGCM(block)
		aad := "\x01\x01\x2c" + "\x00\x00\x00\x00\x00\x00\x00\x04User" + "\x00\x00\x00\x00\x00\x00\x00\x0242" + "\x00\x00\x00\x00\x00\x00\x00\x00"
		got, err := gcm.Open(nil, b[3:15], b[15:], []byte(aad))
		if !bytes.Equal(got, plain) || err != nil {
			t.Errorf("opened %q, %v", got, err)
		}
	})
}

// refuse checks that a text does not open, and that nothing of it comes out.
func refuse(t *testing.T, name string, s *Sealer, blob string, aad ...string) {
	t.Helper()
	got, current, err := s.Open(blob, aad...)
	if got != nil || current || err != ErrOpen {
		t.Errorf("%s: %q, %v, %v, want exactly ErrOpen", name, got, current, err)
	}
}

// TestRotation is requirement T-05 for what is sealed.
func TestRotation(t *testing.T) {
	old, both, back, gone := ring(t, 1), ring(t, 2, 1), ring(t, 1, 2), ring(t, 2)
	blob := New(old, "totp", "User").Seal(plain, "42")
	for name, c := range map[string]struct {
		keys    *keyring.Keyring
		current bool
	}{"rotated": {both, false}, "rotated back": {back, true}} {
		got, current, err := New(c.keys, "totp", "User").Open(blob, "42")
		if !bytes.Equal(got, plain) || current != c.current || err != nil {
			t.Errorf("%s: %q, %v, %v", name, got, current, err)
		}
	}
	refuse(t, "key removed", New(gone, "totp", "User"), blob, "42")
	anew := New(both, "totp", "User").Seal(plain, "42")
	if got, current, err := New(gone, "totp", "User").Open(anew, "42"); !bytes.Equal(got, plain) || !current || err != nil {
		t.Errorf("sealed anew: %q, %v, %v", got, current, err)
	}
	// The id says which key to use; another key under the same id does not open it.
	other, err := keyring.Parse(keyring.Generate(1))
	if err != nil {
		t.Fatal(err)
	}
	refuse(t, "other key of that id", New(other, "totp", "User"), blob, "42")
}

// TestBinding is requirement T-10: a text opens where it belongs and nowhere else.
func TestBinding(t *testing.T) {
	k := ring(t, 1)
	s := New(k, "totp", "User")
	blob := s.Seal(plain, "42", "7")
	refuse(t, "other purpose", New(k, "oauth", "User"), blob, "42", "7")
	refuse(t, "other model", New(k, "totp", "Admin"), blob, "42", "7")
	for _, aad := range [][]string{
		nil, {}, {""}, {"42"}, {"7", "42"}, {"427"}, {"42", "7", ""}, {"", "42", "7"}, {"4", "27"}, {"42", "8"}, {"42\x00", "7"},
	} {
		refuse(t, fmt.Sprintf("words %q", aad), s, blob, aad...)
	}
	none := s.Seal(plain)
	refuse(t, "one empty word for none", s, none, "")
	// The model is the first word, and its length keeps it apart from the next.
	refuse(t, "model and word joined", New(k, "totp", "User42"), s.Seal(plain, "42"))
}

func TestDamage(t *testing.T) {
	s := New(ring(t, 2, 1), "totp", "User")
	blob := s.Seal(plain, "42")
	raw, err := base64.RawURLEncoding.DecodeString(blob)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(raw) {
		bad := bytes.Clone(raw)
		bad[bit/8] ^= 1 << (bit % 8)
		refuse(t, fmt.Sprintf("bit %d flipped", bit), s, base64.RawURLEncoding.EncodeToString(bad), "42")
	}
	for n := range raw {
		refuse(t, fmt.Sprintf("cut to %d bytes", n), s, base64.RawURLEncoding.EncodeToString(raw[:n]), "42")
	}
	for name, bad := range map[string]string{
		"empty":          "",
		"plain text":     string(plain),
		"seed in base32": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		"one more byte":  base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw), 0)),
		"padded":         blob + "=",
		"line break":     blob[:10] + "\n" + blob[10:],
		"standard":       strings.Repeat("+/", 40),
		"trailing blank": blob + " ",
	} {
		refuse(t, name, s, bad, "42")
	}
}

// TestOneSpelling: 21 bytes leave unused bits in the last character, which must be zero.
func TestOneSpelling(t *testing.T) {
	s := New(ring(t, 1), "totp", "User")
	blob := s.Seal(make([]byte, 21))
	last := strings.IndexByte(alphabet, blob[len(blob)-1])
	for other := range alphabet {
		if other != last {
			refuse(t, "another last character", s, blob[:len(blob)-1]+alphabet[other:other+1])
		}
	}
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestNewPanics(t *testing.T) {
	k := ring(t, 1)
	for name, f := range map[string]func(){
		"no purpose": func() { New(k, "", "User") },
		"no model":   func() { New(k, "totp", "") },
		"no keys":    func() { New(new(keyring.Keyring), "totp", "User") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestSealerDoesNotPrint(t *testing.T) {
	s := New(ring(t, 1), "totp", "User")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// FuzzOpen holds that what opens is what was sealed, in its one spelling.
func FuzzOpen(f *testing.F) {
	s := New(ring(f, 2, 1), "totp", "User")
	known := s.Seal(plain, "42")
	f.Add(known, "42")
	f.Add(known[:20], "42")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, blob, aad string) {
		got, _, err := s.Open(blob, aad)
		switch {
		case err != nil:
			if !errors.Is(err, ErrOpen) || got != nil {
				t.Fatalf("%v with %q", err, got)
			}
		case blob != known || aad != "42" || !bytes.Equal(got, plain):
			t.Fatalf("%q opens with %q", blob, aad)
		}
	})
}

// Prefix is the whole header, so it is of one key: three bytes are four characters.
func TestPrefix(t *testing.T) {
	for _, id := range []int{1, 2, 27, 255, 256, 32767} {
		keys, err := keyring.Parse(keyring.Generate(id))
		if err != nil {
			t.Fatal(err)
		}
		sealed := New(keys, "test", "User").Seal([]byte("x"))
		if got := Prefix(id); len(got) != 4 || !strings.HasPrefix(sealed, got) || strings.HasPrefix(sealed, Prefix(id%32767+1)) {
			t.Errorf("Prefix(%d) = %q, sealed %q", id, got, sealed)
		}
	}
	for _, id := range []int{0, -1, 32768} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Prefix(%d) did not panic", id)
				}
			}()
			Prefix(id)
		}()
	}
}
