// Package plan holds the values that pass through the generator: what is to be written, by whom it is owned,
// and what that changes in the project. It finds collisions; it touches no disk.
package plan

import (
	"fmt"
	"sort"
	"strings"
)

// Owner says who may change a file after it was written.
type Owner int

// The three owners. They are told apart by the file's name, so that a reader sees it in `ls`.
const (
	User    Owner = iota // the user's from the second it is written
	Machine              // rewritten by every run: *_gen.go, sqlc's output
	Ledger               // a migration: appended, never rewritten
)

func (o Owner) String() string {
	switch o {
	case Machine:
		return "machine"
	case Ledger:
		return "ledger"
	default:
		return "user"
	}
}

// File is one file that a run wants in the project.
type File struct {
	Path    string // relative to the project's root, forward slashes, clean
	Content []byte
	Owner   Owner
	Origin  string // the plugin it came from
	ID      string // ledger only: the migration's identity
	Private bool   // mode 0600 instead of 0644: it holds a secret
}

// Op is what a change does.
type Op int

// The operations. Same and Keep write nothing; a Conflict is written, with markers, only when the user asks for that.
const (
	Create   Op = iota // no file was there
	Replace            // ours, unedited: new bytes
	Same               // the bytes are there already
	Keep               // edited by the user: kept, reported
	Delete             // ours, unedited, no longer wanted
	Merge              // edited by the user: the improvement is merged into it
	Conflict           // edited by the user: an improvement that only the user can merge
)

func (o Op) String() string {
	return [...]string{"create", "update", "same", "keep", "delete", "merge", "conflict"}[o]
}

// Change is one file's way from what is on disk to what is wanted.
type Change struct {
	Path    string
	Op      Op
	Old     []byte // what is on disk; nil when there is no file
	New     []byte // what is wanted
	Owner   Owner
	Origin  string
	Private bool
	Note    string // for the user: why it was kept, say

	// Settled reports that the next lock names the hash of what was wanted, although the file is the user's: the
	// improvement is in it, or is not wanted.
	Settled bool
	Deleted []string // what the user has deleted of it, such as "func Service.List"

	Hunks []Hunk // of a Conflict; New has markers around them
	// Stages are the file of a Conflict as its base, the user and the new version would have the hunks, merged
	// elsewhere: what git calls stages 1, 2 and 3.
	Stages [3][]byte
}

// Hunk is one place where the user's edit and the new version exclude each other.
type Hunk struct {
	Name               string // "func Service.Rotate", "query FindUser"; "" = the file
	Line               int    // where it begins in the user's file
	Why                string
	Base, Mine, Theirs []byte // what custos wrote last, what is there, what is wanted; nil = nothing
}

// Writes reports whether the change touches the disk.
func (c Change) Writes() bool {
	return c.Op == Create || c.Op == Replace || c.Op == Delete || c.Op == Merge || c.Op == Conflict
}

// CollisionError is two files that want one path.
type CollisionError struct {
	Path    string
	Origins [2]string
}

func (e *CollisionError) Error() string {
	return fmt.Sprintf("plan %s: written by both %s and %s", e.Path, e.Origins[0], e.Origins[1])
}

// PathError is a path that would leave the project or is not in its canonical form.
type PathError struct {
	Path   string
	Origin string
}

func (e *PathError) Error() string {
	return fmt.Sprintf("plan %q (%s): the path leaves the project", e.Path, e.Origin)
}

// Check sorts the files by path and refuses paths that collide (also when they differ in case only, for file
// systems that fold it) or leave the project.
func Check(files []File) error {
	sort.Slice(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	seen := map[string]string{}
	for _, f := range files {
		if !Local(f.Path) {
			return &PathError{Path: f.Path, Origin: f.Origin}
		}
		key := strings.ToLower(f.Path)
		if other, ok := seen[key]; ok {
			return &CollisionError{Path: f.Path, Origins: [2]string{other, f.Origin}}
		}
		seen[key] = f.Origin
	}
	return nil
}

// Local reports whether a path is relative, clean, and stays below the root.
func Local(p string) bool {
	if p == "" || strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\\:\x00") {
		return false
	}
	for _, part := range strings.Split(p, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}
