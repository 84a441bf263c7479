package source

import (
	"container/list"
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// maxFooters bounds the cache of parsed footers by the column chunks that they describe (about 300 bytes each).
const maxFooters = 1 << 18

// footers keeps parsed footers of files that did not change, for the whole process.
var footers = &footerCache{by: map[vfs.Info]*list.Element{}, order: list.New()}

type footerCache struct {
	mu     sync.Mutex
	by     map[vfs.Info]*list.Element
	order  *list.List // of *parquet.File, least recently used first
	chunks int
}

func weight(f *parquet.File) int { return 1 + len(f.RowGroups)*len(f.Leaves) }

func (c *footerCache) get(key vfs.Info) *parquet.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.by[key]
	if e == nil {
		return nil
	}
	c.order.MoveToBack(e)
	return e.Value.(*parquet.File)
}

func (c *footerCache) put(key vfs.Info, f *parquet.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[key] != nil {
		return
	}
	c.by[key] = c.order.PushBack(f)
	c.chunks += weight(f)
	for c.chunks > maxFooters && c.order.Len() > 1 {
		old := c.order.Remove(c.order.Front()).(*parquet.File)
		delete(c.by, old.Info)
		c.chunks -= weight(old)
	}
}

// openParquet opens a file and its footer. The caller closes the handle.
func openParquet(ctx context.Context, f *inputFile) (vfs.File, *parquet.File, error) {
	h, err := f.fs.Open(ctx, f.info.Path)
	if err != nil {
		return nil, nil, readError(f.uri(), err)
	}
	if meta := footers.get(h.Info()); meta != nil {
		return h, meta, nil
	}
	meta, err := parquet.Open(h)
	if err != nil {
		h.Close()
		return nil, nil, footerError(f.uri(), err)
	}
	footers.put(h.Info(), meta)
	return h, meta, nil
}

func footerError(uri string, err error) error {
	var bad *parquet.FormatError
	if errors.Is(err, fs.ErrNotExist) || !errors.As(err, &bad) {
		return readError(uri, err)
	}
	return sparkerr.New("FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "path", uri).WithCause(err)
}

// footer gives the metadata of a file whose contents are not needed.
func footer(ctx context.Context, f *inputFile) (*parquet.File, error) {
	if meta := footers.get(f.info); meta != nil {
		return meta, nil
	}
	h, meta, err := openParquet(ctx, f)
	if err != nil {
		return nil, err
	}
	return meta, h.Close()
}
