package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/plan"
)

const keysVariable = "CUSTOS_KEYS"

// newKeys makes a first key as the runtime's keyring reads it: an id and 32 random bytes. custos writes the format
// down here because it does not import the runtime.
func newKeys() (string, error) {
	return newKey(1)
}

func newKey(id int) (string, error) {
	key := make([]byte, minKeyBytes)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	return strconv.Itoa(id) + ":" + base64.StdEncoding.EncodeToString(key), nil
}

type secretOptions struct{ write, dryRun bool }

func newSecretCmd(a *app) *cobra.Command {
	var o secretOptions
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Make a key for CUSTOS_KEYS",
		Long: "Prints a line for your environment. The key digests every secret in the database: keep it out of the\n" +
			"repository and out of the database's backups.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runSecret(cmd.Context(), o) },
	}
	cmd.Flags().BoolVar(&o.write, "write", false, "append it to .env, and keep .env out of git")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "with --write: show what would be written, and write nothing")
	cmd.AddCommand(newRotateCmd(a))
	return cmd
}

func (a *app) runSecret(_ context.Context, o secretOptions) error {
	keys, err := newKeys()
	if err != nil {
		return err
	}
	line := keysVariable + "=" + keys + "\n"
	if !o.write {
		return a.printf("%s", line)
	}
	root := a.root()
	if root == "" {
		return errors.New("write .env: no go.mod here or above, so this is no project; type `custos secret` to print a key")
	}
	if err := a.recover(); err != nil {
		return err
	}
	old, exists, err := readFile(root, ".env")
	if err != nil {
		return err
	}
	_, there, err := lookupDotEnv(old, keysVariable)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("write .env: it has a %s already, and without it no secret in the database can be verified; to change it without turning anyone away: custos secret rotate", keysVariable)
	}
	changes := []plan.Change{appendTo(".env", old, exists, line)}
	changes[0].Private = true
	ignore, exists, err := readFile(root, ".gitignore")
	if err != nil {
		return err
	}
	if !ignores(ignore) {
		changes = append(changes, appendTo(".gitignore", ignore, exists, "/.env\n"))
	}
	return a.writeDotEnv(root, changes, o.dryRun)
}

// writeDotEnv writes .env, and what goes with it, and says so.
func (a *app) writeDotEnv(root string, changes []plan.Change, dryRun bool) error {
	if !dryRun {
		if err := disk.Apply(root, changes); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(root, ".env"), 0o600); err != nil { // one that was there may have been open to all
			return fmt.Errorf("close .env to others: %w", err)
		}
	}
	for _, c := range changes {
		if err := a.printf("%s  %s\n", a.colour().paint(green, pad(c.Op.String(), 6)), c.Path); err != nil {
			return err
		}
	}
	if dryRun {
		return a.printf("%s\n", a.colour().paint(bold, tally{shown: len(changes)}.summary(true)))
	}
	return nil
}

func readFile(root, name string) (content []byte, exists bool, err error) {
	content, err = os.ReadFile(filepath.Join(root, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", name, err)
	}
	return content, true, nil
}

func appendTo(name string, old []byte, exists bool, line string) plan.Change {
	c := plan.Change{Path: name, Op: plan.Create, Owner: plan.User}
	if exists {
		c.Op, c.Old = plan.Replace, append([]byte{}, old...)
	}
	c.New = append([]byte{}, old...)
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		c.New = append(c.New, '\n')
	}
	c.New = append(c.New, line...)
	return c
}

// ignores reports whether a .gitignore names .env in one of the ways people write it.
func ignores(gitignore []byte) bool {
	for line := range strings.Lines(string(gitignore)) {
		if slices.Contains([]string{".env", "/.env", ".env*", "*.env", "**/.env"}, strings.TrimSpace(line)) {
			return true
		}
	}
	return false
}
