package project

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	stampLayout  = "20060102150405"
	defaultWidth = 5
)

// Next returns the numbers of the next n migrations, each greater than the one before and than all that are
// there: sequential numbers continue with the same number of digits, timestamps are now in UTC, or a second
// behind the newest when that lies in the future.
func (m Migrations) Next(cfg MigrationConfig, n int, now time.Time) []string {
	var out []string
	if cfg.Numbering != Timestamp {
		width := m.Width
		if width == 0 {
			width = defaultWidth
		}
		for i := range n {
			out = append(out, fmt.Sprintf("%0*d", width, m.Last+int64(i)+1))
		}
		return out
	}
	last := m.Last
	for range n {
		next := stamp(now)
		if next <= last {
			next = last + 1
			if t, err := time.Parse(stampLayout, strconv.FormatInt(last, 10)); err == nil {
				next = max(next, stamp(t.Add(time.Second)))
			}
		}
		out = append(out, fmt.Sprintf("%014d", next))
		last = next
	}
	return out
}

func stamp(t time.Time) int64 {
	n, err := strconv.ParseInt(t.UTC().Format(stampLayout), 10, 64)
	if err != nil {
		return 0 // a year with more than four digits
	}
	return n
}

// MigrationName returns the file names of a migration, relative to the folder of migrations. down is "" for the tools that
// keep both directions in one file.
func MigrationName(cfg MigrationConfig, number, name string) (up, down string) {
	base := number + "_" + name
	switch cfg.Tool {
	case GolangMigrate:
		return base + ".up.sql", base + ".down.sql"
	case Plain:
		return base + ".sql", "down/" + base + ".sql" // beside the other, *.sql would run it, and first
	}
	return base + ".sql", ""
}

// IsDown reports whether a migration's file is the one that [MigrationName] calls down.
func IsDown(file string) bool {
	return strings.HasSuffix(file, ".down.sql") || path.Base(path.Dir(file)) == "down"
}

// MigrationTitle is the name of a migration without folder, number, direction and extension.
func MigrationTitle(file string) string {
	name := path.Base(file)
	for _, end := range []string{".sql", ".up", ".down"} {
		name = strings.TrimSuffix(name, end)
	}
	return strings.TrimPrefix(strings.TrimLeft(name, "0123456789"), "_")
}

// MigrationBody wraps a migration's SQL as its tool wants it. down is nil for the tools that keep both
// directions in one file.
func MigrationBody(tool, upSQL, downSQL string) (up, down []byte) {
	upSQL, downSQL = strings.TrimSpace(upSQL)+"\n", strings.TrimSpace(downSQL)+"\n"
	switch tool {
	case Dbmate:
		return []byte("-- migrate:up\n" + upSQL + "\n-- migrate:down\n" + downSQL), nil
	case GolangMigrate, Plain:
		return []byte(upSQL), []byte(downSQL)
	}
	return []byte("-- +goose Up\n" + upSQL + "\n-- +goose Down\n" + downSQL), nil
}

// SplitMigration is the SQL of a migration that is one file, as goose and dbmate keep it. ok is false when one of
// the two directions is missing or blank.
func SplitMigration(content []byte) (up, down string, ok bool) {
	var parts [3]strings.Builder // before, up, down
	at := 0
	for line := range strings.Lines(string(content)) {
		comment, isComment := strings.CutPrefix(strings.ToLower(strings.TrimSpace(line)), "--")
		words := strings.Join(strings.Fields(comment), " ")
		switch {
		case isComment && (words == "+goose up" || strings.HasPrefix(words, "migrate:up")):
			at = 1
		case isComment && (words == "+goose down" || strings.HasPrefix(words, "migrate:down")):
			at = 2
		default:
			parts[at].WriteString(line)
		}
	}
	up, down = strings.TrimSpace(parts[1].String()), strings.TrimSpace(parts[2].String())
	return up, down, up != "" && down != ""
}

// folder is what was seen in a migration folder.
type folder struct {
	dir       string
	files     []MigrationFile
	examples  map[string]string // tool -> a file of its
	flyway    string            // a file of that one, whose names sort otherwise
	numbered  bool
	stamps    bool
	width     int
	last      int64
	widthLast int64 // the number that width was taken from
}

// tool is the tool whose files are there, or "" when nothing tells. More than one is an error.
func (f *folder) tool(asked string) (string, error) {
	var found []string
	for _, t := range tools() {
		if f.examples[t] != "" && !(t == Plain && asked != "" && asked != Plain) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		if f.flyway != "" && asked == "" {
			return "", fmt.Errorf("read migrations in %s: %s has a name of Flyway's, which custos does not write; it writes for %s; name a folder for one of them in %s: migrations: {dir: FOLDER}",
				f.dir, f.flyway, strings.Join(tools(), ", "), ConfigFile)
		}
		return found[0], nil
	}
	return "", fmt.Errorf("read migrations in %s: files of two tools: %s is for %s, %s is for %s; move the files of one tool to another folder, "+
		"or name the folder for new migrations in %s: migrations: {dir: FOLDER}",
		f.dir, f.examples[found[0]], describe(found[0]), f.examples[found[1]], describe(found[1]), ConfigFile)
}

func describe(tool string) string {
	if tool == Plain {
		return "no tool (plain SQL)"
	}
	return tool
}

func (f *folder) numbering(tool string) string {
	switch {
	case f.stamps, !f.numbered && tool == Dbmate:
		return Timestamp
	}
	return Sequential
}

// readFolder reads the SQL files of a migration folder. A folder that does not exist is an empty one.
func (p *Project) readFolder(dir string) (*folder, error) {
	f := &folder{dir: dir, examples: map[string]string{}}
	entries, err := p.list(dir)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	for _, e := range entries {
		name := e.Name()
		isSQL := strings.HasSuffix(name, ".sql")
		version, digits := number(name)
		isGo := strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && digits > 0
		if e.IsDir() || !isSQL && !isGo || strings.HasPrefix(name, ".") {
			continue
		}
		f.count(version, digits)
		if isGo { // goose runs migrations written in Go
			f.example(Goose, path.Join(dir, name))
			continue
		}
		file := path.Join(dir, name)
		content, exists, err := p.Read(file)
		if err != nil {
			return nil, err
		}
		if !exists {
			continue
		}
		if f.flyway == "" && flywayName.MatchString(name) {
			f.flyway = file
		}
		f.files = append(f.files, MigrationFile{Path: file, Version: version, Content: content})
		f.example(toolOf(name, string(content), digits > 0, names), file)
	}
	if len(f.files) > 0 && len(f.examples) == 0 { // without numbers, or without content
		f.examples[Plain] = f.files[0].Path
	}
	return f, nil
}

var flywayName = regexp.MustCompile(`^(V[0-9][0-9._]*|U[0-9][0-9._]*|R)__.*\.sql$`)

func (f *folder) example(tool, file string) {
	if tool != "" && f.examples[tool] == "" {
		f.examples[tool] = file
	}
}

func (f *folder) count(version int64, digits int) {
	if digits == 0 {
		return
	}
	f.numbered = true
	f.last = max(f.last, version)
	if digits == len(stampLayout) {
		f.stamps = true
	} else if version >= f.widthLast {
		f.width, f.widthLast = digits, version
	}
}

// toolOf tells whose file a migration is, by its content first and its name second; "" when it does not tell.
func toolOf(name, content string, numbered bool, names map[string]bool) string {
	blank := true
	for line := range strings.Lines(content) {
		line = strings.ToLower(strings.TrimSpace(line))
		comment, isComment := strings.CutPrefix(line, "--")
		words := strings.Fields(comment)
		switch {
		case line == "":
		case !isComment:
			blank = false
		case len(words) > 1 && words[0] == "+goose" && words[1] == "up":
			return Goose
		case len(words) > 0 && words[0] == "migrate:up":
			return Dbmate
		}
	}
	if base, ok := strings.CutSuffix(name, ".up.sql"); ok {
		if numbered || names[base+".down.sql"] {
			return GolangMigrate
		}
		return Plain
	}
	if base, ok := strings.CutSuffix(name, ".down.sql"); ok {
		switch {
		case names[base+".up.sql"]:
			return GolangMigrate
		case names[base+".sql"]:
			return Plain
		}
		return ""
	}
	if blank || !numbered {
		return ""
	}
	return Plain
}

// number reads the digits that a migration's name begins with.
func number(name string) (version int64, digits int) {
	for digits < len(name) && '0' <= name[digits] && name[digits] <= '9' {
		digits++
	}
	if digits == 0 || digits > 18 {
		return 0, 0
	}
	version, err := strconv.ParseInt(name[:digits], 10, 64)
	if err != nil {
		return 0, 0
	}
	return version, digits
}

// migrations is the folder as the rest of the generator sees it.
func (f *folder) migrations(tool string, lock Lock) Migrations {
	m := Migrations{Files: f.files, Width: f.width, Last: f.last}
	written := map[string]bool{}
	for _, e := range lock.Entries {
		written[e.Path] = true
	}
	for _, file := range m.Files {
		m.Foreign = m.Foreign || !written[file.Path]
	}
	byNumber := tool == Goose || tool == GolangMigrate // the others go by the name
	slices.SortFunc(m.Files, func(a, b MigrationFile) int {
		if byNumber && a.Version != b.Version {
			return cmp.Compare(a.Version, b.Version)
		}
		an, adown := strings.CutSuffix(a.Path, ".down.sql")
		bn, bdown := strings.CutSuffix(b.Path, ".down.sql")
		an, bn = strings.TrimSuffix(strings.TrimSuffix(an, ".sql"), ".up"), strings.TrimSuffix(strings.TrimSuffix(bn, ".sql"), ".up")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		if adown != bdown { // up first
			if adown {
				return 1
			}
			return -1
		}
		return strings.Compare(a.Path, b.Path)
	})
	return m
}
