package block

import (
	"crypto/cipher"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"

	"github.com/firesteel/firesteel/internal/memory"
)

// file is a block on disk: bytes in chunks, whose checksums are kept in memory. Where local files are encrypted each chunk is
// sealed on its own.
type file struct {
	f      *os.File
	size   int64
	sums   []uint32
	buf    []byte // of the chunk that is not complete
	seal   cipher.AEAD
	sealed []byte
}

// errSeal is the error of a chunk that was not sealed with the process's key.
var errSeal = fmt.Errorf("its key is another: %w", ErrChecksum)

func newFile(dirs *memory.Dirs) (*file, error) {
	f, err := dirs.Create("block_")
	if err != nil {
		return nil, fmt.Errorf("a block cannot be written to disk: %w", err)
	}
	return &file{f: f, seal: dirs.Seal()}, nil
}

// Write adds bytes.
func (f *file) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if f.buf == nil {
			f.buf = memory.Buffers.Get(Chunk)[:0]
		}
		n := min(Chunk-len(f.buf), len(rest))
		f.buf = append(f.buf, rest[:n]...)
		if rest = rest[n:]; len(f.buf) == Chunk {
			if err := f.put(); err != nil {
				return 0, err
			}
		}
	}
	return len(p), nil
}

func (f *file) put() error {
	f.sums = append(f.sums, crc32.Checksum(f.buf, castagnoli))
	data := f.buf
	if f.seal != nil {
		f.sealed = f.seal.Seal(f.sealed[:0], nil, f.buf, nil)
		data = f.sealed
	}
	_, err := f.f.Write(data)
	f.size += int64(len(f.buf))
	f.buf = f.buf[:0]
	return err
}

// chunk reads chunk i into a buffer of its length.
func (f *file) chunk(i int64, into []byte) error {
	if f.seal == nil {
		_, err := f.f.ReadAt(into, i*Chunk)
		return err
	}
	over := f.seal.Overhead()
	sealed := memory.Buffers.Get(len(into) + over)
	defer memory.Buffers.Put(sealed)
	sealed = sealed[:len(into)+over]
	if _, err := f.f.ReadAt(sealed, i*int64(Chunk+over)); err != nil {
		return err
	}
	if _, err := f.seal.Open(into[:0], nil, sealed, nil); err != nil {
		return errSeal
	}
	return nil
}

// flush writes the last chunk. Reading comes next.
func (f *file) flush() error {
	var err error
	if len(f.buf) > 0 {
		err = f.put()
	}
	if f.buf != nil {
		memory.Buffers.Put(f.buf)
		f.buf, f.sealed = nil, nil
	}
	return err
}

func (f *file) remove() {
	_ = f.f.Close()
	_ = os.Remove(f.f.Name()) // what stays goes with the process's folder
}

// ReadAt reads whole chunks, checks them, and gives what is asked for.
func (f *file) ReadAt(p []byte, at int64) (n int, err error) {
	var buf []byte
	for n < len(p) && at < f.size {
		i := at / Chunk
		from, length := i*Chunk, int(min(Chunk, f.size-i*Chunk))
		into := p[n:]
		direct := at == from && len(into) >= length
		if !direct {
			if buf == nil {
				buf = memory.Buffers.Get(Chunk)
				defer memory.Buffers.Put(buf)
			}
			into = buf
		}
		into = into[:length]
		if err := f.chunk(i, into); err != nil {
			return n, err
		}
		if crc32.Checksum(into, castagnoli) != f.sums[i] {
			return n, ErrChecksum
		}
		m := length
		if !direct {
			m = copy(p[n:], into[at-from:])
		}
		n, at = n+m, at+int64(m)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// openFile reads a block on disk.
type openFile struct {
	s    *Store
	e    *entry
	once sync.Once
	*file
}

func (o *openFile) Size() int64 { return o.size }

func (o *openFile) Close() error {
	o.once.Do(func() { o.s.unpin(o.e) })
	return nil
}
