package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync/atomic"

	"github.com/custos-auth/custos/generator/plan"
)

const (
	journalVersion = 1
	journalPath    = txDir + "/journal"
)

// journal is everything that is needed to undo a run. Its paths went through resolve: they hold no links.
type journal struct {
	Version int      `json:"version"`
	Entries []entry  `json:"entries"`
	Mkdirs  []string `json:"mkdirs,omitempty"` // parents first
	Rmdirs  []folder `json:"rmdirs,omitempty"` // children first
}

// entry is one file. Its staged bytes and its backup are found by its number.
type entry struct {
	Path string      `json:"path"`
	Old  string      `json:"old,omitempty"` // hash of the bytes before; "" = no file
	New  string      `json:"new,omitempty"` // hash of the bytes after; "" = no file
	Mode fs.FileMode `json:"mode"`

	asked string // the path as the change had it
	old   []byte
	fresh []byte
}

type folder struct {
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"`
}

func staged(i int) string { return fmt.Sprintf("%s/%06d.new", txDir, i) }
func backup(i int) string { return fmt.Sprintf("%s/%06d.old", txDir, i) }

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (t *tree) applyLocked(changes []plan.Change) error {
	j, err := t.prepare(changes)
	if err != nil || len(j.Entries) == 0 {
		return err
	}
	if err := t.stage(j); err != nil {
		return errors.Join(fmt.Errorf("stage changes: %w", err), t.discard())
	}
	at, err := t.install(j)
	if err == nil {
		_ = t.discard() // committed: what is left over is swept by the next run
		return nil
	}
	if at != "" {
		err = fmt.Errorf("apply %s: %w", at, err)
	} else {
		err = fmt.Errorf("apply: %w", err)
	}
	back := t.rollBack(j)
	if edited := (*EditedError)(nil); back == nil || errors.As(back, &edited) {
		return errors.Join(err, back, t.discard())
	}
	return &PartialError{Done: t.halfway(j), Failed: at, Err: errors.Join(err, fmt.Errorf("roll back: %w", back))}
}

// stage writes the new bytes, the backups and the journal, and makes them durable. Nothing of it can be seen
// outside of .custos/tx.
func (t *tree) stage(j *journal) error {
	if err := t.do("mkdir "+txDir, func() error { return t.Mkdir(txDir, 0o700) }); err != nil {
		return err
	}
	if err := t.each(len(j.Entries), func(i int) error { return t.stageEntry(i, j.Entries[i]) }); err != nil {
		return err
	}
	if err := t.sync(txDir); err != nil {
		return err
	}
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	if err := t.write(journalPath+".tmp", b, 0o600, false); err != nil {
		return err
	}
	if err := t.do("rename journal", func() error { return t.Rename(journalPath+".tmp", journalPath) }); err != nil {
		return err
	}
	return errors.Join(t.sync(txDir), t.sync(dotDir))
}

func (t *tree) stageEntry(i int, e entry) error {
	if e.New != "" {
		if err := t.write(staged(i), e.fresh, e.Mode, e.Old != ""); err != nil {
			return err
		}
	}
	if e.Old == "" {
		return nil
	}
	// A link keeps everything about the old file, its times included; some file systems have none.
	err := t.do("link "+backup(i), func() error { return t.Link(e.Path, backup(i)) })
	if err != nil {
		err = t.write(backup(i), e.old, e.Mode, true)
	}
	return err
}

// writers is how many files are written at once. A disk makes several durable in the time that it takes for one.
const writers = 8

// each calls f for 0 to n-1, for several at once, and begins no more after an error. A test that walks the steps walks them
// one by one.
func (t *tree) each(n int, f func(i int) error) error {
	if t.step != nil {
		for i := range n {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, n)
	var failed atomic.Bool
	plan.Concurrently(n, writers, func(i int) {
		if failed.Load() {
			return
		}
		if errs[i] = f(i); errs[i] != nil {
			failed.Store(true)
		}
	})
	for _, err := range errs {
		if err != nil {
			return err // the others say the same: the disk is full
		}
	}
	return nil
}

// write makes a new file, durable. An exact mode is set in spite of the umask.
func (t *tree) write(name string, b []byte, mode fs.FileMode, exact bool) (err error) {
	first := mode
	if exact {
		first = 0o600
	}
	var f *os.File
	err = t.do("create "+name, func() error {
		f, err = t.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, first)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	if err := t.do("write "+name, func() error { _, err := f.Write(b); return err }); err != nil {
		return err
	}
	if exact {
		if err := t.do("chmod "+name, func() error { return f.Chmod(mode) }); err != nil {
			return err
		}
	}
	return t.do("fsync "+name, f.Sync)
}

// install moves the staged files into place and commits. at is the path that failed.
func (t *tree) install(j *journal) (at string, err error) {
	for _, d := range j.Mkdirs {
		err := t.do("mkdir "+d, func() error { return t.Mkdir(d, 0o755) })
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return d, err
		}
	}
	for i, e := range j.Entries {
		now, err := t.hash(e.Path)
		if err != nil {
			return e.asked, err
		}
		if now != e.Old {
			return e.asked, ErrChanged
		}
		if e.New == "" {
			err = t.do("remove "+e.Path, func() error { return t.Remove(e.Path) })
		} else {
			err = t.do("rename "+e.Path, func() error { return t.Rename(staged(i), e.Path) })
		}
		if err != nil {
			return e.asked, err
		}
	}
	for _, d := range j.Rmdirs {
		if err := t.do("rmdir "+d.Path, func() error { return t.removeEmpty(d.Path) }); err != nil {
			return d.Path, err
		}
	}
	if err := t.syncTouched(j); err != nil {
		return "", err
	}
	return "", t.commit()
}

// commit removes the journal: from then on there is nothing to undo.
func (t *tree) commit() error {
	if err := t.do("remove journal", func() error { return t.Remove(journalPath) }); err != nil {
		return err
	}
	// If this fails, a power cut may bring the journal back, and with it the old tree: still all or none.
	_ = t.sync(txDir)
	return nil
}

// discard removes the stage. A journal that is still there goes first, since without the rest it cannot be used.
func (t *tree) discard() error {
	err := t.do("remove journal", func() error { return t.Remove(journalPath) })
	if err != nil && !absent(err) {
		return err
	}
	return t.do("remove "+txDir, func() error { return t.RemoveAll(txDir) })
}

// rollBackPending undoes a run that was interrupted. The lock must be held.
func (t *tree) rollBackPending() (done bool, err error) {
	if _, err := t.Lstat(txDir); absent(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("recover: %w", err)
	}
	b, err := t.ReadFile(journalPath)
	if absent(err) { // killed before it began or after it had ended
		if err := t.discard(); err != nil {
			return false, fmt.Errorf("recover: %w", err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("recover: %w", err)
	}
	j, err := parseJournal(b)
	if err != nil {
		return false, fmt.Errorf("recover %s: %w; use the version of custos that was interrupted, or compare %s with your files and delete it",
			journalPath, err, txDir)
	}
	back := t.rollBack(j)
	if edited := (*EditedError)(nil); back != nil && !errors.As(back, &edited) {
		return false, fmt.Errorf("recover: %w", back)
	}
	if err := t.discard(); err != nil {
		return false, errors.Join(back, fmt.Errorf("recover: %w", err))
	}
	return true, back
}

// parseJournal distrusts what it reads: a journal may have come with a cloned repository.
func parseJournal(b []byte) (*journal, error) {
	var j journal
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, err
	}
	if j.Version != journalVersion {
		return nil, fmt.Errorf("unknown version %d", j.Version)
	}
	paths := slices.Clone(j.Mkdirs)
	for _, e := range j.Entries {
		paths = append(paths, e.Path)
	}
	for _, d := range j.Rmdirs {
		paths = append(paths, d.Path)
	}
	for _, p := range paths {
		if !plan.Local(p) {
			return nil, fmt.Errorf("path %q leaves the project", p)
		}
	}
	return &j, nil
}

// rollBack brings the old files back. It can be interrupted and repeated: a file that is the old one already is
// left alone. The error is an *EditedError if all that is not the old tree was changed by somebody else.
func (t *tree) rollBack(j *journal) error {
	var errs []error
	for _, d := range slices.Backward(j.Rmdirs) {
		err := t.do("mkdir back "+d.Path, func() error { return t.Mkdir(d.Path, 0o755) })
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		// Also when the folder is there: an earlier roll-back may have been killed between the two calls.
		if fi, serr := t.Stat(d.Path); err == nil && serr == nil && fi.Mode().Perm() != d.Mode.Perm() {
			err = t.do("chmod back "+d.Path, func() error { return t.Chmod(d.Path, d.Mode.Perm()) })
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	var edited []string
	for i, e := range slices.Backward(j.Entries) {
		now, err := t.hash(e.Path)
		switch {
		case err != nil:
		case now == e.Old:
		case now != e.New && now != "":
			edited = append(edited, e.Path)
		case e.Old == "":
			err = t.do("remove back "+e.Path, func() error { return t.Remove(e.Path) })
		default:
			err = t.do("rename back "+e.Path, func() error { return t.Rename(backup(i), e.Path) })
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, d := range slices.Backward(j.Mkdirs) {
		if err := t.do("rmdir back "+d, func() error { return t.removeEmpty(d) }); err != nil {
			errs = append(errs, err)
		}
	}
	if err := t.syncTouched(j); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if len(edited) > 0 {
		slices.Sort(edited)
		return &EditedError{Paths: edited}
	}
	return nil
}

// halfway lists the files that are not the old ones.
func (t *tree) halfway(j *journal) []string {
	var out []string
	for _, e := range j.Entries {
		if now, err := t.hash(e.Path); err != nil || now != e.Old {
			out = append(out, e.asked)
		}
	}
	return out
}

// hash returns the hash of a file on disk, "" when there is none.
func (t *tree) hash(name string) (string, error) {
	b, err := t.ReadFile(name)
	if absent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return hash(b), nil
}

// removeEmpty removes a folder unless somebody has put something into it, or removed it, meanwhile.
func (t *tree) removeEmpty(dir string) error {
	err := t.Remove(dir)
	if err == nil || absent(err) {
		return nil
	}
	if names, rerr := fs.ReadDir(t.FS(), dir); rerr == nil && len(names) > 0 {
		return nil
	}
	return err
}

// syncTouched makes the renames durable.
func (t *tree) syncTouched(j *journal) error {
	dirs := map[string]bool{}
	for _, e := range j.Entries {
		dirs[path.Dir(e.Path)] = true
	}
	for _, d := range j.Mkdirs {
		dirs[path.Dir(d)] = true
	}
	for _, d := range j.Rmdirs {
		dirs[path.Dir(d.Path)] = true
	}
	var names []string
	for d := range dirs {
		names = append(names, d)
	}
	slices.Sort(names)
	for _, d := range names {
		if err := t.sync(d); err != nil && !absent(err) {
			return err
		}
	}
	return nil
}

// sync makes a folder's entries durable, where the system can.
func (t *tree) sync(dir string) error {
	return t.do("fsync "+dir, func() error {
		f, err := t.Open(dir)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		return syncDir(f)
	})
}
