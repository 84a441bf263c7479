package expr

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// text prints a constant as Spark does in column names: text bare, dates and times with their type's name.
func (e *Literal) text() string {
	if e.Value == nil {
		return "NULL"
	}
	return ValueSQL(e.Value, e.T)
}

// ValueSQL prints one value of a type as Spark's literal text.
func ValueSQL(v any, t types.Type) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case string:
		return x
	case []byte:
		return "X'" + strings.ToUpper(hex.EncodeToString(x)) + "'"
	case float64:
		return floatSQL(x, 64)
	case float32:
		return floatSQL(float64(x), 32)
	case types.Int128:
		return types.FormatDecimal(x, int(t.Scale))
	}
	if s, ok := types.FormatValue(v, t); ok {
		return s
	}
	return fmt.Sprint(v)
}

// floatSQL prints a double as Java does: 1.0, 1.0E10.
func floatSQL(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		if f > 0 {
			return "Infinity"
		}
		return "-Infinity"
	}
	return types.FormatFloat(f, bits)
}
