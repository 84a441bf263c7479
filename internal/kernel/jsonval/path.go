package jsonval

import "strconv"

type stepKind uint8

const (
	named     stepKind = iota // .name or ['name']
	anyField                  // .*
	index                     // [n]
	anyMember                 // [*]
)

type step struct {
	kind stepKind
	name string
	n    int
}

// Path is a parsed path of get_json_object.
type Path struct{ steps []step }

// ParsePath reads $, .name, ['name'], [n], .* and [*]; false for anything else.
func ParsePath(s string) (*Path, bool) {
	p := &Path{}
	if s == "" || s[0] != '$' {
		return nil, false
	}
	for s = s[1:]; s != ""; {
		switch {
		case s[0] == '.':
			n := 1
			for n < len(s) && s[n] != '.' && s[n] != '[' {
				n++
			}
			name := s[1:n]
			if name == "" {
				return nil, false
			}
			if name == "*" {
				p.steps = append(p.steps, step{kind: anyField})
			} else {
				p.steps = append(p.steps, step{kind: named, name: name})
			}
			s = s[n:]
		case s[0] == '[' && len(s) > 2 && s[1] == '\'':
			n := 2
			for n < len(s) && s[n] != '\'' {
				n++
			}
			if n+1 >= len(s) || s[n+1] != ']' || n == 2 {
				return nil, false
			}
			if s[2:n] == "*" {
				p.steps = append(p.steps, step{kind: anyField})
			} else {
				p.steps = append(p.steps, step{kind: named, name: s[2:n]})
			}
			s = s[n+2:]
		case s[0] == '[':
			n := 1
			for n < len(s) && s[n] != ']' {
				n++
			}
			if n == len(s) {
				return nil, false
			}
			if s[1:n] == "*" {
				p.steps = append(p.steps, step{kind: anyMember})
			} else {
				v, err := strconv.Atoi(s[1:n])
				if err != nil || v < 0 {
					return nil, false
				}
				p.steps = append(p.steps, step{kind: index, n: v})
			}
			s = s[n+1:]
		default:
			return nil, false
		}
	}
	return p, true
}

type style uint8

const (
	raw style = iota
	quoted
	flat
)

// Append adds what the path finds in the document; false when there is nothing.
func (p *Path) Append(dst []byte, d *Doc) ([]byte, bool) {
	w := walker{d: d, out: dst}
	ok := w.eval(0, p.steps, raw)
	return w.out, ok
}

// walker writes matches. In an array that it writes, comma says that an element stands before.
type walker struct {
	d     *Doc
	out   []byte
	comma bool
}

func (w *walker) separate() {
	if w.comma {
		w.out = append(w.out, ',')
	}
}

// open and close write an array; they give back what the array around it was at.
func (w *walker) open() bool {
	w.separate()
	w.out = append(w.out, '[')
	saved := w.comma
	w.comma = false
	return saved
}

func (w *walker) close() {
	w.out = append(w.out, ']')
	w.comma = true
}

func (w *walker) eval(v int32, steps []step, s style) bool {
	d := w.d
	kind := d.Kind(v)
	if len(steps) == 0 {
		switch {
		case s == raw && kind == Text:
			w.out = d.AppendText(w.out, v)
			return true
		case s == flat && kind == Array:
			any := false
			for k := d.First(v); k >= 0; k = d.Next(k) {
				any = w.eval(k, nil, flat) || any
			}
			return any
		}
		if s != raw {
			w.separate()
		}
		w.out = d.AppendJSON(w.out, v)
		w.comma = s != raw
		return true
	}
	st, rest := steps[0], steps[1:]
	switch {
	case kind == Object && st.kind == named: // .* finds nothing in an object
		for k := d.First(v); k >= 0; k = d.Next(k) {
			if d.Key(k) == st.name && d.Kind(k) != Null && w.eval(k, rest, s) {
				return true
			}
		}
	case kind == Array && st.kind == anyMember && len(rest) > 0 && rest[0].kind == anyMember:
		w.open()
		any := w.members(v, rest[1:], flat) > 0
		w.close()
		return any
	case kind == Array && st.kind == anyMember && s != quoted:
		return w.unwrapped(v, rest, s)
	case kind == Array && st.kind == anyMember:
		w.open()
		any := w.members(v, rest, quoted) > 0
		w.close()
		return any
	case kind == Array && st.kind == index:
		k := d.First(v)
		for n := st.n; n > 0 && k >= 0; n-- {
			k = d.Next(k)
		}
		if k < 0 {
			return false
		}
		if len(rest) > 0 && rest[0].kind == anyMember {
			s = quoted
		}
		return w.eval(k, rest, s)
	}
	return false
}

// members evaluates all elements and counts those that gave something.
func (w *walker) members(v int32, rest []step, s style) int {
	n := 0
	for k := w.d.First(v); k >= 0; k = w.d.Next(k) {
		if w.eval(k, rest, s) {
			n++
		}
	}
	return n
}

// unwrapped writes the matches as an array, a single one without the brackets.
func (w *walker) unwrapped(v int32, rest []step, s style) bool {
	next := quoted
	if s == flat {
		next = flat
	}
	start, comma := len(w.out), w.comma
	saved := w.open()
	n := w.members(v, rest, next)
	w.close()
	switch n {
	case 0:
		w.out, w.comma = w.out[:start], saved
	case 1:
		open := start
		if comma {
			open++
		}
		w.out = append(w.out[:open], w.out[open+1:len(w.out)-1]...)
	}
	return n > 0
}
