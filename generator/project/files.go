package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Read returns a file's bytes and whether there is one. path is relative to the root, with forward slashes.
// It refuses a path that a symbolic link leads out of the project, so that what custos shows as a change in
// the project is one, and a folder or device where a file should be.
func (p *Project) Read(path string) (content []byte, exists bool, err error) {
	full, info, err := p.stat(path)
	switch {
	case err != nil:
		return nil, false, err
	case info == nil:
		return nil, false, nil
	case info.IsDir():
		return nil, false, fmt.Errorf("read %s: it is a folder, but custos needs a file of that name; move or rename the folder", path)
	case !info.Mode().IsRegular():
		return nil, false, fmt.Errorf("read %s: it is no regular file (%s); move it away", path, info.Mode().Type())
	}
	content, err = os.ReadFile(full)
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", path, cause(err))
	}
	return content, true, nil
}

// list returns what a folder holds, sorted by name; nothing when there is no folder.
func (p *Project) list(path string) ([]fs.DirEntry, error) {
	full, info, err := p.stat(path)
	switch {
	case err != nil:
		return nil, err
	case info == nil:
		return nil, nil
	case !info.IsDir():
		return nil, fmt.Errorf("read folder %s: it is a file; move it away, or name another folder in %s", path, ConfigFile)
	}
	entries, err := os.ReadDir(full)
	if err != nil {
		return nil, fmt.Errorf("read folder %s: %w", path, cause(err))
	}
	return entries, nil
}

// stat follows a path from the root, one name at a time. info is nil when nothing is there.
func (p *Project) stat(path string) (full string, info fs.FileInfo, err error) {
	if !local(path) {
		return "", nil, fmt.Errorf("read %q: the path leaves the project", path)
	}
	full = p.Root
	names := strings.Split(path, "/")
	for i, name := range names {
		full = filepath.Join(full, name)
		info, err = os.Lstat(full)
		if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			so := strings.Join(names[:i+1], "/")
			if err := p.inside(full, so); err != nil {
				return "", nil, err
			}
			info, err = os.Stat(full)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return full, nil, nil
		case err != nil:
			return "", nil, fmt.Errorf("read %s: %w", path, cause(err))
		case i+1 < len(names) && !info.IsDir():
			return "", nil, fmt.Errorf("read %s: %s is a file, but custos needs a folder of that name; move it away, or name another folder in %s",
				path, strings.Join(names[:i+1], "/"), ConfigFile)
		}
	}
	return full, info, nil
}

// inside refuses a symbolic link that leads out of the project, or nowhere.
func (p *Project) inside(full, path string) error {
	root, err := filepath.EvalSymlinks(p.Root)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.Root, cause(err))
	}
	target, err := filepath.EvalSymlinks(full)
	if err != nil {
		return fmt.Errorf("read %s: a symbolic link that leads nowhere (%w); delete it, or make what it points to", path, cause(err))
	}
	if rel, err := filepath.Rel(root, target); err != nil || !filepath.IsLocal(rel) {
		return fmt.Errorf("read %s: a symbolic link that leads out of the project, to %s; replace it with a real file or folder, or name another one in %s", path, target, ConfigFile)
	}
	return nil
}

// cause drops the absolute path from an error of the os package; the message names it relative to the root.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func readRoot(root string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("read folder %s: %w", root, cause(err))
	}
	return entries, nil
}
