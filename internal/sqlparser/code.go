package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// createFunction takes CREATE FUNCTION of a class or with a body in SQL.
func (p *parser) createFunction() logical.Plan {
	start := p.i
	p.i++
	f := &logical.CreateFunction{Replace: p.accepts(kwOr, kwReplace)}
	f.Temp = p.accept(kwTemporary)
	p.expect(kwFunction)
	f.IfNotExists = p.ifNotExistsAhead()
	f.Target = p.target()
	if p.accept(kwAs) {
		f.Class = p.stringLiteral()
		if p.accept(kwUsing) {
			p.resources(f)
		}
	} else {
		p.sqlFunction(start, f)
	}
	switch {
	case f.IfNotExists && f.Replace:
		p.failAt(start, "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE")
	case f.IfNotExists && f.Temp:
		p.failAt(start, "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS")
	case f.Temp && len(f.Name) > 1:
		p.temporaryName(start, "FUNCTION", f.Name)
	}
	return f
}

func (p *parser) resources(f *logical.CreateFunction) {
	for {
		start := p.i
		kind := strings.ToLower(p.identifier())
		switch kind {
		case "jar", "file", "archive":
		default:
			p.failAt(start, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE FUNCTION with resource type '"+kind+"'")
		}
		f.Resources = append(f.Resources, [2]string{kind, p.stringLiteral()})
		if !p.accept(tComma) {
			return
		}
	}
}

// sqlFunction takes (parameters) [RETURNS type] characteristics RETURN body.
func (p *parser) sqlFunction(start int, f *logical.CreateFunction) {
	p.expect(tLeftParen)
	if p.kind() != tRightParen {
		for {
			f.Params = append(f.Params, p.parameter())
			if !p.accept(tComma) {
				break
			}
		}
	}
	p.expect(tRightParen)
	if p.kind() == kwReturns && p.at(1) != kwNull {
		p.i++
		if p.is(kwTable, tLeftParen) {
			p.i += 2
			f.IsTable = true
			f.ReturnsTable = p.columnTypes()
			p.expect(tRightParen)
		} else if p.accept(kwTable) {
			f.IsTable = true
		} else {
			t := p.dataType()
			f.Returns = &t
		}
	}
	p.characteristics(start, f)
	p.expect(kwReturn)
	body := p.i
	if p.queryAt(p.i) && (f.IsTable || p.kind() != tLeftParen) {
		f.Query = p.query()
	} else {
		f.Body = p.expression()
	}
	f.Text = p.source(body)
}

func (p *parser) parameter() logical.FunctionParam {
	f := logical.FunctionParam{Field: types.Field{Name: p.name(), Nullable: true}}
	f.Type = p.dataType()
	for {
		switch {
		case p.kind() == kwDefault:
			s := p.defaultText()
			f.Default = &s
		case p.kind() == kwComment && p.isString(1):
			p.i++
			f.Metadata = commentMetadata(p.stringLiteral())
		case p.kind() == kwNot || p.kind() == tBang:
			p.not()
			p.expect(kwNull)
			f.Nullable = false
		case p.kind() == kwGenerated:
			p.failAt(p.i, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS")
		case p.constraintAhead():
			p.failAt(p.i, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS")
		default:
			return f
		}
	}
}

// characteristics takes what stands between a function's type and its body.
func (p *parser) characteristics(start int, f *logical.CreateFunction) {
	seen := once{}
	for {
		switch {
		case p.kind() == kwLanguage:
			p.i++
			p.once(seen, start, "LANGUAGE")
			f.Language = strings.ToUpper(p.anyWord())
			if f.Language != "SQL" {
				p.unsupported(p.i-1, "functions in the language "+f.Language)
			}
		case p.kind() == kwSpecific:
			p.i++
			p.once(seen, start, "SPECIFIC")
			p.name()
		case p.accept(kwDeterministic):
			p.once(seen, start, "DETERMINISTIC")
			f.Deterministic = truth(true)
		case p.is(kwNot, kwDeterministic), p.is(tBang, kwDeterministic):
			p.not()
			p.i++
			p.once(seen, start, "DETERMINISTIC")
			f.Deterministic = truth(false)
		case p.accepts(kwContains, kwSql), p.accepts(kwNo, kwSql):
			p.once(seen, start, "SQL DATA ACCESS")
			f.ReadsData = truth(false)
		case p.accepts(kwReads, kwSql, kwData), p.accepts(kwModifies, kwSql, kwData):
			p.once(seen, start, "SQL DATA ACCESS")
			f.ReadsData = truth(true)
		case p.accepts(kwCalled, kwOn, kwNull, kwInput), p.accepts(kwReturns, kwNull, kwOn, kwNull, kwInput):
			p.once(seen, start, "NULL CALL")
		case p.kind() == kwComment && p.isString(1):
			p.i++
			p.once(seen, start, "COMMENT")
			f.Comment = p.stringLiteral()
		case p.is(kwDefault, kwCollation):
			p.once(seen, start, "DEFAULT COLLATION")
			f.Collation = p.collationClause()
		case p.accepts(kwSql, kwSecurity, kwInvoker), p.accepts(kwSql, kwSecurity, kwDefiner):
			p.once(seen, start, "SQL SECURITY RIGHTS")
		default:
			return
		}
	}
}

func (p *parser) isVariableWord() bool { return p.kind() == kwVariable || p.kind() == kwVar }

// declare takes DECLARE [OR REPLACE] [VARIABLE] names [type] [DEFAULT e].
func (p *parser) declare() logical.Plan {
	start := p.i
	p.i++
	d := &logical.DeclareVariable{Replace: p.accepts(kwOr, kwReplace)}
	if p.isVariableWord() && p.isName(1) && p.at(1) != kwDefault {
		p.i++
	}
	d.Names = []logical.Target{p.target()}
	for p.accept(tComma) {
		d.Names = append(d.Names, p.target())
	}
	if p.isName(0) && p.kind() != kwDefault {
		if k := p.kind(); k == kwCursor || k == kwCondition || k == kwHandler || k == kwAsensitive || k == kwInsensitive {
			p.unsupported(start, "SQL scripting (DECLARE "+strings.ToUpper(p.word(p.i))+")")
		}
		t := p.dataType()
		d.Type = &t
	}
	if p.accept(kwDefault) || p.accept(tEq) {
		at := p.i
		d.Default = p.expression()
		d.Text = p.source(at)
	}
	if d.Type == nil && d.Default == nil {
		p.failAt(start, "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED")
	}
	return d
}

// setVariable takes the rest of SET VARIABLE: assignments, or (names) = (query).
func (p *parser) setVariable(start int) logical.Plan {
	s := &logical.SetVariable{}
	if p.accept(tLeftParen) {
		s.Names = p.multiparts()
		p.expect(tRightParen, tEq, tLeftParen)
		s.Query = p.query()
		p.expect(tRightParen)
		s.At = p.origin(start)
		return s
	}
	for {
		s.Names = append(s.Names, p.multipart())
		p.expectMissing(tEq)
		s.Values = append(s.Values, p.defaultable())
		if !p.accept(tComma) {
			s.At = p.origin(start)
			return s
		}
	}
}

// executeImmediate takes EXECUTE IMMEDIATE text [INTO names] [USING arguments].
func (p *parser) executeImmediate() logical.Plan {
	start := p.i
	p.i++
	p.expect(kwImmediate)
	e := &logical.ExecuteImmediate{Statement: p.expression()}
	if p.accept(kwInto) {
		e.Into = p.multiparts()
	}
	using := p.i
	if p.accept(kwUsing) {
		paren := p.kind() == tLeftParen && p.toks[p.i].match > 0 && !p.queryAt(p.i+1) && p.endsAt(int(p.toks[p.i].match)+1)
		if paren {
			p.i++
		}
		e.Args = p.namedExpressions()
		if paren {
			p.expect(tRightParen)
		}
		p.distinctAliases(using, e.Args)
	}
	e.At = p.origin(start)
	return e
}

// endsAt says whether the statement ends at token i.
func (p *parser) endsAt(i int) bool { k := p.toks[i].kind; return k == tEOF || k == tSemicolon }

func (p *parser) distinctAliases(start int, args []expr.Expr) {
	seen := make(map[string]bool, len(args))
	var twice []string
	for _, a := range args {
		al, ok := a.(*expr.Alias)
		if !ok {
			continue
		}
		if seen[al.Name] {
			twice = append(twice, al.Name)
		}
		seen[al.Name] = true
	}
	if len(twice) > 0 {
		p.failAt(start, "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "aliases", quoteList(twice))
	}
}

// set takes SET in all its forms. What is no form of the grammar is the raw text of a configuration.
func (p *parser) set() logical.Plan {
	start := p.i
	p.i++
	switch {
	case p.kind() == kwRole:
		p.skipQuery()
		p.failAt(start, "INVALID_STATEMENT_OR_CLAUSE", "operation", "SET ROLE")
	case p.is(kwTime, kwZone) && p.at(2) != tEq && p.at(2) != tDot:
		p.i += 2
		return p.setTimeZone(start)
	case p.is(kwPath, tEq):
		p.i += 2
		return p.setPath()
	case p.kind() == kwCatalog && p.at(1) != tEq && !p.closes(1) && p.at(1) != tDot:
		p.i++
		return &logical.SetCatalog{Catalog: p.expression()}
	case p.isVariableWord() && (p.isName(1) || p.at(1) == tLeftParen):
		p.i++
		return p.setVariable(start)
	case p.kind() == tQuoted:
		return p.setQuoted(start)
	}
	return p.setConf(start)
}

// quotedValueAhead says whether the statement ends with = `value`; it gives the place of the equals sign.
func (p *parser) quotedValueAhead() (int, bool) {
	n := len(p.toks) - 2
	for n > 0 && p.toks[n].kind == tSemicolon {
		n--
	}
	return n - 1, n-1 > p.i && p.toks[n].kind == tQuoted && p.toks[n-1].kind == tEq
}

// setConf reads SET, SET -v, SET key and SET key=value from the raw text.
func (p *parser) setConf(start int) logical.Plan {
	if eq, ok := p.quotedValueAhead(); ok {
		key := strings.TrimSpace(p.text[p.toks[start].end:p.toks[eq].start])
		p.i = eq + 1
		value := p.anyWord()
		if !isConfKey(key) {
			p.failAt(start, "INVALID_PROPERTY_KEY", "key", `"`+key+`"`, "value", `"`+value+`"`)
		}
		return &logical.SetConf{Key: key, Value: &value}
	}
	raw := strings.TrimSpace(p.text[p.toks[start].end:])
	last := len(p.toks) - 1
	key, value, given := strings.Cut(raw, "=")
	key = strings.TrimSpace(key)
	if given {
		value, rest, _ := strings.Cut(value, ";")
		value = strings.TrimSpace(value)
		if strings.Trim(rest, "; \n\r\t") == "" && isConfKey(key) {
			p.i = last
			return &logical.SetConf{Key: key, Value: &value}
		}
		p.i = last
		p.failAt(start, "INVALID_SET_SYNTAX")
	}
	key = strings.TrimSpace(strings.TrimRight(raw, "; \n\r\t"))
	p.i = last
	switch {
	case key == "":
		return &logical.SetConf{}
	case key == "-v":
		return &logical.SetConf{Verbose: true}
	case !isConfKey(key):
		p.failAt(start, "INVALID_SET_SYNTAX")
	}
	return &logical.SetConf{Key: key}
}

// isConfKey says whether a key needs no quotes.
func isConfKey(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '.' && c != ':' && c != '\\' {
			return false
		}
	}
	return s != ""
}

// setQuoted takes SET `key` and SET `key` = value.
func (p *parser) setQuoted(start int) logical.Plan {
	key := p.anyWord()
	if !p.accept(tEq) {
		if p.kind() != tEOF && p.kind() != tSemicolon {
			p.skipQuery()
			p.failAt(start, "INVALID_SET_SYNTAX")
		}
		return &logical.SetConf{Key: key}
	}
	if p.kind() == tQuoted && p.endsAt(p.i+1) {
		v := p.anyWord()
		return &logical.SetConf{Key: key, Value: &v}
	}
	at := p.i
	v := p.rawRest(at)
	if strings.Contains(v, ";") {
		p.failAt(start, "INVALID_PROPERTY_VALUE", "value", `"`+v+`"`, "key", `"`+key+`"`)
	}
	return &logical.SetConf{Key: key, Value: &v}
}

// setTimeZone takes the zone: LOCAL, a string or an interval.
func (p *parser) setTimeZone(start int) logical.Plan {
	s := &logical.SetConf{Key: "spark.sql.session.timeZone", TimeZone: true}
	switch {
	case p.kind() == kwLocal && p.endsAt(p.i+1):
		p.i++
	case p.isString(0):
		v := p.stringLiteral()
		s.Value = &v
	case p.kind() == kwInterval && p.intervalAhead():
		v := p.zoneInterval(start)
		s.Value = &v
	default:
		p.skipQuery()
		p.failAt(start, "_LEGACY_ERROR_TEMP_0045")
	}
	return s
}

// zoneInterval is a whole number of seconds up to 18 hours as an offset +hh:mm[:ss].
func (p *parser) zoneInterval(start int) string {
	l, _ := p.interval().(*expr.Literal)
	us, ok := l.Value.(int64)
	if sec := us / microsPerSecond; !ok || us%microsPerSecond != 0 || sec > 18*3600 || sec < -18*3600 {
		e := sparkerr.New("INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "input", p.source(start))
		e.Class, e.Context = sparkerr.ParseException, p.context(start)
		panic(bailout{e})
	}
	return formatOffset(int(us / microsPerSecond))
}

func formatOffset(sec int) string {
	sign := "+"
	if sec < 0 {
		sign, sec = "-", -sec
	}
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	s := sign + two(sec/3600) + ":" + two(sec/60%60)
	if sec%60 != 0 {
		s += ":" + two(sec%60)
	}
	return s
}

func (p *parser) setPath() logical.Plan {
	s := &logical.SetPath{}
	for {
		parts := p.multipart()
		if len(parts) == 1 {
			switch strings.ToUpper(parts[0]) {
			case "DEFAULT_PATH", "SYSTEM_PATH", "PATH", "CURRENT_DATABASE", "CURRENT_SCHEMA":
				parts[0] = strings.ToUpper(parts[0])
			default:
				e := sparkerr.New("INVALID_SQL_PATH_SCHEMA_REFERENCE", "qualifiedName", parts[0])
				e.Class = sparkerr.ParseException
				panic(bailout{e})
			}
		}
		s.Elements = append(s.Elements, parts)
		if !p.accept(tComma) {
			return s
		}
	}
}

// reset takes RESET and RESET key.
func (p *parser) reset() logical.Plan {
	start := p.i
	p.i++
	if p.kind() == tQuoted && p.endsAt(p.i+1) {
		return &logical.ResetConf{Key: p.anyWord()}
	}
	key := p.rawRest(p.i)
	if key != "" && !isConfKey(key) {
		p.failAt(start, "INVALID_RESET_COMMAND_FORMAT")
	}
	return &logical.ResetConf{Key: key}
}
