// Package deadline gives a context an end that costs nothing until somebody waits for it.
//
// A look into a database has a deadline, and nearly always is done long before. context.WithTimeout starts a timer for it and
// stops it again, which is a twentieth of what it costs to find a row of an embedded database by its key. A driver that never
// waits does not ask for Done, so there is nothing to wake.
package deadline

import (
	"context"
	"sync"
	"time"
)

// WithTimeout is context.WithTimeout, whose timer starts when Done is asked for first. The end is the same, from the
// call on. Call cancel when what the context is for has ended. Both are safe for concurrent use.
func WithTimeout(parent context.Context, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	c := &timeout{Context: parent, end: time.Now().Add(d)}
	if end, ok := parent.Deadline(); ok && end.Before(c.end) {
		c.end = end
	}
	return c, c.cancel
}

type timeout struct {
	context.Context // the parent
	end             time.Time

	mu    sync.Mutex
	timed context.Context // made for the first who waits
	stop  context.CancelFunc
	err   error // what it ended with before that
}

// Deadline implements [context.Context].
func (c *timeout) Deadline() (time.Time, bool) { return c.end, true }

// String names the context without looking into it, as package context does: printing may go on beside its use.
func (c *timeout) String() string { return "deadline.WithTimeout(" + c.end.String() + ")" }

// Done implements [context.Context].
func (c *timeout) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.stop = context.WithDeadline(c.Context, c.end)
		if c.err != nil {
			c.stop()
		}
	}
	return c.timed.Done()
}

// Err implements [context.Context].
func (c *timeout) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look()
	return c.err
}

// look finds out whether it has ended by now. What it ended with stays.
func (c *timeout) look() {
	switch {
	case c.err != nil:
	case c.timed != nil:
		c.err = c.timed.Err()
	case c.Context.Err() != nil:
		c.err = c.Context.Err()
	case !time.Now().Before(c.end):
		c.err = context.DeadlineExceeded
	}
}

// Value implements [context.Context]. Once there is a timer it asks that context, by which package context finds out that it
// can end the children of this one without a goroutine for each.
func (c *timeout) Value(key any) any {
	c.mu.Lock()
	timed := c.timed
	c.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return c.Context.Value(key)
}

func (c *timeout) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed != nil {
		c.stop()
		return
	}
	if c.look(); c.err == nil {
		c.err = context.Canceled
	}
}
