package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// call makes a call by name whose text began at token start.
func (p *parser) call(start int, name string, args ...expr.Expr) *expr.Func {
	return &expr.Func{Name: []string{name}, Args: args, At: p.origin(start)}
}

// text makes a string literal.
func text(s string) *expr.Literal { return &expr.Literal{Value: s, T: types.String} }

// whole makes an INT literal.
func whole(n int32) *expr.Literal { return &expr.Literal{Value: n, T: types.Int} }

// namedExpression is an expression with an optional alias.
func (p *parser) namedExpression() expr.Expr {
	e := p.expression()
	switch {
	case p.kind() == kwAs && !p.closes(1):
		p.i++
		if p.kind() == tLeftParen {
			return &expr.MultiAlias{Child: e, Names: p.names()}
		}
		return expr.NewAlias(e, p.name())
	case p.kind() == tLeftParen && p.isName(1) && (p.at(2) == tComma || p.at(2) == tRightParen):
		return &expr.MultiAlias{Child: e, Names: p.names()}
	case p.isName(0) && !p.startsClause():
		return expr.NewAlias(e, p.name())
	}
	if f, ok := e.(*expr.Func); ok && f == p.path && p.pathName != "" {
		return expr.NewAlias(e, p.pathName)
	}
	return e
}

func (p *parser) namedExpressions() []expr.Expr {
	list := []expr.Expr{p.namedExpression()}
	for p.accept(tComma) {
		list = append(list, p.namedExpression())
	}
	return list
}

// expressions takes expressions separated by commas.
func (p *parser) expressions() []expr.Expr {
	list := []expr.Expr{p.expression()}
	for p.accept(tComma) {
		list = append(list, p.expression())
	}
	return list
}

// expression is a boolean expression: OR of ANDs of negations of predicates.
func (p *parser) expression() expr.Expr {
	p.enter()
	defer p.leave()
	start := p.i
	e := p.conjunction()
	if p.kind() != kwOr {
		return e
	}
	list := []expr.Expr{e}
	for p.accept(kwOr) {
		list = append(list, p.conjunction())
	}
	return p.balanced(start, "or", list)
}

func (p *parser) conjunction() expr.Expr {
	start := p.i
	e := p.negation()
	if p.kind() != kwAnd {
		return e
	}
	list := []expr.Expr{e}
	for p.accept(kwAnd) {
		list = append(list, p.negation())
	}
	return p.balanced(start, "and", list)
}

// balanced combines operands into a tree of small depth, with the shape that Spark gives it.
func (p *parser) balanced(start int, op string, list []expr.Expr) expr.Expr {
	at := p.origin(start)
	var build func(low, high int) expr.Expr
	build = func(low, high int) expr.Expr {
		if low == high {
			return list[low]
		}
		mid := low + (high-low)/2
		return &expr.Func{Name: []string{op}, Args: []expr.Expr{build(low, mid), build(mid+1, high)}, At: at}
	}
	return build(0, len(list)-1)
}

func (p *parser) negation() expr.Expr {
	start := p.i
	switch {
	case p.kind() == kwNot && !p.wordIsOperand(1), p.kind() == tBang:
		p.enter()
		defer p.leave()
		p.i++
		return p.call(start, "not", p.negation())
	case p.is(kwExists, tLeftParen) && p.queryAt(p.i+2):
		p.i += 2
		q := p.query()
		p.expect(tRightParen)
		return &expr.Subquery{Kind: expr.ExistsSubquery, Plan: q, At: p.origin(start)}
	}
	return p.predicate(start, p.value(0))
}

// wordIsOperand says whether the token n places on ends an operand or combines it, so that a keyword before it was a name.
func (p *parser) wordIsOperand(n int) bool {
	switch k := p.at(n); k {
	case tEOF, tRightParen, tComma, tSemicolon, tDot, tEq, tNotEq, tBangEq, tLess, tLessEq, tGreater, tGreaterEq, tNullSafeEq,
		tConcat, tSlash, tPercent, tRightBracket, kwFrom, kwAs, kwIs, tFatArrow, tArrow, tDoubleColon:
		return true
	}
	return false
}

// predicate takes what may follow a value: BETWEEN, IN, LIKE, IS …
func (p *parser) predicate(start int, v expr.Expr) expr.Expr {
	if p.closes(1) {
		return v
	}
	if p.kind() == kwIs {
		return p.isPredicate(start, v)
	}
	pred := p.i
	not := false
	if k := p.kind(); k == kwNot || k == tBang {
		switch p.at(1) {
		case kwBetween, kwIn, kwLike, kwIlike, kwRlike, kwRegexp:
			p.not()
			not = true
		default:
			return v
		}
	}
	var e expr.Expr
	switch p.kind() {
	case kwBetween:
		p.i++
		lo := p.value(0)
		p.expect(kwAnd)
		e = p.call(pred, "between", v, lo, p.value(0))
	case kwIn:
		p.i++
		e = p.inPredicate(pred, v)
	case kwRlike, kwRegexp:
		p.i++
		e = p.call(pred, "rlike", v, p.value(0))
	case kwLike, kwIlike:
		if k := p.at(1); (k == kwAll || k == kwAny || k == kwSome) && p.at(2) == tLeftParen {
			return p.likeMany(pred, v, not)
		}
		e = p.like(pred, v)
	default:
		return v
	}
	if not {
		e = p.call(pred, "not", e)
	}
	return e
}

// not takes NOT. The exclamation mark in its place is refused unless the session allows it.
func (p *parser) not() {
	if p.kind() == tBang && !p.o.BangIsNot {
		p.i++
		p.failAt(p.i-1, "SYNTAX_DISCONTINUED.BANG_EQUALS_NOT", "clause", "!")
	}
	if !p.accept(tBang) {
		p.expect(kwNot)
	}
}

// notAhead takes NOT or ! if it is next.
func (p *parser) notAhead() bool {
	if p.kind() != kwNot && p.kind() != tBang {
		return false
	}
	p.not()
	return true
}

func (p *parser) inPredicate(pred int, v expr.Expr) expr.Expr {
	p.expect(tLeftParen)
	if p.accept(tRightParen) {
		p.failAt(pred, "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE")
	}
	if p.queryAt(p.i) {
		q := p.query()
		p.expect(tRightParen)
		return &expr.Subquery{Kind: expr.InSubquery, Plan: q, Values: rowValues(v), At: p.origin(pred)}
	}
	list := append([]expr.Expr{v}, p.expressions()...)
	p.expect(tRightParen)
	return p.call(pred, "in", list...)
}

// rowValues are the fields of a row (a, b) or struct(a, b), or the value itself.
func rowValues(e expr.Expr) []expr.Expr {
	f, ok := e.(*expr.Func)
	if !ok || len(f.Name) != 1 || !strings.EqualFold(f.Name[0], "struct") && !f.Internal {
		return []expr.Expr{e}
	}
	out := make([]expr.Expr, 0, len(f.Args))
	for i, a := range f.Args {
		if f.Internal && i%2 == 0 {
			continue
		}
		if al, ok := a.(*expr.Alias); ok {
			a = al.Child
		}
		out = append(out, a)
	}
	return out
}

func (p *parser) like(pred int, v expr.Expr) expr.Expr {
	name := strings.ToLower(p.word(p.i))
	p.i++
	args := []expr.Expr{v, p.value(0)}
	if p.accept(kwEscape) {
		esc := p.stringLiteral()
		if len([]rune(esc)) != 1 {
			p.failAt(pred, "INVALID_ESC", "invalidEscape", "'"+esc+"'")
		}
		args = append(args, text(esc))
	}
	return p.call(pred, name, args...)
}

// likeMany is LIKE ALL/ANY/SOME (…): conditions joined by AND or OR.
func (p *parser) likeMany(pred int, v expr.Expr, not bool) expr.Expr {
	name := strings.ToLower(p.word(p.i))
	op := "or"
	if p.at(1) == kwAll {
		op = "and"
	}
	p.i += 2
	p.expect(tLeftParen)
	if p.accept(tRightParen) {
		p.failAt(pred, "_LEGACY_ERROR_TEMP_0064", "msg", "Expected something between '(' and ')'.")
	}
	list := p.expressions()
	p.expect(tRightParen)
	for i, e := range list {
		list[i] = p.call(pred, name, v, e)
		if not {
			list[i] = p.call(pred, "not", list[i])
		}
	}
	return p.balanced(pred, op, list)
}

func (p *parser) isPredicate(start int, v expr.Expr) expr.Expr {
	pred := p.i
	p.i++
	not := p.notAhead()
	var e expr.Expr
	switch p.kind() {
	case kwNull, kwUnknown:
		p.i++
		if not {
			return p.call(start, "isnotnull", v)
		}
		return p.call(start, "isnull", v)
	case kwTrue, kwFalse:
		p.i++
		e = p.call(pred, "<=>", v, &expr.Literal{Value: p.toks[p.i-1].kind == kwTrue, T: types.Boolean})
	case kwDistinct:
		p.i++
		p.expect(kwFrom)
		e = p.call(pred, "<=>", v, p.value(0))
		not = !not
	default:
		p.fail()
	}
	if not {
		e = p.call(pred, "not", e)
	}
	return e
}

// binary operators with their precedence; 0 is no operator.
func precedence(k kind) (int, string) {
	switch k {
	case tStar:
		return 7, "*"
	case tSlash:
		return 7, "/"
	case tPercent:
		return 7, "%"
	case kwDiv:
		return 7, "div"
	case tPlus:
		return 6, "+"
	case tMinus:
		return 6, "-"
	case tConcat:
		return 6, "concat"
	case tShiftLeft:
		return 5, "<<"
	case tShiftRight:
		return 5, ">>"
	case tShiftRightUnsigned:
		return 5, ">>>"
	case tAmpersand:
		return 4, "&"
	case tHat:
		return 3, "^"
	case tPipe:
		return 2, "|"
	case tEq:
		return 1, "="
	case tNotEq, tBangEq:
		return 1, "!="
	case tNullSafeEq:
		return 1, "<=>"
	case tLess:
		return 1, "<"
	case tLessEq:
		return 1, "<="
	case tGreater:
		return 1, ">"
	case tGreaterEq:
		return 1, ">="
	}
	return 0, ""
}

// value takes operands joined by operators that bind tighter than min; all operators group from the left.
func (p *parser) value(min int) expr.Expr {
	p.enter()
	start := p.i
	left := p.unary()
	for {
		prec, name := precedence(p.kind())
		if prec <= min || prec == 7 && p.kind() == kwDiv && p.closes(1) || prec == 2 && p.pipeWordAt(p.i+1) {
			p.leave()
			return left
		}
		p.i++
		right := p.value(prec)
		if name == "!=" {
			left = p.call(start, "not", p.call(start, "=", left, right))
			continue
		}
		left = p.call(start, name, left, right)
	}
}

// unary takes signs and ~; a minus before a number is the number's.
func (p *parser) unary() expr.Expr {
	var name string
	switch p.kind() {
	case tMinus:
		if k := p.at(1); k >= tInteger && k <= tBigDecimal {
			start := p.i
			return p.postfix(start, p.number())
		}
		name = expr.UnaryMinus
	case tPlus:
		name = "positive"
	case tTilde:
		name = "~"
	default:
		return p.operand()
	}
	p.enter()
	defer p.leave()
	start := p.i
	p.i++
	f := p.call(start, name, p.unary())
	f.Internal = name == expr.UnaryMinus
	return f
}

// operand takes a primary expression with what may follow it.
func (p *parser) operand() expr.Expr {
	start := p.i
	return p.postfix(start, p.primary())
}

// postfix takes what may follow an operand: COLLATE, ::type, :path, [index] and .field.
func (p *parser) postfix(start int, e expr.Expr) expr.Expr {
	for {
		switch p.kind() {
		case kwCollate:
			if p.closes(1) {
				return e
			}
			p.i++
			e = p.call(start, "collate", e, text(strings.Join(p.multipart(), ".")))
		case tDoubleColon:
			p.i++
			t := p.castType()
			e = &expr.Cast{Child: e, To: t, At: p.origin(start)}
		case tColon:
			p.i++
			e = p.jsonPath(start, e)
		case tLeftBracket:
			p.i++
			k := p.value(0)
			p.expect(tRightBracket)
			e = &expr.Extract{Child: e, Key: k, At: p.origin(start)}
		case tDot:
			p.i++
			e = p.field(start, e)
		default:
			return e
		}
	}
}

// field is e.name: a longer name, or a field of a value.
func (p *parser) field(start int, e expr.Expr) expr.Expr {
	name := p.identifier()
	if a, ok := e.(*expr.Attribute); ok {
		parts := append(a.Name[:len(a.Name):len(a.Name)], name)
		return &expr.Attribute{Name: parts, At: p.origin(start)}
	}
	return &expr.Extract{Child: e, Key: text(name), At: p.origin(start)}
}

// jsonPath is value:path into a VARIANT. As an item of a list it is named after the last part of the path.
func (p *parser) jsonPath(start int, e expr.Expr) expr.Expr {
	var path strings.Builder
	path.WriteByte('$')
	name := ""
	for first := true; ; first = false {
		switch {
		case p.kind() == tLeftBracket:
			p.i++
			switch p.kind() {
			case tInteger:
				path.WriteString("[" + p.word(p.i) + "]")
				p.i++
			case tString, tDouble:
				name = p.stringLiteral()
				path.WriteString("['" + name + "']")
			default:
				p.fail()
			}
			p.expect(tRightBracket)
		case first || p.accept(tDot):
			name = p.identifier()
			if plainWord(name) {
				path.WriteString("." + name)
			} else {
				path.WriteString("['" + name + "']")
			}
		default:
			f := p.call(start, "variant_get", e, text(path.String()), text("variant"))
			p.path, p.pathName = f, name
			return f
		}
	}
}
