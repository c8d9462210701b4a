package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/custos-auth/custos/generator"
	"github.com/custos-auth/custos/generator/merge"
	"github.com/custos-auth/custos/generator/plan"
)

// generateAsking is generate with the answers to conflicts: of --conflict, or, on a terminal, of who sits there.
func (a *app) generateAsking(ctx context.Context, req generator.Request, o writeOptions) (*generator.Result, error) {
	if side, ok := map[string]merge.Side{mine: merge.Mine, fresh: merge.New}[o.conflict]; ok {
		req.Settle = func(string) merge.Side { return side }
	}
	res, err := a.generate(ctx, req)
	if err != nil || len(res.Conflicts()) == 0 || o.conflict != stop || o.json || !o.writes() || !a.interactive() {
		return res, err
	}
	if err := checkWaiting(res.Project.Root); err != nil {
		return nil, err
	}
	sides, err := a.ask(a.in, res.Conflicts())
	if err != nil || len(sides) == 0 {
		return res, err
	}
	// Once more, from the start: sqlc's output follows from the queries as they are settled.
	req.Settle = func(path string) merge.Side { return sides[path] }
	return a.generate(ctx, req)
}

// interactive reports whether somebody can be asked.
func (a *app) interactive() bool {
	f, ok := a.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && isTerminal(a.out)
}

// ask shows each file's conflicts and asks whose version it is to be. What is not answered stays a conflict.
func (a *app) ask(in io.Reader, conflicts []plan.Change) (map[string]merge.Side, error) {
	sides := map[string]merge.Side{}
	lines := bufio.NewScanner(in)
	for i, c := range conflicts {
		for _, h := range c.Hunks {
			if err := a.printf("%s:%d: %s%s\n%s\n", c.Path, h.Line, named(h), h.Why, indented(merge.Report(h))); err != nil {
				return nil, err
			}
		}
		for sides[c.Path] == merge.Ask {
			if err := a.printf("%d of %d: keep [m]ine, take the [n]ew one, or [q]uit and write nothing? ", i+1, len(conflicts)); err != nil {
				return nil, err
			}
			if !lines.Scan() {
				return nil, errors.Join(lines.Err(), a.printf("\n"))
			}
			switch strings.ToLower(strings.TrimSpace(lines.Text())) {
			case "m", mine:
				sides[c.Path] = merge.Mine
			case "n", fresh:
				sides[c.Path] = merge.New
			case "q", "quit":
				return nil, nil
			}
		}
	}
	return sides, nil
}
