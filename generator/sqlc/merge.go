package sqlc

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// merge makes one output of several, of sqlc runs on parts of the queries. A file of queries is in one of them, db.go
// is the same in all, models.go has the tables that a part uses, and querier.go its queries. ok is false for anything
// that is not known to be so, such as a query that two parts have.
func merge(parts [][]File) (files []File, ok bool) {
	if len(parts) == 1 {
		return parts[0], true
	}
	contents := map[string][]string{}
	for _, part := range parts {
		for _, f := range part {
			contents[f.Path] = append(contents[f.Path], string(f.Content))
		}
	}
	for name, versions := range contents {
		var text string
		switch base := path.Base(name); {
		case strings.HasSuffix(base, ".sql.go") && len(versions) == 1:
			text, ok = versions[0], true
		case base == "db.go" && len(versions) == len(parts):
			text, ok = versions[0], len(slices.Compact(versions)) == 1
		case base == "models.go" && len(versions) == len(parts):
			text, ok = mergeModels(versions)
		case base == "querier.go" && len(versions) == len(parts):
			text, ok = mergeQueriers(versions)
		default:
			ok = false
		}
		if !ok {
			return nil, false
		}
		files = append(files, File{Path: name, Content: []byte(text)})
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, true
}

var (
	imported = regexp.MustCompile(`^\t"[a-z]+(/[a-z]+)*"$`) // of the standard library
	model    = regexp.MustCompile(`^type (\w+) struct {\n(\t.*\n)*}$`)
	method   = regexp.MustCompile(`^\t([A-Z]\w*)\(.*$`)
)

const (
	querierStart = "type Querier interface {\n"
	querierEnd   = "var _ Querier = (*Queries)(nil)"
)

// goFile is one of sqlc's files: declarations with an empty line between them.
type goFile struct {
	head    string // up to the package clause
	imports []string
	decls   []string
}

func parseGo(text string) (f goFile, ok bool) {
	blocks := strings.Split(strings.TrimSuffix(text, "\n"), "\n\n")
	if len(blocks) < 2 || !strings.HasPrefix(blocks[1], "package ") {
		return f, false
	}
	f.head, f.decls = blocks[0]+"\n\n"+blocks[1], blocks[2:]
	if len(f.decls) == 0 || !strings.HasPrefix(f.decls[0], "import (\n") {
		return f, true
	}
	f.imports = strings.Split(strings.TrimSuffix(strings.TrimPrefix(f.decls[0], "import (\n"), "\n)"), "\n")
	f.decls = f.decls[1:]
	return f, !slices.ContainsFunc(f.imports, func(line string) bool { return !imported.MatchString(line) })
}

func (f goFile) text() string {
	blocks := []string{f.head}
	if len(f.imports) > 0 {
		blocks = append(blocks, "import (\n"+strings.Join(f.imports, "\n")+"\n)")
	}
	return strings.Join(append(blocks, f.decls...), "\n\n") + "\n"
}

// mergeModels has each table's type once, by name.
func mergeModels(versions []string) (text string, ok bool) {
	var all goFile
	types := map[string]string{}
	for i, version := range versions {
		f, ok := parseGo(version)
		if !ok || i > 0 && f.head != all.head {
			return "", false
		}
		all.head, all.imports = f.head, append(all.imports, f.imports...)
		for _, decl := range f.decls {
			m := model.FindStringSubmatch(decl)
			if m == nil || types[m[1]] != "" && types[m[1]] != decl {
				return "", false
			}
			types[m[1]] = decl
		}
	}
	for _, name := range sortedKeys(types) {
		all.decls = append(all.decls, types[name])
	}
	slices.Sort(all.imports)
	all.imports = slices.Compact(all.imports)
	return all.text(), true
}

// mergeQueriers has the methods of all parts, with their comments, by name.
func mergeQueriers(versions []string) (text string, ok bool) {
	var all goFile
	methods := map[string]string{}
	for i, version := range versions {
		f, ok := parseGo(version)
		if !ok || i > 0 && f.head != all.head || len(f.decls) != 2 || f.decls[1] != querierEnd {
			return "", false
		}
		all.head, all.imports = f.head, append(all.imports, f.imports...)
		body, ok := strings.CutPrefix(f.decls[0], querierStart)
		if !ok || !strings.HasSuffix(body, "}") {
			return "", false
		}
		comment := ""
		for line := range strings.Lines(strings.TrimSuffix(body, "}")) {
			if strings.HasPrefix(line, "\t//") {
				comment += line
				continue
			}
			m := method.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if m == nil || methods[m[1]] != "" {
				return "", false
			}
			methods[m[1]], comment = comment+line, ""
		}
		if comment != "" {
			return "", false
		}
	}
	var body strings.Builder
	for _, name := range sortedKeys(methods) {
		body.WriteString(methods[name])
	}
	slices.Sort(all.imports)
	all.imports = slices.Compact(all.imports)
	all.decls = []string{querierStart + body.String() + "}", querierEnd}
	return all.text(), true
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
