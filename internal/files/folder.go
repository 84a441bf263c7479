package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/firesteel/firesteel/internal/archive"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Folder is the working folder of an executor.
type Folder struct {
	dir string
	get func(ctx context.Context, f *File) (io.ReadCloser, error)

	turn chan struct{} // whoever has it fetches

	mu     sync.Mutex
	wanted []File // that have not been fetched yet
	known  int
}

// NewFolder is the folder dir ("": that in which this process runs), whose files get reads.
func NewFolder(dir string, get func(ctx context.Context, f *File) (io.ReadCloser, error)) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	return &Folder{dir: dir, get: get, turn: make(chan struct{}, 1)}, err
}

// Path is where a file is when Ready has returned.
func (d *Folder) Path(name string) string { return filepath.Join(d.dir, name) }

// Want says which files there should be: those that it was told before, and more.
func (d *Folder) Want(all []File) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(all) > d.known {
		d.wanted = append(d.wanted, all[d.known:]...)
		d.known = len(all)
	}
}

func (d *Folder) next() *File {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.wanted) == 0 {
		return nil
	}
	return &d.wanted[0]
}

// Ready fetches what is wanted and not there; one caller does it, the others wait. After an error the next caller tries again.
func (d *Folder) Ready(ctx context.Context) error {
	if d.next() == nil {
		return nil
	}
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-d.turn }()
	for f := d.next(); f != nil; f = d.next() {
		if err := d.fetch(ctx, *f); err != nil {
			return err
		}
		d.mu.Lock()
		d.wanted = slices.Delete(d.wanted, 0, 1)
		d.mu.Unlock()
	}
	return nil
}

func (d *Folder) fetch(ctx context.Context, f File) (err error) {
	if err := check(f.Name); err != nil {
		return err
	}
	if there, err := d.has(&f); there || err != nil {
		return err
	}
	in, err := d.get(ctx, &f)
	if err != nil {
		return undelivered(&f, err.Error(), err)
	}
	defer in.Close()
	got, err := receive(d.dir, io.LimitReader(in, f.Size+1))
	if err != nil {
		return undelivered(&f, err.Error(), err)
	}
	defer got.drop()
	if got.size != f.Size || !slices.Equal(got.sum, f.Sum) {
		return undelivered(&f, "the driver's copy has changed since it was added", nil)
	}
	return got.place(ctx, &f, d.dir)
}

// has says whether the file is there as it should be: a cluster manager may have brought it. Another one of its name is an error.
func (d *Folder) has(f *File) (bool, error) {
	path := filepath.Join(d.dir, f.Name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if f.Archive == "" && same(path, f) {
		return true, nil
	}
	return false, exists(f.Name)
}

func same(path string, f *File) bool {
	in, err := os.Open(path)
	if err != nil {
		return false
	}
	defer in.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(in, f.Size+1))
	return err == nil && n == f.Size && slices.Equal(h.Sum(nil), f.Sum)
}

func exists(name string) error {
	return sparkerr.New("ARTIFACT_ALREADY_EXISTS", "normalizedRemoteRelativePath", name)
}

func undelivered(f *File, why string, cause error) error {
	return sparkerr.New("FILE_NOT_DELIVERED", "name", f.Name, "reason", why).WithCause(cause)
}

// received is a file that has come and has no name yet.
type received struct {
	path string
	size int64
	sum  []byte
}

// receive writes a stream to a file without a name in a folder.
func receive(dir string, in io.Reader) (r *received, err error) {
	out, err := os.CreateTemp(dir, ".file-")
	if err != nil {
		return nil, err
	}
	r = &received{path: out.Name()}
	h := sha256.New()
	r.size, err = io.Copy(io.MultiWriter(out, h), in)
	if err = errors.Join(err, out.Close()); err != nil {
		r.drop()
		return nil, err
	}
	r.sum = h.Sum(nil)
	return r, nil
}

// drop removes the file, if it has got no name.
func (r *received) drop() { _ = os.Remove(r.path) }

// place gives the file its name in a folder, or unpacks it there. It may be a program.
func (r *received) place(ctx context.Context, f *File, dir string) error {
	to := filepath.Join(dir, f.Name)
	if f.Archive == "" {
		return errors.Join(os.Chmod(r.path, 0o700), os.Rename(r.path, to))
	}
	in, err := os.Open(r.path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = archive.Unpack(ctx, f.Archive, in, r.size, to, archive.Limits{Entries: mostEntries, Bytes: mostBytes})
	return err
}
