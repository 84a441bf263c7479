package tpch

import (
	"strconv"
	"time"
)

// Batch holds rows of one table by columns. The zero value is ready for use.
type Batch struct {
	Rows    int
	Columns []Vector
}

// Vector holds one column of a batch; which slices are set depends on the
// column's kind. Int64, Int32 and Ends have one element per row.
type Vector struct {
	Int64 []int64
	Int32 []int32
	Text  []byte  // all strings, one after the other
	Ends  []int32 // the end of each string in Text
}

// String is the string of a row of a Text vector. It shares Text's memory.
func (v *Vector) String(row int) []byte {
	begin := int32(0)
	if row > 0 {
		begin = v.Ends[row-1]
	}
	return v.Text[begin:v.Ends[row]]
}

// reset gives the batch the table's columns with room for the rows. Text is
// emptied, all else is left to be overwritten.
func (b *Batch) reset(t *Table, rows int) {
	if len(b.Columns) != len(t.Columns) {
		b.Columns = make([]Vector, len(t.Columns))
	}
	b.Rows = rows
	for i := range b.Columns {
		v := &b.Columns[i]
		switch t.Columns[i].Kind {
		case Int64, Decimal:
			v.Int64 = sized(v.Int64, rows)
		case Int32, Date, Coded:
			v.Int32 = sized(v.Int32, rows)
		case Text:
			v.Ends = sized(v.Ends, rows)
			v.Text = v.Text[:0]
		}
	}
}

// sized is s with n elements of any content.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8)
	}
	return s[:n]
}

// AppendRow appends a row as text: every value followed by a bar, decimals
// with two places, dates as yyyy-mm-dd.
func (t *Table) AppendRow(dst []byte, b *Batch, row int) []byte {
	for i := range t.Columns {
		c, v := &t.Columns[i], &b.Columns[i]
		switch c.Kind {
		case Int64:
			dst = strconv.AppendInt(dst, v.Int64[row], 10)
		case Int32:
			dst = strconv.AppendInt(dst, int64(v.Int32[row]), 10)
		case Decimal:
			dst = appendDecimal(dst, v.Int64[row])
		case Date:
			dst = time.Unix(int64(v.Int32[row])*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
		case Coded:
			dst = append(dst, c.Values[v.Int32[row]]...)
		case Text:
			dst = append(dst, v.String(row)...)
		}
		dst = append(dst, '|')
	}
	return dst
}

// appendDecimal appends hundredths with two decimal places.
func appendDecimal(dst []byte, v int64) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	dst = strconv.AppendInt(dst, v/100, 10)
	return append(dst, '.', byte('0'+v/10%10), byte('0'+v%10))
}

// appendPadded appends a positive number, with zeros before it up to width.
func appendPadded(dst []byte, v int64, width int) []byte {
	var digits [20]byte
	at := len(digits)
	for v > 0 || len(digits)-at < width {
		at--
		digits[at] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, digits[at:]...)
}
