package sqlparser

import (
	"strconv"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// insert takes INSERT … with its query.
func (p *parser) insert(w *logical.With) logical.Plan {
	in := p.insertTarget()
	p.insertion = true
	var q logical.Plan
	if p.kind() == tLeftParen && !p.queryAt(p.i) {
		p.i++
		q = p.query()
		p.expect(tRightParen)
		q = p.aliased(q)
	} else {
		q = p.query()
	}
	p.insertion = false
	p.setInput(in, wrapped(w, q))
	return in
}

// setInput gives an insert its rows.
func (p *parser) setInput(in, query logical.Plan) {
	switch x := in.(type) {
	case *logical.InsertInto:
		x.Query = query
	case *logical.WriteFiles:
		x.Query = query
	}
}

// insertTarget takes INSERT up to its query: an InsertInto, or a WriteFiles for DIRECTORY.
func (p *parser) insertTarget() logical.Plan {
	start := p.i
	p.i++
	in := &logical.InsertInto{Evolve: p.accepts(kwWith, kwSchema, kwEvolution)}
	switch {
	case p.accept(kwOverwrite):
		in.Overwrite = true
	case p.accept(kwInto):
	default:
		p.fail()
	}
	if in.Overwrite && (p.kind() == kwDirectory && (p.isString(1) || p.at(1) == kwUsing) || p.is(kwLocal, kwDirectory)) {
		return p.insertDirectory()
	}
	if p.kind() == kwTable && p.isName(1) {
		p.i++
	}
	in.Table, in.TableExpr = p.reference()
	if p.is(kwWith, tLeftParen) {
		in.Options = p.tableOptions()
	}
	if in.Partition = p.partitionAhead(false); p.kind() == kwIf {
		p.ifNotExists(start, in)
	}
	if p.replaces(in) {
		in.At = p.origin(start)
		return in
	}
	p.byName(in)
	if !in.ByName && p.kind() == tLeftParen && !p.queryAt(p.i) && p.isName(1) && !p.queryWordAt(p.i+1) {
		in.Columns = p.names()
	}
	in.At = p.origin(start)
	return in
}

// ifNotExists takes IF NOT EXISTS, which needs a static partition of INSERT OVERWRITE.
func (p *parser) ifNotExists(start int, in *logical.InsertInto) {
	p.i++
	p.not()
	p.expect(kwExists)
	in.IfNotExists = true
	if !in.Overwrite {
		p.failAt(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", "INSERT INTO ... IF NOT EXISTS")
	}
	for _, v := range in.Partition {
		if v.Value == nil {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "IF NOT EXISTS with dynamic partitions: "+v.Column)
		}
	}
}

func (p *parser) byName(in *logical.InsertInto) {
	if p.accepts(kwBy, kwName) {
		in.ByName = true
	}
}

// replaces takes [AS alias] [BY NAME] REPLACE WHERE|ON condition and REPLACE USING (columns).
func (p *parser) replaces(in *logical.InsertInto) bool {
	n := 0
	if p.at(n) == kwAs {
		n++
	}
	if p.at(n) != kwReplace && p.at(n) != kwBy && p.isName(n) && (p.at(n+1) == kwReplace || p.at(n+1) == kwBy) {
		n++
	}
	skip := n
	if p.at(n) == kwBy && p.at(n+1) == kwName {
		n += 2
	}
	if p.at(n) != kwReplace {
		return false
	}
	start := p.i
	switch p.at(n + 1) {
	case kwWhere:
		if skip > 0 {
			p.unsupported(start, "INSERT INTO with a table alias")
		}
		p.byName(in)
		p.i += 2
		in.ReplaceWhen = p.expression()
	case kwOn:
		p.unsupported(start, "INSERT INTO … REPLACE ON")
	case kwUsing:
		p.i += n + 2
		in.ReplaceBy = p.names()
	default:
		return false
	}
	return true
}

// insertDirectory takes [LOCAL] DIRECTORY ['path'] USING format [OPTIONS (…)], or Hive's ROW FORMAT and STORED AS.
func (p *parser) insertDirectory() logical.Plan {
	start := p.i
	local := p.accept(kwLocal)
	p.expect(kwDirectory)
	f := &logical.WriteFiles{Mode: logical.Overwrite}
	if p.isString(0) {
		f.Path = p.stringLiteral()
	}
	if !p.accept(kwUsing) {
		p.unsupported(start, "INSERT OVERWRITE DIRECTORY with a Hive format")
	}
	f.Format = joined(p.multipart())
	if p.is(kwOptions, tLeftParen) {
		p.i++
		f.Options = p.properties()
	}
	if local {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "LOCAL is supported only with file: scheme")
	}
	if f.Path == "" {
		f.Path = f.Options["path"]
	} else if f.Options["path"] != "" {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0049")
	}
	return f
}

func joined(parts []string) string {
	s := parts[0]
	for _, x := range parts[1:] {
		s += "." + x
	}
	return s
}

// tableAlias takes [AS] name; lists of columns are refused.
func (p *parser) tableAlias(what string) string {
	start := p.i
	if !p.accept(kwAs) && (!p.kind().isStrictIdentifier(p.o) || p.startsClause()) {
		return ""
	}
	name := p.strictName()
	if p.kind() == tLeftParen {
		p.names()
		p.failAt(start, "COLUMN_ALIASES_NOT_ALLOWED", "op", "`"+what+"`")
	}
	return name
}

func (p *parser) delete() logical.Plan {
	p.i++
	if p.kind() != kwFrom && p.isName(0) {
		p.expectMissing(kwFrom)
	}
	p.expect(kwFrom)
	d := &logical.DeleteFrom{Target: p.target()}
	d.Alias = p.tableAlias("DELETE")
	if p.accept(kwWhere) {
		d.Cond = p.expression()
	}
	return d
}

func (p *parser) update() logical.Plan {
	p.i++
	u := &logical.UpdateTable{Target: p.target()}
	u.Alias = p.tableAlias("UPDATE")
	p.expect(kwSet)
	u.Assign = p.assignments()
	if p.accept(kwWhere) {
		u.Cond = p.expression()
	}
	return u
}

// assignments takes column = value, …; the value may be DEFAULT.
func (p *parser) assignments() []logical.Assignment {
	var list []logical.Assignment
	for {
		a := logical.Assignment{Column: p.multipart()}
		p.expect(tEq)
		a.Value = p.defaultable()
		list = append(list, a)
		if !p.accept(tComma) {
			return list
		}
	}
}

// defaultable is an expression or DEFAULT.
func (p *parser) defaultable() expr.Expr {
	if p.kind() == kwDefault && p.at(1) != tDot && p.at(1) != tLeftParen {
		if prec, _ := precedence(p.at(1)); prec == 0 {
			p.i++
			return &expr.Default{}
		}
	}
	return p.expression()
}

// merge takes MERGE INTO target USING source ON condition WHEN ….
func (p *parser) merge() logical.Plan {
	start := p.i
	p.i++
	m := &logical.MergeInto{SchemaEvolution: p.accepts(kwWith, kwSchema, kwEvolution)}
	p.expect(kwInto)
	m.Target = p.target()
	m.Alias = p.tableAlias("MERGE")
	p.expect(kwUsing)
	if p.accept(tLeftParen) {
		m.Source = p.query()
		p.expect(tRightParen)
	} else {
		at := p.i
		r := &logical.UnresolvedRelation{}
		r.Name, r.NameExpr = p.reference()
		r.At = p.origin(at)
		m.Source = r
	}
	if name := p.tableAlias("MERGE"); name != "" {
		m.Source = &logical.SubqueryAlias{Name: []string{name}, Child: m.Source}
	}
	p.expect(kwOn)
	m.On = p.expression()
	for p.kind() == kwWhen {
		m.Actions = append(m.Actions, p.mergeAction())
	}
	if len(m.Actions) == 0 {
		p.failAt(start, "MERGE_WITHOUT_WHEN")
	}
	p.checkMerge(start, m.Actions)
	return m
}

// checkMerge: only the last clause of a kind may lack a condition, and the kinds come in order.
func (p *parser) checkMerge(start int, actions []logical.MergeAction) {
	names := [...]string{"MATCHED", "NOT_MATCHED_BY_TARGET", "NOT_MATCHED_BY_SOURCE"}
	for i, a := range actions[:len(actions)-1] {
		if a.Cond == nil && actions[i+1].When == a.When {
			p.failAt(start, "NON_LAST_"+names[a.When]+"_CLAUSE_OMIT_CONDITION")
		}
	}
}

func (p *parser) mergeAction() logical.MergeAction {
	var a logical.MergeAction
	p.i++
	if p.notAhead() {
		a.When = logical.WhenNotMatched
	}
	p.expect(kwMatched)
	if a.When == logical.WhenNotMatched && p.accept(kwBy) {
		if !p.accept(kwTarget) {
			p.expect(kwSource)
			a.When = logical.WhenNotMatchedBySource
		}
	}
	if p.accept(kwAnd) {
		a.Cond = p.expression()
	}
	p.expect(kwThen)
	switch k := p.kind(); {
	case k == kwDelete && a.When != logical.WhenNotMatched:
		p.i++
		a.Delete = true
	case k == kwUpdate && a.When != logical.WhenNotMatched:
		p.i++
		p.expect(kwSet)
		if p.kind() == tStar && a.When == logical.WhenMatched {
			p.i++
			a.Star = true
			return a
		}
		a.Assign = p.assignments()
	case k == kwInsert && a.When == logical.WhenNotMatched:
		p.i++
		if p.accept(tStar) {
			a.Star = true
			return a
		}
		p.mergeInsert(&a)
	default:
		p.fail()
	}
	return a
}

func (p *parser) mergeInsert(a *logical.MergeAction) {
	start := p.i
	p.expect(tLeftParen)
	cols := p.multiparts()
	p.expect(tRightParen, kwValues, tLeftParen)
	for i := 0; ; i++ {
		v := p.defaultable()
		if i < len(cols) {
			a.Assign = append(a.Assign, logical.Assignment{Column: cols[i], Value: v})
		}
		if !p.accept(tComma) {
			p.expect(tRightParen)
			if i+1 != len(cols) {
				p.failAt(start, "MERGE_INSERT_VALUE_COUNT_MISMATCH", "actualCount", strconv.Itoa(i+1), "expectedCount", strconv.Itoa(len(cols)))
			}
			return
		}
	}
}
