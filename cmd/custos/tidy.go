package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"go/version"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/custos-auth/custos/generator/plan"
)

// modules brings go.mod up to date, and says what changed of the user's own; before is go.mod as it was.
func (a *app) modules(ctx context.Context, out outcome, o writeOptions, before []byte) {
	if !o.writes() {
		return
	}
	if !o.noMod {
		work := a.workspace(ctx, out.root)
		was, _ := os.ReadFile(work) // "" when there is none
		a.tidy(ctx, out)
		is, _ := os.ReadFile(work)
		if raised := raisedWork(was, is); raised != "" {
			a.note("go.work: %s", raised)
		}
	}
	after, err := os.ReadFile(filepath.Join(out.root, "go.mod"))
	if err != nil {
		return
	}
	if raised := raised(before, after); raised != "" {
		a.note("go.mod: %s", raised)
	}
}

// raised lists what has another version in a go.mod than before; what was added is not told.
func raised(before, after []byte) string {
	was, err := modfile.ParseLax("go.mod", before, nil)
	if err != nil || was.Module == nil {
		return ""
	}
	is, err := modfile.ParseLax("go.mod", after, nil)
	if err != nil {
		return ""
	}
	var parts []string
	tell := func(name, from, to string) {
		if from != to {
			parts = append(parts, fmt.Sprintf("%s %s -> %s", name, from, to))
		}
	}
	from, to := language(was), language(is)
	if !sameGo(from, to) {
		tell("go", from, to)
	}
	versions := map[string]string{}
	for _, r := range is.Require {
		versions[r.Mod.Path] = r.Mod.Version
	}
	indirect := 0
	for _, r := range was.Require {
		switch now := versions[r.Mod.Path]; {
		case now == "" || now == r.Mod.Version:
		case r.Indirect:
			indirect++
		default:
			tell(r.Mod.Path, r.Mod.Version, now)
		}
	}
	if indirect > 0 {
		parts = append(parts, plural(indirect, "indirect module"))
	}
	line := strings.Join(parts, ", ")
	const loops = "go1.22"
	if version.Compare("go"+from, loops) < 0 && version.Compare("go"+to, loops) >= 0 {
		line += "; from go 1.22 on each turn of a loop has variables of its own: https://go.dev/blog/loopvar-preview"
	}
	return line
}

// workspace is the go.work that the go command uses in a folder; "" = none.
func (a *app) workspace(ctx context.Context, dir string) string {
	cmd := exec.CommandContext(ctx, "go", "env", "GOWORK")
	cmd.Dir = dir
	name, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// raisedWork tells of another Go version in a go.work, which go get raises along with go.mod and which is that of the
// other modules there, too.
func raisedWork(before, after []byte) string {
	was, err := modfile.ParseWork("go.work", before, nil)
	if err != nil || was.Go == nil {
		return ""
	}
	is, err := modfile.ParseWork("go.work", after, nil)
	if err != nil || is.Go == nil || sameGo(was.Go.Version, is.Go.Version) {
		return ""
	}
	return fmt.Sprintf("go %s -> %s", was.Go.Version, is.Go.Version)
}

// sameGo reports whether a version was at most spelled as the go command does: 1.26 as 1.26.0.
func sameGo(before, after string) bool { return after == before || after == before+".0" }

// language is the go line of a go.mod; one without it is read as Go 1.16.
func language(f *modfile.File) string {
	if f.Go == nil {
		return "1.16"
	}
	return f.Go.Version
}

// tidy brings go.mod and go.sum up to date, so that the project builds at once. It uses go get on the generated
// packages and not go mod tidy, which would drop what the user requires and does not import yet. A failure is a
// warning: the files are written, and the network may be back in a minute.
func (a *app) tidy(ctx context.Context, out outcome) {
	if !needsTidy(out.changes) && !out.proceeds { // what has markers was written without this
		return
	}
	words := append([]string{"get", "-t"}, goFolders(out)...)
	line := "go " + strings.Join(words, " ")
	progress := a.progress()
	progress.step(line)
	report, err := a.goUpdating(ctx, out.root, words)
	if err == nil {
		err = a.completeSums(ctx, out.root)
	}
	progress.done()
	if err != nil {
		cause := lastLine(report)
		if errors.Is(err, exec.ErrNotFound) {
			cause = "there is no go command in PATH"
		} else if cause == "" {
			cause = err.Error()
		}
		a.note("bring go.mod up to date: %s\n  when that is mended, type: %s", cause, line)
		return
	}
	a.note("ran %s", line)
}

// goUpdating runs the go command where it may change go.mod and go.sum.
func (a *app) goUpdating(ctx context.Context, dir string, words []string) (string, error) {
	return a.goCommand(ctx, dir, words, "GOFLAGS="+strings.TrimSpace(a.env("GOFLAGS")+" -mod=mod"))
}

// completeSums adds what go.sum lacks for the packages of the user's own. go get has raised modules that they import, or
// that what they import does, and has written the sums for the packages that it was given.
func (a *app) completeSums(ctx context.Context, dir string) error {
	words := []string{"list", "-deps", "-test", "./..."}
	report, err := a.goCommand(ctx, dir, words)
	if err == nil || !strings.Contains(report, "missing go.sum entry") {
		return nil // what else is wrong with their packages was so before
	}
	if report, err := a.goUpdating(ctx, dir, slices.Insert(words, 1, "-e")); err != nil {
		return fmt.Errorf("complete go.sum: %s", lastLine(report))
	}
	return nil
}

// noteVendor says last of all what a project that vendors its modules needs before it builds again.
func (a *app) noteVendor(out outcome, o writeOptions) {
	if !o.writes() || !needsTidy(out.changes) && !out.proceeds {
		return
	}
	if _, err := os.Stat(filepath.Join(out.root, "vendor", "modules.txt")); err == nil {
		a.note("this project vendors its modules, and does not build before you type: go mod vendor")
	}
}

func lastLine(report string) string {
	lines := strings.Split(strings.TrimSpace(report), "\n")
	return strings.TrimPrefix(strings.TrimSpace(lines[len(lines)-1]), "go: ")
}

// needsTidy reports whether go.mod was changed, or a package is imported that was not before.
func needsTidy(changes []plan.Change) bool {
	before, after := map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		switch {
		case c.Path == "go.mod" && c.Writes():
			return true
		case path.Ext(c.Path) != ".go" || internal(c.Path):
		default:
			imports(before, c.Old)
			if c.Writes() && !bytes.Equal(c.Old, c.New) {
				imports(after, c.New)
			}
		}
	}
	for p := range after {
		if !before[p] {
			return true
		}
	}
	return false
}

// imports adds the imports of a Go file that are not in the standard library.
func imports(set map[string]bool, src []byte) {
	if len(src) == 0 {
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
	if err != nil {
		return // a user's file that does not parse: the go command would not read it either
	}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if first, _, _ := strings.Cut(p, "/"); err == nil && strings.Contains(first, ".") {
			set[p] = true
		}
	}
}

// goFolders are the folders with generated Go, as patterns for the go command.
func goFolders(out outcome) []string {
	var dirs []string
	for _, c := range out.changes {
		if path.Ext(c.Path) != ".go" || internal(c.Path) || c.Op == plan.Delete {
			continue
		}
		dir := path.Dir(c.Path)
		pattern := "./" + dir
		switch {
		case dir == ".":
			pattern = "."
		case dir == out.config.Package || strings.HasPrefix(dir, out.config.Package+"/"):
			pattern = fmt.Sprintf("./%s/...", out.config.Package)
		}
		dirs = append(dirs, pattern)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
