//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Targets of `custos upgrade`.
const (
	idleUpgrade  = 100 * time.Millisecond
	mergeUpgrade = 2 * time.Second
	mergedFiles  = 60
)

// upgrade measures whole processes in a project with every plugin, of which the user has edited 60 files: an upgrade
// that changes nothing, and one whose templates are all newer, without the compiler's time.
func (b *bench) upgrade(ctx context.Context) error {
	all, err := b.plugins(ctx)
	if err != nil {
		return err
	}
	progress("upgrade: all %d plugins", len(all))
	edited, err := b.project("example.com/bench")
	if err != nil {
		return err
	}
	if _, _, _, err := b.gen(ctx, edited, "sqlite", append([]string{"User"}, all...)); err != nil {
		return err
	}
	if err := edit(edited); err != nil {
		return err
	}
	var merging, idle []float64
	for turn := range 8 {
		// One that changes nothing, and the same project with newer templates.
		took, err := b.upgradeOnce(ctx, edited, "up to date")
		if err != nil {
			return err
		}
		dir, err := os.MkdirTemp(b.tmp, "project-")
		if err != nil {
			return err
		}
		if err := os.CopyFS(dir, os.DirFS(edited)); err != nil {
			return err
		}
		if err := b.newer(dir); err != nil {
			return err
		}
		merged, err := b.upgradeOnce(ctx, dir, fmt.Sprintf("merged into %d files of yours", mergedFiles))
		if err != nil {
			return err
		}
		if turn > 0 { // the first turn warms the disk's cache
			idle, merging = append(idle, took.Seconds()*1000), append(merging, merged.Seconds()*1000)
		}
	}
	for _, row := range []struct {
		what  string
		times []float64
		limit time.Duration
	}{{fmt.Sprintf("%d files are merged", mergedFiles), merging, mergeUpgrade}, {"no change", idle, idleUpgrade}} {
		b.table.add(line{
			name: fmt.Sprintf("upgrade, all %d plugins: %s", len(all), row.what), figure: fmt.Sprintf("%.0f ms", median(row.times)),
			target: fmt.Sprintf("<= %d ms", row.limit.Milliseconds()), verdict: within(median(row.times), float64(row.limit.Milliseconds())),
		})
	}
	return nil
}

// upgradeOnce runs custos, which must say so.
func (b *bench) upgradeOnce(ctx context.Context, dir, says string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, b.custos, "upgrade", "--no-mod", "--no-build")
	cmd.Dir = dir
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	if !bytes.Contains(out, []byte(says)) {
		return 0, fmt.Errorf("%s does not say %q:\n%s", cmd, says, out)
	}
	return took, nil
}

// edit puts a line of the user's below the imports of 60 files.
func edit(dir string) error {
	lock, err := os.ReadFile(filepath.Join(dir, "custos.lock"))
	if err != nil {
		return err
	}
	n := 0
	for entry := range strings.Lines(string(lock)) {
		words := strings.Fields(entry)
		if n == mergedFiles || words[0] != "user" || filepath.Ext(words[1]) != ".go" {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(words[1]))
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		head, rest, imports := bytes.Cut(content, []byte("\n)\n"))
		if !imports {
			continue
		}
		n++
		if err := os.WriteFile(file, slices.Concat(head, []byte("\n)\n\n// Mine.\n"), rest), 0o600); err != nil {
			return err
		}
	}
	if n < mergedFiles {
		return fmt.Errorf("only %d files to edit", n)
	}
	return nil
}

// newer puts newer templates before the built-in ones.
func (b *bench) newer(dir string) error {
	templates := os.DirFS(filepath.Join(b.root, "templates"))
	return fs.WalkDir(templates, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go.tmpl") {
			return err
		}
		content, err := fs.ReadFile(templates, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, ".custos", "templates", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
			return err
		}
		return os.WriteFile(to, append(content, "\n// Newer.\n"...), 0o600)
	})
}
