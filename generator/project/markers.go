package project

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"slices"
)

// Markers returns the line, from 1, on which a conflict of git's begins that nobody has resolved, or 0. A line of
// seven equal signs alone is none: Markdown has those.
func Markers(content []byte) int {
	if !bytes.Contains(content, []byte("<<<<<<<")) {
		return 0
	}
	number, opened, divided := 0, 0, false
	for line := range bytes.Lines(content) {
		number++
		switch marker(string(bytes.TrimRight(line, "\r\n"))) {
		case '<':
			opened, divided = number, false
		case '=':
			divided = opened > 0
		case '>':
			if divided {
				return opened
			}
		}
	}
	return 0
}

// sides takes a file apart that git left in conflict. ok is false for any other file.
func sides(content []byte) (ours, theirs []byte, ok bool) {
	side := byte(0)
	for line := range bytes.Lines(content) {
		switch m := marker(string(bytes.TrimRight(line, "\r\n"))); {
		case m == '<' && side == 0, m == '|' && side == '<', m == '=' && (side == '<' || side == '|'):
			side, ok = m, true
			continue
		case m == '>' && side == '=':
			side = 0
			continue
		}
		if side == 0 || side == '<' {
			ours = append(ours, line...)
		}
		if side == 0 || side == '=' {
			theirs = append(theirs, line...)
		}
	}
	return ours, theirs, ok && side == 0
}

// mend settles, with what is on disk, what two sides of a conflict in custos.lock say of the user's files.
//
// .custos/.gitattributes makes git keep one side's pristine copy as it is, so the copy tells which entry is right.
// And a file with conflict markers whose sides are both what custos wrote was edited by nobody: its entry gets the
// hash of what is there now, so that the next run replaces it, with what both plugins want in it.
func (p *Project) mend(disputed map[string][]Entry) error {
	for _, name := range slices.Sorted(maps.Keys(disputed)) {
		i := slices.IndexFunc(p.Lock.Entries, func(e Entry) bool { return e.Path == name && e.Owner == OwnerUser })
		if i < 0 {
			continue // the machine's are written anew, migrations are never
		}
		base, _, err := p.Read(path.Join(BaseDir, name))
		if err != nil {
			return err
		}
		content, _, err := p.Read(name)
		if err != nil {
			return err
		}
		said := func(b []byte) bool {
			return slices.ContainsFunc(disputed[name], func(e Entry) bool { return e.Owner == OwnerUser && e.Hash == Hash(b) })
		}
		for _, e := range disputed[name] {
			if e.Owner == OwnerUser && e.Hash == Hash(base) {
				p.Lock.Entries[i] = e
			}
		}
		if ours, theirs, conflict := sides(content); conflict && said(ours) && said(theirs) {
			p.Lock.Entries[i].Hash = Hash(content)
			p.Lock.Healed = append(p.Lock.Healed, fmt.Sprintf("%s: in conflict, and edited on no side; it is generated anew", name))
		}
	}
	return nil
}
