package csv

import (
	"bytes"
)

// Dialect says how a record is cut into fields. Zero bytes switch Quote, Escape and Comment off.
type Dialect struct {
	Sep           []byte
	Quote, Escape byte
	EscapeEscape  byte // what escapes Escape inside quotes
	Comment       byte
	TrimLeft      bool
	TrimRight     bool
	MultiLine     bool // line ends inside quotes belong to the value
	LineEnd       byte // of MultiLine: what ends records; 0: any of the usual ends. See Lines
}

// Lines prepares a file of multi-line records: its first line end is that of all its records, as Spark's reader has it. Ends of
// two bytes become one, inside of values too.
func (d *Dialect) Lines(b []byte) []byte {
	d.LineEnd = '\n'
	i := bytes.IndexAny(b, "\r\n")
	switch {
	case i < 0 || b[i] == '\n':
	case i+1 < len(b) && b[i+1] == '\n':
		return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	default:
		d.LineEnd = '\r'
	}
	return b
}

// Field is one field of a record.
type Field struct {
	Text   []byte // a part of the input, or of the tokenizer's buffer when Copied
	Quoted bool
	Copied bool
}

// Tokenizer cuts records into fields. The fields hold until the next record.
type Tokenizer struct {
	d      Dialect
	fields []Field
	buf    []byte
}

// NewTokenizer makes a tokenizer.
func NewTokenizer(d Dialect) *Tokenizer { return &Tokenizer{d: d} }

// Record cuts one record off the front of b and returns its fields and the number of bytes taken, line end included. In
// b that holds a single line without its end that is all of b.
func (t *Tokenizer) Record(b []byte) ([]Field, int) {
	t.fields, t.buf = t.fields[:0], t.buf[:0]
	pos := 0
	for {
		f, next, more := t.field(b, pos)
		t.fields = append(t.fields, f)
		pos = next
		if !more {
			return t.fields, pos
		}
	}
}

// lineEnd is the length of a line end at b[i]; only files of multi-line records have any.
func (t *Tokenizer) lineEnd(b []byte, i int) int {
	if !t.d.MultiLine {
		return 0
	}
	switch {
	case t.d.LineEnd != 0:
		if b[i] == t.d.LineEnd {
			return 1
		}
		return 0
	case b[i] == '\n':
		return 1
	case b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n':
		return 2
	case b[i] == '\r':
		return 1
	}
	return 0
}

func (t *Tokenizer) sepAt(b []byte, i int) bool {
	return b[i] == t.d.Sep[0] && (len(t.d.Sep) == 1 || bytes.HasPrefix(b[i:], t.d.Sep))
}

// end says whether a value ends at i, and how much of the input its end takes; more: another field follows.
func (t *Tokenizer) end(b []byte, i int) (size int, more, ok bool) {
	switch {
	case i == len(b):
		return 0, false, true
	case t.sepAt(b, i):
		return len(t.d.Sep), true, true
	}
	n := t.lineEnd(b, i)
	return n, false, n > 0
}

func (t *Tokenizer) field(b []byte, pos int) (f Field, next int, more bool) {
	if t.d.TrimLeft {
		pos = t.skipSpace(b, pos)
	}
	if t.d.Quote != 0 && pos < len(b) && b[pos] == t.d.Quote {
		return t.quoted(b, pos)
	}
	return t.plain(b, pos, pos)
}

func (t *Tokenizer) skipSpace(b []byte, pos int) int {
	for pos < len(b) && b[pos] <= ' ' && t.lineEnd(b, pos) == 0 && !t.sepAt(b, pos) {
		pos++
	}
	return pos
}

// plain takes everything from start to the next separator after pos.
func (t *Tokenizer) plain(b []byte, start, pos int) (Field, int, bool) {
	i, size, more := t.findEnd(b, pos)
	text := b[start:i]
	if t.d.TrimRight {
		text = bytes.TrimRightFunc(text, func(r rune) bool { return r <= ' ' })
	}
	return Field{Text: text}, i + size, more
}

func (t *Tokenizer) findEnd(b []byte, pos int) (i, size int, more bool) {
	if !t.d.MultiLine {
		k := bytes.Index(b[pos:], t.d.Sep)
		if k < 0 {
			return len(b), 0, false
		}
		return pos + k, len(t.d.Sep), true
	}
	for i = pos; ; i++ {
		if size, more, ok := t.end(b, i); ok {
			return i, size, more
		}
	}
}

// quoted takes a value that begins with a quote at pos. A quote inside it that is neither escaped nor followed by the
// value's end makes the whole a value without quoting, up to the next separator.
func (t *Tokenizer) quoted(b []byte, pos int) (Field, int, bool) {
	start := pos + 1
	from := len(t.buf)
	copied := false
	keep := func(i int) { // what is before i, when something is left out
		t.buf = append(t.buf, b[start:i]...)
		copied = true
	}
	text := func(i int) []byte {
		if !copied {
			return b[start:i]
		}
		t.buf = append(t.buf, b[start:i]...)
		return t.buf[from:]
	}
	q, e := t.d.Quote, t.d.Escape
	for i := start; i < len(b); i++ {
		c := b[i]
		if c == e && i+1 < len(b) && (b[i+1] == q || e != q && t.d.EscapeEscape == e && b[i+1] == e) {
			keep(i)
			start = i + 1
			i++
			continue
		}
		if e != q && t.d.EscapeEscape != 0 && c == t.d.EscapeEscape && i+1 < len(b) && b[i+1] == e {
			keep(i)
			start = i + 1
			i++
			continue
		}
		if c != q {
			continue
		}
		j := t.skipSpace(b, i+1)
		if size, more, ok := t.end(b, j); ok {
			return Field{Text: text(i), Quoted: true, Copied: copied}, j + size, more
		}
		t.buf = t.buf[:from]
		f, next, more := t.plain(b, pos, i+1)
		if n := len(f.Text); n > 2 && bytes.Count(f.Text, []byte{q}) == n { // nothing but quotes
			f = Field{Text: f.Text[1 : n-1], Quoted: true}
		}
		return f, next, more
	}
	return Field{Text: text(len(b)), Quoted: true, Copied: copied}, len(b), false
}
