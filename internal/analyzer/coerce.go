package analyzer

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// castable refuses casts that do not exist; under ANSI rules the message names what would help.
func (r *resolver) castable(c *expr.Cast) error {
	from := c.Child.Type()
	ansi := c.Mode != expr.CastLegacy
	if types.CanCast(from, c.To, ansi) {
		return nil
	}
	kv := []string{"sqlExpr", r.sqlExpr(c), "srcType", sqlType(from), "targetType", sqlType(c.To)}
	switch {
	case !ansi || c.Mode == expr.CastTry || !types.CanCast(from, c.To, false):
		if fn := convertFunctions(from, c.To); fn != "" && ansi && c.Mode != expr.CastTry {
			return sparkerr.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(kv, "functionNames", fn)...)
		}
		return sparkerr.New("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", kv...)
	case convertFunctions(from, c.To) != "":
		return sparkerr.New("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(kv, "functionNames", convertFunctions(from, c.To))...)
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
