package sqlparser

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// create takes CREATE of anything; the words after it tell of what.
func (p *parser) create() logical.Plan {
	n := 1
	if p.at(1) == kwOr && p.at(2) == kwReplace {
		n = 3
	}
	switch p.at(n) {
	case kwDatabase, kwSchema, kwNamespace:
		return p.createNamespace()
	case kwTable, kwExternal:
		return p.createTable()
	case kwView:
		return p.createView()
	case kwFunction:
		return p.createFunction()
	case kwGlobal:
		return p.createView()
	case kwTemporary:
		switch p.at(n + 1) {
		case kwView:
			return p.createView()
		case kwFunction:
			return p.createFunction()
		case kwTable, kwExternal:
			return p.createTable()
		case kwMacro:
			p.hiveStatement(3)
		}
		p.i += n + 1
		p.fail()
	case kwRole, kwIndex:
		p.hiveStatement(2)
	case kwMaterialized, kwStreaming, kwFlow:
		p.unsupported(p.i, "CREATE "+strings.ToUpper(p.word(p.i+n))+" (declarative pipelines)")
	}
	p.i += n
	p.fail()
	return nil
}

// ifNotExistsAhead takes IF NOT EXISTS.
func (p *parser) ifNotExistsAhead() bool {
	if p.kind() != kwIf || p.at(1) != kwNot && p.at(1) != tBang || p.at(2) != kwExists {
		return false
	}
	p.i++
	p.not()
	p.i++
	return true
}

// once guards a clause that may come once.
type once map[string]bool

func (p *parser) once(o once, start int, name string) {
	if o[name] {
		p.failAt(start, "DUPLICATE_CLAUSES", "clauseName", name)
	}
	o[name] = true
}

func (p *parser) createNamespace() logical.Plan {
	start := p.i
	p.i++
	if p.accepts(kwOr, kwReplace) {
		p.fail()
	}
	p.i++
	c := &logical.CreateNamespace{IfNotExists: p.ifNotExistsAhead()}
	c.Target = p.target()
	seen := once{}
	for {
		switch {
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.once(seen, start, "COMMENT")
			c.Comment = p.stringLiteral()
		case p.kind() == kwLocation && p.isString(1):
			p.i++
			p.once(seen, start, "LOCATION")
			c.Location = p.stringLiteral()
		case p.is(kwDefault, kwCollation):
			p.schemaCollation()
		case p.is(kwWith, kwDbproperties), p.is(kwWith, kwProperties):
			p.i += 2
			p.once(seen, start, "WITH PROPERTIES")
			c.Properties = p.properties()
		default:
			return c
		}
	}
}

// schemaCollation refuses DEFAULT COLLATION of databases, as Spark does unless it is told otherwise.
func (p *parser) schemaCollation() {
	start := p.i
	p.collationClause()
	p.failAt(start, "UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS")
}

// collationClause takes DEFAULT COLLATION name.
func (p *parser) collationClause() string {
	p.expect(kwDefault, kwCollation)
	return strings.ToUpper(joined(p.multipart()))
}

// createTable takes CREATE TABLE, REPLACE TABLE and CREATE TABLE … LIKE.
func (p *parser) createTable() logical.Plan {
	start := p.i
	c := &logical.CreateTable{Extra: &logical.TableExtra{}}
	if p.accept(kwCreate) {
		if p.accepts(kwOr, kwReplace) {
			c.Replace, c.OrCreate = true, true
		}
		c.Extra.Temporary = p.accept(kwTemporary)
		c.External = p.accept(kwExternal)
	} else {
		p.i++
		c.Replace = true
	}
	p.expect(kwTable)
	c.IfNotExists = p.ifNotExistsAhead()
	c.Name, c.NameExpr = p.reference()
	if p.kind() == kwLike && p.isName(1) {
		p.i++
		return p.createLike(start, c)
	}
	if p.kind() == tLeftParen && !p.queryAt(p.i) {
		p.i++
		p.tableElements(c)
		p.expect(tRightParen)
	}
	if p.accept(kwUsing) {
		c.Provider = joined(p.multipart())
	}
	p.tableClauses(start, c)
	if p.accept(kwAs) || p.queryAt(p.i) {
		c.Query = p.query()
		p.checkCTAS(start, c)
	}
	p.checkTable(start, c)
	c.At = p.origin(start)
	return c
}

func (p *parser) checkTable(start int, c *logical.CreateTable) {
	x := c.Extra
	switch {
	case x.Temporary && c.Provider == "" && c.Query == nil:
		p.failAt(start, "_LEGACY_ERROR_TEMP_0046")
	case x.Temporary && c.Query != nil:
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE TEMPORARY TABLE ... AS ..., use CREATE TEMPORARY VIEW instead")
	case x.Temporary:
		p.failAt(start, "INVALID_SQL_SYNTAX.CREATE_TEMP_TABLE_USING_PROVIDER")
	case c.External && c.Location == "" && c.Provider == "":
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE EXTERNAL TABLE must be accompanied by LOCATION")
	case c.External && c.Provider != "":
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE EXTERNAL TABLE ...")
	}
	if c.Schema == nil && len(c.PartitionTyped) > 0 && c.Query == nil {
		fields := append([]types.Field(nil), c.PartitionTyped...)
		c.Schema = &types.Schema{Fields: fields}
	} else if c.Schema != nil && len(c.PartitionTyped) > 0 {
		c.Schema.Fields = append(c.Schema.Fields, c.PartitionTyped...)
	}
	if isZeroExtra(x) {
		c.Extra = nil
	}
}

// isZeroExtra says whether no rare clause was given.
func isZeroExtra(x *logical.TableExtra) bool {
	return x.Generated == nil && x.Identity == nil && x.Constraints == nil && x.ClusterBy == nil && x.Transforms == nil && x.Collation == "" &&
		x.StoredAs == "" && x.InputFormat == "" && x.StoredBy == "" && x.Serde == "" && x.SerdeProps == nil && x.Delimited == nil &&
		x.SkewedBy == nil && !x.Temporary
}

func (p *parser) checkCTAS(start int, c *logical.CreateTable) {
	switch {
	case c.Schema != nil:
		what := "Create Table As Select (CTAS)"
		if c.Replace {
			what = "Replace Table As Select (RTAS)"
		}
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "Schema may not be specified in a "+what+" statement")
	case len(c.PartitionTyped) > 0:
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "Partition column types may not be specified in Create Table As Select (CTAS)")
	}
}

func (p *parser) createLike(start int, c *logical.CreateTable) logical.Plan {
	c.Like = p.multipart()
	seen := once{}
	for {
		at := p.i
		switch {
		case p.kind() == kwUsing:
			p.i++
			p.once(seen, start, "PROVIDER")
			c.Provider = joined(p.multipart())
		case p.kind() == kwLocation && p.isString(1):
			p.i++
			p.once(seen, start, "LOCATION")
			c.Location = p.stringLiteral()
		case p.is(kwTblproperties, tLeftParen):
			p.i++
			p.once(seen, start, "TBLPROPERTIES")
			c.Properties = p.properties()
		case p.is(kwStored, kwAs), p.is(kwStored, kwBy):
			p.storedAs(at, c)
		case p.is(kwRow, kwFormat):
			p.rowFormat(at, c)
		default:
			c.Extra.Temporary = false
			if isZeroExtra(c.Extra) {
				c.Extra = nil
			}
			c.At = p.origin(start)
			return c
		}
	}
}

// tableElements takes columns and constraints.
func (p *parser) tableElements(c *logical.CreateTable) {
	c.Schema = &types.Schema{}
	for {
		if p.constraintAhead() {
			c.Extra.Constraints = append(c.Extra.Constraints, p.constraint(true))
		} else {
			p.columnDefinition(c)
		}
		if !p.accept(tComma) {
			return
		}
	}
}

// columnDefinition takes name type and the column's options.
func (p *parser) columnDefinition(c *logical.CreateTable) {
	start := p.i
	f := types.Field{Name: p.name(), Nullable: true}
	f.Type = p.dataType()
	seen := once{}
	for {
		switch {
		case p.kind() == kwNot || p.kind() == tBang:
			p.not()
			p.expect(kwNull)
			p.onceColumn(seen, start, f.Name, "NOT NULL")
			f.Nullable = false
		case p.kind() == kwDefault && p.at(1) != kwCollation:
			p.onceColumn(seen, start, f.Name, "DEFAULT")
			if c.Defaults == nil {
				c.Defaults = make(map[string]string)
			}
			c.Defaults[f.Name] = p.defaultText()
		case p.kind() == kwGenerated:
			p.onceColumn(seen, start, f.Name, "GENERATED ALWAYS AS")
			p.generated(c, f.Name)
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.onceColumn(seen, start, f.Name, "COMMENT")
			f.Metadata = commentMetadata(p.stringLiteral())
		case p.constraintAhead():
			k := p.constraint(false)
			p.onceColumn(seen, start, f.Name, "CONSTRAINT")
			k.Columns = []string{f.Name}
			c.Extra.Constraints = append(c.Extra.Constraints, k)
		default:
			c.Schema.Fields = append(c.Schema.Fields, f)
			return
		}
	}
}

func (p *parser) onceColumn(o once, start int, column, option string) {
	if o[option] {
		p.failAt(start, "CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", "columnName", column, "optionName", option)
	}
	o[option] = true
}

// defaultText takes DEFAULT expression and gives the expression's text.
func (p *parser) defaultText() string {
	p.i++
	start := p.i
	p.expression()
	return p.source(start)
}

// generated takes GENERATED ALWAYS AS (e) and GENERATED … AS IDENTITY.
func (p *parser) generated(c *logical.CreateTable, column string) {
	p.i++
	always := p.accept(kwAlways)
	if !always {
		p.expect(kwBy, kwDefault)
	}
	p.expect(kwAs)
	if p.kind() != kwIdentity && always {
		p.expect(tLeftParen)
		start := p.i
		p.expression()
		if c.Extra.Generated == nil {
			c.Extra.Generated = make(map[string]string)
		}
		c.Extra.Generated[column] = p.source(start)
		p.expect(tRightParen)
		return
	}
	p.expect(kwIdentity)
	id := logical.Identity{Always: always, Start: 1, Step: 1}
	if p.accept(tLeftParen) {
		for !p.accept(tRightParen) {
			switch {
			case p.accepts(kwStart, kwWith):
				id.Start = p.signedInteger()
			case p.accepts(kwIncrement, kwBy):
				id.Step = p.signedInteger()
			default:
				p.fail()
			}
		}
	}
	if c.Extra.Identity == nil {
		c.Extra.Identity = make(map[string]logical.Identity)
	}
	c.Extra.Identity[column] = id
}

func (p *parser) signedInteger() int64 {
	l, _ := p.number().(*expr.Literal)
	switch v := l.Value.(type) {
	case int32:
		return int64(v)
	case int64:
		return v
	}
	p.i--
	p.fail()
	return 0
}

func (p *parser) constraintAhead() bool {
	switch p.kind() {
	case kwConstraint:
		return p.isName(1)
	case kwPrimary:
		return p.at(1) == kwKey
	case kwForeign:
		return p.at(1) == kwKey
	case kwCheck:
		return p.at(1) == tLeftParen
	case kwUnique:
		return p.at(1) == tLeftParen || p.closes(1) || p.at(1) == kwNot || p.at(1) == kwEnforced || p.at(1) == kwRely || p.at(1) == kwNorely
	case kwReferences:
		return p.isName(1)
	}
	return false
}

// constraint takes a constraint; onTable ones name their columns.
func (p *parser) constraint(onTable bool) logical.Constraint {
	start := p.i
	var c logical.Constraint
	if p.accept(kwConstraint) {
		c.Name = p.name()
	}
	switch {
	case p.is(kwCheck, tLeftParen):
		p.i += 2
		c.Kind = "CHECK"
		start := p.i
		c.Check = p.expression()
		c.Text = p.source(start)
		p.expect(tRightParen)
	case p.accepts(kwPrimary, kwKey):
		c.Kind = "PRIMARY KEY"
		if onTable {
			c.Columns = p.names()
		}
	case p.accept(kwUnique):
		c.Kind = "UNIQUE"
		if onTable {
			c.Columns = p.names()
		}
	case onTable && p.accepts(kwForeign, kwKey):
		c.Columns = p.names()
		p.references(&c)
	case !onTable && p.kind() == kwReferences:
		p.references(&c)
	default:
		p.fail()
	}
	for {
		switch {
		case p.accept(kwEnforced):
			if c.Enforced = truth(true); c.Kind != "CHECK" {
				p.failAt(start, "UNSUPPORTED_CONSTRAINT_CHARACTERISTIC", "characteristic", "ENFORCED", "constraintType", c.Kind)
			}
		case p.accepts(kwNot, kwEnforced):
			if c.Enforced = truth(false); c.Kind == "CHECK" {
				p.failAt(start, "UNSUPPORTED_CONSTRAINT_CHARACTERISTIC", "characteristic", "NOT ENFORCED", "constraintType", c.Kind)
			}
		case p.accept(kwRely):
			c.Rely = truth(true)
		case p.accept(kwNorely):
			c.Rely = truth(false)
		default:
			return c
		}
	}
}

func truth(b bool) *bool { return &b }

func (p *parser) references(c *logical.Constraint) {
	c.Kind = "FOREIGN KEY"
	p.expect(kwReferences)
	c.References = p.multipart()
	if p.kind() == tLeftParen {
		c.RefColumns = p.names()
	}
}

// tableClauses takes what stands between a table's columns and its query.
func (p *parser) tableClauses(start int, c *logical.CreateTable) {
	seen := once{}
	for {
		at := p.i
		switch {
		case p.is(kwOptions, tLeftParen):
			p.i++
			p.once(seen, start, "OPTIONS")
			c.Options = p.optionList()
		case p.is(kwPartitioned, kwBy):
			p.i += 2
			p.once(seen, start, "PARTITIONED BY")
			p.partitionFields(c)
		case p.is(kwClustered, kwBy):
			p.once(seen, start, "CLUSTERED BY")
			p.buckets(at, c)
		case p.is(kwCluster, kwBy):
			p.i += 2
			p.once(seen, start, "CLUSTER BY")
			p.expect(tLeftParen)
			c.Extra.ClusterBy = p.multiparts()
			p.expect(tRightParen)
		case p.is(kwSkewed, kwBy):
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE TABLE ... SKEWED BY")
		case p.is(kwStored, kwAs), p.is(kwStored, kwBy):
			p.once(seen, start, "STORED AS/BY")
			p.storedAs(at, c)
		case p.is(kwRow, kwFormat):
			p.once(seen, start, "ROW FORMAT")
			p.rowFormat(at, c)
		case p.kind() == kwLocation && p.isString(1):
			p.i++
			p.once(seen, start, "LOCATION")
			c.Location = p.stringLiteral()
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.once(seen, start, "COMMENT")
			c.Comment = p.stringLiteral()
		case p.is(kwDefault, kwCollation):
			p.once(seen, start, "DEFAULT COLLATION")
			c.Extra.Collation = p.collationClause()
		case p.is(kwTblproperties, tLeftParen):
			p.i++
			p.once(seen, start, "TBLPROPERTIES")
			c.Properties = p.properties()
		default:
			return
		}
	}
}

// partitionFields takes (column, column type, transform(column), …).
func (p *parser) partitionFields(c *logical.CreateTable) {
	p.expect(tLeftParen)
	for {
		switch {
		case p.isName(0) && p.at(1) == tLeftParen:
			c.Extra.Transforms = append(c.Extra.Transforms, p.transform())
		case p.isName(0) && (p.closes(1) || p.at(1) == tDot):
			name := p.multipart()
			c.Partition = append(c.Partition, joined(name))
		default:
			f := p.columnType()
			c.PartitionTyped = append(c.PartitionTyped, f)
			c.Partition = append(c.Partition, f.Name)
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
}

// transform takes name(argument, …), whose arguments are columns and constants.
func (p *parser) transform() expr.Expr {
	start := p.i
	f := &expr.Func{Name: []string{p.identifier()}}
	p.i++
	for {
		at := p.i
		if k := p.kind(); k == tMinus || k >= tInteger && k <= tBigDecimal || p.isString(0) || k == kwNull || k == kwTrue || k == kwFalse {
			f.Args = append(f.Args, p.constant())
		} else {
			f.Args = append(f.Args, &expr.Attribute{Name: p.multipart(), At: p.origin(at)})
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
	f.At = p.origin(start)
	return f
}

// buckets takes CLUSTERED BY (columns) [SORTED BY (columns)] INTO n BUCKETS.
func (p *parser) buckets(start int, c *logical.CreateTable) {
	p.i += 2
	c.BucketBy = p.names()
	wrong := ""
	if p.accepts(kwSorted, kwBy) {
		p.expect(tLeftParen)
		for {
			c.SortBy = append(c.SortBy, p.name())
			if p.kind() == kwDesc {
				wrong = p.word(p.i)
				p.i++
			} else {
				p.accept(kwAsc)
			}
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRightParen)
	}
	p.expect(kwInto)
	c.Buckets = p.integer()
	p.expect(kwBuckets)
	if wrong != "" {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "Column ordering must be ASC, was '"+wrong+"'")
	}
}

// storedAs takes STORED AS format, STORED AS INPUTFORMAT … OUTPUTFORMAT … and STORED BY.
func (p *parser) storedAs(start int, c *logical.CreateTable) {
	p.i += 2
	if p.toks[p.i-1].kind == kwBy {
		c.Extra.StoredBy = p.stringLiteral()
		if p.accepts(kwWith, kwSerdeproperties) {
			c.Extra.SerdeProps = p.properties()
		}
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "STORED BY")
	}
	if p.accept(kwInputformat) {
		c.Extra.InputFormat = p.stringLiteral()
		p.expect(kwOutputformat)
		c.Extra.OutputFormat = p.stringLiteral()
		return
	}
	if !p.isName(0) {
		p.fail()
	}
	c.Extra.StoredAs = p.anyWord()
}

// rowFormat takes ROW FORMAT SERDE and ROW FORMAT DELIMITED.
func (p *parser) rowFormat(start int, c *logical.CreateTable) {
	r, wrong := p.rowFormatClause()
	if wrong != "" {
		p.wrongLines(start, wrong)
	}
	c.Extra.Serde, c.Extra.SerdeProps, c.Extra.Delimited = r.Serde, r.SerdeProps, r.Delimited
}

// wrongLines refuses lines that end with something else than a newline.
func (p *parser) wrongLines(start int, end string) {
	p.failAt(start, "_LEGACY_ERROR_TEMP_0064", "msg", "LINES TERMINATED BY only supports newline '\\n' right now: "+end)
}

// rowFormatClause takes ROW FORMAT …; wrong is an end of lines that is not supported.
func (p *parser) rowFormatClause() (r *logical.RowFormat, wrong string) {
	p.i += 2
	if p.accept(kwSerde) {
		r := &logical.RowFormat{Serde: p.stringLiteral()}
		if p.accepts(kwWith, kwSerdeproperties) {
			r.SerdeProps = p.properties()
		}
		return r, ""
	}
	p.expect(kwDelimited)
	d := make(map[string]string)
	if p.accepts(kwFields, kwTerminated, kwBy) {
		d["field.delim"] = p.stringLiteral()
		if p.accepts(kwEscaped, kwBy) {
			d["escape.delim"] = p.stringLiteral()
		}
	}
	if p.accepts(kwCollection, kwItems, kwTerminated, kwBy) {
		d["collection.delim"] = p.stringLiteral()
	}
	if p.accepts(kwMap, kwKeys, kwTerminated, kwBy) {
		d["mapkey.delim"] = p.stringLiteral()
	}
	if p.accepts(kwLines, kwTerminated, kwBy) {
		d["line.delim"] = p.stringLiteral()
		if d["line.delim"] != "\n" {
			wrong = d["line.delim"]
		}
	}
	if p.accepts(kwNull, kwDefined, kwAs) {
		d["null.format"] = p.stringLiteral()
	}
	return &logical.RowFormat{Delimited: d}, wrong
}

// createView takes CREATE … VIEW, from a query or USING a format.
func (p *parser) createView() logical.Plan {
	start := p.i
	p.i++
	v := &logical.CreateView{Replace: p.accepts(kwOr, kwReplace)}
	v.Global = p.accept(kwGlobal)
	v.Temp = p.accept(kwTemporary)
	if v.Global && !v.Temp {
		p.fail()
	}
	p.expect(kwView)
	v.IfNotExists = p.ifNotExistsAhead()
	v.Name, v.NameExpr = p.reference()
	if p.kind() == tLeftParen {
		if v.Temp && p.isName(1) && !p.viewColumnAhead() {
			p.i++
			v.Schema = &types.Schema{Fields: p.columnTypes()}
			p.expect(tRightParen)
		} else {
			p.viewColumns(v)
		}
	}
	if v.Temp && p.kind() == kwUsing {
		p.i++
		return p.viewUsing(start, v)
	}
	p.viewClauses(start, v)
	p.expect(kwAs)
	if p.kind() == tDollar {
		p.unsupported(start, "CREATE VIEW … WITH METRICS")
	}
	q := p.i
	v.Query = p.query()
	v.Text = p.source(q)
	v.At = p.origin(start)
	p.checkView(start, v)
	return v
}

func (p *parser) checkView(start int, v *logical.CreateView) {
	switch {
	case v.IfNotExists && v.Temp:
		p.failAt(start, "_LEGACY_ERROR_TEMP_0053")
	case v.IfNotExists && v.Replace:
		p.failAt(start, "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE", "viewName", quoteParts(v.Name))
	case v.Binding != "" && v.Temp:
		p.failAt(start, "UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE")
	case v.Temp && len(v.Name) > 1 && !v.Global:
		p.temporaryName(start, "VIEW", v.Name)
	}
}

// temporaryName refuses qualified names of temporary objects, those of the session's own database excepted.
func (p *parser) temporaryName(start int, what string, name []string) {
	q := name[:len(name)-1]
	if len(q) == 1 && strings.EqualFold(q[0], "session") ||
		len(q) == 2 && strings.EqualFold(q[0], "system") && strings.EqualFold(q[1], "session") {
		return
	}
	p.failAt(start, "INVALID_TEMP_OBJ_QUALIFIER", "objectType", what, "objectName", quoteParts(name[len(name)-1:]), "qualifier", quoteParts(q))
}

// viewColumnAhead says whether (name [COMMENT 'x'], …) follows rather than columns with types.
func (p *parser) viewColumnAhead() bool {
	return p.at(2) == tComma || p.at(2) == tRightParen || p.at(2) == kwComment && p.at(3) == tString || p.at(2) == tMinus
}

func (p *parser) viewColumns(v *logical.CreateView) {
	p.expect(tLeftParen)
	for {
		c := logical.ViewColumn{Name: p.identifier()}
		if p.accept(kwComment) {
			c.Comment = p.stringLiteral()
		}
		v.Columns = append(v.Columns, c)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
}

func (p *parser) viewUsing(start int, v *logical.CreateView) logical.Plan {
	v.Using = joined(p.multipart())
	if p.is(kwOptions, tLeftParen) {
		p.i++
		v.Options = p.properties()
	}
	v.At = p.origin(start)
	return v
}

func (p *parser) viewClauses(start int, v *logical.CreateView) {
	seen := once{}
	for {
		at := p.i
		switch {
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.once(seen, start, "COMMENT")
			v.Comment = p.stringLiteral()
		case p.is(kwWith, kwSchema):
			v.Binding = p.schemaBinding()
			p.once(seen, start, "WITH SCHEMA")
		case p.is(kwDefault, kwCollation):
			p.once(seen, start, "DEFAULT COLLATION")
			v.Collation = p.collationClause()
		case p.is(kwPartitioned, kwOn):
			p.i += 2
			p.names()
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE VIEW ... PARTITIONED ON")
		case p.is(kwTblproperties, tLeftParen):
			p.i++
			p.once(seen, start, "TBLPROPERTIES")
			v.Properties = p.properties()
		case p.is(kwWith, kwMetrics), p.kind() == kwLanguage:
			p.unsupported(at, "CREATE VIEW … WITH METRICS")
		default:
			return
		}
	}
}

// schemaBinding takes WITH SCHEMA mode.
func (p *parser) schemaBinding() string {
	p.i += 2
	k, ok := p.acceptOne(kwBinding, kwCompensation, kwEvolution, kwType)
	if !ok {
		p.fail()
	}
	if k == kwType {
		p.expect(kwEvolution)
		return "TYPE EVOLUTION"
	}
	return keywords[k-firstKeyword].name
}

// jsonString quotes text as JSON does.
func jsonString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20:
			b.WriteString(`\u00` + strconv.FormatInt(int64(r)>>4, 16) + strconv.FormatInt(int64(r)&15, 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
