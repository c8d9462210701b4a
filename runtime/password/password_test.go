package password

import (
	"context"
	"encoding/hex"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// fast are the least parameters that NewHasher takes.
var fast = Params{Memory: MinMemory, Time: 1, Parallelism: 1}

// hasher returns a hasher with a limiter of its own and a count of its hashes.
func hasher(t testing.TB, p Params) (h *Hasher, hashes *atomic.Int32) {
	t.Helper()
	h, err := NewHasher(p)
	if err != nil {
		t.Fatal(err)
	}
	hashes = new(atomic.Int32)
	h.limit = &limiter{budget: defaultBudget}
	h.derive = func(plain, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		hashes.Add(1)
		return argon2.IDKey(plain, salt, time, memory, threads, keyLen)
	}
	return h, hashes
}

func mustHash(t testing.TB, h *Hasher, plain string) string {
	t.Helper()
	s, err := h.Hash(t.Context(), plain)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewHasher(t *testing.T) {
	for _, c := range []struct {
		in   Params
		want Params // zero if refused
	}{
		{Params{}, Params{19456, 2, 1}},
		{Params{Memory: 47104, Time: 1}, Params{47104, 1, 1}},
		{Params{65536, 3, 4}, Params{65536, 3, 4}},
		{fast, fast},
		{Params{Memory: MinMemory - 1}, Params{}},
		{Params{Memory: 19}, Params{}}, // MiB for KiB
		{Params{Memory: maxMemory + 1, Time: 1}, Params{}},
		{Params{Memory: maxMemory, Time: 5}, Params{}},
		{Params{Memory: 1 << 31, Time: 1 << 31}, Params{}},
		{Params{Parallelism: 17}, Params{}},
	} {
		h, err := NewHasher(c.in)
		switch {
		case c.want == Params{} && err == nil:
			t.Errorf("NewHasher(%v) accepts it", c.in)
		case c.want != Params{} && (err != nil || h.params != c.want):
			t.Errorf("NewHasher(%v) = %v, %v", c.in, h, err)
		}
	}
}

func TestHashAndVerify(t *testing.T) {
	h, _ := hasher(t, fast)
	const plain = "correct horse battery staple"
	stored := mustHash(t, h, plain)
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=8192,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(stored) {
		t.Errorf("digest %s", stored)
	}
	if again := mustHash(t, h, plain); again == stored {
		t.Error("two digests of one password are the same: where is the salt?")
	}
	for _, c := range []struct {
		plain string
		ok    bool
	}{
		{plain, true},
		{plain + " ", false},
		{" " + plain, false},
		{strings.ToUpper(plain), false},
		{plain[:len(plain)-1], false},
		{plain + "\x00", false},
		{"", false},
		{stored, false},
	} {
		ok, rehash, err := h.Verify(t.Context(), stored, c.plain)
		if ok != c.ok || rehash || err != nil {
			t.Errorf("Verify(%q) = %v, %v, %v, want %v", c.plain, ok, rehash, err, c.ok)
		}
	}
}

// TestDefaultDigest is requirement P-01 as a database sees it.
func TestDefaultDigest(t *testing.T) {
	h, _ := hasher(t, Params{})
	if stored := mustHash(t, h, "correct horse"); !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("digest %s", stored)
	}
}

// TestBytesAreKept: no normalisation, no trimming. The two spellings of é are two passwords.
func TestBytesAreKept(t *testing.T) {
	h, _ := hasher(t, fast)
	stored := mustHash(t, h, "caf\u00e9 au lait")
	if ok, _, _ := h.Verify(t.Context(), stored, "caf\u00e9 au lait"); !ok {
		t.Error("the same bytes are wrong")
	}
	if ok, _, _ := h.Verify(t.Context(), stored, "cafe\u0301 au lait"); ok {
		t.Error("other bytes are right")
	}
}

// TestWholePasswordCounts is requirement P-04.
func TestWholePasswordCounts(t *testing.T) {
	h, _ := hasher(t, fast)
	start := strings.Repeat("x", 72)
	stored := mustHash(t, h, start+"a")
	if ok, _, _ := h.Verify(t.Context(), stored, start+"a"); !ok {
		t.Error("the password is wrong")
	}
	if ok, _, _ := h.Verify(t.Context(), stored, start+"b"); ok {
		t.Error("the 73rd byte does not count")
	}
	longest := strings.Repeat("y", MaxBytes)
	stored = mustHash(t, h, longest)
	if ok, _, _ := h.Verify(t.Context(), stored, longest); !ok {
		t.Error("the longest password is wrong")
	}
	// Only its first 512 bytes are hashed, and they are right: it must be refused all the same.
	if ok, _, _ := h.Verify(t.Context(), stored, longest+"y"); ok {
		t.Error("a password above the cap is right")
	}
}

func TestHashRefusesLength(t *testing.T) {
	h, hashes := hasher(t, fast)
	for _, plain := range []string{"", strings.Repeat("x", MaxBytes+1)} {
		if s, err := h.Hash(t.Context(), plain); !errors.Is(err, ErrLength) || s != "" {
			t.Errorf("Hash of %d bytes = %q, %v", len(plain), s, err)
		}
	}
	if hashes.Load() != 0 {
		t.Error("it was hashed")
	}
}

// TestReferenceVectors are the argon2id vectors of the reference implementation (phc-winner-argon2, test.c).
func TestReferenceVectors(t *testing.T) {
	h, _ := hasher(t, Params{})
	for _, c := range []struct{ tag, stored string }{
		{"09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{"9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
	} {
		d, ok := parsePHC(c.stored)
		if !ok || hex.EncodeToString(d.tag) != c.tag || string(d.salt) != "somesalt" {
			t.Errorf("parsed %s as %v, %v", c.stored, d, ok)
		}
		ok, rehash, err := h.Verify(t.Context(), c.stored, "password")
		if !ok || !rehash || err != nil { // the salt is short
			t.Errorf("Verify(%s) = %v, %v, %v", c.stored, ok, rehash, err)
		}
		if ok, rehash, _ := h.Verify(t.Context(), c.stored, "passwore"); ok || rehash {
			t.Errorf("Verify(%s, other password) = %v, %v", c.stored, ok, rehash)
		}
	}
}

// TestRehash is requirement P-02.
func TestRehash(t *testing.T) {
	const plain = "correct horse"
	for _, c := range []struct {
		stored, current Params
		want            bool
	}{
		{Params{8192, 2, 1}, Params{8192, 2, 1}, false},
		{Params{8192, 2, 1}, Params{8193, 2, 1}, true},
		{Params{8192, 2, 1}, Params{8192, 3, 1}, true},
		{Params{8192, 2, 1}, Params{8192, 2, 2}, true},
		{Params{16384, 1, 1}, Params{8192, 2, 1}, true},
		{Params{16384, 2, 1}, Params{8192, 2, 1}, false}, // stronger than asked for is not made weaker
	} {
		old, _ := hasher(t, c.stored)
		h, _ := hasher(t, c.current)
		stored := mustHash(t, old, plain)
		if ok, rehash, err := h.Verify(t.Context(), stored, plain); !ok || rehash != c.want || err != nil {
			t.Errorf("%v under %v = %v, %v, %v, want rehash %v", c.stored, c.current, ok, rehash, err, c.want)
		}
		if ok, rehash, err := h.Verify(t.Context(), stored, "x"); ok || rehash || err != nil {
			t.Errorf("%v under %v, wrong password = %v, %v, %v", c.stored, c.current, ok, rehash, err)
		}
	}
}

// corrupt are stored digests that no password is right for.
var corrupt = map[string]string{
	"empty":            "",
	"plain text":       "correct horse",
	"other kind":       "$argon2i$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"old version":      "$argon2id$v=16$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"no version":       "$argon2id$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"all the memory":   "$argon2id$v=19$m=4294967295,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"above the cap":    "$argon2id$v=19$m=262145,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"all the time":     "$argon2id$v=19$m=8192,t=4294967295,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"too much work":    "$argon2id$v=19$m=262144,t=5,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"no passes":        "$argon2id$v=19$m=8192,t=0,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"no threads":       "$argon2id$v=19$m=8192,t=1,p=0$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"256 threads":      "$argon2id$v=19$m=8192,t=1,p=256$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"too little":       "$argon2id$v=19$m=7,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"negative":         "$argon2id$v=19$m=-8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"leading zero":     "$argon2id$v=19$m=08192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"plus":             "$argon2id$v=19$m=+8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"order":            "$argon2id$v=19$t=1,m=8192,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"fourth parameter": "$argon2id$v=19$m=8192,t=1,p=1,x=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"no salt":          "$argon2id$v=19$m=8192,t=1,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"short salt":       "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"no tag":           "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$",
	"cut off":          "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0",
	"short tag":        "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm",
	"padding":          "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc=",
	"trailing bits":    "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPd",
	"line break":       "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\n",
	"trailing text":    "$argon2id$v=19$m=8192,t=1,p=1$c29tc2FsdHNvbWVzYWx0$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc$x",
	"endless":          "$argon2id$v=19$m=8192,t=1,p=1$" + strings.Repeat("A", 1<<20) + "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
	"NUL":              "\x00",
	"bcrypt, cost 15":  "$2a$15$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga",
	"bcrypt, cost 31":  "$2a$31$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga",
	"bcrypt, cost 3":   "$2a$03$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga",
	"bcrypt, no cost":  "$2a$xx$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga",
	"bcrypt, cut off":  "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcg",
	"bcrypt, longer":   "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcgaa",
	"bcrypt, alphabet": "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt!wU1qD4aFDcga",
	"bcrypt $2x$":      "$2x$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga",
	"bcrypt $2$":       "$2$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcgaa",
	"only dollars":     strings.Repeat("$", 60),
}

// TestEveryPathHashesOnce is E-02: what can be told from outside is how much was hashed.
func TestEveryPathHashesOnce(t *testing.T) {
	h, hashes := hasher(t, fast)
	once := func(name string, f func() (ok, rehash bool, err error)) {
		t.Helper()
		hashes.Store(0)
		if ok, rehash, err := f(); ok || rehash || err != nil {
			t.Errorf("%s = %v, %v, %v, want a wrong password", name, ok, rehash, err)
		}
		if n := hashes.Load(); n != 1 {
			t.Errorf("%s hashes %d times", name, n)
		}
	}
	long := strings.Repeat("z", 600)
	for name, stored := range corrupt {
		once(name, func() (bool, bool, error) { return h.Verify(t.Context(), stored, "correct horse") })
	}
	stored := mustHash(t, h, "correct horse")
	once("wrong", func() (bool, bool, error) { return h.Verify(t.Context(), stored, "wrong horse") })
	once("empty password", func() (bool, bool, error) { return h.Verify(t.Context(), stored, "") })
	once("long password", func() (bool, bool, error) { return h.Verify(t.Context(), stored, long) })
	once("decoy", func() (bool, bool, error) { return false, false, h.Decoy(t.Context(), "correct horse") })
	once("decoy, long password", func() (bool, bool, error) { return false, false, h.Decoy(t.Context(), long) })
}

// TestInputIsCut: of a long password no more than the cap is hashed, by Verify and by Decoy (P-05).
func TestInputIsCut(t *testing.T) {
	h, _ := hasher(t, fast)
	stored := mustHash(t, h, "correct horse")
	var lengths []int
	h.derive = func(plain, _ []byte, _, _ uint32, _ uint8, n uint32) []byte {
		lengths = append(lengths, len(plain))
		return make([]byte, n)
	}
	huge := strings.Repeat("x", 8<<20)
	_, _, _ = h.Verify(t.Context(), stored, huge)
	_, _, _ = h.Verify(t.Context(), "", huge)
	_ = h.Decoy(t.Context(), huge)
	if len(lengths) != 3 || lengths[0] != MaxBytes || lengths[1] != MaxBytes || lengths[2] != MaxBytes {
		t.Errorf("hashed %v bytes, want three times %d", lengths, MaxBytes)
	}
}

// TestEmptyPasswordIsNeverRight, not even for a digest of it that somebody wrote into the database.
func TestEmptyPasswordIsNeverRight(t *testing.T) {
	h, _ := hasher(t, fast)
	d := phc{Params: fast, salt: newSalt()}
	d.tag = argon2.IDKey(nil, d.salt, fast.Time, fast.Memory, fast.Parallelism, tagLen)
	b, err := bcrypt.GenerateFromPassword(nil, bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, stored := range []string{d.String(), string(b)} {
		if ok, rehash, err := h.Verify(t.Context(), stored, ""); ok || rehash || err != nil {
			t.Errorf("%s: %v, %v, %v", stored, ok, rehash, err)
		}
	}
}

// TestBcrypt has vectors of other implementations: jBCrypt, x/crypto and PHP's manual.
func TestBcrypt(t *testing.T) {
	h, hashes := hasher(t, fast)
	for _, c := range []struct{ stored, plain string }{
		{"$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"},
		{"$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allmine"},
		{"$2b$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"},
		{"$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq", "rasmuslerdorf"},
	} {
		if ok, rehash, err := h.Verify(t.Context(), c.stored, c.plain); !ok || !rehash || err != nil {
			t.Errorf("Verify(%s) = %v, %v, %v, want right and rehash", c.stored, ok, rehash, err)
		}
		if ok, rehash, err := h.Verify(t.Context(), c.stored, c.plain+"x"); ok || rehash || err != nil {
			t.Errorf("Verify(%s, other password) = %v, %v, %v", c.stored, ok, rehash, err)
		}
	}
	if hashes.Load() != 0 {
		t.Error("bcrypt also costs an argon2")
	}
}

// TestBcryptRefusesWhatItWouldIgnore is P-04 for imported digests.
func TestBcryptRefusesWhatItWouldIgnore(t *testing.T) {
	h, _ := hasher(t, fast)
	p72 := strings.Repeat("x", 72)
	b, err := bcrypt.GenerateFromPassword([]byte(p72), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, rehash, err := h.Verify(t.Context(), string(b), p72); !ok || !rehash || err != nil {
		t.Errorf("72 bytes: %v, %v, %v", ok, rehash, err)
	}
	for _, plain := range []string{p72 + "x", p72 + strings.Repeat("x", 600)} {
		if ok, rehash, err := h.Verify(t.Context(), string(b), plain); ok || rehash || err != nil {
			t.Errorf("%d bytes: %v, %v, %v", len(plain), ok, rehash, err)
		}
	}
}

// TestBusyIsNoVerdict: overload and a cancelled context are errors on every path.
func TestBusyIsNoVerdict(t *testing.T) {
	h, _ := hasher(t, fast)
	stored := mustHash(t, h, "correct horse")
	const oldStored = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"
	paths := map[string]func(context.Context) (bool, error){
		"hash": func(ctx context.Context) (bool, error) { s, err := h.Hash(ctx, "correct horse"); return s != "", err },
		"verify": func(ctx context.Context) (bool, error) {
			ok, _, err := h.Verify(ctx, stored, "correct horse")
			return ok, err
		},
		"bcrypt": func(ctx context.Context) (bool, error) { ok, _, err := h.Verify(ctx, oldStored, "a"); return ok, err },
		"corrupt": func(ctx context.Context) (bool, error) {
			ok, _, err := h.Verify(ctx, "", "correct horse")
			return ok, err
		},
		"decoy": func(ctx context.Context) (bool, error) { return false, h.Decoy(ctx, "correct horse") },
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, path := range paths {
		if ok, err := path(cancelled); ok || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v, %v", name, ok, err)
		}
	}
	h.limit = &limiter{budget: 1}
	for name, path := range paths {
		if ok, err := path(t.Context()); ok || err == nil || errors.Is(err, ErrBusy) {
			t.Errorf("%s, without a budget: %v, %v, want an error that asks for no retry", name, ok, err)
		}
	}
	full := &limiter{budget: defaultBudget, running: 1 << 20}
	for range maxQueue {
		full.queue = append(full.queue, &waiter{need: 1, ready: make(chan struct{})})
	}
	h.limit = full
	for name, path := range paths {
		if ok, err := path(t.Context()); ok || !errors.Is(err, ErrBusy) {
			t.Errorf("%s, overloaded: %v, %v", name, ok, err)
		}
	}
}

// TestManySignIns is requirement P-06: 200 at once stay under the budget, and everybody gets an answer.
func TestManySignIns(t *testing.T) {
	h, _ := hasher(t, fast)
	stored := mustHash(t, h, "correct horse")
	const budget = 3*(8<<20) + 1000 // three hashes
	h.limit = &limiter{budget: budget}
	var running, peak atomic.Int64
	h.derive = func(plain, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte {
		n := running.Add(1)
		defer running.Add(-1)
		for old := peak.Load(); n > old && !peak.CompareAndSwap(old, n); old = peak.Load() {
		}
		return argon2.IDKey(plain, salt, time, memory, threads, keyLen)
	}
	var right, busy, other atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range 200 {
		wg.Go(func() {
			ok, _, err := h.Verify(t.Context(), stored, "correct horse")
			switch {
			case ok && err == nil:
				right.Add(1)
			case !ok && errors.Is(err, ErrBusy):
				busy.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took > maxWait+8*time.Second {
		t.Errorf("the last answer came after %v", took)
	}
	if right.Load() < 1 || right.Load()+busy.Load() != 200 {
		t.Errorf("%d right, %d busy, %d other", right.Load(), busy.Load(), other.Load())
	}
	if want := int64(min(3, perProcessor*runtime.GOMAXPROCS(0))); peak.Load() > want || peak.Load() < 1 {
		t.Errorf("%d at once, want at most %d", peak.Load(), want)
	}
	if h.limit.used != 0 || h.limit.running != 0 || len(h.limit.queue) != 0 {
		t.Errorf("left behind: %d bytes, %d running, %d waiting", h.limit.used, h.limit.running, len(h.limit.queue))
	}
}

// FuzzParsePHC holds that a digest has one spelling, and that nothing parsed exceeds the caps.
func FuzzParsePHC(f *testing.F) {
	for _, s := range corrupt {
		if len(s) < 1000 {
			f.Add(s)
		}
	}
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, s string) {
		if isBcrypt(s) {
			if cost, err := bcrypt.Cost([]byte(s)); err != nil || cost > maxBcryptCost || len(s) != bcryptLen {
				t.Fatalf("accepted %q", s)
			}
		}
		d, ok := parsePHC(s)
		if !ok {
			return
		}
		if d.String() != s {
			t.Fatalf("%q is another spelling of %q", s, d)
		}
		if d.Memory > maxMemory || uint64(d.Memory)*uint64(d.Time) > maxWork || d.Time < 1 || d.Parallelism < 1 ||
			d.Parallelism > maxParallelism || len(d.salt) < minSalt || len(d.tag) < minTag || len(d.salt) > maxField || len(d.tag) > maxField {
			t.Fatalf("accepted %q", s)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h, _ := hasher(b, Params{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
