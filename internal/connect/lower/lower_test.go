package lower

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// fakeParser knows a few texts.
type fakeParser struct{}

func (fakeParser) Query(text string, named map[string]expr.Expr, pos []expr.Expr) (logical.Plan, error) {
	return &logical.UnresolvedRelation{Name: []string{text, fmt.Sprint(len(named), len(pos))}}, nil
}
func (fakeParser) Expr(text string) (expr.Expr, error) {
	return &expr.Attribute{Name: []string{"parsed " + text}}, nil
}
func (fakeParser) Type(text string) (types.Type, error) {
	if text == "int" {
		return types.Int, nil
	}
	return types.Null, errors.New("no type " + text)
}
func (fakeParser) Schema(text string) (*types.Schema, error) {
	if text == "a int" {
		return types.NewSchema(types.Field{Name: "a", Type: types.Int, Nullable: true}), nil
	}
	return nil, errors.New("no schema " + text)
}
func (fakeParser) Identifier(text string) ([]string, error) { return strings.Split(text, "."), nil }

func newLowerer() *Lowerer {
	return &Lowerer{Parse: fakeParser{}, Format: "parquet",
		Artifact: func(h string) ([]byte, error) { return nil, errors.New("no artifact " + h) },
		Remote:   func(id string) (logical.Plan, error) { return &logical.UnresolvedRelation{Name: []string{id}}, nil },
	}
}

// tree prints a plan with its expressions, one node a line.
func tree(p logical.Plan, depth int) string {
	s := strings.Repeat(" ", depth) + strings.TrimPrefix(fmt.Sprintf("%T", p), "*logical.")
	switch x := p.(type) {
	case *logical.PlanID:
		s += fmt.Sprint(" ", x.ID)
	case *logical.UnresolvedRelation:
		s += fmt.Sprint(" ", x.Name)
	case *logical.Join:
		s += fmt.Sprint(" ", x.Kind, x.Using)
	case *logical.Range:
		s += fmt.Sprint(" ", x.Start, x.End, x.Step)
	case *logical.SetOp:
		s += fmt.Sprint(" ", x.Kind, x.All, x.ByName)
	}
	for _, e := range p.Exprs() {
		s += " " + text(e)
	}
	s += "\n"
	for _, c := range p.Children() {
		s += tree(c, depth+1)
	}
	return s
}

func text(e expr.Expr) string {
	switch x := e.(type) {
	case *expr.Literal:
		return fmt.Sprintf("%v:%s", x.Value, x.T)
	case *expr.Attribute:
		return strings.Join(x.Name, ".") + strings.Repeat("#", int(min(x.PlanID, 9)))
	case *expr.Alias:
		return text(x.Child) + " as " + x.Name
	case *expr.Star:
		return strings.Join(append(x.Target, "*"), ".")
	case *expr.Func:
		var args []string
		for _, a := range x.Args {
			args = append(args, text(a))
		}
		return strings.Join(x.Name, ".") + "(" + strings.Join(args, ",") + ")"
	case *expr.Cast:
		return fmt.Sprintf("cast(%s %s %d)", text(x.Child), x.To, x.Mode)
	case *expr.SortOrder:
		return fmt.Sprintf("%s desc=%v first=%v", text(x.Child), x.Desc, x.NullsFirst)
	case *expr.Window:
		b := func(b expr.Bound) string {
			if b.Offset == nil {
				return fmt.Sprint(b.Kind)
			}
			return fmt.Sprint(b.Kind, "+", text(b.Offset))
		}
		return fmt.Sprintf("%s over(%d %d %s..%s)", text(x.Func), len(x.Spec.Partition), len(x.Spec.Order), b(x.Spec.Lower), b(x.Spec.Upper))
	case *expr.GroupingSets:
		return fmt.Sprint("sets", x.Kind, len(x.Sets))
	}
	return fmt.Sprintf("%T", e)
}

const ids = `range{end:3 step:1}`

func TestRelations(t *testing.T) {
	tests := []struct{ in, want string }{
		{`common{plan_id:0} range{end:3 step:1}`, "PlanID 1\n Range 0 3 1\n"},
		{`project{input{` + ids + `} expressions{unresolved_attribute{unparsed_identifier:"a.` + "`b.c`" + `" plan_id:0}}}`, "Project a.b.c#\n Range 0 3 1\n"},
		{`project{expressions{literal{integer:1}}}`, "Project 1:int\n OneRow\n"},
		{`filter{input{` + ids + `} condition{unresolved_function{function_name:"==" arguments{literal{long:1}} arguments{literal{null{integer{}}}}}}}`,
			"Filter =(1:bigint,<nil>:int)\n Range 0 3 1\n"},
		{`join{left{` + ids + `} right{` + ids + `} join_type:JOIN_TYPE_LEFT_OUTER using_columns:"id"}`, "Join LeftOuter [id]\n Range 0 3 1\n Range 0 3 1\n"},
		{`set_op{left_input{` + ids + `} right_input{` + ids + `} set_op_type:SET_OP_TYPE_UNION is_all:true}`, "SetOp 0 true false\n Range 0 3 1\n Range 0 3 1\n"},
		{`sort{input{` + ids + `} order{child{expression_string{expression:"x"}} direction:SORT_DIRECTION_DESCENDING}}`,
			"Sort parsed x\n Range 0 3 1\n"},
		{`limit{input{` + ids + `} limit:5}`, "Limit 5:int\n Range 0 3 1\n"},
		{`aggregate{input{` + ids + `} group_type:GROUP_TYPE_GROUPBY grouping_expressions{unresolved_attribute{unparsed_identifier:"k"}}
			aggregate_expressions{alias{name:"n" expr{unresolved_function{function_name:"count" arguments{unresolved_star{}}}}}}}`,
			"Aggregate k k count(*) as n\n Range 0 3 1\n"},
		{`aggregate{input{` + ids + `} group_type:GROUP_TYPE_ROLLUP grouping_expressions{unresolved_attribute{unparsed_identifier:"k"}}}`,
			"Aggregate sets1 1 k\n Range 0 3 1\n"},
		{`sql{query:"q" named_arguments{key:"x" value{literal{integer:1}}}}`, "UnresolvedRelation [q 1 0]\n"},
		{`read{named_table{unparsed_identifier:"a.b"}}`, "UnresolvedRelation [a b]\n"},
		{`read{data_source{paths:"p" schema:"a int"}}`, "DataSource\n"},
		{`with_columns{input{` + ids + `} aliases{name:"x" expr{literal{string:"v"}}}}`, "WithColumns v:string as x\n Range 0 3 1\n"},
		{`cached_remote_relation{relation_id:"r"}`, "UnresolvedRelation [r]\n"},
		{`cov{input{` + ids + `} col1:"a" col2:"b"}`, "Aggregate covar_samp(cast(a double 0),cast(b double 0)) as cov\n Range 0 3 1\n"},
	}
	for _, test := range tests {
		var r connectpb.Relation
		if err := prototext.Unmarshal([]byte(test.in), &r); err != nil {
			t.Fatal(test.in, err)
		}
		p, err := newLowerer().Relation(&r)
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		if got := tree(p, 0); got != test.want {
			t.Errorf("%s:\n%swant\n%s", test.in, got, test.want)
		}
	}
}

func TestExpressions(t *testing.T) {
	tests := []struct{ in, want string }{
		{`cast{expr{literal{string:"1"}} type_str:"int" eval_mode:EVAL_MODE_TRY}`, "cast(1:string int 3)"},
		{`sort_order{child{literal{integer:1}} direction:SORT_DIRECTION_ASCENDING}`, "1:int desc=false first=true"},
		{`sort_order{child{literal{integer:1}} direction:SORT_DIRECTION_DESCENDING null_ordering:SORT_NULLS_FIRST}`, "1:int desc=true first=true"},
		{`window{window_function{unresolved_function{function_name:"sum"}} partition_spec{literal{integer:1}}
			frame_spec{frame_type:FRAME_TYPE_ROW lower{value{literal{integer:-2}}} upper{unbounded:true}}}`, "sum() over(1 0 1+2:int..4)"},
		{`window{window_function{unresolved_function{function_name:"sum"}}
			frame_spec{frame_type:FRAME_TYPE_RANGE lower{value{literal{long:0}}} upper{value{literal{long:3}}}}}`, "sum() over(0 0 2..3+3:bigint)"},
		{`unresolved_star{unparsed_target:"t.*"}`, "t.*"},
		{`literal{decimal{value:"1.50" precision:10 scale:2}}`, "{150 0}:decimal(10,2)"},
		{`literal{array{elements{integer:1} elements{null{integer{}}}} data_type{array{element_type{integer{}} contains_null:true}}}`, "[1 <nil>]:array<int>"},
		{`literal{specialized_array{ints{values:1 values:2}}}`, "[1 2]:array<int>"},
		{`literal{time{nano:5}}`, "5:time(6)"},
		{`unresolved_function{function_name:"from_json" arguments{literal{string:"v"}} arguments{literal{string:"{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":true}"}}}`,
			"from_json(v:string,ARRAY<BIGINT>:string)"},
	}
	for _, test := range tests {
		var e connectpb.Expression
		if err := prototext.Unmarshal([]byte(test.in), &e); err != nil {
			t.Fatal(test.in, err)
		}
		got, err := newLowerer().Expr(&e)
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
		} else if text(got) != test.want {
			t.Errorf("%s: %s, want %s", test.in, text(got), test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ in, condition, says string }{
		{``, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "rel_type"},
		{`map_partitions{}`, "UNSUPPORTED_CALL", "spark.connect.Relation.map_partitions"},
		{`limit{input{group_map{}}}`, "UNSUPPORTED_CALL", "spark.connect.Relation.group_map"},
		{`project{expressions{typed_aggregate_expression{}}}`, "UNSUPPORTED_CALL", "typed_aggregate_expression"},
		{`join{left{range{step:1}} right{range{step:1}}}`, "CONNECT_INVALID_PLAN.INVALID_ENUM", "JOIN_TYPE_UNSPECIFIED"},
		{`range{end:3}`, "", "step cannot be 0"},
		{`project{expressions{unresolved_attribute{unparsed_identifier:"a` + "`" + `b"}}}`, "INVALID_ATTRIBUTE_NAME_SYNTAX", ""},
	}
	for _, test := range tests {
		var r connectpb.Relation
		if err := prototext.Unmarshal([]byte(test.in), &r); err != nil {
			t.Fatal(test.in, err)
		}
		_, err := newLowerer().Relation(&r)
		if !sparkerr.Is(err, test.condition) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.in, err)
		}
	}
}

func TestParseAttribute(t *testing.T) {
	tests := []struct {
		in   string
		want []string
	}{
		{"a", []string{"a"}}, {"a.b", []string{"a", "b"}}, {"`a.b`.c", []string{"a.b", "c"}}, {"`a``b`", []string{"a`b"}}, {"a b", []string{"a b"}},
		{"", []string{""}}, {"a.", nil}, {".a", nil}, {"`a", nil}, {"a`", nil}, {"`a`b", nil}, {"a..b", nil},
	}
	for _, test := range tests {
		got, err := ParseAttribute(test.in)
		if test.want == nil && err == nil || test.want != nil && !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: %q %v", test.in, got, err)
		}
	}
}

var everyType = types.Struct(
	types.Field{Name: "b", Type: types.Boolean}, types.Field{Name: "y", Type: types.Byte, Nullable: true}, types.Field{Name: "s", Type: types.Short},
	types.Field{Name: "i", Type: types.Int, Metadata: `{"comment":"c"}`}, types.Field{Name: "l", Type: types.Long}, types.Field{Name: "f", Type: types.Float},
	types.Field{Name: "d", Type: types.Double}, types.Field{Name: "c", Type: types.Decimal(12, 3)}, types.Field{Name: "t", Type: types.String},
	types.Field{Name: "ch", Type: types.Char(3)}, types.Field{Name: "vc", Type: types.Varchar(4)}, types.Field{Name: "bin", Type: types.Binary},
	types.Field{Name: "da", Type: types.Date}, types.Field{Name: "ts", Type: types.Timestamp}, types.Field{Name: "tn", Type: types.TimestampNTZ},
	types.Field{Name: "ti", Type: types.Time}, types.Field{Name: "ym", Type: types.YearMonth},
	types.Field{Name: "dt", Type: types.Type{Kind: types.DayTimeKind, From: types.Hour, To: types.Second}}, types.Field{Name: "ca", Type: types.Calendar},
	types.Field{Name: "va", Type: types.Variant}, types.Field{Name: "nu", Type: types.Null},
	types.Field{Name: "m", Type: types.Map(types.String, types.Array(types.Int, true), false)})

func TestTypesTravel(t *testing.T) {
	back, err := newLowerer().Type(ToProto(everyType))
	if err != nil || !back.Equal(everyType) {
		t.Errorf("by message: %v\n%s\n%s", err, back, everyType)
	}
	back, err = TypeFromJSON([]byte(TypeToJSON(everyType)))
	if err != nil || !back.Equal(everyType) {
		t.Errorf("by JSON: %v\n%s\n%s", err, back, everyType)
	}
	for _, bad := range []string{``, `"nope"`, `{"type":"struct","fields":[{"type":"x"}]}`, `[]`, `"decimal(40,1)"`, `"interval month to day"`} {
		if _, err := TypeFromJSON([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestTree(t *testing.T) {
	s := types.NewSchema(types.Field{Name: "id", Type: types.Long}, types.Field{Name: "a", Type: types.Array(types.Struct(types.Field{Name: "x", Type: types.Decimal(3, 1), Nullable: true}), true), Nullable: true},
		types.Field{Name: "m", Type: types.Map(types.String, types.Int, false), Nullable: true})
	want := "root\n |-- id: long (nullable = false)\n |-- a: array (nullable = true)\n |    |-- element: struct (containsNull = true)\n |    |    |-- x: decimal(3,1) (nullable = true)\n" +
		" |-- m: map (nullable = true)\n |    |-- key: string\n |    |-- value: integer (valueContainsNull = false)\n"
	if got := Tree(s, 0); got != want {
		t.Error(got)
	}
	if got := Tree(s, 1); strings.Count(got, "\n") != 4 {
		t.Error(got)
	}
}

// TestLocalRelation: columns that only differ in name or nullability are taken as they are, others are cast by position.
func TestLocalRelation(t *testing.T) {
	have := types.NewSchema(types.Field{Name: "x", Type: types.Long, Nullable: true}, types.Field{Name: "x", Type: types.String, Nullable: true})
	b := columnar.NewBuilder(types.String, 1)
	b.Append("v")
	batch := &columnar.Batch{Schema: have, N: 1, Cols: []columnar.Vector{columnar.NewFlat(types.Long, []int64{7}), b.Finish()}}
	e, err := arrowipc.NewEncoder(have, arrowipc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data := e.Encode(nil, batch, 0, 1)
	for _, test := range []struct{ schema, want string }{
		{`{"type":"struct","fields":[{"name":"p","type":"long","nullable":false,"metadata":{}},{"name":"q","type":"varchar(5)","nullable":true,"metadata":{}}]}`,
			"LocalRelation\n"},
		{`{"type":"struct","fields":[{"name":"p","type":"integer","nullable":true,"metadata":{}},{"name":"q","type":"string","nullable":true,"metadata":{}}]}`,
			"Project cast(c0 int 0) as p c1 as q\n LocalRelation\n"},
	} {
		p, err := newLowerer().Relation(&connectpb.Relation{RelType: &connectpb.Relation_LocalRelation{LocalRelation: &connectpb.LocalRelation{Data: data, Schema: &test.schema}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := tree(p, 0); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

// TestTranspose: the rows are read while lowering, and turned.
func TestTranspose(t *testing.T) {
	l := newLowerer()
	in := types.NewSchema(types.Field{Name: "k", Type: types.String}, types.Field{Name: "a", Type: types.Int}, types.Field{Name: "b", Type: types.Long})
	l.Schema = func(logical.Plan) (*types.Schema, error) { return in, nil }
	l.MaxTranspose = 3
	rows := 2
	l.Collect = func(p logical.Plan) (*types.Schema, []*columnar.Batch, error) {
		if got, want := tree(p, 0), "Limit 4:int\n Sort __index\n  Project cast(a bigint 0) as a b k as __index\n"; !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		key := columnar.NewBuilder(types.String, 2)
		a, b := make([]int64, rows), make([]int64, rows)
		for i := range rows {
			key.Append(string(rune('x' + i)))
			a[i], b[i] = int64(i), int64(10*i)
		}
		s := types.NewSchema(types.Field{Name: "a", Type: types.Long}, types.Field{Name: "b", Type: types.Long}, types.Field{Name: "__index", Type: types.String})
		return s, []*columnar.Batch{{Schema: s, N: rows, Cols: []columnar.Vector{columnar.NewFlat(types.Long, a), columnar.NewFlat(types.Long, b), key.Finish()}}}, nil
	}
	l.Print = func(v *columnar.Vector, r int) string { return v.ValueAt(r).(string) }
	r := &connectpb.Relation{RelType: &connectpb.Relation_Transpose{Transpose: &connectpb.Transpose{Input: &connectpb.Relation{
		RelType: &connectpb.Relation_Range{Range: &connectpb.Range{Step: 1}}}}}}
	p, err := l.Relation(r)
	if err != nil {
		t.Fatal(err)
	}
	out := p.(*logical.LocalRelation)
	if got := fmt.Sprint(out.Schema.Names(), out.Batches[0].Cols[0].ValueAt(1), out.Batches[0].Cols[2].ValueAt(1)); got != "[key x y]b10" {
		t.Error(got)
	}
	rows = 4
	if _, err = l.Relation(r); !sparkerr.Is(err, "TRANSPOSE_EXCEED_ROW_LIMIT") {
		t.Error(err)
	}
}

// TestObserve: the metrics become a query of their own, the relation is its input.
func TestObserve(t *testing.T) {
	var r connectpb.Relation
	if err := prototext.Unmarshal([]byte(`collect_metrics{name:"m" input{`+ids+`} metrics{alias{name:"n" expr{literal{integer:1}}}}}`), &r); err != nil {
		t.Fatal(err)
	}
	l := newLowerer()
	var got string
	l.Observe = func(name string, _ int64, p logical.Plan) { got = name + ": " + tree(p, 0) }
	p, err := l.Relation(&r)
	if err != nil || tree(p, 0) != "Range 0 3 1\n" || got != "m: Aggregate 1:int as n\n Range 0 3 1\n" {
		t.Error(tree(p, 0), got, err)
	}
}

// TestLevels: storage levels travel by name.
func TestLevels(t *testing.T) {
	for _, name := range []string{"NONE", "MEMORY_ONLY", "MEMORY_ONLY_SER", "MEMORY_AND_DISK", "MEMORY_AND_DISK_SER_2", "DISK_ONLY", "DISK_ONLY_3", "OFF_HEAP"} {
		if got := LevelName(Level(name)); got != name {
			t.Errorf("%s comes back as %s", name, got)
		}
	}
}
