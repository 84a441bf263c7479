package sqlparser

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// transformAhead says whether SELECT TRANSFORM (…) USING, MAP … USING or REDUCE … USING begins here.
func (p *parser) transformAhead() bool {
	switch p.kind() {
	case kwSelect:
		if !p.is(kwSelect, kwTransform, tLeftParen) {
			return false
		}
		m := p.toks[p.i+2].match
		if m < 0 {
			return false
		}
		switch p.toks[m+1].kind {
		case kwUsing, kwRow, kwRecordwriter:
			return true
		}
	case kwMap, kwReduce:
		return p.queryWordAt(p.i)
	}
	return false
}

// transform takes a script transformation: the clause that names the script, then the clauses of a query block.
func (p *parser) transformQuery(from logical.Plan) logical.Plan {
	start := p.i
	s := &logical.ScriptTransform{}
	list, quantified := p.transformInput()
	var wrong, wrongOut string
	if p.is(kwRow, kwFormat) {
		s.In, wrong = p.rowFormatClause()
	}
	if p.accept(kwRecordwriter) {
		s.Writer = p.stringLiteral()
	}
	p.expect(kwUsing)
	s.Script = p.stringLiteral()
	if p.accept(kwAs) {
		p.transformOutput(s)
	}
	if p.is(kwRow, kwFormat) {
		s.Out, wrongOut = p.rowFormatClause()
	}
	if p.accept(kwRecordreader) {
		s.Reader = p.stringLiteral()
	}
	s.At = p.origin(start)
	s.Child = p.blockTail(from, list, false)
	switch {
	case quantified:
		p.failAt(start, "UNSUPPORTED_FEATURE.TRANSFORM_DISTINCT_ALL")
	case s.Writer != "" || s.Reader != "":
		p.failAt(start, "_LEGACY_ERROR_TEMP_0048")
	case wrong != "":
		p.wrongLines(start, wrong)
	case wrongOut != "":
		p.wrongLines(start, wrongOut)
	}
	return s
}

// transformInput takes TRANSFORM(list), MAP list or REDUCE list. ALL and DISTINCT before the list are an error to report.
func (p *parser) transformInput() (list []expr.Expr, quantified bool) {
	paren := p.kind() == kwSelect
	p.i++
	if paren {
		p.i += 2
	}
	if k := p.kind(); (k == kwDistinct || k == kwAll) && !p.wordIsOperand(1) {
		p.i++
		quantified = true
	}
	list = p.expressions()
	if paren {
		p.expect(tRightParen)
	}
	return list, quantified
}

// transformOutput takes the output columns, with or without types, with or without parentheses.
func (p *parser) transformOutput(s *logical.ScriptTransform) {
	s.Given = true
	paren := p.accept(tLeftParen)
	if p.at(1) == tComma || p.at(1) == tRightParen || p.closes(1) || !paren && !p.isName(1) || p.at(1) == kwFrom || p.at(1) == kwRow {
		s.Names = p.nameSeq()
	} else {
		s.Columns = p.columnTypes()
	}
	if paren {
		p.expect(tRightParen)
	}
}
