package touch

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const interval = 10 * time.Second

type call struct {
	keys []int
	at   time.Time
	when time.Time
}

// recorder is a flush function that remembers its calls. It needs no lock inside a synctest bubble
// that waits before it looks, but -race does not know that.
type recorder struct {
	mu    sync.Mutex
	calls []call
	errs  []error
	fail  func(n int) error // n counts from 1
}

func (r *recorder) flush(_ context.Context, keys []int, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(keys)
	r.calls = append(r.calls, call{keys, at, time.Now()})
	if r.fail != nil {
		return r.fail(len(r.calls))
	}
	return nil
}

func (r *recorder) onError(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

func (r *recorder) setFail(f func(n int) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = f
}

func (r *recorder) take() ([]call, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, e := r.calls, r.errs
	r.calls, r.errs = nil, nil
	return c, e
}

func wantCall(t *testing.T, got []call, at, when time.Time, keys ...int) {
	t.Helper()
	if len(got) != 1 || !slices.Equal(got[0].keys, keys) || !got[0].at.Equal(at) || !got[0].when.Equal(when) {
		t.Fatalf("flushes %v, want one of %v with %v at %v", got, keys, at, when)
	}
}

func TestOneFlushPerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		b := New(interval, r.flush, r.onError)
		start := time.Now()
		b.Mark(1, start)
		time.Sleep(3 * time.Second)
		b.Mark(2, start.Add(3*time.Second))
		b.Mark(1, start.Add(2*time.Second)) // out of order: the latest time counts
		b.Mark(1, start)
		time.Sleep(7*time.Second - time.Nanosecond)
		synctest.Wait()
		if calls, _ := r.take(); len(calls) != 0 {
			t.Fatalf("flushed early: %v", calls)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		calls, _ := r.take()
		wantCall(t, calls, start.Add(3*time.Second), start.Add(interval), 1, 2)

		time.Sleep(time.Hour) // idle: nothing happens
		if calls, _ := r.take(); len(calls) != 0 {
			t.Fatalf("flushed without marks: %v", calls)
		}
		again := time.Now()
		b.Mark(1, again)
		time.Sleep(interval)
		synctest.Wait()
		calls, _ = r.take()
		wantCall(t, calls, again, again.Add(interval), 1)
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestIdleHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 100 {
		New(time.Hour, func(context.Context, []int, time.Time) error { return nil }, func(error) {}).Mark(1, time.Now())
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

func TestFailedFlushIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		r := recorder{fail: func(n int) error {
			if n == 1 {
				return down
			}
			return nil
		}}
		b := New(interval, r.flush, r.onError)
		start := time.Now()
		b.Mark(1, start)
		b.Mark(2, start)
		time.Sleep(interval)
		synctest.Wait()
		calls, errs := r.take()
		wantCall(t, calls, start, start.Add(interval), 1, 2)
		if len(errs) != 1 || !errors.Is(errs[0], down) || !strings.HasPrefix(errs[0].Error(), "flush touched keys: ") {
			t.Fatalf("errors %v", errs)
		}
		r.setFail(nil)
		later := start.Add(12 * time.Second)
		b.Mark(3, later)
		time.Sleep(interval)
		synctest.Wait()
		calls, errs = r.take()
		wantCall(t, calls, later, start.Add(2*interval), 1, 2, 3)
		if len(errs) != 0 {
			t.Fatalf("errors %v", errs)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{fail: func(n int) error {
			if n == 1 {
				panic("boom")
			}
			return nil
		}}
		b := New(interval, r.flush, r.onError)
		start := time.Now()
		b.Mark(1, start)
		time.Sleep(2 * interval)
		synctest.Wait()
		calls, errs := r.take()
		if len(calls) != 2 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "boom") {
			t.Fatalf("calls %v, errors %v", calls, errs)
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *Buffer[int]
		mark := func(from, to int) {
			for i := from; i < to; i++ {
				b.Mark(i, time.Now())
			}
		}
		r := recorder{fail: func(n int) error {
			if n == 1 { // stands for other goroutines: these come in during the flush that fails
				mark(2, 8)
				return errors.New("down")
			}
			return nil
		}}
		b = New(interval, r.flush, r.onError)
		b.maxKeys = 8
		mark(0, 10) // two too many
		mark(0, 8)  // known ones are no loss
		time.Sleep(interval)
		synctest.Wait()
		calls, errs := r.take()
		if len(calls) != 1 || len(calls[0].keys) != 8 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "dropped 2:") || !errors.Is(errs[0], ErrDropped) {
			t.Fatalf("calls %v, errors %v", calls, errs)
		}
		// Keys 0 to 7 failed and still fit.
		r.setFail(func(int) error {
			mark(100, 101)
			return errors.New("down")
		})
		time.Sleep(interval)
		synctest.Wait()
		calls, errs = r.take()
		if len(calls) != 1 || len(calls[0].keys) != 8 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "dropped 8:") {
			t.Fatalf("calls %v, errors %v", calls, errs)
		}
		// The older batch was dropped, the newer one is there.
		r.setFail(nil)
		time.Sleep(interval)
		synctest.Wait()
		calls, _ = r.take()
		if len(calls) != 1 || !slices.Equal(calls[0].keys, []int{100}) {
			t.Fatalf("calls %v", calls)
		}
	})
}

func TestOneFlushAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most, n atomic.Int32
		flush := func(context.Context, []int, time.Time) error {
			now := running.Add(1)
			if now > most.Load() {
				most.Store(now)
			}
			n.Add(1)
			time.Sleep(3 * interval)
			running.Add(-1)
			return nil
		}
		b := New(interval, flush, func(error) {})
		for i := range 100 {
			before := time.Now()
			b.Mark(i, before)
			if time.Since(before) != 0 {
				t.Fatal("Mark blocked")
			}
			time.Sleep(time.Second)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most.Load() != 1 || running.Load() != 0 {
			t.Errorf("%d flushes at once, %d after Close", most.Load(), running.Load())
		}
		if n.Load() != 4 { // at 10, 40, 70 and 100 seconds, the last one by timer or by Close
			t.Errorf("%d flushes", n.Load())
		}
	})
}

func TestFlushTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		flush := func(ctx context.Context, _ []int, _ time.Time) error {
			start := time.Now()
			<-ctx.Done()
			took = time.Since(start)
			return ctx.Err()
		}
		b := New(interval, flush, func(error) {})
		b.Mark(1, time.Now())
		time.Sleep(interval + FlushTimeout)
		synctest.Wait()
		if took != FlushTimeout {
			t.Errorf("the flush's context ended after %v", took)
		}
		if err := b.Close(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		b := New(interval, r.flush, r.onError)
		start := time.Now()
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if calls, _ := r.take(); len(calls) != 0 {
			t.Fatalf("closing an empty buffer flushed %v", calls)
		}

		b = New(interval, r.flush, r.onError)
		b.Mark(1, start)
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		calls, _ := r.take()
		wantCall(t, calls, start, start, 1)
		time.Sleep(time.Hour)
		synctest.Wait()
		if calls, _ := r.take(); len(calls) != 0 {
			t.Fatalf("flushed again after Close: %v", calls)
		}

		// Marks after Close are written before Mark returns.
		b.Mark(2, time.Now())
		calls, _ = r.take()
		wantCall(t, calls, time.Now(), time.Now(), 2)

		// Their failures are reported, and a second Close retries.
		r.setFail(func(n int) error {
			if n == 1 {
				return errors.New("down")
			}
			return nil
		})
		b.Mark(3, time.Now())
		if calls, errs := r.take(); len(calls) != 1 || len(errs) != 1 {
			t.Fatalf("calls %v, errors %v", calls, errs)
		}
		r.setFail(nil)
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		calls, _ = r.take()
		wantCall(t, calls, time.Now(), time.Now(), 3)
	})
}

func TestCloseWaitsAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done atomic.Int32
		flush := func(context.Context, []int, time.Time) error {
			time.Sleep(4 * time.Second)
			done.Add(1)
			return nil
		}
		b := New(interval, flush, func(error) {})
		b.Mark(1, time.Now())
		time.Sleep(interval + time.Second) // one second into the flush
		b.Mark(2, time.Now())

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Close(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Close with an ended context: %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Close(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close with a short context: %v", err)
		}
		if err := b.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if done.Load() != 2 {
			t.Errorf("%d flushes done when Close returned, want 2", done.Load())
		}
	})
}

// TestConcurrentUse loses no key between marks, flushes that fail now and then, and Close.
func TestConcurrentUse(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]bool{}
	n := 0
	b := New(time.Millisecond, func(_ context.Context, keys []int, _ time.Time) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 == 0 {
			return errors.New("down")
		}
		for _, k := range keys {
			seen[k] = true
		}
		return nil
	}, func(error) {})
	const workers, each = 8, 2000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				b.Mark(w*each+i, time.Now())
				if i%100 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	wg.Go(func() {
		time.Sleep(5 * time.Millisecond)
		_ = b.Close(t.Context())
	})
	wg.Wait()
	for b.Close(t.Context()) != nil {
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != workers*each {
		t.Errorf("%d of %d keys were flushed", len(seen), workers*each)
	}
}

func TestNewPanics(t *testing.T) {
	flush := func(context.Context, []int, time.Time) error { return nil }
	onError := func(error) {}
	for name, f := range map[string]func(){
		"interval": func() { New(0, flush, onError) },
		"flush":    func() { New[int](interval, nil, onError) },
		"onError":  func() { New(interval, flush, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New without %s did not panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkMark(b *testing.B) {
	buf := New(time.Hour, func(context.Context, []int, time.Time) error { return nil }, func(error) {})
	at := time.Now()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		buf.Mark(i%1000, at)
	}
}
