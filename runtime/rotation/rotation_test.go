package rotation

import (
	"testing"
	"time"
)

// The model: one row, one client, up to four requests at once. A request is sent with the token that the client has, reads
// the row, asks Step, stores with a compare-and-set, and its reply arrives or is lost. All orders are tried.

const (
	idle int8 = iota
	sent
	read
	answered
)

type request struct {
	phase   int8
	token   int8 // the generation that it was sent with
	sentAt  int8
	readAt  int8
	row     row
	next    int8 // ghost: when the token after its own first came back, at the time of reading
	reply   int8
	gen     int8 // what the reply carries
	expires int8
}

// row is what is stored, in numbers, so that it can be a key of a map. seen is -1 for "not yet".
type row struct {
	gen, rotated, seen, older, expires, version int8
	gone                                        bool
}

// world is a state of the model. The ghosts are what the checker knows and the code does not.
type world struct {
	now      int8
	row      row
	has      int8 // the generation that the client has
	hasUntil int8 // the expiry that came with it
	left     int8 // requests that may still be sent
	requests [4]request
	forgets  int8 // how many stores the database may still forget
	before   row  // what the row was before the last store

	lastRotation int8     // ghost
	firstSeen    [16]int8 // ghost: when each generation first came back, -1 for not yet
	forgot       bool     // ghost: what was seen, and when the last rotation was, is known no more
}

// event is what a request with the token of a generation is to a row.
func (r row) event(token int8) Event {
	if token > r.gen {
		return Event{Ahead: int64(token - r.gen)}
	}
	return Event{Age: int64(r.gen - token)}
}

func at[N int | int8 | int64](n N) time.Time {
	if n == -1 {
		return time.Time{}
	}
	return time.Unix(1_000_000+int64(n), 0).UTC()
}

func tick(t time.Time) int8 {
	if t.IsZero() {
		return -1
	}
	return int8(t.Unix() - 1_000_000)
}

func (r row) state() State {
	return State{Generation: int64(r.gen), RotatedAt: at(r.rotated), SeenAt: at(r.seen), OlderUntil: at(r.older), ExpiresAt: at(r.expires)}
}

func rowOf(s State) row {
	return row{gen: int8(s.Generation), rotated: tick(s.RotatedAt), seen: tick(s.SeenAt), older: tick(s.OlderUntil), expires: tick(s.ExpiresAt)}
}

type checker struct {
	t        *testing.T
	policy   Policy
	window   int8
	end      int8 // of the clock
	revokes  bool
	together int // how many requests there may be at once
	visited  map[world]bool
}

func (c *checker) fail(w world, r request, what string) {
	c.t.Helper()
	c.t.Fatalf("%s: %+v\nthe request: %+v\nthe row: %+v", what, w, r, w.row)
}

// explore visits all that can follow.
func (c *checker) explore(w world) {
	// Requests are alike, so their order does not matter.
	for i := 1; i < len(w.requests); i++ {
		for j := i; j > 0 && less(w.requests[j], w.requests[j-1]); j-- {
			w.requests[j], w.requests[j-1] = w.requests[j-1], w.requests[j]
		}
	}
	if c.visited[w] {
		return
	}
	c.visited[w] = true
	if w.now < c.end {
		next := w
		next.now++
		c.explore(next)
	}
	if c.revokes && !w.row.gone {
		next := w
		next.row.gone = true
		next.row.version++
		c.explore(next)
	}
	if w.forgets > 0 && w.row.version > 0 && !w.row.gone {
		next := w
		next.forgets--
		next.row, next.before, next.forgot = w.before, row{}, true
		next.row.version = w.row.version + 1 // no request that was under way outlives the crash: none stores what it read before
		if w.before != (row{}) {
			c.explore(next)
		}
	}
	started := false
	for i, r := range w.requests {
		if i > 0 && r == w.requests[i-1] {
			continue // the same again
		}
		next := w
		n := &next.requests[i]
		switch r.phase {
		case idle:
			if w.left == 0 || started || w.busy() == c.together {
				continue
			}
			started = true
			_, reply := c.policy.Step(w.row.state(), w.row.event(w.has), at(w.now))
			if !w.row.gone && w.now < w.row.expires && reply != Fresh && reply != Batch {
				c.fail(w, r, "a client is refused that has the last token it was given")
			}
			next.left--
			*n = request{phase: sent, token: w.has, sentAt: w.now}
			c.explore(next)
		case sent:
			n.phase, n.readAt, n.row, n.next = read, w.now, w.row, w.firstSeen[r.token+1]
			c.explore(next)
		case read:
			c.decide(next, i)
		case answered:
			*n = request{} // the reply is lost
			c.explore(next)
			if Reply(r.reply) == Fresh && r.expires >= w.hasUntil { // as ng-token-auth and angular-token do it
				next.has, next.hasUntil = r.gen, r.expires
			}
			c.explore(next)
		}
	}
}

// busy is how many requests are under way.
func (w world) busy() (n int) {
	for _, r := range w.requests {
		if r.phase != idle {
			n++
		}
	}
	return n
}

// decide is what a server does between reading the row and answering.
func (c *checker) decide(w world, i int) {
	r := &w.requests[i]
	if r.row.gone {
		*r = request{}
		c.explore(w)
		return
	}
	now, event := at(r.readAt), r.row.event(r.token)
	before := r.row.state()
	after, reply := c.policy.Step(before, event, now)
	accepted := reply == Fresh || reply == Batch
	switch {
	case !accepted && after != before:
		c.fail(w, *r, "a refusal stores something")
	case accepted && r.readAt >= r.row.expires:
		c.fail(w, *r, "a token outlives its session")
	case reply == Refused && !w.forgot && r.readAt < r.row.expires && r.readAt-r.sentAt < c.window:
		c.fail(w, *r, "a client is refused that has the last token it was given")
	case reply == Reused:
		c.fail(w, *r, "the owner is taken for a thief")
	}
	// The token that came next was shown to be in the client's hands more than a window ago.
	if accepted && !w.forgot && event.Age > 0 && r.next >= 0 && r.readAt >= r.next+c.window {
		c.fail(w, *r, "a token lives on though its successor was seen")
	}
	if after != before {
		if w.row.version != r.row.version { // another request was faster: read again
			r.phase, r.row, r.readAt, r.next = sent, row{}, 0, 0
			c.explore(w)
			return
		}
		stored := rowOf(after)
		stored.version = w.row.version + 1
		if stored.expires < w.row.expires {
			c.fail(w, *r, "the expiry goes backwards")
		}
		if stored.gen != w.row.gen {
			if !w.forgot && r.readAt-w.lastRotation < c.window {
				c.fail(w, *r, "two rotations in a window")
			}
			w.lastRotation = r.readAt
		}
		w.before, w.row = w.row, stored
	}
	if accepted && w.firstSeen[r.token] == -1 {
		w.firstSeen[r.token] = r.readAt
	}
	if !accepted {
		*r = request{}
		c.explore(w)
		return
	}
	*r = request{phase: answered, reply: int8(reply), gen: int8(after.Generation), expires: tick(after.ExpiresAt)}
	c.explore(w)
}

func less(a, b request) bool {
	for _, pair := range [...][2]int8{
		{a.phase, b.phase}, {a.token, b.token}, {a.sentAt, b.sentAt}, {a.readAt, b.readAt},
		{a.reply, b.reply}, {a.gen, b.gen}, {a.expires, b.expires}, {a.row.version, b.row.version}, {a.next, b.next},
	} {
		if pair[0] != pair[1] {
			return pair[0] < pair[1]
		}
	}
	return false
}

// TestAllInterleavings is the promise of the package comment.
func TestAllInterleavings(t *testing.T) {
	for _, c := range []struct {
		name     string
		window   int8
		lifespan int8
		end      int8
		requests int8
		together int
		revokes  bool
		forgets  int8
		policy   Policy
	}{
		{name: "a window of two steps", window: 2, lifespan: 20, end: 5, requests: 4, together: 4},
		{name: "a window of one step", window: 1, lifespan: 20, end: 3, requests: 5, together: 4},
		{name: "many requests, two at once", window: 1, lifespan: 20, end: 5, requests: 7, together: 2},
		{name: "no window, one at a time", window: 0, lifespan: 20, end: 3, requests: 8, together: 1},
		{name: "sessions that expire", window: 1, lifespan: 3, end: 6, requests: 4, together: 3},
		{name: "reuse ends the session", window: 1, lifespan: 40, end: 4, requests: 4, together: 4, policy: Policy{RevokeReused: true}},
		{name: "the session is ended", window: 1, lifespan: 20, end: 3, requests: 4, together: 4, revokes: true},
		{name: "the database forgets", window: 1, lifespan: 20, end: 3, requests: 4, together: 3, forgets: 1},
		{name: "it forgets twice, and reuse ends the session", window: 1, lifespan: 40, end: 3, requests: 4, together: 2, forgets: 2, policy: Policy{RevokeReused: true}},
		{name: "it forgets, without a window", window: 0, lifespan: 20, end: 3, requests: 6, together: 1, forgets: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := c.policy
			p.Rotate, p.Window, p.Lifespan = true, time.Duration(c.window)*time.Second, time.Duration(c.lifespan)*time.Second
			start := rowOf(p.Start(at(0)))
			w := world{row: start, has: 1, hasUntil: start.expires, left: c.requests, forgets: c.forgets}
			for i := range w.firstSeen {
				w.firstSeen[i] = -1
			}
			w.firstSeen[1] = 0
			check := &checker{t: t, policy: p, window: c.window, end: c.end, revokes: c.revokes, together: c.together, visited: map[world]bool{}}
			check.explore(w)
			t.Logf("%d states", len(check.visited))
		})
	}
}

var policy = Policy{Rotate: true, Window: 5 * time.Second, Lifespan: 14 * 24 * time.Hour}

// Steady traffic rotates, and prolongs the session, also when every reply but those of rotations is a batch.
func TestSteadyTrafficRotates(t *testing.T) {
	for _, period := range []int64{1, 2, 3, 4, 5, 6} {
		s, rotations := policy.Start(at(0)), 0
		for now := period; now <= 60; now += period {
			next, reply := policy.Step(s, Event{}, at(now))
			if next.Generation > s.Generation {
				rotations++
				if reply != Fresh || !next.ExpiresAt.Equal(at(now).Add(policy.Lifespan)) {
					t.Errorf("every %d s: a rotation at %d answers %v, and the session ends %v", period, now, reply, next.ExpiresAt)
				}
			}
			s = next
		}
		spacing := (5 + period - 1) / period * period // the first request after each window
		if want := int(60 / spacing); rotations != want {
			t.Errorf("a request every %d s rotates %d times in a minute, want %d", period, rotations, want)
		}
	}
}

// A client that loses all replies stays logged in, and its session goes on for as long as it is used.
func TestAllRepliesLost(t *testing.T) {
	s, stores := policy.Start(at(0)), 0
	for day := range int64(60) {
		next, reply := policy.Step(s, Event{Age: s.Generation - 1}, at(6+day*86400))
		if reply != Fresh || next.Generation != 2 {
			t.Fatalf("day %d: %v, generation %d", day, reply, next.Generation)
		}
		if next != s {
			stores++
		}
		if again, _ := policy.Step(next, Event{Age: 1}, at(8+day*86400)); again != next && day > 0 {
			t.Errorf("day %d: prolonged twice within a window", day)
		}
		s = next
	}
	if stores != 60 {
		t.Errorf("%d stores", stores)
	}
}

func TestStep(t *testing.T) {
	start := policy.Start(at(0))
	rotated, _ := policy.Step(start, Event{}, at(5)) // generation 2, not seen
	seen, _ := policy.Step(rotated, Event{}, at(9))  // seen within the window
	third, _ := policy.Step(seen, Event{}, at(10))   // generation 3
	fixed, strict, hasty := policy, policy, policy
	fixed.Rotate, strict.RevokeReused, strict.Grace, hasty.Window = false, true, time.Minute, 0
	for _, c := range []struct {
		name    string
		policy  Policy
		state   State
		event   Event
		now     int64
		reply   Reply
		changes bool
	}{
		{"right after sign-in", policy, start, Event{}, 1, Batch, false},
		{"after the window", policy, start, Event{}, 5, Fresh, true},
		{"within the window, unbatched", policy, start, Event{Unbatch: true}, 1, Fresh, false},
		{"an unknown token", policy, start, Event{Age: -1}, 1, Refused, false},
		{"the token of a rotation that was forgotten", policy, start, Event{Ahead: 1}, 1, Fresh, true},
		{"of one too many", policy, start, Event{Ahead: MaxAhead + 1}, 1, Refused, false},
		{"ahead by less than nothing", policy, start, Event{Ahead: -1}, 1, Refused, false},
		{"ahead of a session that has expired", policy, start, Event{Ahead: 1}, 14 * 86400, Refused, false},
		{"ahead and behind", policy, third, Event{Ahead: 1, Age: 1}, 11, Refused, false},
		{"ahead of one that keeps its token", fixed, start, Event{Ahead: 1}, 1, Fresh, true},
		{"a generation that never was", policy, start, Event{Age: 1}, 1, Refused, false},
		{"the successor is seen", policy, rotated, Event{}, 6, Batch, true},
		{"the predecessor in the window", policy, rotated, Event{Age: 1}, 6, Batch, false},
		{"the reply was lost", policy, rotated, Event{Age: 1}, 1000, Fresh, true},
		{"a window after its successor was seen", policy, seen, Event{Age: 1}, 14, Refused, false},
		{"just before that", policy, seen, Event{Age: 1}, 13, Fresh, true},
		{"two behind, still under way", policy, third, Event{Age: 2}, 13, Batch, false},
		{"two behind, too late", policy, third, Event{Age: 2}, 14, Refused, false},
		{"expired", policy, start, Event{}, 14 * 86400, Refused, false},
		{"expired, though the reply was lost", policy, rotated, Event{Age: 1}, 14*86400 + 5, Refused, false},
		{"no rotation", fixed, start, Event{}, 1000, Fresh, false},
		{"no rotation: the end stays", fixed, start, Event{}, 13 * 86400, Fresh, false},
		{"no window rotates at once", hasty, start, Event{}, 0, Fresh, true},
		{"strict: lost within the grace", strict, rotated, Event{Age: 1}, 64, Fresh, true},
		{"strict: lost for too long", strict, rotated, Event{Age: 1}, 65, Refused, false},
		{"strict: a request that was under way for long", strict, seen, Event{Age: 1}, 23, Refused, false},
		{"strict: a token that was put aside", strict, seen, Event{Age: 1}, 24, Reused, false},
		{"strict: one from long ago", strict, third, Event{Age: 2}, 24, Reused, false},
		{"drop-in: a token that was put aside", policy, seen, Event{Age: 1}, 24, Refused, false},
	} {
		got, reply := c.policy.Step(c.state, c.event, at(c.now))
		if reply != c.reply || (got != c.state) != c.changes {
			t.Errorf("%s: %v, changed %v; want %v, %v", c.name, reply, got != c.state, c.reply, c.changes)
		}
	}
}

// A shortened lifespan must not strand clients: they throw away replies whose expiry goes backwards.
func TestExpiryNeverGoesBackwards(t *testing.T) {
	s := policy.Start(at(0))
	short := policy
	short.Lifespan = time.Hour
	got, reply := short.Step(s, Event{}, at(10))
	if reply != Fresh || got.Generation != 2 || got.ExpiresAt.Before(s.ExpiresAt) {
		t.Errorf("%v, %+v", reply, got)
	}
}
