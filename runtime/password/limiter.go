package password

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// ErrBusy says that too many passwords are being hashed: nothing was verified. Answer it with 503 and
// Retry-After, never with "wrong password".
var ErrBusy = errors.New("too many passwords are being hashed")

const (
	defaultBudget = 256 << 20 // bytes
	maxQueue      = 64
	maxWait       = 2 * time.Second
	perProcessor  = 4
)

// process bounds all hashing of the process. It is the one variable of this package, and it is global
// because what it guards is: all hashers take from the same memory, and two of them with a budget each would
// together use twice of what was granted.
var process = &limiter{budget: defaultBudget}

// SetBudget sets how much memory all hashing of this process may use at once, in bytes. The default is 256
// MiB. Call it at start-up; it may be called at any time and concurrently. It panics unless bytes is positive.
//
// At most budget / memory of one hash run at once, and at most four for each processor. 64 more wait, in the
// order they came, up to two seconds. Everyone else gets [ErrBusy] at once: an answer that comes when the
// client has gone helps nobody (requirement P-06).
//
// The budget counts what hashing uses, not what the collector has yet to free, which can be as much again. In a
// container, set GOMEMLIMIT as well.
func SetBudget(bytes int64) {
	if bytes <= 0 {
		panic("password: SetBudget: the budget must be positive")
	}
	process.setBudget(bytes)
}

// limiter is a weighted semaphore with a bounded queue. It serves in the order of arrival, so that a large
// request is not overtaken for ever by small ones.
type limiter struct {
	mu      sync.Mutex
	budget  int64 // bytes
	used    int64 // bytes, by those that run
	running int
	queue   []*waiter
}

type waiter struct {
	need  int64
	ready chan struct{} // closed when the waiter may run
}

func (l *limiter) setBudget(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget = bytes
	l.admit()
}

// acquire returns nil when the caller may use need bytes; it must release them. Otherwise the error is
// ErrBusy, the context's, or that the budget could never allow it.
func (l *limiter) acquire(ctx context.Context, need int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := l.enter(need)
	if w == nil {
		return err
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-w.ready:
		return nil
	case <-timer.C:
		err = ErrBusy
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.leave(w)
	return err
}

// enter lets the caller run, and returns no waiter, or puts one into the queue.
func (l *limiter) enter(need int64) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case need > l.budget:
		return nil, fmt.Errorf("one hash needs %d bytes and the budget is %d; see SetBudget", need, l.budget)
	case len(l.queue) == 0 && l.fits(need):
		l.take(need)
		return nil, nil
	case len(l.queue) >= maxQueue:
		return nil, ErrBusy
	}
	w := &waiter{need: need, ready: make(chan struct{})}
	l.queue = append(l.queue, w)
	return w, nil
}

// leave takes a waiter that gives up out of the queue, or gives back what it was granted meanwhile.
func (l *limiter) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, w); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	} else {
		l.used -= w.need
		l.running--
	}
	l.admit()
}

func (l *limiter) release(need int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used -= need
	l.running--
	l.admit()
}

// admit lets those run that come first and fit.
func (l *limiter) admit() {
	for len(l.queue) > 0 && l.fits(l.queue[0].need) {
		w := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.take(w.need)
		close(w.ready)
	}
}

func (l *limiter) fits(need int64) bool {
	return l.running < perProcessor*runtime.GOMAXPROCS(0) && l.used+need <= l.budget
}

func (l *limiter) take(need int64) {
	l.used += need
	l.running++
}
