package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Override is a file of a user's in place of one of a plugin's.
type Override struct {
	Path     string // in the plugin's folder
	Original []byte // what it replaces
}

// OverrideError is a file that replaces none.
type OverrideError struct {
	Origin string // the folder of overrides
	Path   string // below it: PLUGIN/...
	Err    error
}

func (e *OverrideError) Error() string { return fmt.Sprintf("read %s/%s: %v", e.Origin, e.Path, e.Err) }
func (e *OverrideError) Unwrap() error { return e.Err }

// overridden is a plugin's folder with some of its files replaced. It has no others.
type overridden struct {
	fs.FS
	mine  fs.FS
	names map[string]bool
}

func (o overridden) Open(name string) (fs.File, error) {
	if o.names[name] {
		return o.mine.Open(name)
	}
	return o.FS.Open(name)
}

// override puts the files of a folder in place of those of the plugin.
func (p *Plugin) override(origin string, mine fs.FS) error {
	names, err := Files(mine)
	if err != nil {
		return fmt.Errorf("read %s/%s: %w", origin, p.Name, err)
	}
	all, err := Files(p.Original)
	if err != nil {
		return fmt.Errorf("read plugin %s: %w", p.Name, err)
	}
	o := overridden{FS: p.Original, mine: mine, names: map[string]bool{}}
	var errs []error
	for _, name := range names {
		if !slices.Contains(all, name) {
			errs = append(errs, &OverrideError{Origin: origin, Path: path.Join(p.Name, name), Err: fmt.Errorf(
				"it replaces nothing, for %s has no %s%s; delete it, or, to add a file to the plugin, type: custos eject %s", p.Name, name, didYouMean(name, all), p.Name)})
			continue
		}
		original, err := fs.ReadFile(p.Original, name)
		if err != nil {
			return fmt.Errorf("read plugin %s: %w", p.Name, err)
		}
		o.names[name] = true
		p.Overrides = append(p.Overrides, Override{Path: name, Original: original})
	}
	p.FS = o
	return errors.Join(errs...)
}

// Files lists the files of a folder, sorted, but for hidden ones, which editors and file managers leave behind.
func Files(folder fs.FS) ([]string, error) {
	var out []string
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(path.Base(name), ".") {
			out = append(out, name)
		}
		return err
	})
	return out, err
}
