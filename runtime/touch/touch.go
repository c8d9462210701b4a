package touch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// FlushTimeout is how long one call of the flush function may take: its context ends then.
	FlushTimeout = 5 * time.Second

	// MaxKeys is the number of keys a Buffer holds while it waits, so that a database outage does not
	// become a memory leak.
	MaxKeys = 1 << 20
)

// ErrDropped is wrapped by the errors that report keys lost because [MaxKeys] was reached.
var ErrDropped = errors.New("too many keys are waiting")

// Buffer gathers keys of type K, such as row ids. It is safe for concurrent use and must not be
// copied. Make it with [New] and end it with [Buffer.Close]. While nothing was marked it holds neither
// a goroutine nor a running timer.
type Buffer[K comparable] struct {
	interval time.Duration
	flush    func(ctx context.Context, keys []K, at time.Time) error
	onError  func(error)
	maxKeys  int

	slot chan struct{} // holds the one permit to flush; taken before mu, never the other way round

	mu      sync.Mutex // guards what follows; never held during flush or onError
	pending map[K]struct{}
	latest  time.Time
	dropped int
	timer   *time.Timer // not nil while a flush is due
	closed  bool
}

// New returns a Buffer that calls flush at most interval after the first mark of a batch, or as soon
// after that as a running flush ends: there is never more than one at a time.
//
// flush gets the distinct keys of the batch, at least one, in no particular order, and the latest time
// of their marks. It owns the slice. Its context ends after [FlushTimeout]; it must respect that. Neither
// flush nor onError may call a method of the Buffer. Let flush keep the later time if two instances write the same row, as
// in SET last_used_at = $1 WHERE id IN (...) AND (last_used_at IS NULL OR last_used_at < $1).
//
// When flush fails or panics its keys stay and go into the next batch, an interval later; that batch's
// time then stands for them too. onError is told, from the same goroutine.
//
// New panics if interval is not positive or a function is nil.
func New[K comparable](interval time.Duration, flush func(ctx context.Context, keys []K, at time.Time) error, onError func(error)) *Buffer[K] {
	if interval <= 0 || flush == nil || onError == nil {
		panic("touch: New: interval must be positive, flush and onError must not be nil")
	}
	return &Buffer[K]{
		interval: interval,
		flush:    flush,
		onError:  onError,
		maxKeys:  MaxKeys,
		slot:     make(chan struct{}, 1),
	}
}

// Mark notes that key was used at the given time. It does not block on a flush and never calls one,
// until the Buffer is closed.
//
// After [Buffer.Close] there is nobody left to write behind: Mark then flushes before it returns, up to
// [FlushTimeout] after it gets its turn, and reports a failure to onError. A server that stops its
// listeners first, as it should, does not get there.
func (b *Buffer[K]) Mark(key K, at time.Time) {
	b.mu.Lock()
	b.add(key)
	if at.After(b.latest) {
		b.latest = at
	}
	b.arm()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		b.drainInTurn()
	}
}

// Close flushes what is left and returns the error of that flush. Before, it waits for a flush that is
// running. If ctx ends first, what is left stays unwritten; Close may be called again to retry, and
// does nothing if there is nothing to write.
func (b *Buffer[K]) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()

	// An ended context must not win or lose by chance against a free slot.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("close touch buffer: %w", err)
	}
	select {
	case b.slot <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("close touch buffer: %w", ctx.Err())
	}
	defer func() { <-b.slot }()
	if err := b.drain(ctx); err != nil {
		return fmt.Errorf("close touch buffer: %w", err)
	}
	return nil
}

// add puts key into the pending batch, or counts it as dropped. The caller holds mu.
func (b *Buffer[K]) add(key K) {
	if b.pending == nil {
		b.pending = make(map[K]struct{})
	}
	if len(b.pending) >= b.maxKeys {
		if _, known := b.pending[key]; !known {
			b.dropped++
			return
		}
	}
	b.pending[key] = struct{}{}
}

// arm sees to it that the pending batch gets flushed. The caller holds mu.
func (b *Buffer[K]) arm() {
	if b.timer == nil && !b.closed && len(b.pending) > 0 {
		// When a flush is running, at most one goroutine waits for its end: the timer stays set, and
		// so no other one is armed, until drain has taken the batch.
		b.timer = time.AfterFunc(b.interval, b.drainInTurn)
	}
}

// drainInTurn waits for the slot and drains.
func (b *Buffer[K]) drainInTurn() {
	b.slot <- struct{}{}
	defer func() { <-b.slot }()
	_ = b.drain(context.Background()) // reported to onError
}

// drain flushes the pending batch. The caller holds the slot. Failures go to onError and are returned.
func (b *Buffer[K]) drain(ctx context.Context) error {
	b.mu.Lock()
	batch, at, dropped := b.pending, b.latest, b.dropped
	b.pending, b.latest, b.dropped = nil, time.Time{}, 0
	if b.timer != nil {
		b.timer.Stop() // matters to Close only; a timer that fired already finds nothing to do
		b.timer = nil
	}
	b.mu.Unlock()

	var err error
	if len(batch) > 0 {
		keys := make([]K, 0, len(batch))
		for key := range batch {
			keys = append(keys, key)
		}
		if err = b.call(ctx, keys, at); err != nil {
			dropped += b.keep(batch, at)
		}
	}
	if dropped > 0 {
		err = errors.Join(err, fmt.Errorf("keep touched keys: dropped %d: %w", dropped, ErrDropped))
	}
	if err != nil {
		b.onError(err)
	}
	return err
}

// call runs flush. A panic becomes an error: this is not a request's goroutine, and the whole server
// would go down for a time stamp.
func (b *Buffer[K]) call(ctx context.Context, keys []K, at time.Time) (err error) {
	ctx, cancel := context.WithTimeout(ctx, FlushTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("flush touched keys: panic: %v\n%s", r, debug.Stack())
		}
	}()
	if err := b.flush(ctx, keys, at); err != nil {
		return fmt.Errorf("flush touched keys: %w", err)
	}
	return nil
}

// keep merges a batch that failed into the pending one. If both do not fit, the failed one, which is
// the older one, goes; keep returns the number of keys lost.
func (b *Buffer[K]) keep(batch map[K]struct{}, at time.Time) (lost int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) == 0 {
		b.pending = batch
	} else {
		missing := 0
		for key := range batch {
			if _, known := b.pending[key]; !known {
				missing++
			}
		}
		if len(b.pending)+missing > b.maxKeys {
			return missing
		}
		for key := range batch {
			b.pending[key] = struct{}{}
		}
	}
	if at.After(b.latest) {
		b.latest = at
	}
	b.arm()
	return 0
}
