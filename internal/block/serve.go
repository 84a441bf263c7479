package block

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
)

// Reader reads a block. Blocks do not change while they are open.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Source finds blocks by name. A block that is not there is an fs.ErrNotExist.
type Source interface {
	Open(name string) (Reader, error)
	// Remove drops a block; one that is not there is none of its errors.
	Remove(name string) error
}

// Checker is a Source that can compare what it has of a block with what was written: ErrChecksum if they differ, ErrUnchecked
// if it cannot tell.
type Checker interface {
	Check(name string) error
}

// The methods of a block server.
const (
	methodRead  = "block.read"  // readRequest -> status, size, checksum, bytes
	methodDrop  = "block.drop"  // name
	methodCheck = "block.check" // name -> state
)

// IsMethod says whether a Handler answers the method.
func IsMethod(method string) bool {
	return method == methodRead || method == methodDrop || method == methodCheck
}

// Chunk is how many bytes an answer has at most: with its head it fills a slab.
const Chunk = 1<<20 - headSize - memory.Pad

// An answer's head: status (1), 3 unused, checksum of the bytes (4), size of the block (8).
const headSize = 16

const (
	statusOK byte = iota
	statusGone
	statusFailed // the bytes are the text of the error
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type readRequest struct {
	Name   string
	Offset int64
	Length int
}

// Handler serves the blocks of a source. It implements rpc.Handler and rpc.Lender.
type Handler struct{ From Source }

// Receive implements rpc.Handler; nobody sends messages to a block server.
func (h Handler) Receive(*rpc.Conn, string, []byte) {}

// Call implements rpc.Handler.
func (h Handler) Call(ctx context.Context, c *rpc.Conn, method string, body []byte) ([]byte, error) {
	out, _, err := h.Lend(ctx, c, method, body)
	return out, err
}

// Lend implements rpc.Lender.
func (h Handler) Lend(_ context.Context, _ *rpc.Conn, method string, body []byte) ([]byte, func(), error) {
	switch method {
	case methodRead:
		var q readRequest
		if err := rpc.Unmarshal(body, &q); err != nil {
			return nil, nil, err
		}
		buf := memory.Buffers.Get(headSize + min(max(q.Length, 0), Chunk))
		n := h.read(&q, buf)
		return buf[:n], func() { memory.Buffers.Put(buf) }, nil
	case methodDrop:
		var name string
		if err := rpc.Unmarshal(body, &name); err != nil {
			return nil, nil, err
		}
		return nil, nil, h.From.Remove(name)
	case methodCheck:
		var name string
		if err := rpc.Unmarshal(body, &name); err != nil {
			return nil, nil, err
		}
		state := h.check(name)
		out, err := rpc.Marshal(&state)
		return out, nil, err
	}
	return nil, nil, fmt.Errorf("a block server knows no request %q", method)
}

// State is what a block server finds when it checks a block of its own.
type State int

// The states.
const (
	Unchecked State = iota // it cannot tell
	Sound                  // the bytes are those that were written
	Damaged                // they are not
	Gone
)

func (h Handler) check(name string) State {
	c, ok := h.From.(Checker)
	if !ok {
		return Unchecked
	}
	switch err := c.Check(name); {
	case err == nil:
		return Sound
	case errors.Is(err, ErrChecksum):
		return Damaged
	case errors.Is(err, fs.ErrNotExist):
		return Gone
	}
	return Unchecked
}

// read fills an answer and gives its length.
func (h Handler) read(q *readRequest, buf []byte) int {
	n, size, err := h.data(q, buf[headSize:])
	clear(buf[:headSize])
	switch {
	case errors.Is(err, fs.ErrNotExist):
		buf[0] = statusGone
		n = 0
	case err != nil:
		buf[0] = statusFailed
		n = copy(buf[headSize:], err.Error())
	}
	binary.LittleEndian.PutUint32(buf[4:], crc32.Checksum(buf[headSize:headSize+n], castagnoli))
	binary.LittleEndian.PutUint64(buf[8:], uint64(size))
	return headSize + n
}

func (h Handler) data(q *readRequest, into []byte) (n int, size int64, err error) {
	r, err := h.From.Open(q.Name)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	size = r.Size()
	if q.Offset < 0 || q.Offset >= size { // who does not know the size may ask for more
		return 0, size, nil
	}
	into = into[:min(int64(len(into)), size-q.Offset)]
	n, err = r.ReadAt(into, q.Offset)
	if n == len(into) {
		err = nil
	}
	return n, size, err
}
