package image

import (
	"archive/tar"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// File is an entry of a layer: a file of this machine, data, a link or a directory.
type File struct {
	Path   string // absolute, in the image
	Source string // a file of this machine, whose permissions it keeps
	Data   []byte
	Link   string // a symbolic link to there
	Mode   fs.FileMode
	Owner  int
	Dir    bool
}

// Tree lists a file or folder of this machine as it should appear in an image.
func Tree(source, at string) ([]File, error) {
	var out []File
	err := filepath.WalkDir(source, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, p)
		if err != nil {
			return err
		}
		f := File{Path: path.Join("/", at, filepath.ToSlash(rel))}
		switch {
		case d.IsDir():
			f.Dir, f.Mode = true, 0o755
		case d.Type()&fs.ModeSymlink != 0:
			if f.Link, err = os.Readlink(p); err != nil {
				return err
			}
		case d.Type().IsRegular():
			f.Source = p
		default:
			return nil // sockets and devices
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

// addFiles writes entries sorted by path, each with the folders above it.
func addFiles(t *tar.Writer, files []File) error {
	files = slices.Clone(files)
	have := map[string]bool{"/": true}
	for _, f := range files {
		have[f.Path] = true
	}
	for _, f := range slices.Clone(files) {
		if !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path {
			return fmt.Errorf("%q is not a path in an image", f.Path)
		}
		for dir := path.Dir(f.Path); !have[dir]; dir = path.Dir(dir) {
			have[dir] = true
			files = append(files, File{Path: dir, Dir: true, Mode: 0o755})
		}
	}
	slices.SortStableFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	for i, f := range files {
		if f.Path == "/" || i+1 < len(files) && files[i+1].Path == f.Path {
			continue // the last one of a path counts
		}
		if err := addFile(t, f); err != nil {
			return err
		}
	}
	return nil
}

func addFile(t *tar.Writer, f File) error {
	h := &tar.Header{Name: strings.TrimPrefix(f.Path, "/"), Mode: tarMode(f.Mode), Uid: f.Owner, Gid: f.Owner, ModTime: time.Unix(0, 0)}
	switch {
	case f.Dir:
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
		return t.WriteHeader(h)
	case f.Link != "":
		h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, f.Link, 0o777
		return t.WriteHeader(h)
	case f.Source == "":
		h.Typeflag, h.Size = tar.TypeReg, int64(len(f.Data))
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(f.Data)
		return err
	}
	return addSource(t, h, f)
}

func addSource(t *tar.Writer, h *tar.Header, f File) error {
	in, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	if f.Mode == 0 {
		h.Mode = 0o644
		if info.Mode()&0o111 != 0 {
			h.Mode = 0o755
		}
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.CopyN(t, in, info.Size())
	return err
}

// tarMode has the sticky bit where tar has it.
func tarMode(m fs.FileMode) int64 {
	n := int64(m.Perm())
	if m&fs.ModeSticky != 0 {
		n |= 0o1000
	}
	return n
}
