// Code generated from the function table by functions_test.go; DO NOT EDIT.

package functions

import "github.com/firesteel/firesteel/spark"

// Abs is abs(expr): the absolute value of a number or interval.
func Abs(expr any) spark.Column { return call("abs", []any{expr}) }

// Acos is acos(expr): the angle whose cosine is expr.
func Acos(expr any) spark.Column { return call("acos", []any{expr}) }

// Acosh is acosh(expr): the inverse hyperbolic cosine.
func Acosh(expr any) spark.Column { return call("acosh", []any{expr}) }

// AddMonths is add_months(date, n): the date n months later, the last of the month at most.
func AddMonths(date, n any) spark.Column { return call("add_months", []any{date, n}) }

// AesDecrypt is aes_decrypt(bin, key[, mode[, padding[, aad]]]): the bytes that aes_encrypt encrypted.
func AesDecrypt(bin, key any, more ...any) spark.Column {
	return call("aes_decrypt", []any{bin, key}, more...)
}

// AesEncrypt is aes_encrypt(bin, key[, mode[, padding[, iv[, aad]]]]): the bytes encrypted by AES in mode GCM, CBC or ECB.
func AesEncrypt(bin, key any, more ...any) spark.Column {
	return call("aes_encrypt", []any{bin, key}, more...)
}

// Aggregate is aggregate(array, start, (acc, x) -> …[, acc -> …]): folds the elements from a start value; the last function makes the result.
func Aggregate(array, start, arg3 any, more ...any) spark.Column {
	return call("aggregate", []any{array, start, arg3}, more...)
}

// Any is bool_or(expr): whether one value is true.
func Any(expr any) spark.Column { return call("any", []any{expr}) }

// AnyValue is any_value(expr[, ignoreNulls]): some value of a group.
func AnyValue(expr any, more ...any) spark.Column { return call("any_value", []any{expr}, more...) }

// ApproxCountDistinct is approx_count_distinct(expr[, rsd]): an estimate of the number of distinct values.
func ApproxCountDistinct(expr any, more ...any) spark.Column {
	return call("approx_count_distinct", []any{expr}, more...)
}

// ApproxDistinct is approx_count_distinct(expr[, rsd]): an estimate of the number of distinct values.
func ApproxDistinct(expr any, more ...any) spark.Column {
	return call("approx_distinct", []any{expr}, more...)
}

// ApproxPercentile is approx_percentile(col, p[, accuracy]): a value near the percentile; p may be an array.
func ApproxPercentile(col, p any, more ...any) spark.Column {
	return call("approx_percentile", []any{col, p}, more...)
}

// Array is array(expr, …): an array of the values.
func Array(expr any, more ...any) spark.Column { return call("array", []any{expr}, more...) }

// ArrayAgg is collect_list(expr): the values that are not null, as an array.
func ArrayAgg(expr any) spark.Column { return call("array_agg", []any{expr}) }

// ArrayAppend is array_append(array, element): the array with the element at its end.
func ArrayAppend(array, element any) spark.Column { return call("array_append", []any{array, element}) }

// ArrayCompact is array_compact(array): the array without nulls.
func ArrayCompact(array any) spark.Column { return call("array_compact", []any{array}) }

// ArrayContains is array_contains(array, value): whether the array has the value.
func ArrayContains(array, value any) spark.Column { return call("array_contains", []any{array, value}) }

// ArrayDistinct is array_distinct(array): the array without repeated elements.
func ArrayDistinct(array any) spark.Column { return call("array_distinct", []any{array}) }

// ArrayExcept is array_except(a, b): the elements of a that are not in b, each once.
func ArrayExcept(a, b any) spark.Column { return call("array_except", []any{a, b}) }

// ArrayInsert is array_insert(array, pos, element): the array with the element at position pos, negative from the end.
func ArrayInsert(array, pos, element any) spark.Column {
	return call("array_insert", []any{array, pos, element})
}

// ArrayIntersect is array_intersect(a, b): the elements that are in both arrays, each once.
func ArrayIntersect(a, b any) spark.Column { return call("array_intersect", []any{a, b}) }

// ArrayJoin is array_join(array, delimiter[, nullReplacement]): the elements as one text.
func ArrayJoin(array, delimiter any, more ...any) spark.Column {
	return call("array_join", []any{array, delimiter}, more...)
}

// ArrayMax is array_max(array): the greatest element; nulls are skipped.
func ArrayMax(array any) spark.Column { return call("array_max", []any{array}) }

// ArrayMin is array_min(array): the least element; nulls are skipped.
func ArrayMin(array any) spark.Column { return call("array_min", []any{array}) }

// ArrayPosition is array_position(array, value): the position of the first such element, from 1; 0 when there is none.
func ArrayPosition(array, value any) spark.Column { return call("array_position", []any{array, value}) }

// ArrayPrepend is array_prepend(array, element): the array with the element at its start.
func ArrayPrepend(array, element any) spark.Column {
	return call("array_prepend", []any{array, element})
}

// ArrayRemove is array_remove(array, element): the array without the elements that equal it.
func ArrayRemove(array, element any) spark.Column { return call("array_remove", []any{array, element}) }

// ArrayRepeat is array_repeat(element, n): an array of n times the element.
func ArrayRepeat(element, n any) spark.Column { return call("array_repeat", []any{element, n}) }

// ArraySize is array_size(array): the number of elements.
func ArraySize(array any) spark.Column { return call("array_size", []any{array}) }

// ArraySort is array_sort(array[, (l, r) -> …]): the array in order, nulls last; or in the order of a function that is negative, 0 or positive.
func ArraySort(array any, more ...any) spark.Column { return call("array_sort", []any{array}, more...) }

// ArrayUnion is array_union(a, b): the elements of both arrays, each once.
func ArrayUnion(a, b any) spark.Column { return call("array_union", []any{a, b}) }

// ArraysOverlap is arrays_overlap(a, b): whether an element is in both arrays.
func ArraysOverlap(a, b any) spark.Column { return call("arrays_overlap", []any{a, b}) }

// ArraysZip is arrays_zip(a, b, …): an array of structs of the elements at the same place.
func ArraysZip(a, b any, more ...any) spark.Column { return call("arrays_zip", []any{a, b}, more...) }

// Ascii is ascii(str): the code point of the first character; 0 for an empty text.
func Ascii(str any) spark.Column { return call("ascii", []any{str}) }

// Asin is asin(expr): the angle whose sine is expr.
func Asin(expr any) spark.Column { return call("asin", []any{expr}) }

// Asinh is asinh(expr): the inverse hyperbolic sine.
func Asinh(expr any) spark.Column { return call("asinh", []any{expr}) }

// AssertTrue is assert_true(cond[, message]): null when the condition is true, else an error.
func AssertTrue(cond any, more ...any) spark.Column { return call("assert_true", []any{cond}, more...) }

// Atan is atan(expr): the angle whose tangent is expr.
func Atan(expr any) spark.Column { return call("atan", []any{expr}) }

// Atan2 is atan2(y, x): the angle of the point (x, y).
func Atan2(y, x any) spark.Column { return call("atan2", []any{y, x}) }

// Atanh is atanh(expr): the inverse hyperbolic tangent.
func Atanh(expr any) spark.Column { return call("atanh", []any{expr}) }

// Avg is avg(expr): the mean of the values.
func Avg(expr any) spark.Column { return call("avg", []any{expr}) }

// Base64 is base64(bin): the bytes as base 64 text.
func Base64(bin any) spark.Column { return call("base64", []any{bin}) }

// Bigint is bigint(expr): the value as type BIGINT.
func Bigint(expr any) spark.Column { return call("bigint", []any{expr}) }

// Bin is bin(expr): the binary digits of a number.
func Bin(expr any) spark.Column { return call("bin", []any{expr}) }

// Binary is binary(expr): the value as type BINARY.
func Binary(expr any) spark.Column { return call("binary", []any{expr}) }

// BitAnd is bit_and(expr): the bits set in all values.
func BitAnd(expr any) spark.Column { return call("bit_and", []any{expr}) }

// BitCount is bit_count(expr): the number of bits that are set.
func BitCount(expr any) spark.Column { return call("bit_count", []any{expr}) }

// BitGet is getbit(expr, pos): the bit at a position, from the right, 0 first.
func BitGet(expr, pos any) spark.Column { return call("bit_get", []any{expr, pos}) }

// BitLength is bit_length(expr): the length in bits.
func BitLength(expr any) spark.Column { return call("bit_length", []any{expr}) }

// BitOr is bit_or(expr): the bits set in one value.
func BitOr(expr any) spark.Column { return call("bit_or", []any{expr}) }

// BitXor is bit_xor(expr): the bits set in an odd number of values.
func BitXor(expr any) spark.Column { return call("bit_xor", []any{expr}) }

// BitmapBitPosition is bitmap_bit_position(n): the bit of n in its bitmap.
func BitmapBitPosition(n any) spark.Column { return call("bitmap_bit_position", []any{n}) }

// BitmapBucketNumber is bitmap_bucket_number(n): the number of the bitmap that n belongs to.
func BitmapBucketNumber(n any) spark.Column { return call("bitmap_bucket_number", []any{n}) }

// BitmapCount is bitmap_count(bitmap): the number of bits that are set.
func BitmapCount(bitmap any) spark.Column { return call("bitmap_count", []any{bitmap}) }

// BoolAnd is bool_and(expr): whether all values are true.
func BoolAnd(expr any) spark.Column { return call("bool_and", []any{expr}) }

// BoolOr is bool_or(expr): whether one value is true.
func BoolOr(expr any) spark.Column { return call("bool_or", []any{expr}) }

// Boolean is boolean(expr): the value as type BOOLEAN.
func Boolean(expr any) spark.Column { return call("boolean", []any{expr}) }

// Bround is bround(expr[, d]): the number rounded to d digits, halves to the even neighbour.
func Bround(expr any, more ...any) spark.Column { return call("bround", []any{expr}, more...) }

// Btrim is btrim(str[, chars]): the text without spaces, or without any of the characters, at both ends.
func Btrim(str any, more ...any) spark.Column { return call("btrim", []any{str}, more...) }

// Cardinality is size(collection): the number of elements of an array or map.
func Cardinality(collection any) spark.Column { return call("cardinality", []any{collection}) }

// Case is CASE WHEN cond THEN value [WHEN …] [ELSE value] END: the value of the first true condition.
func Case(more ...any) spark.Column { return call("case", []any{}, more...) }

// Cbrt is cbrt(expr): the cube root.
func Cbrt(expr any) spark.Column { return call("cbrt", []any{expr}) }

// Ceil is ceil(expr[, d]): the least number with d digits that is not below expr.
func Ceil(expr any, more ...any) spark.Column { return call("ceil", []any{expr}, more...) }

// Ceiling is ceil(expr[, d]): the least number with d digits that is not below expr.
func Ceiling(expr any, more ...any) spark.Column { return call("ceiling", []any{expr}, more...) }

// Char is chr(n): the character with code n modulo 256; empty for negative n.
func Char(n any) spark.Column { return call("char", []any{n}) }

// CharLength is length(expr): the number of characters of a text, or of bytes of a binary.
func CharLength(expr any) spark.Column { return call("char_length", []any{expr}) }

// CharacterLength is length(expr): the number of characters of a text, or of bytes of a binary.
func CharacterLength(expr any) spark.Column { return call("character_length", []any{expr}) }

// Chr is chr(n): the character with code n modulo 256; empty for negative n.
func Chr(n any) spark.Column { return call("chr", []any{n}) }

// Coalesce is coalesce(a, b, …): the first value that is not null.
func Coalesce(a, b any, more ...any) spark.Column { return call("coalesce", []any{a, b}, more...) }

// Collation is collation(str): the full name of the text's collation.
func Collation(str any) spark.Column { return call("collation", []any{str}) }

// CollectList is collect_list(expr): the values that are not null, as an array.
func CollectList(expr any) spark.Column { return call("collect_list", []any{expr}) }

// CollectSet is collect_set(expr): the distinct values that are not null, as an array.
func CollectSet(expr any) spark.Column { return call("collect_set", []any{expr}) }

// Concat is concat(a, b, …): the texts, binaries or arrays joined.
func Concat(a, b any, more ...any) spark.Column { return call("concat", []any{a, b}, more...) }

// ConcatWs is concat_ws(sep, a, b, …): the arguments, texts or arrays of texts, joined by sep; nulls are left out.
func ConcatWs(sep, a, b any, more ...any) spark.Column {
	return call("concat_ws", []any{sep, a, b}, more...)
}

// Contains is contains(left, right): whether right occurs in left.
func Contains(left, right any) spark.Column { return call("contains", []any{left, right}) }

// Conv is conv(num, from, to): the digits of a number in another base.
func Conv(num, from, to any) spark.Column { return call("conv", []any{num, from, to}) }

// ConvertTimezone is convert_timezone([from, ]to, timestamp): the local time in zone to when it is timestamp in zone from.
func ConvertTimezone(more ...any) spark.Column { return call("convert_timezone", []any{}, more...) }

// Corr is corr(x, y): Pearson's correlation.
func Corr(x, y any) spark.Column { return call("corr", []any{x, y}) }

// Cos is cos(expr): the cosine.
func Cos(expr any) spark.Column { return call("cos", []any{expr}) }

// Cosh is cosh(expr): the hyperbolic cosine.
func Cosh(expr any) spark.Column { return call("cosh", []any{expr}) }

// Cot is cot(expr): the cotangent.
func Cot(expr any) spark.Column { return call("cot", []any{expr}) }

// Count is count(*) or count(expr, …): the number of rows, or of rows where no expression is null.
func Count(more ...any) spark.Column { return call("count", []any{}, more...) }

// CountIf is count_if(expr): the number of rows where the condition is true.
func CountIf(expr any) spark.Column { return call("count_if", []any{expr}) }

// CovarPop is covar_pop(x, y): the covariance of a population.
func CovarPop(x, y any) spark.Column { return call("covar_pop", []any{x, y}) }

// CovarSamp is covar_samp(x, y): the covariance of a sample.
func CovarSamp(x, y any) spark.Column { return call("covar_samp", []any{x, y}) }

// Crc32 is crc32(bin): the CRC-32 sum.
func Crc32(bin any) spark.Column { return call("crc32", []any{bin}) }

// Csc is csc(expr): the cosecant.
func Csc(expr any) spark.Column { return call("csc", []any{expr}) }

// CumeDist is cume_dist(): the share of rows up to the row's peers.
func CumeDist() spark.Column { return call("cume_dist", []any{}) }

// Curdate is current_date(): the date when the query started.
func Curdate() spark.Column { return call("curdate", []any{}) }

// CurrentCatalog is current_catalog(): the session's catalog.
func CurrentCatalog() spark.Column { return call("current_catalog", []any{}) }

// CurrentDatabase is current_database(): the session's database.
func CurrentDatabase() spark.Column { return call("current_database", []any{}) }

// CurrentDate is current_date(): the date when the query started.
func CurrentDate() spark.Column { return call("current_date", []any{}) }

// CurrentPath is current_path(): where names of functions are looked up.
func CurrentPath() spark.Column { return call("current_path", []any{}) }

// CurrentSchema is current_database(): the session's database.
func CurrentSchema() spark.Column { return call("current_schema", []any{}) }

// CurrentTime is current_time([precision]): the time of day at the start of the query.
func CurrentTime(more ...any) spark.Column { return call("current_time", []any{}, more...) }

// CurrentTimestamp is current_timestamp(): the time when the query started.
func CurrentTimestamp() spark.Column { return call("current_timestamp", []any{}) }

// CurrentTimezone is current_timezone(): the session's time zone.
func CurrentTimezone() spark.Column { return call("current_timezone", []any{}) }

// CurrentUser is current_user(): the name of the user.
func CurrentUser() spark.Column { return call("current_user", []any{}) }

// Date is date(expr): the value as type DATE.
func Date(expr any) spark.Column { return call("date", []any{expr}) }

// DateAdd is date_add(date, days): the date so many days later.
func DateAdd(date, days any) spark.Column { return call("date_add", []any{date, days}) }

// DateDiff is datediff(end, start): the number of days from start to end.
func DateDiff(end, start any) spark.Column { return call("date_diff", []any{end, start}) }

// DateFormat is date_format(timestamp, pattern): the timestamp as text.
func DateFormat(timestamp, pattern any) spark.Column {
	return call("date_format", []any{timestamp, pattern})
}

// DateFromUnixDate is date_from_unix_date(days): the date so many days after 1970-01-01.
func DateFromUnixDate(days any) spark.Column { return call("date_from_unix_date", []any{days}) }

// DatePart is date_part(field, source): a part of a date, timestamp, time or interval.
func DatePart(field, source any) spark.Column { return call("date_part", []any{field, source}) }

// DateSub is date_sub(date, days): the date so many days earlier.
func DateSub(date, days any) spark.Column { return call("date_sub", []any{date, days}) }

// DateTrunc is date_trunc(unit, timestamp): the start of the unit that holds the timestamp.
func DateTrunc(unit, timestamp any) spark.Column { return call("date_trunc", []any{unit, timestamp}) }

// Dateadd is date_add(date, days): the date so many days later.
func Dateadd(date, days any) spark.Column { return call("dateadd", []any{date, days}) }

// Datediff is datediff(end, start): the number of days from start to end.
func Datediff(end, start any) spark.Column { return call("datediff", []any{end, start}) }

// Datepart is date_part(field, source): a part of a date, timestamp, time or interval.
func Datepart(field, source any) spark.Column { return call("datepart", []any{field, source}) }

// Day is day(date): the day of the month.
func Day(date any) spark.Column { return call("day", []any{date}) }

// Dayname is dayname(date): the short name of the day.
func Dayname(date any) spark.Column { return call("dayname", []any{date}) }

// Dayofmonth is day(date): the day of the month.
func Dayofmonth(date any) spark.Column { return call("dayofmonth", []any{date}) }

// Dayofweek is dayofweek(date): the day of the week, 1 for Sunday.
func Dayofweek(date any) spark.Column { return call("dayofweek", []any{date}) }

// Dayofyear is dayofyear(date): the day of the year, from 1.
func Dayofyear(date any) spark.Column { return call("dayofyear", []any{date}) }

// Decimal is decimal(expr): the value as type DECIMAL(10,0).
func Decimal(expr any) spark.Column { return call("decimal", []any{expr}) }

// Decode is decode(bin, charset): the text of bytes in a character set; decode(expr, search, result, …[, default]): the result beside the first equal search.
func Decode(bin, charset any) spark.Column { return call("decode", []any{bin, charset}) }

// Degrees is degrees(expr): radians as degrees.
func Degrees(expr any) spark.Column { return call("degrees", []any{expr}) }

// DenseRank is dense_rank(): the number of the row's group of peers, from 1.
func DenseRank() spark.Column { return call("dense_rank", []any{}) }

// Div is expr1 div expr2: the quotient without its fraction, as BIGINT.
func Div(more ...any) spark.Column { return call("div", []any{}, more...) }

// Double is double(expr): the value as type DOUBLE.
func Double(expr any) spark.Column { return call("double", []any{expr}) }

// E is e(): Euler's number.
func E() spark.Column { return call("e", []any{}) }

// ElementAt is element_at(array, position): the element, from 1, negative from the end; element_at(map, key): the value.
func ElementAt(array, position any) spark.Column { return call("element_at", []any{array, position}) }

// Elt is elt(n, a, b, …): the n-th of the other arguments.
func Elt(n, a, b any, more ...any) spark.Column { return call("elt", []any{n, a, b}, more...) }

// Encode is encode(str, charset): the bytes of str in a character set.
func Encode(str, charset any) spark.Column { return call("encode", []any{str, charset}) }

// Endswith is endswith(left, right): whether left ends with right.
func Endswith(left, right any) spark.Column { return call("endswith", []any{left, right}) }

// EqualNull is equal_null(a, b): whether the values are equal, where null equals null.
func EqualNull(a, b any) spark.Column { return call("equal_null", []any{a, b}) }

// Every is bool_and(expr): whether all values are true.
func Every(expr any) spark.Column { return call("every", []any{expr}) }

// Exists is exists(array, x -> …): whether the function is true for an element; null when for none but unknown for one.
func Exists(array any, more ...any) spark.Column { return call("exists", []any{array}, more...) }

// Exp is exp(expr): e to the power of expr.
func Exp(expr any) spark.Column { return call("exp", []any{expr}) }

// Explode is explode(expr): a row for each element of an array, or entry of a map.
func Explode(expr any) spark.Column { return call("explode", []any{expr}) }

// ExplodeOuter is explode_outer(expr): as explode, with a row of nulls for what is empty.
func ExplodeOuter(expr any) spark.Column { return call("explode_outer", []any{expr}) }

// Expm1 is expm1(expr): exp(expr) - 1, exact near 0.
func Expm1(expr any) spark.Column { return call("expm1", []any{expr}) }

// Factorial is factorial(expr): the product of 1 to expr, for 0 to 20; null outside.
func Factorial(expr any) spark.Column { return call("factorial", []any{expr}) }

// Filter is filter(array, x -> …): the elements for which the function is true; (x, i) -> … gets the index too.
func Filter(array any, more ...any) spark.Column { return call("filter", []any{array}, more...) }

// FindInSet is find_in_set(str, list): the position of str in a comma-separated list, from 1; 0 when it is not there.
func FindInSet(str, list any) spark.Column { return call("find_in_set", []any{str, list}) }

// First is first(expr[, ignoreNulls]): a group's first value.
func First(expr any, more ...any) spark.Column { return call("first", []any{expr}, more...) }

// FirstValue is first(expr[, ignoreNulls]): a group's first value.
func FirstValue(expr any, more ...any) spark.Column { return call("first_value", []any{expr}, more...) }

// Flatten is flatten(arrays): one array of the elements of all.
func Flatten(arrays any) spark.Column { return call("flatten", []any{arrays}) }

// Float is float(expr): the value as type FLOAT.
func Float(expr any) spark.Column { return call("float", []any{expr}) }

// Floor is floor(expr[, d]): the greatest number with d digits that is not above expr.
func Floor(expr any, more ...any) spark.Column { return call("floor", []any{expr}, more...) }

// Forall is forall(array, x -> …): whether the function is true for all elements.
func Forall(array any, more ...any) spark.Column { return call("forall", []any{array}, more...) }

// FormatNumber is format_number(number, digits): the number with commas and so many digits after the point; or by a pattern such as '#,###.##'.
func FormatNumber(number, digits any) spark.Column {
	return call("format_number", []any{number, digits})
}

// FormatString is format_string(format, arg, …): the arguments in the format of printf.
func FormatString(format, arg any, more ...any) spark.Column {
	return call("format_string", []any{format, arg}, more...)
}

// FromCsv is from_csv(csv, schema[, options]): the struct of a CSV line by a schema.
func FromCsv(csv, schema any, more ...any) spark.Column {
	return call("from_csv", []any{csv, schema}, more...)
}

// FromJson is from_json(json, schema[, options]): the value of the JSON text by a schema.
func FromJson(json, schema any, more ...any) spark.Column {
	return call("from_json", []any{json, schema}, more...)
}

// FromUnixtime is from_unixtime(seconds[, pattern]): the text of a time in seconds since the epoch.
func FromUnixtime(seconds any, more ...any) spark.Column {
	return call("from_unixtime", []any{seconds}, more...)
}

// FromUtcTimestamp is from_utc_timestamp(timestamp, zone): the time in the zone when it is timestamp in UTC.
func FromUtcTimestamp(timestamp, zone any) spark.Column {
	return call("from_utc_timestamp", []any{timestamp, zone})
}

// Get is get(array, index): the element at the index, from 0; null outside of the array.
func Get(array, index any) spark.Column { return call("get", []any{array, index}) }

// GetJsonObject is get_json_object(json, path): what the path finds in the JSON text.
func GetJsonObject(json, path any) spark.Column { return call("get_json_object", []any{json, path}) }

// Getbit is getbit(expr, pos): the bit at a position, from the right, 0 first.
func Getbit(expr, pos any) spark.Column { return call("getbit", []any{expr, pos}) }

// Greatest is greatest(a, b, …): the greatest of the values that are not null.
func Greatest(a, b any, more ...any) spark.Column { return call("greatest", []any{a, b}, more...) }

// Hash is hash(expr, …): the hash of the values that partitioning uses.
func Hash(expr any, more ...any) spark.Column { return call("hash", []any{expr}, more...) }

// Hex is hex(expr): the number, bytes or text in hexadecimal digits.
func Hex(expr any) spark.Column { return call("hex", []any{expr}) }

// HistogramNumeric is histogram_numeric(col, n): a histogram of n bins of uneven width.
func HistogramNumeric(col, n any) spark.Column { return call("histogram_numeric", []any{col, n}) }

// Hour is hour(timestamp): the hour.
func Hour(timestamp any) spark.Column { return call("hour", []any{timestamp}) }

// Hypot is hypot(a, b): the square root of a² + b².
func Hypot(a, b any) spark.Column { return call("hypot", []any{a, b}) }

// If is if(cond, a, b): a where cond is true, else b.
func If(cond, a, b any) spark.Column { return call("if", []any{cond, a, b}) }

// Ifnull is nvl(a, b): b where a is null, else a.
func Ifnull(a, b any) spark.Column { return call("ifnull", []any{a, b}) }

// Ilike is text ILIKE pattern [ESCAPE c]: LIKE without regard to case.
func Ilike(more ...any) spark.Column { return call("ilike", []any{}, more...) }

// Initcap is initcap(str): words with a capital first, the rest in small letters; words are separated by spaces.
func Initcap(str any) spark.Column { return call("initcap", []any{str}) }

// Inline is inline(expr): a row for each struct of an array.
func Inline(expr any) spark.Column { return call("inline", []any{expr}) }

// InlineOuter is inline_outer(expr): as inline, with a row of nulls for what is empty.
func InlineOuter(expr any) spark.Column { return call("inline_outer", []any{expr}) }

// Instr is instr(str, sub): the position of the first sub in str, from 1; 0 when there is none.
func Instr(str, sub any) spark.Column { return call("instr", []any{str, sub}) }

// Int is int(expr): the value as type INT.
func Int(expr any) spark.Column { return call("int", []any{expr}) }

// IsValidUtf8 is is_valid_utf8(str): whether the bytes are UTF-8.
func IsValidUtf8(str any) spark.Column { return call("is_valid_utf8", []any{str}) }

// IsValidVariant is is_valid_variant(variant): whether its bytes can be read.
func IsValidVariant(variant any) spark.Column { return call("is_valid_variant", []any{variant}) }

// IsVariantNull is is_variant_null(variant): whether it is JSON's null.
func IsVariantNull(variant any) spark.Column { return call("is_variant_null", []any{variant}) }

// Isnan is isnan(expr): whether a number is NaN; false for null.
func Isnan(expr any) spark.Column { return call("isnan", []any{expr}) }

// Isnotnull is isnotnull(expr): whether the value is not null.
func Isnotnull(expr any) spark.Column { return call("isnotnull", []any{expr}) }

// Isnull is isnull(expr): whether the value is null.
func Isnull(expr any) spark.Column { return call("isnull", []any{expr}) }

// JsonArrayLength is json_array_length(json): the number of elements of a JSON array.
func JsonArrayLength(json any) spark.Column { return call("json_array_length", []any{json}) }

// JsonObjectKeys is json_object_keys(json): the names of the fields of a JSON object.
func JsonObjectKeys(json any) spark.Column { return call("json_object_keys", []any{json}) }

// JsonTuple is json_tuple(json, p1, p2, …): the fields of a JSON object, as text.
func JsonTuple(json, p1, p2 any, more ...any) spark.Column {
	return call("json_tuple", []any{json, p1, p2}, more...)
}

// Kurtosis is kurtosis(expr): the excess kurtosis of the values.
func Kurtosis(expr any) spark.Column { return call("kurtosis", []any{expr}) }

// Lag is lag(input[, offset[, default]]): the value of an earlier row of the partition.
func Lag(input any, more ...any) spark.Column { return call("lag", []any{input}, more...) }

// Last is last(expr[, ignoreNulls]): a group's last value.
func Last(expr any, more ...any) spark.Column { return call("last", []any{expr}, more...) }

// LastDay is last_day(date): the last day of the month.
func LastDay(date any) spark.Column { return call("last_day", []any{date}) }

// LastValue is last(expr[, ignoreNulls]): a group's last value.
func LastValue(expr any, more ...any) spark.Column { return call("last_value", []any{expr}, more...) }

// Lcase is lower(str): the text in small letters.
func Lcase(str any) spark.Column { return call("lcase", []any{str}) }

// Lead is lead(input[, offset[, default]]): the value of a later row of the partition.
func Lead(input any, more ...any) spark.Column { return call("lead", []any{input}, more...) }

// Least is least(a, b, …): the least of the values that are not null.
func Least(a, b any, more ...any) spark.Column { return call("least", []any{a, b}, more...) }

// Left is left(str, len): the first len characters of str.
func Left(str, len any) spark.Column { return call("left", []any{str, len}) }

// Len is length(expr): the number of characters of a text, or of bytes of a binary.
func Len(expr any) spark.Column { return call("len", []any{expr}) }

// Length is length(expr): the number of characters of a text, or of bytes of a binary.
func Length(expr any) spark.Column { return call("length", []any{expr}) }

// Levenshtein is levenshtein(a, b[, limit]): the edit distance; -1 when it exceeds the limit.
func Levenshtein(a, b any, more ...any) spark.Column {
	return call("levenshtein", []any{a, b}, more...)
}

// Like is text LIKE pattern [ESCAPE c]: whether the text fits the pattern, where % stands for any characters and _ for one.
func Like(more ...any) spark.Column { return call("like", []any{}, more...) }

// Listagg is listagg(expr[, delimiter]) [WITHIN GROUP (ORDER BY …)]: the values joined to one text.
func Listagg(more ...any) spark.Column { return call("listagg", []any{}, more...) }

// Ln is ln(expr): the natural logarithm.
func Ln(expr any) spark.Column { return call("ln", []any{expr}) }

// Localtimestamp is localtimestamp(): the local date and time when the query started.
func Localtimestamp() spark.Column { return call("localtimestamp", []any{}) }

// Locate is locate(sub, str[, pos]): the position of the first sub in str at or after pos, from 1; 0 when there is none.
func Locate(sub, str any, more ...any) spark.Column { return call("locate", []any{sub, str}, more...) }

// Log is log([base,] expr): the logarithm to a base, or the natural one.
func Log(more ...any) spark.Column { return call("log", []any{}, more...) }

// Log10 is log10(expr): the logarithm to base 10.
func Log10(expr any) spark.Column { return call("log10", []any{expr}) }

// Log1p is log1p(expr): ln(1 + expr), exact near 0.
func Log1p(expr any) spark.Column { return call("log1p", []any{expr}) }

// Log2 is log2(expr): the logarithm to base 2.
func Log2(expr any) spark.Column { return call("log2", []any{expr}) }

// Lower is lower(str): the text in small letters.
func Lower(str any) spark.Column { return call("lower", []any{str}) }

// Lpad is lpad(str, len[, pad]): str with pad repeated before it up to len characters, or cut to len.
func Lpad(str, len any, more ...any) spark.Column { return call("lpad", []any{str, len}, more...) }

// Ltrim is ltrim([chars,] str): the text without spaces, or without any of the characters, at its start.
func Ltrim(more ...any) spark.Column { return call("ltrim", []any{}, more...) }

// LuhnCheck is luhn_check(str): whether the digits end in a right Luhn check digit.
func LuhnCheck(str any) spark.Column { return call("luhn_check", []any{str}) }

// MakeDate is make_date(year, month, day): the date of its parts.
func MakeDate(year, month, day any) spark.Column { return call("make_date", []any{year, month, day}) }

// MakeDtInterval is make_dt_interval([days[, hours[, mins[, secs]]]]): a day-time interval of its parts.
func MakeDtInterval(more ...any) spark.Column { return call("make_dt_interval", []any{}, more...) }

// MakeInterval is make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]]): an interval of its parts.
func MakeInterval(more ...any) spark.Column { return call("make_interval", []any{}, more...) }

// MakeTime is make_time(hour, minute, second): the time of day of its parts.
func MakeTime(hour, minute, second any) spark.Column {
	return call("make_time", []any{hour, minute, second})
}

// MakeTimestamp is make_timestamp(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func MakeTimestamp(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("make_timestamp", []any{year, month, day, hour, minute, second}, more...)
}

// MakeTimestampLtz is make_timestamp_ltz(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func MakeTimestampLtz(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("make_timestamp_ltz", []any{year, month, day, hour, minute, second}, more...)
}

// MakeTimestampNtz is make_timestamp_ntz(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func MakeTimestampNtz(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("make_timestamp_ntz", []any{year, month, day, hour, minute, second}, more...)
}

// MakeValidUtf8 is make_valid_utf8(str): str with everything that is not UTF-8 replaced.
func MakeValidUtf8(str any) spark.Column { return call("make_valid_utf8", []any{str}) }

// MakeYmInterval is make_ym_interval([years[, months]]): a year-month interval of its parts.
func MakeYmInterval(more ...any) spark.Column { return call("make_ym_interval", []any{}, more...) }

// Map is map(key, value, …): a map of the entries.
func Map(key, value any, more ...any) spark.Column { return call("map", []any{key, value}, more...) }

// MapConcat is map_concat(map, …): the entries of all maps.
func MapConcat(arg1 any, more ...any) spark.Column { return call("map_concat", []any{arg1}, more...) }

// MapContainsKey is map_contains_key(map, key): whether the map has the key.
func MapContainsKey(arg1, key any) spark.Column { return call("map_contains_key", []any{arg1, key}) }

// MapEntries is map_entries(map): an array of structs of key and value.
func MapEntries(arg1 any) spark.Column { return call("map_entries", []any{arg1}) }

// MapFilter is map_filter(map, (k, v) -> …): the entries for which the function is true.
func MapFilter(arg1, arg2 any, more ...any) spark.Column {
	return call("map_filter", []any{arg1, arg2}, more...)
}

// MapFromArrays is map_from_arrays(keys, values): a map of the keys and values at the same places.
func MapFromArrays(keys, values any) spark.Column {
	return call("map_from_arrays", []any{keys, values})
}

// MapFromEntries is map_from_entries(array): a map of an array of structs of two fields.
func MapFromEntries(array any) spark.Column { return call("map_from_entries", []any{array}) }

// MapKeys is map_keys(map): the keys.
func MapKeys(arg1 any) spark.Column { return call("map_keys", []any{arg1}) }

// MapValues is map_values(map): the values.
func MapValues(arg1 any) spark.Column { return call("map_values", []any{arg1}) }

// MapZipWith is map_zip_with(a, b, (k, x, y) -> …): the map of the function of the values under each key of either map.
func MapZipWith(a, b, arg3, x any, more ...any) spark.Column {
	return call("map_zip_with", []any{a, b, arg3, x}, more...)
}

// Mask is mask(str[, upper[, lower[, digit[, other]]]]): str with characters replaced by class; a null leaves its class as it is.
func Mask(str any, more ...any) spark.Column { return call("mask", []any{str}, more...) }

// Max is max(expr): the greatest value.
func Max(expr any) spark.Column { return call("max", []any{expr}) }

// MaxBy is max_by(x, y): the x that stands beside the greatest y.
func MaxBy(x, y any) spark.Column { return call("max_by", []any{x, y}) }

// Md5 is md5(bin): the MD5 sum in hexadecimal digits.
func Md5(bin any) spark.Column { return call("md5", []any{bin}) }

// Mean is avg(expr): the mean of the values.
func Mean(expr any) spark.Column { return call("mean", []any{expr}) }

// Median is median(col): the middle value, interpolated.
func Median(col any) spark.Column { return call("median", []any{col}) }

// Min is min(expr): the least value.
func Min(expr any) spark.Column { return call("min", []any{expr}) }

// MinBy is min_by(x, y): the x that stands beside the least y.
func MinBy(x, y any) spark.Column { return call("min_by", []any{x, y}) }

// Minute is minute(timestamp): the minute.
func Minute(timestamp any) spark.Column { return call("minute", []any{timestamp}) }

// Mod is expr1 % expr2: the remainder, with the sign of expr1.
func Mod(more ...any) spark.Column { return call("mod", []any{}, more...) }

// Mode is mode(col[, deterministic]): the most frequent value.
func Mode(col any, more ...any) spark.Column { return call("mode", []any{col}, more...) }

// MonotonicallyIncreasingId is monotonically_increasing_id(): ids that rise from row to row: the partition and the row in it.
func MonotonicallyIncreasingId() spark.Column { return call("monotonically_increasing_id", []any{}) }

// Month is month(date): the month, 1 to 12.
func Month(date any) spark.Column { return call("month", []any{date}) }

// Monthname is monthname(date): the short name of the month.
func Monthname(date any) spark.Column { return call("monthname", []any{date}) }

// MonthsBetween is months_between(a, b[, round]): the months from b to a, with days of 31 to the month.
func MonthsBetween(a, b any, more ...any) spark.Column {
	return call("months_between", []any{a, b}, more...)
}

// NamedStruct is named_struct(name, value, …): a struct of named values.
func NamedStruct(name, value any, more ...any) spark.Column {
	return call("named_struct", []any{name, value}, more...)
}

// Nanvl is nanvl(a, b): b where a is NaN, else a.
func Nanvl(a, b any) spark.Column { return call("nanvl", []any{a, b}) }

// Negative is negative(expr): the value with the opposite sign.
func Negative(expr any) spark.Column { return call("negative", []any{expr}) }

// NextDay is next_day(date, weekday): the first such weekday after the date.
func NextDay(date, weekday any) spark.Column { return call("next_day", []any{date, weekday}) }

// Now is current_timestamp(): the time when the query started.
func Now() spark.Column { return call("now", []any{}) }

// NthValue is nth_value(input, n): the value of the n-th row of the frame.
func NthValue(input, n any) spark.Column { return call("nth_value", []any{input, n}) }

// Ntile is ntile(n): the number of the row's bucket among n of equal size.
func Ntile(n any) spark.Column { return call("ntile", []any{n}) }

// Nullif is nullif(a, b): null where a equals b, else a.
func Nullif(a, b any) spark.Column { return call("nullif", []any{a, b}) }

// Nullifzero is nullifzero(a): null where a is 0, else a.
func Nullifzero(a any) spark.Column { return call("nullifzero", []any{a}) }

// Nvl is nvl(a, b): b where a is null, else a.
func Nvl(a, b any) spark.Column { return call("nvl", []any{a, b}) }

// Nvl2 is nvl2(a, b, c): b where a is not null, else c.
func Nvl2(a, b, c any) spark.Column { return call("nvl2", []any{a, b, c}) }

// OctetLength is octet_length(expr): the length in bytes.
func OctetLength(expr any) spark.Column { return call("octet_length", []any{expr}) }

// Overlay is overlay(input, replace, pos[, len]): input with replace in the place of len characters from pos.
func Overlay(input, replace, pos any, more ...any) spark.Column {
	return call("overlay", []any{input, replace, pos}, more...)
}

// ParseJson is parse_json(json): the JSON text as a variant.
func ParseJson(json any) spark.Column { return call("parse_json", []any{json}) }

// ParseUrl is parse_url(url, part[, key]): HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of a URL; with a key the value of a query parameter.
func ParseUrl(url, part any, more ...any) spark.Column {
	return call("parse_url", []any{url, part}, more...)
}

// PercentRank is percent_rank(): (rank - 1) / (rows - 1).
func PercentRank() spark.Column { return call("percent_rank", []any{}) }

// Percentile is percentile(col, p[, frequency]): the exact percentile, interpolated; p may be an array.
func Percentile(col, p any, more ...any) spark.Column {
	return call("percentile", []any{col, p}, more...)
}

// PercentileApprox is approx_percentile(col, p[, accuracy]): a value near the percentile; p may be an array.
func PercentileApprox(col, p any, more ...any) spark.Column {
	return call("percentile_approx", []any{col, p}, more...)
}

// PercentileCont is percentile_cont(p) WITHIN GROUP (ORDER BY v): the interpolated percentile.
func PercentileCont(more ...any) spark.Column { return call("percentile_cont", []any{}, more...) }

// PercentileDisc is percentile_disc(p) WITHIN GROUP (ORDER BY v): the first value whose share reaches p.
func PercentileDisc(more ...any) spark.Column { return call("percentile_disc", []any{}, more...) }

// Pi is pi(): the ratio of a circle's circumference to its diameter.
func Pi() spark.Column { return call("pi", []any{}) }

// Pmod is pmod(expr1, expr2): the remainder made positive.
func Pmod(expr1, expr2 any) spark.Column { return call("pmod", []any{expr1, expr2}) }

// Posexplode is posexplode(expr): as explode, with positions from 0.
func Posexplode(expr any) spark.Column { return call("posexplode", []any{expr}) }

// PosexplodeOuter is posexplode_outer(expr): as posexplode, with a row of nulls for what is empty.
func PosexplodeOuter(expr any) spark.Column { return call("posexplode_outer", []any{expr}) }

// Position is position(sub, str[, pos]): the position of the first sub in str at or after pos, from 1; 0 when there is none.
func Position(sub, str any, more ...any) spark.Column {
	return call("position", []any{sub, str}, more...)
}

// Positive is positive(expr): the value itself.
func Positive(expr any) spark.Column { return call("positive", []any{expr}) }

// Pow is pow(a, b): a to the power of b.
func Pow(a, b any) spark.Column { return call("pow", []any{a, b}) }

// Power is pow(a, b): a to the power of b.
func Power(a, b any) spark.Column { return call("power", []any{a, b}) }

// Printf is format_string(format, arg, …): the arguments in the format of printf.
func Printf(format, arg any, more ...any) spark.Column {
	return call("printf", []any{format, arg}, more...)
}

// Quarter is quarter(date): the quarter, 1 to 4.
func Quarter(date any) spark.Column { return call("quarter", []any{date}) }

// Quote is quote(str): str in single quotes, with a backslash before quotes and backslashes in it.
func Quote(str any) spark.Column { return call("quote", []any{str}) }

// Radians is radians(expr): degrees as radians.
func Radians(expr any) spark.Column { return call("radians", []any{expr}) }

// RaiseError is raise_error(message): an error.
func RaiseError(message any) spark.Column { return call("raise_error", []any{message}) }

// Rand is rand([seed]): random numbers from 0 up to 1.
func Rand(more ...any) spark.Column { return call("rand", []any{}, more...) }

// Randn is randn([seed]): random numbers of the standard normal distribution.
func Randn(more ...any) spark.Column { return call("randn", []any{}, more...) }

// Random is rand([seed]): random numbers from 0 up to 1.
func Random(more ...any) spark.Column { return call("random", []any{}, more...) }

// Randstr is randstr(length[, seed]): a random text of letters and digits.
func Randstr(length any, more ...any) spark.Column { return call("randstr", []any{length}, more...) }

// Rank is rank(): one more than the number of rows before the row's peers.
func Rank() spark.Column { return call("rank", []any{}) }

// Reduce is aggregate(array, start, (acc, x) -> …[, acc -> …]): folds the elements from a start value; the last function makes the result.
func Reduce(array, start, arg3 any, more ...any) spark.Column {
	return call("reduce", []any{array, start, arg3}, more...)
}

// Regexp is str RLIKE regexp: whether the pattern is found in str.
func Regexp(more ...any) spark.Column { return call("regexp", []any{}, more...) }

// RegexpCount is regexp_count(str, regexp): the number of matches.
func RegexpCount(str, regexp any) spark.Column { return call("regexp_count", []any{str, regexp}) }

// RegexpExtract is regexp_extract(str, regexp[, idx]): group idx of the first match; empty when there is none.
func RegexpExtract(str, regexp any, more ...any) spark.Column {
	return call("regexp_extract", []any{str, regexp}, more...)
}

// RegexpExtractAll is regexp_extract_all(str, regexp[, idx]): group idx of every match.
func RegexpExtractAll(str, regexp any, more ...any) spark.Column {
	return call("regexp_extract_all", []any{str, regexp}, more...)
}

// RegexpInstr is regexp_instr(str, regexp): the position of the first match, from 1; 0 when there is none.
func RegexpInstr(str, regexp any) spark.Column { return call("regexp_instr", []any{str, regexp}) }

// RegexpLike is str RLIKE regexp: whether the pattern is found in str.
func RegexpLike(more ...any) spark.Column { return call("regexp_like", []any{}, more...) }

// RegexpReplace is regexp_replace(str, regexp, rep[, position]): str with all matches replaced; $1 in rep is a group.
func RegexpReplace(str, regexp, rep any, more ...any) spark.Column {
	return call("regexp_replace", []any{str, regexp, rep}, more...)
}

// RegexpSubstr is regexp_substr(str, regexp): the first match, or null.
func RegexpSubstr(str, regexp any) spark.Column { return call("regexp_substr", []any{str, regexp}) }

// RegrAvgx is regr_avgx(y, x): the mean of x over pairs without null.
func RegrAvgx(y, x any) spark.Column { return call("regr_avgx", []any{y, x}) }

// RegrAvgy is regr_avgy(y, x): the mean of y over pairs without null.
func RegrAvgy(y, x any) spark.Column { return call("regr_avgy", []any{y, x}) }

// RegrCount is regr_count(y, x): the number of pairs without null.
func RegrCount(y, x any) spark.Column { return call("regr_count", []any{y, x}) }

// RegrIntercept is regr_intercept(y, x): where the fitted line meets the y axis.
func RegrIntercept(y, x any) spark.Column { return call("regr_intercept", []any{y, x}) }

// RegrR2 is regr_r2(y, x): the coefficient of determination.
func RegrR2(y, x any) spark.Column { return call("regr_r2", []any{y, x}) }

// RegrSlope is regr_slope(y, x): the slope of the fitted line.
func RegrSlope(y, x any) spark.Column { return call("regr_slope", []any{y, x}) }

// RegrSxx is regr_sxx(y, x): the sum of squares of x about its mean.
func RegrSxx(y, x any) spark.Column { return call("regr_sxx", []any{y, x}) }

// RegrSxy is regr_sxy(y, x): the sum of products about the means.
func RegrSxy(y, x any) spark.Column { return call("regr_sxy", []any{y, x}) }

// RegrSyy is regr_syy(y, x): the sum of squares of y about its mean.
func RegrSyy(y, x any) spark.Column { return call("regr_syy", []any{y, x}) }

// Repeat is repeat(str, n): str n times.
func Repeat(str, n any) spark.Column { return call("repeat", []any{str, n}) }

// Replace is replace(str, search[, replace]): str with all occurrences of search replaced.
func Replace(str, search any, more ...any) spark.Column {
	return call("replace", []any{str, search}, more...)
}

// Reverse is reverse(expr): the text or array from its end to its start.
func Reverse(expr any) spark.Column { return call("reverse", []any{expr}) }

// Right is right(str, len): the last len characters of str.
func Right(str, len any) spark.Column { return call("right", []any{str, len}) }

// Rint is rint(expr): the nearest whole number, ties to even.
func Rint(expr any) spark.Column { return call("rint", []any{expr}) }

// Rlike is str RLIKE regexp: whether the pattern is found in str.
func Rlike(more ...any) spark.Column { return call("rlike", []any{}, more...) }

// Round is round(expr[, d]): the number rounded to d digits, halves away from zero.
func Round(expr any, more ...any) spark.Column { return call("round", []any{expr}, more...) }

// RowNumber is row_number(): the number of the row in its partition, from 1.
func RowNumber() spark.Column { return call("row_number", []any{}) }

// Rpad is rpad(str, len[, pad]): str with pad repeated after it up to len characters, or cut to len.
func Rpad(str, len any, more ...any) spark.Column { return call("rpad", []any{str, len}, more...) }

// Rtrim is rtrim([chars,] str): the text without spaces, or without any of the characters, at its end.
func Rtrim(more ...any) spark.Column { return call("rtrim", []any{}, more...) }

// SchemaOfCsv is schema_of_csv(csv[, options]): the schema of a CSV line, in SQL's form.
func SchemaOfCsv(csv any, more ...any) spark.Column {
	return call("schema_of_csv", []any{csv}, more...)
}

// SchemaOfJson is schema_of_json(json[, options]): the schema of a JSON text, in SQL's form.
func SchemaOfJson(json any, more ...any) spark.Column {
	return call("schema_of_json", []any{json}, more...)
}

// SchemaOfVariant is schema_of_variant(variant): the schema that the variant suggests.
func SchemaOfVariant(variant any) spark.Column { return call("schema_of_variant", []any{variant}) }

// Sec is sec(expr): the secant.
func Sec(expr any) spark.Column { return call("sec", []any{expr}) }

// Second is second(timestamp): the second.
func Second(timestamp any) spark.Column { return call("second", []any{timestamp}) }

// Sentences is sentences(str[, lang[, country]]): an array of sentences, each an array of words.
func Sentences(str any, more ...any) spark.Column { return call("sentences", []any{str}, more...) }

// Sequence is sequence(start, stop[, step]): an array from start to stop, both inclusive.
func Sequence(start, stop any, more ...any) spark.Column {
	return call("sequence", []any{start, stop}, more...)
}

// SessionUser is current_user(): the name of the user.
func SessionUser() spark.Column { return call("session_user", []any{}) }

// Sha is sha(bin): the SHA-1 sum in hexadecimal digits.
func Sha(bin any) spark.Column { return call("sha", []any{bin}) }

// Sha1 is sha(bin): the SHA-1 sum in hexadecimal digits.
func Sha1(bin any) spark.Column { return call("sha1", []any{bin}) }

// Sha2 is sha2(bin, bits): the SHA-2 sum of 224, 256, 384 or 512 bits in hexadecimal digits; 0 means 256.
func Sha2(bin, bits any) spark.Column { return call("sha2", []any{bin, bits}) }

// Shiftleft is shiftleft(base, n): the bits moved n places to the left.
func Shiftleft(base, n any) spark.Column { return call("shiftleft", []any{base, n}) }

// Shiftright is shiftright(base, n): the bits moved n places to the right, keeping the sign.
func Shiftright(base, n any) spark.Column { return call("shiftright", []any{base, n}) }

// Shiftrightunsigned is shiftrightunsigned(base, n): the bits moved n places to the right, zeros coming in.
func Shiftrightunsigned(base, n any) spark.Column { return call("shiftrightunsigned", []any{base, n}) }

// Shuffle is shuffle(array[, seed]): the array in random order.
func Shuffle(array any, more ...any) spark.Column { return call("shuffle", []any{array}, more...) }

// Sign is sign(expr): -1, 0 or 1 by the sign of a number or interval.
func Sign(expr any) spark.Column { return call("sign", []any{expr}) }

// Signum is sign(expr): -1, 0 or 1 by the sign of a number or interval.
func Signum(expr any) spark.Column { return call("signum", []any{expr}) }

// Sin is sin(expr): the sine.
func Sin(expr any) spark.Column { return call("sin", []any{expr}) }

// Sinh is sinh(expr): the hyperbolic sine.
func Sinh(expr any) spark.Column { return call("sinh", []any{expr}) }

// Size is size(collection): the number of elements of an array or map.
func Size(collection any) spark.Column { return call("size", []any{collection}) }

// Skewness is skewness(expr): the skewness of the values.
func Skewness(expr any) spark.Column { return call("skewness", []any{expr}) }

// Slice is slice(array, start, length): a part of the array, from 1, negative from the end.
func Slice(array, start, length any) spark.Column { return call("slice", []any{array, start, length}) }

// Smallint is smallint(expr): the value as type SMALLINT.
func Smallint(expr any) spark.Column { return call("smallint", []any{expr}) }

// Some is bool_or(expr): whether one value is true.
func Some(expr any) spark.Column { return call("some", []any{expr}) }

// SortArray is sort_array(array[, ascending]): the array in order; nulls first, or last when descending.
func SortArray(array any, more ...any) spark.Column { return call("sort_array", []any{array}, more...) }

// Soundex is soundex(str): the Soundex code.
func Soundex(str any) spark.Column { return call("soundex", []any{str}) }

// Space is space(n): a text of n spaces.
func Space(n any) spark.Column { return call("space", []any{n}) }

// SparkPartitionId is spark_partition_id(): the number of the partition.
func SparkPartitionId() spark.Column { return call("spark_partition_id", []any{}) }

// Split is split(str, regexp[, limit]): the parts of str between matches, at most limit of them when it is positive.
func Split(str, regexp any, more ...any) spark.Column {
	return call("split", []any{str, regexp}, more...)
}

// SplitPart is split_part(str, delim, n): part n of str between delimiters, from 1; negative n counts from the end.
func SplitPart(str, delim, n any) spark.Column { return call("split_part", []any{str, delim, n}) }

// Sqrt is sqrt(expr): the square root.
func Sqrt(expr any) spark.Column { return call("sqrt", []any{expr}) }

// Stack is stack(n, expr1, …, exprk): the k expressions in n rows.
func Stack(n, expr1 any, more ...any) spark.Column { return call("stack", []any{n, expr1}, more...) }

// Startswith is startswith(left, right): whether left starts with right.
func Startswith(left, right any) spark.Column { return call("startswith", []any{left, right}) }

// Std is stddev(expr): the standard deviation of a sample.
func Std(expr any) spark.Column { return call("std", []any{expr}) }

// Stddev is stddev(expr): the standard deviation of a sample.
func Stddev(expr any) spark.Column { return call("stddev", []any{expr}) }

// StddevPop is stddev_pop(expr): the standard deviation of a population.
func StddevPop(expr any) spark.Column { return call("stddev_pop", []any{expr}) }

// StddevSamp is stddev_samp(expr): the standard deviation of a sample.
func StddevSamp(expr any) spark.Column { return call("stddev_samp", []any{expr}) }

// StrToMap is str_to_map(text[, pairDelim[, keyValueDelim]]): a map of the pairs of a text.
func StrToMap(text any, more ...any) spark.Column { return call("str_to_map", []any{text}, more...) }

// String is string(expr): the value as type STRING.
func String(expr any) spark.Column { return call("string", []any{expr}) }

// StringAgg is listagg(expr[, delimiter]) [WITHIN GROUP (ORDER BY …)]: the values joined to one text.
func StringAgg(more ...any) spark.Column { return call("string_agg", []any{}, more...) }

// Struct is struct(value, …): a struct of the values, named by their columns.
func Struct(value any, more ...any) spark.Column { return call("struct", []any{value}, more...) }

// Substr is substring(str, pos[, len]): the part of a text or binary from a position, counted from 1 or, negative, from the end.
func Substr(str, pos any, more ...any) spark.Column { return call("substr", []any{str, pos}, more...) }

// Substring is substring(str, pos[, len]): the part of a text or binary from a position, counted from 1 or, negative, from the end.
func Substring(str, pos any, more ...any) spark.Column {
	return call("substring", []any{str, pos}, more...)
}

// SubstringIndex is substring_index(str, delim, count): what stands before the count-th delimiter; after it from the end for negative counts.
func SubstringIndex(str, delim, count any) spark.Column {
	return call("substring_index", []any{str, delim, count})
}

// Sum is sum(expr): the sum of the values.
func Sum(expr any) spark.Column { return call("sum", []any{expr}) }

// Tan is tan(expr): the tangent.
func Tan(expr any) spark.Column { return call("tan", []any{expr}) }

// Tanh is tanh(expr): the hyperbolic tangent.
func Tanh(expr any) spark.Column { return call("tanh", []any{expr}) }

// TimeDiff is time_diff(unit, start, end): the whole units from start to end.
func TimeDiff(unit, start, end any) spark.Column { return call("time_diff", []any{unit, start, end}) }

// TimeFromMicros is time_from_micros(microseconds): the time of day so many microseconds after midnight.
func TimeFromMicros(microseconds any) spark.Column {
	return call("time_from_micros", []any{microseconds})
}

// TimeFromMillis is time_from_millis(milliseconds): the time of day so many milliseconds after midnight.
func TimeFromMillis(milliseconds any) spark.Column {
	return call("time_from_millis", []any{milliseconds})
}

// TimeFromSeconds is time_from_seconds(seconds): the time of day so many seconds after midnight.
func TimeFromSeconds(seconds any) spark.Column { return call("time_from_seconds", []any{seconds}) }

// TimeToMicros is time_to_micros(time): the microseconds since midnight.
func TimeToMicros(time any) spark.Column { return call("time_to_micros", []any{time}) }

// TimeToMillis is time_to_millis(time): the milliseconds since midnight.
func TimeToMillis(time any) spark.Column { return call("time_to_millis", []any{time}) }

// TimeToSeconds is time_to_seconds(time): the seconds since midnight.
func TimeToSeconds(time any) spark.Column { return call("time_to_seconds", []any{time}) }

// TimeTrunc is time_trunc(unit, time): the start of the unit that the time lies in.
func TimeTrunc(unit, time any) spark.Column { return call("time_trunc", []any{unit, time}) }

// Timestamp is timestamp(expr): the value as type TIMESTAMP.
func Timestamp(expr any) spark.Column { return call("timestamp", []any{expr}) }

// TimestampMicros is timestamp_micros(microseconds): the timestamp so many microseconds after the epoch.
func TimestampMicros(microseconds any) spark.Column {
	return call("timestamp_micros", []any{microseconds})
}

// TimestampMillis is timestamp_millis(milliseconds): the timestamp so many milliseconds after the epoch.
func TimestampMillis(milliseconds any) spark.Column {
	return call("timestamp_millis", []any{milliseconds})
}

// TimestampSeconds is timestamp_seconds(seconds): the timestamp so many seconds after the epoch.
func TimestampSeconds(seconds any) spark.Column { return call("timestamp_seconds", []any{seconds}) }

// Timestampadd is timestampadd(unit, n, timestamp): the timestamp n units later.
func Timestampadd(unit, n, timestamp any) spark.Column {
	return call("timestampadd", []any{unit, n, timestamp})
}

// Timestampdiff is timestampdiff(unit, start, end): the whole units from start to end.
func Timestampdiff(unit, start, end any) spark.Column {
	return call("timestampdiff", []any{unit, start, end})
}

// Tinyint is tinyint(expr): the value as type TINYINT.
func Tinyint(expr any) spark.Column { return call("tinyint", []any{expr}) }

// ToBinary is to_binary(str[, format]): the bytes of a text in hex, utf-8 or base64.
func ToBinary(str any, more ...any) spark.Column { return call("to_binary", []any{str}, more...) }

// ToChar is to_char(expr, format): a number by a number format, a date or timestamp by a pattern, bytes in base64, hex or utf-8.
func ToChar(expr, format any) spark.Column { return call("to_char", []any{expr, format}) }

// ToCsv is to_csv(struct[, options]): the struct as a CSV line.
func ToCsv(arg1 any, more ...any) spark.Column { return call("to_csv", []any{arg1}, more...) }

// ToDate is to_date(expr[, pattern]): the date of a text, date or timestamp.
func ToDate(expr any, more ...any) spark.Column { return call("to_date", []any{expr}, more...) }

// ToJson is to_json(expr[, options]): the struct, array or map as JSON.
func ToJson(expr any, more ...any) spark.Column { return call("to_json", []any{expr}, more...) }

// ToNumber is to_number(str, format): the number of a text in a format of 0, 9, ., D, comma, G, $, S, MI and PR.
func ToNumber(str, format any) spark.Column { return call("to_number", []any{str, format}) }

// ToTime is to_time(str[, pattern]): the time of day of a text.
func ToTime(str any, more ...any) spark.Column { return call("to_time", []any{str}, more...) }

// ToTimestamp is to_timestamp(expr[, pattern]): the timestamp of a text or date.
func ToTimestamp(expr any, more ...any) spark.Column {
	return call("to_timestamp", []any{expr}, more...)
}

// ToTimestampLtz is to_timestamp_ltz(expr[, pattern]): the timestamp with local time zone of a text or date.
func ToTimestampLtz(expr any, more ...any) spark.Column {
	return call("to_timestamp_ltz", []any{expr}, more...)
}

// ToTimestampNtz is to_timestamp_ntz(expr[, pattern]): the timestamp without time zone of a text or date.
func ToTimestampNtz(expr any, more ...any) spark.Column {
	return call("to_timestamp_ntz", []any{expr}, more...)
}

// ToUnixTimestamp is to_unix_timestamp(time[, pattern]): the seconds since the epoch.
func ToUnixTimestamp(time any, more ...any) spark.Column {
	return call("to_unix_timestamp", []any{time}, more...)
}

// ToUtcTimestamp is to_utc_timestamp(timestamp, zone): the time in UTC when it is timestamp in the zone.
func ToUtcTimestamp(timestamp, zone any) spark.Column {
	return call("to_utc_timestamp", []any{timestamp, zone})
}

// ToVarchar is to_varchar(expr, format): a number by a number format, a date or timestamp by a pattern, bytes in base64, hex or utf-8.
func ToVarchar(expr, format any) spark.Column { return call("to_varchar", []any{expr, format}) }

// ToVariantObject is to_variant_object(expr): the struct, array or map as a variant.
func ToVariantObject(expr any) spark.Column { return call("to_variant_object", []any{expr}) }

// Transform is transform(array, x -> …): the array of the function's values; (x, i) -> … gets the index too.
func Transform(array any, more ...any) spark.Column { return call("transform", []any{array}, more...) }

// TransformKeys is transform_keys(map, (k, v) -> …): the map with the function's keys.
func TransformKeys(arg1, arg2 any, more ...any) spark.Column {
	return call("transform_keys", []any{arg1, arg2}, more...)
}

// TransformValues is transform_values(map, (k, v) -> …): the map with the function's values.
func TransformValues(arg1, arg2 any, more ...any) spark.Column {
	return call("transform_values", []any{arg1, arg2}, more...)
}

// Translate is translate(input, from, to): input with each character of from replaced by the one at its place in to.
func Translate(input, from, to any) spark.Column { return call("translate", []any{input, from, to}) }

// Trim is trim([chars,] str): the text without spaces, or without any of the characters, at both ends.
func Trim(more ...any) spark.Column { return call("trim", []any{}, more...) }

// Trunc is trunc(date, unit): the first day of the unit that holds the date.
func Trunc(date, unit any) spark.Column { return call("trunc", []any{date, unit}) }

// TryAdd is try_add(expr1, expr2): the sum, or null where it overflows.
func TryAdd(expr1, expr2 any) spark.Column { return call("try_add", []any{expr1, expr2}) }

// TryAesDecrypt is try_aes_decrypt(bin, key[, mode[, padding[, aad]]]): aes_decrypt, or null where it fails.
func TryAesDecrypt(bin, key any, more ...any) spark.Column {
	return call("try_aes_decrypt", []any{bin, key}, more...)
}

// TryAvg is try_avg(expr): the mean of the values, or null when it overflows.
func TryAvg(expr any) spark.Column { return call("try_avg", []any{expr}) }

// TryDivide is try_divide(expr1, expr2): the quotient, or null where expr2 is 0.
func TryDivide(expr1, expr2 any) spark.Column { return call("try_divide", []any{expr1, expr2}) }

// TryElementAt is try_element_at(array, position): element_at, or null outside of the array.
func TryElementAt(array, position any) spark.Column {
	return call("try_element_at", []any{array, position})
}

// TryMakeInterval is try_make_interval([years[, months[, …]]]): make_interval, or null where it overflows.
func TryMakeInterval(more ...any) spark.Column { return call("try_make_interval", []any{}, more...) }

// TryMakeTimestamp is try_make_timestamp(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func TryMakeTimestamp(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("try_make_timestamp", []any{year, month, day, hour, minute, second}, more...)
}

// TryMakeTimestampLtz is try_make_timestamp_ltz(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func TryMakeTimestampLtz(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("try_make_timestamp_ltz", []any{year, month, day, hour, minute, second}, more...)
}

// TryMakeTimestampNtz is try_make_timestamp_ntz(year, month, day, hour, minute, second[, timezone]): the timestamp of its parts; or of (date, time[, timezone]).
func TryMakeTimestampNtz(year, month, day, hour, minute, second any, more ...any) spark.Column {
	return call("try_make_timestamp_ntz", []any{year, month, day, hour, minute, second}, more...)
}

// TryMod is try_mod(expr1, expr2): the remainder, or null where expr2 is 0.
func TryMod(expr1, expr2 any) spark.Column { return call("try_mod", []any{expr1, expr2}) }

// TryMultiply is try_multiply(expr1, expr2): the product, or null where it overflows.
func TryMultiply(expr1, expr2 any) spark.Column { return call("try_multiply", []any{expr1, expr2}) }

// TryParseJson is try_parse_json(json): parse_json, or null where the text is no JSON.
func TryParseJson(json any) spark.Column { return call("try_parse_json", []any{json}) }

// TryParseUrl is try_parse_url(url, part[, key]): parse_url, or null where the URL is invalid.
func TryParseUrl(url, part any, more ...any) spark.Column {
	return call("try_parse_url", []any{url, part}, more...)
}

// TrySubtract is try_subtract(expr1, expr2): the difference, or null where it overflows.
func TrySubtract(expr1, expr2 any) spark.Column { return call("try_subtract", []any{expr1, expr2}) }

// TrySum is try_sum(expr): the sum of the values, or null when it overflows.
func TrySum(expr any) spark.Column { return call("try_sum", []any{expr}) }

// TryToBinary is try_to_binary(str[, format]): to_binary, or null where the text is malformed.
func TryToBinary(str any, more ...any) spark.Column {
	return call("try_to_binary", []any{str}, more...)
}

// TryToDate is try_to_date(expr[, pattern]): to_date, or null where the text is none.
func TryToDate(expr any, more ...any) spark.Column { return call("try_to_date", []any{expr}, more...) }

// TryToNumber is try_to_number(str, format): the number of a text in a format of 0, 9, ., D, comma, G, $, S, MI and PR.
func TryToNumber(str, format any) spark.Column { return call("try_to_number", []any{str, format}) }

// TryToTime is try_to_time(str[, pattern]): the time of day of a text.
func TryToTime(str any, more ...any) spark.Column { return call("try_to_time", []any{str}, more...) }

// TryToTimestamp is try_to_timestamp(expr[, pattern]): to_timestamp, or null where the text is none.
func TryToTimestamp(expr any, more ...any) spark.Column {
	return call("try_to_timestamp", []any{expr}, more...)
}

// TryUrlDecode is try_url_decode(str): url_decode, or null where the text is malformed.
func TryUrlDecode(str any) spark.Column { return call("try_url_decode", []any{str}) }

// TryValidateUtf8 is try_validate_utf8(str): str, or null when it is not UTF-8.
func TryValidateUtf8(str any) spark.Column { return call("try_validate_utf8", []any{str}) }

// TryVariantGet is try_variant_get(variant, path[, type]): the part of the variant at the path, as a type.
func TryVariantGet(variant, path any, more ...any) spark.Column {
	return call("try_variant_get", []any{variant, path}, more...)
}

// Typeof is typeof(expr): the type of the expression.
func Typeof(expr any) spark.Column { return call("typeof", []any{expr}) }

// Ucase is upper(str): the text in capitals.
func Ucase(str any) spark.Column { return call("ucase", []any{str}) }

// Unbase64 is unbase64(str): the bytes of a base 64 text.
func Unbase64(str any) spark.Column { return call("unbase64", []any{str}) }

// Unhex is unhex(str): the bytes of hexadecimal digits; null for other characters.
func Unhex(str any) spark.Column { return call("unhex", []any{str}) }

// Uniform is uniform(min, max[, seed]): random numbers from min up to max.
func Uniform(min, max any, more ...any) spark.Column {
	return call("uniform", []any{min, max}, more...)
}

// UnixDate is unix_date(date): the days since 1970-01-01.
func UnixDate(date any) spark.Column { return call("unix_date", []any{date}) }

// UnixMicros is unix_micros(timestamp): the microseconds since the epoch.
func UnixMicros(timestamp any) spark.Column { return call("unix_micros", []any{timestamp}) }

// UnixMillis is unix_millis(timestamp): the milliseconds since the epoch.
func UnixMillis(timestamp any) spark.Column { return call("unix_millis", []any{timestamp}) }

// UnixSeconds is unix_seconds(timestamp): the seconds since the epoch.
func UnixSeconds(timestamp any) spark.Column { return call("unix_seconds", []any{timestamp}) }

// UnixTimestamp is unix_timestamp([time[, pattern]]): the seconds since the epoch; of the current time by default.
func UnixTimestamp(more ...any) spark.Column { return call("unix_timestamp", []any{}, more...) }

// Upper is upper(str): the text in capitals.
func Upper(str any) spark.Column { return call("upper", []any{str}) }

// UrlDecode is url_decode(str): the text of its application/x-www-form-urlencoded form.
func UrlDecode(str any) spark.Column { return call("url_decode", []any{str}) }

// UrlEncode is url_encode(str): the text in application/x-www-form-urlencoded form.
func UrlEncode(str any) spark.Column { return call("url_encode", []any{str}) }

// User is current_user(): the name of the user.
func User() spark.Column { return call("user", []any{}) }

// Uuid is uuid([seed]): a random UUID.
func Uuid(more ...any) spark.Column { return call("uuid", []any{}, more...) }

// ValidateUtf8 is validate_utf8(str): str; an error when it is not UTF-8.
func ValidateUtf8(str any) spark.Column { return call("validate_utf8", []any{str}) }

// VarPop is var_pop(expr): the variance of a population.
func VarPop(expr any) spark.Column { return call("var_pop", []any{expr}) }

// VarSamp is var_samp(expr): the variance of a sample.
func VarSamp(expr any) spark.Column { return call("var_samp", []any{expr}) }

// Variance is variance(expr): the variance of a sample.
func Variance(expr any) spark.Column { return call("variance", []any{expr}) }

// VariantGet is variant_get(variant, path[, type]): the part of the variant at the path, as a type.
func VariantGet(variant, path any, more ...any) spark.Column {
	return call("variant_get", []any{variant, path}, more...)
}

// VectorCosineSimilarity is vector_cosine_similarity(a, b): the cosine of the angle of two vectors.
func VectorCosineSimilarity(a, b any) spark.Column {
	return call("vector_cosine_similarity", []any{a, b})
}

// VectorInnerProduct is vector_inner_product(a, b): the inner product of two vectors.
func VectorInnerProduct(a, b any) spark.Column { return call("vector_inner_product", []any{a, b}) }

// VectorL2Distance is vector_l2_distance(a, b): the Euclidean distance of two vectors.
func VectorL2Distance(a, b any) spark.Column { return call("vector_l2_distance", []any{a, b}) }

// VectorNorm is vector_norm(a[, p]): the p-norm of a vector, 2 by default.
func VectorNorm(a any, more ...any) spark.Column { return call("vector_norm", []any{a}, more...) }

// VectorNormalize is vector_normalize(a[, p]): the vector divided by its norm.
func VectorNormalize(a any, more ...any) spark.Column {
	return call("vector_normalize", []any{a}, more...)
}

// Version is version(): the version of Spark whose behaviour this is.
func Version() spark.Column { return call("version", []any{}) }

// Weekday is weekday(date): the day of the week, 0 for Monday.
func Weekday(date any) spark.Column { return call("weekday", []any{date}) }

// Weekofyear is weekofyear(date): the week of the year by ISO 8601.
func Weekofyear(date any) spark.Column { return call("weekofyear", []any{date}) }

// When is CASE WHEN cond THEN value [WHEN …] [ELSE value] END: the value of the first true condition.
func When(more ...any) spark.Column { return call("when", []any{}, more...) }

// WidthBucket is width_bucket(value, low, high, n): the number of the bucket among n of equal width that holds the value.
func WidthBucket(value, low, high, n any) spark.Column {
	return call("width_bucket", []any{value, low, high, n})
}

// Window is window(time, width[, slide[, start]]): the window of a time: a struct of its start and end.
func Window(time, width any, more ...any) spark.Column {
	return call("window", []any{time, width}, more...)
}

// WindowTime is window_time(window): the last microsecond of a window.
func WindowTime(window any) spark.Column { return call("window_time", []any{window}) }

// Xxhash64 is xxhash64(expr, …): a hash of the values of 64 bits.
func Xxhash64(expr any, more ...any) spark.Column { return call("xxhash64", []any{expr}, more...) }

// Year is year(date): the year.
func Year(date any) spark.Column { return call("year", []any{date}) }

// Zeroifnull is zeroifnull(a): 0 where a is null, else a.
func Zeroifnull(a any) spark.Column { return call("zeroifnull", []any{a}) }

// ZipWith is zip_with(a, b, (x, y) -> …): the array of the function of elements at the same place; a shorter array has nulls at its end.
func ZipWith(a, b, arg3 any, more ...any) spark.Column {
	return call("zip_with", []any{a, b, arg3}, more...)
}
