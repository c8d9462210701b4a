// Package sqlc hands SQL to sqlc and brings Go back.
//
// sqlc is linked into custos, yet runs in a child process of the same binary (`custos sqlc ...`): its generate
// command calls os.Exit when it fails and writes files one by one. The child works in a temporary folder that
// repeats the project's layout, so paths in its messages are the project's own.
package sqlc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sqlc-dev/sqlc/pkg/cli"

	"github.com/custos-auth/custos/generator/plan"
)

// Version of sqlc that is linked in; it goes into the hash of what was generated.
const Version = "v1.31.1"

// Command is the hidden command that the child runs.
const Command = "sqlc"

// Main runs sqlc in this process, as the child does. It may call os.Exit.
func Main(args []string) int { return cli.Run(args) }

// File is one input.
type File struct {
	Path    string // relative to the project's root, forward slashes
	Content []byte
}

// Input is everything that sqlc's output depends on.
type Input struct {
	Config  File   // sqlc.yaml
	Schema  []File // migrations
	Queries []File
	Out     string // folder of the output, as Config names it, seen from the root
}

// Hash identifies an input. Equal hashes make equal output.
func (in Input) Hash() string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "sqlc %s\n", Version)
	for _, f := range slices.Concat([]File{in.Config}, in.Schema, in.Queries) {
		_, _ = fmt.Fprintf(h, "%d %s %d\n", len(f.Path), f.Path, len(f.Content))
		_, _ = h.Write(f.Content)
	}
	return "h1:" + hex.EncodeToString(h.Sum(nil))
}

// Error is a fault that sqlc found, with its place.
type Error struct {
	Path      string // relative to the project's root; "" when sqlc named none
	Line, Col int
	Msg       string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return "sqlc: " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Col, e.Msg)
}

// Runner starts children.
type Runner struct {
	Exe string   // the custos binary; "" = os.Executable
	Env []string // added to the child's environment
}

// Generate returns sqlc's output files, by path seen from the root. Faults in the SQL are *Error values, joined.
func (r Runner) Generate(ctx context.Context, in Input) ([]File, error) {
	if files, ok := r.quick(ctx, in); ok {
		return files, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.plain(ctx, in)
}

// plain is one run of sqlc.
func (r Runner) plain(ctx context.Context, in Input) ([]File, error) {
	config, queries, origins := split(in.Config, in.Queries)
	dir, clean, err := lay(slices.Concat([]File{config}, in.Schema, queries))
	if err != nil {
		return nil, err
	}
	defer clean()
	if err := r.run(ctx, dir, config.Path); err != nil {
		return nil, fmt.Errorf("generate queries: %w", unsplit(err, origins))
	}
	return collect(dir, in.Out)
}

func (r Runner) run(ctx context.Context, dir, config string) error {
	exe := r.Exe
	if exe == "" {
		var err error
		if exe, err = os.Executable(); err != nil {
			return fmt.Errorf("find the custos binary: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, exe, Command, "generate", "--no-remote", "-f", filepath.FromSlash(config))
	cmd.Dir = dir
	// The child lives for a fraction of a second: collecting garbage costs more than the memory, up to a point.
	cmd.Env = append(append(os.Environ(), "GOGC=400", "GOMEMLIMIT=100MiB"), r.Env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("start sqlc: %w", err)
	}
	if err != nil {
		return parseErrors(out.String(), config)
	}
	return nil
}

var (
	position = regexp.MustCompile(`^(.+?):(\d+):(\d+): (.*)$`)
	// unplaced is how the parser of SQLite's grammar reports: the true place, without a file. sqlc repeats the
	// message with the file, at its first line.
	unplaced = regexp.MustCompile(`^line (\d+):(\d+) (.*)$`)
)

// parseErrors reads sqlc's report. Its paths are relative to the folder of its configuration.
func parseErrors(report, config string) error {
	var errs []error
	places := map[string][]string{}
	for line := range strings.Lines(report) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "# package") {
			continue
		}
		if m := unplaced.FindStringSubmatch(line); m != nil {
			places[m[3]] = m[1:3]
			continue
		}
		if m := position.FindStringSubmatch(line); m != nil {
			if place := places[m[4]]; place != nil {
				m[2], m[3] = place[0], place[1]
			}
			l, _ := strconv.Atoi(m[2])
			c, _ := strconv.Atoi(m[3])
			errs = append(errs, &Error{Path: path.Join(path.Dir(config), filepath.ToSlash(m[1])), Line: l, Col: c, Msg: m[4]})
			continue
		}
		errs = append(errs, &Error{Msg: line})
	}
	if len(errs) == 0 {
		return &Error{Msg: "failed without a message"}
	}
	return errors.Join(errs...)
}

// memory is where Linux has a file system without a disk. Hundreds of small files, which live for a moment, cost
// a disk's file system up to half as much as sqlc's work on them.
const memory = "/dev/shm"

// lay writes files below a new temporary folder: where TMPDIR says, else in memory if it can be had, else on disk.
func lay(files []File) (dir string, clean func(), err error) {
	if os.Getenv("TMPDIR") == "" {
		dir, err = os.MkdirTemp(memory, "custos-sqlc-")
	}
	if dir == "" {
		dir, err = os.MkdirTemp("", "custos-sqlc-")
	}
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for sqlc: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) }
	for _, f := range files {
		if !plan.Local(f.Path) {
			clean()
			return "", nil, fmt.Errorf("lay out SQL for sqlc: %q leaves the project", f.Path)
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, f.Content, 0o600)); err != nil {
			clean()
			return "", nil, fmt.Errorf("lay out SQL for sqlc: %w", err)
		}
	}
	return dir, clean, nil
}

func collect(dir, out string) ([]File, error) {
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(out)))
	if err != nil {
		return nil, fmt.Errorf("read sqlc's output: %w", err)
	}
	var files []File
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(out), e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read sqlc's output: %w", err)
		}
		files = append(files, File{Path: path.Join(out, e.Name()), Content: content})
	}
	return files, nil
}

// Config prints custos' own sqlc.yaml. It makes every engine yield the same Go: one struct name for each table,
// one type for each column, pointers for NULL.
func Config(pl *plan.Plan) File {
	where := pl.Config.Queries
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("# Code generated by custos. DO NOT EDIT.")
	line("version: %q", "2")
	line("sql:")
	line("  - engine: %s", pl.Engine.SQLC)
	line("    schema:")
	line("      - %s", relative(where, pl.Config.Migrations.Dir))
	for _, f := range pl.Schema {
		line("      - %s", relative(where, f))
	}
	b.WriteString(queriesLine)
	line("    gen:")
	line("      go:")
	line("        package: authdb")
	line("        out: %s", relative(where, pl.AuthDB()))
	line("        sql_package: %s", pl.Driver.SQLPackage)
	for _, on := range []string{"emit_interface", "emit_exact_table_names", "omit_unused_structs", "emit_pointers_for_null_types"} {
		line("        %s: true", on)
	}
	line("        rename:")
	for _, m := range pl.Models {
		line("          %s: %s", m.Table, m.Name)
	}
	for _, s := range pl.Plugins() {
		for _, t := range s.Manifest.Tables {
			line("          %s: %s", t, structName(t))
		}
	}
	line("        overrides:")
	for _, m := range pl.Models {
		line("          - {column: %s.id, go_type: {type: %s}}", m.Table, m.ID())
	}
	for _, t := range []string{"timestamptz", "pg_catalog.timestamptz"} {
		line("          - {db_type: %s, go_type: {import: time, type: Time}}", t)
	}
	for _, t := range []string{"timestamptz", "pg_catalog.timestamptz", "datetime", "timestamp"} {
		line("          - {db_type: %s, nullable: true, go_type: {import: time, type: Time, pointer: true}}", t)
	}
	for _, t := range []string{"money", "pg_catalog.money"} { // which pgx reads as text only
		line("          - {db_type: %s, go_type: {type: string}}", t)
	}
	for _, t := range []string{"char", "varchar", "text", "money", "pg_catalog.money"} {
		line("          - {db_type: %s, nullable: true, go_type: {type: string, pointer: true}}", t)
	}
	for _, t := range []string{"bigint", "pg_catalog.int8"} {
		line("          - {db_type: %s, nullable: true, go_type: {type: int64, pointer: true}}", t)
	}
	return File{Path: path.Join(where, "sqlc.yaml"), Content: []byte(b.String())}
}

// structName is a plugin's table as a Go type: custos_api_tokens is APIToken.
func structName(table string) string {
	words := strings.Split(strings.TrimPrefix(table, "custos_"), "_")
	last := len(words) - 1
	words[last] = strings.TrimSuffix(words[last], "s")
	for i, w := range words {
		switch w {
		case "api", "id", "url", "sms":
			words[i] = strings.ToUpper(w)
		default:
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// relative is the path of to as seen from the folder from, both below the root.
func relative(from, to string) string {
	rel, err := filepath.Rel(filepath.FromSlash("/"+from), filepath.FromSlash("/"+to))
	if err != nil {
		return to // both are absolute: it cannot happen
	}
	return filepath.ToSlash(rel)
}
