package project

import (
	"bytes"
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

// mend settles, with what is on disk, what two sides of a conflict in custos.lock say of one file.
//
// .custos/.gitattributes makes git keep one side's pristine copy as it is, so the copy tells which entry is right.
// And a file with conflict markers whose sides are both what custos wrote was edited by nobody: its entry gets the
// hash of what is there now, so that the next run replaces it, with what both branches want in it. So does a file of
// the machine's with markers, whatever its sides are.
func (p *Project) mend(disputed map[string][]Entry) error {
	if Markers(p.LockFile) > 0 {
		p.Lock.Healed = append(p.Lock.Healed, LockFile+": git left it in conflict; the files of both sides count")
	}
	for _, name := range slices.Sorted(maps.Keys(disputed)) {
		i := slices.IndexFunc(p.Lock.Entries, func(e Entry) bool { return e.Path == name && e.Owner != OwnerLedger })
		if i < 0 {
			continue
		}
		base, hasBase, err := p.Read(path.Join(BaseDir, name))
		if err != nil {
			return err
		}
		content, _, err := p.Read(name)
		if err != nil {
			return err
		}
		said := func(b []byte) int {
			return slices.IndexFunc(disputed[name], func(e Entry) bool { return e.Hash == Hash(b) })
		}
		settled := false
		if side := said(base); hasBase && side >= 0 {
			p.Lock.Entries[i], settled = disputed[name][side], true
		}
		ours, theirs, conflict := sides(content)
		if conflict && (p.Lock.Entries[i].Owner == OwnerMachine || said(ours) >= 0 && said(theirs) >= 0) {
			p.Lock.Entries[i].Hash, settled = Hash(content), true
		}
		if settled {
			delete(disputed, name)
		}
	}
	p.Lock.tell(disputed)
	return nil
}
