package rpc

import "sync"

// Outbox sends values of a type, usually an interface with a Union, as messages: in order, and all that wait together. It
// ends with its connection.
type Outbox[T any] struct {
	conn   *Conn
	codec  *Codec
	method string
	failed func(v T, err error)

	mu     sync.Mutex
	queue  []T
	closed bool
	wake   chan struct{}
	done   chan struct{}
}

// batchBytes is about the size at which a message is sent though more values wait.
const batchBytes = 1 << 20

// NewOutbox starts an outbox. failed is told of values that cannot be encoded, on the outbox's goroutine; it may Put others.
func NewOutbox[T any](c *Conn, codec *Codec, method string, failed func(v T, err error)) *Outbox[T] {
	o := &Outbox[T]{conn: c, codec: codec, method: method, failed: failed, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go o.run()
	return o
}

// Put queues a value. It does not block.
func (o *Outbox[T]) Put(v T) {
	o.mu.Lock()
	o.queue = append(o.queue, v)
	first := len(o.queue) == 1
	o.mu.Unlock()
	if first {
		o.signal()
	}
}

func (o *Outbox[T]) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Close sends what is queued and waits until the connection has taken it over. Values that are put later are lost.
func (o *Outbox[T]) Close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.signal()
	<-o.done
}

func (o *Outbox[T]) run() {
	defer close(o.done)
	var batch []T
	for {
		o.mu.Lock()
		batch, o.queue = o.queue, batch[:0]
		closed := o.closed
		o.mu.Unlock()
		o.send(batch)
		clear(batch)
		if closed && len(batch) == 0 {
			return
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-o.wake:
		case <-o.conn.Done():
			return
		}
	}
}

func (o *Outbox[T]) send(batch []T) {
	var buf []byte
	for i := range batch {
		next, err := o.codec.Append(buf, &batch[i])
		if err != nil {
			buf = next[:len(buf)]
			o.failed(batch[i], err)
			continue
		}
		if buf = next; len(buf) >= batchBytes {
			_ = o.conn.Send(o.method, buf) // who cares watches the connection
			buf = nil
		}
	}
	if len(buf) > 0 {
		_ = o.conn.Send(o.method, buf)
	}
}

// ReadBatch gives the values of a message of an Outbox to take, in order.
func ReadBatch[T any](codec *Codec, body []byte, take func(T)) error {
	for len(body) > 0 {
		var v T
		rest, err := codec.Next(body, &v)
		if err != nil {
			return err
		}
		if len(rest) == len(body) {
			return ErrMalformed
		}
		take(v)
		body = rest
	}
	return nil
}
