package hdfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// addr is where a DataNode takes data transfers.
func (n *nameNode) addr(d *datanode) string {
	if d == nil || d.ID == nil {
		return ""
	}
	host := d.ID.IP
	if n.conf.Bool("dfs.client.use.datanode.hostname", false) || host == "" {
		host = d.ID.Host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(d.ID.XferPort)))
}

// file is an open file. Its blocks are known from the start; a replica that fails is passed over from then on.
type file struct {
	fs   *FS
	nn   *nameNode
	path string // of the NameNode
	info vfs.Info

	mu     sync.Mutex
	blocks []*locatedBlock
	bad    map[string]bool // DataNodes that failed
	end    int64           // where the last read ended
	ahead  *stream         // stands where a read ended
	closed bool
}

// open asks for the locations of all blocks.
func (f *FS) open(ctx context.Context, nn *nameNode, path string, info vfs.Info) (*file, error) {
	if _, err := nn.serverDefaults(ctx); err != nil {
		return nil, err
	}
	h := &file{fs: f, nn: nn, path: path, info: info, bad: map[string]bool{}}
	return h, h.locate(ctx)
}

func (h *file) locate(ctx context.Context) error {
	l, err := h.nn.locations(ctx, h.path, 0, max(h.info.Size, 1))
	if err != nil {
		return err
	}
	switch {
	case l.Coding != nil && l.Coding.ID != 0:
		return pathError("open", h.path, sparkerr.Unsupported("erasure coded HDFS files (policy "+l.Coding.Name+")"))
	case l.Encryption != nil:
		return pathError("open", h.path, sparkerr.Unsupported("HDFS encryption zones"))
	}
	for _, b := range l.Blocks {
		if b.Block == nil {
			return pathError("open", h.path, fmt.Errorf("%w: a block without id", pb.ErrMalformed))
		}
	}
	h.mu.Lock()
	h.blocks = l.Blocks
	h.mu.Unlock()
	return nil
}

// Info implements vfs.File.
func (h *file) Info() vfs.Info { return h.info }

// View implements vfs.File: nothing of HDFS is in memory.
func (h *file) View(int64, int64) ([]byte, bool) { return nil, false }

// Forget implements vfs.File.
func (h *file) Forget(int64, int64) {}

// Close implements vfs.File.
func (h *file) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.ahead != nil {
		h.ahead.drop()
		h.ahead = nil
	}
	return nil
}

// ReadAt implements io.ReaderAt. Reads that follow each other are served from one stream.
func (h *file) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, pathError("read", h.path, errors.New("negative offset"))
	}
	n := 0
	for n < len(b) {
		if off+int64(n) >= h.info.Size {
			return n, io.EOF
		}
		k, err := h.readSome(b[n:], off+int64(n))
		n += k
		if err != nil {
			return n, pathError("read", h.path, err)
		}
	}
	return n, nil
}

// readSome reads within one block, from the first replica that works; when all failed, the locations are asked for anew
// once, as blocks move and tokens expire.
func (h *file) readSome(b []byte, off int64) (int, error) {
	b = b[:min(int64(len(b)), h.info.Size-off)]
	if n := h.readOn(b, off); n > 0 {
		return n, nil
	}
	var errs error
	for try := range 2 {
		if try > 0 {
			if err := h.locate(context.Background()); err != nil {
				return 0, errors.Join(errs, err)
			}
			h.mu.Lock()
			clear(h.bad)
			h.mu.Unlock()
		}
		n, err := h.readBlock(b, off)
		if err == nil {
			return n, nil
		}
		errs = errors.Join(errs, err)
	}
	return 0, errs
}

// readOn continues the stream that stands at off.
func (h *file) readOn(b []byte, off int64) int {
	h.mu.Lock()
	s := h.ahead
	if s == nil || s.pos != off {
		h.mu.Unlock()
		return 0
	}
	h.ahead = nil // it is this read's now
	h.mu.Unlock()
	n, err := io.ReadFull(s, b[:min(int64(len(b)), s.left)])
	if err != nil {
		s.drop()
		return 0
	}
	s.pos += int64(n)
	h.keep(s)
	return n
}

// keep puts a stream back for the next read, in place of an older one.
func (h *file) keep(s *stream) {
	h.mu.Lock()
	h.end = s.pos
	idle := s
	if s.left > 0 && !h.closed {
		idle, h.ahead = h.ahead, s
	}
	h.mu.Unlock()
	if idle != nil {
		idle.finish(h.fs)
	}
}

func (h *file) block(off int64) (*locatedBlock, []*datanode, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, ok := slices.BinarySearchFunc(h.blocks, off, func(b *locatedBlock, off int64) int {
		switch {
		case off < int64(b.Offset):
			return 1
		case off >= int64(b.Offset+b.Block.Bytes):
			return -1
		}
		return 0
	})
	if !ok {
		return nil, nil, false
	}
	var good, bad []*datanode
	for _, d := range h.blocks[i].Nodes {
		if h.bad[h.nn.addr(d)] {
			bad = append(bad, d)
		} else {
			good = append(good, d)
		}
	}
	return h.blocks[i], append(good, bad...), h.end == off
}

var errNoReplica = errors.New("no DataNode has the block")

func (h *file) readBlock(b []byte, off int64) (int, error) {
	l, nodes, follows := h.block(off)
	if l == nil || len(nodes) == 0 {
		return 0, errNoReplica
	}
	start := off - int64(l.Offset)
	want := min(int64(len(b)), int64(l.Block.Bytes)-start)
	length := want
	if follows {
		length = int64(l.Block.Bytes) - start // it will go on
	}
	var errs error
	for _, d := range nodes {
		node := h.nn.addr(d)
		s, err := h.fs.stream(h.nn, node, l, start, length)
		if err == nil {
			if _, err = io.ReadFull(s, b[:want]); err == nil {
				s.pos = off + want
				h.keep(s)
				return int(want), nil
			}
			s.drop()
		}
		errs = errors.Join(errs, err)
		h.mu.Lock()
		h.bad[node] = true
		h.mu.Unlock()
	}
	return 0, errs
}

// stream reads a part of a block.
type stream struct {
	c    *dataConn
	sums *sums
	pos  int64  // in the file
	left int64  // bytes that were asked for and not yet read
	skip int64  // bytes before the wanted ones in the first chunk
	rest []byte // of the packet at hand
	buf  []byte
	done bool // the last packet was read
}

// stream opens a stream on a connection that is left over or a new one; one that was left over may be dead already.
func (f *FS) stream(nn *nameNode, node string, l *locatedBlock, off, length int64) (*stream, error) {
	if c := f.conns.take(node); c != nil {
		if s, err := startRead(nn, c, l, off, length); err == nil {
			return s, nil
		}
		_ = c.Close()
	}
	c, err := nn.dial(context.Background(), node, l.Token)
	if err != nil {
		return nil, err
	}
	s, err := startRead(nn, c, l, off, length)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return s, nil
}

func startRead(nn *nameNode, c *dataConn, l *locatedBlock, off, length int64) (*stream, error) {
	err := c.operation(opRead, &readBlock{Header: header(nn, l.Block, l.Token), Offset: uint64(off), Length: uint64(length), Sums: true})
	if err != nil {
		return nil, &DataError{Node: c.node, Cause: err}
	}
	r, err := c.response()
	if err != nil {
		return nil, err
	}
	if r.Read == nil || r.Read.Offset > uint64(off) {
		return nil, &DataError{Node: c.node, Cause: fmt.Errorf("%w: an answer without checksums", pb.ErrMalformed)}
	}
	s, err := newSums(r.Read.Kind)
	if err != nil {
		return nil, &DataError{Node: c.node, Cause: err}
	}
	return &stream{c: c, sums: s, left: length, skip: off - int64(r.Read.Offset)}, nil
}

func header(nn *nameNode, b *extendedBlock, t *hadoop.Token) *operationHeader {
	return &operationHeader{Base: &baseHeader{Block: b, Token: t}, Client: nn.client}
}

// Read implements io.Reader.
func (s *stream) Read(b []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	for len(s.rest) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.rest[:min(int64(len(s.rest)), s.left)])
	s.rest = s.rest[n:]
	s.left -= int64(n)
	return n, nil
}

func (s *stream) next() error {
	p, buf, err := s.c.readPacket(s.sums, s.buf)
	s.buf = buf
	if err != nil {
		return &DataError{Node: s.c.node, Cause: err}
	}
	if p.header.Last {
		s.done = true
		return &DataError{Node: s.c.node, Cause: io.ErrUnexpectedEOF}
	}
	cut := min(s.skip, int64(len(p.data)))
	s.skip -= cut
	s.rest = p.data[cut:]
	return nil
}

func (s *stream) drop() { _ = s.c.Close() }

// finish ends a stream that was read to its end and keeps its connection.
func (s *stream) finish(f *FS) {
	if s.left > 0 {
		s.drop()
		return
	}
	for !s.done {
		p, buf, err := s.c.readPacket(s.sums, s.buf)
		s.buf = buf
		if err != nil {
			s.drop()
			return
		}
		s.done = p.header.Last
	}
	if _, err := s.c.Write(pb.AppendDelimited(nil, &readStatus{statusChecksumOK})); err != nil {
		s.drop()
		return
	}
	f.conns.put(s.c)
}

// hosts are the hosts that have most of a range, best first.
func (n *nameNode) hosts(ctx context.Context, path string, off, length int64) ([]string, error) {
	l, err := n.locations(ctx, path, off, length)
	if err != nil {
		return nil, err
	}
	bytes := map[string]int64{}
	var order []string
	for _, b := range l.Blocks {
		if b.Block == nil {
			continue
		}
		lo, hi := max(off, int64(b.Offset)), min(off+length, int64(b.Offset+b.Block.Bytes))
		for _, d := range b.Nodes {
			if d.ID == nil || hi <= lo {
				continue
			}
			if bytes[d.ID.Host] == 0 {
				order = append(order, d.ID.Host)
			}
			bytes[d.ID.Host] += hi - lo
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return int(min(1, max(-1, bytes[b]-bytes[a]))) })
	return order, nil
}
