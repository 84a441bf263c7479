package csv

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// SafeHeader makes column names of the fields of a header: empty ones are numbered, those that come more than once get
// their position.
func SafeHeader(fields []Field, nullValue string, caseSensitive bool) []string {
	names := make([]string, len(fields))
	count := map[string]int{}
	key := func(s string) string {
		if caseSensitive {
			return s
		}
		return strings.ToLower(s)
	}
	for i, f := range fields {
		names[i] = string(f.Text)
		count[key(names[i])]++
	}
	for i, n := range names {
		switch {
		case n == "" || n == nullValue:
			names[i] = fmt.Sprintf("_c%d", i)
		case count[key(n)] > 1:
			names[i] = n + strconv.Itoa(i)
		}
	}
	return names
}

// NumberedHeader makes the names _c0, _c1 …
func NumberedHeader(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("_c%d", i)
	}
	return names
}

// Inferrer finds the narrowest types that hold all values of a file's columns.
type Inferrer struct {
	o     *Options
	types []types.Type
	// StrictDate reads dates for inference, where the option has no say.
	StrictDate func(s string) bool
}

// NewInferrer infers n columns.
func NewInferrer(o *Options, n int) *Inferrer {
	in := &Inferrer{o: o, types: make([]types.Type, n), StrictDate: isoDate}
	for i := range in.types {
		in.types[i] = types.Null
	}
	return in
}

// isoDate is yyyy-MM-dd.
func isoDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	_, ok := types.ParseDate(s)
	return ok
}

// Add looks at a record.
func (in *Inferrer) Add(fields []Field) {
	for i := range min(len(fields), len(in.types)) {
		s := string(fields[i].Text)
		if s == "" || s == in.o.NullValue || in.types[i].Kind == types.StringKind {
			continue
		}
		in.types[i] = widen(in.types[i], in.guess(s, in.types[i]))
	}
}

// Types are the columns' types; columns without values are text.
func (in *Inferrer) Types() []types.Type {
	out := append([]types.Type(nil), in.types...)
	for i, t := range out {
		if t.Kind == types.NullKind {
			out[i] = types.String
		}
	}
	return out
}

// order is the order in which types are tried; a column never goes back to an earlier one.
var order = map[types.Kind]int{types.NullKind: 0, types.IntKind: 0, types.LongKind: 1, types.DecimalKind: 2, types.DoubleKind: 3, types.DateKind: 4,
	types.TimestampKind: 5, types.BooleanKind: 6}

func (in *Inferrer) guess(s string, soFar types.Type) types.Type {
	from := order[soFar.Kind]
	if from <= 1 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			if from == 0 && n == int64(int32(n)) {
				return types.Int
			}
			return types.Long
		}
	}
	if from <= 2 {
		if v, scale, ok := types.ParseDecimal(s); ok && scale == 0 && !strings.ContainsAny(s, ".eE") {
			return types.Decimal(max(v.Digits(), 1), 0)
		}
	}
	if from <= 3 {
		if _, ok := in.o.float(s, 64); ok {
			return types.Double
		}
	}
	if from <= 4 && in.StrictDate(s) {
		return types.Date
	}
	if from <= 5 {
		if _, ok := in.o.Formats.Timestamp(s); ok {
			return types.Timestamp
		}
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.Boolean
	}
	return types.String
}

// widen is the type for values of two types.
func widen(a, b types.Type) types.Type {
	if t, ok := types.Tightest(a, b); ok {
		return t
	}
	number := func(t types.Type) bool { return t.IsNumeric() }
	switch {
	case number(a) && number(b) && (a.Kind == types.DoubleKind || b.Kind == types.DoubleKind):
		return types.Double
	case number(a) && number(b):
		return types.WiderDecimal(types.DecimalFor(a), types.DecimalFor(b))
	case a.IsDatetime() && b.IsDatetime():
		return types.Timestamp
	}
	return types.String
}
