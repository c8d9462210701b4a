package password

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

func TestLimiterBounds(t *testing.T) {
	processors := perProcessor * runtime.GOMAXPROCS(0)
	for _, c := range []struct {
		budget, need int64
		atOnce       int
	}{
		{100, 30, min(3, processors)},
		{100, 100, 1},
		{1 << 40, 1, processors},
	} {
		l := &limiter{budget: c.budget}
		var mu sync.Mutex
		running, peak := 0, 0
		var wg sync.WaitGroup
		for range c.atOnce + maxQueue { // just as many as may wait
			wg.Go(func() {
				if err := l.acquire(t.Context(), c.need); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				running++
				peak = max(peak, running)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				running--
				mu.Unlock()
				l.release(c.need)
			})
		}
		wg.Wait()
		if peak > c.atOnce {
			t.Errorf("budget %d: %d at once, want %d", c.budget, peak, c.atOnce)
		}
		if l.used != 0 || l.running != 0 || len(l.queue) != 0 {
			t.Errorf("budget %d: left behind %+v", c.budget, l)
		}
	}
}

// queued waits until n wait.
func queued(t *testing.T, l *limiter, n int) {
	t.Helper()
	for range 2000 {
		l.mu.Lock()
		got := len(l.queue)
		l.mu.Unlock()
		if got == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d never wait", n)
}

func TestLimiterQueue(t *testing.T) {
	l := &limiter{budget: 10}
	if err := l.acquire(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	// A waiter that hangs up leaves the queue.
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- l.acquire(ctx, 1) }()
	queued(t, l, 1)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	queued(t, l, 0)

	// They are served in the order of arrival: the small one does not overtake the large one, not even when there
	// is room for it.
	l.release(10)
	if err := l.acquire(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	order := make(chan string, 2)
	go func() { _ = l.acquire(t.Context(), 10); order <- "large"; l.release(10) }()
	queued(t, l, 1)
	go func() { _ = l.acquire(t.Context(), 1); order <- "small"; l.release(1) }()
	queued(t, l, 2)
	l.release(5)
	if first, second := <-order, <-order; first != "large" || second != "small" {
		t.Errorf("%s came before %s", first, second)
	}

	if err := l.acquire(t.Context(), 11); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("more than the budget: %v", err)
	}
}

func TestLimiterWaitEnds(t *testing.T) {
	l := &limiter{budget: 10}
	if err := l.acquire(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := l.acquire(t.Context(), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("error = %v", err)
	}
	if took := time.Since(start); took < maxWait || took > maxWait+3*time.Second {
		t.Errorf("waited %v, want %v", took, maxWait)
	}
	if len(l.queue) != 0 {
		t.Error("it still waits")
	}
}

// TestLimiterGivesBackWhatCameTooLate: a waiter that was let in while it gave up must not keep its place.
func TestLimiterGivesBackWhatCameTooLate(t *testing.T) {
	l := &limiter{budget: 10}
	_ = l.acquire(t.Context(), 10)
	w, err := l.enter(10)
	if w == nil || err != nil {
		t.Fatal(w, err)
	}
	l.release(10)
	<-w.ready
	l.leave(w)
	if l.used != 0 || l.running != 0 {
		t.Errorf("%d bytes, %d running are lost", l.used, l.running)
	}
}

func TestSetBudget(t *testing.T) {
	defer SetBudget(defaultBudget)
	h, err := NewHasher(fast)
	if err != nil {
		t.Fatal(err)
	}
	SetBudget(8<<20 - 1)
	if _, err := h.Hash(t.Context(), "correct horse"); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("below one hash: %v", err)
	}
	SetBudget(8 << 20)
	if _, err := h.Hash(t.Context(), "correct horse"); err != nil {
		t.Error(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("SetBudget(0) does not panic")
		}
	}()
	SetBudget(0)
}

// TestRaisedBudgetLetsWaitersIn without anybody leaving.
func TestRaisedBudgetLetsWaitersIn(t *testing.T) {
	l := &limiter{budget: 10}
	_ = l.acquire(t.Context(), 10)
	done := make(chan error)
	go func() { done <- l.acquire(t.Context(), 10) }()
	queued(t, l, 1)
	l.setBudget(20)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
