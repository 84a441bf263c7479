package command

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/analyzer"
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// world is a session without execution: it notes what it is asked to write and run.
type world struct {
	cat    *catalog.Session
	conf   *conf.Conf
	fs     *vfs.Registry
	writes []string
	parts  []catalog.Partition // what the next write answers
	rows   [][]any             // what the next query answers
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{conf: conf.New(nil), fs: vfs.NewRegistry()}
	shared, err := catalog.NewShared(&catalog.Memory{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.cat = catalog.NewSession(shared, nil)
	return w
}

func (w *world) Catalog() *catalog.Session { return w.cat }
func (w *world) Conf() *conf.Conf          { return w.conf }
func (w *world) FS() *vfs.Registry         { return w.fs }
func (w *world) User() string              { return "" }
func (w *world) Now() int64                { return 0 }

type opened struct{}

func (opened) Stats() *catalog.Stats { return &catalog.Stats{Rows: -1, Bytes: 7} }
func (opened) Files() []string       { return nil }

// format knows two formats, and one that is not built.
func format(name string) error {
	switch name {
	case "parquet", "csv":
		return nil
	case "orc":
		return sparkerr.Unsupported("data source orc")
	}
	return sparkerr.New("DATA_SOURCE_NOT_FOUND", "provider", name)
}

func (w *world) Analysis(context.Context) *analyzer.Context {
	return &analyzer.Context{
		Session: &kernel.Session{Zone: time.UTC, ZoneName: "UTC", Ansi: true, Conf: w.conf.Values().String},
		Catalog: w.cat, Query: w.Parse, Format: format,
		Open: func(t *catalog.Table) (*types.Schema, catalog.Relation, error) { return t.Schema, opened{}, nil },
		Expr: func(s string) (expr.Expr, error) { return sqlparser.ParseExpression(s, sqlparser.Options{}) },
		Fold: func(e expr.Expr) (any, error) {
			if c, ok := e.(*expr.Cast); ok {
				if l, ok := c.Child.(*expr.Literal); ok {
					return l.Value, nil
				}
			}
			return nil, sparkerr.Unsupported("folding " + e.SQL())
		},
	}
}

func (w *world) Rows(context.Context, logical.Plan) ([][]any, error) { return w.rows, nil }
func (w *world) Write(_ context.Context, x *Write) (*Written, error) {
	p := x.Plan
	var list []string
	for _, e := range p.Exprs() {
		if a, ok := e.(*expr.Alias); ok {
			list = append(list, a.Name+"="+a.Child.SQL()+":"+a.Type().String())
		}
	}
	w.writes = append(w.writes, fmt.Sprintf("%s mode %d dynamic %v static %v: %s", vfs.Base(x.Path), x.Mode, x.Dynamic, x.Static, strings.Join(list, ", ")))
	return &Written{Partitions: w.parts}, nil
}
func (w *world) Explain(_ context.Context, mode string, _ logical.Plan) (string, error) {
	return "plan " + mode, nil
}
func (w *world) Do(ctx context.Context, p logical.Plan) (*Result, error) { return w.do(ctx, p) }
func (w *world) Parse(text string) (logical.Plan, error) {
	return sqlparser.ParsePlan(text, sqlparser.Options{})
}
func (w *world) Cache(context.Context, string, logical.Plan, bool, map[string]string) error {
	return nil
}
func (w *world) Uncache(logical.Plan) (bool, error)                  { return false, nil }
func (w *world) ClearCache() error                                   { return nil }
func (w *world) IsCached(logical.Plan) bool                          { return false }
func (w *world) Changed(string)                                      {}
func (w *world) AddResource(context.Context, string, []string) error { return nil }
func (w *world) Resources(string) []string                           { return nil }

func (w *world) do(ctx context.Context, p logical.Plan) (*Result, error) {
	q, err := analyzer.Analyze(w.Analysis(ctx), p)
	if err != nil {
		return nil, err
	}
	c, ok := q.(logical.Command)
	if !ok {
		return &Result{Schema: schemaOfColumns(q.Output())}, nil
	}
	return Run(ctx, w, c)
}

// sql runs a statement and prints its rows, columns separated by bars.
func (w *world) sql(text string) (string, error) {
	p, err := w.Parse(text)
	if err != nil {
		return "", err
	}
	r, err := w.do(context.Background(), p)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, row := range r.Rows {
		parts := make([]string, len(row))
		for i, v := range row {
			parts[i] = fmt.Sprint(v)
			if v == nil {
				parts[i] = "NULL"
			}
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	out := strings.Join(lines, "\n")
	return strings.ReplaceAll(out, w.cat.Warehouse(), "WH"), nil
}

// script runs statements; an answer of the form !CONDITION is an error.
func script(t *testing.T, w *world, steps [][2]string) {
	t.Helper()
	for _, s := range steps {
		got, err := w.sql(s[0])
		if err != nil {
			e, ok := sparkerr.As(err)
			if !ok {
				t.Errorf("%s: %v", s[0], err)
				continue
			}
			got = "!" + e.Condition
			if got != s[1] {
				t.Log(err)
			}
		}
		if got != s[1] {
			t.Errorf("%s\ngot  %q\nwant %q", s[0], got, s[1])
		}
	}
}

func TestDatabases(t *testing.T) {
	script(t, newWorld(t), [][2]string{
		{"show databases", "default"},
		{"create database db1 comment 'hello' with dbproperties (a='1')", ""},
		{"create database db1", "!SCHEMA_ALREADY_EXISTS"},
		{"create database if not exists db1", ""},
		{"create database `a-b`", "!INVALID_SCHEMA_OR_RELATION_NAME"},
		{"show databases like 'd*'", "db1\ndefault"},
		{"describe database extended db1", "Catalog Name|spark_catalog\nNamespace Name|db1\nComment|hello\nLocation|file:WH/db1.db\nProperties|((a,1))"},
		{"use db1", ""},
		{"show current namespace", "spark_catalog|db1"},
		{"use nope", "!SCHEMA_NOT_FOUND"},
		{"create table x(a int) using parquet", ""},
		{"drop database db1", "!SCHEMA_NOT_EMPTY"},
		{"drop database db1 cascade", ""},
		{"drop database db1", "!SCHEMA_NOT_FOUND"},
		{"drop database if exists db1", ""},
		{"drop database default", "!UNSUPPORTED_FEATURE.DROP_DATABASE"},
	})
}

func TestTables(t *testing.T) {
	script(t, newWorld(t), [][2]string{
		{"create table x(a int comment 'ca', b string not null, p int default 3) using parquet partitioned by (p) comment 'tc' tblproperties ('k'='v')", ""},
		{"create table x(a int) using parquet", "!TABLE_OR_VIEW_ALREADY_EXISTS"},
		{"create table if not exists x(a int) using parquet", ""},
		{"create table bad(a int, A int) using parquet", "!COLUMN_ALREADY_EXISTS"},
		{"create table bad(a int) using parquet partitioned by (z)", "!COLUMN_NOT_DEFINED_IN_TABLE"},
		{"create table bad(a int) using nosuchformat", "!DATA_SOURCE_NOT_FOUND"},
		{"create table bad(a int) using orc", "!UNSUPPORTED_CALL.WITHOUT_SUGGESTION"},
		{"create table `a.b`(a int)", "!INVALID_SCHEMA_OR_RELATION_NAME"},
		{"create table nodb.x(a int)", "!SCHEMA_NOT_FOUND"},
		{"create temp view tv as select 1 as one", ""},
		{"show tables", "default|x|false\n|tv|true"},
		{"show tables like 't*|y*'", "|tv|true"},
		{"describe x", "a|int|ca\nb|string|NULL\np|int|NULL\n# Partition Information||\n# col_name|data_type|comment\np|int|NULL\n||\n# Column Default Values||\np|int|3"},
		{"describe extended x", "a|int|ca\nb|string|NULL\np|int|NULL\n# Partition Information||\n# col_name|data_type|comment\np|int|NULL\n||\n" +
			"# Detailed Table Information||\nCatalog|spark_catalog|\nDatabase|default|\nTable|x|\nCreated Time|Thu Jan 01 00:00:00 UTC 1970|\nLast Access|UNKNOWN|\n" +
			"Created By|Spark 4.2.0|\nType|MANAGED|\nProvider|parquet|\nComment|tc|\nTable Properties|[k=v]|\nLocation|file:WH/x|\nPartition Provider|Catalog|\n" +
			"||\n# Column Default Values||\np|int|3"},
		{"describe x a", "col_name|a\ndata_type|int\ncomment|ca"},
		{"describe nope", "!TABLE_OR_VIEW_NOT_FOUND"},
		{"show create table x", "CREATE TABLE spark_catalog.default.x (\n  a INT COMMENT 'ca',\n  b STRING COLLATE UTF8_BINARY,\n  p INT DEFAULT 3)\nUSING parquet\n" +
			"PARTITIONED BY (p)\nCOMMENT 'tc'\nTBLPROPERTIES (\n  'k' = 'v')\n"},
		{"show columns in x", "a\nb\np"},
		{"show tblproperties x ('zz')", "zz|Table spark_catalog.default.x does not have property: zz"},
		{"alter table x set tblproperties ('z'='1')", ""},
		{"show tblproperties x", "k|v\nz|1"},
		{"alter table x unset tblproperties ('z')", ""},
		{"alter table x add columns (n double comment 'nn')", ""},
		{"alter table x add columns (N double)", "!COLUMN_ALREADY_EXISTS"},
		{"alter table x alter column a comment 'new'", ""},
		{"alter table x rename column a to aa", "!UNSUPPORTED_FEATURE.TABLE_OPERATION"},
		{"alter table x rename to x2", ""},
		{"describe x2", "a|int|new\nb|string|NULL\nn|double|nn\np|int|NULL\n# Partition Information||\n# col_name|data_type|comment\np|int|NULL\n||\n# Column Default Values||\np|int|3"},
		{"comment on table x2 is 'cc'", ""},
		{"create table like1 like x2", ""},
		{"drop table x2", ""},
		{"drop table x2", "!TABLE_OR_VIEW_NOT_FOUND"},
		{"drop table if exists x2", ""},
		{"drop view like1", "!WRONG_COMMAND_FOR_OBJECT_TYPE"},
		{"drop table tv", ""},
		{"show tables", "default|like1|false"},
	})
}

func TestPartitions(t *testing.T) {
	w := newWorld(t)
	script(t, w, [][2]string{
		{"create table p(a int, b int, c string) using csv partitioned by (b, c)", ""},
		{"alter table p add partition (b=1, c='x/y') partition (b=2, c='z')", ""},
		{"alter table p add partition (b=1, c='x/y')", "!PARTITIONS_ALREADY_EXIST"},
		{"alter table p add if not exists partition (b=1, c='x/y')", ""},
		{"show partitions p", "b=1/c=x%2Fy\nb=2/c=z"},
		{"show partitions p partition (b=2)", "b=2/c=z"},
		{"alter table p partition (b=2, c='z') rename to partition (b=3, c='z')", ""},
		{"alter table p drop partition (b=1)", ""},
		{"alter table p drop partition (b=1)", "!PARTITIONS_NOT_FOUND"},
		{"show partitions p", "b=3/c=z"},
		{"alter table p drop partition (b=3)", ""},
		{"msck repair table p", ""},
		{"show partitions p", ""},
		{"alter table p add partition (b=1)", "!INVALID_PARTITION_SPEC"},
		{"create table q(a int)", ""},
		{"show partitions q", "!INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY"},
	})
}

func TestViews(t *testing.T) {
	script(t, newWorld(t), [][2]string{
		{"create table x(a int, b string)", ""},
		{"create view v (p comment 'cp', q) comment 'vc' tblproperties('k'='w') as select a, b from x", ""},
		{"create view v as select 1", "!TABLE_OR_VIEW_ALREADY_EXISTS"},
		{"create view if not exists v as select 1", ""},
		{"create view w (one) as select a, b from x", "!CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"},
		{"show create table v", "CREATE VIEW default.v (\n  p COMMENT 'cp',\n  q)\nCOMMENT 'vc'\nTBLPROPERTIES (\n  'k' = 'w')\nWITH SCHEMA COMPENSATION\nAS select a, b from x\n"},
		{"describe v", "p|int|cp\nq|string|NULL"},
		{"describe query select p, q from v", "p|int|cp\nq|string|NULL"},
		{"create or replace view v as select * from v", "!RECURSIVE_VIEW"},
		{"alter view v as select 5 as five", ""},
		{"describe v", "five|int|NULL"},
		{"create temp view t as select * from x", ""},
		{"create view w as select * from t", "!INVALID_TEMP_OBJ_REFERENCE"},
		{"create temp view t as select 2", "!TEMP_TABLE_OR_VIEW_ALREADY_EXISTS"},
		{"create or replace temp view t as select 2 as two", ""},
		{"describe t", "two|int|NULL"},
		{"create global temp view g as select 1 as one", ""},
		{"show views in global_temp", "global_temp|g|true\n|t|true"},
		{"describe query select * from global_temp.g", "one|int|NULL"},
		{"show views", "default|v|false\n|t|true"},
		{"drop view t", ""},
		{"drop view t", "!TABLE_OR_VIEW_NOT_FOUND"},
		{"alter view v rename to v2", ""},
		{"drop view v2", ""},
	})
}

func TestFunctions(t *testing.T) {
	script(t, newWorld(t), [][2]string{
		{"create temporary function f1(x int) returns int return x + 1", ""},
		{"create function f2(x int, y int default 2) returns bigint return x + y", ""},
		{"create function f2(x int) returns int return x", "!ROUTINE_ALREADY_EXISTS"},
		{"describe function f1", "Function: f1\nType:     SCALAR\nInput:    x INT\nReturns:  INT"},
		{"describe query select f1(1) as a, f2(3) as b", "a|int|NULL\nb|bigint|NULL"},
		{"create function t2(x int) returns table(a int, b int) return select x, x + 1", ""},
		{"describe query select * from t2(1)", "a|int|NULL\nb|int|NULL"},
		{"show user functions", "f1\nspark_catalog.default.f2\nspark_catalog.default.t2"},
		{"drop function nope", "!ROUTINE_NOT_FOUND"},
		{"drop function if exists nope", ""},
		{"drop temporary function f1", ""},
		{"describe query select f1(1)", "!UNRESOLVED_ROUTINE"},
	})
}

func TestInsert(t *testing.T) {
	w := newWorld(t)
	script(t, w, [][2]string{
		{"create table s(a int, b string, d date default date'2020-01-01')", ""},
		{"create table p(a int, b int) partitioned by (b)", ""},
		{"insert into s values (1, 2)", "!INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"},
		{"insert into s values (1, 'x', null, 4)", "!INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"},
		{"insert into s select 'x', 'y', null", "!INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST"},
		{"insert into s(zz) values (1)", "!UNRESOLVED_COLUMN.WITH_SUGGESTION"},
		{"insert into s(a, a) values (1, 2)", "!COLUMN_ALREADY_EXISTS"},
		{"insert into s by name select 1 as zz", "!INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS"},
		{"insert overwrite s select * from s", "!UNSUPPORTED_OVERWRITE.TABLE"},
		{"insert into nope values (1)", "!TABLE_OR_VIEW_NOT_FOUND"},
		{"insert into p partition (zz=5) values (1)", "!PARTITIONS_NOT_FOUND"},
		{"insert into s(b, a) select 'y', 5L", ""},
		{"insert into s by name select 'q' as b, 1 as a", ""},
		{"insert overwrite p partition (b=5) select 9", ""},
	})
	want := []string{
		"s mode 1 dynamic false static map[]: a=5:int, b=y:string, d=DATE '2020-01-01':date",
		"s mode 1 dynamic false static map[]: a=a:int, b=b:string, d=DATE '2020-01-01':date",
		"p mode 2 dynamic false static map[b:5]: a=9:int, b=5:int",
	}
	if got := strings.Join(w.writes, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestWrittenPartitionsAreKept(t *testing.T) {
	w := newWorld(t)
	w.parts = []catalog.Partition{{Values: []string{"5"}}, {Values: []string{"6"}}}
	script(t, w, [][2]string{
		{"create table p(a int, b int) partitioned by (b)", ""},
		{"insert into p values (1, 5), (2, 6)", ""},
		{"show partitions p", "b=5\nb=6"},
	})
	w.parts = []catalog.Partition{{Values: []string{"7"}}}
	script(t, w, [][2]string{
		{"insert overwrite p values (1, 7)", ""},
		{"show partitions p", "b=7"},
	})
}

func TestSessionState(t *testing.T) {
	w := newWorld(t)
	w.rows = [][]any{{int32(7)}}
	script(t, w, [][2]string{
		{"set spark.sql.foo=bar", "spark.sql.foo|bar"},
		{"set spark.sql.foo", "spark.sql.foo|bar"},
		{"reset spark.sql.foo", ""},
		{"set spark.sql.foo", "spark.sql.foo|<undefined>"},
		{"set spark.sql.warehouse.dir=/x", "!CANNOT_MODIFY_STATIC_CONFIG"},
		{"set spark.sql.shuffle.partitions=abc", "!INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"set time zone 'UTC'", "spark.sql.session.timeZone|UTC"},
		{"declare variable v int default 5", ""},
		{"declare variable v int", "!VARIABLE_ALREADY_EXISTS"},
		{"describe query select v, session.v + 1", "v|int|NULL\n(5 + 1)|int|NULL"},
		{"set var v = 7", ""},
		{"describe query select v + 1", "(7 + 1)|int|NULL"},
		{"set var nope = 7", "!UNRESOLVED_VARIABLE"},
		{"drop temporary variable v", ""},
		{"drop temporary variable v", "!VARIABLE_NOT_FOUND"},
		{"explain formatted select 1", "plan formatted"},
		{"show catalogs", "spark_catalog"},
	})
}
