package runtime_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"net/http"
	"sync"
	"testing"

	"github.com/custos-auth/custos/runtime/bearer"
	"github.com/custos-auth/custos/runtime/keyring"
	"github.com/custos-auth/custos/runtime/token"
)

// authenticator is what generated code does for each request, without the query.
type authenticator struct {
	format   token.Format
	digester *keyring.Digester
}

func (a authenticator) authenticate(h http.Header, stored string) (current, ok bool) {
	tok, err := bearer.FromHeader(h)
	if err != nil || !a.format.Valid(tok) {
		return false, false
	}
	c := a.digester.Candidates(tok)
	return c.Match(stored)
}

// setup returns an authenticator over a ring of n keys, a request's header, and the digest stored for
// its token.
func setup(tb testing.TB, f token.Format, n int) (a authenticator, h http.Header, stored string) {
	tb.Helper()
	env := keyring.Generate(n)
	for id := n - 1; id > 0; id-- {
		env += "," + keyring.Generate(id)
	}
	keys, err := keyring.Parse(env)
	if err != nil {
		tb.Fatal(err)
	}
	a = authenticator{f, keys.Digester("api_token", "ApiClient")}
	tok := a.format.Generate()
	return a, http.Header{"Authorization": {"Bearer " + tok.Expose()}}, a.digester.Digest(tok.Expose())
}

// formats are the two layouts of a token.
func formats() map[string]token.Format {
	return map[string]token.Format{"plain": {}, "prefixed": token.MustFormat("acme")}
}

func TestAuthenticate(t *testing.T) {
	for name, f := range formats() {
		t.Run(name, func(t *testing.T) {
			a, h, stored := setup(t, f, 2)
			if current, ok := a.authenticate(h, stored); !current || !ok {
				t.Error("the token is refused")
			}
			other := a.format.Generate().Expose()
			for name, tok := range map[string]string{"other token": other, "stored digest": stored, "malformed token": other[:len(other)-1] + "!"} {
				if _, ok := a.authenticate(http.Header{"Authorization": {"Bearer " + tok}}, stored); ok {
					t.Errorf("%s is accepted", name)
				}
			}
		})
	}
}

func TestAuthenticateDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool forgets on purpose under the race detector")
	}
	for name, f := range formats() {
		for n := 1; n <= keyring.MaxKeys; n++ {
			a, h, stored := setup(t, f, n)
			if got := testing.AllocsPerRun(1000, func() {
				if _, ok := a.authenticate(h, stored); !ok {
					t.Fatal("refused")
				}
			}); got != 0 {
				t.Errorf("%s, %d keys: %v allocations", name, n, got)
			}
			tok, _ := bearer.FromHeader(h)
			if got := testing.AllocsPerRun(1000, func() {
				if _, ok := a.digester.Verify(tok, stored); !ok {
					t.Fatal("refused")
				}
			}); got != 0 {
				t.Errorf("%s, %d keys: Verify: %v allocations", name, n, got)
			}
		}
	}
}

// forFormats runs a benchmark for a ring of one key and each format.
func forFormats(b *testing.B, run func(b *testing.B, a authenticator, h http.Header, stored string)) {
	for name, f := range formats() {
		b.Run(name, func(b *testing.B) {
			a, h, stored := setup(b, f, 1)
			b.ReportAllocs()
			run(b, a, h, stored)
		})
	}
}

// BenchmarkVerifyToken is a whole authentication without the database. For the plain format it should
// cost at most half as much again as BenchmarkPooledHMAC, of which it contains one. Compare them on an
// idle machine.
func BenchmarkVerifyToken(b *testing.B) {
	forFormats(b, func(b *testing.B, a authenticator, h http.Header, stored string) {
		for b.Loop() {
			if _, ok := a.authenticate(h, stored); !ok {
				b.Fatal("refused")
			}
		}
	})
}

// BenchmarkPooledHMAC is the floor: one HMAC-SHA256 over the bytes that a digest hashes.
func BenchmarkPooledHMAC(b *testing.B) {
	forFormats(b, func(b *testing.B, _ authenticator, h http.Header, _ string) {
		tok, _ := bearer.FromHeader(h)
		input := []byte("v1\x1fApiClient\x1f" + tok)
		pool := sync.Pool{New: func() any { return hmac.New(sha256.New, make([]byte, 32)) }}
		sum := make([]byte, 0, sha256.Size)
		for b.Loop() {
			mac := pool.Get().(hash.Hash)
			mac.Reset()
			_, _ = mac.Write(input)
			mac.Sum(sum)
			pool.Put(mac)
		}
	})
}

// BenchmarkDigesterVerify is [keyring.Digester.Verify] alone.
func BenchmarkDigesterVerify(b *testing.B) {
	forFormats(b, func(b *testing.B, a authenticator, h http.Header, stored string) {
		tok, _ := bearer.FromHeader(h)
		for b.Loop() {
			if _, ok := a.digester.Verify(tok, stored); !ok {
				b.Fatal("refused")
			}
		}
	})
}
