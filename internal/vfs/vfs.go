// Package vfs is the seam between the engine and file systems: local disk, memory, object stores.
//
// A path is a URI (file:/a/b, s3a://bucket/key) or plain: one of the default file system, which is the local one unless the
// registry was told another. A Registry finds the FS of a URI and gives the path in that FS's own form, which all methods of the
// FS take and return.
//
// What Create writes appears under its name when the writer is closed, whole or not at all; Abort leaves nothing behind.
package vfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sort"
	"strings"
	"sync"
)

// Info describes a file or directory.
type Info struct {
	Path    string // in the form of its FS
	Size    int64
	ModTime int64  // ms since the epoch
	Version uint64 // tells files apart that had the same path, size and time (inode and nanoseconds, entity tag); 0 unknown
	IsDir   bool
}

// Name is the last element of the path.
func (i Info) Name() string { return Base(i.Path) }

// File is an open file of fixed size.
type File interface {
	io.ReaderAt
	io.Closer
	Info() Info
	// View shows n bytes at off in place, if the FS can. The bytes may be touched only inside Guard, and not after Close.
	View(off, n int64) (b []byte, ok bool)
	// Forget says that the views of a range are not looked at any more, so that they need not stay in memory.
	Forget(off, n int64)
}

// Writer writes one file. Exactly one of Close and Abort takes effect; Abort after Close does nothing.
type Writer interface {
	io.Writer
	Close() error
	Abort() error
}

// FS is a file system. Errors wrap io/fs's: ErrNotExist, ErrExist, ErrPermission.
type FS interface {
	Open(ctx context.Context, path string) (File, error)
	Create(ctx context.Context, path string) (Writer, error)
	Stat(ctx context.Context, path string) (Info, error)
	// List gives the entries of a directory sorted by name; for a file, the file.
	List(ctx context.Context, path string) ([]Info, error)
	// MkdirAll makes a directory and its parents; that it exists is no error.
	MkdirAll(ctx context.Context, path string) error
	// Rename moves a file or directory; an existing file of the new name is replaced, a directory is not.
	Rename(ctx context.Context, from, to string) error
	// Remove deletes a file, or a directory with all that is in it; that it does not exist is no error.
	Remove(ctx context.Context, path string) error
	// RemoveEmpty deletes a directory in which nothing is; one that holds something stays, and neither this nor its absence is an
	// error.
	RemoveEmpty(ctx context.Context, path string) error
	// URI prints a path of this FS with its scheme.
	URI(path string) string
}

// Locator is what a file system that knows where its bytes lie implements as well.
type Locator interface {
	// Hosts are the hosts that have bytes of a range of a file, those with most of them first.
	Hosts(ctx context.Context, path string, off, n int64) ([]string, error)
}

// SchemeError says that no file system is registered for a URI's scheme.
type SchemeError struct{ Scheme, Path string }

func (e *SchemeError) Error() string {
	return "no file system for scheme \"" + e.Scheme + "\": " + e.Path
}

// ErrFault is what Guard returns when a mapped file shrank or its disk failed while it was read.
var ErrFault = errors.New("file changed or became unreadable while it was read")

// Registry maps URI schemes to file systems.
type Registry struct {
	mu    sync.RWMutex
	by    map[string]FS
	plain func() (root, home string, err error) // nil: plain paths are local ones
}

// NewRegistry knows the local file system only.
func NewRegistry() *Registry {
	return &Registry{by: map[string]FS{"file": NewLocal()}}
}

// Register adds or replaces the FS of a scheme.
func (r *Registry) Register(scheme string, f FS) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by[strings.ToLower(scheme)] = f
}

// SetDefault makes plain paths ones of another file system: /a is root/a then, and b is root/home/b. Both are asked for at every
// plain path.
func (r *Registry) SetDefault(plain func() (root, home string, err error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plain = plain
}

// Qualify gives plain paths the scheme of the default file system; those of the local one stay as they are.
func (r *Registry) Qualify(uri string) (string, error) {
	r.mu.RLock()
	plain := r.plain
	r.mu.RUnlock()
	if plain == nil || uri == "" || hasScheme(uri) {
		return uri, nil
	}
	root, home, err := plain()
	switch {
	case err != nil || root == "":
		return uri, err
	case uri[0] != '/':
		uri = Join(home, uri)
	}
	return root + uri, nil
}

// Resolve finds the FS of a URI and the path in that FS's form.
func (r *Registry) Resolve(uri string) (FS, string, error) {
	uri, err := r.Qualify(uri)
	if err != nil {
		return nil, "", err
	}
	scheme, rest := SplitScheme(uri)
	r.mu.RLock()
	f := r.by[scheme]
	r.mu.RUnlock()
	if f == nil {
		return nil, "", &SchemeError{scheme, uri}
	}
	if scheme == "file" {
		p, err := localPath(rest)
		return f, p, err
	}
	return f, rest, nil
}

// SplitScheme cuts "file:" off local URIs; of others the rest is the URI with its authority as a path: //host/dir/name.
func SplitScheme(uri string) (scheme, rest string) {
	if !hasScheme(uri) {
		return "file", uri
	}
	i := strings.IndexByte(uri, ':')
	return strings.ToLower(uri[:i]), uri[i+1:]
}

func hasScheme(uri string) bool {
	i := strings.IndexAny(uri, ":/")
	return i > 0 && uri[i] == ':' && isScheme(uri[:i])
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return true
}

// Base is the last element of a path, Dir all before it, Join puts elements together by slashes.
func Base(path string) string {
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Dir is the path without its last element; "/" at the top.
func Dir(path string) string {
	path = strings.TrimRight(path, "/")
	i := strings.LastIndexByte(path, '/')
	switch {
	case i > 0:
		return path[:i]
	case i == 0:
		return "/"
	}
	return "."
}

// Join puts elements together by slashes; only the first may be absolute.
func Join(dir string, elems ...string) string {
	for _, e := range elems {
		if e == "" {
			continue
		}
		if dir != "" && !strings.HasSuffix(dir, "/") {
			dir += "/"
		}
		dir += e
	}
	return dir
}

// Exists is Stat without the figures.
func Exists(ctx context.Context, f FS, path string) (bool, error) {
	_, err := f.Stat(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// ReadFile reads a whole file.
func ReadFile(ctx context.Context, f FS, path string) ([]byte, error) {
	h, err := f.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	b := make([]byte, h.Info().Size)
	if _, err := h.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// WriteFile writes a whole file, all or nothing.
func WriteFile(ctx context.Context, f FS, path string, data []byte) error {
	w, err := f.Create(ctx, path)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}

func sortInfos(l []Info) []Info {
	sort.Slice(l, func(i, j int) bool { return l[i].Path < l[j].Path })
	return l
}

// Grower is what a file system implements as well that shows files while they are written.
type Grower interface {
	// Grow makes a new file under its own name; that it exists is an error. mode are Unix permissions, whatever the mask of
	// the process says.
	Grow(ctx context.Context, path string, mode uint32) (Growing, error)
	// SetPermission sets who may read and write a file or directory.
	SetPermission(ctx context.Context, path string, mode uint32) error
}

// Growing is a file whose readers see what was written so far, up to the last Flush at least.
type Growing interface {
	io.WriteCloser
	Flush() error
}
