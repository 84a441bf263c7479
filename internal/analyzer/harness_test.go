package analyzer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// opened stands for an opened data source.
type opened struct{}

func (opened) Stats() *catalog.Stats { return &catalog.Stats{Rows: -1, Bytes: -1} }
func (opened) Files() []string       { return nil }

var parseOptions = sqlparser.Options{}

// testContext is a session with tables t and u, a view v and the eight tables of TPC-H.
func testContext(t testing.TB) *Context {
	t.Helper()
	shared, err := catalog.NewShared(&catalog.Memory{}, "/warehouse")
	if err != nil {
		t.Fatal(err)
	}
	s := catalog.NewSession(shared, nil)
	add := func(name, ddl string) {
		schema, err := sqlparser.ParseSchema(ddl)
		if err != nil {
			t.Fatal(name, err)
		}
		p := catalog.Place{Catalog: "spark_catalog", Database: "default", Name: name}
		if _, err := s.CreateTable(p, &catalog.Table{Kind: "MANAGED", Provider: "parquet", Schema: schema}, false); err != nil {
			t.Fatal(err)
		}
	}
	add("t", "a int, b bigint, c string, d date, ts timestamp, arr array<int>, m map<string,int>, s struct<f:int,g:string>, dec decimal(2,1), dbl double, bool boolean")
	add("u", "a int, e int, c string")
	for name, ddl := range tpchTables {
		add(name, ddl)
	}
	return &Context{
		Session: &kernel.Session{Zone: time.UTC, ZoneName: "UTC", Ansi: true, Catalog: "spark_catalog", Database: "default"},
		Catalog: s,
		Open: func(t *catalog.Table) (*types.Schema, catalog.Relation, error) {
			return t.Schema, opened{}, nil
		},
		Format: func(name string) error {
			if strings.EqualFold(name, "orc") {
				return sparkerr.Unsupported("data source orc")
			}
			return sparkerr.New("DATA_SOURCE_NOT_FOUND", "provider", name)
		},
		Fold:  foldTest,
		Query: func(text string) (logical.Plan, error) { return sqlparser.ParsePlan(text, parseOptions) },
		Expr:  func(text string) (expr.Expr, error) { return sqlparser.ParseExpression(text, parseOptions) },
	}
}

// foldTest evaluates the few constant expressions of the tests.
func foldTest(e expr.Expr) (any, error) {
	switch x := e.(type) {
	case *expr.Literal:
		return x.Value, nil
	case *expr.Cast:
		v, err := foldTest(x.Child)
		if err != nil || v == nil {
			return nil, err
		}
		if n, ok := toInt(v); ok {
			switch x.To.Kind {
			case types.LongKind:
				return n, nil
			case types.IntKind:
				return int32(n), nil
			case types.StringKind:
				return fmt.Sprint(n), nil
			}
		}
	case *expr.Call:
		if x.Name == "+" {
			a, _ := foldTest(x.Args[0])
			b, err := foldTest(x.Args[1])
			return a.(int32) + b.(int32), err
		}
		if x.Name == "negative" || x.Name == expr.UnaryMinus {
			v, err := foldTest(x.Args[0])
			if n, ok := v.(int32); ok {
				return -n, err
			}
		}
	}
	return nil, sparkerr.Unsupported("folding " + e.SQL())
}

func analyze(t testing.TB, ctx *Context, sql string) (logical.Plan, error) {
	t.Helper()
	p, err := sqlparser.ParsePlan(sql, parseOptions)
	if err != nil {
		return nil, err
	}
	return Analyze(ctx, p)
}

// brief prints a resolved plan in a line; ids are numbered in order of appearance.
type brief struct {
	ids  map[expr.ID]int
	ctes map[int64]int
}

func briefly(p logical.Plan) string { return (&brief{map[expr.ID]int{}, map[int64]int{}}).plan(p) }

func (b *brief) id(id expr.ID) string {
	n, ok := b.ids[id]
	if !ok {
		n = len(b.ids) + 1
		b.ids[id] = n
	}
	return fmt.Sprintf("#%d", n)
}

func (b *brief) cte(id int64) int {
	if b.ctes[id] == 0 {
		b.ctes[id] = len(b.ctes) + 1
	}
	return b.ctes[id]
}

func (b *brief) expr(e expr.Expr) string {
	return expr.Print(e, func(x expr.Expr) (string, bool) {
		switch x := x.(type) {
		case *expr.Column:
			return x.Name + b.id(x.ID), true
		case *expr.OuterRef:
			return "outer(" + x.Col.Name + b.id(x.Col.ID) + ")", true
		case *expr.Alias:
			return b.expr(x.Child) + " AS " + x.Name + b.id(x.ID), true
		case *expr.Cast:
			return strings.ToLower(x.To.SQL()) + "(" + b.expr(x.Child) + ")", true
		case *expr.Subquery:
			return fmt.Sprintf("sub%d(%s)[%s]{%s}", x.Kind, b.list(x.Values), b.list(x.Outer), b.plan(x.Plan.(logical.Plan))), true
		case *expr.Literal:
			if s, ok := x.Value.(string); ok {
				return "'" + s + "'", true
			}
		}
		return "", false
	})
}

func (b *brief) list(l []expr.Expr) string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = b.expr(e)
	}
	return strings.Join(parts, ", ")
}

func (b *brief) order(l []expr.SortOrder) string {
	parts := make([]string, len(l))
	for i := range l {
		parts[i] = b.expr(l[i].Child)
		if l[i].Desc {
			parts[i] += " desc"
		}
	}
	return strings.Join(parts, ", ")
}

func (b *brief) plan(p logical.Plan) string {
	kids := make([]string, 0, 2)
	for _, c := range p.Children() {
		kids = append(kids, b.plan(c))
	}
	in := strings.Join(kids, "; ")
	switch x := p.(type) {
	case *logical.Project:
		return "Project[" + b.list(x.List) + "](" + in + ")"
	case *logical.Filter:
		return "Filter[" + b.expr(x.Cond) + "](" + in + ")"
	case *logical.Aggregate:
		return "Agg[" + b.list(x.Group) + "|" + b.list(x.List) + "](" + in + ")"
	case *logical.Sort:
		return "Sort[" + b.order(x.Order) + "](" + in + ")"
	case *logical.Join:
		cond := ""
		if x.Cond != nil {
			cond = " " + b.expr(x.Cond)
		}
		if x.Lateral {
			cond += " lateral"
		}
		if x.Hint.Left+x.Hint.Right != "" {
			cond += " hint " + x.Hint.Left + "/" + x.Hint.Right
		}
		return "Join[" + x.Kind.String() + cond + "](" + in + ")"
	case *logical.Window:
		return "Window[" + b.list(x.List) + "](" + in + ")"
	case *logical.Generate:
		return "Generate[" + b.expr(x.Gen) + fmt.Sprint(" ", x.Outer) + "](" + in + ")"
	case *logical.Expand:
		rows := make([]string, len(x.Projections))
		for i, r := range x.Projections {
			rows[i] = b.list(r)
		}
		return "Expand[" + strings.Join(rows, " | ") + "](" + in + ")"
	case *logical.SubqueryAlias:
		return x.Name[len(x.Name)-1] + ":" + in
	case *logical.Relation:
		return "T"
	case *logical.CTERef:
		return fmt.Sprintf("ref%d", b.cte(x.ID))
	case *logical.CTEDef:
		return fmt.Sprintf("CTE%d(%s)", b.cte(x.ID), in)
	case *logical.RecursiveCTE:
		return fmt.Sprintf("Recursive%d(%s)", b.cte(x.ID), in)
	case *logical.SetOp:
		return [...]string{"Union", "Intersect", "Except"}[x.Kind] + "(" + in + ")"
	case *logical.LocalRelation:
		return fmt.Sprintf("Local%d", x.Batches[0].N)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", p), "*logical.") + "[" + b.list(p.Exprs()) + "](" + in + ")"
}

// tpchTables are the columns of TPC-H.
var tpchTables = map[string]string{
	"lineitem": "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string",
	"orders":   "o_orderkey bigint, o_custkey bigint, o_orderstatus string, o_totalprice decimal(15,2), o_orderdate date, o_orderpriority string, o_clerk string, o_shippriority int, o_comment string",
	"customer": "c_custkey bigint, c_name string, c_address string, c_nationkey bigint, c_phone string, c_acctbal decimal(15,2), c_mktsegment string, c_comment string",
	"part":     "p_partkey bigint, p_name string, p_mfgr string, p_brand string, p_type string, p_size int, p_container string, p_retailprice decimal(15,2), p_comment string",
	"supplier": "s_suppkey bigint, s_name string, s_address string, s_nationkey bigint, s_phone string, s_acctbal decimal(15,2), s_comment string",
	"partsupp": "ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost decimal(15,2), ps_comment string",
	"nation":   "n_nationkey bigint, n_name string, n_regionkey bigint, n_comment string",
	"region":   "r_regionkey bigint, r_name string, r_comment string",
}
