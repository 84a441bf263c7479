package hdfs

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Grow implements vfs.Grower.
func (f *FS) Grow(ctx context.Context, path string, mode uint32) (vfs.Growing, error) {
	n, p, err := f.node(path)
	if err != nil {
		return nil, err
	}
	if _, err := n.stat(ctx, p); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = pathError("create", p, fs.ErrExist)
		}
		return nil, err
	}
	w, err := f.begin(ctx, n, p, p, flagCreate)
	if err != nil {
		return nil, err
	}
	if err := f.SetPermission(ctx, path, mode); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	g := &growing{w: w, over: make(chan struct{})}
	g.beats.Go(g.beat)
	return g, nil
}

// growing is a file that others read while it is written, for as long as an application runs. DataNodes close a pipeline on
// which nothing comes, so it is kept alive.
type growing struct {
	mu    sync.Mutex
	w     *writer
	over  chan struct{}
	once  sync.Once
	beats sync.WaitGroup
}

// beatEvery is half the time that DataNodes wait for.
const beatEvery = dataTimeout / 2

func (g *growing) beat() {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-g.over:
			return
		}
		g.mu.Lock()
		if g.w.out != nil && g.w.err == nil {
			g.w.err = g.w.out.beat()
		}
		g.mu.Unlock()
	}
}

// Write implements io.Writer.
func (g *growing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.w.Write(b)
}

// Flush implements vfs.Growing.
func (g *growing) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w.err == nil {
		g.w.err = g.w.show()
	}
	return pathError("write", g.w.path, g.w.err)
}

// Close implements io.Closer. A file that could not be written to its end is left as it is.
func (g *growing) Close() error {
	g.once.Do(func() { close(g.over) })
	g.beats.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.w
	if w.done {
		return nil
	}
	if w.err == nil {
		w.err = w.complete()
	}
	w.done = true
	w.nn.closed()
	if w.err != nil && w.out != nil {
		w.out.abort()
	}
	return pathError("close", w.path, w.err)
}

// show sends what is pending and waits until it is acknowledged. A chunk that is not full stays pending, for DataNodes keep a
// checksum for each: it is sent again, with what comes behind it.
func (w *writer) show() error {
	if len(w.pending) == w.shown {
		return nil
	}
	tail := slices.Clone(w.pending[len(w.pending)-len(w.pending)%w.sums.chunk:])
	if err := w.flush(); err != nil || w.out == nil { // a block that was full is finished
		return err
	}
	if err := w.out.settle(); err != nil {
		return err
	}
	w.out.sent -= int64(len(tail))
	w.pending, w.shown = append(w.pending[:0], tail...), len(tail)
	return nil
}

// beat sends a packet that says nothing but that the writer lives. Its acknowledgement has its own number, too.
func (p *pipeline) beat() error {
	select {
	case <-p.lost:
		return p.err
	default:
	}
	h := pb.Marshal(&packetHeader{Seq: heartbeat})
	b := binary.BigEndian.AppendUint32(nil, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h)))
	if _, err := p.c.Write(append(b, h...)); err != nil {
		p.fail(&DataError{Node: p.c.node, Cause: err})
		return p.err
	}
	return nil
}
