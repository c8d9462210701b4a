package rotation

import "time"

// MaxAhead is how many forgotten rotations are made good, see [Event]. What a crash takes is less than a second, and a window
// is longer. Of a database that is set back to a backup the tokens of the time since then would come to life again.
const MaxAhead = 3

// Slack is how long after a superseded token has died it is refused like any other wrong one, before presenting it counts
// as reuse: a request may have been under way for that long.
const Slack = 10 * time.Second

// Policy is what holds for all sessions of a model. It is immutable and safe for concurrent use.
type Policy struct {
	// Rotate gives a session another token while it is used. Without it a session has one token for as long as it lives.
	Rotate bool

	// Window is how long after a rotation requests with either token are answered without another rotation, and how
	// long a token lives on after its successor was seen. 0 rotates at every request.
	Window time.Duration

	// Lifespan is how long a session lives, from its start and from each rotation.
	Lifespan time.Duration

	// Grace is how long after a rotation the superseded token is accepted although nobody has seen its successor; 0 is
	// for as long as the session lives. With an end, a client that loses a reply and then sleeps is logged out.
	Grace time.Duration

	// RevokeReused makes [Policy.Step] answer [Reused] to a superseded token that was put aside long ago: two parties
	// hold tokens of one session, and nobody knows which of them is the owner.
	RevokeReused bool
}

// State is what is stored of a session. Generations count from 1; the token of a generation is up to the caller. The
// times are of the caller's clock.
type State struct {
	Generation int64     // of the current token
	RotatedAt  time.Time // when it became the current one, or was given out again because nobody had seen it
	SeenAt     time.Time // when it first came back; zero: not yet, so its reply may be lost
	OlderUntil time.Time // until when the token before the previous one is accepted
	ExpiresAt  time.Time
}

// Event is a request with a token of the session.
type Event struct {
	// Age is how many generations the token is behind the current one: 0 for the current token. A token of no generation
	// has a negative age.
	Age int64

	// Ahead is how many generations the token is ahead of the current one, and Age is 0 then. Only a caller whose tokens
	// nobody can make up may say so. It means that the database has forgotten rotations that were answered.
	Ahead int64

	// Unbatch wants a reply with a token in it, also within the window.
	Unbatch bool
}

// Reply is how a request is to be answered.
type Reply int

// The replies. Refused is the answer to whatever does not authenticate, and changes nothing. Reused is a refusal after
// which the session must be ended. Fresh authenticates, and the answer carries the token of the returned state. Batch
// authenticates, and the client need not hear of another token.
const (
	Refused Reply = iota
	Reused
	Fresh
	Batch
)

// Start returns the state of a new session, whose first token is delivered by the reply that opens it.
func (p Policy) Start(now time.Time) State {
	return State{Generation: 1, RotatedAt: now, SeenAt: now, OlderUntil: now, ExpiresAt: now.Add(p.Lifespan)}
}

// Step returns how to answer a request, and what to store first if that differs from s. It is a pure function. Store with
// a compare-and-set on the whole row; when another request was faster, read again and ask again. Per window there are
// at most three stores (seen, rotated, prolonged), and one for what was forgotten, so that ends.
func (p Policy) Step(s State, e Event, now time.Time) (State, Reply) {
	if !now.Before(s.ExpiresAt) || e.Age < 0 || e.Age >= s.Generation {
		return s, Refused // whatever the token: nothing outlives its session (ASVS 9.2.1)
	}
	if e.Ahead != 0 {
		return p.recall(s, e, now)
	}
	if !p.accepts(s, e.Age, now) {
		if p.RevokeReused && p.longDead(s, e.Age, now) {
			return s, Reused
		}
		return s, Refused
	}
	if !p.Rotate {
		return s, Fresh
	}
	if e.Age == 0 && s.SeenAt.IsZero() {
		s.SeenAt = now
	}
	switch {
	case now.Before(s.RotatedAt.Add(p.Window)): // fixed: no traffic extends it
		if e.Unbatch {
			return s, Fresh
		}
		return s, Batch
	case e.Age == 0:
		s.OlderUntil = s.SeenAt.Add(p.Window)
		s.Generation++
		s.RotatedAt, s.SeenAt = now, time.Time{}
		s.ExpiresAt = p.prolonged(s, now)
	case s.ExpiresAt.Add(p.Window).Before(now.Add(p.Lifespan)):
		// The reply with the current token was lost. It is given out again: a client that loses every reply stays where
		// it is, and no third token comes to life. The window begins anew, so that the expiry of the token after it is
		// later: by that clients tell which of two replies is the newer one.
		s.RotatedAt, s.ExpiresAt = now, p.prolonged(s, now)
	}
	return s, Fresh
}

// recall makes good what the database has forgotten: a crash took its last moments, or a replica took over that was
// behind. The token that came was given out, and nothing tells that a later one was.
func (p Policy) recall(s State, e Event, now time.Time) (State, Reply) {
	if e.Ahead < 0 || e.Ahead > MaxAhead || e.Age != 0 {
		return s, Refused
	}
	s.Generation += e.Ahead
	s.RotatedAt, s.SeenAt, s.OlderUntil = now, now, now
	s.ExpiresAt = p.prolonged(s, now)
	return s, Fresh
}

// accepts reports whether a token of that age still authenticates.
func (p Policy) accepts(s State, age int64, now time.Time) bool {
	switch {
	case age == 0:
		return true
	case age == 1 && s.SeenAt.IsZero():
		return p.Grace <= 0 || now.Before(s.RotatedAt.Add(max(p.Grace, p.Window)))
	case age == 1:
		return now.Before(s.SeenAt.Add(p.Window))
	case age == 2:
		return now.Before(s.OlderUntil)
	}
	return false
}

// longDead reports whether a token that is not accepted has been superseded for so long that no request of its owner can
// still be under way with it. Its successor has come back, so the owner has put it aside.
func (p Policy) longDead(s State, age int64, now time.Time) bool {
	if age == 1 {
		return !s.SeenAt.IsZero() && !now.Before(s.SeenAt.Add(p.Window+Slack))
	}
	return !now.Before(s.OlderUntil.Add(Slack))
}

// prolonged is never earlier than before: clients throw away replies whose expiry goes backwards.
func (p Policy) prolonged(s State, now time.Time) time.Time {
	if e := now.Add(p.Lifespan); e.After(s.ExpiresAt) {
		return e
	}
	return s.ExpiresAt
}
