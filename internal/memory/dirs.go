package memory

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
)

// Dirs are the local directories of one process: spill files and map outputs, spread over the roots in turn.
// Everything below them goes away with Remove. They are readable by their owner only.
type Dirs struct {
	mu    sync.Mutex
	roots []string // as configured; a directory of our own is made in each when first needed
	made  []string
	bad   map[string]bool // directories whose disk failed
	ours  []string        // roots that did not exist before
	next  atomic.Uint32
	seal  cipher.AEAD
}

// NewDirs makes directories below roots (spark.local.dir, split at commas). Nothing is created yet.
func NewDirs(roots ...string) *Dirs { return &Dirs{roots: roots, bad: map[string]bool{}} }

// Encrypt makes later spill files encrypted. It is called before there are any.
func (d *Dirs) Encrypt(seal cipher.AEAD) { d.seal = seal }

// Seal is the cipher of files, nil for none.
func (d *Dirs) Seal() cipher.AEAD { return d.seal }

// Next is a directory to put a new file in. Roots that cannot be written, and those whose disk failed, are passed over.
func (d *Dirs) Next() (string, error) {
	all, err := d.usable()
	if err != nil {
		return "", err
	}
	return all[int(d.next.Add(1)-1)%len(all)], nil
}

// usable are the directories whose disks work: never none without an error.
func (d *Dirs) usable() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		if err := d.create(); err != nil {
			return nil, err
		}
	}
	out := make([]string, 0, len(d.made))
	for _, dir := range d.made {
		if !d.bad[dir] {
			out = append(out, dir)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no local directory can be used (spark.local.dir): the disks of %v failed", d.roots)
	}
	return out, nil
}

func (d *Dirs) create() error {
	var last error
	for _, root := range d.roots {
		_, missing := os.Stat(root)
		if last = os.MkdirAll(root, 0o700); last != nil {
			continue
		}
		if missing != nil {
			d.ours = append(d.ours, root)
		}
		dir, err := os.MkdirTemp(root, "blockmgr-")
		if err != nil {
			last = err
			continue
		}
		d.made = append(d.made, dir)
	}
	if len(d.made) == 0 {
		return fmt.Errorf("no local directory can be used (spark.local.dir): %w", last)
	}
	return nil
}

// All are the directories made so far.
func (d *Dirs) All() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.made...)
}

// Create makes a new file with a name of the pattern, as os.CreateTemp, where it can be made.
func (d *Dirs) Create(pattern string) (*os.File, error) {
	return d.createBut(pattern, nil)
}

// createBut is Create that passes over some directories.
func (d *Dirs) createBut(pattern string, but map[string]bool) (*os.File, error) {
	all, err := d.usable()
	if err != nil {
		return nil, err
	}
	first := int(d.next.Add(1) - 1)
	err = syscall.ENOSPC
	for i := range all {
		dir := all[(first+i)%len(all)]
		if but[dir] {
			continue
		}
		var f *os.File
		if f, err = os.CreateTemp(dir, pattern); err == nil {
			return f, nil
		}
		d.failed(dir, err)
	}
	return nil, err
}

// failed notes an error of a disk: a directory that cannot be written any more gets no new files. A full one may be
// emptied.
func (d *Dirs) failed(dir string, err error) {
	if errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EACCES) || errors.Is(err, os.ErrNotExist) {
		d.mu.Lock()
		d.bad[dir] = true
		d.mu.Unlock()
	}
}

// DiskTrouble says whether an error is of the kind that another disk may not have: full, read-only, broken, gone.
func DiskTrouble(err error) bool {
	for _, e := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EACCES, syscall.ENOENT} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Remove deletes the directories with all files, and the roots that were made for them.
func (d *Dirs) Remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first error
	for _, dir := range d.made {
		if err := os.RemoveAll(filepath.Clean(dir)); err != nil && first == nil {
			first = err
		}
	}
	for _, root := range d.ours {
		_ = os.Remove(root) // others may have put something into it
	}
	d.made, d.ours = nil, nil
	return first
}

// Path is where the file of a name lies. One that does not exist yet has its place always in the same one of the
// directories, unless its disk failed.
func (d *Dirs) Path(name string) (string, error) {
	paths, err := d.Places(name)
	if err != nil {
		return "", err
	}
	for _, p := range paths[1:] {
		if _, err := os.Lstat(paths[0]); err == nil {
			break
		}
		if _, err := os.Lstat(p); err == nil {
			return p, nil
		}
	}
	return paths[0], nil
}

// Places are all paths that the file of a name may have, in the order in which to try them.
func (d *Dirs) Places(name string) ([]string, error) {
	all, err := d.usable()
	if err != nil {
		return nil, err
	}
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	out := make([]string, len(all))
	for i := range all {
		out[i] = filepath.Join(all[(int(h%uint32(len(all)))+i)%len(all)], name)
	}
	return out, nil
}
