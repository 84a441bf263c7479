package function

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/jsonval"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// scalarReader reads dates and times from text by the options of from_json and from_csv.
type scalarReader struct {
	dateFormat, timestampFormat, ntzFormat string
	zoneName                               string
	zone                                   zones
	date, timestamp, ntz                   pattern
}

func (r *scalarReader) init(o textOptions) {
	r.dateFormat, r.timestampFormat, r.ntzFormat, r.zoneName = o.get("dateFormat", ""), o.get("timestampFormat", ""), o.get("timestampNTZFormat", ""), o.get("timeZone", "")
	r.date.parsing, r.timestamp.parsing, r.ntz.parsing = true, true, true
}

// timeValue reads a date or timestamp.
func (r *scalarReader) timeValue(c *kernel.Ctx, t types.Type, s string) (any, bool) {
	ctx := *c
	if r.zoneName != "" {
		ctx.Session = new(kernel.Session)
		*ctx.Session = *c.Session
		if z, err := r.zone.of(r.zoneName); err == nil {
			ctx.Session.Zone = z
		}
	}
	switch t.Kind {
	case types.DateKind:
		if r.dateFormat == "" {
			v, ok := types.ParseDate(s)
			return v, ok
		}
		us, ok, err := r.date.parse(&ctx, s, r.dateFormat, true, expr.CastTry, "")
		return int32(types.FloorDiv(us, types.MicrosPerDay)), ok && err == nil
	case types.TimestampKind:
		if r.timestampFormat == "" {
			v, ok := types.ParseTimestamp(s, ctx.Zone, c.Now)
			return v, ok
		}
		us, ok, err := r.timestamp.parse(&ctx, s, r.timestampFormat, false, expr.CastTry, "")
		return us, ok && err == nil
	case types.TimestampNTZKind:
		if r.ntzFormat == "" {
			v, ok := types.ParseTimestampNTZ(s, false)
			return v, ok
		}
		us, ok, err := r.ntz.parse(&ctx, s, r.ntzFormat, true, expr.CastTry, "")
		return us, ok && err == nil
	case types.YearMonthKind:
		v, ok := types.ParseYearMonth(s, t)
		return v, ok
	case types.DayTimeKind:
		v, ok := types.ParseDayTime(s, t)
		return v, ok
	case types.TimeKind:
		v, ok := types.ParseTime(s)
		return v, ok
	}
	return nil, false
}

func smallInteger(t types.Type, v int64) (any, bool) {
	switch t.Kind {
	case types.ByteKind:
		return int8(v), v == int64(int8(v))
	case types.ShortKind:
		return int16(v), v == int64(int16(v))
	case types.IntKind:
		return int32(v), v == int64(int32(v))
	}
	return v, true
}

// jsonReader turns JSON texts to values of a type. In a bad record only what does not fit is null.
type jsonReader struct {
	t        types.Type
	doc      jsonval.Doc
	scalar   scalarReader
	failFast bool
	corrupt  int // field of the struct that takes bad records, -1
	c        *kernel.Ctx
	bad      bool
}

func (r *jsonReader) read(c *kernel.Ctx, s string) (any, error) {
	r.c, r.bad = c, false
	var v any
	ok := r.doc.Parse(s)
	if ok {
		v, ok = r.root()
	}
	if ok && !r.bad {
		return v, nil
	}
	if r.failFast {
		return nil, sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", s, "failFastMode", "FAILFAST")
	}
	if r.t.Kind != types.StructKind {
		return v, nil
	}
	row, isRow := v.([]any)
	if !isRow {
		row = make([]any, len(r.t.Fields()))
	}
	if r.corrupt >= 0 {
		row[r.corrupt] = s
	}
	return row, nil
}

func (r *jsonReader) root() (any, bool) {
	d := &r.doc
	switch {
	case r.t.Kind == types.StructKind && d.Kind(0) == jsonval.Array:
		if k := d.First(0); k >= 0 && d.Next(k) < 0 && d.Kind(k) == jsonval.Object {
			return r.value(r.t, k)
		}
		return nil, false
	case d.Kind(0) == jsonval.Null:
		return nil, r.t.Kind != types.StructKind
	case r.t.Kind == types.ArrayKind && r.t.Elem().Kind == types.StructKind && d.Kind(0) == jsonval.Object:
		v, ok := r.value(r.t.Elem(), 0)
		return []any{v}, ok
	}
	return r.value(r.t, 0)
}

// value converts one JSON value; false when it does not fit the type.
func (r *jsonReader) value(t types.Type, v int32) (any, bool) {
	d := &r.doc
	kind := d.Kind(v)
	if kind == jsonval.Null {
		return nil, true
	}
	switch t.Kind {
	case types.StringKind:
		if kind == jsonval.Text {
			return string(d.AppendText(nil, v)), true
		}
		return strings.Clone(d.Raw(v)), true
	case types.BooleanKind:
		return kind == jsonval.True, kind == jsonval.True || kind == jsonval.False
	case types.ByteKind, types.ShortKind, types.IntKind, types.LongKind:
		if kind != jsonval.Integer {
			return nil, false
		}
		n, ok := types.ParseLong(d.Raw(v), math.MinInt64, math.MaxInt64, false)
		if !ok {
			return nil, false
		}
		return smallInteger(t, n)
	case types.FloatKind, types.DoubleKind:
		return r.float(t, v)
	case types.DecimalKind:
		if kind != jsonval.Integer && kind != jsonval.Real && kind != jsonval.Text {
			return nil, false
		}
		n, scale, ok := types.ParseDecimal(d.Raw(v))
		if !ok {
			return nil, false
		}
		n, ok = types.ToDecimal(n, scale, t)
		return n, ok
	case types.BinaryKind:
		b, err := base64.StdEncoding.DecodeString(string(d.AppendText(nil, v)))
		return b, kind == jsonval.Text && err == nil
	case types.ArrayKind:
		return r.list(t, v)
	case types.MapKind:
		return r.entries(t, v)
	case types.StructKind:
		return r.record(t, v)
	}
	if kind == jsonval.Integer && t.Kind == types.TimestampKind {
		n, ok := types.ParseLong(d.Raw(v), math.MinInt64, math.MaxInt64, false)
		us := types.MulInt64(n, types.MicrosPerSecond)
		return us.Int64(), ok && us.Fits64()
	}
	if kind != jsonval.Text {
		return nil, false
	}
	return r.scalar.timeValue(r.c, t, string(d.AppendText(nil, v)))
}

func (r *jsonReader) float(t types.Type, v int32) (any, bool) {
	kind := r.doc.Kind(v)
	s := r.doc.Raw(v)
	var f float64
	switch s {
	case "NaN":
		f = math.NaN()
	case "Infinity", "+Infinity", "INF", "+INF":
		f = math.Inf(1)
	case "-Infinity", "-INF":
		f = math.Inf(-1)
	default:
		if kind != jsonval.Integer && kind != jsonval.Real {
			return nil, false
		}
		bits := 64
		if t.Kind == types.FloatKind {
			bits = 32
		}
		f, _ = strconv.ParseFloat(s, bits)
	}
	if t.Kind == types.FloatKind {
		return float32(f), true
	}
	return f, true
}

func (r *jsonReader) list(t types.Type, v int32) (any, bool) {
	if r.doc.Kind(v) != jsonval.Array {
		return nil, false
	}
	out := []any{}
	for k := r.doc.First(v); k >= 0; k = r.doc.Next(k) {
		x, ok := r.value(t.Elem(), k)
		if !ok {
			return nil, false
		}
		out = append(out, x)
	}
	return out, true
}

func (r *jsonReader) entries(t types.Type, v int32) (any, bool) {
	if r.doc.Kind(v) != jsonval.Object {
		return nil, false
	}
	m := types.MapValue{Keys: []any{}, Values: []any{}}
	for k := r.doc.First(v); k >= 0; k = r.doc.Next(k) {
		x, ok := r.value(t.Elem(), k)
		if !ok {
			return nil, false
		}
		m.Keys, m.Values = append(m.Keys, strings.Clone(r.doc.Key(k))), append(m.Values, x)
	}
	return m, t.Key().Kind == types.StringKind
}

func (r *jsonReader) record(t types.Type, v int32) (any, bool) {
	if r.doc.Kind(v) != jsonval.Object {
		return nil, false
	}
	row := make([]any, len(t.Fields()))
	for k := r.doc.First(v); k >= 0; k = r.doc.Next(k) {
		key := r.doc.Key(k)
		for i, f := range t.Fields() {
			if f.Name != key {
				continue
			}
			x, ok := r.value(f.Type, k)
			if !ok {
				r.bad, x = true, nil
			}
			row[i] = x
		}
	}
	return row, true
}

// jsonWriter prints values as JSON.
type jsonWriter struct {
	c         *kernel.Ctx
	t         types.Type
	options   textOptions
	skipNulls bool
	date      pattern
	stamp     pattern
}

func (w *jsonWriter) append(dst []byte, t types.Type, v any) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case float32:
		return appendJSONFloat(dst, float64(x), 32), nil
	case float64:
		return appendJSONFloat(dst, x, 64), nil
	case string:
		return jsonval.AppendQuoted(dst, x), nil
	case []byte:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), x)
		return append(dst, '"'), nil
	case types.MapValue:
		return w.entries(dst, t, x)
	case []any:
		switch t.Kind {
		case types.StructKind:
			return w.record(dst, t, x)
		case types.VariantKind:
			v, _ := variantOf(x)
			return v.AppendJSON(dst, w.c.Zone), nil
		}
		dst = append(dst, '[')
		for i, e := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = w.append(dst, t.Elem(), e); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	switch t.Kind {
	case types.DateKind, types.TimestampKind, types.TimestampNTZKind:
		return w.timeText(dst, t, v)
	case types.YearMonthKind, types.DayTimeKind, types.CalendarKind, types.TimeKind:
		return jsonval.AppendQuoted(dst, string(types.AppendValue(nil, v, t, nil))), nil
	}
	return types.AppendValue(dst, v, t, nil), nil
}

func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return jsonval.AppendQuoted(dst, types.FormatFloat(f, bits))
	}
	return append(dst, types.FormatFloat(f, bits)...)
}

func (w *jsonWriter) timeText(dst []byte, t types.Type, v any) ([]byte, error) {
	text, err := w.plainTime(nil, t, v, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd'T'HH:mm:ss.SSS")
	if err != nil {
		return dst, err
	}
	return jsonval.AppendQuoted(dst, string(text)), nil
}

// plainTime prints a date or timestamp by the options' formats, or by the given ones.
func (w *jsonWriter) plainTime(dst []byte, t types.Type, v any, zoned, local string) ([]byte, error) {
	switch t.Kind {
	case types.DateKind:
		format := w.options.get("dateFormat", "")
		if format == "" {
			return types.AppendDate(dst, v.(int32)), nil
		}
		f, err := w.date.of(format)
		if err != nil {
			return dst, err
		}
		return f.Append(dst, v.(int32), 0, w.c.Zone, 0), nil
	case types.TimestampKind:
		dst, _, err := w.stamp.appendTimestamp(w.c, dst, v.(int64), w.options.get("timestampFormat", zoned))
		return dst, err
	}
	f, err := w.date.of(w.options.get("timestampNTZFormat", local))
	if err != nil {
		return dst, err
	}
	us := v.(int64)
	day := types.FloorDiv(us, types.MicrosPerDay)
	return f.Append(dst, int32(day), (us-day*types.MicrosPerDay)*1000, w.c.Zone, 0), nil
}

func (w *jsonWriter) record(dst []byte, t types.Type, row []any) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for _, i := range w.order(t) {
		f := t.Fields()[i]
		if row[i] == nil && w.skipNulls {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsonval.AppendQuoted(dst, f.Name), ':')
		var err error
		if dst, err = w.append(dst, f.Type, row[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (w *jsonWriter) entries(dst []byte, t types.Type, m types.MapValue) ([]byte, error) {
	dst = append(dst, '{')
	for i, k := range m.Keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		key := string(types.AppendValue(nil, k, t.Key(), w.c.Zone))
		if t.Key().Kind == types.StructKind {
			key = strings.ReplaceAll("["+key[1:len(key)-1]+"]", ", ", ",")
		}
		dst = append(jsonval.AppendQuoted(dst, key), ':')
		var err error
		if dst, err = w.append(dst, t.Elem(), m.Values[i]); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// order is the order in which fields are written.
func (w *jsonWriter) order(t types.Type) []int {
	at := make([]int, len(t.Fields()))
	for i := range at {
		at[i] = i
	}
	if w.options.is("sortKeys", false) {
		slices.SortStableFunc(at, func(a, b int) int { return strings.Compare(t.Fields()[a].Name, t.Fields()[b].Name) })
	}
	return at
}
