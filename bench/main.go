//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	allParts   = "runtime,generator,upgrade,sqlite,postgres"
	timingPart = "timing" // on its own: it needs an idle machine, and fails
)

// bench is one run.
type bench struct {
	root    string // of the repository
	tmp     string // removed at the end
	custos  string // the binary
	profile string // folder for CPU profiles, or ""
	rounds  int
	round   time.Duration
	big     int // tokens in the big table
	table   table
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var b bench
	strict := flag.Bool("strict", false, "exit with 1 when a target is missed or a part was skipped")
	only := flag.String("only", allParts, "the parts to run")
	flag.StringVar(&b.custos, "custos", "", "the custos to measure (default: build ./cmd/custos)")
	flag.StringVar(&b.profile, "profile", "", "write CPU profiles of the guarded server into this folder, too")
	flag.IntVar(&b.rounds, "rounds", 16, "turns of each measurement")
	flag.DurationVar(&b.round, "round", time.Second, "length of an HTTP measurement")
	flag.IntVar(&b.big, "tokens", 1_000_000, "tokens in the big table")
	flag.Parse()
	if flag.NArg() > 0 || b.rounds < 1 || b.round < 100*time.Millisecond || b.big < smallTable {
		flag.Usage()
		os.Exit(2)
	}
	if err := b.run(ctx, strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if (*strict || *only == timingPart) && !b.table.ok() {
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, parts []string) (err error) {
	if b.root, err = os.Getwd(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(b.root, "cmd", "custos")); err != nil {
		return fmt.Errorf("call it from the root of the repository: %w", err)
	}
	if b.tmp, err = os.MkdirTemp("", "custos-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.tmp)) }()
	if b.custos == "" {
		progress("building custos")
		b.custos = filepath.Join(b.tmp, "custos")
		if _, err := b.command(ctx, b.root, nil, "go", "build", "-o", b.custos, "./cmd/custos"); err != nil {
			return err
		}
	} else if b.custos, err = filepath.Abs(b.custos); err != nil {
		return err
	}
	for _, part := range parts {
		if known := allParts + "," + timingPart; !slices.Contains(strings.Split(known, ","), part) {
			return fmt.Errorf("-only: unknown part %q; known: %s", part, known)
		}
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		// The generator comes before the load: a child's peak memory starts as its parent's.
		{"generator", b.generator},
		{"upgrade", b.upgrade},
		{"runtime", b.runtime},
		{"sqlite", b.sqlite},
		{"postgres", b.postgres},
		{timingPart, b.timing},
	} {
		if !slices.Contains(parts, part.name) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return b.table.print(os.Stdout)
}

// command runs a program and returns its output; what it complained about is in the error.
func (b *bench) command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, append(os.Environ(), env...), &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, complaint.String(), out.String())
	}
	return out.String(), nil
}

// project makes a folder with a go.mod.
func (b *bench) project(module string) (dir string, err error) {
	if dir, err = os.MkdirTemp(b.tmp, "project-"); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+module+"\n\ngo 1.25.0\n"), 0o600)
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "... "+format+"\n", args...) }
