package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/disk"
	"github.com/custos-auth/custos/generator/plugin"
	"github.com/custos-auth/custos/generator/sqlc"
	"github.com/custos-auth/custos/templates"
)

// app is what every command has: the streams, the folder it works in, and the built-in plugins. Nothing in this
// package reaches for os.Stdout or the environment on its own.
type app struct {
	in        io.Reader
	out, err  io.Writer
	dir       string // where custos was called
	lookup    func(name string) (string, bool)
	templates fs.FS
	build     build
}

// Main runs one command line and returns the exit code, see [exitCode].
func Main(args []string, in io.Reader, out, errOut io.Writer) int {
	// The child that runs sqlc (see generator/sqlc) is started several times per run: it skips everything else.
	if len(args) > 0 && args[0] == sqlc.Command {
		return sqlc.Main(args[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		_, _ = fmt.Fprintln(errOut, "custos: find the current folder:", err)
		return codeFailed
	}
	a := &app{in: in, out: out, err: errOut, dir: dir, lookup: os.LookupEnv, templates: templates.FS, build: readBuild()}
	root := a.rootCmd()
	root.SetArgs(args)
	return a.report(root.ExecuteContext(ctx))
}

func (a *app) rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "custos",
		Short: "Generate authentication into your Go project",
		Long: "custos writes authentication into your Go project, as code that you own: migrations, queries, handlers,\n" +
			"middleware and tests, for the models and the plugins that you name.",
		Example: "  custos new shop\n" +
			"  custos gen model ApiClient api_tokens\n" +
			"  custos gen model ApiClient api_tokens:default_expiry=30d,scopes",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
			return cmd.RunE(cmd, words) // the flag is unknown because the command is
		}
		return usagef(cmd, "%w%s", err, nearestFlag(cmd, err))
	})
	root.AddCommand(
		newGenCmd(a), newDestroyCmd(a), newInitCmd(a), newUpgradeCmd(a), newDiffCmd(a), newNewCmd(a), newCheckCmd(a),
		newRestoreCmd(a), newDetachCmd(a), newEjectCmd(a), newAuditCmd(a),
		newPluginsCmd(a), newRoutesCmd(a), newMigrateCmd(a), newSecretCmd(a), newVersionCmd(a),
	)
	a.addForwards(root)
	root.InitDefaultHelpCmd()
	group(root)
	return root
}

// group makes a command that only has subcommands: alone it prints its help, and an unknown word is an error of
// usage that names the nearest known one.
func group(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.SuggestionsMinimumDistance = 2
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", near[0])
		}
		return usagef(cmd, "unknown command %q%s", clip(args[0]), hint)
	}
}

// args counts a command's arguments; max < 0 is any number.
func args(minimum, maximum int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < minimum:
			missing := strings.Fields(cmd.Use)[1+len(args) : 1+minimum]
			return usagef(cmd, "%s: %s missing; usage: %s", cmd.CommandPath(), strings.Join(missing, " and "), cmd.UseLine())
		case maximum >= 0 && len(args) > maximum:
			return usagef(cmd, "%s: unexpected argument %q; usage: %s", cmd.CommandPath(), clip(args[maximum]), cmd.UseLine())
		}
		return nil
	}
}

// env is a variable that is set to something.
func (a *app) env(name string) string {
	v, _ := a.lookup(name)
	return v
}

// root is the folder of the nearest go.mod, or "". What is wrong with a go.mod is for project.Load to say.
func (a *app) root() string {
	for d := a.dir; ; d = filepath.Dir(d) {
		if info, err := os.Stat(filepath.Join(d, "go.mod")); err == nil && info.Mode().IsRegular() {
			return d
		}
		if filepath.Dir(d) == d {
			return ""
		}
	}
}

// library is every plugin that can be named here.
func (a *app) library() (*plugin.Library, error) {
	return generator.Library(a.root(), a.templates)
}

// recover brings back the tree that an interrupted run left half-way, before anything else looks at it.
func (a *app) recover() error {
	root := a.root()
	if root == "" || !disk.Pending(root) {
		return nil
	}
	done, err := disk.Recover(root)
	if done {
		a.note("an earlier run was interrupted; the project is again as it was before it")
	}
	var edited *disk.EditedError
	if errors.As(err, &edited) {
		return conflict{err}
	}
	return err
}

// note tells something on standard error that is not an error.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.err, "custos: "+format+"\n", args...)
}

// clip shortens what a user typed, for messages.
func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:77], "") + "..."
	}
	return s
}
