package lower

import (
	"strings"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Relation lowers a relation.
func (l *Lowerer) Relation(r *connectpb.Relation) (logical.Plan, error) {
	if r.GetRelType() == nil {
		return nil, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Relation", "name", "rel_type")
	}
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.leave()
	p, err := l.relation(r)
	if err != nil {
		return nil, err
	}
	if c := r.GetCommon(); c != nil && c.PlanId != nil {
		return &logical.PlanID{ID: planID(c.PlanId), Child: p}, nil
	}
	return p, nil
}

// relation lowers the relations that queries are mostly made of.
func (l *Lowerer) relation(r *connectpb.Relation) (logical.Plan, error) {
	switch k := r.GetRelType().(type) {
	case *connectpb.Relation_Read:
		return l.read(k.Read)
	case *connectpb.Relation_Project:
		return l.project(k.Project)
	case *connectpb.Relation_Filter:
		return l.filter(k.Filter)
	case *connectpb.Relation_Join:
		return l.join(k.Join)
	case *connectpb.Relation_SetOp:
		return l.setOp(k.SetOp)
	case *connectpb.Relation_Sort:
		return l.sort(k.Sort)
	case *connectpb.Relation_Limit:
		return unary(l, k.Limit.GetInput(), func(p logical.Plan) logical.Plan { return &logical.Limit{N: count(k.Limit.GetLimit()), Child: p} })
	case *connectpb.Relation_Offset:
		return unary(l, k.Offset.GetInput(), func(p logical.Plan) logical.Plan { return &logical.Offset{N: count(k.Offset.GetOffset()), Child: p} })
	case *connectpb.Relation_Tail:
		return unary(l, k.Tail.GetInput(), func(p logical.Plan) logical.Plan { return &logical.Tail{N: count(k.Tail.GetLimit()), Child: p} })
	case *connectpb.Relation_Aggregate:
		return l.aggregate(k.Aggregate)
	case *connectpb.Relation_Sql:
		return l.sql(k.Sql)
	case *connectpb.Relation_LocalRelation:
		return l.localRelation(k.LocalRelation)
	case *connectpb.Relation_Range:
		return rangeOf(k.Range)
	case *connectpb.Relation_SubqueryAlias:
		name := append(append([]string{}, k.SubqueryAlias.GetQualifier()...), k.SubqueryAlias.GetAlias())
		return unary(l, k.SubqueryAlias.GetInput(), func(p logical.Plan) logical.Plan { return &logical.SubqueryAlias{Name: name, Child: p} })
	case *connectpb.Relation_WithColumns:
		return l.withColumns(k.WithColumns)
	case *connectpb.Relation_WithRelations:
		return l.withRelations(k.WithRelations)
	}
	return l.shape(r)
}

// shape lowers relations that change the shape of their input.
func (l *Lowerer) shape(r *connectpb.Relation) (logical.Plan, error) {
	switch k := r.GetRelType().(type) {
	case *connectpb.Relation_Sample:
		return l.sample(k.Sample)
	case *connectpb.Relation_Deduplicate:
		return l.deduplicate(k.Deduplicate)
	case *connectpb.Relation_Repartition:
		return l.repartition(k.Repartition)
	case *connectpb.Relation_RepartitionByExpression:
		return l.repartitionBy(k.RepartitionByExpression)
	case *connectpb.Relation_ToDf:
		return unary(l, k.ToDf.GetInput(), func(p logical.Plan) logical.Plan {
			return logical.NewUnary(logical.ToDF{Names: k.ToDf.GetColumnNames()}, p)
		})
	case *connectpb.Relation_WithColumnsRenamed:
		return l.renamed(k.WithColumnsRenamed)
	case *connectpb.Relation_Drop:
		return l.drop(k.Drop)
	case *connectpb.Relation_Hint:
		return l.hint(k.Hint)
	case *connectpb.Relation_Unpivot:
		return l.unpivot(k.Unpivot)
	case *connectpb.Relation_ToSchema:
		return l.toSchema(k.ToSchema)
	case *connectpb.Relation_WithWatermark:
		w := logical.EventTimeWatermark{Column: k.WithWatermark.GetEventTime(), Delay: k.WithWatermark.GetDelayThreshold()}
		return unary(l, k.WithWatermark.GetInput(), func(p logical.Plan) logical.Plan { return logical.NewUnary(w, p) })
	case *connectpb.Relation_LateralJoin:
		return l.lateralJoin(k.LateralJoin)
	case *connectpb.Relation_UnresolvedTableValuedFunction:
		args, err := l.Exprs(k.UnresolvedTableValuedFunction.GetArguments())
		return &logical.TableFunction{Func: &expr.Func{Name: []string{k.UnresolvedTableValuedFunction.GetFunctionName()}, Args: args}}, err
	case *connectpb.Relation_CachedLocalRelation:
		return l.cachedLocal(k.CachedLocalRelation)
	case *connectpb.Relation_ChunkedCachedLocalRelation:
		return l.chunkedLocal(k.ChunkedCachedLocalRelation)
	case *connectpb.Relation_CachedRemoteRelation:
		return l.remote(k.CachedRemoteRelation)
	case *connectpb.Relation_Parse:
		return l.parse(k.Parse)
	case *connectpb.Relation_CollectMetrics:
		return l.collectMetrics(k.CollectMetrics, r.GetCommon().GetPlanId())
	case *connectpb.Relation_AsOfJoin:
		return l.asOfJoin(k.AsOfJoin)
	case *connectpb.Relation_NearestByJoin:
		return l.nearestByJoin(k.NearestByJoin)
	case *connectpb.Relation_Zip:
		return l.zip(k.Zip)
	case *connectpb.Relation_Transpose:
		return l.transpose(k.Transpose)
	case *connectpb.Relation_Catalog:
		return l.catalog(k.Catalog)
	}
	return l.statistics(r)
}

// unary lowers the input and puts a node over it.
func unary(l *Lowerer, in *connectpb.Relation, f func(logical.Plan) logical.Plan) (logical.Plan, error) {
	p, err := l.Relation(in)
	if err != nil {
		return nil, err
	}
	return f(p), nil
}

func count(n int32) expr.Expr { return expr.NewLiteral(n, types.Int) }

func (l *Lowerer) read(r *connectpb.Read) (logical.Plan, error) {
	switch k := r.GetReadType().(type) {
	case *connectpb.Read_NamedTable_:
		name, err := l.Parse.Identifier(k.NamedTable.GetUnparsedIdentifier())
		return &logical.UnresolvedRelation{Name: name, Options: k.NamedTable.GetOptions(), Streaming: r.GetIsStreaming()}, err
	case *connectpb.Read_DataSource_:
		d := k.DataSource
		out := &logical.DataSource{Format: d.GetFormat(), Paths: d.GetPaths(), Options: lowered(d.GetOptions()), Predicates: d.GetPredicates(),
			Streaming: r.GetIsStreaming()}
		if out.Format == "" {
			out.Format = l.Format
		}
		if s := d.GetSchema(); s != "" {
			var err error
			if out.Schema, err = l.schemaText(s); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, unsupportedCase(r, "read_type")
}

// lowered copies options with keys in lower case.
func lowered(in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[strings.ToLower(k)] = v
	}
	return out
}

// schemaText reads a schema given as JSON or as DDL.
func (l *Lowerer) schemaText(s string) (*types.Schema, error) {
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") {
		st, err := TypeFromJSON([]byte(t))
		if err != nil {
			return nil, err
		}
		if st.Kind != types.StructKind {
			return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", s, "dataType", st.SQL())
		}
		return types.NewSchema(st.Fields()...), nil
	}
	return l.Columns(s)
}

// Columns reads column definitions; a colon may stand between name and type, as in the fields of a STRUCT.
func (l *Lowerer) Columns(text string) (*types.Schema, error) {
	s, err := l.Parse.Schema(text)
	if err == nil {
		return s, nil
	}
	if t, e := l.Parse.Type("struct<" + text + ">"); e == nil && t.Kind == types.StructKind {
		return types.NewSchema(t.Fields()...), nil
	}
	return nil, err
}

func (l *Lowerer) project(p *connectpb.Project) (logical.Plan, error) {
	in := logical.Plan(&logical.OneRow{})
	if p.GetInput() != nil {
		var err error
		if in, err = l.Relation(p.GetInput()); err != nil {
			return nil, err
		}
	}
	list, err := l.Exprs(p.GetExpressions())
	return &logical.Project{List: list, Child: in}, err
}

func (l *Lowerer) filter(f *connectpb.Filter) (logical.Plan, error) {
	in, err := l.Relation(f.GetInput())
	if err != nil {
		return nil, err
	}
	cond, err := l.Expr(f.GetCondition())
	return &logical.Filter{Cond: cond, Child: in}, err
}

var joinKinds = map[connectpb.Join_JoinType]logical.JoinKind{
	connectpb.Join_JOIN_TYPE_INNER: logical.InnerJoin, connectpb.Join_JOIN_TYPE_FULL_OUTER: logical.FullJoin,
	connectpb.Join_JOIN_TYPE_LEFT_OUTER: logical.LeftJoin, connectpb.Join_JOIN_TYPE_RIGHT_OUTER: logical.RightJoin,
	connectpb.Join_JOIN_TYPE_LEFT_ANTI: logical.AntiJoin, connectpb.Join_JOIN_TYPE_LEFT_SEMI: logical.SemiJoin,
	connectpb.Join_JOIN_TYPE_CROSS: logical.CrossJoin,
}

func (l *Lowerer) joined(left, right *connectpb.Relation, t connectpb.Join_JoinType, cond *connectpb.Expression) (*logical.Join, error) {
	kind, ok := joinKinds[t]
	if !ok {
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.Join.JoinType", "name", t.String(), "number", itoa(int32(t)))
	}
	a, err := l.Relation(left)
	if err != nil {
		return nil, err
	}
	b, err := l.Relation(right)
	if err != nil {
		return nil, err
	}
	c, err := l.optional(cond)
	return &logical.Join{Left: a, Right: b, Kind: kind, Cond: c}, err
}

func (l *Lowerer) join(j *connectpb.Join) (logical.Plan, error) {
	if j.GetJoinDataType() != nil {
		return nil, sparkerr.Unsupported("joinWith")
	}
	if len(j.GetUsingColumns()) > 0 && j.GetJoinCondition() != nil {
		return nil, invalid("USING_COLUMNS_OR_JOIN_CONDITION_SET_IN_JOIN")
	}
	out, err := l.joined(j.GetLeft(), j.GetRight(), j.GetJoinType(), j.GetJoinCondition())
	if err != nil {
		return nil, err
	}
	out.Using = j.GetUsingColumns()
	return out, nil
}

func (l *Lowerer) lateralJoin(j *connectpb.LateralJoin) (logical.Plan, error) {
	out, err := l.joined(j.GetLeft(), j.GetRight(), j.GetJoinType(), j.GetJoinCondition())
	if err != nil {
		return nil, err
	}
	out.Lateral = true
	return out, nil
}

func (l *Lowerer) setOp(s *connectpb.SetOperation) (logical.Plan, error) {
	if s.GetLeftInput() == nil || s.GetRightInput() == nil {
		return nil, invalid("SET_OPERATION_MUST_HAVE_TWO_INPUTS")
	}
	a, err := l.Relation(s.GetLeftInput())
	if err != nil {
		return nil, err
	}
	b, err := l.Relation(s.GetRightInput())
	if err != nil {
		return nil, err
	}
	out := &logical.SetOp{All: s.GetIsAll(), ByName: s.GetByName(), AllowMissing: s.GetAllowMissingColumns(), Inputs: []logical.Plan{a, b}}
	switch s.GetSetOpType() {
	case connectpb.SetOperation_SET_OP_TYPE_UNION:
		out.Kind = logical.Union
		if out.AllowMissing && !out.ByName {
			return nil, invalid("UNION_BY_NAME_ALLOW_MISSING_COL_REQUIRES_BY_NAME")
		}
	case connectpb.SetOperation_SET_OP_TYPE_INTERSECT:
		out.Kind = logical.Intersect
		if out.ByName {
			return nil, invalid("INTERSECT_DOES_NOT_SUPPORT_UNION_BY_NAME")
		}
	case connectpb.SetOperation_SET_OP_TYPE_EXCEPT:
		out.Kind = logical.Except
		if out.ByName {
			return nil, invalid("EXCEPT_DOES_NOT_SUPPORT_UNION_BY_NAME")
		}
	default:
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.SetOperation.SetOpType", "name", s.GetSetOpType().String(),
			"number", itoa(int32(s.GetSetOpType())))
	}
	return out, nil
}

func (l *Lowerer) sort(s *connectpb.Sort) (logical.Plan, error) {
	in, err := l.Relation(s.GetInput())
	if err != nil {
		return nil, err
	}
	order, err := l.orders(s.GetOrder())
	return &logical.Sort{Order: order, Global: s.IsGlobal == nil || s.GetIsGlobal(), Child: in}, err
}

func rangeOf(r *connectpb.Range) (logical.Plan, error) {
	if r.GetStep() == 0 {
		return nil, sparkerr.IllegalArgument("requirement failed: step cannot be 0")
	}
	return &logical.Range{Start: r.GetStart(), End: r.GetEnd(), Step: r.GetStep(), Partitions: int(r.GetNumPartitions())}, nil
}

func (l *Lowerer) sql(s *connectpb.SQL) (logical.Plan, error) {
	named, err := l.namedArgs(s.GetNamedArguments(), s.GetArgs())
	if err != nil {
		return nil, err
	}
	pos, err := l.Exprs(s.GetPosArguments())
	if err != nil {
		return nil, err
	}
	for _, a := range s.GetPosArgs() {
		lit, err := l.Literal(a)
		if err != nil {
			return nil, err
		}
		pos = append(pos, lit)
	}
	if len(pos) == 0 {
		pos = nil
	}
	return l.Parse.Query(s.GetQuery(), named, pos)
}

// namedArgs lowers arguments by name; older clients send literals.
func (l *Lowerer) namedArgs(es map[string]*connectpb.Expression, ls map[string]*connectpb.Expression_Literal) (map[string]expr.Expr, error) {
	if len(es)+len(ls) == 0 {
		return nil, nil
	}
	out := make(map[string]expr.Expr, len(es)+len(ls))
	for k, v := range es {
		e, err := l.Expr(v)
		if err != nil {
			return nil, err
		}
		out[k] = e
	}
	for k, v := range ls {
		lit, err := l.Literal(v)
		if err != nil {
			return nil, err
		}
		out[k] = lit
	}
	return out, nil
}

func (l *Lowerer) withColumns(w *connectpb.WithColumns) (logical.Plan, error) {
	in, err := l.Relation(w.GetInput())
	if err != nil {
		return nil, err
	}
	var out logical.WithColumns
	for _, a := range w.GetAliases() {
		if len(a.GetName()) != 1 {
			return nil, invalid("WITH_COLUMNS_REQUIRE_SINGLE_NAME_PART", "got", strings.Join(a.GetName(), ", "))
		}
		e, err := l.alias(a)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, e.(*expr.Alias))
	}
	return logical.NewUnary(out, in), nil
}

func (l *Lowerer) withRelations(w *connectpb.WithRelations) (logical.Plan, error) {
	root, err := l.Relation(w.GetRoot())
	if err != nil {
		return nil, err
	}
	out := &logical.WithRelations{Child: root}
	for _, r := range w.GetReferences() {
		p, err := l.Relation(r)
		if err != nil {
			return nil, err
		}
		out.References = append(out.References, p)
	}
	return out, nil
}
