package plan

import (
	"sync"
	"sync/atomic"
)

// Concurrently calls f for 0 to n-1, each once, on that many goroutines, and returns when all calls have.
func Concurrently(n, goroutines int, f func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(goroutines, n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
