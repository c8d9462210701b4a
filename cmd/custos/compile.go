package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

// compile builds and vets the project as it would be, with the changes laid over it (go help build, -overlay), so that
// a merge that reads well and does not compile is found before a byte of it is written. What is merged into the user's
// code needs that, and so does an upgrade of code that nobody has edited: code of theirs may call it. What is only
// added, and what is the machine's, compiles for every user.
func (a *app) compile(ctx context.Context, out outcome) error {
	var dirs []string
	for _, c := range out.changes {
		replaced := out.upgrade && c.Op == plan.Replace && c.Owner == plan.User
		if (c.Op == plan.Merge || replaced) && path.Ext(c.Path) == ".go" {
			dirs = append(dirs, "./"+path.Dir(c.Path))
		}
	}
	if len(dirs) == 0 {
		return nil
	}
	slices.Sort(dirs)
	tmp, err := os.MkdirTemp("", "custos-overlay-")
	if err != nil {
		return fmt.Errorf("compile the result: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	flags, err := overlay(tmp, out)
	if err != nil {
		return fmt.Errorf("compile the result: %w", err)
	}
	progress := a.progress()
	defer progress.done()
	progress.step("compiling the result")
	for _, words := range [][]string{{"build", "./..."}, append([]string{"vet"}, slices.Compact(dirs)...)} {
		report, err := a.goCommand(ctx, out.root, slices.Concat(words[:1], flags, words[1:]))
		if errors.Is(err, exec.ErrNotFound) {
			progress.done()
			a.note("there is no go command in PATH, so the result was not compiled before it was written")
			return nil
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if noModules.MatchString(report) {
			progress.done()
			a.note("the result was not compiled before it was written, because modules are missing: %s", lastLine(report))
			return nil
		}
		for i, c := range out.changes {
			from := filepath.Join(tmp, staged(i, c.Path))
			report = strings.ReplaceAll(report, from, c.Path)
			if rel, err := filepath.Rel(out.root, from); err == nil { // where that is shorter, the go command says so
				report = strings.ReplaceAll(report, rel, c.Path)
			}
		}
		report = strings.TrimSpace(report)
		if _, before := a.goCommand(ctx, out.root, words); before != nil {
			return fmt.Errorf("go %s fails, but it does so without the upgrade, too; nothing was written; mend that first, or type: custos upgrade --no-build\n%s",
				strings.Join(words, " "), report)
		}
		return conflict{fmt.Errorf("with your code the new version does not pass go %s; nothing was written; adapt your code (custos diff upstream shows what is new), or write it and mend it then: custos upgrade --no-build\n%s",
			strings.Join(words, " "), report)}
	}
	return nil
}

// noModules finds out that the go command got no further than go.mod and go.sum.
var noModules = regexp.MustCompile(`missing go\.sum entry|no required module provides|cannot find module|updates to go\.mod needed|module lookup disabled|dial tcp|inconsistent vendoring`)

func (a *app) goCommand(ctx context.Context, dir string, words []string, env ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", words...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), env...)
	report, err := cmd.CombinedOutput()
	return string(report), err
}

// staged is the name below the overlay's folder of the i-th change.
func staged(i int, file string) string { return fmt.Sprintf("%d-%s", i, path.Base(file)) }

// overlay writes the changed files below tmp and returns the flags that lay them over the project.
func overlay(tmp string, out outcome) ([]string, error) {
	replace := map[string]string{}
	flags := []string{"-overlay=" + filepath.Join(tmp, "overlay.json")}
	for i, c := range out.changes {
		if !c.Writes() || internal(c.Path) {
			continue
		}
		abs := filepath.Join(out.root, filepath.FromSlash(c.Path))
		if c.Op == plan.Delete {
			replace[abs] = ""
			continue
		}
		if c.Path == "go.mod" {
			// The go command writes the sums of new modules beside it, not into the project.
			sum, err := os.ReadFile(filepath.Join(out.root, "go.sum"))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
			mod := filepath.Join(tmp, "go.mod")
			if err := errors.Join(os.WriteFile(mod, c.New, 0o600), os.WriteFile(filepath.Join(tmp, "go.sum"), sum, 0o600)); err != nil {
				return nil, err
			}
			flags = append(flags, "-modfile="+mod, "-mod=mod")
			continue
		}
		to := filepath.Join(tmp, staged(i, c.Path))
		if err := os.WriteFile(to, c.New, 0o600); err != nil {
			return nil, err
		}
		replace[abs] = to
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return flags, os.WriteFile(filepath.Join(tmp, "overlay.json"), text, 0o600)
}
