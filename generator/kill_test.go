//go:build unix

package generator_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/engine"
	"github.com/custos-auth/custos/generator/project"
)

// Law 5: killed at any instant, the tree is the old one or the new one. Both compile, and a tree is compared byte
// by byte, so each compiles. CUSTOS_KILLS sets how many kills there are; see `make upgrades`.
func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	e := engine.Default()
	s := set{models: []wanted{{"ApiClient", selection(allTogether(library(t))...)}}}
	plugins := ""
	for _, p := range s.models[0].plugins {
		plugins += " " + p.Name
	}

	// From nothing, and from a project whose templates were improved since, as it was generated and with edits.
	fresh := s.seed(t, e)
	dir := t.TempDir()
	s.generate(t, dir, e)
	generated := snapshot(t, dir)
	edited, edits := maps.Clone(generated), 0
	lock, err := project.ParseLock(generated[project.LockFile])
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range lock.Entries {
		if entry.Owner == project.OwnerUser {
			if edits++; edits%2 == 0 {
				edited[entry.Path] = mine(entry.Path, slices.Clone(generated[entry.Path]))
			}
		}
	}
	templates := t.TempDir()
	improved(t).write(t, templates)
	kills := int(number(t, "CUSTOS_KILLS", 96))
	cases := []struct {
		name, templates string
		old             memoryFS
	}{
		{"first run", templates, fresh},
		{"upgrade", templates, generated},
		{"merge", templates, edited},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := func(dir string) (*exec.Cmd, *bufio.Reader) {
				exe, err := os.Executable()
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(exe)
				cmd.Env = append(os.Environ(), childDir+"="+dir, childTemplates+"="+c.templates, childPlugins+"="+plugins,
					childRuntime+"="+filepath.Join(root(t), "runtime"), "TMPDIR="+filepath.Join(scratch))
				cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its sqlc dies with it
				cmd.Stderr = os.Stderr
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd, bufio.NewReader(out)
			}

			// One whole run says how long it takes, and what the new tree is.
			dir := t.TempDir()
			c.old.write(t, dir)
			begin := time.Now()
			cmd, out := start(dir)
			if line, _ := out.ReadString('\n'); line != "applying\n" {
				t.Fatalf("the child says %q", line)
			}
			computing := time.Since(begin)
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			applying := time.Since(begin) - computing
			fresh := snapshot(t, dir)
			goCommand(t, dir, "vet", "./...")
			if len(differences(c.old, fresh)) < 10 {
				t.Fatalf("the run changes only %v", differences(c.old, fresh))
			}

			old, done, pending, torn := 0, 0, 0, 0
			share := (kills + len(cases) - 1) / len(cases)
			for i := 0; i < share || torn < 1 && i < 4*share; i++ {
				dir := t.TempDir()
				c.old.write(t, dir)
				cmd, out := start(dir)
				if i%4 == 0 {
					time.Sleep(rand.N(computing))
				} else if _, err := out.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				switch i % 4 {
				case 1:
					time.Sleep(rand.N(applying + applying/4))
				case 2, 3: // when files are renamed into place, which is the shortest part
					ended := make(chan struct{})
					go func() {
						_, _ = io.Copy(io.Discard, out)
						close(ended)
					}()
					waitForJournal(dir, ended)
					for end := time.Now().Add(rand.N(applying / 3)); time.Now().Before(end); {
					}
				}
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				_ = cmd.Wait()
				if disk.Pending(dir) {
					pending++
					if half := withoutStage(snapshot(t, dir)); len(differences(c.old, half)) > 0 && len(differences(fresh, half)) > 0 {
						torn++
					}
				}
				if _, err := disk.Recover(dir); err != nil {
					t.Fatalf("recover: %v", err)
				}
				after := snapshot(t, dir)
				toOld, toNew := differences(c.old, after), differences(fresh, after)
				switch {
				case len(toOld) == 0:
					old++
				case len(toNew) == 0:
					done++
				default:
					t.Fatalf("neither the old nor the new tree:\nold: %s\nnew: %s", strings.Join(toOld, "\n"), strings.Join(toNew, "\n"))
				}
				if _, err := os.Stat(filepath.Join(dir, ".custos", "tx")); !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("a stage is left: %v", err)
				}
			}
			t.Logf("%d kills: %d old trees, %d new trees; %d while applying, %d between two files", old+done, old, done, pending, torn)
			if old == 0 || torn == 0 {
				t.Errorf("no kill met the run: %d old trees, %d kills while applying, %d between two files", old, pending, torn)
			}
		})
	}
}

// waitForJournal returns when a run begins to rename files into place, or has ended.
func waitForJournal(dir string, ended <-chan struct{}) {
	journal := filepath.Join(dir, ".custos", "tx", "journal")
	for {
		select {
		case <-ended:
			return
		default:
		}
		if _, err := os.Lstat(journal); err == nil {
			return
		}
	}
}

func withoutStage(files memoryFS) memoryFS {
	for name := range files {
		if strings.HasPrefix(name, ".custos/tx/") || name == ".custos/lock" {
			delete(files, name)
		}
	}
	return files
}

// A killed run leaves nothing that stops the next one, which needs no Recover by hand.
func TestRunAfterAKill(t *testing.T) {
	t.Parallel()
	dir, e := t.TempDir(), engine.Default()
	s := set{models: []wanted{{"ApiClient", nil}}}
	s.seed(t, e).write(t, dir)
	memoryFS{".custos/lock": nil, ".custos/tx/new/x": []byte("staged")}.write(t, dir)
	run(t, request(t, dir, e, s.models[0]))
	if result := run(t, request(t, dir, e, s.models[0])); result.Writes() != 0 {
		t.Errorf("the second run writes %d files", result.Writes())
	}
	if bytes.Contains([]byte(strings.Join(keys(snapshot(t, dir)), "\n")), []byte(".custos/tx")) {
		t.Error("the dead run's stage is left")
	}
}
