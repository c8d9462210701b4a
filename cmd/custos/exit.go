package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/project"
)

// The exit codes.
const (
	codeDone     = 0
	codeFailed   = 1
	codeUsage    = 2 // what was typed is wrong
	codeStale    = 3 // generation would change something
	codeConflict = 4 // a file of the user's and one of custos' want one place, or git's markers are in one
	codeEdited   = 5 // check: a machine-owned file was edited
	codeBase     = 6 // check: custos.lock and the pristine copies do not belong together
	codeAdvisory = 7 // check and audit: a security fix is not applied
)

// usageError is a fault in what was typed.
type usageError struct {
	err error
	cmd *cobra.Command // whose help to point to; nil = none
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...), cmd: cmd}
}

// conflict marks an error that ends with codeConflict.
type conflict struct{ error }

func (c conflict) Unwrap() error { return c.error }

// silent is an exit code whose reason was printed already.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit %d", int(s)) }

// exitCode is the one place where errors become numbers.
func exitCode(err error) int {
	var (
		code    silent
		usage   *usageError
		clash   conflict
		foreign *merge.ForeignError
		taken   *generator.TakenError
		moved   *generator.MovedError
		pos     *project.PosError
	)
	switch {
	case err == nil:
		return codeDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		return codeUsage
	case errors.As(err, &clash), errors.As(err, &foreign), errors.As(err, &taken), errors.As(err, &moved), errors.As(err, &pos) && pos.Conflict:
		return codeConflict
	}
	return codeFailed
}

// report prints an error, if there is something left to say, and returns the exit code.
func (a *app) report(err error) int {
	code := exitCode(err)
	var quiet silent
	if err == nil || errors.As(err, &quiet) {
		return code
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; nothing was written")
	}
	_, _ = fmt.Fprintf(a.err, "custos: %s\n", strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n        "))
	var usage *usageError
	if errors.As(err, &usage) && usage.cmd != nil {
		_, _ = fmt.Fprintf(a.err, "  see: %s --help\n", usage.cmd.CommandPath())
	}
	return code
}

// nearestFlag is a hint for a flag that does not exist.
func nearestFlag(cmd *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if n := plugin.Nearest(unknown.GetSpecifiedName(), known); n != "" {
		return fmt.Sprintf("; did you mean --%s?", n)
	}
	return ""
}
