package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/custos-auth/custos/generator/plan"
)

// gitIndex is the index of the repository that a project is in. The zero value is a project outside of any.
type gitIndex struct {
	top    string // the repository's folder
	prefix string // the project's folder in it, with a slash at the end
}

func indexOf(ctx context.Context, root string) gitIndex {
	out, err := git(ctx, root, nil, "rev-parse", "--show-toplevel", "--show-prefix")
	if err != nil {
		return gitIndex{}
	}
	top, prefix, _ := strings.Cut(string(out), "\n")
	return gitIndex{top: top, prefix: strings.TrimSuffix(prefix, "\n")}
}

func git(ctx context.Context, dir string, stdin []byte, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// ignored are those of the written files that git leaves out, and are no secrets. Without git there are none.
func ignored(ctx context.Context, root string, changes []plan.Change) []string {
	var names []string
	for _, c := range changes {
		if c.Writes() && c.Op != plan.Delete && !c.Private {
			names = append(names, c.Path)
		}
	}
	if len(names) == 0 {
		return nil
	}
	out, err := git(ctx, root, []byte(strings.Join(names, "\x00")), "check-ignore", "-z", "--stdin")
	if err != nil { // that it ignores none is one, too
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// noteIgnored warns of files that whoever checks the project out would not have.
func (a *app) noteIgnored(ctx context.Context, out outcome, o writeOptions) {
	if !o.writes() {
		return
	}
	names := ignored(ctx, out.root, out.changes)
	if len(names) == 0 {
		return
	}
	one := names[max(0, slices.IndexFunc(names, func(name string) bool { return !internal(name) }))]
	what := one
	if more := len(names) - 1; more > 0 {
		what += fmt.Sprintf(", and %d more", more)
	}
	a.note("warning: git ignores what belongs into the repository: %s; see which line of .gitignore does: git check-ignore -v %s", what, one)
}

// entry is what the index has of a file, as "MODE HASH"; "" when git does not track it.
func (g gitIndex) entry(ctx context.Context, path string) string {
	if g.top == "" {
		return ""
	}
	out, err := git(ctx, g.top, nil, "ls-files", "-s", "-z", "--", g.prefix+path)
	if err != nil {
		return ""
	}
	fields := strings.Fields(strings.TrimSuffix(string(out), "\x00"))
	if len(fields) < 4 || fields[2] != "0" {
		return "" // not tracked, or in conflict already
	}
	return fields[0] + " " + fields[1]
}

// unmerged gives a file the three stages that git mergetool works on.
func (g gitIndex) unmerged(ctx context.Context, path, entry string, stages [3][]byte) error {
	mode, _, _ := strings.Cut(entry, " ")
	info := "0 " + strings.Repeat("0", 40) + "\t" + g.prefix + path + "\x00"
	for i, content := range stages {
		hash, err := git(ctx, g.top, content, "hash-object", "-w", "--stdin")
		if err != nil {
			return err
		}
		info += fmt.Sprintf("%s %s %d\t%s\x00", mode, strings.TrimSpace(string(hash)), i+1, g.prefix+path)
	}
	_, err := git(ctx, g.top, []byte(info), "update-index", "-z", "--index-info")
	return err
}

// merged gives a file its one entry back.
func (g gitIndex) merged(ctx context.Context, path, entry string) error {
	if g.top == "" {
		return nil
	}
	mode, hash, _ := strings.Cut(entry, " ")
	null := strings.Repeat("0", len(hash))
	info := fmt.Sprintf("0 %s\t%s\x00%s %s 0\t%s\x00", null, g.prefix+path, mode, hash, g.prefix+path)
	_, err := git(ctx, g.top, []byte(info), "update-index", "-z", "--index-info")
	return err
}
