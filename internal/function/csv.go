package function

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, csvRows) }

func csvRows() []*Row {
	return group("csv_funcs",
		fn("from_csv", "3.0.0", "from_csv(csv, schema[, options]): the struct of a CSV line by a schema.", nil, fromCSV, "from_csv('1, 0.8', 'a INT, b DOUBLE')", "{1, 0.8}").binds(bindFromText("from_csv")),
		fn("to_csv", "3.0.0", "to_csv(struct[, options]): the struct as a CSV line.", nil, toCSV, "to_csv(named_struct('a', 1, 'b', 2))", "1,2").binds(bindToCSV),
		boundRow("schema_of_csv", "3.0.0", "schema_of_csv(csv[, options]): the schema of a CSV line, in SQL's form.", bindSchemaOfJSON, schemaOfCSV, "schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>"),
	)
}

// csvFormat is how a line is written.
type csvFormat struct {
	sep           string
	quote, escape byte
	null          string
	trimLeft      bool
	trimRight     bool
}

func newCSVFormat(o textOptions) csvFormat {
	f := csvFormat{sep: o.get("sep", o.get("delimiter", ",")), null: o.get("nullValue", ""), trimLeft: o.is("ignoreLeadingWhiteSpace", false), trimRight: o.is("ignoreTrailingWhiteSpace", false)}
	one := func(name string, otherwise byte) byte {
		if s, ok := o[strings.ToLower(name)]; ok {
			if s == "" {
				return 0
			}
			return s[0]
		}
		return otherwise
	}
	f.quote, f.escape = one("quote", '"'), one("escape", '\\')
	return f
}

type csvToken struct {
	text   string
	quoted bool
}

// split takes a line apart. A quoted value ends at a quote before a separator or the end.
func (f *csvFormat) split(s string) []csvToken {
	var out []csvToken
	for {
		tok, rest, more := f.token(s)
		out = append(out, tok)
		if !more {
			return out
		}
		s = rest
	}
}

func (f *csvFormat) token(s string) (tok csvToken, rest string, more bool) {
	if f.quote != 0 && s != "" && s[0] == f.quote {
		if t, n, ok := f.quotedToken(s); ok {
			if n == len(s) {
				return csvToken{t, true}, "", false
			}
			return csvToken{t, true}, s[n+len(f.sep):], true
		}
	}
	t, rest, more := strings.Cut(s, f.sep)
	if f.trimLeft {
		t = strings.TrimLeft(t, " \t")
	}
	if f.trimRight {
		t = strings.TrimRight(t, " \t")
	}
	return csvToken{text: t}, rest, more
}

func (f *csvFormat) quotedToken(s string) (text string, n int, ok bool) {
	var b []byte
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case f.escape != 0 && c == f.escape && c != f.quote && i+1 < len(s) && (s[i+1] == f.quote || s[i+1] == f.escape):
			i++
			b = append(b, s[i])
		case c == f.quote && (i+1 == len(s) || strings.HasPrefix(s[i+1:], f.sep)):
			return string(b), i + 1, true
		case c == f.quote && f.escape == f.quote && i+1 < len(s) && s[i+1] == f.quote:
			b = append(b, c)
			i++
		case c == f.quote: // a stray quote: the value is as it stands
			return "", 0, false
		default:
			b = append(b, c)
		}
	}
	return "", 0, false
}

func fromCSV(call *expr.Call) (kernel.Func, error) {
	o := optionsOf(call)
	f := newCSVFormat(o)
	var scalar scalarReader
	scalar.init(o)
	fields := call.T.Fields()
	corrupt := -1
	var plain []int
	for i, x := range fields {
		if x.Name == o.get("columnNameOfCorruptRecord", "_corrupt_record") && x.Type.Kind == types.StringKind {
			corrupt = i
		} else {
			plain = append(plain, i)
		}
	}
	failFast := strings.EqualFold(o.get("mode", ""), "FAILFAST")
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
		line, ok := row[0].(string)
		if !ok {
			return nil, nil
		}
		out, bad := make([]any, len(fields)), false
		for k, tok := range f.split(line) {
			if k >= len(plain) {
				break
			}
			v, ok := csvValue(c, &f, &scalar, fields[plain[k]].Type, tok)
			bad = bad || !ok
			out[plain[k]] = v
		}
		if bad && failFast {
			return nil, sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", line, "failFastMode", "FAILFAST")
		}
		if bad && corrupt >= 0 {
			out[corrupt] = line
		}
		return out, nil
	}), nil
}

// csvValue converts one value; false when it does not fit.
func csvValue(c *kernel.Ctx, f *csvFormat, scalar *scalarReader, t types.Type, tok csvToken) (any, bool) {
	s := tok.text
	if s == f.null && !tok.quoted || s == "" && t.Kind != types.StringKind {
		return nil, true
	}
	switch t.Kind {
	case types.StringKind:
		return s, true
	case types.BinaryKind:
		return []byte(s), true
	}
	s = types.TrimAll(s)
	switch t.Kind {
	case types.BooleanKind:
		switch strings.ToLower(s) {
		case "true", "false":
			return len(s) == 4, true
		}
		return nil, false
	case types.ByteKind, types.ShortKind, types.IntKind, types.LongKind:
		v, ok := types.ParseLong(s, math.MinInt64, math.MaxInt64, false)
		if !ok {
			return nil, false
		}
		x, ok := smallInteger(t, v)
		if !ok {
			return nil, false
		}
		return x, true
	case types.FloatKind:
		v, ok := types.ParseFloat(s, 32)
		return orNull(float32(v), ok)
	case types.DoubleKind:
		v, ok := types.ParseFloat(s, 64)
		return orNull(v, ok)
	case types.DecimalKind:
		v, scale, ok := types.ParseDecimal(s)
		if ok {
			v, ok = types.ToDecimal(v, scale, t)
		}
		return orNull(v, ok)
	}
	v, ok := scalar.timeValue(c, t, s)
	return orNull(v, ok)
}

func orNull(v any, ok bool) (any, bool) {
	if !ok {
		return nil, false
	}
	return v, true
}

func bindToCSV(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := needArgs(call, 1, 2); err != nil {
		return nil, err
	}
	r, _ := Lookup("to_csv")
	a := call.Args[0]
	if a.Type().Kind != types.StructKind && a.Type().Kind != types.NullKind {
		return nil, wrongType(call, 0, tStruct, a)
	}
	args := []expr.Expr{a}
	if len(call.Args) == 2 {
		o, err := foldOptions(env, call.Args[1])
		if err != nil {
			return nil, err
		}
		args = append(args, o)
	}
	return r.call(env, call, types.String, true, args...), nil
}

func toCSV(call *expr.Call) (kernel.Func, error) {
	o := optionsOf(call)
	f := newCSVFormat(o)
	f.trimLeft, f.trimRight = o.is("ignoreLeadingWhiteSpace", true), o.is("ignoreTrailingWhiteSpace", true)
	w := &jsonWriter{t: call.Args[0].Type(), options: o}
	all := o.is("quoteAll", false)
	return func(c *kernel.Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		w.c = c
		var failed error
		v := kernel.TextRows(c, n, func(dst []byte, i int) ([]byte, bool) {
			row, ok := args[0].ValueAt(i).([]any)
			if !ok || failed != nil {
				return dst, false
			}
			start := len(dst)
			for k, x := range row {
				if k > 0 {
					dst = append(dst, f.sep...)
				}
				var err error
				if dst, err = f.appendValue(dst, w, w.t.Fields()[k].Type, x, all); err != nil {
					failed = err
				}
			}
			return dst, len(row) > 1 || len(dst) > start
		})
		return v, failed
	}, nil
}

func (f *csvFormat) appendValue(dst []byte, w *jsonWriter, t types.Type, v any, all bool) ([]byte, error) {
	if v == nil {
		return append(dst, f.null...), nil
	}
	var s string
	switch t.Kind {
	case types.DateKind, types.TimestampKind, types.TimestampNTZKind:
		b, err := w.plainTime(nil, t, v, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "yyyy-MM-dd'T'HH:mm:ss.SSS")
		if err != nil {
			return dst, err
		}
		s = string(b)
	default:
		s = string(types.AppendValue(nil, v, t, w.c.Zone))
	}
	if f.trimLeft {
		s = strings.TrimLeft(s, " \t")
	}
	if f.trimRight {
		s = strings.TrimRight(s, " \t")
	}
	if s == "" {
		return append(dst, '"', '"'), nil
	}
	if f.quote == 0 || !all && !strings.Contains(s, f.sep) && strings.IndexByte(s, f.quote) < 0 && !strings.ContainsAny(s, "\n\r") {
		return append(dst, s...), nil
	}
	dst = append(dst, f.quote)
	for i := 0; i < len(s); i++ {
		if s[i] == f.quote && f.escape != 0 {
			dst = append(dst, f.escape)
		}
		dst = append(dst, s[i])
	}
	return append(dst, f.quote), nil
}

func schemaOfCSV(call *expr.Call) (kernel.Func, error) {
	f := newCSVFormat(optionsOf(call))
	return kernel.EachRow(call.T, func(c *kernel.Ctx, row []any) (any, error) {
		s, _ := row[0].(string)
		var fields []types.Field
		for i, tok := range f.split(s) {
			fields = append(fields, types.Field{Name: "_c" + itoa(int64(i)), Type: inferCSV(c, tok.text), Nullable: true})
		}
		return types.Struct(fields...).SQL(), nil
	}), nil
}

// inferCSV is the narrowest type that a value fits.
func inferCSV(c *kernel.Ctx, s string) types.Type {
	if s == "" {
		return types.String
	}
	if v, ok := types.ParseLong(s, math.MinInt64, math.MaxInt64, false); ok {
		if v == int64(int32(v)) {
			return types.Int
		}
		return types.Long
	}
	if v, scale, ok := types.ParseDecimal(s); ok && scale == 0 && types.IsDecimalText(s) && !strings.ContainsAny(s, ".eE") {
		return types.Decimal(v.Digits(), 0)
	}
	if _, ok := types.ParseFloat(s, 64); ok {
		return types.Double
	}
	if _, ok := types.ParseDate(s); ok && len(s) == 10 {
		return types.Date
	}
	if _, ok := types.ParseTimestamp(s, c.Zone, c.Now); ok && len(s) > 10 {
		return types.Timestamp
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.Boolean
	}
	return types.String
}
