package hdfs

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/hadoop/pb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Numbers of the data transfer protocol.
const (
	transferVersion = 28
	opWrite         = 80
	opRead          = 81
	saslMagic       = 0xDEADBEEF

	statusSuccess    = 0
	statusTokenError = 5
	statusChecksumOK = 6

	sumNone   = 0
	sumCRC32  = 1
	sumCRC32C = 2

	stageData   = 2
	stageCreate = 6

	maxMessage = 1 << 20
	maxPacket  = 16 << 20 // Hadoop's own limit
)

// dataTimeout is how long a DataNode may be silent (dfs.client.socket-timeout).
const dataTimeout = 60 * time.Second

// idleFor is how long a connection may wait for its next read; DataNodes close it after 4 s (dfs.datanode.socket.reuse.keepalive).
const idleFor = 2 * time.Second

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// DataError is a failure at a DataNode.
type DataError struct {
	Node   string
	Status int32
	Cause  error
}

func (e *DataError) Error() string {
	if e.Cause != nil {
		return "DataNode " + e.Node + ": " + e.Cause.Error()
	}
	return "DataNode " + e.Node + " answered with status " + strconv.Itoa(int(e.Status))
}

// Unwrap returns the cause.
func (e *DataError) Unwrap() error { return e.Cause }

// errChecksum is the cause of data that is not what was written.
var errChecksum = errors.New("checksum mismatch")

// dataConn is a connection to a DataNode.
type dataConn struct {
	net.Conn
	r    *bufio.Reader
	node string
	idle time.Time
}

// Read and Write move the deadline: a DataNode may be silent for dataTimeout, however much is read in all.
func (c *dataConn) Read(b []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(dataTimeout))
	return c.Conn.Read(b)
}

func (c *dataConn) Write(b []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(dataTimeout))
	return c.Conn.Write(b)
}

// pool keeps connections between reads.
type pool struct {
	mu     sync.Mutex
	idle   map[string][]*dataConn
	closed bool
}

const maxIdle = 8 // of one DataNode

func (p *pool) take(node string) *dataConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := p.idle[node]; len(l) > 0; l = p.idle[node] {
		c := l[len(l)-1]
		p.idle[node] = l[:len(l)-1]
		if time.Since(c.idle) < idleFor {
			return c
		}
		_ = c.Close()
	}
	return nil
}

func (p *pool) put(c *dataConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle[c.node]) >= maxIdle {
		_ = c.Close()
		return
	}
	c.idle = time.Now()
	p.idle[c.node] = append(p.idle[c.node], c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, l := range p.idle {
		for _, c := range l {
			_ = c.Close()
		}
	}
	p.idle = nil
}

// dial connects to a DataNode and proves the right to the block where the cluster wants that.
func (n *nameNode) dial(ctx context.Context, node string, token *hadoop.Token) (*dataConn, error) {
	c, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(ctx, "tcp", node)
	if err != nil {
		return nil, &DataError{Node: node, Cause: err}
	}
	d := &dataConn{Conn: c, node: node}
	d.r = bufio.NewReaderSize(d, 64<<10)
	if n.conf.Get("dfs.data.transfer.protection", "") != "" {
		err = d.prove(token)
	} else if n.defaults != nil && n.defaults.Encrypt {
		err = sparkerr.Unsupported("dfs.encrypt.data.transfer")
	}
	if err != nil {
		_ = c.Close()
		return nil, &DataError{Node: node, Cause: err}
	}
	return d, nil
}

// prove runs the SASL exchange of the data transfer protocol.
func (c *dataConn) prove(token *hadoop.Token) error {
	if token == nil {
		return errors.New("the NameNode gave no token for the block")
	}
	hello := binary.BigEndian.AppendUint32(nil, saslMagic)
	if _, err := c.Write(pb.AppendDelimited(hello, &encryptorMessage{})); err != nil {
		return err
	}
	var m encryptorMessage
	if err := c.message(&m); err != nil {
		return err
	}
	d := hadoop.NewTokenDigest(token, "hdfs", "0")
	answer, err := d.Answer(m.Payload)
	if err != nil {
		return err
	}
	if _, err := c.Write(pb.AppendDelimited(nil, &encryptorMessage{Payload: answer})); err != nil {
		return err
	}
	m = encryptorMessage{}
	if err := c.message(&m); err != nil {
		return err
	}
	if m.Status != statusSuccess {
		return &hadoop.AuthError{Service: c.node, Reason: m.Message}
	}
	return d.Verify(m.Payload)
}

// message reads one message with its length before it.
func (c *dataConn) message(into any) error {
	n, err := binary.ReadUvarint(c.r)
	if err != nil {
		return err
	}
	if n > maxMessage {
		return fmt.Errorf("a message of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return err
	}
	return pb.Unmarshal(b, into)
}

// operation sends a request.
func (c *dataConn) operation(op byte, m any) error {
	_, err := c.Write(pb.AppendDelimited([]byte{0, transferVersion, op}, m))
	return err
}

// response reads the answer to a request.
func (c *dataConn) response() (*opResponse, error) {
	var r opResponse
	if err := c.message(&r); err != nil {
		return nil, err
	}
	if r.Status != statusSuccess {
		e := &DataError{Node: c.node, Status: r.Status}
		if r.Message != "" {
			e.Cause = errors.New(r.Message)
		}
		return &r, e
	}
	return &r, nil
}

// sums computes and checks the checksums of chunks.
type sums struct {
	kind  int32
	chunk int
}

func newSums(k *checksumKind) (*sums, error) {
	if k == nil {
		return &sums{kind: sumNone, chunk: 512}, nil
	}
	if k.Type < sumNone || k.Type > sumCRC32C || k.PerChunk == 0 || k.PerChunk > maxPacket {
		return nil, fmt.Errorf("checksums of type %d over %d bytes", k.Type, k.PerChunk)
	}
	return &sums{kind: k.Type, chunk: int(k.PerChunk)}, nil
}

func (s *sums) size() int {
	if s.kind == sumNone {
		return 0
	}
	return 4
}

func (s *sums) of(b []byte) uint32 {
	if s.kind == sumCRC32C {
		return crc32.Checksum(b, castagnoli)
	}
	return crc32.ChecksumIEEE(b)
}

// append appends the checksums of the chunks of data.
func (s *sums) append(dst, data []byte) []byte {
	if s.kind == sumNone {
		return dst
	}
	for len(data) > 0 {
		n := min(s.chunk, len(data))
		dst = binary.BigEndian.AppendUint32(dst, s.of(data[:n]))
		data = data[n:]
	}
	return dst
}

// check compares the chunks of data with their checksums.
func (s *sums) check(data, want []byte) error {
	if s.kind == sumNone {
		return nil
	}
	for len(data) > 0 {
		n := min(s.chunk, len(data))
		if len(want) < 4 || s.of(data[:n]) != binary.BigEndian.Uint32(want) {
			return errChecksum
		}
		data, want = data[n:], want[4:]
	}
	return nil
}

// packet is one packet as it was read; the data is borrowed until the next one.
type packet struct {
	header packetHeader
	data   []byte
}

// readPacket reads a packet into buf and checks it.
func (c *dataConn) readPacket(s *sums, buf []byte) (packet, []byte, error) {
	var head [6]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return packet{}, buf, err
	}
	size, headerSize := int(binary.BigEndian.Uint32(head[:]))-4, int(binary.BigEndian.Uint16(head[4:]))
	if size < 0 || size > maxPacket {
		return packet{}, buf, fmt.Errorf("a packet of %d bytes", size)
	}
	if cap(buf) < size+headerSize {
		buf = make([]byte, size+headerSize)
	}
	buf = buf[:size+headerSize]
	if _, err := io.ReadFull(c.r, buf); err != nil {
		return packet{}, buf, err
	}
	var p packet
	if err := pb.Unmarshal(buf[:headerSize], &p.header); err != nil {
		return packet{}, buf, err
	}
	n := int(p.header.Length)
	if n < 0 || n > size {
		return packet{}, buf, fmt.Errorf("a packet of %d bytes with %d of data", size, n)
	}
	sum := buf[headerSize : headerSize+size-n]
	p.data = buf[headerSize+size-n:]
	return p, buf, s.check(p.data, sum)
}
