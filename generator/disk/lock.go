package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lock is the right to write into a project. The system takes it back when the process dies.
type lock struct{ f *os.File }

func (l *lock) close() { _ = l.f.Close() } // a second close does nothing

// lock waits for the project's lock, at most t.wait.
func (t *tree) lock() (*lock, error) {
	end := time.Now().Add(t.wait)
	for {
		l, err := t.tryLock()
		if l != nil || err != nil {
			return l, err
		}
		if !time.Now().Before(end) {
			return nil, fmt.Errorf("lock %s: %w", lockPath, ErrLocked)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// tryLock returns nil, nil when somebody else holds the lock, or has just given it up.
func (t *tree) tryLock() (*lock, error) {
	err := t.do("mkdir "+dotDir, func() error { return t.Mkdir(dotDir, 0o755) })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	// A link would take the stage to another file system, and a repository could aim it anywhere.
	if fi, err := t.Lstat(dotDir); err == nil && !fi.IsDir() {
		return nil, fmt.Errorf("%s is not a folder: move it, then run it again", dotDir)
	}
	var f *os.File
	err = t.do("create "+lockPath, func() error {
		f, err = t.openLocked()
		return err
	})
	if absent(err) || errors.Is(err, errHeld) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &lock{f}, nil
}

// unlock gives the lock up and removes every trace of it. What cannot be removed does no harm.
func (t *tree) unlock(l *lock) {
	_ = t.do("remove "+lockPath, func() error { t.removeLocked(l); return nil })
	_ = t.do("rmdir "+dotDir, func() error { return t.Remove(dotDir) }) // stays unless it is empty
}

var errHeld = errors.New("held")

// absent reports whether an error says that there is no such file, also because its folder is a file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) }
