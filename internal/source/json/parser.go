// Package json reads and writes JSON records as Spark does.
package json

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/source/csv"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Options are a reader's options.
type Options struct {
	Syntax
	Mode             csv.Mode
	Formats          csv.Formats
	Zone             *time.Location
	PrimitivesAsText bool // inference: numbers and booleans are text
	PrefersDecimal   bool // inference: decimals for fractions
	InferTimestamp   bool
	DropNullFields   bool // inference: leave out fields that are always null
	CorruptColumn    string
}

// Parser turns records into rows of the wanted columns.
type Parser struct {
	o       Options
	s       scanner
	cols    []*rows.Column
	root    *node
	n       int
	corrupt int
	block   int
	off     int
	bad     bool // a value of the record did not fit its type
	failed  bool // of the member that is read now
}

// node is where values of one column go.
type node struct {
	col    *rows.Column
	kids   []*node
	fields map[string]int // struct: positions among kids
}

func newNode(c *rows.Column) *node {
	n := &node{col: c}
	for _, k := range c.Kids {
		n.kids = append(n.kids, newNode(k))
	}
	if c.Type.Kind == types.StructKind {
		n.fields = map[string]int{}
		for i, f := range c.Type.Fields() {
			n.fields[f.Name] = i
		}
	}
	return n
}

// NewParser makes a parser that yields the fields; the one named as the corrupt column gets the text of bad records.
func NewParser(o Options, fields []types.Field, blocks *rows.Blocks) *Parser {
	p := &Parser{o: o, corrupt: -1, root: &node{fields: map[string]int{}}}
	p.s.Syntax = o.Syntax
	for i, f := range fields {
		c := rows.NewColumn(f.Type, blocks)
		p.cols = append(p.cols, c)
		p.root.kids = append(p.root.kids, newNode(c))
		if f.Name == o.CorruptColumn && f.Type.Kind == types.StringKind {
			p.corrupt = i
			continue
		}
		p.root.fields[f.Name] = i
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

// bom is the mark of UTF-8, which a text may begin with.
var bom = []byte("\xef\xbb\xbf")

// Record reads a text that lies at offset off of a block (block < 0: texts are copied): an object is a row, an array
// a row for each of its elements. What follows the first value is not looked at.
func (p *Parser) Record(b []byte, block, off int) error {
	p.s.b, p.s.p, p.s.depth = b, 0, 0
	if bytes.HasPrefix(b, bom) {
		p.s.p = len(bom)
	}
	p.block, p.off = block, off
	start := p.n
	k, err := p.s.peek()
	switch {
	case !utf8.Valid(b):
		err = errSyntax
	case err != nil:
	case k == arrayKind:
		err = p.array(b)
	case k == objectKind:
		err = p.row(b)
	default:
		err = errSyntax
	}
	if errors.Is(err, errSyntax) {
		p.truncate(start)
		return p.badRow(b)
	}
	return err
}

func (p *Parser) truncate(n int) {
	p.n = n
	for _, c := range p.cols {
		c.Truncate(n)
	}
}

func (p *Parser) array(b []byte) error {
	more, err := p.s.enter(']')
	for more && err == nil {
		var k kind
		if k, err = p.s.peek(); err != nil {
			return err
		}
		if k != objectKind {
			return errSyntax
		}
		if err = p.row(b); err == nil {
			more, err = p.s.after(']')
		}
	}
	return err
}

// row reads an object as a row.
func (p *Parser) row(b []byte) error {
	p.bad = false
	if err := p.members(p.root, p.n); err != nil {
		return err
	}
	if p.bad && p.o.Mode != csv.Permissive {
		return p.reject()
	}
	p.endRow(b, p.bad)
	return nil
}

// badRow adds the row of a record that is no JSON.
func (p *Parser) badRow(b []byte) error {
	if p.o.Mode != csv.Permissive {
		return p.reject()
	}
	for i, c := range p.cols {
		if i != p.corrupt {
			c.Null()
		}
	}
	p.endRow(b, true)
	return nil
}

func (p *Parser) endRow(b []byte, bad bool) {
	p.n++
	if p.corrupt < 0 {
		return
	}
	if bad {
		text, _ := rows.UTF8(bytes.TrimPrefix(b, bom))
		p.cols[p.corrupt].Text(text)
	} else {
		p.cols[p.corrupt].Null()
	}
}

// reject takes back what was read of the row, or fails.
func (p *Parser) reject() error {
	if p.o.Mode == csv.FailFast {
		return sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", p.lastRow(), "failFastMode", "FAILFAST")
	}
	p.truncate(p.n)
	return nil
}

func (p *Parser) lastRow() string {
	var parts []string
	for i, c := range p.cols {
		if i == p.corrupt {
			continue
		}
		var v any
		if c.Len() > p.n {
			vec := c.Vector()
			v = vec.ValueAt(p.n)
		}
		parts = append(parts, string(types.AppendValue(nil, v, c.Type, p.o.Zone)))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// members reads an object's members into the kids of a node, row n of each; kids without a member get null.
func (p *Parser) members(at *node, n int) error {
	more, err := p.s.enter('}')
	for more && err == nil {
		var name []byte
		if name, err = p.s.name(); err != nil {
			return err
		}
		if i, ok := at.fields[string(name)]; ok {
			kid := at.kids[i]
			if kid.col.Len() > n { // a name that comes twice: the last counts
				kid.col.Truncate(n)
			}
			if err = p.value(kid); p.failed { // what did not fit may lie deep within arrays and maps
				p.bad, p.failed = true, false
				kid.col.Truncate(n)
				kid.col.Null()
			}
		} else {
			err = p.s.skip()
		}
		if err == nil {
			more, err = p.s.after('}')
		}
	}
	if err != nil {
		return err
	}
	for i, k := range at.kids {
		if k.col.Len() == n && !(at == p.root && i == p.corrupt) {
			k.col.Null()
		}
	}
	return nil
}

// value appends the next value to a column; one that does not fit makes the member null that it is part of, and the record bad.
func (p *Parser) value(to *node) error {
	k, err := p.s.peek()
	if err != nil {
		return err
	}
	c := to.col
	switch {
	case k == nullKind:
		if _, err := p.s.scalar(k); err != nil {
			return err
		}
		c.Null()
		return nil
	case k == objectKind && c.Type.Kind == types.StructKind:
		if err := p.members(to, c.Len()); err != nil {
			return err
		}
		c.End()
		return nil
	case k == objectKind && c.Type.Kind == types.MapKind:
		return p.mapOf(to)
	case k == arrayKind && c.Type.Kind == types.ArrayKind:
		return p.list(to)
	case k == textKind:
		return p.textValue(c)
	case c.Type.Kind == types.StringKind:
		start := p.s.p
		if err := p.s.skip(); err != nil {
			return err
		}
		p.text(c, p.s.b[start:p.s.p], false, start)
		return nil
	case k == objectKind || k == arrayKind:
		if err := p.s.skip(); err != nil {
			return err
		}
		p.misfit(c)
		return nil
	}
	t, err := p.s.scalar(k)
	if err != nil {
		return err
	}
	if !p.scalar(c, t.kind, rows.String(p.s.b[t.from:t.to])) {
		p.misfit(c)
	}
	return nil
}

func (p *Parser) misfit(c *rows.Column) {
	p.failed = true
	c.Null()
}

func (p *Parser) list(to *node) error {
	more, err := p.s.enter(']')
	for more && err == nil {
		if err = p.value(to.kids[0]); err == nil {
			more, err = p.s.after(']')
		}
	}
	if err == nil {
		to.col.End()
	}
	return err
}

func (p *Parser) mapOf(to *node) error {
	more, err := p.s.enter('}')
	for more && err == nil {
		var name []byte
		if name, err = p.s.name(); err != nil {
			return err
		}
		to.kids[0].col.Text(name)
		if err = p.value(to.kids[1]); err == nil {
			more, err = p.s.after('}')
		}
	}
	if err == nil {
		to.col.End()
	}
	return err
}

// text appends bytes that lie at position at of the record, unless they were copied.
func (p *Parser) text(c *rows.Column, v []byte, copied bool, at int) {
	if copied || p.block < 0 {
		c.Text(v)
		return
	}
	c.View(v, p.block, p.off+at)
}

// textValue reads a string for a column of any type.
func (p *Parser) textValue(c *rows.Column) error {
	at := p.s.p + 1
	v, copied, err := p.s.text()
	if err != nil {
		return err
	}
	ok := true
	switch c.Type.Kind {
	case types.StringKind:
		p.text(c, v, copied, at)
	case types.BinaryKind:
		raw := make([]byte, base64.StdEncoding.DecodedLen(len(v)))
		n, err := base64.StdEncoding.Decode(raw, v)
		if ok = err == nil; ok {
			c.Text(raw[:n])
		}
	case types.FloatKind, types.DoubleKind:
		ok = p.namedFloat(c, rows.String(v))
	case types.DecimalKind:
		ok = decimal(c, rows.String(v))
	default:
		ok = p.datetime(c, rows.String(v))
	}
	if !ok {
		p.misfit(c)
	}
	return nil
}

func (p *Parser) namedFloat(c *rows.Column, s string) bool {
	if !p.o.NonNumericNumbers {
		return false
	}
	var v float64
	switch s {
	case "NaN":
		v = math.NaN()
	case "Infinity", "+Infinity", "INF", "+INF":
		v = math.Inf(1)
	case "-Infinity", "-INF":
		v = math.Inf(-1)
	default:
		return false
	}
	float(c, v)
	return true
}

func float(c *rows.Column, v float64) {
	if c.Type.Kind == types.FloatKind {
		c.Float(float32(v))
	} else {
		c.Double(v)
	}
}

func decimal(c *rows.Column, s string) bool {
	v, scale, ok := types.ParseDecimal(s)
	if ok {
		if v, ok = types.ToDecimal(v, scale, c.Type); ok {
			c.Decimal(v)
		}
	}
	return ok
}

func (p *Parser) datetime(c *rows.Column, s string) (ok bool) {
	var v int64
	switch c.Type.Kind {
	case types.DateKind:
		var d int32
		d, ok = p.o.Formats.Date(s)
		v = int64(d)
	case types.TimestampKind:
		v, ok = p.o.Formats.Timestamp(s)
	case types.TimestampNTZKind:
		v, ok = p.o.Formats.TimestampNTZ(s)
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

// scalar appends a boolean or a number; false if it does not fit the type.
func (p *Parser) scalar(c *rows.Column, k kind, s string) bool {
	switch t := c.Type.Kind; {
	case k == trueKind || k == falseKind:
		if t != types.BooleanKind {
			return false
		}
		c.Bool(k == trueKind)
		return true
	case t == types.FloatKind:
		v, ok := number(k, s, 32)
		if ok {
			c.Float(float32(v))
		}
		return ok
	case t == types.DoubleKind:
		v, ok := number(k, s, 64)
		if ok {
			c.Double(v)
		}
		return ok
	case k == nanKind:
		return false
	case t == types.DecimalKind:
		return decimal(c, s)
	case k != intKind:
		return false
	}
	return integer(c, s)
}

func number(k kind, s string, bits int) (float64, bool) {
	if k == nanKind {
		switch {
		case s == "NaN":
			return math.NaN(), true
		case s[0] == '-':
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	return rows.ParseFloat(s, bits)
}

// integer appends a whole number; for a timestamp it is seconds.
func integer(c *rows.Column, s string) bool {
	lo, hi := int64(math.MinInt64), int64(math.MaxInt64)
	scale := int64(1)
	switch c.Type.Kind {
	case types.ByteKind:
		lo, hi = math.MinInt8, math.MaxInt8
	case types.ShortKind:
		lo, hi = math.MinInt16, math.MaxInt16
	case types.IntKind:
		lo, hi = math.MinInt32, math.MaxInt32
	case types.LongKind:
	case types.TimestampKind:
		scale = 1e6
	default:
		return false
	}
	v, ok := types.ParseLong(s, lo/scale, hi/scale, false)
	if ok {
		c.Int(v * scale)
	}
	return ok
}
