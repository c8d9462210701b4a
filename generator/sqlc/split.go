package sqlc

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
)

// queriesLine is where Config names the folder of the queries.
const queriesLine = "    queries: queries\n"

// origin is where a file begins in the one that it was cut from.
type origin struct {
	path  string
	lines int // before it
}

// split gives every query a file of its own. The grammar of SQLite is ambiguous between statements, so that sqlc
// parses a file of many queries several times as long as many files of one. The files keep their names, after which
// sqlc names its output, and are told apart by folders; origins has the place that each one comes from.
func split(config File, queries []File) (splitConfig File, files []File, origins map[string]origin) {
	origins = map[string]origin{}
	folders := 1
	for _, f := range queries {
		text := string(f.Content)
		line := 0
		for i, part := range statements(text) {
			name := f.Path
			if i > 0 {
				name = path.Join(path.Dir(f.Path), fmt.Sprint(i), path.Base(f.Path))
				origins[name] = origin{path: f.Path, lines: line}
			}
			files = append(files, File{Path: name, Content: []byte(part)})
			line += strings.Count(part, "\n")
			folders = max(folders, i+1)
		}
	}
	list := "    queries: [queries"
	for i := 1; i < folders; i++ {
		list += fmt.Sprintf(", queries/%d", i)
	}
	content := bytes.Replace(config.Content, []byte(queriesLine), []byte(list+"]\n"), 1)
	if bytes.Equal(content, config.Content) {
		return config, queries, nil // not a configuration of ours
	}
	return File{Path: config.Path, Content: content}, files, origins
}

// statements cuts queries before the comments that stand above a name. In doubt it does not cut.
func statements(sql string) []string {
	if strings.Contains(sql, "/*") {
		return []string{sql} // what looks like a query may be a comment
	}
	var parts []string
	start, end, at := 0, 0, 0 // of the part; where it may end, 0 within a statement; behind the line
	var quotes [3]int
	for line := range strings.Lines(sql) {
		before := at
		at += len(line)
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "-- name:") && end > start:
			parts = append(parts, sql[start:end])
			start, quotes = end, [3]int{}
		case line == "" && end > start && end == before:
			end = at // sqlc says of a fault without a place that it is at the start of the file
		case line == "" || strings.HasPrefix(line, "--"):
		default:
			closed := true
			for i, quote := range []string{"'", `"`, "`"} {
				quotes[i] += strings.Count(line, quote)
				closed = closed && quotes[i]%2 == 0
			}
			end = 0
			if closed && strings.HasSuffix(line, ";") {
				end = at
			}
		}
	}
	return append(parts, sql[start:])
}

// unsplit gives the faults that sqlc found the places that the user knows.
func unsplit(err error, origins map[string]origin) error {
	faults := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		faults = joined.Unwrap()
	}
	for _, fault := range faults {
		var e *Error
		if !errors.As(fault, &e) {
			continue
		}
		if from, ok := origins[e.Path]; ok {
			e.Path, e.Line = from.path, e.Line+from.lines
		}
	}
	return err
}
