package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/firesteel/firesteel/internal/archive"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Depot has the files of an application in its driver: in one folder those that are used as they are and what is in archives, as
// executors have them, and beside it the archives.
type Depot struct {
	root func() (string, error)
	from *vfs.Registry

	turn sync.Mutex // held while a file is added

	mu  sync.Mutex
	dir string
	all []File
}

// NewDepot is an empty depot. It makes its folder, when there is something to put there, in one that root gives and whose owner
// removes it.
func NewDepot(root func() (string, error), from *vfs.Registry) *Depot {
	return &Depot{root: root, from: from}
}

// All are the files so far; a later list begins with an earlier one.
func (d *Depot) All() []File {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[:len(d.all):len(d.all)]
}

// Path is where a file is in this process, or one of an archive. What is not here was brought by the cluster, into the working folder.
func (d *Depot) Path(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if first, _, _ := strings.Cut(name, "/"); d.find(first) == nil {
		if here, err := filepath.Abs(name); err == nil {
			return here
		}
	}
	return filepath.Join(d.folder(), name)
}

// The folders of a depot.
const (
	filesFolder  = "files"
	packedFolder = "packed"
)

func (d *Depot) folder() string      { return filepath.Join(d.dir, filesFolder) }
func (d *Depot) packed(n int) string { return filepath.Join(d.dir, packedFolder, strconv.Itoa(n)) }

// find is the file of a name; the lock is held.
func (d *Depot) find(name string) *File {
	if i := slices.IndexFunc(d.all, func(f File) bool { return f.Name == name }); i >= 0 {
		return &d.all[i]
	}
	return nil
}

// open makes the folders, once.
func (d *Depot) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir != "" {
		return nil
	}
	root, err := d.root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(root, "files-")
	if err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, filesFolder), 0o700), os.Mkdir(filepath.Join(dir, packedFolder), 0o700)); err != nil {
		return err
	}
	d.dir = dir
	return nil
}

// Add takes a file: "address#name", or an address alone, whose last part is the name then. Plain addresses are of this machine;
// those that begin with local: are of files which all machines have, and are left there. The same file again is none of its errors.
func (d *Depot) Add(ctx context.Context, given string, packed bool) error {
	address, name, there, err := parse(given)
	if there || err != nil {
		return err
	}
	f := File{Name: name}
	if packed {
		if f.Archive = path.Base(address); !archive.Is(f.Archive) {
			return sparkerr.Unsupported("unpacking " + f.Archive)
		}
	}
	in, err := Read(ctx, d.from, address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sparkerr.New("PATH_NOT_FOUND", "path", address).WithCause(err)
	case err != nil:
		return err
	}
	defer in.Close()
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.keep(ctx, f, in)
}

// keep copies a file into the depot; turn is held.
func (d *Depot) keep(ctx context.Context, f File, in io.Reader) error {
	if err := d.open(); err != nil {
		return err
	}
	got, err := receive(d.dir, in)
	if err != nil {
		return fmt.Errorf("file %s cannot be kept: %w", f.Name, err)
	}
	defer got.drop()
	f.Number, f.Size, f.Sum = len(d.All()), got.size, got.sum
	d.mu.Lock()
	old := d.find(f.Name)
	d.mu.Unlock()
	switch {
	case old != nil && old.Archive == f.Archive && slices.Equal(old.Sum, f.Sum):
		return nil
	case old != nil:
		return exists(f.Name)
	case f.Number >= mostFiles:
		return fmt.Errorf("file %s: an application may have %d files", f.Name, mostFiles)
	}
	if err := got.place(ctx, &f, d.folder()); err != nil {
		return err
	}
	if f.Archive != "" {
		if err := os.Rename(got.path, d.packed(f.Number)); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.all = append(d.all, f)
	d.mu.Unlock()
	return nil
}

// Open opens the file that a block is; size is what it was when it was added.
func (d *Depot) Open(block string) (f *os.File, size int64, err error) {
	number, found := strings.CutPrefix(block, blockPrefix)
	n, err := strconv.Atoi(number)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !found || err != nil || n < 0 || n >= len(d.all) {
		return nil, 0, &fs.PathError{Op: "open", Path: block, Err: fs.ErrNotExist}
	}
	from := d.packed(n)
	if d.all[n].Archive == "" {
		from = filepath.Join(d.folder(), d.all[n].Name)
	}
	f, err = os.Open(from)
	return f, d.all[n].Size, err
}
