package sparkerr

import "strings"

// The exception classes that clients tell apart, by their JVM names. Error.Class may hold one of these or any other name.
const (
	ParseException            = "org.apache.spark.sql.catalyst.parser.ParseException"
	AnalysisException         = "org.apache.spark.sql.AnalysisException"
	ExtendedAnalysisException = "org.apache.spark.sql.catalyst.ExtendedAnalysisException"
	NoSuchTableException      = "org.apache.spark.sql.catalyst.analysis.NoSuchTableException"
	NoSuchNamespaceException  = "org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException"
	NoSuchDatabaseException   = "org.apache.spark.sql.catalyst.analysis.NoSuchDatabaseException"
	NoSuchFunctionException   = "org.apache.spark.sql.catalyst.analysis.NoSuchFunctionException"
	TableAlreadyExists        = "org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException"
	NamespaceAlreadyExists    = "org.apache.spark.sql.catalyst.analysis.NamespaceAlreadyExistsException"
	TempTableAlreadyExists    = "org.apache.spark.sql.catalyst.analysis.TempTableAlreadyExistsException"
	StreamingQueryException   = "org.apache.spark.sql.streaming.StreamingQueryException"
	PythonException           = "org.apache.spark.api.python.PythonException"
	SparkException            = "org.apache.spark.SparkException"
	RuntimeException          = "org.apache.spark.SparkRuntimeException"
	ArithmeticException       = "org.apache.spark.SparkArithmeticException"
	NumberFormatException     = "org.apache.spark.SparkNumberFormatException"
	DateTimeException         = "org.apache.spark.SparkDateTimeException"
	ArrayIndexException       = "org.apache.spark.SparkArrayIndexOutOfBoundsException"
	IllegalArgumentException  = "org.apache.spark.SparkIllegalArgumentException"
	UnsupportedOperation      = "org.apache.spark.SparkUnsupportedOperationException"
	NoSuchElementException    = "org.apache.spark.SparkNoSuchElementException"
	UpgradeException          = "org.apache.spark.SparkUpgradeException"
	SQLException              = "org.apache.spark.SparkSQLException"
	SecurityException         = "org.apache.spark.SparkSecurityException"
	FileNotFoundException     = "org.apache.spark.SparkFileNotFoundException"
	InvalidPlanInput          = "org.apache.spark.sql.connect.common.InvalidPlanInput"
	javaException             = "java.lang.Exception"
	javaRuntimeException      = "java.lang.RuntimeException"
	javaIllegalArgument       = "java.lang.IllegalArgumentException"
	javaIOException           = "java.io.IOException"
	javaSQLException          = "java.sql.SQLException"
	javaIndexOutOfBounds      = "java.lang.IndexOutOfBoundsException"
	javaArrayIndexOutOfBounds = "java.lang.ArrayIndexOutOfBoundsException"
	javaArithmetic            = "java.lang.ArithmeticException"
	javaNumberFormat          = "java.lang.NumberFormatException"
	javaDateTime              = "java.time.DateTimeException"
	javaUnsupportedOperation  = "java.lang.UnsupportedOperationException"
	javaNoSuchElement         = "java.util.NoSuchElementException"
	javaFileNotFound          = "java.io.FileNotFoundException"
	javaSecurity              = "java.lang.SecurityException"
	javaThrowable, javaObject = "java.lang.Throwable", "java.lang.Object"
)

// parents gives the superclass of each class that is not a direct subclass of java.lang.Exception.
var parents = map[string]string{
	ParseException:            AnalysisException,
	ExtendedAnalysisException: AnalysisException,
	NoSuchTableException:      AnalysisException,
	NoSuchNamespaceException:  NoSuchDatabaseException,
	NoSuchDatabaseException:   AnalysisException,
	NoSuchFunctionException:   AnalysisException,
	TableAlreadyExists:        AnalysisException,
	NamespaceAlreadyExists:    AnalysisException,
	TempTableAlreadyExists:    TableAlreadyExists,
	PythonException:           javaRuntimeException,
	RuntimeException:          javaRuntimeException,
	ArithmeticException:       javaArithmetic,
	NumberFormatException:     javaNumberFormat,
	DateTimeException:         javaDateTime,
	ArrayIndexException:       javaArrayIndexOutOfBounds,
	IllegalArgumentException:  javaIllegalArgument,
	UnsupportedOperation:      javaUnsupportedOperation,
	NoSuchElementException:    javaNoSuchElement,
	UpgradeException:          javaRuntimeException,
	SQLException:              javaSQLException,
	SecurityException:         javaSecurity,
	FileNotFoundException:     javaFileNotFound,
	InvalidPlanInput:          javaRuntimeException,
	javaArrayIndexOutOfBounds: javaIndexOutOfBounds,
	javaIndexOutOfBounds:      javaRuntimeException,
	javaArithmetic:            javaRuntimeException,
	javaNumberFormat:          javaIllegalArgument,
	javaIllegalArgument:       javaRuntimeException,
	javaDateTime:              javaRuntimeException,
	javaUnsupportedOperation:  javaRuntimeException,
	javaNoSuchElement:         javaRuntimeException,
	javaSecurity:              javaRuntimeException,
	javaFileNotFound:          javaIOException,
	javaException:             javaThrowable,
	javaThrowable:             javaObject,
}

// byCondition names the class where the SQLSTATE alone misleads. A main condition stands for its sub-conditions too.
var byCondition = map[string]string{
	"ARITHMETIC_OVERFLOW":                               ArithmeticException,
	"BINARY_ARITHMETIC_OVERFLOW":                        ArithmeticException,
	"CAST_OVERFLOW":                                     ArithmeticException,
	"DATETIME_OVERFLOW":                                 ArithmeticException,
	"DIVIDE_BY_ZERO":                                    ArithmeticException,
	"INTERVAL_ARITHMETIC_OVERFLOW":                      ArithmeticException,
	"INTERVAL_DIVIDED_BY_ZERO":                          ArithmeticException,
	"NUMERIC_VALUE_OUT_OF_RANGE":                        ArithmeticException,
	"REMAINDER_BY_ZERO":                                 ArithmeticException,
	"CANNOT_PARSE_TIME":                                 DateTimeException,
	"CANNOT_PARSE_TIMESTAMP":                            DateTimeException,
	"DATETIME_FIELD_OUT_OF_BOUNDS":                      DateTimeException,
	"INVALID_FRACTION_OF_SECOND":                        DateTimeException,
	"INVALID_TIMEZONE":                                  DateTimeException,
	"INVALID_ARRAY_INDEX":                               ArrayIndexException,
	"INVALID_ARRAY_INDEX_IN_ELEMENT_AT":                 ArrayIndexException,
	"DUPLICATED_MAP_KEY":                                RuntimeException,
	"NULL_MAP_KEY":                                      RuntimeException,
	"USER_RAISED_EXCEPTION":                             RuntimeException,
	"NOT_NULL_ASSERT_VIOLATION":                         RuntimeException,
	"MERGE_CARDINALITY_VIOLATION":                       RuntimeException,
	"EXCEED_LIMIT_LENGTH":                               RuntimeException,
	"COLLECTION_SIZE_LIMIT_EXCEEDED":                    RuntimeException,
	"SCALAR_SUBQUERY_TOO_MANY_ROWS":                     SparkException,
	"INVALID_CONF_VALUE":                                IllegalArgumentException,
	"INVALID_FORMAT":                                    IllegalArgumentException,
	"INVALID_UTF8_STRING":                               IllegalArgumentException,
	"INVALID_DATETIME_PATTERN":                          RuntimeException,
	"MALFORMED_CHARACTER_CODING":                        RuntimeException,
	"COLLATION_INVALID_NAME":                            SparkException,
	"SQL_CONF_NOT_FOUND":                                NoSuchElementException,
	"INCONSISTENT_BEHAVIOR_CROSS_VERSION":               UpgradeException,
	"UNSUPPORTED_CALL":                                  UnsupportedOperation,
	"INVALID_HANDLE":                                    SQLException,
	"INVALID_CURSOR":                                    SQLException,
	"OPERATION_CANCELED":                                SQLException,
	"CONNECT_INVALID_PLAN":                              InvalidPlanInput,
	"FAILED_READ_FILE":                                  SparkException,
	"STREAM_FAILED":                                     StreamingQueryException,
	"SCHEMA_NOT_FOUND":                                  NoSuchNamespaceException,
	"SCHEMA_ALREADY_EXISTS":                             NamespaceAlreadyExists,
	"TABLE_OR_VIEW_ALREADY_EXISTS":                      TableAlreadyExists,
	"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS":                 TempTableAlreadyExists,
	"PARSE_SYNTAX_ERROR":                                ParseException,
	"PARSE_EMPTY_STATEMENT":                             ParseException,
	"PARSE_MODE_UNSUPPORTED":                            AnalysisException,
	"UNCLOSED_BRACKETED_COMMENT":                        ParseException,
	"INVALID_SQL_SYNTAX":                                ParseException,
	"INVALID_IDENTIFIER":                                ParseException,
	"INVALID_TYPED_LITERAL":                             ParseException,
	"INVALID_NUMERIC_LITERAL_RANGE":                     ParseException,
	"INVALID_ESC":                                       ParseException,
	"INVALID_PROPERTY_KEY":                              ParseException,
	"INVALID_PROPERTY_VALUE":                            ParseException,
	"INVALID_BUCKET_COUNT":                              AnalysisException,
	"INVALID_SET_SYNTAX":                                ParseException,
	"INVALID_RESET_COMMAND_FORMAT":                      ParseException,
	"DATATYPE_MISSING_SIZE":                             ParseException,
	"UNSUPPORTED_DATATYPE":                              ParseException,
	"INCOMPLETE_TYPE_DEFINITION":                        ParseException,
	"DUPLICATE_CLAUSES":                                 ParseException,
	"DUPLICATE_KEY":                                     ParseException,
	"ILLEGAL_DAY_OF_WEEK":                               IllegalArgumentException,
	"IDENTIFIER_TOO_MANY_NAME_PARTS":                    AnalysisException,
	"MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS": ParseException,
	"EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE":         AnalysisException,
	"CANNOT_MODIFY_CONFIG":                              AnalysisException,
	"CANNOT_MODIFY_STATIC_CONFIG":                       AnalysisException,
}

// byState names the class by the first two characters of the SQLSTATE; all else is a SparkException.
var byState = map[string]string{
	"0A": AnalysisException, "07": AnalysisException, "42": AnalysisException, "44": AnalysisException, "46": AnalysisException,
	"21": RuntimeException, "22": RuntimeException, "23": RuntimeException, "2B": AnalysisException, "39": RuntimeException,
	"3D": AnalysisException, "P0": RuntimeException,
}

// IllegalArgument is a refusal that Spark has no condition for: a plain exception with a text.
func IllegalArgument(message string) *Error {
	return &Error{Params: map[string]string{"message": message}, Class: javaIllegalArgument}
}

// Classes are the JVM class of the error and its superclasses, up to java.lang.Object.
func (e *Error) Classes() []string { return ClassChain(e.class()) }

// ClassChain are a JVM exception class and its superclasses, up to java.lang.Object.
func ClassChain(class string) []string {
	chain := []string{class}
	for class != javaObject {
		p, ok := parents[class]
		if !ok {
			p = javaException
		}
		chain = append(chain, p)
		class = p
	}
	return chain
}

func (e *Error) class() string {
	if e.Class != "" {
		return e.Class
	}
	if e.Condition == "CAST_INVALID_INPUT" {
		return castClass(e.Params["targetType"])
	}
	main, _, _ := strings.Cut(e.Condition, ".")
	if c, ok := byCondition[e.Condition]; ok {
		return c
	}
	c, ok := byCondition[main]
	if s := e.SQLState(); !ok && len(s) == 5 {
		c, ok = byState[s[:2]]
	}
	switch {
	case !ok:
		return SparkException
	case c == AnalysisException && e.Plan != "":
		return ExtendedAnalysisException
	}
	return c
}

// castClass: a failed cast from text is the failure of the parser of the target type.
func castClass(target string) string {
	switch t := strings.Trim(target, `"`); {
	case strings.HasPrefix(t, "DATE"), strings.HasPrefix(t, "TIME"):
		return DateTimeException
	case t == "BOOLEAN", strings.HasPrefix(t, "INTERVAL"):
		return RuntimeException
	}
	return NumberFormatException
}

func isAnalysis(class string) bool {
	for ; class != ""; class = parents[class] {
		if class == AnalysisException {
			return true
		}
	}
	return false
}
