package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/plan"
	"github.com/custos-auth/custos/generator/plugin"
)

// addForwards adds the commands that plugins declare. They act on live data, so the project's own program runs
// them: it has the driver, the keys and the services, and custos never touches a user's secrets.
func (a *app) addForwards(root *cobra.Command) {
	lib, err := a.library()
	if err != nil { // a broken plugin of the project's: whatever needs it will say so
		if lib, err = generator.Library("", a.templates); err != nil {
			return
		}
	}
	for _, name := range append([]string{plugin.Core}, lib.Names()...) {
		p, err := lib.Get(name)
		if err != nil {
			continue
		}
		for _, word := range slices.Sorted(maps.Keys(p.Manifest.Commands)) {
			if slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == word }) {
				continue
			}
			root.AddCommand(a.newForwardCmd(p, word))
		}
	}
}

func (a *app) newForwardCmd(p *plugin.Plugin, word string) *cobra.Command {
	return &cobra.Command{
		Use:                word,
		Short:              p.Manifest.Commands[word].Summary,
		Long:               p.Manifest.Commands[word].Summary + ". Builds and runs the project's own cmd/authctl; shipped to production, the same\nprogram does the same there.",
		DisableFlagParsing: true, // they are authctl's
		RunE: func(cmd *cobra.Command, words []string) error {
			help := len(words) == 1 && (words[0] == "--help" || words[0] == "-h")
			if help && a.root() == "" {
				return cmd.Help()
			}
			err := a.runForward(cmd.Context(), p, word, words)
			if quiet := silent(0); help && err != nil && !errors.As(err, &quiet) {
				return cmd.Help() // there is no program to ask
			}
			return err
		},
	}
}

func (a *app) runForward(_ context.Context, p *plugin.Plugin, word string, words []string) error {
	proj, err := a.configured(word)
	if err != nil {
		return err
	}
	lib, err := a.library()
	if err != nil {
		return err
	}
	pl, err := plan.New(proj, proj.Config, lib, nil) // no command depends on the schema
	if err != nil {
		return err
	}
	// Without a plugin that has commands there is no authctl, not even for core's.
	has := func(s plugin.Selected) bool { _, ok := s.Manifest.Commands[word]; return ok }
	if !pl.HasCommands() || !slices.ContainsFunc(pl.Plugins(), has) {
		if p.Name == plugin.Core {
			return usagef(nil, "%s: no model has a plugin that would have something to do; `custos plugins` lists them", word)
		}
		return usagef(nil, "%s: no model has the plugin %s; type: custos gen model NAME %s", word, p.Name, p.Name)
	}
	exe, err := a.buildAuthctl(proj.Root, proj.Config.Authctl)
	if err != nil {
		return err
	}
	// Not bound to the context: an interrupt reaches the child by itself, and it has things to close.
	cmd := exec.Command(exe, append([]string{word}, words...)...)
	cmd.Dir = proj.Root
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, a.out, a.err
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return silent(exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", proj.Config.Authctl, err)
	}
	return nil
}

// buildAuthctl builds the project's administration program. go run would do it, but hides the exit code; and the
// binary stays in the user's cache, where the go command leaves it alone while nothing changes.
func (a *app) buildAuthctl(root, dir string) (exe string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", dir, err)
	}
	id := sha256.Sum256([]byte(root + "\x00" + dir))
	exe = filepath.Join(cache, "custos", hex.EncodeToString(id[:8]), filepath.Base(dir))
	if os.PathSeparator == '\\' {
		exe += ".exe"
	}
	if err := os.MkdirAll(filepath.Dir(exe), 0o700); err != nil {
		return "", fmt.Errorf("build %s: %w", dir, err)
	}
	progress := a.progress()
	progress.step("building ./" + dir)
	cmd := exec.Command("go", "build", "-o", exe, "./"+dir)
	cmd.Dir = root
	report, err := cmd.CombinedOutput()
	progress.done()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fmt.Errorf("build ./%s: there is no go command in PATH; where there is one, build it and run it as: authctl", dir)
	case err != nil:
		return "", fmt.Errorf("build ./%s:\n%s", dir, strings.TrimSpace(string(report)))
	}
	return exe, nil
}
