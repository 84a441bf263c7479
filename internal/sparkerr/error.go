// Package sparkerr holds the one error type that users see. An Error names a condition of
// Spark's public catalogue, its SQLSTATE, and its message parameters; the text is rendered
// from the table of conditions, so that lookups, the wire, docs and tests read the same row.
// Errors cross the wire by field and are matched by condition (Is, Has), never by text.
package sparkerr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Error is a user-facing error with the identity that Spark gives it.
type Error struct {
	// Condition is the name in Spark's catalogue, with its sub-condition after a dot,
	// e.g. "UNRESOLVED_COLUMN.WITH_SUGGESTION".
	Condition string
	// Params are the message parameters by name.
	Params map[string]string
	// Context says where in the query text or program the error arose; nil if unknown.
	Context *QueryContext
	// Class is the JVM exception class that clients map to their own; when empty it follows from the condition.
	Class string
	// Cause is the error that led to this one, if any.
	Cause error
	// Stack is the stack of a broken invariant (INTERNAL_ERROR); empty otherwise.
	Stack string
	// Plan is the tree of the plan that failed analysis, printed after the message; usually empty.
	Plan string
}

// QueryContext locates an error in a SQL text. Start and Stop are 0-based rune offsets, inclusive.
type QueryContext struct {
	ObjectType, ObjectName string
	Start, Stop            int
	Line, Pos              int    // 1-based line, 0-based position in the line
	Text                   string // the whole SQL text; lets the message show the lines
	Fragment               string
	CallSite               string // DataFrame origin: where in the program
	DataFrame              bool
}

// New makes an error of a condition; kv are parameter names and values in turn.
func New(condition string, kv ...string) *Error {
	e := &Error{Condition: condition, Params: make(map[string]string, len(kv)/2)}
	for i := 0; i+1 < len(kv); i += 2 {
		e.Params[kv[i]] = kv[i+1]
	}
	return e
}

// Internal reports a broken invariant of the engine itself.
func Internal(format string, args ...any) *Error {
	return New("INTERNAL_ERROR", "message", fmt.Sprintf(format, args...))
}

// Unsupported names a feature that Firesteel does not have (yet). It is the typed answer for everything not built.
func Unsupported(feature string) *Error {
	return New("UNSUPPORTED_CALL.WITHOUT_SUGGESTION", "methodName", feature, "className", "Firesteel")
}

// WithCause returns e with its cause set.
func (e *Error) WithCause(err error) *Error { e.Cause = err; return e }

// At returns e with its place in the query text set, unless it has one already.
func (e *Error) At(c *QueryContext) *Error {
	if e.Context == nil {
		e.Context = c
	}
	return e
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// SQLState is the five-character SQLSTATE of the condition.
func (e *Error) SQLState() string { return Lookup(e.Condition).SQLState }

// Message renders the text of the condition with the parameters put in.
func (e *Error) Message() string {
	row := Lookup(e.Condition)
	if row.Message == "" {
		return e.fallback()
	}
	return fill(row.Message, e.Params)
}

// fallback lists the parameters when the condition has no text in the table.
func (e *Error) fallback() string {
	if m, ok := e.Params["message"]; ok {
		return m
	}
	keys := make([]string, 0, len(e.Params))
	for k := range e.Params {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = k + "=" + e.Params[k]
	}
	return strings.Join(keys, ", ")
}

// fill replaces <name> by the parameter of that name and leaves unknown names as they are.
func fill(text string, params map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '<')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		n := nameLength(text[i+1:])
		v, ok := params[text[i+1:i+1+n]]
		if !ok || i+1+n == len(text) || text[i+1+n] != '>' {
			b.WriteByte('<')
			text = text[i+1:]
			continue
		}
		b.WriteString(v)
		text = text[i+n+2:]
	}
}

// nameLength is the length of the parameter name that text starts with.
func nameLength(text string) int {
	for i := range len(text) {
		c := text[i]
		if !(c == '_' || c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return i
		}
	}
	return len(text)
}

// Is reports whether err or one of its causes is an Error of the condition (or of a sub-condition of it).
func Is(err error, condition string) bool {
	e, ok := As(err)
	return ok && (e.Condition == condition || strings.HasPrefix(e.Condition, condition+"."))
}

// As finds the first Error in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Condition is one row of the catalogue.
type Condition struct{ SQLState, Message string }
