package parquet

import "encoding/binary"

// thriftOut writes Thrift's compact protocol.
type thriftOut struct {
	b    []byte
	last []int16 // id of the last field of each open struct
}

func (w *thriftOut) uvarint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *thriftOut) varint(v int64)   { w.uvarint(uint64(v<<1) ^ uint64(v>>63)) }

// open and close enclose a struct's fields.
func (w *thriftOut) open() { w.last = append(w.last, 0) }
func (w *thriftOut) close() {
	w.b = append(w.b, tStop)
	w.last = w.last[:len(w.last)-1]
}

func (w *thriftOut) field(id int16, typ byte) {
	last := &w.last[len(w.last)-1]
	if d := id - *last; d > 0 && d < 16 {
		w.b = append(w.b, byte(d)<<4|typ)
	} else {
		w.b = append(w.b, typ)
		w.varint(int64(id))
	}
	*last = id
}

func (w *thriftOut) i32(id int16, v int32) { w.field(id, tI32); w.varint(int64(v)) }
func (w *thriftOut) i64(id int16, v int64) { w.field(id, tI64); w.varint(v) }
func (w *thriftOut) i8(id int16, v int8)   { w.field(id, tByte); w.b = append(w.b, byte(v)) }

func (w *thriftOut) bool(id int16, v bool) {
	if v {
		w.field(id, tTrue)
	} else {
		w.field(id, tFalse)
	}
}

func (w *thriftOut) bytes(id int16, v []byte) {
	w.field(id, tBinary)
	w.rawBytes(v)
}

func (w *thriftOut) rawBytes(v []byte) {
	w.uvarint(uint64(len(v)))
	w.b = append(w.b, v...)
}

func (w *thriftOut) string(id int16, v string) { w.bytes(id, []byte(v)) }

// list begins a list field of n elements.
func (w *thriftOut) list(id int16, typ byte, n int) {
	w.field(id, tList)
	if n < 15 {
		w.b = append(w.b, byte(n)<<4|typ)
		return
	}
	w.b = append(w.b, 0xf0|typ)
	w.uvarint(uint64(n))
}

// sub is a struct field.
func (w *thriftOut) sub(id int16, f func()) {
	w.field(id, tStruct)
	w.open()
	f()
	w.close()
}
