package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// pipe takes what stands behind |>. start is where the query begins.
func (p *parser) pipe(start int, left logical.Plan) logical.Plan {
	switch p.kind() {
	case kwSelect:
		return p.pipeSelect(left)
	case kwExtend:
		at := p.i
		p.i++
		star := p.origin(at)
		return logical.NewExtendColumns(left, p.namedExpressions(), star)
	case kwSet:
		return p.pipeSet(left)
	case kwDrop:
		p.i++
		var cols []expr.Expr
		for {
			at := p.i
			cols = append(cols, &expr.Attribute{Name: p.multipart(), At: p.origin(at)})
			if !p.accept(tComma) {
				break
			}
		}
		return logical.NewDropNamed(left, cols)
	case kwAs:
		p.i++
		return &logical.SubqueryAlias{Name: []string{p.name()}, Child: left}
	case kwWhere:
		p.i++
		f := &logical.Filter{Cond: p.expression(), Child: left}
		if p.windowClauseAhead() {
			p.windowClause()
			p.failAt(start, "NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE.WINDOW_CLAUSE")
		}
		return f
	case kwPivot, kwUnpivot:
		return p.pipePivot(start, left)
	case kwTablesample:
		return p.sample(left)
	case kwUnion, kwExcept, kwMinus, kwIntersect:
		k := p.kind()
		p.i++
		kind, all := p.setQuantifier(k)
		return setOperation(kind, all, left, p.queryPrimary())
	case kwAggregate:
		return p.pipeAggregate(start, left)
	}
	if p.joinAhead(0) || p.kind() == kwNatural && p.joinAhead(1) {
		return p.join(left)
	}
	return p.pipeOrganize(left)
}

// pipeOrganize takes one of ORDER BY, LIMIT and the like.
func (p *parser) pipeOrganize(left logical.Plan) logical.Plan {
	start := p.i
	plan, clauses := p.organize(left)
	if len(clauses) == 0 {
		p.failExpecting(tEOF)
	}
	for _, c := range clauses {
		if c == "WINDOW" {
			p.failAt(start, "UNSUPPORTED_FEATURE.CLAUSE_WITH_PIPE_OPERATORS", "clauses", "the WINDOW clause")
		}
	}
	if len(clauses) > 1 {
		pair := clauses[0] + clauses[1]
		if pair != "LIMITOFFSET" && pair != "DISTRIBUTE BYSORT BY" {
			p.failAt(start, "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS", "clause1", clauses[0], "clause2", clauses[1])
		}
	}
	return plan
}

func (p *parser) pipeSelect(left logical.Plan) logical.Plan {
	p.i++
	hints := p.hints()
	distinct := false
	if k := p.kind(); (k == kwDistinct || k == kwAll) && !p.wordIsOperand(1) {
		distinct = k == kwDistinct
		p.i++
	}
	list := p.namedExpressions()
	var plan logical.Plan = &logical.Project{List: list, Child: left}
	if p.is(kwGroup, kwBy) {
		plan = p.groupBy(left, list)
	}
	if distinct {
		plan = &logical.Distinct{Child: plan}
	}
	if p.windowClauseAhead() {
		plan = &logical.WithWindows{Defs: p.windowClause(), Child: plan}
	}
	for i := len(hints) - 1; i >= 0; i-- {
		hints[i].Child = plan
		plan = hints[i]
	}
	return plan
}

// pipeSet takes SET column = value, …; each sees the columns as those before it left them.
func (p *parser) pipeSet(left logical.Plan) logical.Plan {
	p.i++
	for {
		start := p.i
		name := []string{p.name()}
		for p.accept(tDot) {
			name = append(name, p.name())
		}
		at := p.origin(start)
		p.expect(tEq)
		value := p.expression()
		if len(name) > 1 {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message",
				"SQL pipe syntax |> SET operator with multi-part assignment key (only single-part keys are allowed)")
		}
		left = logical.NewSetColumn(left, name[0], value, at)
		if !p.accept(tComma) {
			return left
		}
	}
}

func (p *parser) pipePivot(start int, left logical.Plan) logical.Plan {
	first := p.kind()
	if first == kwPivot {
		if p.at(1) != tLeftParen {
			p.i++
			p.fail()
		}
		left = p.pivot(left)
	} else {
		if !p.unpivotAhead() {
			p.i++
			p.fail()
		}
		left = p.unpivot(left)
	}
	if first == kwPivot && p.unpivotAhead() || first == kwUnpivot && p.is(kwPivot, tLeftParen) {
		if first == kwPivot {
			p.unpivot(left)
		} else {
			p.pivot(left)
		}
		p.failAt(start, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
	}
	return left
}

// pipeAggregate takes AGGREGATE [list] [GROUP BY …].
func (p *parser) pipeAggregate(start int, left logical.Plan) logical.Plan {
	p.i++
	var list []expr.Expr
	if (!p.is(kwGroup, kwBy) || p.closes(2)) && !p.closes(0) && p.kind() != tPipeArrow {
		list = p.namedExpressions()
	}
	refuse := func(what string) {
		p.skipQuery()
		p.failAt(start, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", what)
	}
	if what := pipeAggregateCase(list); what != "" {
		refuse(what)
	}
	if !p.accepts(kwGroup, kwBy) {
		if list == nil {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message",
				"The AGGREGATE clause requires a list of aggregate expressions or a list of grouping expressions, or both")
		}
		return logical.NewPipeAggregate(left, nil, list)
	}
	switch {
	case p.is(kwRollup, tLeftParen), p.is(kwCube, tLeftParen):
		refuse("GROUP BY " + strings.ToUpper(p.word(p.i)))
	case p.is(kwGrouping, kwSets):
		refuse("GROUPING SETS")
	}
	group := p.namedExpressions()
	switch {
	case p.is(kwWith, kwRollup), p.is(kwWith, kwCube):
		refuse("GROUP BY " + strings.ToUpper(p.word(p.i)+" "+p.word(p.i+1)))
	case p.is(kwGrouping, kwSets):
		refuse("GROUPING SETS")
	case len(group) == 1 && isWord(group[0], "all"):
		refuse("GROUP BY ALL")
	}
	return logical.NewPipeAggregate(left, group, list)
}

// pipeWordAt says whether token i begins a pipe operator, so that a '|' before it is one too.
func (p *parser) pipeWordAt(i int) bool {
	if p.o.NoSinglePipe || i >= len(p.toks) {
		return false
	}
	switch p.toks[i].kind {
	case kwSelect, kwExtend, kwSet, kwDrop, kwAs, kwWhere, kwPivot, kwUnpivot, kwTablesample, kwJoin, kwInner, kwCross, kwLeft, kwRight,
		kwFull, kwSemi, kwAnti, kwNatural, kwUnion, kwExcept, kwIntersect, kwMinus, kwOrder, kwSort, kwCluster, kwDistribute, kwLimit,
		kwOffset, kwWindow, kwAggregate:
		return true
	}
	return false
}

// pipeAggregateCase names what the list of AGGREGATE cannot hold; "" if it is fine.
func pipeAggregateCase(list []expr.Expr) string {
	found := ""
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			switch f := x.(type) {
			case *expr.Window:
				found = "window functions; please update the query to move the window functions to a subsequent |> SELECT operator instead"
			case *expr.Func:
				if len(f.Name) == 1 && (strings.EqualFold(f.Name[0], "grouping") || strings.EqualFold(f.Name[0], "grouping_id")) {
					found = strings.ToUpper(f.Name[0])
				}
			}
			return found == ""
		})
	}
	return found
}
