package expr

// shown are the function names that Spark prints in capitals, or by another name.
var shown = map[string]string{
	"acos": "ACOS", "acosh": "ACOSH", "asin": "ASIN", "asinh": "ASINH", "atan": "ATAN", "atan2": "ATAN2", "atanh": "ATANH", "cbrt": "CBRT",
	"ceil": "CEIL", "cos": "COS", "cosh": "COSH", "cot": "COT", "csc": "CSC", "degrees": "DEGREES", "e": "E", "exp": "EXP", "expm1": "EXPM1",
	"floor": "FLOOR", "hypot": "HYPOT", "log": "LOG", "log10": "LOG10", "log1p": "LOG1P", "log2": "LOG2", "pi": "PI", "power": "POWER",
	"radians": "RADIANS", "regexp": "REGEXP", "regexp_like": "REGEXP_LIKE", "rlike": "RLIKE", "sec": "SEC", "signum": "SIGNUM", "sin": "SIN",
	"sinh": "SINH", "spark_partition_id": "SPARK_PARTITION_ID", "sqrt": "SQRT", "tan": "TAN", "tanh": "TANH", "rank": "RANK",
	"dense_rank": "DENSE_RANK", "percent_rank": "PERCENT_RANK", "dateadd": "date_add", "curdate": "current_date", "to_varchar": "to_char", "current_database": "current_schema",
	"array_agg": "collect_list", "random": "rand",
}
