package arrowipc

import (
	"encoding/binary"
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Decode reads a whole stream. The batches have the types that Arrow's map to; text is not copied, so data must not
// change as long as they live. A malformed stream gives an error, a type that Spark lacks UNSUPPORTED_ARROWTYPE.
func Decode(data []byte) (schema *types.Schema, batches []*columnar.Batch, err error) {
	defer func() { // the flatbuffer accessors panic on offsets that lead out of the message
		if recover() != nil {
			err = malformed("a size or an offset in it leads out of it")
		}
	}()
	d := &decoder{dicts: map[int64]*columnar.Vector{}}
	for len(data) >= 8 {
		var m ipcMessage
		if data, err = m.read(data); err != nil {
			return nil, nil, err
		}
		if m.meta == nil {
			break
		}
		if err := d.message(&m); err != nil {
			return nil, nil, err
		}
	}
	if d.fields == nil {
		return nil, nil, malformed("there is no schema")
	}
	return d.schema, d.batches, nil
}

func malformed(format string, args ...any) error {
	return sparkerr.New("INTERNAL_ERROR", "message", "malformed Arrow stream: "+fmt.Sprintf(format, args...))
}

// ipcMessage is one encapsulated message.
type ipcMessage struct {
	meta   *flatbuffers.Table
	header byte
	body   []byte
}

// read takes a message off data; meta is nil at the end of the stream.
func (m *ipcMessage) read(data []byte) ([]byte, error) {
	size := binary.LittleEndian.Uint32(data)
	if size == continuation { // since 0.15
		size, data = binary.LittleEndian.Uint32(data[4:]), data[4:]
	}
	data = data[4:]
	if size == 0 {
		return nil, nil
	}
	if uint64(size) > uint64(len(data)) || size < 8 {
		return nil, malformed("a message of %d bytes in %d", size, len(data))
	}
	meta := data[:size]
	data = data[size:]
	m.meta = &flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	body := m.meta.GetInt64Slot(slot(3), 0)
	if body < 0 || body > int64(len(data)) {
		return nil, malformed("a body of %d bytes in %d", body, len(data))
	}
	m.header = m.meta.GetByteSlot(slot(1), 0)
	m.body = data[:body]
	return data[body:], nil
}

type decoder struct {
	fields  []field
	schema  *types.Schema
	dicts   map[int64]*columnar.Vector
	batches []*columnar.Batch
}

func (d *decoder) message(m *ipcMessage) error {
	header, ok := child(m.meta, 2)
	if !ok {
		return malformed("a message without a header")
	}
	switch {
	case m.header == headerSchema:
		return d.readSchema(header)
	case d.fields == nil:
		return malformed("data before the schema")
	case m.header == headerDictionary:
		return d.readDictionary(header, m.body)
	case m.header == headerRecordBatch:
		cols, n, err := d.readBatch(header, m.body, d.fields)
		if err == nil {
			d.batches = append(d.batches, &columnar.Batch{Schema: d.schema, Cols: cols, N: n})
		}
		return err
	}
	return malformed("message kind %d", m.header)
}

func (d *decoder) readDictionary(t *flatbuffers.Table, body []byte) error {
	id := t.GetInt64Slot(slot(0), 0)
	f := findDictionary(d.fields, id)
	batch, ok := child(t, 1)
	if f == nil || !ok || t.GetBoolSlot(slot(2), false) {
		return malformed("dictionary %d is unknown, empty or a delta", id)
	}
	plain := *f
	plain.index = nil
	cols, _, err := d.readBatch(batch, body, []field{plain})
	if err == nil {
		d.dicts[id] = &cols[0]
	}
	return err
}

func findDictionary(fs []field, id int64) *field {
	for i := range fs {
		if fs[i].index != nil && fs[i].dict == id {
			return &fs[i]
		}
		if f := findDictionary(fs[i].kids, id); f != nil {
			return f
		}
	}
	return nil
}

// readBatch reads the columns of a record batch.
func (d *decoder) readBatch(t *flatbuffers.Table, body []byte, fields []field) ([]columnar.Vector, int, error) {
	n := t.GetInt64Slot(slot(0), 0)
	if n < 0 || n > 1<<31 {
		return nil, 0, malformed("%d rows", n)
	}
	r := &batchReader{d: d, body: body}
	r.nodes, r.nodeN = structs(t, 1)
	r.bufs, r.bufN = structs(t, 2)
	if c, ok := child(t, 3); ok {
		codec := c.GetByteSlot(slot(0), 0)
		r.codec = &codec
	}
	cols := make([]columnar.Vector, len(fields))
	for i := range fields {
		v, err := r.column(&fields[i])
		if err != nil {
			return nil, 0, err
		}
		if v.N != int(n) {
			return nil, 0, malformed("column %s has %d rows of %d", fields[i].name, v.N, n)
		}
		cols[i] = v
	}
	return cols, int(n), nil
}

// child is the table in a field of t.
func child(t *flatbuffers.Table, n int) (*flatbuffers.Table, bool) {
	o := t.Offset(slot(n))
	if o == 0 {
		return nil, false
	}
	return &flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + flatbuffers.UOffsetT(o))}, true
}

// children are the tables in a vector field of t.
func children(t *flatbuffers.Table, n int) []*flatbuffers.Table {
	o := t.Offset(slot(n))
	if o == 0 {
		return nil
	}
	at := t.Vector(flatbuffers.UOffsetT(o))
	count := t.VectorLen(flatbuffers.UOffsetT(o))
	if count < 0 || count > len(t.Bytes)/4 {
		panic("a vector longer than its message")
	}
	out := make([]*flatbuffers.Table, count)
	for i := range out {
		out[i] = &flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at + flatbuffers.UOffsetT(4*i))}
	}
	return out
}

// structs is the vector of 16-byte structs in a field of t, and their number.
func structs(t *flatbuffers.Table, n int) ([]byte, int) {
	o := t.Offset(slot(n))
	if o == 0 {
		return nil, 0
	}
	at := t.Vector(flatbuffers.UOffsetT(o))
	count := t.VectorLen(flatbuffers.UOffsetT(o))
	return t.Bytes[at : int(at)+16*count], count
}

func text(t *flatbuffers.Table, n int) string {
	o := t.Offset(slot(n))
	if o == 0 {
		return ""
	}
	return string(t.ByteVector(t.Pos + flatbuffers.UOffsetT(o)))
}
