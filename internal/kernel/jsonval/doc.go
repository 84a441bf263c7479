// Package jsonval reads JSON as Spark's functions do: single quotes are fine, and what follows the value is not looked at.
package jsonval

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/types"
)

// Kind is the kind of a JSON value.
type Kind uint8

// The kinds. Integer and Real are numbers without and with a fraction or exponent.
const (
	Null Kind = iota
	True
	False
	Integer
	Real
	Text
	Array
	Object
)

// Options allow more than JSON.
type Options struct {
	Unquoted     bool // names without quotes
	LeadingZeros bool
	NoQuotes     bool // single quotes are refused
	Comments     bool
	AnyEscape    bool // a backslash before any character
	Controls     bool // control characters in texts
	NoSpecial    bool // NaN and Infinity are refused
}

// node is one value; texts and numbers are ranges of the source.
type node struct {
	kind     Kind
	escaped  bool // the text has escapes
	keyEsc   bool
	from, to int32
	keyFrom  int32
	keyTo    int32
	first    int32 // first element or field, -1
	next     int32 // next sibling, -1
}

// Doc is a parsed value; it is reused from text to text. Value 0 is the root.
type Doc struct {
	Options
	src   string
	i     int
	nodes []node
	depth int
}

// Parse reads one value at the start of s; false when it is malformed.
func (d *Doc) Parse(s string) bool {
	d.src, d.i, d.nodes, d.depth = s, 0, d.nodes[:0], 0
	_, ok := d.value()
	return ok
}

// End is where the value ended in the source.
func (d *Doc) End() int { return d.i }

func (d *Doc) blanks() {
	for d.i < len(d.src) {
		switch d.src[d.i] {
		case ' ', '\t', '\n', '\r':
			d.i++
		case '/':
			if !d.Comments || d.i+1 == len(d.src) {
				return
			}
			end := -1
			if d.src[d.i+1] == '/' {
				end = strings.IndexByte(d.src[d.i:], '\n')
			} else if k := strings.Index(d.src[d.i:], "*/"); k > 0 {
				end = k + 2
			}
			if end < 0 {
				return
			}
			d.i += end
		default:
			return
		}
	}
}

func (d *Doc) add(n node) int32 {
	n.first, n.next = -1, -1
	d.nodes = append(d.nodes, n)
	return int32(len(d.nodes) - 1)
}

func (d *Doc) value() (int32, bool) {
	d.blanks()
	if d.i >= len(d.src) {
		return 0, false
	}
	switch c := d.src[d.i]; {
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == '"' || c == '\'' && !d.NoQuotes:
		from, to, esc, ok := d.text()
		return d.add(node{kind: Text, from: from, to: to, escaped: esc}), ok
	}
	return d.scalar()
}

func (d *Doc) object() (int32, bool) {
	at := d.add(node{kind: Object, from: int32(d.i)})
	d.i++
	if d.depth++; d.depth > 1000 {
		return at, false
	}
	last := int32(-1)
	d.blanks()
	if d.i < len(d.src) && d.src[d.i] == '}' {
		d.i++
		d.depth--
		d.nodes[at].to = int32(d.i)
		return at, true
	}
	for {
		d.blanks()
		kf, kt, esc, ok := d.name()
		if !ok {
			return at, false
		}
		d.blanks()
		if d.i >= len(d.src) || d.src[d.i] != ':' {
			return at, false
		}
		d.i++
		v, ok := d.value()
		if !ok {
			return at, false
		}
		d.nodes[v].keyFrom, d.nodes[v].keyTo, d.nodes[v].keyEsc = kf, kt, esc
		d.link(at, &last, v)
		if done, ok := d.after('}'); !ok || done {
			d.nodes[at].to = int32(d.i)
			d.depth--
			return at, ok
		}
	}
}

func (d *Doc) link(parent int32, last *int32, v int32) {
	if *last < 0 {
		d.nodes[parent].first = v
	} else {
		d.nodes[*last].next = v
	}
	*last = v
}

// after reads a comma or the end of a container.
func (d *Doc) after(end byte) (done, ok bool) {
	d.blanks()
	if d.i >= len(d.src) {
		return false, false
	}
	c := d.src[d.i]
	d.i++
	return c == end, c == end || c == ','
}

func (d *Doc) array() (int32, bool) {
	at := d.add(node{kind: Array, from: int32(d.i)})
	d.i++
	if d.depth++; d.depth > 1000 {
		return at, false
	}
	last := int32(-1)
	d.blanks()
	if d.i < len(d.src) && d.src[d.i] == ']' {
		d.i++
		d.depth--
		d.nodes[at].to = int32(d.i)
		return at, true
	}
	for {
		v, ok := d.value()
		if !ok {
			return at, false
		}
		d.link(at, &last, v)
		if done, ok := d.after(']'); !ok || done {
			d.nodes[at].to = int32(d.i)
			d.depth--
			return at, ok
		}
	}
}

func (d *Doc) name() (from, to int32, esc, ok bool) {
	if d.i >= len(d.src) {
		return 0, 0, false, false
	}
	if c := d.src[d.i]; c == '"' || c == '\'' && !d.NoQuotes {
		return d.text()
	}
	if !d.Unquoted {
		return 0, 0, false, false
	}
	from = int32(d.i)
	for d.i < len(d.src) && (d.src[d.i] == '_' || d.src[d.i] == '$' || d.src[d.i] >= 0x80 || d.src[d.i]|0x20 >= 'a' && d.src[d.i]|0x20 <= 'z' || d.src[d.i] >= '0' && d.src[d.i] <= '9') {
		d.i++
	}
	return from, int32(d.i), false, int(from) < d.i
}

// text reads a quoted text and gives the range between the quotes.
func (d *Doc) text() (from, to int32, esc, ok bool) {
	quote := d.src[d.i]
	d.i++
	from = int32(d.i)
	for d.i < len(d.src) {
		switch c := d.src[d.i]; {
		case c == quote:
			to = int32(d.i)
			d.i++
			return from, to, esc, true
		case c == '\\':
			esc = true
			if d.i+1 >= len(d.src) || !d.AnyEscape && strings.IndexByte(`"\/bfnrtu'`, d.src[d.i+1]) < 0 {
				return 0, 0, false, false
			}
			if d.src[d.i+1] == '\'' && !d.AnyEscape && quote != '\'' {
				return 0, 0, false, false
			}
			d.i += 2
		case c < ' ' && !d.Controls:
			return 0, 0, false, false
		default:
			d.i++
		}
	}
	return 0, 0, false, false
}

var words = []struct {
	text string
	kind Kind
}{{"true", True}, {"false", False}, {"null", Null}, {"NaN", Real}, {"Infinity", Real}, {"-Infinity", Real}, {"+Infinity", Real}, {"INF", Real}, {"-INF", Real}, {"+INF", Real}}

func (d *Doc) scalar() (int32, bool) {
	rest := d.src[d.i:]
	for _, w := range words {
		if strings.HasPrefix(rest, w.text) && (w.kind != Real || !d.NoSpecial) {
			from := d.i
			d.i += len(w.text)
			if d.i < len(d.src) && (d.src[d.i]|0x20 >= 'a' && d.src[d.i]|0x20 <= 'z' || d.src[d.i] >= '0' && d.src[d.i] <= '9') {
				return 0, false
			}
			return d.add(node{kind: w.kind, from: int32(from), to: int32(d.i)}), true
		}
	}
	return d.number()
}

func (d *Doc) number() (int32, bool) {
	from, kind := d.i, Integer
	if d.i < len(d.src) && d.src[d.i] == '-' {
		d.i++
	}
	start := d.i
	d.digits()
	if d.i == start || d.src[start] == '0' && d.i > start+1 && !d.LeadingZeros {
		return 0, false
	}
	if d.i < len(d.src) && d.src[d.i] == '.' {
		kind = Real
		d.i++
		if at := d.i; d.digits() == at {
			return 0, false
		}
	}
	if d.i < len(d.src) && d.src[d.i]|0x20 == 'e' {
		kind = Real
		d.i++
		if d.i < len(d.src) && (d.src[d.i] == '+' || d.src[d.i] == '-') {
			d.i++
		}
		if at := d.i; d.digits() == at {
			return 0, false
		}
	}
	if d.i < len(d.src) && strings.IndexByte(" \t\r\n,]}:/", d.src[d.i]) < 0 {
		return 0, false
	}
	return d.add(node{kind: kind, from: int32(from), to: int32(d.i)}), true
}

func (d *Doc) digits() int {
	for d.i < len(d.src) && d.src[d.i] >= '0' && d.src[d.i] <= '9' {
		d.i++
	}
	return d.i
}

// Kind is the kind of value v; First and Next walk its parts: -1 at the end.
func (d *Doc) Kind(v int32) Kind   { return d.nodes[v].kind }
func (d *Doc) First(v int32) int32 { return d.nodes[v].first }
func (d *Doc) Next(v int32) int32  { return d.nodes[v].next }

// Raw is the source text of a value: of texts what stands between the quotes.
func (d *Doc) Raw(v int32) string { return d.src[d.nodes[v].from:d.nodes[v].to] }

// Key is the name of a field.
func (d *Doc) Key(v int32) string {
	n := &d.nodes[v]
	if n.keyEsc {
		return string(appendUnescaped(nil, d.src[n.keyFrom:n.keyTo]))
	}
	return d.src[n.keyFrom:n.keyTo]
}

// AppendText adds the characters of a text.
func (d *Doc) AppendText(dst []byte, v int32) []byte {
	n := &d.nodes[v]
	if n.escaped {
		return appendUnescaped(dst, d.src[n.from:n.to])
	}
	return append(dst, d.src[n.from:n.to]...)
}

func appendUnescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := unit(s, i+1)
			i += 4
			if utf16.IsSurrogate(r) && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if both := utf16.DecodeRune(r, unit(s, i+3)); both != utf8.RuneError {
					r = both
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
			i = min(i, len(s))
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func unit(s string, i int) rune {
	if i+4 > len(s) {
		return utf8.RuneError
	}
	v, err := strconv.ParseUint(s[i:i+4], 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(v)
}

// AppendJSON adds a value as compact JSON.
func (d *Doc) AppendJSON(dst []byte, v int32) []byte {
	n := &d.nodes[v]
	switch n.kind {
	case Text:
		if n.escaped {
			return AppendQuoted(dst, string(appendUnescaped(nil, d.src[n.from:n.to])))
		}
		return AppendQuoted(dst, d.src[n.from:n.to])
	case Real:
		return appendReal(dst, d.src[n.from:n.to])
	case Array:
		dst = append(dst, '[')
		for k := n.first; k >= 0; k = d.nodes[k].next {
			if k != n.first {
				dst = append(dst, ',')
			}
			dst = d.AppendJSON(dst, k)
		}
		return append(dst, ']')
	case Object:
		dst = append(dst, '{')
		for k := n.first; k >= 0; k = d.nodes[k].next {
			if k != n.first {
				dst = append(dst, ',')
			}
			dst = append(AppendQuoted(dst, d.Key(k)), ':')
			dst = d.AppendJSON(dst, k)
		}
		return append(dst, '}')
	}
	return append(dst, d.src[n.from:n.to]...)
}

// appendReal prints a number with a fraction as a double.
func appendReal(dst []byte, s string) []byte {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return append(dst, s...)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return AppendQuoted(dst, types.FormatFloat(f, 64))
	}
	return append(dst, types.FormatFloat(f, 64)...)
}

const hexDigits = "0123456789ABCDEF"

// AppendQuoted adds a text in double quotes.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, '"')
}
