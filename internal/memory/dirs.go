package memory

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Dirs are the local directories of one process: spill files and map outputs, spread over the roots in turn.
// Everything below them goes away with Remove.
type Dirs struct {
	mu    sync.Mutex
	roots []string // as configured; a directory of our own is made in each when first needed
	made  []string
	next  atomic.Uint32
}

// NewDirs makes directories below roots (spark.local.dir, split at commas). Nothing is created yet.
func NewDirs(roots ...string) *Dirs { return &Dirs{roots: roots} }

// Next is a directory to put a new file in. Roots that cannot be written are passed over.
func (d *Dirs) Next() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil {
		if err := d.create(); err != nil {
			return "", err
		}
	}
	return d.made[int(d.next.Add(1)-1)%len(d.made)], nil
}

func (d *Dirs) create() error {
	var last error
	for _, root := range d.roots {
		if last = os.MkdirAll(root, 0o755); last != nil {
			continue
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

// Create makes a new file with a name of the pattern, as os.CreateTemp.
func (d *Dirs) Create(pattern string) (*os.File, error) {
	dir, err := d.Next()
	if err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, pattern)
}

// Remove deletes the directories with all files.
func (d *Dirs) Remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first error
	for _, dir := range d.made {
		if err := os.RemoveAll(filepath.Clean(dir)); err != nil && first == nil {
			first = err
		}
	}
	d.made = nil
	return first
}

// Path is where the file of a name lies: always in the same one of the directories.
func (d *Dirs) Path(name string) (string, error) {
	if _, err := d.Next(); err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return filepath.Join(d.made[int(h)%len(d.made)], name), nil
}
