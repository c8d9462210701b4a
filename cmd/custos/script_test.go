package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/custos-auth/custos/generator/sqlc"
)

// TestMain makes the test binary serve as custos, also as the child that runs sqlc.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == sqlc.Command {
		os.Exit(sqlc.Main(os.Args[2:]))
	}
	testscript.Main(m, map[string]func(){
		"custos": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

var update = flag.Bool("update", false, "rewrite what the scripts expect")

// TestScripts runs testdata/script/*.txtar: sessions with the command line. Beside testscript's own commands:
//
//	code N custos ...      runs it and wants the exit code N
//	paste FILE             writes to FILE the code that the last command, with --json, gave to paste
//	nowrites N custos ...  the same, and the current folder must be as it was
//	database ENGINE V FILE makes a database of the statements in FILE, a line each, and puts its URL into V
//	node SCRIPT ...        runs a script of testdata/npm, with the packages there
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setup,
		Condition:           outside,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"database": makeDatabase,
			"node":     useNode,
			"code":     func(ts *testscript.TestScript, _ bool, args []string) { runCode(ts, args) },
			"nowrites": noWrites,
			"paste":    paste,
		},
	})
}

// setup lets scripts use the caches of the go command, and nothing from the network.
func setup(env *testscript.Env) error {
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		return err
	}
	dirs := strings.Fields(string(out))
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("GOCACHE", dirs[0])
	env.Setenv("GOMODCACHE", dirs[1])
	env.Setenv("GOPROXY", "off")
	env.Setenv("GOSUMDB", "off")
	env.Setenv("GOTOOLCHAIN", "local")
	return nil
}

func runCode(ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N command [args...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	err = ts.Exec(args[1], args[2:]...)
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func noWrites(ts *testscript.TestScript, _ bool, args []string) {
	before := tree(ts)
	runCode(ts, args)
	after := tree(ts)
	for _, p := range slices.Sorted(maps.Keys(after)) {
		if before[p] != after[p] {
			ts.Fatalf("%s was written: %q, before it was %q", p, after[p], before[p])
		}
	}
	for p := range before {
		if _, ok := after[p]; !ok {
			ts.Fatalf("%s is gone", p)
		}
	}
}

// tree is every file of the current folder with its mode, time and content.
func tree(ts *testscript.TestScript) map[string]string {
	root := ts.MkAbs(".")
	files := map[string]string{}
	ts.Check(filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		if d.Name() == ".home" {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		state := info.Mode().String()
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			state += fmt.Sprintf(" %s %x", info.ModTime(), sha256.Sum256(content))
		}
		files[p] = state
		return nil
	}))
	return files
}

func paste(ts *testscript.TestScript, _ bool, args []string) {
	var v struct {
		Next []struct{ Code string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, s := range v.Next {
		if s.Code != "" {
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(s.Code), 0o600))
			return
		}
	}
	ts.Fatalf("no code to paste")
}
