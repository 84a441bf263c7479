// Package csv reads and writes character-separated values as Spark does.
package csv

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Mode says what becomes of records that do not fit the schema.
type Mode uint8

// The parse modes.
const (
	Permissive    Mode = iota // null for what cannot be read; the record's text goes to the corrupt column
	DropMalformed             // leave the record out
	FailFast                  // fail
)

// Formats read dates and times; ok is false for other text.
type Formats struct {
	Date         func(s string) (int32, bool)
	Timestamp    func(s string) (int64, bool)
	TimestampNTZ func(s string) (int64, bool)
}

// Options are a reader's options.
type Options struct {
	Dialect
	NullValue, EmptyValue         string
	NaN, PositiveInf, NegativeInf string
	Mode                          Mode
	Formats                       Formats
	Zone                          *time.Location
	MaxColumns, MaxChars          int // of a record and of a value; 0 or less: any number
}

// Parser turns records into rows of the wanted columns.
type Parser struct {
	o       Options
	tok     *Tokenizer
	cols    []*rows.Column
	at      []int // which field each wanted column is; -1: the corrupt record's text
	fields  int   // that a record has; -1: any number is right
	n       int
	corrupt int // position of the corrupt column among cols, -1
}

// NewParser makes a parser of records of the schema's columns that yields the wanted ones, named by position; the column
// named corrupt gets the text of records that do not fit and is not in them.
func NewParser(o Options, schema *types.Schema, want []int, corrupt string, blocks *rows.Blocks) *Parser {
	p := &Parser{o: o, tok: NewTokenizer(o.Dialect), corrupt: -1}
	field := make([]int, len(schema.Fields))
	n := 0
	for i, f := range schema.Fields {
		if f.Name == corrupt && f.Type.Kind == types.StringKind {
			field[i] = -1
			continue
		}
		field[i] = n
		n++
	}
	for k, i := range want {
		p.cols = append(p.cols, rows.NewColumn(schema.Fields[i].Type, blocks))
		p.at = append(p.at, field[i])
		if field[i] < 0 {
			p.corrupt = k
		}
	}
	// A reader of some columns looks at these only, and so do not count the fields.
	if p.fields = n; len(want) < len(schema.Fields) {
		p.fields = -1
	}
	return p
}

// Columns are the wanted columns; Rows is their length.
func (p *Parser) Columns() []*rows.Column { return p.cols }
func (p *Parser) Rows() int               { return p.n }

// Reset begins a new batch.
func (p *Parser) Reset() {
	p.n = 0
	for _, c := range p.cols {
		c.Reset()
	}
}

// Skips says whether a line holds no record: it is blank or a comment.
func (o *Options) Skips(line []byte) bool {
	for i, c := range line {
		if c > ' ' {
			return o.Comment != 0 && i == 0 && c == o.Comment
		}
	}
	return true
}

// Record reads one record off the front of b, which lies at offset off of a block, and returns the bytes taken.
func (p *Parser) Record(b []byte, block, off int) (int, error) {
	fields, n := p.tok.Record(b)
	if err := p.o.check(fields, b[:n]); err != nil {
		return n, err
	}
	bad := p.fields >= 0 && len(fields) != p.fields
	for k, c := range p.cols {
		switch i := p.at[k]; {
		case i < 0:
		case i >= len(fields):
			c.Null()
		default:
			if !p.value(c, &fields[i], b, block, off) {
				c.Null()
				bad = true
			}
		}
	}
	p.n++
	if bad && p.o.Mode != Permissive {
		return n, p.reject()
	}
	if p.corrupt >= 0 {
		c := p.cols[p.corrupt]
		if bad {
			text, _ := rows.UTF8(trimEnd(b[:n]))
			c.Text(text)
		} else {
			c.Null()
		}
	}
	return n, nil
}

// check refuses records that are larger than the options allow, in every mode.
func (o *Options) check(fields []Field, record []byte) error {
	large := o.MaxColumns > 0 && len(fields) > o.MaxColumns
	if o.MaxChars > 0 {
		for i := range fields {
			large = large || len(fields[i].Text) > o.MaxChars && utf8.RuneCount(fields[i].Text) > o.MaxChars
		}
	}
	if !large {
		return nil
	}
	return sparkerr.New("MALFORMED_CSV_RECORD", "badRecord", string(record[:min(len(record), maxShown)]))
}

// maxShown is how much of a record an error shows.
const maxShown = 1000

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// reject takes back the last row, or fails.
func (p *Parser) reject() error {
	if p.o.Mode == FailFast {
		return sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", p.lastRow(), "failFastMode", "FAILFAST")
	}
	p.n--
	for _, c := range p.cols {
		c.Truncate(p.n)
	}
	return nil
}

// lastRow prints the row as far as it could be read.
func (p *Parser) lastRow() string {
	var parts []string
	for k, c := range p.cols {
		if p.at[k] < 0 {
			continue
		}
		v := c.Vector()
		parts = append(parts, string(types.AppendValue(nil, v.ValueAt(c.Len()-1), c.Type, p.o.Zone)))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// value appends a field to a column; false if it is none of the column's type.
func (p *Parser) value(c *rows.Column, f *Field, b []byte, block, off int) bool {
	text := f.Text
	if len(text) == 0 {
		if !f.Quoted {
			c.Null()
			return true
		}
		if p.o.EmptyValue != "" {
			text = []byte(p.o.EmptyValue)
			f = &Field{Text: text, Copied: true}
		}
	}
	if string(text) == p.o.NullValue {
		c.Null()
		return true
	}
	if c.Type.Kind == types.StringKind || c.Type.Kind == types.BinaryKind {
		text, changed := rows.UTF8(text)
		if changed || f.Copied || len(text) == 0 || block < 0 {
			c.Text(text)
		} else {
			c.View(text, block, off+offsetIn(b, text))
		}
		return true
	}
	return p.o.scalar(c, rows.String(text))
}

// offsetIn is where part, a slice of b, begins in it.
func offsetIn(b, part []byte) int { return cap(b) - cap(part) }

// scalar appends a value that is not text.
func (o *Options) scalar(c *rows.Column, s string) bool {
	switch c.Type.Kind {
	case types.BooleanKind:
		t, f := strings.EqualFold(s, "true"), strings.EqualFold(s, "false")
		if t || f {
			c.Bool(t)
		}
		return t || f
	case types.ByteKind:
		return whole(c, s, math.MinInt8, math.MaxInt8)
	case types.ShortKind:
		return whole(c, s, math.MinInt16, math.MaxInt16)
	case types.IntKind:
		return whole(c, s, math.MinInt32, math.MaxInt32)
	case types.LongKind:
		return whole(c, s, math.MinInt64, math.MaxInt64)
	case types.FloatKind:
		v, ok := o.float(s, 32)
		if ok {
			c.Float(float32(v))
		}
		return ok
	case types.DoubleKind:
		v, ok := o.float(s, 64)
		if ok {
			c.Double(v)
		}
		return ok
	case types.DecimalKind:
		v, scale, ok := types.ParseDecimal(s)
		if ok {
			if v, ok = types.ToDecimal(v, scale, c.Type); ok {
				c.Decimal(v)
			}
		}
		return ok
	}
	return o.datetime(c, s)
}

func whole(c *rows.Column, s string, lo, hi int64) bool {
	v, ok := integer(s, lo, hi)
	if ok {
		c.Int(v)
	}
	return ok
}

// integer reads a whole number as Java does: without white space, in the digits of any script.
func integer(s string, lo, hi int64) (int64, bool) {
	if s == "" || s[0] <= ' ' || s[len(s)-1] <= ' ' {
		return 0, false
	}
	if v, ok := types.ParseLong(s, lo, hi, false); ok {
		return v, true
	}
	plain := strings.Map(func(r rune) rune {
		for _, row := range unicode.Nd.R16 { // each row is the ten digits of one or more scripts
			if r >= utf8.RuneSelf && r >= rune(row.Lo) && r <= rune(row.Hi) {
				return '0' + (r-rune(row.Lo))%10
			}
		}
		return r
	}, s)
	if plain == s {
		return 0, false
	}
	return types.ParseLong(plain, lo, hi, false)
}

func (o *Options) float(s string, bits int) (float64, bool) {
	switch s {
	case o.NaN:
		return math.NaN(), true
	case o.PositiveInf:
		return math.Inf(1), true
	case o.NegativeInf:
		return math.Inf(-1), true
	}
	return javaFloat(strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }), bits)
}

// javaFloat reads what Java does: NaN and Infinity in this writing only, hexadecimals with an exponent, d or f at the end.
func javaFloat(s string, bits int) (float64, bool) {
	digits := strings.TrimLeft(s, "+-")
	if digits == "" {
		return 0, false
	}
	if c := digits[0]; (c < '0' || c > '9') && c != '.' {
		if digits != "NaN" && digits != "Infinity" || len(s) > len(digits)+1 {
			return 0, false
		}
	}
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		v, err := strconv.ParseFloat(strings.TrimRight(s, "dDfF"), bits)
		return v, (err == nil || math.IsInf(v, 0)) && strings.ContainsAny(digits, "pP")
	}
	return rows.ParseFloat(s, bits)
}

func (o *Options) datetime(c *rows.Column, s string) (ok bool) {
	var v int64
	switch c.Type.Kind {
	case types.DateKind:
		var d int32
		d, ok = o.Formats.Date(s)
		v = int64(d)
	case types.TimestampKind:
		v, ok = o.Formats.Timestamp(s)
	case types.TimestampNTZKind:
		v, ok = o.Formats.TimestampNTZ(s)
	case types.TimeKind:
		v, ok = types.ParseTime(s)
	case types.YearMonthKind:
		var m int32
		m, ok = types.ParseYearMonth(s, c.Type)
		v = int64(m)
	case types.DayTimeKind:
		v, ok = types.ParseDayTime(s, c.Type)
	}
	if ok {
		c.Int(v)
	}
	return ok
}
