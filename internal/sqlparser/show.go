package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/logical"
)

// show takes SHOW of anything.
func (p *parser) show() logical.Plan {
	start := p.i
	p.i++
	switch p.kind() {
	case kwDatabases, kwSchemas, kwNamespaces:
		p.i++
		s := &logical.ShowNamespaces{}
		if k := p.kind(); k == kwFrom || k == kwIn {
			p.i++
			s.In = p.multipart()
		}
		s.Pattern = p.likePattern()
		return s
	case kwTables:
		p.i++
		s := &logical.ShowTables{Target: p.inNamespace()}
		s.Pattern = p.likePattern()
		return s
	case kwTable:
		p.i++
		return p.showExtended()
	case kwViews:
		p.i++
		s := &logical.ShowViews{Target: p.inNamespace()}
		s.Pattern = p.likePattern()
		return s
	case kwColumns:
		return p.showColumns()
	case kwPartitions:
		p.i++
		return &logical.ShowPartitions{Target: p.target(), Partition: p.partitionAhead(false)}
	case kwCreate:
		p.i++
		p.expect(kwTable)
		s := &logical.ShowCreateTable{Target: p.target()}
		if p.accept(kwAs) {
			p.expect(kwSerde)
			s.AsSerde = true
		}
		return s
	case kwTblproperties:
		p.i++
		return p.showProperties()
	case kwCurrent:
		if p.at(1) == kwRoles {
			p.i = start
			p.hiveStatement(3)
		}
		p.i++
		if !p.isNamespaceWord() {
			p.fail()
		}
		p.i++
		return &logical.ShowCurrentNamespace{}
	case kwCatalogs:
		p.i++
		return &logical.ShowCatalogs{Pattern: p.likePattern()}
	case kwCollations:
		p.i++
		return &logical.ShowCollations{Pattern: p.likePattern()}
	case kwProcedures:
		p.i++
		return &logical.ShowProcedures{Target: p.inNamespace()}
	case kwGrant, kwRole, kwPrincipals, kwRoles, kwCompactions, kwTransactions, kwIndexes, kwLocks:
		p.i = start
		p.hiveStatement(2)
	}
	return p.showFunctions(start)
}

func (p *parser) showExtended() logical.Plan {
	p.expect(kwExtended)
	s := &logical.ShowTables{Extended: true}
	if k := p.kind(); k == kwFrom || k == kwIn {
		p.i++
		s.Target = p.target()
	}
	p.expect(kwLike)
	pattern := p.stringLiteral()
	s.Pattern = &pattern
	s.Partition = p.partitionAhead(false)
	return s
}

func (p *parser) showColumns() logical.Plan {
	p.i++
	if k := p.kind(); k != kwFrom && k != kwIn {
		p.fail()
	}
	p.i++
	s := &logical.ShowColumns{Target: p.target()}
	if k := p.kind(); k == kwFrom || k == kwIn {
		p.i++
		s.In = p.multipart()
	}
	return s
}

func (p *parser) showProperties() logical.Plan {
	s := &logical.ShowProperties{Target: p.target()}
	if p.accept(tLeftParen) {
		key := p.propertyKey()
		for p.isString(0) {
			key += p.oneString()
		}
		s.Key = &key
		p.expect(tRightParen)
	}
	return s
}

// showFunctions takes [USER|SYSTEM|ALL] FUNCTIONS [IN database] [LIKE 'pattern' | name].
func (p *parser) showFunctions(start int) logical.Plan {
	s := &logical.ShowFunctions{User: true, System: true}
	scope := ""
	if p.kind() != kwFunctions || p.at(1) == kwFunctions {
		if !p.isName(0) {
			p.fail()
		}
		scope = strings.ToUpper(p.anyWord())
		s.User, s.System = scope != "SYSTEM", scope != "USER"
	}
	if p.kind() == tEOF {
		p.expectMissing(kwFunctions)
	}
	p.expect(kwFunctions)
	if scope != "" && scope != "ALL" && scope != "USER" && scope != "SYSTEM" {
		p.skipQuery()
		p.failAt(start, "INVALID_SQL_SYNTAX.SHOW_FUNCTIONS_INVALID_SCOPE", "scope", "`"+p.word(start+1)+"`")
	}
	s.Target = p.inNamespace()
	switch {
	case p.kind() == kwLike && !p.isString(1), p.isName(0) && !p.isString(0) && p.kind() != kwLike:
		p.accept(kwLike)
		s.Function = p.multipart()
	default:
		s.Pattern = p.likePattern()
	}
	return s
}

// describe takes DESC and DESCRIBE of anything.
func (p *parser) describe() logical.Plan {
	p.i++
	switch {
	case p.kind() == kwFunction && !p.closes(1) && p.at(1) != tDot:
		return p.describeFunction()
	case p.isNamespaceWord() && !p.closes(1) && p.at(1) != tDot:
		p.i++
		d := &logical.DescribeNamespace{}
		d.Extended = p.kind() == kwExtended && p.isName(1) && p.accept(kwExtended)
		d.Target = p.target()
		return d
	case p.kind() == kwProcedure && p.isName(1):
		p.unsupported(p.i, "DESCRIBE PROCEDURE")
	case p.kind() == kwQuery && !p.closes(1) && p.at(1) != tDot:
		p.i++
		return &logical.DescribeQuery{Query: p.query()}
	case p.queryAt(p.i) && p.kind() != kwTable:
		return &logical.DescribeQuery{Query: p.query()}
	}
	return p.describeTable()
}

func (p *parser) describeFunction() logical.Plan {
	p.i++
	d := &logical.DescribeFunction{}
	if p.kind() == kwExtended && !p.closes(1) {
		p.i++
		d.Extended = true
	}
	start := p.i
	switch k := p.kind(); {
	case p.isString(0):
		d.Name = []string{p.stringLiteral()}
	case p.isOperator(k):
		p.i++
		d.Name = []string{strings.ToLower(p.word(start))}
	default:
		d.Target = p.target()
		return d
	}
	d.At = p.origin(start)
	return d
}

// isOperator says whether a token is an operator that has a row in the function table.
func (p *parser) isOperator(k kind) bool {
	prec, _ := precedence(k)
	return prec > 0 || k == tTilde || k == tBang || (k == kwAnd || k == kwIn || k == kwNot || k == kwOr) && p.closes(1)
}

// describeTable takes [TABLE] [EXTENDED|FORMATTED] name [PARTITION (…)] [column] [AS JSON].
func (p *parser) describeTable() logical.Plan {
	start := p.i - 1
	if p.kind() == kwTable && !p.closes(1) {
		p.i++
	}
	d := &logical.DescribeTable{}
	if k := p.kind(); (k == kwExtended || k == kwFormatted) && p.isName(1) && p.at(1) != kwAs {
		d.Extended = true
		p.i++
	}
	d.Target = p.target()
	d.Partition = p.partitionAhead(true)
	if p.isName(0) && !p.is(kwAs, kwJson) {
		d.Column = []string{p.name()}
		for p.accept(tDot) {
			d.Column = append(d.Column, p.name())
		}
	}
	if p.accepts(kwAs, kwJson) {
		d.JSON = true
		if !d.Extended {
			p.failAt(start, "DESCRIBE_JSON_NOT_EXTENDED")
		}
	}
	if d.Column != nil && d.Partition != nil {
		p.failAt(start, "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_PARTITION")
	}
	if d.JSON && d.Column != nil {
		p.failAt(start, "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_JSON")
	}
	return d
}
