package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// plainDigest follows RFC 5869 and the documented layout with nothing but HMAC.
func plainDigest(secret []byte, purpose, model, tok string) string {
	mac := func(key []byte, data string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(data))
		return h.Sum(nil)
	}
	extracted := mac(make([]byte, 32), string(secret))                // no salt: 32 zero bytes
	sub := mac(extracted, "custos/v1/token/"+purpose+string(rune(1))) // one block
	return hex.EncodeToString(mac(sub, "v1\x1f"+model+"\x1f"+tok))
}

// The fixed vectors were computed outside of Go. A release that changes them signs everybody out.
func TestVectors(t *testing.T) {
	one := make([]byte, 32)
	for i := range one {
		one[i] = byte(i)
	}
	cases := []struct{ purpose, model, tok, want string }{
		{"api_token", "ApiClient", "acme_pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1KVxVi", "4499bfc8f053f99cd2eb7b2d534587e05cb48b1326ef6c5db29edf38df52a309"},
		{"session", "User", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "3dfa74f2a01c5de772027e90c869d281084daf47acf4f1531c6080982ec5e9ca"},
		{"session", "User", "\x00\x1fü", "a9770dae0b66aca21f50799154ad638993e3c87bd57da67ef4b85fd4963fa2a8"},
	}
	k := mustParse(t, entry(1, one))
	for _, c := range cases {
		got := k.Digester(c.purpose, c.model).Digest(c.tok)
		if got != c.want {
			t.Errorf("Digest(%q) = %s, want %s", c.tok, got, c.want)
		}
		if plain := plainDigest(one, c.purpose, c.model, c.tok); got != plain {
			t.Errorf("Digest(%q) = %s, plain HMAC gives %s", c.tok, got, plain)
		}
	}
}

// TestDigestIsBound is requirement T-03: a digest verifies only under its own purpose, model and key.
func TestDigestIsBound(t *testing.T) {
	const tok = "the token"
	home := mustParse(t, entry(1, secretN(1))).Digester("api_token", "ApiClient")
	digest := home.Digest(tok)
	if current, ok := home.Verify(tok, digest); !current || !ok {
		t.Fatal("a digest does not verify where it was made")
	}
	one, two := mustParse(t, entry(1, secretN(1))), mustParse(t, entry(1, secretN(2)))
	for name, d := range map[string]*Digester{
		"purpose":          one.Digester("session", "ApiClient"),
		"longer purpose":   one.Digester("api_token2", "ApiClient"),
		"purpose's case":   one.Digester("Api_token", "ApiClient"),
		"model":            one.Digester("api_token", "User"),
		"shorter model":    one.Digester("api_token", "ApiClien"),
		"swapped":          one.Digester("ApiClient", "api_token"),
		"key, same id":     two.Digester("api_token", "ApiClient"),
		"moved boundaries": one.Digester("api_tokenA", "piClient"),
	} {
		if d.Digest(tok) == digest {
			t.Errorf("other %s: same digest", name)
		}
		if _, ok := d.Verify(tok, digest); ok {
			t.Errorf("other %s: Verify accepts", name)
		}
		c := d.Candidates(tok)
		if _, ok := c.Match(digest); ok {
			t.Errorf("other %s: Match accepts", name)
		}
	}
	// A token cannot pretend to be a longer model name.
	if one.Digester("p", "A").Digest("B\x1fx") == one.Digester("p", "AB").Digest("x") {
		t.Error("model and token run into one another")
	}
}

func TestTag(t *testing.T) {
	old := mustParse(t, entry(1, secretN(1))).Digester("p", "M")
	both := mustParse(t, entry(2, secretN(2))+","+entry(1, secretN(1))).Digester("p", "M")
	first, err := hex.DecodeString(old.Digest("a name")[:32])
	if err != nil {
		t.Fatal(err)
	}
	tag := old.Tag("a name")
	if want := base64.RawURLEncoding.EncodeToString(first); tag != want || len(tag) != TagLen {
		t.Fatalf("Tag = %q, want the first half of the digest, %q", tag, want)
	}
	if current, ok := old.VerifyTag("a name", tag); !current || !ok {
		t.Error("a tag counts under its key")
	}
	if current, ok := both.VerifyTag("a name", tag); current || !ok {
		t.Error("a tag counts under a key that is no longer the current one, and is not the current one's")
	}
	if newer := both.Tag("a name"); newer == tag {
		t.Error("the current key makes the tags of the one before")
	} else if current, ok := both.VerifyTag("a name", newer); !current || !ok {
		t.Error("a tag counts under the current of two keys")
	}
	// The last character has 2 bits of the tag; the same ones with other padding are another spelling.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, tag[TagLen-1])
	for why, other := range map[string]string{
		"none": "", "a byte less": tag[1:], "a byte more": tag + "A", "other": old.Tag("another name"), "no base64url": "+" + tag[1:],
		"with a line break": tag[:TagLen-1] + "\n", "spelled otherwise": tag[:TagLen-1] + alphabet[last+1:last+2],
	} {
		if current, ok := old.VerifyTag("a name", other); current || ok {
			t.Errorf("VerifyTag accepts one that is %s: %q", why, other)
		}
	}
	if _, ok := old.VerifyTag("", old.Tag("")); ok {
		t.Error("VerifyTag accepts the tag of no text")
	}
	if _, ok := both.VerifyTag("another name", tag); ok {
		t.Error("VerifyTag accepts the tag of another text")
	}
}

func TestVerify(t *testing.T) {
	const tok = "acme_pat_whatever"
	old := mustParse(t, entry(1, secretN(1))).Digester("p", "M")
	both := mustParse(t, entry(2, secretN(2))+","+entry(1, secretN(1))).Digester("p", "M")
	retired := mustParse(t, entry(2, secretN(2))).Digester("p", "M")
	oldDigest, newDigest := old.Digest(tok), both.Digest(tok)
	if both.KeyID() != 2 || old.KeyID() != 1 {
		t.Errorf("KeyID = %d and %d, want 2 and 1", both.KeyID(), old.KeyID())
	}
	cases := []struct {
		name        string
		d           *Digester
		tok, stored string
		current, ok bool
	}{
		{"current", both, tok, newDigest, true, true},
		{"old key", both, tok, oldDigest, false, true},
		{"before the rotation", old, tok, oldDigest, true, true},
		{"retired key", retired, tok, oldDigest, false, false},
		{"future key", old, tok, newDigest, false, false},
		{"other token", both, tok + "x", newDigest, false, false},
		{"replayed digest", both, newDigest, newDigest, false, false},
		{"empty stored", both, tok, "", false, false},
		{"empty token", both, "", both.Digest(""), false, false},
		{"both empty", both, "", "", false, false},
		{"upper-case stored", both, tok, strings.ToUpper(newDigest), false, false},
		{"trailing space", both, tok, newDigest + " ", false, false},
		{"short stored", both, tok, newDigest[:63], false, false},
		{"zeros stored", both, tok, strings.Repeat("0", 64), false, false},
		{"NULs stored", both, tok, strings.Repeat("\x00", 64), false, false},
	}
	for i := range DigestLen { // every character counts
		b := []byte(newDigest)
		b[i] ^= 1
		cases = append(cases, struct {
			name        string
			d           *Digester
			tok, stored string
			current, ok bool
		}{fmt.Sprintf("flipped %d", i), both, tok, string(b), false, false})
	}
	for _, c := range cases {
		if current, ok := c.d.Verify(c.tok, c.stored); current != c.current || ok != c.ok {
			t.Errorf("%s: Verify = %v, %v", c.name, current, ok)
		}
		cand := c.d.Candidates(c.tok)
		if current, ok := cand.Match(c.stored); current != c.current || ok != c.ok {
			t.Errorf("%s: Match = %v, %v", c.name, current, ok)
		}
	}
	var none Candidates
	for _, s := range []string{"", strings.Repeat("\x00", 64), newDigest} {
		if _, ok := none.Match(s); ok {
			t.Errorf("the zero Candidates match %q", s)
		}
	}
}

func TestDigests(t *testing.T) {
	var entries []string
	for id := 4; id >= 1; id-- {
		entries = append(entries, entry(id, secretN(id)))
	}
	d := mustParse(t, strings.Join(entries, ",")).Digester("p", "M")
	got := d.Digests("tok")
	if len(got) != 4 || got[0] != d.Digest("tok") {
		t.Fatalf("Digests = %v", got)
	}
	for i, g := range got {
		if want := plainDigest(secretN(4-i), "p", "M", "tok"); g != want {
			t.Errorf("digest %d = %s, want %s", i, g, want)
		}
		if current, ok := d.Verify("tok", g); !ok || current != (i == 0) {
			t.Errorf("digest %d: Verify = %v, %v", i, current, ok)
		}
	}
	c := d.Candidates("tok")
	if c.Len() != 4 {
		t.Errorf("Len = %d", c.Len())
	}
	if n := len(d.Digests("")); n != 0 {
		t.Errorf("%d digests for an empty token", n)
	}
}

func TestDigesterPanics(t *testing.T) {
	k := mustParse(t, entry(1, secretN(1)))
	for _, c := range []struct {
		k    *Keyring
		p, m string
	}{{k, "", "M"}, {k, "p", ""}, {k, "p\x1f", "M"}, {k, "p", "\x1fM"}, {&Keyring{}, "p", "M"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Digester(%q, %q) did not panic", c.p, c.m)
				}
			}()
			c.k.Digester(c.p, c.m)
		}()
	}
}

// The pooled states must not mix up concurrent tokens, nor remember a longer one before.
func TestConcurrentUse(t *testing.T) {
	d := mustParse(t, entry(2, secretN(2))+","+entry(1, secretN(1))).Digester("p", "M")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 300 {
				tok := strings.Repeat(fmt.Sprint(g), i%700+1)
				want := plainDigest(secretN(1), "p", "M", tok)
				if current, ok := d.Verify(tok, want); current || !ok {
					t.Errorf("Verify = %v, %v", current, ok)
				}
				c := d.Candidates(tok)
				if current, ok := c.Match(d.Digest(tok)); !current || !ok {
					t.Errorf("Match = %v, %v", current, ok)
				}
			}
		})
	}
	wg.Wait()
}

// A digest is spelled as package hex does, in every byte, and no other text spells it.
func TestSpells(t *testing.T) {
	var sum [sha256.Size]byte
	for at := range sum {
		for value := range 256 {
			sum[at] = byte(value)
			want := hex.EncodeToString(sum[:])
			if got := encode(&sum); got != want || !spells(want, &sum) {
				t.Fatalf("encode(%x) = %q, spells = %v", sum, got, spells(want, &sum))
			}
		}
		sum[at] = byte(7 * at)
	}
	want := encode(&sum)
	for at := range want {
		for c := range 256 {
			b := []byte(want)
			b[at] = byte(c)
			if got := spells(string(b), &sum); got != (string(b) == want) {
				t.Fatalf("spells(%q) = %v for %q", b, got, want)
			}
		}
	}
}

func TestPoolForgetsTokens(t *testing.T) {
	d := mustParse(t, entry(1, secretN(1))).Digester("p", "M")
	s := d.keys[0].get()
	s.digest("a secret token")
	d.keys[0].release(s)
	if strings.Contains(string(s.input), "secret") {
		t.Error("a released state still holds the token")
	}
}

func BenchmarkVerify(b *testing.B) {
	const tok = "acme_pat_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1KVxVi"
	d := mustParse(b, entry(1, secretN(1))).Digester("api_token", "ApiClient")
	stored := d.Digest(tok)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := d.Verify(tok, stored); !ok {
			b.Fatal("refused")
		}
	}
}
