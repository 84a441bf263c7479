package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/logical"
)

func (p *parser) ifExists() bool { return p.accepts(kwIf, kwExists) }

// drop takes DROP of anything.
func (p *parser) drop() logical.Plan {
	start := p.i
	p.i++
	switch p.kind() {
	case kwDatabase, kwSchema, kwNamespace:
		p.i++
		d := &logical.DropNamespace{IfExists: p.ifExists()}
		d.Target = p.target()
		if d.Cascade = p.accept(kwCascade); !d.Cascade {
			p.accept(kwRestrict)
		}
		return d
	case kwTable, kwView:
		d := &logical.DropTable{View: p.kind() == kwView}
		p.i++
		d.IfExists = p.ifExists()
		d.Target = p.target()
		d.Purge = !d.View && p.accept(kwPurge)
		return d
	case kwFunction:
		p.i++
		d := &logical.DropFunction{IfExists: p.ifExists()}
		d.Target = p.target()
		return d
	case kwTemporary:
		return p.dropTemporary(start)
	case kwRole, kwIndex:
		p.i = start
		p.hiveStatement(2)
	}
	p.fail()
	return nil
}

func (p *parser) dropTemporary(start int) logical.Plan {
	p.i++
	switch {
	case p.isVariableWord():
		p.i++
		d := &logical.DropVariable{IfExists: p.ifExists()}
		d.Target = p.target()
		return d
	case p.accept(kwFunction):
		d := &logical.DropFunction{Temp: true, IfExists: p.ifExists()}
		d.Target = p.target()
		if len(d.Name) > 1 {
			p.temporaryName(start, "FUNCTION", d.Name)
		}
		return d
	case p.kind() == kwMacro:
		p.i = start
		p.hiveStatement(3)
	}
	p.fail()
	return nil
}

// alter takes ALTER of databases, tables and views.
func (p *parser) alter() logical.Plan {
	start := p.i
	p.i++
	switch p.kind() {
	case kwDatabase, kwSchema, kwNamespace:
		p.i++
		return p.alterNamespace()
	case kwTable:
		p.i++
		return p.alterTable(start)
	case kwView:
		p.i++
		return p.alterView(start)
	case kwIndex:
		p.i = start
		p.hiveStatement(2)
	}
	p.fail()
	return nil
}

func (p *parser) alterNamespace() logical.Plan {
	a := &logical.AlterNamespace{Target: p.target()}
	switch {
	case p.accepts(kwSet, kwDbproperties), p.accepts(kwSet, kwProperties):
		a.Properties = p.properties()
	case p.accepts(kwUnset, kwDbproperties), p.accepts(kwUnset, kwProperties):
		_, a.Unset = p.propertyList(false)
	case p.accepts(kwSet, kwLocation):
		a.Location = p.stringLiteral()
	case p.is(kwDefault, kwCollation):
		p.schemaCollation()
	default:
		p.fail()
	}
	return a
}

// alterShared takes the actions that tables and views have in common; nil if it is none of them.
func (p *parser) alterShared(t logical.Target, view bool) logical.Plan {
	switch {
	case p.accepts(kwRename, kwTo):
		return &logical.RenameTable{Target: t, View: view, To: p.multipart()}
	case p.accepts(kwSet, kwTblproperties):
		return &logical.SetTableProperties{Target: t, View: view, Properties: p.properties()}
	case p.accepts(kwUnset, kwTblproperties):
		u := &logical.UnsetTableProperties{Target: t, View: view, IfExists: p.ifExists()}
		_, u.Keys = p.propertyList(false)
		return u
	}
	return nil
}

func (p *parser) alterView(start int) logical.Plan {
	t := p.target()
	if c := p.alterShared(t, true); c != nil {
		return c
	}
	switch {
	case p.is(kwWith, kwSchema):
		return &logical.AlterViewSchema{Target: t, Mode: p.schemaBinding()}
	case p.kind() == kwAdd, p.kind() == kwDrop:
		p.skipQuery()
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "ALTER VIEW ... ADD/DROP PARTITION")
	}
	if !p.accept(kwAs) && !p.queryAt(p.i) {
		p.fail()
	}
	q := p.i
	v := &logical.CreateView{Name: t.Name, NameExpr: t.NameExpr, Alter: true, Replace: true, Query: p.query()}
	v.Text = p.source(q)
	v.At = p.origin(start)
	return v
}

// alterTable takes ALTER TABLE name [PARTITION (…)] action.
func (p *parser) alterTable(start int) logical.Plan {
	t := p.target()
	if c := p.alterShared(t, false); c != nil {
		return c
	}
	part := p.partitionAhead(false)
	if c := p.alterTableSet(t, part); c != nil {
		return c
	}
	switch p.kind() {
	case kwAdd:
		if c := p.alterAdd(t); c != nil {
			return c
		}
	case kwRename:
		return p.alterRename(t, part)
	case kwDrop:
		return p.alterDrop(t)
	case kwAlter, kwChange:
		return p.alterColumns(t, part)
	case kwReplace:
		p.i++
		p.expect(kwColumns, tLeftParen)
		r := &logical.ReplaceColumns{Target: t, Partition: part, Columns: p.newColumns()}
		p.expect(tRightParen)
		return r
	case kwRecover:
		p.i++
		p.expect(kwPartitions)
		return &logical.RecoverPartitions{Target: t}
	case kwCluster:
		return p.alterCluster(t)
	case kwDefault:
		return &logical.AlterCollation{Target: t, Collation: p.collationClause()}
	case kwNot, kwClustered, kwSkewed, kwExchange, kwArchive, kwUnarchive, kwTouch, kwCompact, kwConcatenate:
		words := "ALTER TABLE " + strings.ToUpper(p.word(p.i))
		if k := p.at(1); k != tEOF && k != tSemicolon {
			words += " " + strings.ToUpper(p.word(p.i+1))
		}
		p.skipQuery()
		p.failAt(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", words)
	}
	p.fail()
	return nil
}

// alterTableSet takes SET LOCATION, SET SERDE and SET SERDEPROPERTIES.
func (p *parser) alterTableSet(t logical.Target, part []logical.PartitionValue) logical.Plan {
	switch {
	case p.accepts(kwSet, kwLocation):
		return &logical.SetLocation{Target: t, Partition: part, Location: p.stringLiteral()}
	case p.accepts(kwSet, kwSerde):
		s := &logical.SetSerde{Target: t, Partition: part, Serde: p.stringLiteral()}
		if p.accepts(kwWith, kwSerdeproperties) {
			s.Properties = p.properties()
		}
		return s
	case p.accepts(kwSet, kwSerdeproperties):
		return &logical.SetSerde{Target: t, Partition: part, Properties: p.properties()}
	case p.is(kwSet, kwFileformat), p.is(kwSet, kwSkewed):
		start := p.i
		p.skipQuery()
		p.failAt(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", "ALTER TABLE SET "+strings.ToUpper(p.word(start+1)))
	}
	return nil
}

func (p *parser) alterAdd(t logical.Target) logical.Plan {
	switch k := p.at(1); {
	case k == kwColumn || k == kwColumns:
		p.i += 2
		a := &logical.AddColumns{Target: t}
		if p.accept(tLeftParen) {
			a.Columns = p.newColumns()
			p.expect(tRightParen)
		} else {
			a.Columns = p.newColumns()
		}
		return a
	case k == kwPartition || k == kwIf:
		p.i++
		a := &logical.AddPartitions{Target: t, IfNotExists: p.ifNotExistsAhead()}
		for p.kind() == kwPartition {
			v := logical.PartitionPlace{Partition: p.partition(true)}
			if p.accept(kwLocation) {
				v.Location = p.stringLiteral()
			}
			a.Partitions = append(a.Partitions, v)
		}
		if a.Partitions == nil {
			p.failExpecting(kwPartition)
		}
		return a
	}
	p.i++
	if p.constraintAhead() {
		return &logical.AddConstraint{Target: t, Constraint: p.constraint(true)}
	}
	p.fail()
	return nil
}

func (p *parser) alterRename(t logical.Target, part []logical.PartitionValue) logical.Plan {
	p.i++
	if part != nil {
		p.expect(kwTo)
		return &logical.RenamePartition{Target: t, From: part, To: p.partition(true)}
	}
	p.expect(kwColumn)
	r := &logical.RenameColumn{Target: t, From: p.multipart()}
	p.expect(kwTo)
	r.To = p.name()
	return r
}

func (p *parser) alterDrop(t logical.Target) logical.Plan {
	p.i++
	switch k := p.kind(); {
	case k == kwColumn || k == kwColumns:
		p.i++
		d := &logical.RemoveColumns{Target: t, IfExists: p.ifExists()}
		if p.accept(tLeftParen) {
			d.Columns = p.multiparts()
			p.expect(tRightParen)
		} else {
			d.Columns = p.multiparts()
		}
		return d
	case k == kwConstraint:
		p.i++
		d := &logical.DropConstraint{Target: t, IfExists: p.ifExists()}
		d.Constraint = p.identifier()
		if d.Cascade = p.accept(kwCascade); !d.Cascade {
			p.accept(kwRestrict)
		}
		return d
	}
	d := &logical.DropPartitions{Target: t, IfExists: p.ifExists()}
	for {
		d.Partitions = append(d.Partitions, p.partition(true))
		if !p.accept(tComma) {
			break
		}
	}
	d.Purge = p.accept(kwPurge)
	return d
}

func (p *parser) alterCluster(t logical.Target) logical.Plan {
	p.i++
	p.expect(kwBy)
	a := &logical.AlterClusterBy{Target: t}
	if p.accept(kwNone) {
		return a
	}
	p.expect(tLeftParen)
	a.Columns = p.multiparts()
	p.expect(tRightParen)
	return a
}

// newColumns takes name type [NOT NULL] [DEFAULT e] [COMMENT 'x'] [FIRST | AFTER name], ….
func (p *parser) newColumns() []logical.ColumnChange {
	var list []logical.ColumnChange
	for {
		c := logical.ColumnChange{Name: p.multipart()}
		t := p.dataType()
		c.Type = &t
		p.columnTail(&c)
		list = append(list, c)
		if !p.accept(tComma) {
			return list
		}
	}
}

func (p *parser) columnTail(c *logical.ColumnChange) {
	start := p.i
	seen := once{}
	name := joined(c.Name)
	for {
		switch {
		case p.kind() == kwNot || p.kind() == tBang:
			p.not()
			p.expect(kwNull)
			p.onceAltered(seen, start, name, "NOT NULL")
			c.Nullable = truth(false)
		case p.kind() == kwDefault:
			p.onceAltered(seen, start, name, "DEFAULT")
			s := p.defaultText()
			c.Default = &s
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.onceAltered(seen, start, name, "COMMENT")
			s := p.stringLiteral()
			c.Comment = &s
		case p.kind() == kwFirst || p.kind() == kwAfter:
			p.onceAltered(seen, start, name, "FIRST|AFTER")
			p.columnPlace(c)
		default:
			return
		}
	}
}

func (p *parser) onceAltered(o once, start int, column, option string) {
	if o[option] {
		p.failAt(start, "ALTER_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", "type", "ADD", "columnName", column, "optionName", option)
	}
	o[option] = true
}

// columnPlace takes FIRST or AFTER column.
func (p *parser) columnPlace(c *logical.ColumnChange) {
	if p.accept(kwFirst) {
		c.First = true
		return
	}
	p.expect(kwAfter)
	c.After = p.name()
}

// alterColumns takes ALTER|CHANGE [COLUMN] and what is to change.
func (p *parser) alterColumns(t logical.Target, part []logical.PartitionValue) logical.Plan {
	start := p.i
	change := p.kind() == kwChange
	p.i++
	p.accept(kwColumn)
	a := &logical.AlterColumns{Target: t}
	for {
		c := logical.ColumnChange{Name: p.multipart()}
		if change && len(a.Columns) == 0 && p.isName(0) && !p.actionAhead() {
			h := &logical.ChangeColumn{Target: t, Partition: part, From: c.Name}
			f := p.columnType()
			h.Column = logical.ColumnChange{Name: []string{f.Name}, Type: &f.Type}
			if !f.Nullable {
				h.Column.Nullable = truth(false)
			}
			if f.Metadata != "" {
				s := p.lastComment()
				h.Column.Comment = &s
			}
			if p.kind() == kwFirst || p.kind() == kwAfter {
				p.columnPlace(&h.Column)
			}
			switch {
			case f.Name != c.Name[len(c.Name)-1]:
				p.hiveStyle(start, "Renaming column", ", please run RENAME COLUMN instead")
			case !f.Nullable:
				p.hiveStyle(start, "NOT NULL", ", please run ALTER COLUMN ... SET/DROP NOT NULL instead")
			}
			return h
		}
		p.alterAction(start, &c)
		a.Columns = append(a.Columns, c)
		if !p.accept(tComma) {
			return a
		}
	}
}

// hiveStyle refuses what CHANGE COLUMN cannot do.
func (p *parser) hiveStyle(start int, operation, hint string) {
	p.failAt(start, "_LEGACY_ERROR_TEMP_0034", "operation", operation, "command", "ALTER COLUMN", "msg", hint)
}

// lastComment is the string just taken.
func (p *parser) lastComment() string { return p.unquote(p.word(p.i - 1)) }

func (p *parser) actionAhead() bool {
	switch p.kind() {
	case kwType:
		return true
	case kwComment:
		return p.isString(1)
	case kwFirst, kwAfter:
		return p.closes(1) || p.kind() == kwAfter && p.closes(2)
	case kwSet, kwDrop:
		return p.at(1) == kwNot || p.at(1) == kwDefault || p.at(1) == tBang
	}
	return false
}

func (p *parser) alterAction(start int, c *logical.ColumnChange) {
	switch {
	case p.accept(kwType):
		t := p.dataType()
		c.Type = &t
	case p.kind() == kwComment && p.isString(1):
		p.i++
		s := p.stringLiteral()
		c.Comment = &s
	case p.kind() == kwFirst || p.kind() == kwAfter:
		p.columnPlace(c)
	case p.is(kwSet, kwDefault):
		p.i++
		s := p.defaultText()
		c.Default = &s
	case p.accepts(kwDrop, kwDefault):
		c.DropDefault = true
	case p.kind() == kwSet || p.kind() == kwDrop:
		c.Nullable = truth(p.kind() == kwDrop)
		p.i++
		p.not()
		p.expect(kwNull)
	case p.closes(0):
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message",
			"ALTER TABLE table ALTER COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER")
	default:
		p.fail()
	}
}
