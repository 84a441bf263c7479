package hdfs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/vfs"
)

const (
	flagCreate    = 1
	flagOverwrite = 2
	// window is how many packets may be on their way.
	window = 80
	// packetData is the most data of a packet; whole chunks are sent.
	packetData = 63 << 10
	// blockTries is how many pipelines are tried for a block.
	blockTries = 5
)

// writer writes a file under a hidden name and renames it when it is closed; one that grows has its own name from the start.
type writer struct {
	fs        *FS
	nn        *nameNode
	tmp, path string
	fileID    uint64
	blockSize int64
	sums      *sums
	replicas  uint32

	out     *pipeline
	last    *extendedBlock // the block that is finished
	pending []byte
	shown   int // bytes of pending that readers see already, of one that grows
	err     error
	done    bool
}

// create makes the hidden file.
func (f *FS) create(ctx context.Context, nn *nameNode, path string) (*writer, error) {
	var r [8]byte
	if _, err := rand.Read(r[:]); err != nil {
		return nil, err
	}
	hidden := vfs.Join(vfs.Dir(path), "."+vfs.Base(path)+"."+hex.EncodeToString(r[:])+".tmp")
	return f.begin(ctx, nn, path, hidden, flagCreate|flagOverwrite)
}

// begin makes a file that is written under a name of its own.
func (f *FS) begin(ctx context.Context, nn *nameNode, path, tmp string, flags uint32) (*writer, error) {
	d, err := nn.serverDefaults(ctx)
	if err != nil {
		return nil, pathError("create", path, err)
	}
	w := &writer{fs: f, nn: nn, path: path, tmp: tmp,
		blockSize: nn.conf.Int("dfs.blocksize", int64(d.BlockSize)), replicas: uint32(nn.conf.Int("dfs.replication", int64(d.Replication)))}
	if w.sums, err = newSums(&checksumKind{Type: sumCRC32C, PerChunk: d.BytesPerChecksum}); err != nil {
		return nil, pathError("create", path, err)
	}
	var resp statusResponse
	err = nn.change(ctx, "create", &createRequest{Src: w.tmp, Masked: nn.permission(0o666), Client: nn.client, Flags: flags,
		CreateParent: true, Replication: w.replicas, BlockSize: uint64(w.blockSize)}, &resp)
	if err != nil {
		return nil, pathError("create", path, err)
	}
	if resp.Status != nil {
		w.fileID = resp.Status.FileID
	}
	nn.opened()
	return w, nil
}

// permission applies the configured mask (fs.permissions.umask-mode).
func (n *nameNode) permission(mode uint32) *permission {
	var mask uint32
	if _, err := fmt.Sscanf(n.conf.Get("fs.permissions.umask-mode", "022"), "%o", &mask); err != nil {
		mask = 0o022
	}
	return &permission{mode &^ mask}
}

// Write implements io.Writer: it cuts what comes into packets of whole chunks.
func (w *writer) Write(b []byte) (int, error) {
	if w.done {
		return 0, pathError("write", w.path, errors.New("the file is closed"))
	}
	full := w.packetSize()
	n := len(b)
	for len(b) > 0 && w.err == nil {
		k := min(len(b), full-len(w.pending))
		w.pending = append(w.pending, b[:k]...)
		if b = b[k:]; len(w.pending) == full {
			w.err = w.flush()
		}
	}
	if w.err != nil {
		return 0, pathError("write", w.path, w.err)
	}
	return n, nil
}

func (w *writer) packetSize() int {
	return max(1, packetData/w.sums.chunk) * w.sums.chunk
}

// flush sends the pending data; a block that is full is finished.
func (w *writer) flush() error {
	for len(w.pending) > 0 {
		if w.out == nil {
			if err := w.nextBlock(); err != nil {
				return err
			}
		}
		n := min(int64(len(w.pending)), w.blockSize-w.out.sent)
		if err := w.out.send(w.pending[:n], false); err != nil {
			return err
		}
		w.pending, w.shown = append(w.pending[:0], w.pending[n:]...), 0
		if w.out.sent == w.blockSize {
			if err := w.finishBlock(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) finishBlock() error {
	p := w.out
	w.out = nil
	if err := p.finish(); err != nil {
		return err
	}
	w.last = p.block
	w.last.Bytes = uint64(p.sent)
	return nil
}

// nextBlock gets a block and sets up its pipeline; DataNodes that do not answer are excluded and the block is given back.
func (w *writer) nextBlock() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var exclude []*datanode
	var errs error
	for range blockTries {
		var r addBlockResponse
		err := w.addBlock(ctx, &addBlockRequest{Src: w.tmp, Client: w.nn.client, Previous: w.last, Exclude: exclude, FileID: w.fileID}, &r)
		if err != nil {
			return errors.Join(errs, err)
		}
		if r.Block == nil || r.Block.Block == nil || len(r.Block.Nodes) == 0 {
			return errors.Join(errs, fmt.Errorf("%w: a new block without places", pb.ErrMalformed))
		}
		p, bad, err := w.pipeline(ctx, r.Block)
		if err == nil {
			w.out = p
			return nil
		}
		errs = errors.Join(errs, err)
		exclude = append(exclude, bad)
		if err := w.nn.call(ctx, "abandonBlock", &abandonRequest{r.Block.Block, w.tmp, w.nn.client, w.fileID}, &empty{}); err != nil {
			return errors.Join(errs, err)
		}
	}
	return errs
}

// addBlock waits while the block before is not known to enough DataNodes yet.
func (w *writer) addBlock(ctx context.Context, req *addBlockRequest, r *addBlockResponse) error {
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := w.nn.call(ctx, "addBlock", req, r)
		if !errors.Is(err, hadoop.Exception("NotReplicatedYetException")) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// pipeline connects to the first DataNode, which connects to the next one, and so on. On failure it names the DataNode.
func (w *writer) pipeline(ctx context.Context, l *locatedBlock) (*pipeline, *datanode, error) {
	first := w.nn.addr(l.Nodes[0])
	c, err := w.nn.dial(ctx, first, l.Token)
	if err != nil {
		return nil, l.Nodes[0], err
	}
	m := &writeBlock{
		Header: header(w.nn, l.Block, l.Token), Targets: l.Nodes[1:], Stage: stageCreate, Pipeline: uint32(len(l.Nodes)),
		Generation: l.Block.Generation, Checksum: &checksumKind{w.sums.kind, uint32(w.sums.chunk)}, StorageType: 1,
	}
	if len(l.StorageTypes) == len(l.Nodes) {
		m.StorageType, m.TargetTypes = l.StorageTypes[0], l.StorageTypes[1:]
	}
	if len(l.StorageIDs) == len(l.Nodes) {
		m.StorageID, m.TargetStores = l.StorageIDs[0], l.StorageIDs[1:]
	}
	if err = c.operation(opWrite, m); err == nil {
		var r *opResponse
		if r, err = c.response(); err == nil {
			return newPipeline(c, l.Block, w.sums, len(l.Nodes)), nil, nil
		}
		if r != nil && r.BadLink != "" {
			_ = c.Close()
			return nil, nodeAt(w.nn, l.Nodes, r.BadLink), err
		}
	}
	_ = c.Close()
	return nil, l.Nodes[0], err
}

func nodeAt(nn *nameNode, nodes []*datanode, addr string) *datanode {
	for _, d := range nodes {
		if nn.addr(d) == addr || strings.HasPrefix(addr, d.ID.Host+":") {
			return d
		}
	}
	return nodes[0]
}

// Close implements vfs.Writer.
func (w *writer) Close() error {
	if w.done {
		return nil
	}
	if w.err == nil {
		w.err = w.complete()
	}
	if w.err != nil {
		return errors.Join(pathError("close", w.path, w.err), w.Abort())
	}
	w.done = true
	w.nn.closed()
	if w.tmp == w.path {
		return nil
	}
	return w.fs.rename(context.Background(), w.nn, w.tmp, w.path)
}

// complete finishes the last block and the file, once enough DataNodes have told the NameNode of the block.
func (w *writer) complete() error {
	if err := w.flush(); err != nil {
		return err
	}
	if w.out != nil {
		if err := w.finishBlock(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errors.New("the last block was not confirmed in time"))
	defer cancel()
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		var r boolResponse
		if err := w.nn.call(ctx, "complete", &completeRequest{w.tmp, w.nn.client, w.last, w.fileID}, &r); err != nil || r.Result {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Abort implements vfs.Writer.
func (w *writer) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.nn.closed()
	if w.out != nil {
		w.out.abort()
	}
	return pathError("abort", w.path, w.nn.change(context.Background(), "delete", &deleteRequest{Src: w.tmp}, &boolResponse{}))
}

// pipeline sends one block and takes the acknowledgements on a goroutine.
type pipeline struct {
	c     *dataConn
	block *extendedBlock
	sums  *sums
	sent  int64
	seq   int64
	nodes int
	buf   bytes.Buffer

	slots   chan struct{} // one for each packet on its way
	acks    sync.WaitGroup
	mu      sync.Mutex
	final   int64         // how many packets there are, when that is known
	acked   int64         // how many are acknowledged
	settled chan struct{} // closed when acked changes; made by who waits
	err     error
	lost    chan struct{} // closed with err
}

func newPipeline(c *dataConn, b *extendedBlock, s *sums, nodes int) *pipeline {
	p := &pipeline{c: c, block: b, sums: s, nodes: nodes, slots: make(chan struct{}, window), lost: make(chan struct{})}
	return p
}

// send sends a packet when there is a slot.
func (p *pipeline) send(data []byte, last bool) error {
	select {
	case p.slots <- struct{}{}:
	case <-p.lost:
		return p.err
	}
	if p.seq == 0 {
		p.acks.Add(1)
		go p.acknowledge()
	}
	sum := p.sums.append(nil, data)
	h := pb.Marshal(&packetHeader{Offset: p.sent, Seq: p.seq, Last: last, Length: int32(len(data))})
	p.buf.Reset()
	var head [6]byte
	binary.BigEndian.PutUint32(head[:], uint32(4+len(sum)+len(data)))
	binary.BigEndian.PutUint16(head[4:], uint16(len(h)))
	p.buf.Write(head[:])
	p.buf.Write(h)
	p.buf.Write(sum)
	p.buf.Write(data)
	p.seq++
	p.sent += int64(len(data))
	if _, err := p.c.Write(p.buf.Bytes()); err != nil {
		p.fail(&DataError{Node: p.c.node, Cause: err})
		return p.err
	}
	return nil
}

func (p *pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
		close(p.lost)
	}
}

// acknowledge reads acknowledgements until that of the last packet, or a failure.
func (p *pipeline) acknowledge() {
	defer p.acks.Done()
	for want := int64(0); ; {
		var a pipelineAck
		if err := p.c.message(&a); err != nil {
			p.fail(&DataError{Node: p.c.node, Cause: err})
			return
		}
		if a.Seq == heartbeat {
			continue
		}
		for _, s := range a.Reply {
			if s != statusSuccess {
				p.fail(&DataError{Node: p.c.node, Status: s})
				return
			}
		}
		if a.Seq != want {
			p.fail(&DataError{Node: p.c.node, Cause: fmt.Errorf("%w: acknowledgement %d instead of %d", pb.ErrMalformed, a.Seq, want)})
			return
		}
		want++
		if <-p.slots; p.ended(want) {
			return
		}
	}
}

const heartbeat = -1

// ended notes that n packets are acknowledged, and says whether that was the last one.
func (p *pipeline) ended(n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked = n
	if p.settled != nil {
		close(p.settled)
		p.settled = nil
	}
	return p.final == n
}

// settle waits until all packets that were sent are acknowledged: readers see what is in them then.
func (p *pipeline) settle() error {
	for {
		p.mu.Lock()
		if p.acked == p.seq || p.err != nil {
			defer p.mu.Unlock()
			return p.err
		}
		if p.settled == nil {
			p.settled = make(chan struct{})
		}
		settled := p.settled
		p.mu.Unlock()
		select {
		case <-settled:
		case <-p.lost:
		}
	}
}

// finish sends the empty last packet and waits until all are acknowledged.
func (p *pipeline) finish() error {
	p.mu.Lock()
	p.final = p.seq + 1
	p.mu.Unlock()
	err := p.send(nil, true)
	if err != nil {
		_ = p.c.Close()
	}
	p.acks.Wait()
	_ = p.c.Close()
	return p.err
}

func (p *pipeline) abort() {
	_ = p.c.Close()
	p.acks.Wait()
}
