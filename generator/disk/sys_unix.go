//go:build unix

package disk

import (
	"errors"
	"os"
	"syscall"
)

var errNotDir error = syscall.ENOTDIR

// openLocked opens the lock file and takes the lock, or returns errHeld.
func (t *tree) openLocked() (*os.File, error) {
	f, err := t.OpenFile(lockPath, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = t.do("flock "+lockPath, func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) })
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, &os.PathError{Op: "flock", Path: lockPath, Err: err}
	}
	// The holder before us removes the file while we wait for it: then ours is a lock on nothing.
	mine, err := f.Stat()
	if err == nil {
		if there, lerr := t.Lstat(lockPath); lerr != nil || !os.SameFile(mine, there) {
			err = errHeld
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// removeLocked removes the file while it is still locked, so that nobody else's is removed.
func (t *tree) removeLocked(l *lock) {
	_ = t.Remove(lockPath)
	l.close()
}

func writable(dir string) error { return syscall.Access(dir, 0x2|0x1) } // W_OK|X_OK

func syncDir(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // this file system cannot
	}
	return err
}
