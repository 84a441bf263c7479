package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Fallback is the storage that keeps the map outputs of executors which left when no other one took them
// (spark.storage.decommission.fallbackStorage.path): the files as they were, a folder for each shuffle. They are those of
// event.FallbackStorage.
type Fallback struct {
	FS   *vfs.Registry
	Root string // of the application
}

// FallbackRoot is the folder of an application in the storage at path.
func FallbackRoot(path string, app event.AppID) string { return vfs.Join(path, string(app)) }

func (f *Fallback) folder(id event.ShuffleID) (vfs.FS, string, error) {
	return f.FS.Resolve(vfs.Join(f.Root, fmt.Sprint(id)))
}

// Keep copies a map output of this executor there.
func (f *Fallback) Keep(ctx context.Context, from *Files, id event.ShuffleID, m int) error {
	path, err := from.path(Part{Shuffle: id, Map: m})
	if err == nil {
		err = CheckFile(path, 0, -1)
	}
	if err != nil {
		return err
	}
	in, err := OpenWhole(path)
	if err != nil {
		return err
	}
	defer in.Close()
	to, dir, err := f.folder(id)
	if err != nil {
		return err
	}
	if err := to.MkdirAll(ctx, dir); err != nil {
		return err
	}
	out, err := to.Create(ctx, vfs.Join(dir, FileName(id, m)))
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Abort())
	}
	return out.Close()
}

func (f *Fallback) file(ctx context.Context, id event.ShuffleID, m int) (vfs.File, string, error) {
	from, dir, err := f.folder(id)
	if err != nil {
		return nil, "", err
	}
	path := vfs.Join(dir, FileName(id, m))
	in, err := from.Open(ctx, path)
	return in, from.URI(path), err
}

// Open opens a part of what is there.
func (f *Fallback) Open(ctx context.Context, p Part) (io.ReadCloser, error) {
	in, uri, err := f.file(ctx, p.Shuffle, p.Map)
	if err != nil {
		return nil, err
	}
	s, err := sectionOf(uri, in, in.Info().Size, func(index outputIndex, _ int64) (int64, int64, error) { return index.bounds(p.From, p.To) })
	if err != nil { // a *Section that is nil is no Reader that is nil
		return nil, err
	}
	return s, nil
}

// Check says whether a part is as it was written: see CheckFile.
func (f *Fallback) Check(ctx context.Context, p Part) error {
	in, uri, err := f.file(ctx, p.Shuffle, p.Map)
	if err != nil {
		return err
	}
	return errors.Join(check(uri, in, in.Info().Size, p.From, p.To), in.Close())
}
