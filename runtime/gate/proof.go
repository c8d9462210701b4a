package gate

import (
	"fmt"
	"io"
	"time"
)

// Proof says that an attempt passed its guards and its verification. Only [Try] makes one that is
// [Proof.Valid]; ask that before you trust any other method. It is immutable, holds no secret and may be
// copied, but belongs to the request that earned it. It cannot be decoded from JSON or the like.
type Proof struct {
	model, ownerID, factor string
	second, ok             bool
	at                     time.Time
	epoch                  int64
}

// Valid reports whether p came from a [Try] that succeeded. The zero Proof did not.
func (p Proof) Valid() bool { return p.ok }

// Model returns the model of the account, such as "User".
func (p Proof) Model() string { return p.model }

// OwnerID returns whose secret was right. It is not empty in a valid Proof.
func (p Proof) OwnerID() string { return p.ownerID }

// Factor returns what the secret was, such as "password".
func (p Proof) Factor() string { return p.factor }

// Second reports whether the secret was a second factor.
func (p Proof) Second() bool { return p.second }

// At returns the time of the attempt by the clock of whoever made it.
func (p Proof) At() time.Time { return p.at }

// Epoch returns what [Attempt.Epoch] said: the version of the account's credentials that the secret is one of.
func (p Proof) Epoch() int64 { return p.epoch }

// String implements [fmt.Stringer]. It names no account, so a proof can be logged.
func (p Proof) String() string {
	if !p.ok {
		return "gate.Proof(invalid)"
	}
	return "gate.Proof(valid)"
}

// GoString implements [fmt.GoStringer] like [Proof.String].
func (p Proof) GoString() string { return p.String() }

// Format implements [fmt.Formatter] and writes [Proof.String] for every verb.
func (p Proof) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }
