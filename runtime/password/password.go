package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
)

const (
	// The parameters that zero fields of [Params] stand for: the least that OWASP's Password Storage Cheat
	// Sheet names with one thread (requirement P-01).
	DefaultMemory      = 19456 // KiB
	DefaultTime        = 2     // passes
	DefaultParallelism = 1     // threads

	// MinMemory is the least memory [NewHasher] accepts, in KiB. It is there against a slip, such as MiB for
	// KiB, and low enough for tests to be fast; it is no recommendation. Use more for passwords of people.
	MinMemory = 8 << 10

	// MaxBytes is the length of the longest password, in bytes of UTF-8 (requirement P-03).
	MaxBytes = 512

	saltLen = 16 // bytes
	tagLen  = 32 // bytes

	// bcryptMemory is what a bcrypt counts in the budget, in bytes. It uses 4 KiB; what it takes is time.
	bcryptMemory = 64 << 10
)

// ErrLength is returned by [Hasher.Hash] for a password that is empty or longer than [MaxBytes].
var ErrLength = errors.New("password is empty or longer than 512 bytes")

// Params are the costs of argon2id. A field that is zero stands for its default.
type Params struct {
	Memory      uint32 // KiB
	Time        uint32 // passes over the memory
	Parallelism uint8  // threads
}

// need is the memory of one hash, in bytes.
func (p Params) need() int64 { return int64(p.Memory) << 10 }

// Hasher hashes and verifies passwords. Make it once, at start-up. It is safe for concurrent use.
type Hasher struct {
	params Params
	salt   []byte // of decoys
	limit  *limiter
	// derive is argon2.IDKey. Tests count its calls: how often it runs is what time tells.
	derive func(plain, salt []byte, time, memory uint32, threads uint8, keyLen uint32) []byte
}

// NewHasher returns a hasher that makes digests with the given parameters. It refuses memory below
// [MinMemory], and parameters above what [Hasher.Verify] accepts from a stored digest: 256 MiB, 1 GiB
// of memory times passes, 16 threads.
func NewHasher(p Params) (*Hasher, error) {
	if p.Memory == 0 {
		p.Memory = DefaultMemory
	}
	if p.Time == 0 {
		p.Time = DefaultTime
	}
	if p.Parallelism == 0 {
		p.Parallelism = DefaultParallelism
	}
	switch {
	case p.Memory < MinMemory:
		return nil, fmt.Errorf("make password hasher: memory is %d KiB, want at least %d", p.Memory, MinMemory)
	case p.Memory > maxMemory:
		return nil, fmt.Errorf("make password hasher: memory is %d KiB, want at most %d", p.Memory, maxMemory)
	case uint64(p.Memory)*uint64(p.Time) > maxWork:
		return nil, fmt.Errorf("make password hasher: memory times passes is %d KiB, want at most %d", uint64(p.Memory)*uint64(p.Time), maxWork)
	case p.Parallelism > maxParallelism:
		return nil, fmt.Errorf("make password hasher: %d threads, want at most %d", p.Parallelism, maxParallelism)
	}
	return &Hasher{params: p, salt: newSalt(), limit: process, derive: argon2.IDKey}, nil
}

func newSalt() []byte {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	return salt
}

// Hash returns the digest of a password with a new salt, as a PHC string of less than 120 characters:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>
//
// An error wraps [ErrLength], [ErrBusy] or the context's error. Ask [Policy.Check] first: Hash takes every
// password from 1 to [MaxBytes] bytes. A hash that has begun is not interrupted by ctx.
func (h *Hasher) Hash(ctx context.Context, plain string) (string, error) {
	if plain == "" || len(plain) > MaxBytes {
		return "", fmt.Errorf("hash password: %w", ErrLength)
	}
	d := phc{Params: h.params, salt: newSalt()}
	tag, err := h.argon2(ctx, d, tagLen, plain)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	d.tag = tag
	return d.String(), nil
}

// Verify reports whether plain is the password of a stored digest, and whether the digest should be made
// anew with [Hasher.Hash] because one of its parameters is below the current one or it is bcrypt. rehash is
// only true when ok is.
//
// It hashes exactly once on every path, at the cost of the stored digest if that can be read and of the
// current parameters if not. So these are all wrong passwords, without an error and without a shortcut: a
// stored digest that is empty, corrupt, of another kind or beyond the caps; an empty password; one longer
// than [MaxBytes], of which only the beginning is hashed; and one longer than 72 bytes for bcrypt.
//
// An error means that nobody could tell: it wraps [ErrBusy], the context's error, or says that the budget is
// less than one hash needs.
func (h *Hasher) Verify(ctx context.Context, stored, plain string) (ok, rehash bool, err error) {
	if isBcrypt(stored) {
		ok, err = h.bcrypt(ctx, stored, plain)
		return ok, ok, err
	}
	d, readable := parsePHC(stored)
	if !readable {
		return false, false, h.Decoy(ctx, plain)
	}
	tag, err := h.argon2(ctx, d, len(d.tag), plain)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	same := subtle.ConstantTimeCompare(tag, d.tag) == 1
	ok = same && plain != "" && len(plain) <= MaxBytes
	return ok, ok && h.isBelow(d), nil
}

// Decoy does the work of [Hasher.Verify] for a digest with the current parameters, for an account that does
// not exist, has no password or must not be asked. Its errors are those of Verify.
func (h *Hasher) Decoy(ctx context.Context, plain string) error {
	tag, err := h.argon2(ctx, phc{Params: h.params, salt: h.salt}, tagLen, plain)
	if err != nil {
		return fmt.Errorf("verify password: %w", err)
	}
	var none [tagLen]byte
	_ = subtle.ConstantTimeCompare(tag, none[:])
	return nil
}

func (h *Hasher) isBelow(d phc) bool {
	return d.Memory < h.params.Memory || d.Time < h.params.Time || d.Parallelism < h.params.Parallelism ||
		len(d.salt) < saltLen || len(d.tag) < tagLen
}

// argon2 computes the tag of n bytes under the salt and parameters of d, when there is room. Of a password
// that is too long it hashes the beginning; the caller refuses it.
func (h *Hasher) argon2(ctx context.Context, d phc, n int, plain string) ([]byte, error) {
	if err := h.limit.acquire(ctx, d.need()); err != nil {
		return nil, err
	}
	defer h.limit.release(d.need())
	return h.derive([]byte(plain[:min(len(plain), MaxBytes)]), d.salt, d.Time, d.Memory, d.Parallelism, uint32(n)), nil
}

func (h *Hasher) bcrypt(ctx context.Context, stored, plain string) (bool, error) {
	if err := h.limit.acquire(ctx, bcryptMemory); err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	defer h.limit.release(bcryptMemory)
	return verifyBcrypt(stored, plain) && plain != "", nil
}
