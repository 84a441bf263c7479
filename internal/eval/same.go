package eval

import (
	"fmt"
	"strconv"
	"time"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel"
)

// env is what all programs of one compilation share. It remembers what it found out about each expression: chains of ten
// thousand operators are looked at on every level of them.
type env struct {
	session *kernel.Session
	options Options
	same    map[expr.Expr]sameness
	classes map[string]int // by the node's own text and the classes of its children
	safe    map[expr.Expr]bool
}

func newEnv(s *kernel.Session, o Options) *env {
	return &env{session: s, options: o, same: map[expr.Expr]sameness{}, classes: map[string]int{}, safe: map[expr.Expr]bool{}}
}

// sameness tells expressions that compute the same from others.
type sameness struct {
	class  int  // equal for expressions that compute the same
	shared bool // false when the expression must not be shared: it is not deterministic
}

func (v *env) sameness(e expr.Expr) sameness {
	if a, ok := e.(*expr.Alias); ok {
		return v.sameness(a.Child)
	}
	if s, ok := v.same[e]; ok {
		return s
	}
	text, shared := ownKey(e)
	for _, c := range e.Children() {
		s := v.sameness(c)
		text = strconv.AppendInt(append(text, ','), int64(s.class), 36)
		shared = shared && s.shared
	}
	class, ok := v.classes[string(text)]
	if !ok {
		class = len(v.classes)
		v.classes[string(text)] = class
	}
	s := sameness{class, shared}
	v.same[e] = s
	return s
}

// ownKey is the text of a node without its children; false when the node gives another value each time.
func ownKey(e expr.Expr) (b []byte, shared bool) {
	switch x := e.(type) {
	case *expr.Column:
		return strconv.AppendUint(append(b, '#'), uint64(x.ID), 10), true
	case *expr.LambdaVar:
		return strconv.AppendUint(append(b, "λ"...), uint64(x.ID), 10), true
	case *expr.Literal:
		return fmt.Appendf(b, "%T:%v:%s", x.Value, x.Value, x.T), true
	case *expr.Cast:
		return fmt.Appendf(b, "cast%d:%s", x.Mode, x.To.SQL()), true
	case *expr.Call:
		r, ok := function.Lookup(x.Name)
		return fmt.Appendf(b, "%s:%d:%d:%s", x.Name, x.Mode, x.Seed, x.T), ok && !r.NonDeterministic
	case *expr.Lambda:
		b = append(b, "lambda"...)
		for _, p := range x.Params {
			b = append(strconv.AppendUint(b, uint64(p.ID), 10), ':')
		}
		return b, true
	case *expr.Subquery:
		return fmt.Appendf(b, "subquery%d:%p", x.ID, x), true
	}
	return fmt.Appendf(b, "%T:%s", e, e.SQL()), true
}

// Safe says whether evaluating e never fails and gives the same value each time, so that it may run on rows nobody asked for.
func Safe(e expr.Expr) bool { return newEnv(nil, Options{}).isSafe(e) }

func (v *env) isSafe(e expr.Expr) bool {
	safe, known := v.safe[e]
	if !known {
		safe = v.findSafe(e)
		v.safe[e] = safe
	}
	return safe
}

func (v *env) findSafe(e expr.Expr) bool {
	switch x := e.(type) {
	case *expr.Literal, *expr.Column, *expr.LambdaVar:
		return true
	case *expr.Cast:
		if !kernel.CastNeverFails(x.Child.Type(), x.To, function.Mode(x.Mode)) {
			return false
		}
	case *expr.Call:
		r, ok := function.Lookup(x.Name)
		if ok && r.Replace != nil {
			e, err := replaced(r, x, &kernel.Session{Zone: time.UTC, Ansi: x.Mode != expr.CastLegacy})
			return err == nil && v.isSafe(e)
		}
		if !ok || r.NonDeterministic || r.Total == nil || !r.Total(x) {
			return false
		}
	case *expr.Alias, *expr.SortOrder:
	default:
		return false
	}
	for _, c := range e.Children() {
		if !v.isSafe(c) {
			return false
		}
	}
	return true
}
