package project

import (
	"fmt"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Requirement is a module that generated code imports.
type Requirement struct {
	Path    string
	Version string
	Replace string // folder that stands in for the module; "" = none
}

// EditGoMod adds requirements to a go.mod. A version that is there already stays, unless it is older than what
// generated code needs; a replacement of the user's own stays, too. Comments and order are kept.
func EditGoMod(data []byte, wanted []Requirement) ([]byte, error) {
	f, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, fmt.Errorf("read go.mod: %w", err)
	}
	changed := false
	for _, w := range wanted {
		have := ""
		for _, r := range f.Require {
			if r.Mod.Path == w.Path {
				have = r.Mod.Version
			}
		}
		replaced := false
		for _, r := range f.Replace {
			replaced = replaced || r.Old.Path == w.Path && (w.Replace == "" || r.New.Path == w.Replace)
		}
		if have == "" || semver.Compare(have, w.Version) < 0 && !replaced {
			if err := f.AddRequire(w.Path, w.Version); err != nil {
				return nil, fmt.Errorf("edit go.mod: require %s: %w", w.Path, err)
			}
			changed = true
		}
		if w.Replace != "" && !replaced {
			if err := f.AddReplace(w.Path, "", w.Replace, ""); err != nil {
				return nil, fmt.Errorf("edit go.mod: replace %s: %w", w.Path, err)
			}
			changed = true
		}
	}
	if !changed {
		return data, nil
	}
	f.Cleanup()
	out, err := f.Format()
	if err != nil {
		return nil, fmt.Errorf("edit go.mod: %w", err)
	}
	return out, nil
}
