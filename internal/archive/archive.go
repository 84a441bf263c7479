// Package archive unpacks what users upload: zip and jar files, and tar files, compressed by gzip or not.
//
// # Contract
//
// All that is made lies in the one folder, whatever the archive says, and takes no more than the limits allow, which are checked
// while it is unpacked and not by what the archive says of itself. Files are never written through links. Links lead to what is
// in the folder, also by way of other links. What cannot be unpacked whole leaves nothing.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Limits bound what an archive may become.
type Limits struct {
	Entries int   // files, folders and links
	Bytes   int64 // of all files
}

// An archive may become ratio times as large as it is, or slack bytes, which compress as well as they like.
const (
	ratio = 200
	slack = 64 << 20
)

// Size is what an archive has become.
type Size struct {
	Entries int
	Bytes   int64
}

// suffixes say by which names archives are known, as Spark knows them.
var suffixes = []struct {
	name   string
	unpack func(*unpacker) error
}{{".zip", (*unpacker).zip}, {".jar", (*unpacker).zip}, {".tar.gz", (*unpacker).tarGz}, {".tgz", (*unpacker).tarGz}, {".tar", (*unpacker).tar}}

// Is says whether a file is an archive, by its name.
func Is(name string) bool { return unpackerOf(name) != nil }

func unpackerOf(name string) func(*unpacker) error {
	for _, s := range suffixes {
		if strings.HasSuffix(strings.ToLower(name), s.name) {
			return s.unpack
		}
	}
	return nil
}

// Unpack unpacks an archive into a new folder. The name says of which kind it is, and is told in errors, whose conditions are
// INVALID_ARCHIVE.*.
func Unpack(ctx context.Context, name string, data io.ReaderAt, size int64, folder string, most Limits) (Size, error) {
	unpack := unpackerOf(name)
	if unpack == nil {
		return Size{}, sparkerr.Unsupported("unpacking " + name)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return Size{}, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return Size{}, err
	}
	most.Bytes = min(most.Bytes, max(size*ratio, slack))
	u := &unpacker{ctx: ctx, name: name, data: data, size: size, root: root, most: most, made: map[string]kind{".": aFolder}, buf: make([]byte, 64<<10)}
	err = errors.Join(unpack(u), root.Close())
	if err == nil {
		return u.total, nil
	}
	if _, typed := sparkerr.As(err); !typed && !ours(err) {
		err = sparkerr.New("INVALID_ARCHIVE.DAMAGED", "name", name, "reason", err.Error()).WithCause(err)
	}
	return Size{}, errors.Join(err, os.RemoveAll(folder))
}

// ours says whether an error is none of the archive: it was given up, or the disk failed.
func ours(err error) bool {
	var disk *fs.PathError
	var link *os.LinkError
	return errors.As(err, &disk) || errors.As(err, &link) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// kind is what a name of the archive has become.
type kind uint8

const (
	aFolder kind = iota + 1
	aFile
	aLink
)

// unpacker is one archive at work.
type unpacker struct {
	ctx   context.Context
	name  string
	data  io.ReaderAt
	size  int64
	root  *os.Root
	most  Limits
	total Size
	made  map[string]kind // all that is in the folder
	buf   []byte
}

// mostDirectory is how many bytes of a zip file are read before its entries are known: they take more memory than that.
const mostDirectory = 24 << 20

// zip unpacks a zip file.
func (u *unpacker) zip() error {
	in := &bounded{r: u.data, left: mostDirectory}
	z, err := zip.NewReader(in, u.size)
	if in.left < 0 || err == nil && len(z.File) > u.most.Entries {
		return u.tooMany()
	}
	if err != nil {
		return err
	}
	in.left = 1 << 62
	for _, f := range z.File {
		if err := u.zipped(f); err != nil {
			return err
		}
	}
	return nil
}

// bounded fails when more has been read than it lets.
type bounded struct {
	r    io.ReaderAt
	left int64
}

func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errors.New("its directory is too large")
	}
	return b.r.ReadAt(p, at)
}

func (u *unpacker) zipped(f *zip.File) error {
	mode := f.Mode()
	if mode.IsDir() {
		return u.folder(f.Name)
	}
	if mode&(fs.ModeType&^fs.ModeSymlink) != 0 {
		return u.refuse(f.Name, "is neither a file, a folder nor a link")
	}
	if f.Flags&1 != 0 {
		return u.refuse(f.Name, "is encrypted")
	}
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if mode&fs.ModeSymlink == 0 {
		return u.file(f.Name, mode, r)
	}
	target, err := io.ReadAll(io.LimitReader(r, mostName+1))
	if err != nil {
		return err
	}
	return u.symlink(f.Name, string(target))
}

func (u *unpacker) tarGz() error {
	z, err := gzip.NewReader(io.NewSectionReader(u.data, 0, u.size))
	if err != nil {
		return err
	}
	return u.untar(z)
}

func (u *unpacker) tar() error { return u.untar(io.NewSectionReader(u.data, 0, u.size)) }

func (u *unpacker) untar(r io.Reader) error {
	// What is between the files of a tar file counts too: it may be padding without end.
	t := tar.NewReader(&limited{r: r, left: u.most.Bytes + int64(u.most.Entries)*mostHeader})
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return u.ranOut(err)
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
			err = u.file(h.Name, h.FileInfo().Mode(), t)
		case tar.TypeDir:
			err = u.folder(h.Name)
		case tar.TypeSymlink:
			err = u.symlink(h.Name, h.Linkname)
		case tar.TypeLink:
			err = u.hardlink(h.Name, h.Linkname)
		case tar.TypeXGlobalHeader:
		default:
			err = u.refuse(h.Name, "is neither a file, a folder nor a link")
		}
		if err != nil {
			return u.ranOut(err)
		}
	}
}

// mostHeader is what the headers of an entry of a tar file take at most, on average.
const mostHeader = 8 << 10

var errRanOut = errors.New("it is longer than what it may become")

// limited fails when more has been read than it lets.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRanOut
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

func (u *unpacker) ranOut(err error) error {
	if errors.Is(err, errRanOut) {
		return u.tooLarge()
	}
	return err
}

func (u *unpacker) refuse(entry, why string) error {
	if len(entry) > 200 {
		entry = entry[:200] + "…"
	}
	return sparkerr.New("INVALID_ARCHIVE.ENTRY", "name", u.name, "entry", fmt.Sprintf("%q", entry), "reason", why)
}

func (u *unpacker) tooLarge() error {
	return sparkerr.New("INVALID_ARCHIVE.TOO_LARGE", "name", u.name, "limit", fmt.Sprint(u.most.Bytes))
}

func (u *unpacker) tooMany() error {
	return sparkerr.New("INVALID_ARCHIVE.TOO_MANY_ENTRIES", "name", u.name, "limit", fmt.Sprint(u.most.Entries))
}
