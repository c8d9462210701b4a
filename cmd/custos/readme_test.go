//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTours runs the tours of the documentation, each in one shell, command by command, and compares what they
// print. A line "..." stands for any lines, "..." in a line for anything.
func TestTours(t *testing.T) {
	if testing.Short() {
		t.Skip("builds custos and apps")
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "custos"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build custos: %v\n%s", err, out)
	}
	for name, least := range map[string]int{"README.md": 15, "CONTRIBUTING.md": 10} {
		t.Run(name, func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join("..", "..", name))
			if err != nil {
				t.Fatal(err)
			}
			steps := tour(strings.NewReplacer("8181", freePort(t), "8182", freePort(t)).Replace(string(doc)))
			if len(steps) < least {
				t.Fatalf("found %d commands, want %d or more", len(steps), least)
			}
			sh := startShell(t, bin)
			for _, s := range steps {
				got := sh.run(t, s.command)
				if !matches(s.want, got) {
					t.Fatalf("$ %s\nprinted:\n%s\n%s says:\n%s", s.command, got, name, s.want)
				}
				if addr := listensAt.FindStringSubmatch(s.command); addr != nil {
					waitFor(t, addr[1])
				}
			}
		})
	}
}

// listensAt finds where a command starts a server.
var listensAt = regexp.MustCompile(`ADDR=(\S+) .*&$`)

type tourStep struct{ command, want string }

// tour finds the commands of the console blocks, each with the lines below it.
func tour(readme string) []tourStep {
	var steps []tourStep
	inside := false
	for line := range strings.Lines(readme) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && strings.HasPrefix(line, "$ "):
			steps = append(steps, tourStep{command: line[2:]})
		case inside && len(steps) > 0 && (strings.HasPrefix(line, "> ") || line == ">"):
			steps[len(steps)-1].command += "\n" + strings.TrimPrefix(line[1:], " ")
		case inside && len(steps) > 0:
			steps[len(steps)-1].want += line + "\n"
		}
	}
	return steps
}

func matches(want, got string) bool {
	var pattern strings.Builder
	pattern.WriteString(`(?s)\A`)
	for line := range strings.Lines(want) {
		if strings.TrimSpace(line) == "..." {
			pattern.WriteString(`(?:.*\n)?`)
			continue
		}
		parts := strings.Split(line, "...")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		pattern.WriteString(strings.Join(parts, `[^\n]*`))
	}
	return regexp.MustCompile(pattern.String() + `\z`).MatchString(got)
}

func TestTourMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"a\n", "a\n", true}, {"a\n", "b\n", false}, {"a\n", "a\nb\n", false}, {"", "x\n", false},
		{"...\nb\n", "b\n", true}, {"...\nb\n", "a\na\nb\n", true}, {"a...c\n", "abc\n", true}, {"a...c\n", "a\nc\n", false},
		{"...\n", "", true}, {"a.c\n", "abc\n", false},
	} {
		if got := matches(c.want, c.got); got != c.ok {
			t.Errorf("matches(%q, %q) = %v", c.want, c.got, got)
		}
	}
}

type shell struct {
	in  io.Writer
	out *bufio.Reader
	n   int
}

func startShell(t *testing.T, bin string) *shell {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "--norc", "--noprofile")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C", "GOFLAGS=-buildvcs=false")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that the server of the tour ends with its shell
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = w.Close()
		_ = out.Close()
	})
	return &shell{in: in, out: bufio.NewReader(out)}
}

// run returns what a command prints, on either stream.
func (s *shell) run(t *testing.T, command string) string {
	t.Helper()
	s.n++
	mark := fmt.Sprintf("--- end of command %d ---", s.n)
	if _, err := fmt.Fprintf(s.in, "%s\necho '%s'\n", command, mark); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("$ %s: %v\n%s", command, err, got.String())
		}
		if strings.HasSuffix(line, mark+"\n") {
			got.WriteString(strings.TrimSuffix(line, mark+"\n"))
			return got.String()
		}
		got.WriteString(line)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func waitFor(t *testing.T, addr string) {
	t.Helper()
	for range 600 {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", addr)
}
