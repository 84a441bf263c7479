package analyzer

import (
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Conditions, and the parts of the text that carry parameters, are what Spark 4.2 answers.
var errorTests = []struct{ sql, condition, text string }{
	{"select x from t", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "with name `x` cannot be resolved. Did you mean one of the following? [`a`, `b`, `c`, `d`, `m`]"},
	{"select current_schema from t", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "[`arr`, `dec`, `ts`, `c`, `m`]"},
	{"select t.x from t", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "[`t`.`a`, `t`.`b`, `t`.`c`, `t`.`d`, `t`.`m`]"},
	{"select 1 as p, q", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "`q`"},
	{"select a from t join u on t.a = u.a", "AMBIGUOUS_REFERENCE", "Reference `a` is ambiguous, could be: [`spark_catalog`.`default`.`t`.`a`, `spark_catalog`.`default`.`u`.`a`]"},
	{"select * from nope", "TABLE_OR_VIEW_NOT_FOUND", "`nope`"},
	{"select * from nope.`/x`", "TABLE_OR_VIEW_NOT_FOUND", "`nope`.`/x`"},
	{"select * from ORC.`/x`", "UNSUPPORTED_CALL.WITHOUT_SUGGESTION", `"data source orc" of the class "Firesteel"`},
	{"select * from jdbc.`/x`", "UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY", "direct query on files: jdbc"},
	{"select * from hive.`/x`", "UNSUPPORTED_DATASOURCE_FOR_DIRECT_QUERY", "direct query on files: hive"},
	{"select nofunc(a) from t", "UNRESOLVED_ROUTINE", "`nofunc` on search path [`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"},
	{"select a, b from t group by a", "MISSING_AGGREGATION", `use "any_value(b)"`},
	{"select sum(b), a from t", "MISSING_GROUP_BY", ""},
	{"select sum(sum(a)) from t", "NESTED_AGGREGATE_FUNCTION", ""},
	{"select a from u where sum(a) > 1", "INVALID_WHERE_CONDITION", `The WHERE condition "(sum(a) > 1)" contains invalid expressions: sum(spark_catalog.default.u.a)`},
	{"select a from t where row_number() over (order by a) > 1", "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "inside WHERE clause"},
	{"select * from t where a", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", `Filter expression "a" of type "INT" is not a boolean`},
	{"select a from t group by 3", "GROUP_BY_POS_OUT_OF_RANGE", "position 3 is not in select list (valid range is [1, 1])"},
	{"select a from t order by 3", "ORDER_BY_POS_OUT_OF_RANGE", "position 3 is not in select list (valid range is [1, 1])"},
	{"select sum(a) from t group by 1", "GROUP_BY_POS_AGGREGATE", "AS `sum(a)`"},
	{"select a from t group by sum(a)", "GROUP_BY_AGGREGATE", "sum("},
	{"select a from t order by sum(a)", "UNSUPPORTED_EXPR_FOR_OPERATOR", `"sum(a)"`},
	{"select distinct a from t order by b", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "[`a`]"},
	{"select a, b from t union select a from t", "NUM_COLUMNS_MISMATCH", "the first input has 2 columns and the second input has 1 columns"},
	{"select a from t except all select m from t", "INCOMPATIBLE_COLUMN_TYPE", `EXCEPT ALL can only be performed on tables with compatible column types. The first column of the second table is "MAP<STRING, INT>"`},
	{"select distinct m from t", "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "`m`"},
	{"select a from t order by m", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", `"m ASC NULLS FIRST"`},
	{"select * from t limit a", "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", `"a"`},
	{"select * from t limit -1", "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "but got -1"},
	{"select * from t limit 'x'", "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", `"STRING"`},
	{"select (select a, b from t)", "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "2"},
	{"select * from t where a in (select a, e from u)", "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", `Left hand side columns(length: 1): ["a"], right hand side columns(length: 2): ["a", "e"]`},
	{"select * from t where exists (select 1 from u where u.a = t.a and t.zz = 1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "[`u`.`a`, `u`.`c`, `u`.`e`]"},
	{"select a, (select count(*) from u where u.a = t.b) from t group by a", "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "scalarsubquery(b)"},
	{"select * from t join u using (zz)", "UNRESOLVED_USING_COLUMN_FOR_JOIN", "[`a`, `arr`, `b`, `bool`, `c`, `d`, `dbl`, `dec`, `m`, `s`, `ts`]"},
	{"select * from t join u on t.a", "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", `"INT"`},
	{"select s.zz from t", "FIELD_NOT_FOUND", "`zz` in `f`, `g`"},
	{"select a.f from t", "INVALID_EXTRACT_BASE_FIELD_TYPE", `from "a"`},
	{"select * except (a, a) from t", "EXCEPT_OVERLAPPING_COLUMNS", "(a, a)"},
	{"select grouping(a) from t group by a", "UNSUPPORTED_GROUPING_EXPRESSION", ""},
	{"select a, grouping(b) from t group by cube(a)", "GROUPING_COLUMN_MISMATCH", ""},
	{"select sum(a) over w from t", "MISSING_WINDOW_SPECIFICATION", " w."},
	{"select abs(a) over () from t", "UNSUPPORTED_EXPR_FOR_WINDOW", `"abs(a)"`},
	{"select rank() over (partition by a) from t", "WINDOW_FUNCTION_FRAME_NOT_ORDERED", "Window function rank requires"},
	{"select rank() over (order by a rows between 1 preceding and current row) from t", "_LEGACY_ERROR_TEMP_1036", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW."},
	{"select sum(lag(a) over (order by a)) from t", "_LEGACY_ERROR_TEMP_1031", ""},
	{"select a + 1 as k, stack(2, a, k) as (x) from t", "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GENERATOR", "alias `k` in generator expression"},
	{"select a + 1 as k, explode(array(k)) from t", "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GENERATOR", "`k`"},
	{"select /*+ repartition(1.5) */ a from t", "_LEGACY_ERROR_TEMP_1047", "REPARTITION Hint parameters"},
	{"select /*+ repartition(0) */ a from t", "", "Number of partitions (0) must be positive."},
	{"select /*+ coalesce(a) */ a from t", "_LEGACY_ERROR_TEMP_1048", "COALESCE Hint expects a partition number"},
	{"select window(ts, 'nothing') from t", "CANNOT_PARSE_INTERVAL", "Unable to parse 'nothing'"},
	{"select window(ts, '1 month') from t", "_LEGACY_ERROR_TEMP_3231", "(1 month)"},
	{"select sum(distinct a) over () from t", "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "sum(DISTINCT a) OVER"},
	{"select * from values (1, 2), (3)", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", ""},
	{"select * from range(1, 2, 0)", "FAILED_FUNCTION_CALL", "`range`"},
	{"select :x", "UNBOUND_SQL_PARAMETER", ": x."},
	{"with recursive r as (select 1 as n union select n+1 from r) select * from r", "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", ""},
	{"with x(p, q) as (select 1) select * from x", "ASSIGNMENT_ARITY_MISMATCH", ""},
	{"select * from t unpivot (v for n in (a, arr))", "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "[\"ARRAY<INT>\" (`arr`), \"INT\" (`a`)]"},
	{"select cast(arr as int) from t", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", `cannot cast "ARRAY<INT>" to "INT"`},
	{"select cast(d as int) from t", "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "`UNIX_DATE`"},
	{"select count(u.*) from u", "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", ""},
	{"select count(*) filter (where sum(a) > 1) from t", "INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", `found "`},
}

func TestErrors(t *testing.T) {
	ctx := testContext(t)
	for _, c := range errorTests {
		_, err := analyze(t, ctx, c.sql)
		e, ok := sparkerr.As(err)
		if !ok || e.Condition != c.condition {
			t.Errorf("%s: got %v, want %s", c.sql, err, c.condition)
			continue
		}
		if !strings.Contains(e.Message(), c.text) {
			t.Errorf("%s: %s", c.sql, e.Message())
		}
		if strings.ContainsAny(e.Message(), "<>") && strings.Contains(e.Message(), "Expr>") {
			t.Errorf("%s: parameters are missing: %s", c.sql, e.Message())
		}
	}
}
