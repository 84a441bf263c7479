package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// foldCase maps names to the form in which they are compared where Spark ignores case.
func foldCase(s string) string { return strings.ToLower(s) }

func quoteList(names []string) string {
	q := make([]string, len(names))
	for i, s := range names {
		q[i] = "`" + s + "`"
	}
	return strings.Join(q, ", ")
}

// statement takes a statement of any kind.
func (p *parser) statement() logical.Plan {
	p.enter()
	defer p.leave()
	switch p.kind() {
	case kwSelect, kwValues, kwTable, tLeftParen, kwMap, kwReduce:
		return p.query()
	case kwWith:
		return p.withStatement()
	case kwFrom:
		return p.fromStatement(nil)
	case kwInsert:
		return p.insert(nil)
	case kwDelete:
		return p.delete()
	case kwUpdate:
		return p.update()
	case kwMerge:
		return p.merge()
	case kwSet:
		return p.set()
	case kwReset:
		return p.reset()
	case kwUse:
		return p.use()
	case kwCreate:
		return p.create()
	case kwReplace:
		return p.createTable()
	case kwDrop:
		return p.drop()
	case kwAlter:
		return p.alter()
	case kwShow:
		return p.show()
	case kwDesc, kwDescribe:
		return p.describe()
	case kwExplain:
		return p.explain()
	case kwDeclare:
		return p.declare()
	case kwExecute:
		return p.executeImmediate()
	}
	return p.smallStatement()
}

// smallStatement takes the statements that have one form only.
func (p *parser) smallStatement() logical.Plan {
	start := p.i
	switch p.kind() {
	case kwCache:
		return p.cache()
	case kwUncache:
		p.i++
		p.expect(kwTable)
		ifExists := p.accepts(kwIf, kwExists)
		return &logical.UncacheTable{Target: p.target(), IfExists: ifExists}
	case kwClear:
		p.i++
		p.expect(kwCache)
		return &logical.ClearCache{}
	case kwRefresh:
		return p.refresh()
	case kwComment:
		return p.commentOn()
	case kwAnalyze:
		return p.analyze()
	case kwTruncate:
		p.i++
		p.expect(kwTable)
		return &logical.TruncateTable{Target: p.target(), Partition: p.partitionAhead(false)}
	case kwMsck, kwRepair:
		return p.repair()
	case kwLoad:
		return p.load()
	case kwAdd, kwList:
		return p.manageResource()
	case kwCall:
		return p.callProcedure()
	case kwBegin, kwOpen, kwFetch, kwClose:
		p.unsupported(start, "SQL scripting ("+strings.ToUpper(p.word(start))+")")
	case kwGrant, kwRevoke, kwExport, kwImport, kwLock, kwUnlock, kwStart, kwCommit, kwRollback, kwDfs:
		p.hiveStatement(1)
	}
	if p.isName(0) && p.at(1) == tColon && p.at(2) == kwBegin {
		p.unsupported(start, "SQL scripting (BEGIN)")
	}
	p.fail()
	return nil
}

// hiveStatement refuses a statement of Hive whose first n words name it.
func (p *parser) hiveStatement(n int) {
	start := p.i
	words := strings.ToUpper(p.word(p.i))
	for i := 1; i < n; i++ {
		words += " " + strings.ToUpper(p.word(p.i+i))
	}
	p.skipQuery()
	p.failAt(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", words)
}

// withStatement is a query, or a write, with common table expressions.
func (p *parser) withStatement() logical.Plan {
	w := p.with()
	switch p.kind() {
	case kwInsert:
		return p.insert(w)
	case kwFrom:
		return p.fromStatement(w)
	case kwDelete, kwUpdate, kwMerge:
		w.Child = p.statement()
		return w
	}
	w.Child = p.organized(p.terms(0, nil))
	return w
}

// wrapped puts a query under common table expressions.
func wrapped(w *logical.With, query logical.Plan) logical.Plan {
	if w == nil {
		return query
	}
	q := *w
	q.Child = query
	return &q
}

// fromStatement is a query that begins with FROM, or several inserts from one.
func (p *parser) fromStatement(w *logical.With) logical.Plan {
	from := p.fromClause()
	if p.kind() != kwInsert {
		return wrapped(w, p.organized(p.terms(0, p.selectFrom(from))))
	}
	m := &logical.MultiInsert{}
	for p.kind() == kwInsert {
		in := p.insertTarget()
		if p.kind() != kwSelect && !p.transformAhead() {
			p.failExpecting(kwSelect)
		}
		p.setInput(in, wrapped(w, p.organized(p.selectQuery(from))))
		m.Inserts = append(m.Inserts, in)
	}
	if len(m.Inserts) == 1 {
		return m.Inserts[0]
	}
	return m
}

// target takes the name of what a command acts on.
func (p *parser) target() logical.Target {
	start := p.i
	name, e := p.reference()
	return logical.Target{Name: name, NameExpr: e, At: p.origin(start)}
}

// inNamespace takes [FROM|IN name].
func (p *parser) inNamespace() logical.Target {
	if p.kind() == kwFrom || p.kind() == kwIn {
		p.i++
		return p.target()
	}
	return logical.Target{}
}

// likePattern takes [[LIKE] 'pattern'].
func (p *parser) likePattern() *string {
	if p.kind() == kwLike {
		p.i++
		s := p.stringLiteral()
		return &s
	}
	if p.isString(0) {
		s := p.stringLiteral()
		return &s
	}
	return nil
}

func (p *parser) isNamespaceWord() bool {
	k := p.kind()
	return k == kwDatabase || k == kwSchema || k == kwNamespace
}

// partitionAhead takes PARTITION (…) if it follows. full: every column needs a value.
func (p *parser) partitionAhead(full bool) []logical.PartitionValue {
	if !p.is(kwPartition, tLeftParen) {
		return nil
	}
	return p.partition(full)
}

func (p *parser) partition(full bool) []logical.PartitionValue {
	start := p.i
	p.expect(kwPartition, tLeftParen)
	var list []logical.PartitionValue
	for {
		v := logical.PartitionValue{Column: p.identifier()}
		if p.accept(tEq) {
			if p.accept(kwDefault) {
				v.Value = &expr.Default{}
			} else {
				v.Value = p.constant()
			}
		}
		list = append(list, v)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		if v.Value == nil && full {
			p.failAt(start, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "partKey", "`"+v.Column+"`")
		}
		if seen[v.Column] {
			p.failAt(start, "DUPLICATE_KEY", "keyColumn", "`"+v.Column+"`")
		}
		seen[v.Column] = true
	}
	return list
}

// constant takes a literal.
func (p *parser) constant() expr.Expr {
	switch k := p.kind(); {
	case k == tMinus, k >= tInteger && k <= tBigDecimal:
		return p.number()
	case p.isString(0), k == kwNull, k == kwTrue, k == kwFalse, p.isMarker(), k == kwInterval, p.isName(0) && p.at(1) == tString:
		return p.primary()
	}
	p.fail()
	return nil
}

// properties takes (key [=] value, …); values are their text.
func (p *parser) properties() map[string]string {
	m, _ := p.propertyList(true)
	return m
}

// propertyList also gives the keys in order. A key needs a value if valued.
func (p *parser) propertyList(valued bool) (map[string]string, []string) {
	start := p.i
	p.expect(tLeftParen)
	m := make(map[string]string)
	var keys, empty []string
	for {
		at := p.i
		key := p.propertyKey()
		value, given := "", true
		if p.accept(tEq) || !p.closes(0) {
			value = p.propertyValue()
		} else {
			given = false
			empty = append(empty, key)
		}
		if _, twice := m[key]; twice {
			p.failAt(at, "DUPLICATE_KEY", "keyColumn", "`"+key+"`")
		}
		if m[key] = value; given && !valued {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "Values should not be specified for key(s): ["+key+"]")
		}
		keys = append(keys, key)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
	if valued && len(empty) > 0 {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "Values must be specified for key(s): ["+strings.Join(empty, ",")+"]")
	}
	return m, keys
}

func (p *parser) propertyKey() string {
	if p.isString(0) {
		return p.oneString()
	}
	key := p.name()
	for p.accept(tDot) {
		key += "." + p.name()
	}
	return key
}

func (p *parser) propertyValue() string {
	switch k := p.kind(); {
	case k == tInteger, k == tDecimal:
		p.i++
		return p.word(p.i - 1)
	case k == kwTrue, k == kwFalse:
		p.i++
		return strings.ToLower(p.word(p.i - 1))
	}
	return p.stringLiteral()
}

// optionList takes the OPTIONS of CREATE TABLE, whose values may be any literals.
func (p *parser) optionList() map[string]string {
	p.expect(tLeftParen)
	m := make(map[string]string)
	for {
		at := p.i
		key := p.propertyKey()
		if _, twice := m[key]; twice {
			p.failAt(at, "DUPLICATE_KEY", "keyColumn", "`"+key+"`")
		}
		p.accept(tEq)
		m[key] = ""
		if !p.closes(0) {
			m[key] = p.optionValue()
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRightParen)
	return m
}

func (p *parser) optionValue() string {
	start := p.i
	e := p.expression()
	l, ok := e.(*expr.Literal)
	if !ok {
		p.unsupported(start, "options that are expressions rather than literals")
	}
	if l.Value == nil {
		return "null"
	}
	if k := p.toks[start].kind; k >= tInteger && k <= tBigDecimal && p.i == start+1 {
		return p.word(start)
	}
	return l.SQL()
}

// explain takes EXPLAIN [mode] statement.
func (p *parser) explain() logical.Plan {
	p.i++
	e := &logical.Explain{Mode: "simple"}
	if k, ok := p.acceptOne(kwExtended, kwCodegen, kwCost, kwFormatted, kwLogical); ok {
		e.Mode = strings.ToLower(keywords[k-firstKeyword].name)
		if k == kwLogical {
			p.failAt(p.i-2, "_LEGACY_ERROR_TEMP_0035", "message", "EXPLAIN LOGICAL")
		}
	}
	e.Query = p.statement()
	return e
}

func (p *parser) use() logical.Plan {
	p.i++
	if p.isNamespaceWord() && !p.closes(1) && p.at(1) != tDot {
		p.i++
		return &logical.UseNamespace{Target: p.target(), Explicit: true}
	}
	return &logical.UseNamespace{Target: p.target()}
}

// cache takes CACHE [LAZY] TABLE name [OPTIONS (…)] [[AS] query].
func (p *parser) cache() logical.Plan {
	start := p.i
	p.i++
	c := &logical.CacheTable{Lazy: p.accept(kwLazy)}
	p.expect(kwTable)
	c.Target = p.target()
	if p.is(kwOptions, tLeftParen) {
		p.i++
		c.Options = p.properties()
	}
	if p.accept(kwAs) || p.queryAt(p.i) {
		q := p.i
		c.Query = p.query()
		c.Text = p.source(q)
		if len(c.Name) > 1 {
			p.failAt(start, "_LEGACY_ERROR_TEMP_0037", "quoted", strings.Join(c.Name[:len(c.Name)-1], "."))
		}
	}
	return c
}

func (p *parser) refresh() logical.Plan {
	start := p.i
	p.i++
	switch {
	case p.kind() == kwTable && p.isName(1):
		p.i++
		return &logical.RefreshTable{Target: p.target()}
	case p.kind() == kwFunction && p.isName(1):
		p.i++
		return &logical.RefreshFunction{Target: p.target()}
	case p.isString(0):
		return &logical.RefreshPath{Path: p.stringLiteral()}
	}
	path := p.rawRest(start + 1)
	if path == "" {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0064", "msg", "Resource paths cannot be empty in REFRESH statements. Use / to match everything")
	}
	if strings.ContainsAny(path, " \n\r\t") {
		p.failAt(start, "_LEGACY_ERROR_TEMP_0064", "msg",
			`REFRESH statements cannot contain ' ', '\n', '\r', '\t' inside unquoted resource paths`)
	}
	return &logical.RefreshPath{Path: path}
}

// rawRest is the text from token i to the end of the statement, which it moves to.
func (p *parser) rawRest(i int) string {
	last := len(p.toks) - 1
	if i > last {
		return ""
	}
	text := strings.TrimSpace(p.text[p.toks[i].start:])
	text = strings.TrimRight(text, "; \n\r\t")
	p.i = last
	return text
}

func (p *parser) commentOn() logical.Plan {
	p.i++
	p.expect(kwOn)
	c := &logical.CommentOn{Namespace: p.isNamespaceWord()}
	if !c.Namespace && p.kind() != kwTable {
		p.fail()
	}
	p.i++
	c.Target = p.target()
	p.expect(kwIs)
	if !p.accept(kwNull) {
		s := p.stringLiteral()
		c.Comment = &s
	}
	return c
}

func (p *parser) analyze() logical.Plan {
	start := p.i
	p.i++
	if p.accept(kwTables) {
		a := &logical.AnalyzeTables{Target: p.inNamespace()}
		p.expect(kwCompute, kwStatistics)
		a.NoScan = p.noScan(start)
		return a
	}
	p.expect(kwTable)
	a := &logical.AnalyzeTable{Target: p.target(), Partition: p.partitionAhead(false)}
	p.expect(kwCompute, kwStatistics)
	switch {
	case p.accepts(kwFor, kwAll, kwColumns):
		a.AllColumns = true
	case p.accepts(kwFor, kwColumns):
		a.Columns = p.nameSeq()
	default:
		a.NoScan = p.noScan(start)
	}
	return a
}

// noScan takes the word NOSCAN if one follows.
func (p *parser) noScan(start int) bool {
	if !p.isName(0) {
		return false
	}
	w := p.anyWord()
	if !strings.EqualFold(w, "noscan") {
		p.failAt(start, "INVALID_SQL_SYNTAX.ANALYZE_TABLE_UNEXPECTED_NOSCAN", "ctx", strings.ToUpper(w))
	}
	return true
}

func (p *parser) repair() logical.Plan {
	p.accept(kwMsck)
	p.expect(kwRepair, kwTable)
	r := &logical.RepairTable{Target: p.target(), Add: true}
	if k, ok := p.acceptOne(kwAdd, kwDrop, kwSync); ok {
		r.Add, r.Drop = k != kwDrop, k != kwAdd
		p.expect(kwPartitions)
	}
	return r
}

func (p *parser) load() logical.Plan {
	p.i++
	p.expect(kwData)
	l := &logical.LoadData{Local: p.accept(kwLocal)}
	p.expect(kwInpath)
	l.Path = p.stringLiteral()
	l.Overwrite = p.accept(kwOverwrite)
	p.expect(kwInto, kwTable)
	l.Target = p.target()
	l.Partition = p.partitionAhead(true)
	return l
}

// manageResource takes ADD and LIST FILE|JAR|ARCHIVE and the paths.
func (p *parser) manageResource() logical.Plan {
	start := p.i
	m := &logical.ManageResource{Add: p.kind() == kwAdd}
	p.i++
	m.Kind = strings.TrimSuffix(strings.ToLower(p.identifier()), "s")
	switch m.Kind {
	case "file", "jar", "archive":
	default:
		p.rawRest(p.i)
		p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", strings.ToUpper(p.word(start))+" with resource type '"+m.Kind+"'")
	}
	for p.kind() != tEOF && p.kind() != tSemicolon {
		if p.isString(0) {
			m.Paths = append(m.Paths, p.oneString())
			continue
		}
		first := p.i
		p.i++
		for p.kind() != tEOF && p.kind() != tSemicolon && p.toks[p.i].start == p.toks[p.i-1].end {
			p.i++
		}
		m.Paths = append(m.Paths, p.source(first))
	}
	return m
}

func (p *parser) callProcedure() logical.Plan {
	p.i++
	c := &logical.CallProcedure{Target: p.target()}
	p.expect(tLeftParen)
	if p.kind() != tRightParen {
		c.Args = append(c.Args, p.argument())
		for p.accept(tComma) {
			c.Args = append(c.Args, p.argument())
		}
	}
	p.expect(tRightParen)
	return c
}
