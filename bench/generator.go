//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Targets of the generator.
const (
	firstRun = 400 * time.Millisecond
	idleRun  = 100 * time.Millisecond
	peakMiB  = 200
)

// generator measures whole processes: the first `gen model` of a project, and one that changes nothing.
func (b *bench) generator(ctx context.Context) error {
	for _, engine := range []string{"sqlite", "mysql", "postgres"} {
		progress("generator: %s", engine)
		var first, again []float64
		peak := 0.0
		for turn := range 8 {
			dir, err := b.project("example.com/bench")
			if err != nil {
				return err
			}
			for i, times := range []*[]float64{&first, &again} {
				took, rss, out, err := b.gen(ctx, dir, engine)
				if err != nil {
					return err
				}
				if i == 1 && !strings.Contains(out, "up to date") {
					return fmt.Errorf("the second run changed something:\n%s", out)
				}
				peak = max(peak, rss)
				if turn > 0 { // the first turn warms the disk's cache
					*times = append(*times, took.Seconds()*1000)
				}
			}
		}
		row := func(what string, values []float64, limit time.Duration) {
			b.table.add(line{
				name: "generator, " + engine + ": " + what, figure: fmt.Sprintf("%.0f ms", median(values)),
				target: fmt.Sprintf("<= %d ms", limit.Milliseconds()), verdict: within(median(values), float64(limit.Milliseconds())),
			})
		}
		row("first gen model", first, firstRun)
		row("gen model, no change", again, idleRun)
		b.table.add(line{
			name: "generator, " + engine + ": peak memory", figure: fmt.Sprintf("%.0f MiB", peak),
			target: fmt.Sprintf("<= %d MiB", peakMiB), verdict: within(peak, peakMiB),
		})
	}
	return nil
}

// gen runs custos once. rss is the largest resident set, in MiB, of it or of a child of its.
func (b *bench) gen(ctx context.Context, dir, engine string) (took time.Duration, rss float64, out string, err error) {
	cmd := exec.CommandContext(ctx, b.custos, "gen", "model", "ApiClient", "api_tokens", "--engine", engine, "--no-mod")
	cmd.Dir = dir
	start := time.Now()
	text, err := cmd.CombinedOutput()
	took = time.Since(start)
	if err != nil {
		return 0, 0, "", fmt.Errorf("%s: %w\n%s", cmd, err, text)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, "", fmt.Errorf("%s: no figures from the system", cmd)
	}
	return took, float64(usage.Maxrss) / 1024, string(text), nil
}
