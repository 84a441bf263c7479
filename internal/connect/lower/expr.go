package lower

import (
	"strings"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Expr lowers an expression.
func (l *Lowerer) Expr(e *connectpb.Expression) (expr.Expr, error) {
	if e == nil {
		return nil, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Expression", "name", "expr_type")
	}
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.leave()
	at := origin(e.GetCommon().GetOrigin())
	switch k := e.GetExprType().(type) {
	case *connectpb.Expression_Literal_:
		lit, err := l.Literal(k.Literal)
		if err != nil {
			return nil, err
		}
		lit.At = at
		return lit, nil
	case *connectpb.Expression_UnresolvedAttribute_:
		return l.attribute(k.UnresolvedAttribute, at)
	case *connectpb.Expression_UnresolvedFunction_:
		return l.function(k.UnresolvedFunction, at)
	case *connectpb.Expression_ExpressionString_:
		return l.Parse.Expr(k.ExpressionString.GetExpression())
	case *connectpb.Expression_UnresolvedStar_:
		return l.star(k.UnresolvedStar, at)
	case *connectpb.Expression_Alias_:
		return l.alias(k.Alias)
	case *connectpb.Expression_Cast_:
		return l.cast(k.Cast, at)
	case *connectpb.Expression_SortOrder_:
		o, err := l.order(k.SortOrder)
		return &o, err
	case *connectpb.Expression_Window_:
		return l.window(k.Window, at)
	}
	return l.expr2(e, at)
}

// expr2 lowers the rarer kinds.
func (l *Lowerer) expr2(e *connectpb.Expression, at *expr.Origin) (expr.Expr, error) {
	switch k := e.GetExprType().(type) {
	case *connectpb.Expression_UnresolvedRegex_:
		return l.regex(k.UnresolvedRegex)
	case *connectpb.Expression_LambdaFunction_:
		return l.lambda(k.LambdaFunction)
	case *connectpb.Expression_UnresolvedNamedLambdaVariable_:
		return lambdaVar(k.UnresolvedNamedLambdaVariable)
	case *connectpb.Expression_UnresolvedExtractValue_:
		return l.extract(k.UnresolvedExtractValue, at)
	case *connectpb.Expression_UpdateFields_:
		return l.updateFields(k.UpdateFields)
	case *connectpb.Expression_CallFunction:
		return l.callFunction(k.CallFunction, at)
	case *connectpb.Expression_NamedArgumentExpression:
		v, err := l.Expr(k.NamedArgumentExpression.GetValue())
		return &expr.NamedArg{Name: k.NamedArgumentExpression.GetKey(), Value: v}, err
	case *connectpb.Expression_SubqueryExpression:
		return l.subquery(k.SubqueryExpression, at)
	case *connectpb.Expression_CommonInlineUserDefinedFunction:
		return l.userFunction(k.CommonInlineUserDefinedFunction)
	case nil:
		return nil, invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Expression", "name", "expr_type")
	}
	return nil, unsupportedCase(e, "expr_type")
}

// Exprs lowers a list.
func (l *Lowerer) Exprs(in []*connectpb.Expression) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(in))
	for i, e := range in {
		var err error
		if out[i], err = l.Expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// optional lowers an expression that may be absent.
func (l *Lowerer) optional(e *connectpb.Expression) (expr.Expr, error) {
	if e == nil || e.ExprType == nil {
		return nil, nil
	}
	return l.Expr(e)
}

// origin keeps where in the client's program or text a node stems from.
func origin(o *connectpb.Origin) *expr.Origin {
	switch f := o.GetFunction().(type) {
	case *connectpb.Origin_PythonOrigin:
		return &expr.Origin{Fragment: f.PythonOrigin.GetFragment(), CallSite: f.PythonOrigin.GetCallSite()}
	case *connectpb.Origin_JvmOrigin:
		return jvmOrigin(f.JvmOrigin)
	}
	return nil
}

func jvmOrigin(j *connectpb.JvmOrigin) *expr.Origin {
	if j.SqlText == nil && len(j.GetStackTrace()) > 0 {
		top := j.GetStackTrace()[len(j.GetStackTrace())-1]
		return &expr.Origin{Fragment: j.GetStackTrace()[0].GetMethodName(),
			CallSite: top.GetDeclaringClass() + "." + top.GetMethodName() + "(" + top.GetFileName() + ":" + itoa(top.GetLineNumber()) + ")"}
	}
	return &expr.Origin{Text: j.GetSqlText(), Start: int(j.GetStartIndex()), Stop: int(j.GetStopIndex()), Line: int(j.GetLine()),
		Pos: int(j.GetStartPosition()), ObjectType: j.GetObjectType(), ObjectName: j.GetObjectName()}
}

func (l *Lowerer) attribute(a *connectpb.Expression_UnresolvedAttribute, at *expr.Origin) (expr.Expr, error) {
	name, err := ParseAttribute(a.GetUnparsedIdentifier())
	return &expr.Attribute{Name: name, PlanID: planID(a.PlanId), Meta: a.GetIsMetadataColumn(), At: at}, err
}

// planID shifts the client's ids by one, because it counts from zero and zero means none here.
func planID(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id + 1
}

// ParseAttribute splits a column name at its dots; parts may be in backticks, in which two stand for one.
func ParseAttribute(text string) ([]string, error) { return sqlparser.ParseAttribute(text) }

// operators are the names by which clients call operators that the function table knows under another name.
var operators = map[string]string{"==": "=", "!": "not"}

func (l *Lowerer) function(f *connectpb.Expression_UnresolvedFunction, at *expr.Origin) (expr.Expr, error) {
	args, err := l.Exprs(f.GetArguments())
	if err != nil {
		return nil, err
	}
	name := []string{f.GetFunctionName()}
	if f.GetIsUserDefinedFunction() {
		if name, err = ParseAttribute(f.GetFunctionName()); err != nil {
			return nil, err
		}
	} else if op, ok := operators[name[0]]; ok {
		name[0] = op
	}
	if schemaArgument[strings.ToLower(name[0])] && len(args) > 1 {
		args[1] = schemaText(args[1])
	}
	return &expr.Func{Name: name, Args: args, Distinct: f.GetIsDistinct(), Internal: f.GetIsInternal(), At: at}, nil
}

// schemaArgument are the functions whose second argument is a schema. Clients send it as JSON too, which SQL does not know.
var schemaArgument = map[string]bool{"from_json": true, "from_csv": true, "from_xml": true}

// schemaText turns a literal of schema JSON into the SQL text of the type, and leaves everything else.
func schemaText(e expr.Expr) expr.Expr {
	lit, ok := e.(*expr.Literal)
	if !ok {
		return e
	}
	text, ok := lit.Value.(string)
	if !ok || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return e
	}
	t, err := TypeFromJSON([]byte(text))
	if err != nil {
		return e
	}
	return expr.NewLiteral(t.SQL(), types.String)
}

func (l *Lowerer) callFunction(f *connectpb.CallFunction, at *expr.Origin) (expr.Expr, error) {
	args, err := l.Exprs(f.GetArguments())
	if err != nil {
		return nil, err
	}
	name, err := l.Parse.Identifier(f.GetFunctionName())
	return &expr.Func{Name: name, Args: args, At: at}, err
}

func (l *Lowerer) star(s *connectpb.Expression_UnresolvedStar, at *expr.Origin) (expr.Expr, error) {
	out := &expr.Star{PlanID: planID(s.PlanId), At: at}
	if s.UnparsedTarget == nil {
		return out, nil
	}
	target, ok := strings.CutSuffix(s.GetUnparsedTarget(), ".*")
	switch {
	case !ok:
		return nil, invalid("UNRESOLVED_STAR_TARGET_INVALID", "target", s.GetUnparsedTarget())
	case s.PlanId != nil:
		return nil, invalid("UNRESOLVED_STAR_WITH_BOTH_TARGET_AND_PLAN_ID")
	}
	var err error
	out.Target, err = ParseAttribute(target)
	return out, err
}

// regex: `pattern`, or table.`pattern`; anything else is a plain column.
func (l *Lowerer) regex(r *connectpb.Expression_UnresolvedRegex) (expr.Expr, error) {
	name := r.GetColName()
	if i := strings.IndexByte(name, '`'); i >= 0 && len(name) > i+1 && strings.HasSuffix(name, "`") && (i == 0 || name[i-1] == '.') {
		out := &expr.Regex{Pattern: name[i+1 : len(name)-1], PlanID: planID(r.PlanId)}
		if i > 0 {
			out.Target = []string{name[:i-1]}
		}
		return out, nil
	}
	parts, err := ParseAttribute(name)
	return &expr.Attribute{Name: parts, PlanID: planID(r.PlanId)}, err
}

func (l *Lowerer) alias(a *connectpb.Expression_Alias) (expr.Expr, error) {
	child, err := l.Expr(a.GetExpr())
	if err != nil {
		return nil, err
	}
	if len(a.GetName()) == 1 {
		out := expr.NewAlias(child, a.GetName()[0])
		out.Metadata = metadata(a.GetMetadata())
		return out, nil
	}
	if a.Metadata != nil {
		return nil, invalid("ALIAS_WITH_MULTIPLE_IDENTIFIERS_AND_METADATA")
	}
	return &expr.MultiAlias{Child: child, Names: a.GetName()}, nil
}

func (l *Lowerer) cast(c *connectpb.Expression_Cast, at *expr.Origin) (expr.Expr, error) {
	child, err := l.Expr(c.GetExpr())
	if err != nil {
		return nil, err
	}
	var t types.Type
	if s, ok := c.GetCastToType().(*connectpb.Expression_Cast_TypeStr); ok {
		t, err = l.Parse.Type(s.TypeStr)
	} else {
		t, err = l.Type(c.GetType())
	}
	mode := [...]expr.CastMode{expr.CastDefault, expr.CastLegacy, expr.CastAnsi, expr.CastTry}
	if m := c.GetEvalMode(); m >= 0 && int(m) < len(mode) && err == nil {
		return &expr.Cast{Child: child, To: t, Mode: mode[m], At: at}, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.Expression.Cast.EvalMode", "name", c.GetEvalMode().String(), "number", itoa(int32(c.GetEvalMode())))
}

// order lowers a sort order; without a word about nulls they are the smallest values.
func (l *Lowerer) order(o *connectpb.Expression_SortOrder) (expr.SortOrder, error) {
	child, err := l.Expr(o.GetChild())
	desc := o.GetDirection() == connectpb.Expression_SortOrder_SORT_DIRECTION_DESCENDING
	out := expr.SortOrder{Child: child, Desc: desc, NullsFirst: !desc}
	switch o.GetNullOrdering() {
	case connectpb.Expression_SortOrder_SORT_NULLS_FIRST:
		out.NullsFirst = true
	case connectpb.Expression_SortOrder_SORT_NULLS_LAST:
		out.NullsFirst = false
	}
	return out, err
}

func (l *Lowerer) orders(in []*connectpb.Expression_SortOrder) ([]expr.SortOrder, error) {
	out := make([]expr.SortOrder, len(in))
	for i, o := range in {
		var err error
		if out[i], err = l.order(o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l *Lowerer) lambda(f *connectpb.Expression_LambdaFunction) (expr.Expr, error) {
	if n := len(f.GetArguments()); n < 1 || n > 3 {
		return nil, invalid("LAMBDA_FUNCTION_ARGUMENT_COUNT_INVALID", "got", itoa(int32(n)))
	}
	out := &expr.Lambda{}
	for _, a := range f.GetArguments() {
		v, err := lambdaVar(a)
		if err != nil {
			return nil, err
		}
		out.Params = append(out.Params, v)
	}
	var err error
	out.Body, err = l.Expr(f.GetFunction())
	return out, err
}

func lambdaVar(v *connectpb.Expression_UnresolvedNamedLambdaVariable) (*expr.LambdaVar, error) {
	if len(v.GetNameParts()) == 0 {
		return nil, invalid("UNRESOLVED_NAMED_LAMBDA_VARIABLE_REQUIRES_NAME_PART")
	}
	return &expr.LambdaVar{Name: strings.Join(v.GetNameParts(), ".")}, nil
}

func (l *Lowerer) extract(x *connectpb.Expression_UnresolvedExtractValue, at *expr.Origin) (expr.Expr, error) {
	child, err := l.Expr(x.GetChild())
	if err != nil {
		return nil, err
	}
	key, err := l.Expr(x.GetExtraction())
	return &expr.Extract{Child: child, Key: key, At: at}, err
}

func (l *Lowerer) updateFields(u *connectpb.Expression_UpdateFields) (expr.Expr, error) {
	child, err := l.Expr(u.GetStructExpression())
	if err != nil {
		return nil, err
	}
	field, err := ParseAttribute(u.GetFieldName())
	if err != nil {
		return nil, err
	}
	value, err := l.optional(u.GetValueExpression())
	return &expr.UpdateFields{Child: child, Field: field, Value: value}, err
}

func (l *Lowerer) subquery(s *connectpb.SubqueryExpression, at *expr.Origin) (expr.Expr, error) {
	out := &expr.Subquery{PlanRef: s.GetPlanId() + 1, At: at}
	switch s.GetSubqueryType() {
	case connectpb.SubqueryExpression_SUBQUERY_TYPE_SCALAR:
		out.Kind = expr.ScalarSubquery
	case connectpb.SubqueryExpression_SUBQUERY_TYPE_EXISTS:
		out.Kind = expr.ExistsSubquery
	case connectpb.SubqueryExpression_SUBQUERY_TYPE_IN:
		out.Kind = expr.InSubquery
		var err error
		if out.Values, err = l.Exprs(s.GetInSubqueryValues()); err != nil {
			return nil, err
		}
	case connectpb.SubqueryExpression_SUBQUERY_TYPE_TABLE_ARG:
		if o := s.GetTableArgOptions(); len(o.GetPartitionSpec())+len(o.GetOrderSpec()) > 0 || o.GetWithSinglePartition() {
			return nil, sparkerr.Unsupported("table argument with PARTITION BY or ORDER BY")
		}
		out.Kind = expr.TableArgument
	default:
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.SubqueryExpression.SubqueryType", "name", s.GetSubqueryType().String(),
			"number", itoa(int32(s.GetSubqueryType())))
	}
	return out, nil
}

func (l *Lowerer) userFunction(f *connectpb.CommonInlineUserDefinedFunction) (expr.Expr, error) {
	if l.UserFunction != nil {
		args, err := l.Exprs(f.GetArguments())
		if err != nil {
			return nil, err
		}
		return l.UserFunction(f, args)
	}
	return nil, sparkerr.Unsupported(caseName(f, "function") + " " + f.GetFunctionName())
}
