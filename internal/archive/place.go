package archive

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// mostName bounds names and targets of links, and mostPart what is between two slashes, in bytes.
const (
	mostName = 1024
	mostPart = 255
)

// place gives the name of an entry below the folder, and makes the folders above it. A name that begins at the root of a file
// system is taken as below the folder, as by Spark.
func (u *unpacker) place(entry string) (string, error) {
	name := strings.TrimLeft(entry, "/")
	if len(name) > mostName || strings.IndexByte(name, 0) >= 0 {
		return "", u.refuse(entry, "has a name that no file can have")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return "", u.refuse(entry, "leads outside")
		case len(part) > mostPart:
			return "", u.refuse(entry, "has a name that no file can have")
		}
	}
	name = path.Clean(name)
	return name, u.folders(entry, path.Dir(name))
}

// folders makes a folder and those above it.
func (u *unpacker) folders(entry, dir string) error {
	switch u.made[dir] {
	case aFolder:
		return nil
	case aFile, aLink:
		return u.refuse(entry, "lies below what is no folder")
	}
	if err := u.folders(entry, path.Dir(dir)); err != nil {
		return err
	}
	if err := u.count(dir, aFolder); err != nil {
		return err
	}
	return u.root.Mkdir(dir, 0o700)
}

// count notes a new thing in the folder.
func (u *unpacker) count(name string, k kind) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if u.total.Entries++; u.total.Entries > u.most.Entries {
		return u.tooMany()
	}
	u.made[name] = k
	return nil
}

// vacate makes a place free: of entries with one name the last one counts, as for Spark.
func (u *unpacker) vacate(entry, name string) error {
	switch u.made[name] {
	case aFolder:
		return u.refuse(entry, "is a folder elsewhere in the archive")
	case aFile, aLink:
		return u.root.Remove(name)
	}
	return nil
}

func (u *unpacker) folder(entry string) error {
	name, err := u.place(entry)
	if err != nil {
		return err
	}
	return u.folders(entry, name)
}

// file writes a file. Its owner may do what the archive lets its owner do; nobody else may do anything.
func (u *unpacker) file(entry string, mode fs.FileMode, r io.Reader) (err error) {
	name, err := u.place(entry)
	if err == nil {
		err = u.vacate(entry, name)
	}
	if err == nil {
		err = u.count(name, aFile)
	}
	if err != nil {
		return err
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600|mode&0o100)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return u.copy(f, r)
}

func (u *unpacker) copy(to io.Writer, from io.Reader) error {
	for {
		n, err := from.Read(u.buf)
		if u.total.Bytes += int64(n); u.total.Bytes > u.most.Bytes {
			return u.tooLarge()
		}
		if n > 0 {
			if _, err := to.Write(u.buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = u.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// symlink makes a link whose target is "../" some times and then names. As the folders above the link are folders, and all links
// are of this form, no way through them leads outside.
func (u *unpacker) symlink(entry, target string) error {
	name, err := u.place(entry)
	if err != nil {
		return err
	}
	up, rest := strings.Count(name, "/"), target
	for strings.HasPrefix(rest, "../") || rest == ".." {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, ".."), "/")
		up--
	}
	inside := up >= 0 && !path.IsAbs(target) && !path.IsAbs(rest)
	for part := range strings.SplitSeq(rest, "/") {
		inside = inside && part != ".."
	}
	if !inside || target == "" || len(target) > mostName || strings.IndexByte(target, 0) >= 0 {
		return u.refuse(entry, "is a link that leads outside, or may do so")
	}
	if err := u.vacate(entry, name); err != nil {
		return err
	}
	if err := u.count(name, aLink); err != nil {
		return err
	}
	return u.root.Symlink(target, name)
}

// hardlink gives a file of the archive another name.
func (u *unpacker) hardlink(entry, target string) error {
	name, err := u.place(entry)
	if err != nil {
		return err
	}
	old := path.Clean(strings.TrimLeft(target, "/"))
	if u.made[old] != aFile || old == name {
		return u.refuse(entry, "is a link to what is no file before it in the archive")
	}
	if err := u.vacate(entry, name); err != nil {
		return err
	}
	if err := u.count(name, aFile); err != nil {
		return err
	}
	return u.root.Link(old, name)
}
