package sqlc

import (
	"bytes"
	"cmp"
	"context"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// sqlc's grammar of SQLite costs some ten milliseconds a query, so this engine has a quick way: less to parse, in
// two children at once. Its output is that of a single child on the files as they are, byte for byte; where that is
// in doubt, and for a fault's true place, there is the plain way.

const (
	sqliteLine = "\n  - engine: sqlite\n" // in a configuration
	partSize   = 6 << 10                  // bytes of queries that are worth a child of their own
	maxParts   = 2                        // children at once; each takes about 100 MB
)

// quick generates the quick way. With ok false there is no output, and no judgement of the input either.
func (r Runner) quick(ctx context.Context, in Input) (files []File, ok bool) {
	if !bytes.Contains(in.Config.Content, []byte(sqliteLine)) {
		return nil, false
	}
	schema, queries := slices.Clone(in.Schema), slices.Clone(in.Queries)
	for i, f := range schema {
		schema[i].Content = dropIndexes(f.Content)
	}
	for i, f := range queries {
		if queries[i].Content, ok = shorthand(shortenArgs(f.Content)); !ok {
			return nil, false
		}
	}
	parts := deal(queries, min(maxParts, runtime.GOMAXPROCS(0)))
	outs, errs := make([][]File, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts {
		wg.Go(func() {
			outs[i], errs[i] = r.plain(ctx, Input{Config: in.Config, Schema: dropTables(schema, part), Queries: part, Out: in.Out})
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, false
		}
	}
	for _, out := range outs {
		for i, f := range out {
			out[i].Content = longhand(f.Content)
		}
	}
	return merge(outs)
}

// quoted is what no rewriting may look into: texts, quoted names, and comments, which become comments in Go.
const quoted = `'[^']*'|"[^"]*"|` + "`[^`]*`" + `|--[^\n]*|(?s:/\*.*?\*/)`

var (
	args  = regexp.MustCompile(quoted + `|\bsqlc\.arg\((\w+)\)`)
	index = regexp.MustCompile(quoted + `|(?im:^CREATE (?:UNIQUE )?INDEX [^;'"` + "`" + `/-]*;)`)
)

// shortenArgs writes sqlc.arg(name) as @name, which means the same: one token of the grammar, not six.
func shortenArgs(sql []byte) []byte {
	return args.ReplaceAllFunc(sql, func(found []byte) []byte {
		if name, ok := bytes.CutPrefix(found, []byte("sqlc.arg(")); ok {
			return append([]byte("@"), bytes.TrimSuffix(name, []byte(")"))...)
		}
		return found
	})
}

// dropIndexes removes what sqlc parses for nothing.
func dropIndexes(sql []byte) []byte {
	return index.ReplaceAllFunc(sql, func(found []byte) []byte {
		if found[0] == 'C' || found[0] == 'c' {
			return nil
		}
		return found
	})
}

var (
	table = regexp.MustCompile(quoted + `|(?m:^CREATE TABLE (custos_\w+) \([^;'"` + "`" + `/-]*\);|^DROP TABLE (custos_\w+);)`)
	later = regexp.MustCompile(`(?i)\b(?:ALTER|VIEW|TRIGGER)\b`) // what needs a table that is there already
	word  = regexp.MustCompile(`\w+`)
)

// dropTables removes those of custos' own tables that the queries do not name, and with them what drops them again.
func dropTables(schema, queries []File) []File {
	if slices.ContainsFunc(schema, func(f File) bool { return later.Match(f.Content) }) {
		return schema
	}
	named := map[string]bool{}
	for _, f := range queries {
		for _, w := range word.FindAll(f.Content, -1) {
			named[string(w)] = true
		}
	}
	schema = slices.Clone(schema)
	for i, f := range schema {
		schema[i].Content = table.ReplaceAllFunc(f.Content, func(found []byte) []byte {
			m := table.FindSubmatch(found)
			if name := string(m[1]) + string(m[2]); name == "" || named[name] {
				return found
			}
			return nil
		})
	}
	return schema
}

// deal deals the files to at most n parts of about the same size. Files whose output is one file stay together.
func deal(queries []File, n int) [][]File {
	size := 0
	sizes, groups := map[string]int{}, map[string][]File{}
	for _, f := range queries {
		base := path.Base(f.Path)
		groups[base] = append(groups[base], f)
		sizes[base] += len(f.Content)
		size += len(f.Content)
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), strings.Compare(a, b)) // the large ones first
	})
	n = max(1, min(n, size/partSize, len(names)))
	parts, filled := make([][]File, n), make([]int, n)
	for _, name := range names {
		least := slices.Index(filled, slices.Min(filled))
		parts[least] = append(parts[least], groups[name]...)
		filled[least] += sizes[name]
	}
	return parts
}
