package deadline_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/custos-auth/custos/runtime/deadline"
)

// It is what context.WithTimeout makes, whoever asks for what first.
func TestLikeContext(t *testing.T) {
	type key struct{}
	for name, c := range map[string]struct {
		parent time.Duration // of its deadline; 0 is none
		do     func(ctx context.Context, cancel, cancelParent context.CancelFunc)
	}{
		"nothing happens":             {0, func(context.Context, context.CancelFunc, context.CancelFunc) {}},
		"it ends":                     {0, func(context.Context, context.CancelFunc, context.CancelFunc) { time.Sleep(2 * time.Second) }},
		"it is about to end":          {0, func(context.Context, context.CancelFunc, context.CancelFunc) { time.Sleep(time.Second - 1) }},
		"it ends now":                 {0, func(context.Context, context.CancelFunc, context.CancelFunc) { time.Sleep(time.Second) }},
		"cancelled":                   {0, func(_ context.Context, cancel, _ context.CancelFunc) { cancel() }},
		"cancelled twice":             {0, func(_ context.Context, cancel, _ context.CancelFunc) { cancel(); cancel() }},
		"cancelled after the end":     {0, func(_ context.Context, cancel, _ context.CancelFunc) { time.Sleep(2 * time.Second); cancel() }},
		"the parent is cancelled":     {0, func(_ context.Context, _, parent context.CancelFunc) { parent() }},
		"the parent, then itself":     {0, func(_ context.Context, cancel, parent context.CancelFunc) { parent(); cancel() }},
		"the parent's end is earlier": {time.Second / 2, func(context.Context, context.CancelFunc, context.CancelFunc) { time.Sleep(time.Second * 3 / 4) }},
		"the parent's end is later":   {time.Minute, func(context.Context, context.CancelFunc, context.CancelFunc) { time.Sleep(2 * time.Second) }},
	} {
		for _, first := range []string{"Done", "Err", "a child", "nobody"} {
			t.Run(name+", "+first+" asks first", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var outcomes [2]struct {
						err, child error
						done       bool
						in         time.Duration
						value      any
					}
					for i, with := range []func(context.Context, time.Duration) (context.Context, context.CancelFunc){context.WithTimeout, deadline.WithTimeout} {
						parent, cancelParent := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
						if c.parent > 0 {
							parent, cancelParent = context.WithTimeout(parent, c.parent)
						}
						ctx, cancel := with(parent, time.Second)
						var child context.Context
						switch first {
						case "Done":
							ctx.Done()
						case "Err":
							_ = ctx.Err()
						case "a child":
							var end context.CancelFunc
							child, end = context.WithCancel(ctx)
							defer end()
						}
						end, _ := ctx.Deadline()
						o := &outcomes[i]
						o.in, o.value = time.Until(end), ctx.Value(key{})
						c.do(ctx, cancel, cancelParent)
						synctest.Wait()
						o.err = ctx.Err()
						if child != nil {
							o.child = child.Err()
						}
						select {
						case <-ctx.Done():
							o.done = true
						default:
						}
						cancel()
						cancelParent()
					}
					if outcomes[0] != outcomes[1] {
						t.Errorf("%+v, context has %+v", outcomes[1], outcomes[0])
					}
				})
			})
		}
	}
}

// A child costs no goroutine, and whoever waits is woken.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Second)
		defer cancel()
		before := runtime.NumGoroutine()
		child, end := context.WithCancel(ctx)
		defer end()
		if n := runtime.NumGoroutine(); n != before {
			t.Errorf("%d goroutines, were %d", n, before)
		}
		start := time.Now()
		<-child.Done()
		if took := time.Since(start); took != time.Second || !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, child.Err())
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	for range 200 {
		ctx, cancel := deadline.WithTimeout(t.Context(), time.Minute)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { <-ctx.Done() })
			wg.Go(func() { _ = ctx.Err() })
			wg.Go(func() { _ = ctx.Value(0) })
			wg.Go(cancel)
		}
		wg.Wait()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Fatal(ctx.Err())
		}
	}
}

func BenchmarkWithTimeout(b *testing.B) {
	parent, cancel := context.WithCancel(b.Context())
	defer cancel()
	for name, with := range map[string]func(context.Context, time.Duration) (context.Context, context.CancelFunc){"context": context.WithTimeout, "deadline": deadline.WithTimeout} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx, cancel := with(parent, time.Second)
				_ = ctx.Err()
				cancel()
			}
		})
	}
}
