package kernel

import (
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

const ansiConf = `"spark.sql.ansi.enabled"`

// Overflow is ARITHMETIC_OVERFLOW with Spark's text: message e.g. "long overflow", hint the function that answers null instead.
func Overflow(message, hint string) error {
	alternative := ""
	if hint != "" {
		alternative = " Use '" + hint + "' to tolerate overflow and return NULL instead."
	}
	return sparkerr.New("ARITHMETIC_OVERFLOW", "message", message, "alternative", alternative, "config", ansiConf)
}

// SmallOverflow is BINARY_ARITHMETIC_OVERFLOW of TINYINT and SMALLINT.
func SmallOverflow(a int64, symbol string, b int64, hint string) error {
	return sparkerr.New("BINARY_ARITHMETIC_OVERFLOW", "value1", strconv.FormatInt(a, 10)+"S", "symbol", symbol, "value2", strconv.FormatInt(b, 10)+"S",
		"functionName", types.Quote(hint))
}

// DivideByZero and RemainderByZero are the errors of / and %.
func DivideByZero() error    { return sparkerr.New("DIVIDE_BY_ZERO", "config", ansiConf) }
func RemainderByZero() error { return sparkerr.New("REMAINDER_BY_ZERO", "config", ansiConf) }

// IntervalOverflow is INTERVAL_ARITHMETIC_OVERFLOW; hint may be empty.
func IntervalOverflow(hint string) error {
	if hint == "" {
		return sparkerr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
	}
	return sparkerr.New("INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", types.Quote(hint))
}

// DecimalOverflow says that a value does not fit the decimal type t.
func DecimalOverflow(value string, t types.Type) error {
	return sparkerr.New("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "value", value, "precision", strconv.Itoa(int(t.Precision)),
		"scale", strconv.Itoa(int(t.Scale)), "config", ansiConf)
}

func castOverflow(v any, from, to types.Type, zone *time.Location) error {
	return sparkerr.New("CAST_OVERFLOW", "value", types.LiteralText(v, from, zone), "sourceType", `"`+from.SQL()+`"`, "targetType", `"`+to.SQL()+`"`, "ansiConfig", ansiConf)
}

func castInvalid(v any, from, to types.Type) error {
	return sparkerr.New("CAST_INVALID_INPUT", "expression", types.LiteralText(v, from, nil), "sourceType", `"`+from.SQL()+`"`,
		"targetType", `"`+to.SQL()+`"`, "ansiConfig", ansiConf)
}

// InvalidInput is the CAST_INVALID_INPUT of a text.
func InvalidInput(text string, to types.Type) error { return castInvalid(text, types.String, to) }
