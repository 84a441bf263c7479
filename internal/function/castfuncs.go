package function

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, castRows) }

// castRows are the functions named after types: each casts its argument and is printed as the argument alone.
func castRows() []*Row {
	return group("conversion_funcs",
		castRow("boolean", types.Boolean, "'true'", "true"),
		castRow("tinyint", types.Byte, "'12'", "12"),
		castRow("smallint", types.Short, "'12'", "12"),
		castRow("int", types.Int, "'12'", "12"),
		castRow("bigint", types.Long, "'12'", "12"),
		castRow("float", types.Float, "'1.5'", "1.5"),
		castRow("double", types.Double, "'1.5'", "1.5"),
		castRow("decimal", types.Decimal(10, 0), "'12'", "12"),
		castRow("date", types.Date, "'2024-02-29'", "2024-02-29"),
		castRow("timestamp", types.Timestamp, "'2024-02-29 12:00:00'", "2024-02-29 12:00:00"),
		castRow("binary", types.Binary, "'Spark'", "Spark"),
		castRow("string", types.String, "12", "12"),
	)
}

func castRow(name string, t types.Type, arg, result string) *Row {
	return &Row{Name: name, Kind: Special, Since: "2.0.1", Usage: name + "(expr): the value as type " + t.SQL() + ".",
		Bind: func(env *BindEnv, call *expr.Func) (expr.Expr, error) {
			if err := needArgs(call, 1, 1); err != nil {
				return nil, err
			}
			return CastCall(env, call.Args[0], t, call.At)
		},
		Examples: exs(name+"("+arg+")", result)}
}

// CastCall is e as type t by a cast that prints as e alone; refused where no such cast exists.
func CastCall(env *BindEnv, e expr.Expr, t types.Type, at *expr.Origin) (expr.Expr, error) {
	c := &expr.Cast{Child: e, To: t, Mode: mode(env), Implicit: true, At: at}
	if err := Castable(c); err != nil {
		return nil, err
	}
	return c, nil
}

// Castable refuses casts that do not exist; under ANSI rules the message names what would help.
func Castable(c *expr.Cast) error {
	from, ansi := c.Child.Type(), c.Mode != expr.CastLegacy
	if types.CanCast(from, c.To, ansi) {
		return nil
	}
	shown := *c
	shown.Implicit = false
	kv := []string{"sqlExpr", quoted(shown.SQL()), "srcType", quoted(from.SQL()), "targetType", quoted(c.To.SQL())}
	fn := convertFunctions(from, c.To)
	switch {
	case ansi && fn != "" && c.Mode != expr.CastTry:
		return sparkerr.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(kv, "functionNames", fn)...)
	case !ansi || c.Mode == expr.CastTry || !types.CanCast(from, c.To, false):
		return sparkerr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", kv...)
	}
	return sparkerr.New("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", append(kv, "config", `"spark.sql.ansi.enabled"`, "configVal", "'false'")...)
}

// convertFunctions are the functions that convert where ANSI has no cast.
func convertFunctions(from, to types.Type) string {
	switch {
	case to.Kind == types.DateKind && from.IsNumeric():
		return "`DATE_FROM_UNIX_DATE`"
	case to.IsNumeric() && from.Kind == types.DateKind:
		return "`UNIX_DATE`"
	case to.IsNumeric() && from.Kind == types.TimestampKind && to.Kind != types.LongKind:
		return "`UNIX_SECONDS`/`UNIX_MILLIS`/`UNIX_MICROS`"
	}
	return ""
}
