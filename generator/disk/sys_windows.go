package disk

import (
	"os"
	"path/filepath"
	"syscall"
)

var errNotDir error = syscall.ERROR_PATH_NOT_FOUND

// openLocked opens the lock file so that nobody else can: an open file that is shared with nobody is a lock that
// dies with its process.
func (t *tree) openLocked() (*os.File, error) {
	const sharingViolation = syscall.Errno(32)
	name := filepath.Join(t.abs, filepath.FromSlash(lockPath))
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err == sharingViolation {
		return nil, errHeld
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// removeLocked closes first: an open file cannot be removed here, and one that somebody else has locked meanwhile
// cannot either.
func (t *tree) removeLocked(l *lock) {
	l.close()
	_ = t.Remove(lockPath)
}

func writable(string) error { return nil } // a folder's read-only mark does not mean it; renames say so

func syncDir(*os.File) error { return nil } // folders cannot be synced
