package sqlparser

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// fromClause takes FROM relations with their LATERAL VIEWs, PIVOT and UNPIVOT. The joins of a relation apply to all that
// stands before it, commas included.
func (p *parser) fromClause() logical.Plan {
	start := p.i
	p.i++
	plan := p.relation(nil)
	for p.accept(tComma) {
		plan = p.relation(plan)
	}
	views := false
	for p.is(kwLateral, kwView) {
		plan = p.lateralView(plan)
		views = true
	}
	pivot, unpivot := p.is(kwPivot, tLeftParen), p.unpivotAhead()
	if !pivot && !unpivot {
		return plan
	}
	if pivot {
		plan = p.pivot(plan)
		if p.unpivotAhead() {
			p.unpivot(plan)
			p.failAt(start, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		}
	} else {
		plan = p.unpivot(plan)
	}
	if views {
		sub := "NOT_ALLOWED_IN_FROM.LATERAL_WITH_PIVOT"
		if unpivot {
			sub = "NOT_ALLOWED_IN_FROM.LATERAL_WITH_UNPIVOT"
		}
		p.failAt(start, sub)
	}
	return plan
}

// relation takes a table-like thing and its joins. left is what stands before a comma; nil at the beginning.
func (p *parser) relation(left logical.Plan) logical.Plan {
	p.enter()
	defer p.leave()
	lateral := p.lateralAhead()
	plan := p.relationPrimary()
	if left != nil {
		plan = &logical.Join{Left: left, Right: plan, Lateral: lateral}
	}
	for {
		switch {
		case p.is(kwPivot, tLeftParen):
			plan = p.pivot(plan)
		case p.unpivotAhead():
			plan = p.unpivot(plan)
		default:
			j := p.join(plan)
			if j == nil {
				return plan
			}
			plan = j
		}
	}
}

// lateralAhead takes LATERAL in front of a relation. Only queries and functions can be lateral.
func (p *parser) lateralAhead() bool {
	if p.kind() != kwLateral || p.at(1) == kwView {
		return false
	}
	start := p.i
	p.i++
	n := 1
	for p.isName(n-1) && p.at(n) == tDot {
		n += 2
	}
	if p.kind() != tLeftParen && !(p.isName(n-1) && p.at(n) == tLeftParen) {
		if p.toks[start-1].kind == kwFrom {
			return false
		}
		p.multipart()
		p.failAt(start, "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC")
	}
	return true
}

// join takes one join; nil if none follows.
func (p *parser) join(left logical.Plan) logical.Plan {
	start := p.i
	natural := p.kind() == kwNatural && p.joinAhead(1)
	if natural {
		p.i++
	} else if !p.joinAhead(0) {
		return nil
	}
	j := &logical.Join{Left: left, Natural: natural}
	j.Kind = p.joinKind()
	p.expect(kwJoin)
	j.Lateral = p.lateralAhead()
	j.Right = p.relationPrimary()
	p.checkLateral(start, j)
	switch {
	case natural:
		if j.Kind == logical.CrossJoin {
			p.failAt(start, "INCOMPATIBLE_JOIN_TYPES", "joinType1", "NATURAL", "joinType2", "CROSS")
		}
	case p.kind() == kwOn:
		p.i++
		j.Cond = p.expression()
	case p.is(kwUsing, tLeftParen):
		p.i++
		j.Using = p.names()
		if j.Lateral {
			p.failAt(start, "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING")
		}
	case p.is(kwApprox, kwNearest), p.is(kwExact, kwNearest):
		return p.nearestBy(start, j)
	}
	return j
}

func (p *parser) checkLateral(start int, j *logical.Join) {
	if !j.Lateral {
		return
	}
	switch {
	case j.Natural:
		p.failAt(start, "INCOMPATIBLE_JOIN_TYPES", "joinType1", "LATERAL", "joinType2", "NATURAL")
	case j.Kind != logical.InnerJoin && j.Kind != logical.CrossJoin && j.Kind != logical.LeftJoin:
		p.failAt(start, "INVALID_LATERAL_JOIN_TYPE", "joinType", joinTypeSQL(j.Kind))
	}
}

func joinTypeSQL(k logical.JoinKind) string {
	return [...]string{"INNER", "LEFT OUTER", "RIGHT OUTER", "FULL OUTER", "CROSS", "LEFT SEMI", "LEFT ANTI", "EXISTENCE"}[k]
}

// joinAhead says whether [type] JOIN begins at the token n places on.
func (p *parser) joinAhead(n int) bool {
	switch p.at(n) {
	case kwJoin:
		return true
	case kwInner, kwCross, kwSemi, kwAnti:
		return p.at(n+1) == kwJoin
	case kwLeft:
		switch p.at(n + 1) {
		case kwJoin:
			return true
		case kwOuter, kwSemi, kwAnti:
			return p.at(n+2) == kwJoin
		}
	case kwRight, kwFull:
		return p.at(n+1) == kwJoin || p.at(n+1) == kwOuter && p.at(n+2) == kwJoin
	}
	return false
}

func (p *parser) joinKind() logical.JoinKind {
	k := p.kind()
	if k == kwJoin {
		return logical.InnerJoin
	}
	p.i++
	switch k {
	case kwCross:
		return logical.CrossJoin
	case kwSemi:
		return logical.SemiJoin
	case kwAnti:
		return logical.AntiJoin
	case kwLeft:
		switch {
		case p.accept(kwSemi):
			return logical.SemiJoin
		case p.accept(kwAnti):
			return logical.AntiJoin
		}
		p.accept(kwOuter)
		return logical.LeftJoin
	case kwRight:
		p.accept(kwOuter)
		return logical.RightJoin
	case kwFull:
		p.accept(kwOuter)
		return logical.FullJoin
	}
	return logical.InnerJoin
}

// nearestBy takes APPROX|EXACT NEAREST [n] BY DISTANCE|SIMILARITY e.
func (p *parser) nearestBy(start int, j *logical.Join) logical.Plan {
	n := &logical.NearestByJoin{Left: j.Left, Right: j.Right, Kind: j.Kind, Approx: p.kind() == kwApprox, N: 1}
	p.i += 2
	num := ""
	if p.kind() == tInteger {
		num = p.word(p.i)
		n.N, _ = strconv.Atoi(num)
		p.i++
	}
	p.expect(kwBy)
	if k, ok := p.acceptOne(kwDistance, kwSimilarity); ok {
		n.Similarity = k == kwSimilarity
	} else {
		p.fail()
	}
	n.Rank = p.expression()
	switch {
	case j.Kind != logical.InnerJoin && j.Kind != logical.LeftJoin:
		p.failAt(start, "NEAREST_BY_JOIN.UNSUPPORTED_JOIN_TYPE", "joinType", joinTypeSQL(j.Kind), "supported", "'INNER', 'LEFT OUTER'")
	case num != "" && (n.N < 1 || n.N > 100000 || len(num) > 9):
		p.failAt(start, "NEAREST_BY_JOIN.NUM_RESULTS_OUT_OF_RANGE", "numResults", num, "min", "1", "max", "100000")
	}
	return n
}

// relationPrimary takes a table, a query or relation in parentheses, VALUES or a table function, with its alias.
func (p *parser) relationPrimary() logical.Plan {
	switch {
	case p.kind() == tLeftParen:
		return p.parenRelation()
	case p.kind() == kwValues && p.queryWordAt(p.i):
		return p.inlineTable()
	case p.kind() == kwStream && (p.at(1) == tLeftParen || p.isName(1) && !p.closesName(1)):
		return p.stream()
	}
	return p.tableOrFunction(false)
}

// closesName says whether the word n places on cannot be the name of a table behind STREAM.
func (p *parser) closesName(n int) bool {
	switch p.at(n) {
	case kwAs, kwWhere, kwGroup, kwOrder, kwJoin, kwInner, kwCross, kwLeft, kwRight, kwFull, kwOn, kwUsing, kwUnion, kwLimit,
		kwTablesample, kwLateral, kwExcept, kwIntersect, kwMinus, kwHaving, kwNatural, kwSelect:
		return true
	}
	return false
}

// stream takes STREAM table and STREAM(table).
func (p *parser) stream() logical.Plan {
	p.i++
	if !p.accept(tLeftParen) {
		return p.tableOrFunction(true)
	}
	plan := p.streamed(true)
	p.expect(tRightParen)
	return p.aliased(plan)
}

func (p *parser) parenRelation() logical.Plan {
	isQuery := p.queryAt(p.i + 1)
	p.i++
	var plan logical.Plan
	if isQuery {
		plan = p.query()
	} else {
		plan = p.relation(nil)
	}
	if p.kind() == tEOF {
		p.expectMissing(tRightParen)
	}
	p.expect(tRightParen)
	plan = p.sampled(plan)
	plan = p.watermarked(plan)
	aliased := p.aliased(plan)
	if aliased == plan && isQuery {
		// a subquery's columns are not reachable by the names of the tables inside
		return &logical.SubqueryAlias{Name: []string{"__auto_generated_subquery_name"}, Child: plan}
	}
	return aliased
}

// tableOrFunction takes a table with what may follow its name, or a call of a table function.
func (p *parser) tableOrFunction(streaming bool) logical.Plan {
	plan := p.streamed(streaming)
	if r, ok := plan.(*logical.UnresolvedRelation); ok {
		p.timeTravel(r)
		p.changes()
		r.Options = p.tableOptions()
		plan = p.sampled(plan)
	}
	plan = p.watermarked(plan)
	return p.aliased(plan)
}

// streamed takes a table's name or a call of a table function.
func (p *parser) streamed(streaming bool) logical.Plan {
	start := p.i
	name, e := p.reference()
	if p.kind() == tLeftParen {
		return p.tableFunction(start, name, e)
	}
	return &logical.UnresolvedRelation{Name: name, NameExpr: e, Streaming: streaming, At: p.origin(start)}
}

// tableFunction takes the arguments of a table function.
func (p *parser) tableFunction(start int, name []string, nameExpr expr.Expr) logical.Plan {
	p.i++
	f := &expr.Func{Name: name}
	if p.kind() != tRightParen {
		f.Args = append(f.Args, p.tableCallArgument(start))
		for p.accept(tComma) {
			f.Args = append(f.Args, p.tableCallArgument(start))
		}
	}
	p.expect(tRightParen)
	f.At = p.origin(start)
	if nameExpr != nil {
		p.unsupported(start, "IDENTIFIER() of a table function with an expression that is no literal")
	}
	return &logical.TableFunction{Func: f}
}

// tableCallArgument is an argument; TABLE name without parentheses is a known mistake.
func (p *parser) tableCallArgument(start int) expr.Expr {
	if p.kind() == kwTable && p.isName(1) && !p.closes(1) {
		p.i++
		name := p.multipart()
		p.failAt(start, "INVALID_SQL_SYNTAX.INVALID_TABLE_FUNCTION_IDENTIFIER_ARGUMENT_MISSING_PARENTHESES", "argumentName", quoteParts(name))
	}
	return p.argument()
}

// tableArgumentAhead says whether TABLE begins a table argument.
func (p *parser) tableArgumentAhead() bool {
	return p.at(1) == tLeftParen && (p.queryAt(p.i+2) || p.isName(2) && (p.at(3) == tRightParen || p.at(3) == tDot || p.at(2) == kwIdentifier))
}

// tableArgument takes TABLE(t) or TABLE(query) with PARTITION BY, ORDER BY or WITH SINGLE PARTITION.
func (p *parser) tableArgument() expr.Expr {
	start := p.i
	p.i += 2
	s := &expr.Subquery{Kind: expr.TableArgument}
	if p.queryAt(p.i) {
		s.Plan = p.query()
	} else {
		at := p.i
		r := &logical.UnresolvedRelation{}
		r.Name, r.NameExpr = p.reference()
		r.At = p.origin(at)
		s.Plan = r
	}
	p.expect(tRightParen)
	t := &logical.TableArgument{Child: s.Plan.(logical.Plan)}
	switch {
	case p.accepts(kwWith, kwSingle, kwPartition):
		t.Single = true
	case p.is(kwPartition, kwBy), p.is(kwDistribute, kwBy):
		clause := strings.ToUpper(p.word(p.i)) + " BY"
		p.i += 2
		t.Partition = p.argumentPartition(clause)
	}
	if p.is(kwOrder, kwBy) || p.is(kwSort, kwBy) {
		p.i += 2
		paren := p.kind() == tLeftParen && p.toks[p.i].match > 0
		if paren {
			p.i++
		}
		if paren {
			t.Order = p.sortItems()
			p.expect(tRightParen)
		} else {
			at := p.i
			t.Order = []expr.SortOrder{p.sortItem()}
			p.oneArgument(at, "ORDER BY")
		}
	}
	if t.Single || t.Partition != nil || t.Order != nil {
		s.Plan = t
	}
	s.At = p.origin(start)
	return s
}

// argumentPartition takes the expressions of PARTITION BY of a table argument: one, or several in parentheses.
func (p *parser) argumentPartition(clause string) []expr.Expr {
	start := p.i
	if p.accept(tLeftParen) {
		list := p.expressions()
		p.expect(tRightParen)
		return list
	}
	e := p.expression()
	p.oneArgument(start, clause)
	return []expr.Expr{e}
}

// oneArgument fails if another expression follows that would belong to the clause rather than to the function.
func (p *parser) oneArgument(start int, clause string) {
	if p.kind() == tComma && !(p.isName(1) && p.at(2) == tFatArrow) && p.at(1) != kwTable {
		panic(bailout{p.syntax("_LEGACY_ERROR_TEMP_0064", &p.toks[start], "msg",
			"The table function call includes a table argument with an invalid partitioning/ordering specification: the "+clause+
				" clause included multiple expressions without parentheses surrounding them; please add parentheses around these "+
				"expressions and then retry the query again")})
	}
}

// timeTravel takes [FOR] VERSION|TIMESTAMP AS OF.
func (p *parser) timeTravel(r *logical.UnresolvedRelation) {
	n := 0
	if p.kind() == kwFor {
		n = 1
	}
	k := p.at(n)
	if p.at(n+1) != kwAs || p.at(n+2) != kwOf {
		return
	}
	switch k {
	case kwVersion, kwSystemVersion:
		p.i += n + 3
		if p.kind() == tInteger {
			r.Version = p.word(p.i)
			p.i++
			return
		}
		r.Version = p.stringLiteral()
	case kwTimestamp, kwSystemTime:
		p.i += n + 3
		r.AsOf = p.value(0)
	}
}

// changes refuses CHANGES FROM.
func (p *parser) changes() {
	if p.is(kwChanges, kwFrom) {
		p.unsupported(p.i, "CHANGES (change data of tables)")
	}
}

// tableOptions takes WITH (key = value, …).
func (p *parser) tableOptions() map[string]string {
	if !p.is(kwWith, tLeftParen) {
		return nil
	}
	p.i++
	return p.properties()
}

// watermarked takes WATERMARK e DELAY OF interval; it has no effect on batch queries.
func (p *parser) watermarked(plan logical.Plan) logical.Plan {
	if p.kind() == kwWatermark && p.startsClause() {
		p.unsupported(p.i, "WATERMARK in SQL")
	}
	return plan
}

// aliased takes [AS] name [(columns)].
func (p *parser) aliased(plan logical.Plan) logical.Plan {
	switch {
	case p.is(kwAs, tLeftParen): // the word itself is the name
	case p.kind() == kwAs:
		p.i++
	case p.kind().isStrictIdentifier(p.o) && !p.startsClause():
	default:
		return plan
	}
	a := &logical.SubqueryAlias{Name: []string{p.strictName()}, Child: plan}
	if p.kind() == tLeftParen {
		a.Columns = p.names()
	}
	return a
}

// inlineTable takes VALUES row, … [alias].
func (p *parser) inlineTable() logical.Plan {
	start := p.i
	p.i++
	v := &logical.Values{}
	for {
		v.Rows = append(v.Rows, rowValues(p.expression()))
		if !p.accept(tComma) {
			break
		}
	}
	plan := p.aliased(v)
	v.At = p.origin(start)
	width := len(v.Rows[0])
	if a, ok := plan.(*logical.SubqueryAlias); ok && a.Columns != nil {
		width = len(a.Columns)
	}
	for i, r := range v.Rows {
		if len(r) != width {
			p.failAt(start, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", strconv.Itoa(width),
				"actualNumCols", strconv.Itoa(len(r)), "rowIndex", strconv.Itoa(i))
		}
	}
	return plan
}

// lateralView takes LATERAL VIEW [OUTER] f(…) alias [AS columns].
func (p *parser) lateralView(plan logical.Plan) logical.Plan {
	p.i += 2
	g := &logical.Generate{Child: plan}
	if p.kind() == kwOuter && p.at(1) != tLeftParen && p.at(1) != tDot {
		g.Outer = true
		p.i++
	}
	start := p.i
	name := []string{p.identifier()}
	for p.accept(tDot) {
		name = append(name, p.identifier())
	}
	p.expect(tLeftParen)
	f := &expr.Func{Name: name}
	if p.kind() != tRightParen {
		f.Args = p.expressions()
	}
	p.expect(tRightParen)
	f.At = p.origin(start)
	g.Gen = f
	g.Alias = p.identifier()
	switch {
	case p.accept(kwAs):
	case p.isName(0) && !p.startsClause() && !p.joinAhead(0) && p.kind() != kwLateral:
	default:
		return g
	}
	g.Names = []string{p.identifier()}
	for p.accept(tComma) {
		g.Names = append(g.Names, p.identifier())
	}
	return g
}

// sampled takes TABLESAMPLE.
func (p *parser) sampled(plan logical.Plan) logical.Plan {
	if p.kind() != kwTablesample || !p.startsClause() {
		return plan
	}
	return p.sample(plan)
}

func (p *parser) sample(plan logical.Plan) logical.Plan {
	start := p.i
	p.i++
	if !p.accept(kwBernoulli) {
		p.accept(kwSystem)
	}
	s := &logical.Sample{Child: plan}
	p.expect(tLeftParen)
	method := p.i
	fail := func() {}
	switch {
	case p.kind() == tRightParen:
		fail = func() { p.failAt(start, "_LEGACY_ERROR_TEMP_0014") }
	case p.is(kwBucket, tInteger), p.is(kwBucket, tQuestion):
		fail = p.bucketSample(start, s)
	case p.percentAhead():
		fail = p.percentSample(start, s)
	default:
		e := p.expression()
		if p.accept(kwRows) {
			s.Rows = e
			break
		}
		fail = p.byteSample(start, method)
	}
	p.expect(tRightParen)
	if p.is(kwRepeatable, tLeftParen) {
		p.i += 2
		s.Seed, s.HasSeed = int64(p.integer()), true
		p.expect(tRightParen)
	}
	fail()
	return s
}

// percentAhead says whether [-] number PERCENT is next.
func (p *parser) percentAhead() bool {
	n := 0
	if p.kind() == tMinus {
		n = 1
	}
	return (p.at(n) == tInteger || p.at(n) == tDecimal || p.at(n) == tQuestion) && p.at(n+1) == kwPercent
}

func (p *parser) percentSample(start int, s *logical.Sample) func() {
	neg := p.accept(tMinus)
	var percent float64
	if p.kind() == tQuestion {
		percent = float64(p.integer())
	} else {
		percent, _ = strconv.ParseFloat(p.word(p.i), 64)
		p.i++
	}
	p.i++
	if neg {
		percent = -percent
	}
	return p.fraction(start, s, percent/100)
}

func (p *parser) fraction(start int, s *logical.Sample, f float64) func() {
	s.Upper = f
	if f >= -1e-6 && f <= 1+1e-6 {
		return func() {}
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return func() {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Sampling fraction ("+text+") must be on interval [0, 1]")
	}
}

func (p *parser) bucketSample(start int, s *logical.Sample) func() {
	method := p.i
	p.i++
	num := p.integer()
	p.expect(kwOut, kwOf)
	den := p.integer()
	if !p.accept(kwOn) {
		return p.fraction(start, s, float64(num)/float64(den))
	}
	p.identifier()
	for p.accept(tDot) {
		p.identifier()
	}
	msg := "BUCKET x OUT OF y ON colname"
	if p.accept(tLeftParen) {
		p.expect(tRightParen)
		msg = "BUCKET x OUT OF y ON function"
	}
	return func() { p.sampleFailure(start, method, "_LEGACY_ERROR_TEMP_0015", "msg", msg) }
}

// sampleFailure has the range of the clause and the position of the method.
func (p *parser) sampleFailure(start, method int, condition string, kv ...string) {
	e := sparkerr.New(condition, kv...)
	e.Class = sparkerr.ParseException
	e.Context = p.context(start)
	t := &p.toks[method]
	e.Context.Line, e.Context.Pos = int(t.line), int(t.pos)
	panic(bailout{e})
}

// byteSample refuses sizes in bytes.
func (p *parser) byteSample(start, method int) func() {
	size := p.source(method)
	n := len(size)
	if n > 1 && strings.Trim(size[:n-1], "0123456789") == "" && strings.ContainsAny(size[n-1:], "bBkKmMgG") {
		return func() { p.sampleFailure(start, method, "_LEGACY_ERROR_TEMP_0015", "msg", "byteLengthLiteral") }
	}
	return func() { p.sampleFailure(start, method, "_LEGACY_ERROR_TEMP_0016", "bytesStr", size) }
}

// pivot takes PIVOT (aggregates FOR column IN (values)) [alias].
func (p *parser) pivot(plan logical.Plan) logical.Plan {
	p.i++
	p.expect(tLeftParen)
	v := &logical.Pivot{Child: plan, Aggs: p.namedExpressions()}
	p.expect(kwFor)
	start := p.i
	if p.accept(tLeftParen) {
		var cols []expr.Expr
		for {
			at := p.i
			cols = append(cols, &expr.Attribute{Name: []string{p.name()}, At: p.origin(at)})
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRightParen)
		if v.Column = cols[0]; len(cols) > 1 {
			v.Column = p.row(start, cols)
		}
	} else {
		v.Column = &expr.Attribute{Name: []string{p.name()}, At: p.origin(start)}
	}
	p.expect(kwIn, tLeftParen)
	v.Values = p.namedExpressions()
	p.expect(tRightParen, tRightParen)
	return p.clauseAlias(v)
}

// clauseAlias takes the [AS] name behind PIVOT and UNPIVOT.
func (p *parser) clauseAlias(plan logical.Plan) logical.Plan {
	if !p.accept(kwAs) && (!p.isName(0) || p.startsClause() || p.joinAhead(0) || p.kind() == kwNatural || p.pivotAhead()) {
		return plan
	}
	return &logical.SubqueryAlias{Name: []string{p.name()}, Child: plan}
}

func (p *parser) pivotAhead() bool { return p.is(kwPivot, tLeftParen) || p.unpivotAhead() }

func (p *parser) unpivotAhead() bool {
	if p.kind() != kwUnpivot {
		return false
	}
	k := p.at(1)
	return k == tLeftParen || (k == kwInclude || k == kwExclude) && p.at(2) == kwNulls
}

// unpivot takes UNPIVOT [INCLUDE|EXCLUDE NULLS] (value FOR name IN (columns)), with one or several value columns.
func (p *parser) unpivot(plan logical.Plan) logical.Plan {
	p.i++
	u := &logical.Unpivot{Child: plan, ValuesGiven: true}
	if k, ok := p.acceptOne(kwInclude, kwExclude); ok {
		u.IncludeNulls = k == kwInclude
		p.expect(kwNulls)
	}
	p.expect(tLeftParen)
	several := p.accept(tLeftParen)
	u.ValueNames = []string{p.identifier()}
	if several {
		for p.accept(tComma) {
			u.ValueNames = append(u.ValueNames, p.identifier())
		}
		p.expect(tRightParen)
	}
	p.expect(kwFor)
	u.Variable = p.identifier()
	p.expect(kwIn, tLeftParen)
	named := false
	for {
		cols, alias := p.unpivotColumns(several)
		u.Values = append(u.Values, cols)
		u.ValueAliases = append(u.ValueAliases, alias)
		named = named || alias != ""
		if !p.accept(tComma) {
			break
		}
	}
	if !named {
		u.ValueAliases = nil
	}
	p.expect(tRightParen, tRightParen)
	return p.clauseAlias(u)
}

func (p *parser) unpivotColumns(several bool) (cols []expr.Expr, alias string) {
	if several {
		p.expect(tLeftParen)
	}
	for {
		start := p.i
		cols = append(cols, &expr.Attribute{Name: p.multipart(), At: p.origin(start)})
		if !several || !p.accept(tComma) {
			break
		}
	}
	if several {
		p.expect(tRightParen)
	}
	if p.accept(kwAs) || p.isName(0) {
		alias = p.name()
	}
	return cols, alias
}
