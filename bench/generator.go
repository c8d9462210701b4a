//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Targets of the generator.
const (
	firstRun    = 400 * time.Millisecond
	firstRunAll = 600 * time.Millisecond // with every plugin there is
	idleRun     = 100 * time.Millisecond
	peakMiB     = 200
)

// A workload is one `gen model`.
type workload struct {
	name  string
	args  []string // the model and its plugins
	first time.Duration
}

// generator measures whole processes: the first `gen model` of a project, and one that changes nothing.
func (b *bench) generator(ctx context.Context) error {
	all, err := b.plugins(ctx)
	if err != nil {
		return err
	}
	for _, w := range []workload{
		{"gen model", []string{"ApiClient", "api_tokens"}, firstRun},
		{fmt.Sprintf("all %d plugins", len(all)), append([]string{"User"}, all...), firstRunAll},
	} {
		for _, engine := range []string{"sqlite", "mysql", "postgres"} {
			progress("generator: %s, %s", engine, w.name)
			if err := b.generate(ctx, engine, w); err != nil {
				return err
			}
		}
	}
	return nil
}

// plugins is every plugin that custos knows.
func (b *bench) plugins(ctx context.Context) ([]string, error) {
	out, err := b.command(ctx, b.tmp, nil, b.custos, "plugins", "--json")
	if err != nil {
		return nil, err
	}
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) == 0 {
		return nil, fmt.Errorf("read the list of plugins: %d of them, %w", len(list), err)
	}
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return names, nil
}

func (b *bench) generate(ctx context.Context, engine string, w workload) error {
	var first, again []float64
	peak := 0.0
	for turn := range 8 {
		dir, err := b.project("example.com/bench")
		if err != nil {
			return err
		}
		for i, times := range []*[]float64{&first, &again} {
			took, rss, out, err := b.gen(ctx, dir, engine, w.args)
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
			name: "generator, " + engine + ", " + w.name + ": " + what, figure: fmt.Sprintf("%.0f ms", median(values)),
			target: fmt.Sprintf("<= %d ms", limit.Milliseconds()), verdict: within(median(values), float64(limit.Milliseconds())),
		})
	}
	row("first run", first, w.first)
	row("no change", again, idleRun)
	b.table.add(line{
		name: "generator, " + engine + ", " + w.name + ": peak memory", figure: fmt.Sprintf("%.0f MiB", peak),
		target: fmt.Sprintf("<= %d MiB", peakMiB), verdict: within(peak, peakMiB),
	})
	return nil
}

// gen runs custos once. rss is the largest resident set, in MiB, of it or of a child of its.
func (b *bench) gen(ctx context.Context, dir, engine string, model []string) (took time.Duration, rss float64, out string, err error) {
	args := slices.Concat([]string{"gen", "model"}, model, []string{"--engine", engine, "--no-mod"})
	cmd := exec.CommandContext(ctx, b.custos, args...)
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
