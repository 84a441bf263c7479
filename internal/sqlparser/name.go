package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
)

// isName says whether token n places on may be a name.
func (p *parser) isName(n int) bool { return p.at(n).isIdentifier(p.o) }

// identifier takes one name.
func (p *parser) identifier() string {
	if p.is(kwIdentifier, tLeftParen, tString) {
		return p.identifierClause()
	}
	if !p.isName(0) {
		p.fail()
	}
	return p.anyWord()
}

// identifierClause is IDENTIFIER('name') where one name is wanted.
func (p *parser) identifierClause() string {
	start := p.i
	p.i += 2
	text := p.stringLiteral()
	p.expect(tRightParen)
	parts := p.constantName(start, text)
	if len(parts) != 1 {
		p.failAt(start, "IDENTIFIER_TOO_MANY_NAME_PARTS", "identifier", quoteParts(parts), "limit", "1")
	}
	return parts[0]
}

// anyWord takes the current token as a name, whatever word it is, and checks its characters.
func (p *parser) anyWord() string {
	t := &p.toks[p.i]
	text := p.text[t.start:t.end]
	switch t.kind {
	case tQuoted:
		p.i++
		text = text[1 : len(text)-1]
		if strings.Contains(text, "``") {
			text = strings.ReplaceAll(text, "``", "`")
		}
		return text
	case tDouble:
		p.i++
		return strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	case tIdent:
		if !plainWord(text) {
			p.failWith("INVALID_IDENTIFIER", "ident", text)
		}
	}
	p.i++
	return text
}

func plainWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '_' {
			return false
		}
	}
	return true
}

// name is identifier where a-b is a likely mistake: it is reported as such.
func (p *parser) name() string {
	start := p.i
	s := p.identifier()
	if p.kind() == tMinus && p.isName(1) {
		for p.kind() == tMinus && p.isName(1) {
			p.i += 2
		}
		text := p.source(start)
		panic(bailout{p.syntax("INVALID_IDENTIFIER", &p.toks[start], "ident", text)})
	}
	return s
}

// multipart takes a qualified name: a.b.c.
func (p *parser) multipart() []string {
	parts := p.namePart(nil)
	for p.kind() == tDot {
		p.i++
		parts = p.namePart(parts)
	}
	return parts
}

// namePart appends a name, or the parts of an IDENTIFIER clause.
func (p *parser) namePart(parts []string) []string {
	if p.is(kwIdentifier, tLeftParen, tString) {
		start := p.i
		p.i += 2
		text := p.stringLiteral()
		p.expect(tRightParen)
		return append(parts, p.constantName(start, text)...)
	}
	return append(parts, p.name())
}

// multiparts takes a list of qualified names.
func (p *parser) multiparts() [][]string {
	list := [][]string{p.multipart()}
	for p.accept(tComma) {
		list = append(list, p.multipart())
	}
	return list
}

// reference takes the name of a table, function or database: a qualified name, or IDENTIFIER(expression).
// One of the results is set.
func (p *parser) reference() ([]string, expr.Expr) {
	if p.is(kwIdentifier, tLeftParen) {
		start := p.i
		p.i += 2
		e := p.expression()
		p.expect(tRightParen)
		if s, ok := foldText(e); ok {
			parts := p.constantName(start, s)
			for p.accept(tDot) {
				parts = p.namePart(parts)
			}
			return parts, nil
		}
		return nil, e
	}
	return p.multipart(), nil
}

// names takes (a, b, …).
func (p *parser) names() []string {
	p.expect(tLeftParen)
	list := p.nameSeq()
	p.expect(tRightParen)
	return list
}

func (p *parser) nameSeq() []string {
	list := []string{p.name()}
	for p.accept(tComma) {
		list = append(list, p.name())
	}
	return list
}

// strictName takes a name that may be a table alias.
func (p *parser) strictName() string {
	if !p.kind().isStrictIdentifier(p.o) {
		p.fail()
	}
	return p.identifier()
}

// closes says whether the token n places on ends a list or a query, so that a word before it must be a name.
func (p *parser) closes(n int) bool {
	switch p.at(n) {
	case tEOF, tRightParen, tComma, tSemicolon:
		return true
	}
	return false
}

// startsClause says whether the current word begins a clause rather than being an alias.
func (p *parser) startsClause() bool {
	next := p.at(1)
	switch p.kind() {
	case kwWhere, kwHaving, kwLimit, kwOffset, kwQualify, kwFrom, kwSelect, kwUnion, kwExcept, kwIntersect, kwMinus,
		kwFor, kwSet, kwOn, kwWatermark, kwInto, kwThen, kwWhen:
		return !p.closes(1)
	case kwGroup, kwOrder, kwSort, kwCluster, kwDistribute, kwPartition:
		return next == kwBy && !p.closes(2)
	case kwWindow:
		return p.isName(1) && p.at(2) == kwAs
	case kwLateral:
		return next == kwView
	case kwTablesample:
		return next == tLeftParen || next == kwBernoulli || next == kwSystem
	case kwPivot:
		return next == tLeftParen
	case kwUnpivot:
		return next == tLeftParen || next == kwInclude || next == kwExclude
	case kwVersion, kwTimestamp, kwSystemVersion, kwSystemTime:
		return next == kwAs && p.at(2) == kwOf
	case kwWith:
		return next == tLeftParen || next == kwRollup || next == kwCube || next == kwSchema
	case kwGrouping:
		return next == kwSets
	case kwInsert:
		return next == kwInto || next == kwOverwrite || next == kwWith
	case kwReplace:
		return next == kwWhere || next == kwOn || next == kwUsing
	case kwMap, kwReduce:
		return !p.closes(1)
	case kwChanges:
		return next == kwFrom
	case kwIdentified, kwBy:
		return next == kwBy || next == kwName
	case kwApprox, kwExact:
		return next == kwNearest
	case kwUsing:
		return !p.closes(1)
	}
	return false
}

// quoteParts prints a qualified name with back-ticks.
func quoteParts(parts []string) string {
	q := make([]string, len(parts))
	for i, s := range parts {
		q[i] = "`" + strings.ReplaceAll(s, "`", "``") + "`"
	}
	return strings.Join(q, ".")
}
