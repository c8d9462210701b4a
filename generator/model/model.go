// Package model turns one model name into every spelling that generated code needs.
//
// It knows words only: no file, no database, no configuration. A name that would not survive as a Go
// identifier, a package name or an SQL identifier is refused here, before anything is rendered, so that a
// hostile name can reach neither Go, SQL nor a path.
package model

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLen is the longest model name in bytes. With the longest suffix that custos adds, table and index
// names stay below the 63 bytes of PostgreSQL and the 64 of MySQL.
const MaxLen = 30

// Model is one name in all its spellings. The zero value is not a model; use [Parse].
type Model struct {
	Name    string // ApiClient: the Go type, and the authenticatable_type in the database
	Camel   string // apiClient
	Snake   string // api_client: file names
	Kebab   string // api-client
	Plural  string // ApiClients
	Table   string // api_clients: the table, unless custos.yaml names another
	Package string // apiclient: the Go package
	Words   string // as prose: "API client"
	Many    string // "API clients"
}

// NameError says what is wrong with a model name, where, and what to type instead.
type NameError struct {
	Name   string
	Offset int // byte offset of the fault in Name
	Reason string
	Try    string // a name that would do, or ""
}

func (e *NameError) Error() string {
	s := fmt.Sprintf("parse model name %q: %s", e.Name, e.Reason)
	if e.Offset > 0 {
		s = fmt.Sprintf("parse model name %q: at character %d: %s", e.Name, e.Offset+1, e.Reason)
	}
	if e.Try != "" {
		s += fmt.Sprintf("; try %q", e.Try)
	}
	return s
}

// Parse reads a model name. It takes an exported Go identifier of ASCII letters and digits (ApiClient), its
// snake or kebab spelling (api_client, api-client), and a Ruby namespace (Admin::User, which is AdminUser in
// Go). The error is a *NameError.
func Parse(name string) (Model, error) {
	fail := func(at int, reason, try string) (Model, error) {
		return Model{}, &NameError{Name: clip(name), Offset: at, Reason: reason, Try: try}
	}
	if name == "" {
		return fail(0, "the name is empty", "ApiClient")
	}
	for i, r := range name {
		switch {
		case r == utf8.RuneError:
			return fail(i, "not valid UTF-8", "")
		case r == ':' && colons(name, i) == 2:
		case isLower(r), isUpper(r), isDigit(r), r == '_', r == '-':
		case r == '.' || r == '/' || r == '\\' || r == ':':
			return fail(i, "a namespace is written with two colons, or joined into one word", suggest(name))
		default:
			return fail(i, fmt.Sprintf("%q is not an ASCII letter or digit", r), suggest(name))
		}
	}
	words, at := split(name)
	if at >= 0 {
		return fail(at, "two separators follow each other, or one stands at an end", suggest(name))
	}
	if isDigit(rune(words[0][0])) {
		return fail(0, "a Go identifier starts with a letter", "")
	}
	var camel []string
	for _, w := range words {
		camel = append(camel, strings.ToUpper(w[:1])+w[1:])
	}
	pascal := strings.Join(camel, "")
	if len(pascal) > MaxLen {
		return fail(MaxLen, fmt.Sprintf("longer than %d characters, too long for the names of indexes", MaxLen), "")
	}
	lower := lowerWords(words)
	snake := strings.Join(lower, "_")
	pkg := strings.Join(lower, "")
	first := lower[0]
	for _, w := range camel[1:] {
		first += w
	}
	switch {
	case token.IsKeyword(pkg):
		return fail(0, fmt.Sprintf("its package would be called %q, a Go keyword", pkg), pascal+"Account")
	case types.Universe.Lookup(pkg) != nil:
		return fail(0, fmt.Sprintf("its package would be called %q, which hides Go's predeclared %s", pkg, pkg), pascal+"Account")
	case taken(pkg) != "":
		return fail(0, fmt.Sprintf("its package would be called %q: %s", pkg, taken(pkg)), pascal+"Account")
	}
	plural := pluralize(camel[len(camel)-1])
	lowerPlural := strings.ToLower(plural)
	return Model{
		Name:    pascal,
		Camel:   first,
		Snake:   snake,
		Kebab:   strings.Join(lower, "-"),
		Plural:  strings.Join(camel[:len(camel)-1], "") + plural,
		Table:   strings.Join(append(lower[:len(lower)-1:len(lower)-1], lowerPlural), "_"),
		Package: pkg,
		Words:   prose(lower),
		Many:    prose(append(lower[:len(lower)-1:len(lower)-1], lowerPlural)),
	}, nil
}

// taken returns why generated code cannot have a package of this name, or "".
func taken(pkg string) string {
	switch pkg {
	case "auth":
		return "the shared package has that name"
	case "authdb":
		return "the package of sqlc's output has that name"
	case "authctl":
		return "the administration program has that name"
	case "service", "id":
		return "generated code declares a type of that name"
	case "main", "init":
		return "Go has its own use for that name"
	case "custos":
		return "custos uses that name for its own tables"
	case "command", "commands", "config", "date", "db", "dispatch", "find", "help", "model", "run", "services":
		return "generated code has a variable or function of that name"
	case "internal", "vendor", "testdata":
		return "the go command gives that folder a meaning of its own"
	case "bearer", "bytes", "cmp", "context", "errors", "fmt", "http", "httptest", "io", "json", "jsonbody",
		"keyring", "maps", "os", "slices", "slog", "sql", "strconv", "strings", "sync", "testing", "time",
		"token", "touch", "url":
		return "generated code imports a package of that name"
	}
	return ""
}

// split cuts a name into words at separators and at changes of case, and keeps the writer's capitals:
// HTTPServer is HTTP, Server. at is the offset of a misplaced separator, or -1.
func split(name string) (words []string, at int) {
	name = strings.ReplaceAll(name, "::", "_")
	if i := strings.Index(name, "__"); i >= 0 {
		return nil, i
	}
	if isSep(name[0]) {
		return nil, 0
	}
	if isSep(name[len(name)-1]) {
		return nil, len(name) - 1
	}
	start := 0
	for i := 1; i < len(name); i++ {
		prev, c := name[i-1], name[i]
		switch {
		case isSep(c):
			if isSep(prev) {
				return nil, i
			}
			words = append(words, name[start:i])
			start = i + 1
		case isSep(prev):
		case isUpper(rune(c)) && !isUpper(rune(prev)):
			words = append(words, name[start:i])
			start = i
		case isUpper(rune(prev)) && isLower(rune(c)) && i-1 > start:
			words = append(words, name[start:i-1])
			start = i - 1
		}
	}
	return append(words, name[start:]), -1
}

func suggest(name string) string {
	var b strings.Builder
	up := true
	for _, r := range name {
		switch {
		case isLower(r) || isUpper(r) || isDigit(r) && b.Len() > 0:
			if up {
				r = []rune(strings.ToUpper(string(r)))[0]
			}
			b.WriteRune(r)
			up = false
		case unicode.IsLetter(r):
			return "" // how it is spelled without is for its writer to say
		default:
			up = true
		}
	}
	if b.Len() > MaxLen || b.Len() == 0 {
		return ""
	}
	if _, err := Parse(b.String()); err != nil {
		return ""
	}
	return b.String()
}

// pluralize follows English far enough for table names; custos.yaml's table key answers the rest.
func pluralize(w string) string {
	l := strings.ToLower(w)
	switch l {
	case "person":
		return w[:1] + "eople"
	case "child":
		return w + "ren"
	case "man", "woman":
		return w[:len(w)-2] + "en"
	case "staff", "series":
		return w
	}
	switch {
	case strings.HasSuffix(l, "s"), strings.HasSuffix(l, "x"), strings.HasSuffix(l, "z"), strings.HasSuffix(l, "ch"), strings.HasSuffix(l, "sh"):
		return w + "es"
	case strings.HasSuffix(l, "y") && len(l) > 1 && !strings.ContainsRune("aeiou", rune(l[len(l)-2])):
		return w[:len(w)-1] + "ies"
	}
	return w + "s"
}

// IsIdentifier reports whether s is safe, unquoted, as the name of a table or column on every engine:
// lower-case ASCII letters, digits and underscores, at most 63 bytes, not starting with a digit.
func IsIdentifier(s string) bool {
	if s == "" || len(s) > 63 || isDigit(rune(s[0])) {
		return false
	}
	for _, r := range s {
		if !isLower(r) && !isDigit(r) && r != '_' {
			return false
		}
	}
	return true
}

// ErrDuplicate is wrapped by [CheckUnique].
var ErrDuplicate = errors.New("two models share a name")

// CheckUnique refuses models whose packages, types or tables are the same.
func CheckUnique(models []Model) error {
	seen := map[string]string{}
	for _, m := range models {
		for _, k := range []string{"package " + m.Package, "file " + m.Snake, "type " + m.Name} {
			if other, ok := seen[k]; ok && other != m.Name {
				return fmt.Errorf("%w: %s and %s both make %s; rename one", ErrDuplicate, other, m.Name, k)
			}
			seen[k] = m.Name
		}
	}
	return nil
}

// prose writes words as a sentence would have them.
func prose(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		switch w {
		case "api", "url", "http", "id", "ip", "iot", "crm", "sso", "ai":
			w = strings.ToUpper(w)
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}

func lowerWords(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}

// colons is the length of the row of colons around i.
func colons(name string, i int) int {
	from := len(strings.TrimRight(name[:i], ":"))
	return len(name[from:]) - len(strings.TrimLeft(name[from:], ":"))
}

func isSep(c byte) bool   { return c == '_' || c == '-' }
func isLower(r rune) bool { return 'a' <= r && r <= 'z' }
func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }
func isDigit(r rune) bool { return '0' <= r && r <= '9' }
