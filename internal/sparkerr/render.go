package sparkerr

import (
	"strconv"
	"strings"
)

// Error renders the error as Spark prints it: "[CONDITION] text SQLSTATE: xxxxx", then the place. Parse errors show the
// SQL text with a marker, analysis errors the line and column and the plan, run-time errors the fragment underlined.
func (e *Error) Error() string {
	var b strings.Builder
	class := e.class()
	if class == ParseException {
		b.WriteByte('\n')
	}
	e.head(&b)
	switch {
	case class == ParseException:
		e.parsePlace(&b)
	case isAnalysis(class):
		e.analysisPlace(&b)
	case e.Context != nil:
		if s := e.Context.Summary(); s != "" {
			b.WriteString("\n" + s)
		}
	}
	return b.String()
}

// head is the part before the place; legacy conditions have no name of their own.
func (e *Error) head(b *strings.Builder) {
	if e.Condition != "" && !strings.HasPrefix(e.Condition, "_LEGACY_ERROR_") {
		b.WriteString("[" + e.Condition + "] ")
	}
	b.WriteString(e.Message())
	if s := e.SQLState(); s != "" {
		b.WriteString(" SQLSTATE: " + s)
	}
}

func (e *Error) analysisPlace(b *strings.Builder) {
	if c := e.Context; c != nil && c.Line > 0 {
		b.WriteString("; line " + strconv.Itoa(c.Line) + " pos " + strconv.Itoa(c.Pos))
	}
	if e.Plan != "" {
		b.WriteString(";\n" + e.Plan)
	}
}

// parsePlace: the tokenizer and the grammar know a position only; checks made on a finished clause know its range.
func (e *Error) parsePlace(b *strings.Builder) {
	c := e.Context
	switch {
	case c == nil:
	case e.Condition == "UNCLOSED_BRACKETED_COMMENT":
		b.WriteString("\n== SQL ==\n" + c.Text)
	case e.Condition == "PARSE_SYNTAX_ERROR" || e.Condition == "PARSE_EMPTY_STATEMENT" || c.Stop < c.Start:
		if c.Line > 0 {
			b.WriteString(" (line " + strconv.Itoa(c.Line) + ", pos " + strconv.Itoa(c.Pos) + ")\n")
			c.marked(b)
		}
	default:
		if s := c.Summary(); s != "" {
			b.WriteString("\n" + s)
		}
	}
}

// marked writes the SQL text with a marker under its line Line.
func (c *QueryContext) marked(b *strings.Builder) {
	lines := splitLines(c.Text)
	at := min(c.Line, len(lines))
	b.WriteString("\n== SQL ==\n")
	for _, l := range lines[:at] {
		b.WriteString(l + "\n")
	}
	b.WriteString(strings.Repeat("-", c.Pos) + "^^^\n")
	for _, l := range lines[at:] {
		b.WriteString(l + "\n")
	}
}

// splitLines splits at line ends; empty lines at the end do not count, but the first line always does.
func splitLines(text string) []string {
	lines := strings.Split(text, "\n")
	for len(lines) > 1 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// extraText is how much of a line is shown before and after the fragment.
const extraText = 32

// Summary is the block that shows the fragment in its text, or the call in the program; "" if the place is not known.
func (c *QueryContext) Summary() string {
	if c.DataFrame || c.Text == "" && c.CallSite != "" {
		return "== DataFrame ==\n\"" + c.Fragment + "\" was called from\n" + c.CallSite + "\n"
	}
	text := []rune(c.Text)
	start, stop := max(c.Start, 0), min(c.Stop, len(text)-1)
	if len(text) == 0 || start > stop {
		return ""
	}
	var b strings.Builder
	b.WriteString("== SQL")
	if c.ObjectType != "" && c.ObjectName != "" {
		b.WriteString(" of " + c.ObjectType + " " + c.ObjectName)
	}
	if c.Line > 0 {
		b.WriteString(" (line " + strconv.Itoa(c.Line) + ", position " + strconv.Itoa(c.Pos+1) + ")")
	}
	b.WriteString(" ==\n")
	underline(&b, text, start, stop)
	return b.String()
}

// underline writes the lines that hold text[start..stop], long ones cut, each followed by a line that marks the fragment.
func underline(b *strings.Builder, text []rune, start, stop int) {
	from := start
	for from >= 0 && start-from <= extraText && text[from] != '\n' {
		from--
	}
	to := stop
	for to < len(text) && to-stop <= extraText && text[to] != '\n' {
		to++
	}
	at, shown := from+1, string(text[from+1:to])
	if start-from > extraText {
		at, shown = at-3, "..."+shown
	}
	if to-stop > extraText {
		shown += "..."
	}
	for _, line := range splitLines(shown) {
		b.WriteString(line + "\n")
		for range []rune(line) {
			switch {
			case at < start:
				b.WriteByte(' ')
			case at <= stop:
				b.WriteByte('^')
			}
			at++
		}
		b.WriteByte('\n')
		at++ // the line end
	}
}
