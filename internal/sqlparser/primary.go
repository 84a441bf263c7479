package sqlparser

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// primary takes an operand without what may follow it.
func (p *parser) primary() expr.Expr {
	start := p.i
	k := p.kind()
	switch {
	case k >= tInteger && k <= tBigDecimal:
		return p.number()
	case p.isString(0):
		s := p.stringLiteral()
		return &expr.Literal{Value: s, T: types.String, At: p.origin(start)}
	}
	switch k {
	case tLeftParen:
		return p.parenthesized()
	case tStar:
		p.i++
		return p.star(start, nil)
	case tQuestion, tColon:
		if !p.isMarker() {
			p.i++
			p.fail()
		}
		return p.markerOrString()
	}
	if k >= firstKeyword {
		if e := p.keywordPrimary(k); e != nil {
			return e
		}
	}
	if p.isName(0) && p.isString(1) && !p.isClauseWord(k) {
		return p.typedLiteral()
	}
	return p.nameOrCall()
}

// isClauseWord says whether a keyword before a string is an operator rather than a type.
func (p *parser) isClauseWord(k kind) bool {
	switch k {
	case kwLike, kwIlike, kwRlike, kwRegexp, kwIn, kwAnd, kwOr, kwBetween, kwEscape:
		return true
	}
	return false
}

// markerOrString takes a parameter marker, and joins it with strings when its value is one.
func (p *parser) markerOrString() expr.Expr {
	if p.boundString() {
		start := p.i
		s := p.stringLiteral()
		return &expr.Literal{Value: s, T: types.String, At: p.origin(start)}
	}
	return p.marker()
}

// keywordPrimary takes the operands that begin with a keyword of their own; nil if the word is a plain name here.
func (p *parser) keywordPrimary(k kind) expr.Expr {
	start := p.i
	next := p.at(1)
	switch k {
	case kwNull:
		p.i++
		return &expr.Literal{T: types.Null, At: p.origin(start)}
	case kwTrue, kwFalse:
		p.i++
		return &expr.Literal{Value: k == kwTrue, T: types.Boolean, At: p.origin(start)}
	case kwCase:
		if !p.wordIsOperand(1) {
			return p.caseWhen()
		}
	case kwInterval:
		if p.intervalAhead() {
			return p.interval()
		}
	case kwDefault:
		if p.insertion && (p.closes(1) || next == kwFrom) {
			p.i++
			return &expr.Default{}
		}
	case kwCurrentDate, kwCurrentTimestamp, kwCurrentUser, kwCurrentTime, kwUser, kwSessionUser:
		// elsewhere these are names that the analyzer resolves to columns first
		if p.o.EnforceReservedKeywords {
			p.i++
			if p.accept(tLeftParen) {
				p.expect(tRightParen)
			}
			return p.call(start, strings.ToLower(p.word(start)))
		}
	}
	if next != tLeftParen {
		return nil
	}
	switch k {
	case kwCast, kwTryCast:
		return p.cast(k)
	case kwStruct:
		return p.structCall()
	case kwFirst, kwLast, kwAnyValue:
		return p.firstLast()
	case kwPosition:
		return p.position()
	case kwExtract:
		return p.extract()
	case kwSubstr, kwSubstring:
		return p.substring()
	case kwTrim:
		return p.trim()
	case kwOverlay:
		return p.overlay()
	case kwIdentifier:
		return p.identifierExpression()
	}
	return nil
}

// caseWhen takes CASE … END; both forms become the call when(condition, value, …, else).
func (p *parser) caseWhen() expr.Expr {
	start := p.i
	p.i++
	var subject expr.Expr
	if p.kind() != kwWhen {
		subject = p.expression()
	}
	var args []expr.Expr
	for p.kind() == kwWhen {
		at := p.i
		p.i++
		cond := p.expression()
		if subject != nil {
			cond = p.call(at+1, "=", subject, cond)
		}
		p.expect(kwThen)
		args = append(args, cond, p.expression())
	}
	if len(args) == 0 {
		p.failExpecting(kwWhen)
	}
	if p.accept(kwElse) {
		args = append(args, p.expression())
	}
	p.expect(kwEnd)
	return p.call(start, "when", args...)
}

func (p *parser) cast(k kind) expr.Expr {
	start := p.i
	p.i += 2
	if p.kind() == tRightParen || p.isName(0) && p.at(1) == tFatArrow {
		return p.arguments(start, []string{p.word(start)})
	}
	e := p.expression()
	if !p.accept(kwAs) {
		return p.moreArguments(start, []string{p.word(start)}, e)
	}
	t := p.castType()
	if !p.accept(tRightParen) {
		p.fail()
	}
	c := &expr.Cast{Child: e, To: t, At: p.origin(start)}
	if k == kwTryCast {
		c.Mode = expr.CastTry
	}
	return c
}

// castType is a type; CHAR and VARCHAR are strings in casts.
func (p *parser) castType() types.Type {
	t := p.dataType()
	if p.o.KeepCharTypes {
		return t
	}
	return withoutChar(t)
}

// withoutChar replaces CHAR and VARCHAR by STRING at any depth.
func withoutChar(t types.Type) types.Type {
	switch t.Kind {
	case types.StringKind:
		t.Char, t.Length = 0, 0
	case types.ArrayKind:
		return types.Array(withoutChar(t.Elem()), t.ContainsNull())
	case types.MapKind:
		return types.Map(withoutChar(t.Key()), withoutChar(t.Elem()), t.ContainsNull())
	case types.StructKind:
		fields := append([]types.Field(nil), t.Fields()...)
		for i := range fields {
			fields[i].Type = withoutChar(fields[i].Type)
		}
		return types.Struct(fields...)
	}
	return t
}

func (p *parser) structCall() expr.Expr {
	start := p.i
	p.i += 2
	var args []expr.Expr
	if p.kind() != tRightParen {
		args = p.namedExpressions()
	}
	p.expect(tRightParen)
	return p.windowed(start, p.call(start, "struct", args...))
}

// firstLast takes FIRST(e IGNORE NULLS) and its like; other forms are plain calls.
func (p *parser) firstLast() expr.Expr {
	start := p.i
	name := strings.ToLower(p.word(p.i))
	p.i += 2
	if p.kind() == tRightParen || p.kind() == kwDistinct || p.kind() == kwAll && !p.wordIsOperand(1) || p.isName(0) && p.at(1) == tFatArrow {
		return p.arguments(start, []string{name})
	}
	e := p.expression()
	if p.accepts(kwIgnore, kwNulls, tRightParen) {
		f := p.call(start, name, e)
		f.IgnoreNulls = true
		return p.windowed(start, f)
	}
	return p.moreArguments(start, []string{name}, e)
}

func (p *parser) position() expr.Expr {
	start := p.i
	p.i += 2
	if p.kind() == tRightParen || p.isName(0) && p.at(1) == tFatArrow {
		return p.arguments(start, []string{"position"})
	}
	// IN belongs to POSITION, so its left side is a value
	e := p.value(0)
	if !p.accept(kwIn) {
		return p.moreArguments(start, []string{"position"}, e)
	}
	s := p.value(0)
	p.expect(tRightParen)
	return p.call(start, "locate", e, s, whole(1))
}

func (p *parser) extract() expr.Expr {
	start := p.i
	if !p.isName(2) || p.at(3) != kwFrom {
		if p.isName(2) && p.at(3) == tLeftParen && p.at(2) == kwIdentifier {
			p.i += 2
			p.fail()
		}
		return nil
	}
	p.i += 2
	field := p.anyWord()
	p.expect(kwFrom)
	e := p.value(0)
	p.expect(tRightParen)
	return p.call(start, "extract", text(field), e)
}

func (p *parser) substring() expr.Expr {
	start := p.i
	name := strings.ToLower(p.word(p.i))
	p.i += 2
	if p.kind() == tRightParen || p.isName(0) && p.at(1) == tFatArrow {
		return p.arguments(start, []string{name})
	}
	s := p.expression()
	if !p.accept(kwFrom) {
		return p.moreArguments(start, []string{name}, s)
	}
	args := []expr.Expr{s, p.value(0), whole(1<<31 - 1)}
	if p.accept(kwFor) || p.accept(tComma) {
		args[2] = p.value(0)
	}
	p.expect(tRightParen)
	return p.call(start, "substring", args...)
}

// trim takes TRIM([BOTH|LEADING|TRAILING] [chars] FROM text) as trim, ltrim or rtrim of (chars, text).
func (p *parser) trim() expr.Expr {
	start := p.i
	p.i += 2
	name := "trim"
	option, given := p.kind(), false
	if (option == kwBoth || option == kwLeading || option == kwTrailing) && (p.at(1) == kwFrom || !p.wordIsOperand(1)) {
		given = true
		p.i++
	}
	switch {
	case !given:
	case option == kwLeading:
		name = "ltrim"
	case option == kwTrailing:
		name = "rtrim"
	}
	if p.kind() == kwFrom && p.at(1) != tComma && p.at(1) != tRightParen {
		p.i++
		s := p.value(0)
		p.expect(tRightParen)
		return p.call(start, name, s)
	}
	if !given && (p.kind() == tRightParen || p.isName(0) && p.at(1) == tFatArrow) {
		return p.arguments(start, []string{"trim"})
	}
	chars := p.expression()
	if p.accept(kwFrom) {
		s := p.value(0)
		p.expect(tRightParen)
		return p.call(start, name, chars, s)
	}
	if given {
		p.failExpecting(kwFrom)
	}
	return p.moreArguments(start, []string{"trim"}, chars)
}

func (p *parser) overlay() expr.Expr {
	start := p.i
	p.i += 2
	if p.kind() == tRightParen || p.isName(0) && p.at(1) == tFatArrow {
		return p.arguments(start, []string{"overlay"})
	}
	s := p.expression()
	if !p.accept(kwPlacing) {
		return p.moreArguments(start, []string{"overlay"}, s)
	}
	args := []expr.Expr{s, p.value(0), nil, whole(-1)}
	p.expect(kwFrom)
	args[2] = p.value(0)
	if p.accept(kwFor) {
		args[3] = p.value(0)
	}
	p.expect(tRightParen)
	return p.call(start, "overlay", args...)
}

// identifierExpression is IDENTIFIER(e) as a column, or as a function when arguments follow.
func (p *parser) identifierExpression() expr.Expr {
	start := p.i
	p.i += 2
	e := p.expression()
	p.expect(tRightParen)
	var name []string
	if s, ok := foldText(e); ok {
		name = p.constantName(start, s)
		for p.kind() == tDot && p.at(1) != tStar {
			p.i++
			name = p.namePart(name)
		}
		if p.accepts(tDot, tStar) {
			return p.star(start, name)
		}
	}
	if p.accept(tLeftParen) {
		f := p.arguments(start, name)
		if name != nil {
			return f
		}
		return identifierCall(e, f)
	}
	if name != nil {
		return &expr.Attribute{Name: name, At: p.origin(start)}
	}
	return &expr.Identifier{Child: e, At: p.origin(start)}
}

// foldText is the text of a constant that is a string or joins strings.
func foldText(e expr.Expr) (string, bool) {
	switch x := e.(type) {
	case *expr.Literal:
		s, ok := x.Value.(string)
		return s, ok
	case *expr.Func:
		if len(x.Name) != 1 || !strings.EqualFold(x.Name[0], "concat") || x.Distinct || x.Filter != nil {
			return "", false
		}
		all := ""
		for _, a := range x.Args {
			s, ok := foldText(a)
			if !ok {
				return "", false
			}
			all += s
		}
		return all, true
	}
	return "", false
}

// constantName parses the text of an IDENTIFIER clause; its errors are those of that text.
func (p *parser) constantName(start int, s string) []string {
	if types.TrimAll(s) == "" {
		p.failAt(start, "PARSE_EMPTY_STATEMENT")
	}
	parts, err := ParseIdentifier(s)
	if e, ok := sparkerr.As(err); ok {
		e.Context = p.context(start)
		panic(bailout{e})
	}
	return parts
}

// identifierCall puts IDENTIFIER(e) in the place of the function of a call, below OVER if there is one.
func identifierCall(e, call expr.Expr) expr.Expr {
	switch c := call.(type) {
	case *expr.Func:
		return &expr.Identifier{Child: e, Call: c, At: c.At}
	case *expr.Window:
		w := *c
		w.Func = identifierCall(e, c.Func)
		return &w
	}
	return call
}

// star is * or name.*, with EXCEPT.
func (p *parser) star(start int, target []string) expr.Expr {
	s := &expr.Star{Target: target}
	if p.is(kwExcept, tLeftParen) && !p.queryAt(p.i+2) {
		p.i += 2
		s.Except = p.multiparts()
		p.expect(tRightParen)
	}
	s.At = p.origin(start)
	return s
}

// parenthesized takes a subquery, a row, a lambda with several parameters or an expression.
func (p *parser) parenthesized() expr.Expr {
	start := p.i
	if m := p.toks[p.i].match; m > 0 && int(m)+1 < len(p.toks) && p.toks[m+1].kind == tArrow && p.isName(1) {
		p.i++
		params := []*expr.LambdaVar{{Name: p.identifier()}}
		for p.accept(tComma) {
			params = append(params, &expr.LambdaVar{Name: p.identifier()})
		}
		p.expect(tRightParen, tArrow)
		return &expr.Lambda{Params: params, Body: p.expression()}
	}
	if p.queryAt(p.i + 1) {
		p.i++
		q := p.query()
		p.expect(tRightParen)
		return &expr.Subquery{Kind: expr.ScalarSubquery, Plan: q, At: p.origin(start)}
	}
	p.i++
	list := p.namedExpressions()
	if len(list) > 1 {
		p.expect(tRightParen)
		return p.row(start, list)
	}
	e := list[0]
	if a, named := e.(*expr.Alias); named {
		if a.Child != expr.Expr(p.path) || p.path == nil || a.Name != p.pathName {
			p.fail() // a name only goes with a row
		}
		e = a.Child
	}
	p.expect(tRightParen)
	return e
}

// row is (a, b, …): a struct whose fields are named after the columns they are, or by position.
func (p *parser) row(start int, list []expr.Expr) expr.Expr {
	args := make([]expr.Expr, 0, 2*len(list))
	for i, e := range list {
		name := "col" + strconv.Itoa(i+1)
		switch x := e.(type) {
		case *expr.Attribute:
			name = x.Name[len(x.Name)-1]
		case *expr.Alias:
			name, e = x.Name, x.Child
		}
		args = append(args, text(name), e)
	}
	f := p.call(start, "named_struct", args...)
	f.Internal = true // tells it from a call that the user wrote
	return f
}

// nameOrCall takes a column, a lambda with one parameter, or a function call.
func (p *parser) nameOrCall() expr.Expr {
	start := p.i
	if !p.isName(0) && !((p.kind() == kwFilter || p.kind() == kwLeft || p.kind() == kwRight) && p.at(1) == tLeftParen) {
		p.fail()
	}
	if p.at(1) == tArrow {
		v := &expr.LambdaVar{Name: p.identifier()}
		p.i++
		return &expr.Lambda{Params: []*expr.LambdaVar{v}, Body: p.expression()}
	}
	name := []string{p.anyWord()}
	for p.kind() == tDot {
		if p.at(1) == tStar {
			p.i += 2
			return p.star(start, name)
		}
		p.i++
		name = append(name, p.identifier())
	}
	if p.kind() == tLeftParen {
		p.i++
		return p.arguments(start, name)
	}
	return &expr.Attribute{Name: name, At: p.origin(start)}
}
