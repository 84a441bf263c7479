package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

// syntax makes an error that knows a position but no range.
func (p *parser) syntax(condition string, t *token, kv ...string) *sparkerr.Error {
	e := sparkerr.New(condition, kv...)
	e.Class = sparkerr.ParseException
	e.Context = &sparkerr.QueryContext{Text: p.text, Start: int(t.rune), Stop: int(t.rune) - 1, Line: int(t.line), Pos: int(t.pos)}
	return e
}

// failWith fails at the current token.
func (p *parser) failWith(condition string, kv ...string) {
	panic(bailout{p.syntax(condition, &p.toks[p.i], kv...)})
}

// failAt fails with the place from token start to the last token taken.
func (p *parser) failAt(start int, condition string, kv ...string) {
	e := sparkerr.New(condition, kv...)
	e.Class = sparkerr.ParseException
	e.Context = p.context(start)
	panic(bailout{e})
}

// unsupported fails because of a feature that is not built.
func (p *parser) unsupported(start int, feature string) {
	e := sparkerr.Unsupported(feature)
	e.Context = p.context(start)
	panic(bailout{e})
}

// shown is a token as messages show it.
func (p *parser) shown(i int) string {
	t := &p.toks[i]
	if t.kind == tEOF {
		return "end of input"
	}
	return "'" + strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(p.text[t.start:t.end]) + "'"
}

// fail reports that the current token cannot stand where it does.
func (p *parser) fail() { p.failHint("") }

func (p *parser) failHint(hint string) {
	p.failWith("PARSE_SYNTAX_ERROR", "error", p.shown(p.i), "hint", hint)
}

// expectMissing takes k; without it the hint says that it is missing.
func (p *parser) expectMissing(k kind) {
	if !p.accept(k) {
		p.failHint(": missing " + k.display())
	}
}

// failExpecting reports that k was wanted. Where leaving out the current token helps, the hint says so.
func (p *parser) failExpecting(k kind) {
	if p.kind() != tEOF && p.at(1) == k {
		p.failHint(": extra input " + p.shown(p.i))
	}
	p.fail()
}
