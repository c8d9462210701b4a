package project

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/semver"
)

const (
	lockHeader  = "custos-lock"
	lockVersion = "1"

	wordDetached = "detached"
	wordOverride = "override"
)

// Hash is how custos.lock remembers the bytes of a file.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return "h1:" + hex.EncodeToString(sum[:])
}

func isHash(s string) bool {
	digits, ok := strings.CutPrefix(s, "h1:")
	if !ok || len(digits) != 2*sha256.Size {
		return false
	}
	return strings.Trim(digits, "0123456789abcdef") == ""
}

// Bytes writes custos.lock: one line for each file, sorted by path, so that git merges it well. Healed is
// not written.
func (l Lock) Bytes() []byte {
	var b strings.Builder
	b.WriteString(lockHeader + " " + lockVersion + "\n")
	if l.Generator != "" {
		b.WriteString("generator " + quoteLock(l.Generator) + "\n")
	}
	if l.SQLC != "" {
		b.WriteString("sqlc " + quoteLock(l.SQLC) + "\n")
	}
	entries := slices.Clone(l.Entries)
	slices.SortStableFunc(entries, func(x, y Entry) int { return strings.Compare(x.Path, y.Path) })
	for _, e := range entries {
		b.WriteString(e.line() + "\n")
	}
	for _, path := range slices.Sorted(slices.Values(l.Detached)) {
		b.WriteString(wordDetached + " " + quoteLock(path) + "\n")
	}
	overrides := slices.Clone(l.Overrides)
	slices.SortStableFunc(overrides, func(x, y Override) int { return strings.Compare(x.Path, y.Path) })
	for _, o := range overrides {
		b.WriteString(wordOverride + " " + quoteLock(o.Path) + " " + o.Hash + "\n")
	}
	for _, t := range sortedTombstones(l.Tombstones) {
		b.WriteString(wordTombstone + " " + quoteLock(t.Path) + " " + quoteLock(t.Name) + "\n")
	}
	return []byte(b.String())
}

const wordTombstone = "tombstone"

func sortedTombstones(list []Tombstone) []Tombstone {
	list = slices.Clone(list)
	slices.SortFunc(list, func(x, y Tombstone) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.Name, y.Name))
	})
	return slices.Compact(list)
}

func (e Entry) line() string {
	s := e.Owner + " " + quoteLock(e.Path) + " " + e.Hash + " origin=" + quoteLock(e.Origin)
	if e.ID != "" {
		s += " id=" + quoteLock(e.ID)
	}
	return s
}

// quoteLock quotes what would not come back as one word.
func quoteLock(s string) string {
	for _, c := range s {
		if c == ' ' || c == '"' || c == '\\' || c == utf8.RuneError || !unicode.IsPrint(c) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// ParseLock reads custos.lock. A file that git left in conflict heals: both sides count, and where they
// differ about one file, one is chosen in a way that does not depend on who merged whom. Healed says so. The
// error is a *PosError.
func ParseLock(data []byte) (Lock, error) {
	l, disputed, err := parseLock(data)
	l.tell(disputed)
	return l, err
}

// tell says of which entries one was chosen of two. The machine's are written anew by the next run.
func (l *Lock) tell(disputed map[string][]Entry) {
	for _, e := range l.Entries {
		if len(disputed[e.Path]) > 0 && e.Owner != OwnerMachine {
			l.Healed = append(l.Healed, fmt.Sprintf("%s: two entries for %s; kept %s", LockFile, e.Path, clip(e.line())))
		}
	}
}

// parseLock returns the entries that two sides of a conflict dispute, too, by path.
func parseLock(data []byte) (Lock, map[string][]Entry, error) {
	r := &lockReader{entries: map[string]Entry{}, disputed: map[string][]Entry{}, overrides: map[string]Override{}}
	for i, line := range strings.Split(string(data), "\n") {
		r.number = i + 1
		if err := r.line(strings.TrimSuffix(line, "\r")); err != nil {
			return Lock{}, nil, err
		}
	}
	switch {
	case !r.header && !r.any:
		r.number = 1
		return Lock{}, nil, r.errorf(0, "the file is empty; restore it: git checkout -- %s", LockFile)
	case r.side != 0:
		r.number = r.opened
		return Lock{}, nil, r.errorf(0, "the git conflict that begins here has no end; restore the file: git checkout -- %s", LockFile)
	}
	return r.lock(), r.disputed, nil
}

type lockReader struct {
	number int  // the line being read
	header bool // the first line was seen
	any    bool // anything was seen

	side   byte // which part of a conflict: 0 none, '<' ours, '|' base, '=' theirs
	opened int  // its first line
	ours   string
	theirs string

	generators []string
	sqlc       []string
	stale      bool // the sides of a conflict differ about sqlc
	entries    map[string]Entry
	disputed   map[string][]Entry // all that was said of a path, where it is not one thing
	detached   []string
	overrides  map[string]Override
	tombstones []Tombstone
	healed     []string
}

func (r *lockReader) errorf(at int, format string, args ...any) error {
	return &PosError{File: LockFile, Line: r.number, Col: at + 1, Msg: fmt.Sprintf(format, args...)}
}

func (r *lockReader) line(s string) error {
	if s == "" {
		return nil
	}
	r.any = true
	if m := marker(s); m != 0 {
		return r.marker(m)
	}
	if r.side == '|' {
		return nil
	}
	words, err := r.words(s)
	if err != nil {
		return err
	}
	if !r.header && words[0].text != lockHeader {
		return r.errorf(0, "not a %s: the first line must be %q; restore it: git checkout -- %s", LockFile, lockHeader+" "+lockVersion, LockFile)
	}
	switch words[0].text {
	case lockHeader:
		return r.version(words)
	case "generator", "sqlc":
		if len(words) != 2 || words[1].text == "" {
			return r.errorf(0, "%s takes one word", words[0].text)
		}
		if words[0].text == "generator" {
			r.generators = append(r.generators, words[1].text)
			return nil
		}
		r.sqlc = append(r.sqlc, words[1].text)
		switch r.side {
		case '<':
			r.ours = words[1].text
		case '=':
			r.theirs = words[1].text
		}
		return nil
	case OwnerMachine, OwnerUser, OwnerLedger:
		return r.entry(words)
	case wordDetached:
		return r.detach(words)
	case wordOverride:
		return r.override(words)
	case wordTombstone:
		return r.tombstone(words)
	}
	return r.errorf(0, "unknown word %q; known: generator, sqlc, %s, %s, %s, %s, %s, %s", clip(words[0].text),
		wordDetached, OwnerLedger, OwnerMachine, wordOverride, wordTombstone, OwnerUser)
}

func (r *lockReader) tombstone(words []lockWord) error {
	if len(words) != 3 || words[2].text == "" {
		return r.errorf(0, "a tombstone has a path and a name")
	}
	if !local(words[1].text) {
		return r.errorf(words[1].at, "the path %q leaves the project", clip(words[1].text))
	}
	r.tombstones = append(r.tombstones, Tombstone{Path: words[1].text, Name: words[2].text})
	return nil
}

func (r *lockReader) detach(words []lockWord) error {
	if len(words) != 2 {
		return r.errorf(0, "%s takes one path", wordDetached)
	}
	if !local(words[1].text) {
		return r.errorf(words[1].at, "the path %q leaves the project", clip(words[1].text))
	}
	r.detached = append(r.detached, words[1].text)
	return nil
}

func (r *lockReader) override(words []lockWord) error {
	if len(words) != 3 {
		return r.errorf(0, "%s takes a path and a hash", wordOverride)
	}
	o := Override{Path: words[1].text, Hash: words[2].text}
	if !local(o.Path) || !strings.HasPrefix(o.Path, TemplateDir+"/") {
		return r.errorf(words[1].at, "the path %q is not below %s", clip(o.Path), TemplateDir)
	}
	if !isHash(o.Hash) {
		return r.errorf(words[2].at, "%q is no hash: h1: and 64 hexadecimal digits", clip(o.Hash))
	}
	old, ok := r.overrides[o.Path]
	if ok && old != o {
		// The one that is not today's is named by the next run, and whichever is taken now, it is looked at then.
		o.Hash = min(o.Hash, old.Hash)
		r.healed = append(r.healed, fmt.Sprintf("%s: two hashes for %s; kept %s", LockFile, o.Path, o.Hash))
	}
	r.overrides[o.Path] = o
	return nil
}

// marker walks through a conflict: <<<<<<< ours ||||||| base ======= theirs >>>>>>>.
func (r *lockReader) marker(m byte) error {
	ok := map[byte]string{'<': "\x00", '|': "<", '=': "<|", '>': "="}[m]
	if !strings.ContainsRune(ok, rune(r.side)) {
		return r.errorf(0, "a git conflict marker is out of place; restore the file: git checkout -- %s", LockFile)
	}
	switch m {
	case '<':
		r.opened, r.ours, r.theirs = r.number, "", ""
	case '>':
		r.stale = r.stale || r.ours != r.theirs
		m = 0
	}
	r.side = m
	return nil
}

func (r *lockReader) version(words []lockWord) error {
	if len(words) != 2 {
		return r.errorf(0, "the first line must be %q", lockHeader+" "+lockVersion)
	}
	if v := words[1].text; v != lockVersion {
		if n, err := strconv.Atoi(v); err == nil && n > 1 {
			return r.errorf(words[1].at, "version %d was written by a newer custos; update custos: go install github.com/custos-auth/custos/cmd/custos@latest", n)
		}
		return r.errorf(words[1].at, "unknown version %q; known: %s", clip(v), lockVersion)
	}
	r.header = true
	return nil
}

func (r *lockReader) entry(words []lockWord) error {
	if len(words) < 4 {
		return r.errorf(0, "an entry has an owner, a path, a hash and an origin")
	}
	e := Entry{Owner: words[0].text, Path: words[1].text, Hash: words[2].text}
	if !local(e.Path) {
		return r.errorf(words[1].at, "the path %q leaves the project", clip(e.Path))
	}
	if !isHash(e.Hash) {
		return r.errorf(words[2].at, "%q is no hash: h1: and 64 hexadecimal digits", clip(e.Hash))
	}
	origin := false
	for _, w := range words[3:] {
		switch {
		case w.key == "origin" && !origin:
			e.Origin, origin = w.text, true
		case w.key == "id" && e.Owner == OwnerLedger && e.ID == "":
			e.ID = w.text
		default:
			return r.errorf(w.at, "this does not belong into an entry of the owner %s", e.Owner)
		}
	}
	if !origin {
		return r.errorf(words[3].at, "the entry has no origin=")
	}
	old, ok := r.entries[e.Path]
	if !ok || old == e {
		r.entries[e.Path] = e
		return nil
	}
	if len(r.disputed[e.Path]) == 0 {
		r.disputed[e.Path] = []Entry{old}
	}
	r.disputed[e.Path] = append(r.disputed[e.Path], e)
	if old.line() < e.line() {
		e = old
	}
	r.entries[e.Path] = e
	return nil
}

func (r *lockReader) lock() Lock {
	l := Lock{Healed: r.healed}
	if len(r.generators) > 0 {
		l.Generator = slices.MaxFunc(r.generators, newer)
	}
	slices.Sort(r.sqlc)
	if r.sqlc = slices.Compact(r.sqlc); len(r.sqlc) == 1 && !r.stale {
		l.SQLC = r.sqlc[0]
	}
	for _, e := range r.entries {
		l.Entries = append(l.Entries, e)
	}
	slices.SortFunc(l.Entries, func(x, y Entry) int { return strings.Compare(x.Path, y.Path) })
	for _, path := range r.detached {
		// What one side has detached and the other has still an entry for is detached: that was somebody's wish.
		l.Entries = slices.DeleteFunc(l.Entries, func(e Entry) bool { return e.Path == path && e.Owner != OwnerLedger })
	}
	slices.Sort(r.detached)
	l.Detached = slices.Compact(r.detached)
	for _, o := range r.overrides {
		l.Overrides = append(l.Overrides, o)
	}
	slices.SortFunc(l.Overrides, func(x, y Override) int { return strings.Compare(x.Path, y.Path) })
	l.Tombstones = sortedTombstones(r.tombstones)
	return l
}

// newer compares two versions of custos; one that is no version (devel) is older than any that is.
func newer(a, b string) int {
	if c := semver.Compare(a, b); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// lockWord is one word of a line: text, or key=text.
type lockWord struct {
	key, text string
	at        int
}

func (r *lockReader) words(s string) ([]lockWord, error) {
	var out []lockWord
	for at := 0; at < len(s); at++ {
		w := lockWord{at: at}
		rest := s[at:]
		for _, k := range []string{"origin", "id"} {
			if len(out) >= 3 && strings.HasPrefix(rest, k+"=") {
				w.key = k
				rest = rest[len(k)+1:]
				at += len(k) + 1
			}
		}
		if strings.HasPrefix(rest, `"`) {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, r.errorf(at, "the quotes do not close")
			}
			w.text, _ = strconv.Unquote(q)
			at += len(q)
		} else {
			end := strings.IndexByte(rest, ' ')
			if end < 0 {
				end = len(rest)
			}
			w.text = rest[:end]
			at += end
			if w.text == "" || quoteLock(w.text) != w.text {
				return nil, r.errorf(w.at, "write one space between words, and quotes around a word with other characters")
			}
		}
		if at < len(s) && s[at] != ' ' || at == len(s)-1 {
			return nil, r.errorf(at, "write one space between words")
		}
		out = append(out, w)
	}
	return out, nil
}
