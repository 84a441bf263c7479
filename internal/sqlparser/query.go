package sqlparser

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// queryAt says whether a query begins at token i. It looks at the word, and behind matching parentheses, at what follows.
func (p *parser) queryAt(i int) bool {
	parens := 0
	for i < len(p.toks) && p.toks[i].kind == tLeftParen {
		m := int(p.toks[i].match)
		if m < 0 {
			// not closed: the word inside decides
			i++
			continue
		}
		switch p.toks[m+1].kind {
		case tPipe:
			if !p.pipeWordAt(m + 2) {
				return false
			}
		case tRightParen, tEOF, tPipeArrow, kwUnion, kwExcept, kwIntersect, kwMinus, kwOrder, kwSort, kwCluster, kwDistribute,
			kwLimit, kwOffset, kwWindow:
		default:
			return false
		}
		parens++
		i++
	}
	if i >= len(p.toks) {
		return false
	}
	return p.queryWordAt(i)
}

// queryWordAt says whether the word at token i begins a query.
func (p *parser) queryWordAt(i int) bool {
	at := func(n int) kind {
		if i+n < len(p.toks) {
			return p.toks[i+n].kind
		}
		return tEOF
	}
	next := at(1)
	switch p.toks[i].kind {
	case kwSelect:
		return next != tRightParen && next != tComma && next != tDot && next != tEOF
	case kwWith:
		n := 1
		if next == kwRecursive && at(2).isIdentifier(p.o) {
			n = 2
		}
		if !at(n).isIdentifier(p.o) {
			return false
		}
		k := at(n + 1)
		return k == kwAs || k == tLeftParen || k == kwMax
	case kwFrom:
		return next.isIdentifier(p.o) && next != kwFrom || next == tLeftParen
	case kwTable:
		return next.isIdentifier(p.o)
	case kwValues:
		switch next {
		case tEOF, tRightParen, tComma, tDot, tRightBracket, tEq, tSemicolon, kwFrom, kwAs, tArrow, tFatArrow:
			return false
		}
		prec, _ := precedence(next)
		return prec == 0 || next == tMinus || next == tPlus
	case kwMap, kwReduce:
		return next.isIdentifier(p.o) && next < firstKeyword || next == tString
	}
	return false
}

// query takes [WITH …] term with set operations and pipes, then ORDER BY, LIMIT and the like.
func (p *parser) query() logical.Plan {
	p.enter()
	defer p.leave()
	var with *logical.With
	if p.kind() == kwWith {
		with = p.with()
	}
	plan := p.organized(p.terms(0, nil))
	if with == nil {
		return plan
	}
	with.Child = plan
	return with
}

// with takes the list of common table expressions.
func (p *parser) with() *logical.With {
	start := p.i
	p.i++
	w := &logical.With{}
	if p.kind() == kwRecursive && p.isName(1) {
		w.Recursive = true
		p.i++
	}
	for {
		w.CTEs = append(w.CTEs, p.cte(start, w.Recursive))
		if !p.accept(tComma) {
			break
		}
	}
	p.distinctNames(start, w.CTEs)
	return w
}

func (p *parser) cte(with int, recursive bool) logical.CTE {
	start := p.i
	c := logical.CTE{Name: p.name()}
	if p.kind() == tLeftParen {
		c.Columns = p.names()
	}
	leveled := p.accepts(kwMax, kwRecursion, kwLevel)
	if leveled {
		c.MaxLevel = p.integer()
	}
	p.accept(kwAs)
	p.expect(tLeftParen)
	c.Plan = p.query()
	p.expect(tRightParen)
	c.At = p.origin(start)
	if leveled && !recursive {
		p.skipQuery()
		p.failAt(with, "_LEGACY_ERROR_TEMP_0035", "message", "Cannot specify MAX RECURSION LEVEL when the CTE is not marked as RECURSIVE")
	}
	return c
}

// skipQuery moves to the end of the statement or the parenthesis, so that an error's place covers the query.
func (p *parser) skipQuery() {
	for depth := 0; ; p.i++ {
		switch p.kind() {
		case tLeftParen:
			depth++
		case tRightParen:
			if depth--; depth < 0 {
				return
			}
		case tEOF, tSemicolon:
			return
		}
	}
}

func (p *parser) distinctNames(start int, ctes []logical.CTE) {
	seen := make(map[string]bool, len(ctes))
	var twice []string
	for _, c := range ctes {
		key := foldCase(c.Name)
		if seen[key] {
			twice = append(twice, c.Name)
		}
		seen[key] = true
	}
	if len(twice) > 0 {
		p.skipQuery()
		p.failAt(start, "DUPLICATED_CTE_NAMES", "duplicateNames", quoteList(twice))
	}
}

// terms takes query terms joined by set operations that bind tighter than min, and pipes.
// first is the first term if it is taken already.
func (p *parser) terms(min int, first logical.Plan) logical.Plan {
	start := p.i
	left := first
	if left == nil {
		left = p.queryPrimary()
	}
	for {
		switch k := p.kind(); k {
		case kwUnion, kwExcept, kwMinus, kwIntersect:
			prec := 1
			if k == kwIntersect && !p.o.SetOpsFromLeft {
				prec = 2
			}
			if prec <= min {
				return left
			}
			p.i++
			kind, all := p.setQuantifier(k)
			left = setOperation(kind, all, left, p.terms(prec, nil))
		case tPipeArrow, tPipe:
			if min > 0 || k == tPipe && !p.pipeWordAt(p.i+1) {
				return left
			}
			p.i++
			left = p.pipe(start, left)
		default:
			return left
		}
	}
}

// setQuantifier takes ALL or DISTINCT behind a set operation.
func (p *parser) setQuantifier(k kind) (logical.SetKind, bool) {
	all := p.accept(kwAll)
	if !all {
		p.accept(kwDistinct)
	}
	switch k {
	case kwUnion:
		return logical.Union, all
	case kwIntersect:
		return logical.Intersect, all
	}
	return logical.Except, all
}

func setOperation(kind logical.SetKind, all bool, left, right logical.Plan) logical.Plan {
	return &logical.SetOp{Kind: kind, All: all, Inputs: []logical.Plan{left, right}}
}

// queryPrimary takes SELECT, FROM … SELECT, TABLE name, VALUES or a query in parentheses.
func (p *parser) queryPrimary() logical.Plan {
	switch p.kind() {
	case kwSelect:
		return p.selectQuery(nil)
	case kwFrom:
		return p.fromQuery()
	case kwTable:
		start := p.i
		p.i++
		r := &logical.UnresolvedRelation{}
		r.Name, r.NameExpr = p.reference()
		r.At = p.origin(start)
		return r
	case kwValues:
		return p.inlineTable()
	case tLeftParen:
		p.i++
		q := p.query()
		p.expect(tRightParen)
		return q
	case kwMap, kwReduce:
		return p.transformQuery(nil)
	}
	p.fail()
	return nil
}

// fromQuery takes FROM relations, then any number of SELECT clauses; without one it yields the relations' rows.
func (p *parser) fromQuery() logical.Plan { return p.selectFrom(p.fromClause()) }

func (p *parser) selectFrom(from logical.Plan) logical.Plan {
	var plans []logical.Plan
	for p.kind() == kwSelect || p.transformAhead() {
		plans = append(plans, p.organized(p.selectQuery(from)))
	}
	switch len(plans) {
	case 0:
		return from
	case 1:
		return plans[0]
	}
	return &logical.SetOp{Kind: logical.Union, All: true, Inputs: plans}
}

// selectQuery takes SELECT and its clauses. from is set in the form FROM … SELECT ….
func (p *parser) selectQuery(from logical.Plan) logical.Plan {
	if p.transformAhead() {
		return p.transformQuery(from)
	}
	p.i++
	hints := p.hints()
	distinct := false
	if k := p.kind(); (k == kwDistinct || k == kwAll) && !p.wordIsOperand(1) {
		distinct = k == kwDistinct
		p.i++
	}
	plan := p.blockTail(from, p.namedExpressions(), distinct)
	for i := len(hints) - 1; i >= 0; i-- {
		hints[i].Child = plan
		plan = hints[i]
	}
	return plan
}

// blockTail takes the clauses of a query block behind its list.
func (p *parser) blockTail(from logical.Plan, list []expr.Expr, distinct bool) logical.Plan {
	plan := from
	if plan == nil {
		if p.kind() == kwFrom {
			plan = p.fromClause()
		} else {
			plan = &logical.OneRow{}
		}
	}
	for p.is(kwLateral, kwView) {
		plan = p.lateralView(plan)
	}
	if p.accept(kwWhere) {
		plan = &logical.Filter{Cond: p.expression(), Child: plan}
	}
	plan = p.grouped(plan, list)
	var windows map[string]expr.WindowSpec
	if p.windowClauseAhead() {
		windows = p.windowClause()
	}
	if p.accept(kwQualify) {
		plan = &logical.Qualify{Cond: p.expression(), Child: plan}
	}
	if distinct {
		plan = &logical.Distinct{Child: plan}
	}
	if windows != nil {
		plan = &logical.WithWindows{Defs: windows, Child: plan}
	}
	return plan
}

// grouped takes GROUP BY and HAVING.
func (p *parser) grouped(plan logical.Plan, list []expr.Expr) logical.Plan {
	isGrouped := p.is(kwGroup, kwBy) && !p.closes(2)
	if isGrouped {
		plan = p.groupBy(plan, list)
	}
	if p.kind() != kwHaving || p.closes(1) {
		if isGrouped {
			return plan
		}
		return &logical.Project{List: list, Child: plan}
	}
	if !isGrouped {
		plan = &logical.Aggregate{List: list, Child: plan}
	}
	p.i++
	return &logical.Filter{Cond: p.expression(), Having: true, Child: plan}
}

// groupBy takes GROUP BY in all its forms.
func (p *parser) groupBy(plan logical.Plan, list []expr.Expr) *logical.Aggregate {
	start := p.i
	p.i += 2
	a := &logical.Aggregate{List: list, Child: plan}
	for {
		a.Group = append(a.Group, p.groupItem(start))
		if !p.accept(tComma) {
			break
		}
	}
	switch {
	case p.accepts(kwWith, kwRollup):
		a.Group = []expr.Expr{&expr.GroupingSets{Kind: expr.RollupGrouping, Sets: singles(a.Group)}}
	case p.accepts(kwWith, kwCube):
		a.Group = []expr.Expr{&expr.GroupingSets{Kind: expr.CubeGrouping, Sets: singles(a.Group)}}
	case p.accepts(kwGrouping, kwSets):
		// the columns before it only say which there are
		a.Group = append(a.Group, &expr.GroupingSets{Kind: expr.SetsGrouping, Sets: p.groupingSets(start, "")})
		a.Group = []expr.Expr{a.Group[len(a.Group)-1]}
	}
	a.All = len(a.Group) == 1 && isWord(a.Group[0], "all")
	return a
}

// isWord says whether e is that unqualified name.
func isWord(e expr.Expr, word string) bool {
	a, ok := e.(*expr.Attribute)
	return ok && len(a.Name) == 1 && foldCase(a.Name[0]) == word
}

func singles(list []expr.Expr) [][]expr.Expr {
	sets := make([][]expr.Expr, len(list))
	for i, e := range list {
		sets[i] = []expr.Expr{e}
	}
	return sets
}

// groupItem is an expression, ROLLUP(…), CUBE(…) or GROUPING SETS (…).
func (p *parser) groupItem(start int) expr.Expr {
	switch {
	case p.is(kwRollup, tLeftParen):
		p.i++
		return &expr.GroupingSets{Kind: expr.RollupGrouping, Sets: p.groupingSets(start, "ROLLUP")}
	case p.is(kwCube, tLeftParen):
		p.i++
		return &expr.GroupingSets{Kind: expr.CubeGrouping, Sets: p.groupingSets(start, "CUBE")}
	case p.is(kwGrouping, kwSets):
		p.i += 2
		return &expr.GroupingSets{Kind: expr.SetsGrouping, Sets: p.groupingSets(start, "")}
	}
	e := p.expression()
	if p.kind() == kwAs || p.isName(0) && !p.startsClause() {
		p.failHint(": extra input " + p.shown(p.i)) // no aliases here
	}
	return e
}

// groupingSets takes (set, …); a set is an expression or a list in parentheses. Nested analytics are spelled out.
func (p *parser) groupingSets(start int, noEmpty string) [][]expr.Expr {
	p.enter()
	defer p.leave()
	p.expect(tLeftParen)
	var sets [][]expr.Expr
	empty := false
	for {
		switch {
		case noEmpty == "" && (p.is(kwRollup, tLeftParen) || p.is(kwCube, tLeftParen)):
			k := p.kind()
			p.i++
			sets = append(sets, combinations(k, p.groupingSets(start, "ROLLUP"))...)
		case noEmpty == "" && p.is(kwGrouping, kwSets):
			p.i += 2
			sets = append(sets, p.groupingSets(start, "")...)
		default:
			set := p.groupingSet()
			empty = empty || len(set) == 0
			sets = append(sets, set)
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
	if empty && noEmpty != "" {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0051", "element", noEmpty)
	}
	return sets
}

func (p *parser) groupingSet() []expr.Expr {
	if p.kind() == tLeftParen {
		m := p.toks[p.i].match
		if m > 0 && (p.toks[m+1].kind == tComma || p.toks[m+1].kind == tRightParen) && !p.queryAt(p.i+1) {
			p.i++
			if p.accept(tRightParen) {
				return []expr.Expr{}
			}
			set := p.expressions()
			p.expect(tRightParen)
			return set
		}
	}
	return []expr.Expr{p.expression()}
}

// combinations are the grouping sets of ROLLUP or CUBE over lists of columns.
func combinations(k kind, lists [][]expr.Expr) [][]expr.Expr {
	var out [][]expr.Expr
	if k == kwRollup {
		for n := len(lists); n >= 0; n-- {
			var set []expr.Expr
			for _, l := range lists[:n] {
				set = append(set, l...)
			}
			out = append(out, set)
		}
		return out
	}
	n := min(len(lists), 16)
	for mask := 1<<n - 1; mask >= 0; mask-- {
		var set []expr.Expr
		for i, l := range lists[:n] {
			if mask>>(n-1-i)&1 == 1 {
				set = append(set, l...)
			}
		}
		out = append(out, set)
	}
	return out
}

func (p *parser) windowClauseAhead() bool {
	return p.kind() == kwWindow && p.isName(1) && (p.at(2) == kwAs || p.at(1) == kwIdentifier && p.at(2) == tLeftParen)
}

// windowClause takes WINDOW name AS spec, …; a definition that is another's name takes its place.
func (p *parser) windowClause() map[string]expr.WindowSpec {
	start := p.i
	p.i++
	defs := make(map[string]expr.WindowSpec)
	for {
		name := p.name()
		p.expectMissing(kwAs)
		spec := p.windowSpec()
		if _, twice := defs[name]; twice {
			p.failAt(start, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "windowName", "`"+name+"`")
		}
		defs[name] = spec
		if !p.accept(tComma) {
			break
		}
	}
	for name, spec := range defs {
		if spec.Ref == "" {
			continue
		}
		target, ok := defs[spec.Ref]
		if !ok {
			p.failAt(start, "INVALID_SQL_SYNTAX.UNRESOLVED_WINDOW_REFERENCE", "windowName", "`"+spec.Ref+"`")
		}
		if target.Ref != "" {
			p.failAt(start, "INVALID_SQL_SYNTAX.INVALID_WINDOW_REFERENCE", "windowName", "`"+spec.Ref+"`")
		}
		defs[name] = target
	}
	return defs
}

// organized takes ORDER BY, CLUSTER BY, DISTRIBUTE BY, SORT BY, WINDOW, LIMIT and OFFSET.
func (p *parser) organized(plan logical.Plan) logical.Plan {
	plan, _ = p.organize(plan)
	return plan
}

// organize is organized that also names the clauses it has seen.
func (p *parser) organize(plan logical.Plan) (logical.Plan, []string) {
	start := p.i
	var clauses []string
	var order, sorts []expr.SortOrder
	var cluster, distribute []expr.Expr
	if p.by(kwOrder) {
		order = p.sortItems()
		clauses = append(clauses, "ORDER BY")
	}
	if p.by(kwCluster) {
		cluster = p.expressions()
		clauses = append(clauses, "CLUSTER BY")
	}
	if p.by(kwDistribute) {
		distribute = p.expressions()
		clauses = append(clauses, "DISTRIBUTE BY")
	}
	if p.by(kwSort) {
		sorts = p.sortItems()
		clauses = append(clauses, "SORT BY")
	}
	switch {
	case len(clauses) > 2 || len(clauses) == 2 && (distribute == nil || sorts == nil):
		p.failAt(start, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES")
	case order != nil:
		plan = &logical.Sort{Order: order, Global: true, All: len(order) == 1 && isWord(order[0].Child, "all"), Child: plan}
	case cluster != nil:
		for _, e := range cluster {
			sorts = append(sorts, expr.SortOrder{Child: e, NullsFirst: true})
		}
		plan = &logical.Sort{Order: sorts, Child: &logical.Repartition{Shuffle: true, By: cluster, Child: plan}}
	default:
		if distribute != nil {
			plan = &logical.Repartition{Shuffle: true, By: distribute, Child: plan}
		}
		if sorts != nil {
			plan = &logical.Sort{Order: sorts, Child: plan}
		}
	}
	if p.windowClauseAhead() {
		plan = &logical.WithWindows{Defs: p.windowClause(), Child: plan}
		clauses = append(clauses, "WINDOW")
	}
	return p.limited(plan, clauses)
}

// by takes "word BY" if something follows it.
func (p *parser) by(k kind) bool { return p.is(k, kwBy) && !p.closes(2) && p.accepts(k, kwBy) }

func (p *parser) limited(plan logical.Plan, clauses []string) (logical.Plan, []string) {
	var limit expr.Expr
	all := false
	if p.kind() == kwLimit && !p.closes(1) {
		p.i++
		clauses = append(clauses, "LIMIT")
		if all = p.kind() == kwAll && !p.wordIsOperand(1) || p.kind() == kwAll && p.closes(1); all {
			p.i++
		} else {
			limit = p.expression()
		}
	}
	if p.kind() == kwOffset && !p.closes(1) {
		p.i++
		clauses = append(clauses, "OFFSET")
		plan = &logical.Offset{N: p.expression(), Child: plan}
	}
	if limit != nil {
		plan = &logical.Limit{N: limit, Child: plan}
	}
	return plan, clauses
}

// hints takes /*+ … */ blocks, outermost first.
func (p *parser) hints() []*logical.Hint {
	var list []*logical.Hint
	for p.accept(tHintStart) {
		for {
			if !p.isName(0) || p.kind() == kwIdentifier && p.at(1) == tLeftParen && p.at(2) == tString {
				if p.kind() == kwIdentifier {
					p.i++
				}
				p.fail()
			}
			h := &logical.Hint{Name: p.anyWord()}
			if p.accept(tLeftParen) {
				h.Args = append(h.Args, p.operand())
				for p.accept(tComma) {
					h.Args = append(h.Args, p.operand())
				}
				p.expect(tRightParen)
			}
			list = append(list, h)
			p.accept(tComma)
			if p.accept(tHintEnd) {
				break
			}
		}
	}
	return list
}
