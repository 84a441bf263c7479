package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// In is what an argument must be: a concrete type, a class of types, or a choice of these.
type In struct {
	name    string // as error messages print it, e.g. NUMERIC
	accepts func(types.Type) bool
	target  types.Type // what other types are cast to
	any     []In       // a choice, tried in order
	elem    *In        // an array of
	opt     bool       // may be left out
	rep     bool       // may come any number of times (last only)
	min     int        // rep: at least that many
	or      expr.Expr  // value of an optional argument that was left out
	fold    bool       // must be constant
	raw     bool       // passed as it is (lambdas)
}

// exactly is an In of one concrete type.
func exactly(t types.Type) In {
	return In{name: t.SQL(), accepts: func(x types.Type) bool { return x.SameType(t) }, target: t}
}

func class(name string, target types.Type, accepts func(types.Type) bool) In {
	return In{name: name, accepts: accepts, target: target}
}

func kindIs(kinds ...types.Kind) func(types.Type) bool {
	return func(t types.Type) bool {
		for _, k := range kinds {
			if t.Kind == k {
				return true
			}
		}
		return false
	}
}

// The classes of argument types. Use them by value: tInt.optional(), tStr.constant(), tAny.repeated(1), tInt.defaultTo(0).
var (
	tAny       = class("ANY", types.Null, func(types.Type) bool { return true })
	tBool      = exactly(types.Boolean)
	tByte      = exactly(types.Byte)
	tShort     = exactly(types.Short)
	tInt       = exactly(types.Int)
	tLong      = exactly(types.Long)
	tFloat     = exactly(types.Float)
	tDouble    = exactly(types.Double)
	tStr       = class("STRING", types.String, kindIs(types.StringKind))
	tBin       = exactly(types.Binary)
	tDate      = exactly(types.Date)
	tTimestamp = exactly(types.Timestamp)
	tNTZ       = exactly(types.TimestampNTZ)
	tTime      = class("TIME", types.Time, kindIs(types.TimeKind))
	tCalendar  = exactly(types.Calendar)
	tNum       = class("NUMERIC", types.Double, types.Type.IsNumeric)
	tIntegral  = class("INTEGRAL", types.Long, types.Type.IsIntegral)
	tFrac      = class("FRACTIONAL", types.Double, func(t types.Type) bool { return t.IsFractional() || t.Kind == types.DecimalKind })
	tDecimal   = class("DECIMAL", types.Decimal(38, 18), kindIs(types.DecimalKind))
	tAnyTS     = class("ANY TIMESTAMP", types.Timestamp, kindIs(types.TimestampKind, types.TimestampNTZKind))
	tDayTime   = class("INTERVAL DAY TO SECOND", types.DayTime, kindIs(types.DayTimeKind))
	tYearMonth = class("INTERVAL YEAR TO MONTH", types.YearMonth, kindIs(types.YearMonthKind))
	tArray     = class("ARRAY", types.Array(types.Null, true), kindIs(types.ArrayKind))
	tMap       = class("MAP", types.Map(types.Null, types.Null, true), kindIs(types.MapKind))
	tStruct    = class("STRUCT", types.Struct(), kindIs(types.StructKind))
	tVariant   = exactly(types.Variant)
	tStrBin    = oneOf(tStr, tBin)
	tNumInt    = oneOf(tNum, tDayTime, tYearMonth)            // numbers and ANSI intervals
	tNumCal    = oneOf(tNum, tDayTime, tYearMonth, tCalendar) // numbers and all intervals
	tLambda    = In{name: "LAMBDA", raw: true}
)

// oneOf is a choice: an argument of none of the types is cast to the first it can be cast to.
func oneOf(list ...In) In {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = quoted(c.name)
	}
	return In{name: "(" + strings.Join(names, " or ") + ")", any: list, accepts: func(t types.Type) bool {
		for _, c := range list {
			if c.accepts(t) {
				return true
			}
		}
		return false
	}}
}

// arrayOf is an array whose elements are of a class.
func arrayOf(e In) In {
	return In{name: "ARRAY<" + e.name + ">", elem: &e, target: types.Array(e.target, true), accepts: func(t types.Type) bool {
		return t.Kind == types.ArrayKind && e.accepts(t.Elem())
	}}
}

func (c In) optional() In          { c.opt = true; return c }
func (c In) repeated(n int) In     { c.rep, c.min = true, n; return c }
func (c In) constant() In          { c.fold = true; return c }
func (c In) orElse(e expr.Expr) In { c.opt, c.or = true, e; return c }

// defaultTo is an optional argument with a constant in its place when it is left out.
func (c In) defaultTo(v any) In {
	t := c.target
	return c.orElse(expr.NewLiteral(v, t))
}

// printed is the class in an error message: quoted, choices as a list.
func (c In) printed() string {
	if c.any != nil {
		return c.name
	}
	return quoted(c.name)
}

// implicit is the type that a value of type t is cast to for this class; false if it is not accepted.
func (c In) implicit(t types.Type, ansi bool) (types.Type, bool) {
	switch {
	case c.accepts(t):
		return t, true
	case t.Kind == types.NullKind && c.any == nil:
		return c.target, true
	}
	if c.any != nil {
		for _, x := range c.any {
			if ansi && x.target.IsIntegral() && t.IsNumeric() && !t.IsIntegral() {
				continue
			}
			if to, ok := x.implicit(t, ansi); ok {
				return to, true
			}
		}
		return t, false
	}
	switch {
	case t.IsNumeric() && c.name == "DECIMAL":
		return types.DecimalFor(t), true
	case t.IsNumeric() && !t.IsIntegral() && c.name == "INTEGRAL" && ansi:
		return t, false
	case c.elem != nil:
		if t.Kind != types.ArrayKind {
			return t, false
		}
		e, ok := c.elem.implicit(t.Elem(), ansi)
		return types.Array(e, true), ok
	case t.Kind == types.StringKind:
		return c.target, !c.target.IsNested() && c.target.Kind != types.VariantKind && c.target.Kind != types.NullKind && !c.target.IsInterval() &&
			c.target.Kind != types.CalendarKind
	case c.target.IsNested():
		return c.target, c.target.Kind == t.Kind && !emptyNested(c.target) && types.CanStoreAssign(t, c.target)
	}
	return c.target, types.CanStoreAssign(t, c.target)
}

func emptyNested(t types.Type) bool {
	return t.Kind == types.StructKind && len(t.Fields()) == 0 || t.Kind != types.StructKind && t.Elem().Kind == types.NullKind
}

func quoted(s string) string { return `"` + s + `"` }
