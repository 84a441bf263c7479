package spark

import (
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// DataType is a Spark data type, StructField a column or a field, StructType the columns of a frame.
type (
	DataType    = types.Type
	StructField = types.Field
	StructType  = types.Schema
)

// The atomic types. DecimalOf, ArrayOf, MapOf and StructOf make the others.
var (
	NullType         = types.Null
	BooleanType      = types.Boolean
	ByteType         = types.Byte
	ShortType        = types.Short
	IntegerType      = types.Int
	LongType         = types.Long
	FloatType        = types.Float
	DoubleType       = types.Double
	StringType       = types.String
	BinaryType       = types.Binary
	DateType         = types.Date
	TimestampType    = types.Timestamp
	TimestampNTZType = types.TimestampNTZ
	TimeType         = types.Time
	YearMonthType    = types.YearMonth
	DayTimeType      = types.DayTime
	CalendarType     = types.Calendar
	VariantType      = types.Variant
)

// DecimalOf is DECIMAL(precision, scale).
func DecimalOf(precision, scale int) DataType { return types.Decimal(precision, scale) }

// ArrayOf is ARRAY<element>.
func ArrayOf(element DataType, containsNull bool) DataType { return types.Array(element, containsNull) }

// MapOf is MAP<key, value>.
func MapOf(key, value DataType, valueContainsNull bool) DataType {
	return types.Map(key, value, valueContainsNull)
}

// StructOf is STRUCT<fields>.
func StructOf(fields ...StructField) DataType { return types.Struct(fields...) }

// Schema makes the columns of a frame.
func Schema(fields ...StructField) *StructType { return types.NewSchema(fields...) }

// ParseSchema reads columns in SQL's form: "a INT NOT NULL, b ARRAY<STRING>".
func ParseSchema(ddl string) (*StructType, error) { return sqlparser.ParseSchema(ddl) }

// ErrorCondition is what an error of the engine is: Spark's error condition (such as DIVIDE_BY_ZERO), its SQLSTATE and the
// parameters of its message. ok is false for errors that are not the engine's.
func ErrorCondition(err error) (condition, sqlState string, params map[string]string, ok bool) {
	e, ok := sparkerr.As(err)
	if !ok {
		return "", "", nil, false
	}
	return e.Condition, e.SQLState(), e.Params, true
}
