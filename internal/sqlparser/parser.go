// Package sqlparser turns Spark SQL text into unresolved logical plans, expressions and types.
//
// It is a hand-written lexer and recursive-descent parser with precedence climbing for operators. It does not
// backtrack: where words may be names as well as keywords, it looks ahead. Syntax errors leave the descent as
// a panic that the entry points turn into the error; nothing else panics.
package sqlparser

import (
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Options are what parsing needs to know of the session. The zero value is Spark's default in UTC.
type Options struct {
	EnforceReservedKeywords bool // spark.sql.ansi.enforceReservedKeywords
	DoubleQuotedIdentifiers bool // spark.sql.ansi.doubleQuotedIdentifiers
	EscapedStringLiterals   bool // spark.sql.parser.escapedStringLiterals: backslashes stay
	ConsecutiveStrings      bool // spark.sql.legacy.consecutiveStringLiterals.enabled: 'a''b' is ab
	SetOpsFromLeft          bool // spark.sql.legacy.setopsPrecedence.enabled
	ExponentAsDecimal       bool // spark.sql.legacy.exponentLiteralAsDecimal.enabled
	CalendarIntervals       bool // spark.sql.legacy.interval.enabled
	BangIsNot               bool // spark.sql.legacy.bangEqualsNot
	KeepCharTypes           bool // casts keep CHAR and VARCHAR
	NoSinglePipe            bool // spark.sql.parser.singleCharacterPipeOperator.enabled is off: | is no pipe
	TimestampNTZ            bool // spark.sql.timestampType is TIMESTAMP_NTZ

	// Location is the session's time zone; nil is UTC. Now is the time that 'now' and 'today' in literals mean.
	Location *time.Location
	Now      time.Time

	// Named and Positional are values of parameter markers. With them, markers are replaced while parsing, also where
	// the grammar wants a literal; without them they stay as expr.Param.
	Named      map[string]expr.Expr
	Positional []expr.Expr
}

// maxDepth bounds nesting, so that no text can exhaust the stack.
const maxDepth = 2000

// parser holds the state of one parse.
type parser struct {
	text      string
	toks      []token
	i         int // current token
	o         *Options
	depth     int
	markers   int // positional parameters seen
	taken     int // how many '>' of the current shift token a type has used
	origins   []expr.Origin
	wide      bool       // text has characters of more than a byte
	path      *expr.Func // the last path into a VARIANT, and the name it gives
	pathName  string
	insertion bool // inside the query of an INSERT, where DEFAULT is a value
}

// bailout carries an error out of the descent.
type bailout struct{ err error }

// parse runs f over the text's tokens and turns its panic into an error.
func parse[T any](text string, o *Options, f func(p *parser) T) (result T, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case bailout:
			err = r.err
		default:
			panic(r)
		}
	}()
	p := newParser(text, o)
	result = f(p)
	p.end()
	return result, nil
}

func newParser(text string, o *Options) *parser {
	toks, ok := lex(text)
	p := &parser{text: text, toks: toks, o: o}
	last := toks[len(toks)-1]
	p.wide = int(last.rune) != len(text)
	if !ok {
		panic(bailout{p.syntax("UNCLOSED_BRACKETED_COMMENT", &last)})
	}
	return p
}

// ParsePlan parses one statement.
func ParsePlan(text string, o Options) (logical.Plan, error) {
	return parse(text, &o, func(p *parser) logical.Plan {
		if strings.TrimSpace(text) == "" {
			p.failWith("PARSE_EMPTY_STATEMENT")
		}
		plan := p.statement()
		for p.accept(tSemicolon) {
		}
		return plan
	})
}

// ParseScript parses several statements, separated by semicolons.
func ParseScript(text string, o Options) ([]logical.Plan, error) {
	var out []logical.Plan
	for _, s := range SplitStatements(text) {
		plan, err := ParsePlan(s, o)
		if err != nil {
			return nil, err
		}
		out = append(out, plan)
	}
	return out, nil
}

// SplitStatements cuts a text at its semicolons, those of comments, strings and BEGIN … END blocks excepted.
// Statements without any token are left out.
func SplitStatements(text string) []string {
	toks, _ := lex(text)
	var out []string
	first, depth := 0, 0
	for i, t := range toks {
		if i == first && (t.kind == kwBegin || i+2 < len(toks) && toks[i+1].kind == tColon && toks[i+2].kind == kwBegin) {
			return append(out, text[t.start:])
		}
		switch t.kind {
		case tLeftParen:
			depth++
		case tRightParen:
			depth--
		}
		if t.kind == tSemicolon && depth <= 0 || t.kind == tEOF {
			if i > first {
				out = append(out, text[toks[first].start:toks[i-1].end])
			}
			first, depth = i+1, 0
		}
	}
	return out
}

// ParseExpression parses an expression; an alias is allowed.
func ParseExpression(text string, o Options) (expr.Expr, error) {
	return parse(text, &o, (*parser).namedExpression)
}

// ParseNamedExpression is ParseExpression; the name tells what the caller expects.
func ParseNamedExpression(text string, o Options) (expr.Expr, error) {
	return ParseExpression(text, o)
}

// ParseType parses a data type, e.g. "array<decimal(10,2)>".
func ParseType(text string) (types.Type, error) {
	return parse(text, &Options{}, func(p *parser) types.Type { return p.dataType() })
}

// ParseSchema parses column definitions, e.g. "a INT NOT NULL COMMENT 'x', b STRING".
// A text that is a STRUCT type is its fields.
func ParseSchema(text string) (*types.Schema, error) {
	s, err := parse(text, &Options{}, func(p *parser) *types.Schema { return &types.Schema{Fields: p.columnTypes()} })
	if err == nil {
		return s, nil
	}
	if t, e := ParseType(text); e == nil && t.Kind == types.StructKind {
		return &types.Schema{Fields: t.Fields()}, nil
	}
	return nil, err
}

// ParseIdentifier parses a possibly qualified name, e.g. "a.`b c`".
func ParseIdentifier(text string) ([]string, error) {
	return parse(text, &Options{}, (*parser).multipart)
}

// ---- tokens ----

func (p *parser) kind() kind { return p.toks[p.i].kind }

// at is the kind of the token n places on.
func (p *parser) at(n int) kind {
	if p.i+n < len(p.toks) {
		return p.toks[p.i+n].kind
	}
	return tEOF
}

// word is the text of token i.
func (p *parser) word(i int) string { t := &p.toks[i]; return p.text[t.start:t.end] }

func (p *parser) advance() {
	if p.kind() != tEOF {
		p.i++
	}
}

// is looks whether the next tokens are of these kinds.
func (p *parser) is(ks ...kind) bool {
	for n, k := range ks {
		if p.at(n) != k {
			return false
		}
	}
	return true
}

// accept takes the current token if it is of the kind.
func (p *parser) accept(k kind) bool {
	if p.kind() != k {
		return false
	}
	p.i++
	return true
}

// accepts takes the next tokens if they are all of these kinds.
func (p *parser) accepts(ks ...kind) bool {
	if !p.is(ks...) {
		return false
	}
	p.i += len(ks)
	return true
}

// acceptOne takes the current token if it is one of the kinds, and says which.
func (p *parser) acceptOne(ks ...kind) (kind, bool) {
	for _, k := range ks {
		if p.accept(k) {
			return k, true
		}
	}
	return 0, false
}

// expect takes a token of the kind or fails.
func (p *parser) expect(ks ...kind) {
	for _, k := range ks {
		if p.kind() != k {
			p.failExpecting(k)
		}
		p.i++
	}
}

// end checks that the text is used up.
func (p *parser) end() {
	if p.kind() != tEOF {
		p.failExpecting(tEOF)
	}
}

// enter counts a level of nesting; the caller calls leave when it is done.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.failWith("FAILED_TO_PARSE_TOO_COMPLEX")
	}
}

func (p *parser) leave() { p.depth-- }

// ---- positions ----

// runeEnd is the rune offset of the last character of token i.
func (p *parser) runeEnd(i int) int {
	t := &p.toks[i]
	if !p.wide {
		return int(t.end) - 1
	}
	n := int(t.rune) - 1
	for range p.text[t.start:t.end] {
		n++
	}
	return n
}

// origin is the place from token start to the last token taken.
func (p *parser) origin(start int) *expr.Origin {
	if len(p.origins) == 0 {
		p.origins = make([]expr.Origin, 16)
	}
	o := &p.origins[0]
	p.origins = p.origins[1:]
	t := &p.toks[start]
	*o = expr.Origin{Text: p.text, Start: int(t.rune), Stop: p.runeEnd(max(p.i-1, start)), Line: int(t.line), Pos: int(t.pos)}
	return o
}

// source is the text from token start to the last token taken.
func (p *parser) source(start int) string {
	if p.i <= start {
		return ""
	}
	return p.text[p.toks[start].start:p.toks[p.i-1].end]
}

// context is origin as errors want it.
func (p *parser) context(start int) *sparkerr.QueryContext {
	o := p.origin(start)
	return &sparkerr.QueryContext{Text: o.Text, Start: o.Start, Stop: o.Stop, Line: o.Line, Pos: o.Pos, Fragment: p.source(start)}
}
