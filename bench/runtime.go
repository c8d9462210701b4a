//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
)

var benchLine = regexp.MustCompile(`(?m)^Benchmark(VerifyToken|PooledHMAC)/(\w+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op.*?(\d+) allocs/op`)

// runtime compares verifying a presented token with one HMAC, by the runtime module's own benchmarks.
func (b *bench) runtime(ctx context.Context) error {
	progress("runtime: verifying a token")
	dir := filepath.Join(b.root, "runtime")
	binary := filepath.Join(b.tmp, "runtime.test")
	if _, err := b.command(ctx, dir, nil, "go", "test", "-c", "-o", binary, "."); err != nil {
		return err
	}
	nanos := map[string][]float64{} // by benchmark/format
	allocs := map[string]int{}
	for range 3 * b.rounds { // short turns: both of a pair see the same machine
		out, err := b.command(ctx, dir, nil, binary, "-test.run=^$", "-test.bench=VerifyToken|PooledHMAC", "-test.benchmem", "-test.benchtime=50ms")
		if err != nil {
			return err
		}
		for _, m := range benchLine.FindAllStringSubmatch(out, -1) {
			name := m[1] + "/" + m[2]
			ns, err1 := strconv.ParseFloat(m[3], 64)
			n, err2 := strconv.Atoi(m[4])
			if err := errors.Join(err1, err2); err != nil {
				return err
			}
			nanos[name] = append(nanos[name], ns)
			allocs[name] = max(allocs[name], n)
		}
	}
	for _, format := range []string{"plain", "prefixed"} {
		verify, hmac := nanos["VerifyToken/"+format], nanos["PooledHMAC/"+format]
		if len(verify) == 0 || len(verify) != len(hmac) {
			return fmt.Errorf("the benchmarks VerifyToken/%[1]s and PooledHMAC/%[1]s were not found", format)
		}
		pairs := ratios(verify, hmac)
		n := allocs["VerifyToken/"+format]
		l := line{
			name: "runtime: verify a token, " + format, ratios: pairs,
			figure: fmt.Sprintf("%.0f ns, %d allocs", median(verify), n), floor: fmt.Sprintf("%.0f ns (HMAC)", median(hmac)),
			target: "<= 1.50, 0 allocs", verdict: within(median(pairs), 1.5),
		}
		if n > 0 {
			l.verdict = over
		}
		b.table.add(l)
	}
	return nil
}
