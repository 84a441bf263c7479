package standalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/firesteel/firesteel/internal/rpc"
)

// methodLog asks for a part of what a driver has written: a client asks the master, and the master the worker.
const methodLog = "log"

// logQuery is the question: Stream is stdout or stderr.
type logQuery struct {
	Driver, Stream string
	From           int64
}

// logPart is the answer; nothing when there is no more now.
type logPart struct{ Data []byte }

// partSize is how much of a log travels at a time.
const partSize = 1 << 20

// Log writes what a driver has written so far. It is there until the worker tidies up.
func (c *Client) Log(ctx context.Context, driver, stream string, out io.Writer) error {
	q := logQuery{Driver: driver, Stream: stream}
	for {
		var part logPart
		err := c.do(ctx, func(ctx context.Context, p *Peer) (err error) {
			part, err = askLog(ctx, p.Conn, q)
			return err
		})
		if err != nil || len(part.Data) == 0 {
			return err
		}
		if _, err := out.Write(part.Data); err != nil {
			return err
		}
		q.From += int64(len(part.Data))
	}
}

func askLog(ctx context.Context, c *rpc.Conn, q logQuery) (part logPart, err error) {
	body, err := codec.Append(nil, &q)
	if err != nil {
		return part, err
	}
	if body, err = c.Call(ctx, methodLog, body); err != nil {
		return part, err
	}
	return part, codec.Decode(body, &part)
}

// logOf passes a question for a log on to the worker that runs the driver, or ran it.
func (m *Master) logOf(ctx context.Context, body []byte) ([]byte, error) {
	var q logQuery
	if err := codec.Decode(body, &q); err != nil {
		return nil, err
	}
	v, err := m.View(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := findDriver(v, q.Driver)
	switch {
	case !ok:
		return nil, fmt.Errorf("the master does not know %s", q.Driver)
	case d.Worker == "":
		return nil, fmt.Errorf("%s has not been started: it is %s", d.ID, d.State)
	}
	found := make(chan *peer, 1)
	m.put(input{worker: d.Worker, found: found})
	w, err := await(ctx, m, found)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, fmt.Errorf("the worker %s, which ran %s, is not connected", d.Worker, d.ID)
	}
	return w.conn.Call(ctx, methodLog, body)
}

// readLog reads a part of what a driver has written here.
func (w *Worker) readLog(body []byte) ([]byte, error) {
	var q logQuery
	if err := codec.Decode(body, &q); err != nil {
		return nil, err
	}
	if q.Stream != "stdout" && q.Stream != "stderr" || !strings.HasPrefix(q.Driver, "driver-") || q.Driver != filepath.Base(q.Driver) {
		return nil, fmt.Errorf("there is no %s of %s", q.Stream, q.Driver)
	}
	f, err := os.Open(filepath.Join(w.o.Dir, q.Driver, q.Stream))
	if err != nil {
		return nil, fmt.Errorf("what %s wrote is not here any more: %w", q.Driver, err)
	}
	defer f.Close()
	part := logPart{make([]byte, partSize)}
	n, err := f.ReadAt(part.Data, q.From)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	part.Data = part.Data[:n]
	return codec.Append(nil, &part)
}

// connected is the connection of a worker; nil if there is none.
func (m *Master) connected(worker string) *peer {
	id, ok := m.state.PeerOf(worker)
	if !ok {
		return nil
	}
	return m.peers[id]
}
