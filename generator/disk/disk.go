// Package disk puts a run's changes into the user's project: all of them or none.
//
// It is the only package that writes there. New bytes and backups of the old ones are staged in .custos/tx, a
// journal says what is about to happen, and only then are files renamed into place. The journal's removal is the
// commit: a process killed before it leaves a journal from which [Recover] brings back the old tree exactly; one
// killed after it leaves the new tree and, at worst, a stage to sweep up.
//
// Nothing of its own stays behind: the lock file, the stage, and a .custos folder that ends up empty are removed.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/custos-auth/custos/generator/plan"
)

// Where custos keeps its own things, relative to the project's root.
const (
	dotDir   = ".custos"
	lockPath = ".custos/lock"
	txDir    = ".custos/tx"
)

// patience is how long a run waits for another one to end.
const patience = 10 * time.Second

// ErrChanged is a file that is no longer what the changes were computed from. Nothing was written.
var ErrChanged = errors.New("project changed while generating: run it again")

// ErrLocked is another process that holds the project's lock. Nothing was written.
var ErrLocked = errors.New("another custos is writing to this project: wait for it to end, then run it again")

// PartialError is a change that failed and whose roll-back failed too. The journal is still there, so the next
// [Apply] or [Recover] brings the old files back.
type PartialError struct {
	Done   []string // paths that hold their new bytes (or are deleted) and could not be brought back
	Failed string   // the path whose change failed; "" when it was none of them
	Err    error    // why the change failed, and why the roll-back did
}

func (e *PartialError) Error() string {
	at := ""
	if e.Failed != "" {
		at = " " + e.Failed
	}
	return fmt.Sprintf("apply%s: %v; %d file(s) are half-way: free what stopped it, then run it again to bring the old files back",
		at, e.Err, len(e.Done))
}

func (e *PartialError) Unwrap() error { return e.Err }

// EditedError is files that somebody changed after a run was interrupted and before it was rolled back. They were
// kept as they are; everything else is the old tree.
type EditedError struct{ Paths []string }

func (e *EditedError) Error() string {
	return fmt.Sprintf("recover %s: changed since the interrupted run, so kept as it is: look at it, then run it again",
		strings.Join(e.Paths, ", "))
}

// Apply puts the changes into the project at root, all or none.
//
// Every change's Old must still be what is on disk (nil: no file), also of changes that write nothing, else the
// error wraps [ErrChanged]. Paths that are not [plan.Local], that leave the root through a symbolic link, or that
// meet a folder where a file should be (or the other way round) are refused, all of them in one error, before
// anything is written. An error half-way is rolled back before Apply returns; if that fails as well, the error is
// a [*PartialError]. An interrupted earlier run is rolled back first.
//
// A replaced file keeps its mode; a new one gets 0644 (0600 if Private) and new folders 0755, less the umask.
// Bytes that are there already are not written again. A deleted file takes the folders that it leaves empty with it.
// Symbolic links inside the project are followed: what they point to is replaced, and they stay links.
//
// Processes and goroutines may call Apply at once: they take turns, and one that waited for ten seconds gets
// [ErrLocked]. A lock dies with its process. Changes that write nothing need no lock and no write permission.
func Apply(root string, changes []plan.Change) error {
	t, err := open(root)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer t.close()
	return t.apply(changes)
}

// Recover rolls an interrupted run back, so that the tree is exactly the one before it (or, if it had been
// committed, the one after it), and reports whether there was anything to do. It takes the same lock as [Apply],
// so it never disturbs a run that is alive; it may itself be killed and called again.
//
// A file that was changed since the interruption is kept and named in an [*EditedError]; done is true then, and a
// second call has nothing left to do.
func Recover(root string) (done bool, err error) {
	t, err := open(root)
	if err != nil {
		return false, fmt.Errorf("recover: %w", err)
	}
	defer t.close()
	return t.recover()
}

// Pending reports whether [Recover] has something to do, or whether a run is under way this moment. It only looks.
func Pending(root string) bool {
	_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(txDir)))
	return err == nil
}

// tree is a project opened for writing. All its paths are relative to the root; os.Root makes sure that none
// leaves it, whatever a journal or a link says.
type tree struct {
	*os.Root
	abs  string // the root's path, without symbolic links
	wait time.Duration
	// step, if any, is called before each system call that changes the disk. Tests make it fail or die there.
	step func(name string) error
}

func open(root string) (*tree, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, err
	}
	r, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	return &tree{Root: r, abs: abs, wait: patience}, nil
}

func (t *tree) close() { _ = t.Close() }

func (t *tree) do(name string, f func() error) error {
	if t.step != nil {
		if err := t.step(name); err != nil {
			return err
		}
	}
	return f()
}

func (t *tree) apply(changes []plan.Change) error {
	if !Pending(t.abs) && !slices.ContainsFunc(changes, writes) {
		_, err := t.prepare(changes)
		return err
	}
	l, err := t.lock()
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer l.close() // in a panic too; what it leaves on disk is what a kill would leave
	if _, err = t.rollBackPending(); err == nil {
		err = t.applyLocked(changes)
	}
	t.unlock(l)
	return err
}

func (t *tree) recover() (bool, error) {
	if !Pending(t.abs) {
		// A run killed before it staged anything leaves its lock file or an empty folder. Sweep them, unless
		// somebody holds the lock.
		if _, err := t.Lstat(lockPath); err == nil {
			if l, err := t.tryLock(); err == nil && l != nil {
				defer l.close()
				t.unlock(l)
			}
		} else {
			_ = t.Remove(dotDir)
		}
		return false, nil
	}
	l, err := t.lock()
	if err != nil {
		return false, fmt.Errorf("recover: %w", err)
	}
	defer l.close()
	done, err := t.rollBackPending()
	t.unlock(l)
	return done, err
}

// writes reports whether a change has anything to put on disk.
func writes(c plan.Change) bool {
	if !c.Writes() {
		return false
	}
	return c.Op == plan.Delete || c.Old == nil || !bytes.Equal(c.Old, c.New)
}

// prepare checks every change against the disk and returns what is to be done. It reports all problems at once.
func (t *tree) prepare(changes []plan.Change) (*journal, error) {
	j := &journal{Version: journalVersion}
	var errs []error
	seen := map[string]string{} // real path -> path
	for _, c := range changes {
		if !plan.Local(c.Path) || !filepath.IsLocal(filepath.FromSlash(c.Path)) {
			errs = append(errs, fmt.Errorf("apply %q: the path leaves the project", c.Path))
			continue
		}
		if !writes(c) {
			if err := t.unchanged(c); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		e, err := t.entry(c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if other, ok := seen[e.Path]; ok {
			errs = append(errs, fmt.Errorf("apply %s: the same file as %s", c.Path, other))
			continue
		}
		seen[e.Path] = c.Path
		j.Entries = append(j.Entries, e)
	}
	for _, e := range j.Entries {
		for d := path.Dir(e.Path); d != "."; d = path.Dir(d) {
			if other, ok := seen[d]; ok {
				errs = append(errs, fmt.Errorf("apply %s: %s is to be a file, so it cannot be a folder", seen[e.Path], other))
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	slices.SortFunc(j.Entries, func(a, b entry) int { return strings.Compare(a.Path, b.Path) })
	t.planDirs(j)
	return j, nil
}

// unchanged checks a change that writes nothing. It follows links anywhere: it only reads.
func (t *tree) unchanged(c plan.Change) error {
	got, err := os.ReadFile(filepath.Join(t.abs, filepath.FromSlash(c.Path)))
	if absent(err) {
		got, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", c.Path, err)
	}
	if !same(got, c.Old) {
		return fmt.Errorf("apply %s: %w", c.Path, ErrChanged)
	}
	return nil
}

// entry checks a change that writes and turns it into a line of the journal.
func (t *tree) entry(c plan.Change) (entry, error) {
	fail := func(format string, args ...any) (entry, error) {
		return entry{}, fmt.Errorf("apply %s: "+format, append([]any{c.Path}, args...)...)
	}
	real, err := t.resolve(c.Path)
	if err != nil {
		return fail("%w", err)
	}
	e := entry{Path: real, Mode: 0o644, asked: c.Path}
	if c.Private {
		e.Mode = 0o600
	}
	got, err := t.ReadFile(real)
	switch {
	case absent(err):
		got = nil
	case err != nil:
		return fail("%w", err)
	default:
		fi, err := t.Stat(real)
		if err != nil {
			return fail("%w", err)
		}
		e.Mode = fi.Mode().Perm()
	}
	if !same(got, c.Old) {
		return fail("%w", ErrChanged)
	}
	if c.Op == plan.Delete {
		if got == nil {
			return fail("nothing to delete")
		}
		if fi, err := t.Lstat(c.Path); err != nil || fi.Mode()&fs.ModeSymlink != 0 {
			return fail("is a symbolic link: delete it by hand, then run it again")
		}
	} else {
		e.fresh = c.New
		e.New = hash(c.New)
	}
	if got != nil {
		e.old = got
		e.Old = hash(got)
	}
	dir := path.Dir(real)
	for {
		if fi, err := t.Stat(dir); err == nil && fi.IsDir() {
			break
		}
		dir = path.Dir(dir)
	}
	if err := writable(filepath.Join(t.abs, filepath.FromSlash(dir))); err != nil {
		return fail("folder %s is not writable: %w", dir, err)
	}
	return e, nil
}

// resolve follows the links of a path, inside the root only, as far as the path exists.
func (t *tree) resolve(p string) (string, error) {
	dir, rest := p, ""
	for dir != "." {
		if _, err := os.Lstat(filepath.Join(t.abs, filepath.FromSlash(dir))); err == nil {
			break
		} else if !absent(err) {
			return "", err
		}
		dir, rest = path.Dir(dir), path.Join(path.Base(dir), rest)
	}
	abs, err := filepath.EvalSymlinks(filepath.Join(t.abs, filepath.FromSlash(dir)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is a symbolic link to nothing: remove it, then run it again", dir)
	}
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(t.abs, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s is a symbolic link out of the project: put a folder or file of the project there, then run it again", dir)
	}
	fi, err := os.Stat(abs)
	if err != nil {
		return "", err
	}
	switch {
	case rest != "" && !fi.IsDir():
		return "", fmt.Errorf("%s is a file where a folder is needed: move it, then run it again", dir)
	case rest == "" && fi.IsDir():
		return "", fmt.Errorf("a folder is in the way: move it, then run it again")
	case rest == "" && !fi.Mode().IsRegular():
		return "", fmt.Errorf("not a regular file: move it, then run it again")
	}
	real := path.Join(filepath.ToSlash(rel), rest)
	// Some file systems fold case.
	if low := strings.ToLower(real); low == lockPath || low == txDir || strings.HasPrefix(low, txDir+"/") {
		return "", fmt.Errorf("the path is custos' own")
	}
	return real, nil
}

// planDirs finds the folders that the new files need and those that the deleted files leave empty. The latter may
// get new files: install removes only what is empty in the end.
func (t *tree) planDirs(j *journal) {
	needed := map[string]bool{}
	gone := map[string]bool{}
	for _, e := range j.Entries {
		if e.New == "" {
			gone[e.Path] = true
			continue
		}
		for d := path.Dir(e.Path); d != "."; d = path.Dir(d) {
			if needed[d] {
				break
			}
			needed[d] = true
			if _, err := t.Lstat(d); absent(err) {
				j.Mkdirs = append(j.Mkdirs, d)
			}
		}
	}
	slices.Sort(j.Mkdirs) // parents first
	for _, e := range j.Entries {
		if e.New != "" || e.asked != e.Path { // a folder that a link points to stays
			continue
		}
		for d := path.Dir(e.Path); d != "." && d != dotDir && !gone[d]; d = path.Dir(d) {
			names, err := fs.ReadDir(t.FS(), d)
			if err != nil || slices.ContainsFunc(names, func(n fs.DirEntry) bool { return !gone[path.Join(d, n.Name())] }) {
				break
			}
			fi, err := t.Stat(d)
			if err != nil {
				break
			}
			gone[d] = true
			j.Rmdirs = append(j.Rmdirs, folder{Path: d, Mode: fi.Mode().Perm()}) // children first
		}
	}
}

// same compares file contents, where nil is "no file" and differs from an empty one.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
