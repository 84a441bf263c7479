package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
)

// arguments takes the arguments of a call up to the closing parenthesis (the opening one is taken), and what may follow.
func (p *parser) arguments(start int, name []string) expr.Expr {
	f := &expr.Func{Name: name}
	if k := p.kind(); (k == kwDistinct || k == kwAll) && !p.wordIsOperand(1) && p.at(1) != tPlus && p.at(1) != tMinus {
		f.Distinct = k == kwDistinct
		p.i++
	}
	if p.kind() != tRightParen {
		f.Args = append(f.Args, p.argument())
		return p.finishArguments(start, f)
	}
	p.i++
	return p.finishCall(start, f)
}

// moreArguments is arguments when the first one is taken.
func (p *parser) moreArguments(start int, name []string, first expr.Expr) expr.Expr {
	return p.finishArguments(start, &expr.Func{Name: name, Args: []expr.Expr{first}})
}

func (p *parser) finishArguments(start int, f *expr.Func) expr.Expr {
	for p.accept(tComma) {
		f.Args = append(f.Args, p.argument())
	}
	p.expect(tRightParen)
	return p.finishCall(start, f)
}

// argument is an expression or name => expression.
func (p *parser) argument() expr.Expr {
	if p.isName(0) && p.at(1) == tFatArrow {
		name := p.identifier()
		p.i++
		if p.kind() == kwTable && p.tableArgumentAhead() {
			return &expr.NamedArg{Name: name, Value: p.tableArgument()}
		}
		return &expr.NamedArg{Name: name, Value: p.expression()}
	}
	if p.kind() == kwTable && p.tableArgumentAhead() {
		return p.tableArgument()
	}
	return p.expression()
}

// finishCall takes WITHIN GROUP, FILTER, IGNORE NULLS and OVER, and lowers the calls that have a syntax of their own.
func (p *parser) finishCall(start int, f *expr.Func) expr.Expr {
	if p.is(kwWithin, kwGroup) {
		p.i += 2
		p.expect(tLeftParen, kwOrder, kwBy)
		f.Order = p.sortItems()
		f.Within = true
		p.expect(tRightParen)
	}
	if p.is(kwFilter, tLeftParen) {
		p.i += 2
		p.expect(kwWhere)
		f.Filter = p.expression()
		p.expect(tRightParen)
	}
	if p.is(kwIgnore, kwNulls) || p.is(kwRespect, kwNulls) {
		f.IgnoreNulls = p.kind() == kwIgnore
		p.i += 2
	}
	f.At = p.origin(start)
	return p.windowed(start, p.lower(start, f))
}

// windowed takes OVER if it follows.
func (p *parser) windowed(start int, f expr.Expr) expr.Expr {
	if p.kind() != kwOver || p.at(1) != tLeftParen && !p.isName(1) || p.closes(1) {
		return f
	}
	p.i++
	w := &expr.Window{Func: f, Spec: p.windowSpec()}
	w.At = p.origin(start)
	return w
}

// lower rewrites calls that Spark's parser rewrites: count(*) and the date arithmetic with units.
func (p *parser) lower(start int, f *expr.Func) expr.Expr {
	if len(f.Name) != 1 {
		return f
	}
	if !f.Distinct && len(f.Args) == 1 && strings.EqualFold(f.Name[0], "count") {
		if s, ok := f.Args[0].(*expr.Star); ok && len(s.Target) == 0 && len(s.Except) == 0 {
			f.Args[0] = whole(1)
		}
		return f
	}
	if len(f.Args) != 3 {
		return f
	}
	name := ""
	switch p.toks[start].kind {
	case kwTimestampadd, kwDateadd, kwDateAdd:
		name = "timestampadd"
	case kwTimestampdiff, kwDatediff, kwDateDiff, kwTimediff:
		name = "timestampdiff"
	default:
		return f
	}
	switch a := f.Args[0].(type) {
	case *expr.Attribute:
		if len(a.Name) == 1 && isDatetimeUnit(a.Name[0]) {
			f.Name = []string{name}
			f.Args[0] = text(a.Name[0])
		}
	case *expr.Literal:
		if s, ok := a.Value.(string); ok {
			p.failAt(start, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`"+p.word(start)+"`", "parameter", "`unit`",
				"invalidValue", "'"+s+"'")
		}
	}
	return f
}

func isDatetimeUnit(s string) bool {
	switch strings.ToUpper(s) {
	case "DAY", "DAYOFYEAR", "HOUR", "MICROSECOND", "MILLISECOND", "MINUTE", "MONTH", "QUARTER", "SECOND", "WEEK", "YEAR":
		return true
	}
	return false
}

// sortItems takes the list of an ORDER BY.
func (p *parser) sortItems() []expr.SortOrder {
	list := []expr.SortOrder{p.sortItem()}
	for p.accept(tComma) {
		list = append(list, p.sortItem())
	}
	return list
}

func (p *parser) sortItem() expr.SortOrder {
	o := expr.SortOrder{Child: p.expression()}
	if p.accept(kwDesc) {
		o.Desc = true
	} else {
		p.accept(kwAsc)
	}
	o.NullsFirst = !o.Desc
	if p.kind() == kwNulls && (p.at(1) == kwFirst || p.at(1) == kwLast) {
		o.NullsFirst = p.at(1) == kwFirst
		p.i += 2
	}
	return o
}

// windowSpec takes a window's name, or its definition in parentheses.
func (p *parser) windowSpec() expr.WindowSpec {
	var s expr.WindowSpec
	if p.kind() != tLeftParen {
		s.Ref = p.name()
		return s
	}
	p.i++
	if p.isName(0) && p.at(1) == tRightParen {
		s.Ref = p.name()
		p.i++
		return s
	}
	switch {
	case p.accepts(kwCluster, kwBy):
		s.Partition = p.expressions()
	case p.is(kwPartition, kwBy), p.is(kwDistribute, kwBy):
		p.i += 2
		s.Partition = p.expressions()
		fallthrough
	default:
		if p.is(kwOrder, kwBy) || p.is(kwSort, kwBy) {
			p.i += 2
			s.Order = p.sortItems()
		}
	}
	p.frame(&s)
	p.expect(tRightParen)
	return s
}

func (p *parser) frame(s *expr.WindowSpec) {
	switch {
	case p.accept(kwRange):
		s.Unit = expr.Range
	case p.accept(kwRows):
		s.Unit = expr.Rows
	default:
		return
	}
	s.Upper = expr.Bound{Kind: expr.CurrentRow}
	if !p.accept(kwBetween) {
		s.Lower = p.bound()
		return
	}
	s.Lower = p.bound()
	p.expect(kwAnd)
	s.Upper = p.bound()
}

// bound takes one end of a frame. The operand of BETWEEN … AND is a value, so that its AND is the frame's.
func (p *parser) bound() expr.Bound {
	switch {
	case p.accepts(kwUnbounded, kwPreceding):
		return expr.Bound{Kind: expr.UnboundedPreceding}
	case p.accepts(kwUnbounded, kwFollowing):
		return expr.Bound{Kind: expr.UnboundedFollowing}
	case p.accepts(kwCurrent, kwRow):
		return expr.Bound{Kind: expr.CurrentRow}
	}
	e := p.value(0)
	switch {
	case p.accept(kwPreceding):
		return expr.Bound{Kind: expr.Preceding, Offset: e}
	case p.accept(kwFollowing):
		return expr.Bound{Kind: expr.Following, Offset: e}
	}
	p.fail()
	return expr.Bound{}
}
