package expr

import (
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// infix are the operators printed between their two operands, with the text in between.
var infix = map[string]string{
	"+": "+", "-": "-", "*": "*", "/": "/", "%": "%", "div": "div", "=": "=", "==": "=", "<=>": "<=>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
	"and": "AND", "or": "OR", "&": "&", "|": "|", "^": "^", "<<": "<<", ">>": ">>", ">>>": ">>>",
}

// call prints a call as Spark does: operators in infix form, CASE, LIKE and the like in their own forms, the rest as name(args).
func (p *printer) call(name string, args []Expr) {
	if len(args) > 1 && hidesOptions[name] {
		args = args[:1]
	}
	switch len(args) {
	case 1:
		if p.unary(name, args[0]) {
			return
		}
	case 2:
		if op, ok := infix[name]; ok {
			p.text("(")
			p.expr(args[0])
			p.text(" ", op, " ")
			p.expr(args[1])
			p.text(")")
			return
		}
		if p.binary(name, args[0], args[1]) {
			return
		}
	}
	if p.special(name, args) {
		return
	}
	p.named(name, args)
}

// bare are the functions whose arguments are not printed: the resolver fills them in.
var bare = map[string]bool{"rank": true, "dense_rank": true, "percent_rank": true}

// named prints name(args), with the last arguments spelled out that Spark puts in when they are left out.
func (p *printer) named(name string, args []Expr) {
	if bare[name] {
		args = nil
	}
	if firstOnly[name] && len(args) == 2 {
		args = args[:1]
	}
	if name == "mode" && len(args) == 2 {
		p.mode(args)
		return
	}
	if (name == "ceil" || name == "floor") && len(args) > 1 {
		p.text(name, "(")
	} else {
		p.text(shownName(name), "(")
	}
	if name == "log" && len(args) == 1 {
		p.text("E(), ")
	}
	p.list(args)
	if d, ok := leftOut[name]; ok && len(args) == d.given {
		p.text(", ", d.text)
	}
	p.text(")")
}

// mode prints a mode: one that promises the lowest value shows it as an order.
func (p *printer) mode(args []Expr) {
	if l, ok := args[1].(*Literal); ok && l.Value == true {
		p.text("mode() WITHIN GROUP (ORDER BY ")
		p.expr(args[0])
		p.text(" DESC)")
		return
	}
	p.text("mode(")
	p.expr(args[0])
	p.text(")")
}

// firstOnly are the aggregates whose second argument is a setting that is not printed.
var firstOnly = map[string]bool{"approx_count_distinct": true, "first": true, "first_value": true, "last": true, "last_value": true, "any_value": true}

// leftOut are the printed values of last arguments that were not given.
var leftOut = map[string]struct {
	given int
	text  string
}{"substring": {2, "2147483647"}, "substr": {2, "2147483647"}, "percentile_approx": {2, "10000"}, "approx_percentile": {2, "10000"}, "percentile": {2, "1"},
	"aggregate": {3, "lambdafunction(namedlambdavariable(), namedlambdavariable())"},
	"reduce":    {3, "lambdafunction(namedlambdavariable(), namedlambdavariable())"}}

// UnaryMinus is the name of a minus sign before an operand; a call of negative is printed as one.
const UnaryMinus = "unary_minus"

// unaries are the operators of one operand: what stands before and after it.
var unaries = map[string][2]string{"not": {"(NOT ", ")"}, "!": {"(NOT ", ")"}, UnaryMinus: {"(- ", ")"}, "positive": {"(+ ", ")"}, "~": {"~", ""},
	"isnull": {"(", " IS NULL)"}, "isnotnull": {"(", " IS NOT NULL)"}}

func (p *printer) unary(name string, a Expr) bool {
	u, ok := unaries[name]
	if !ok {
		return false
	}
	p.text(u[0])
	p.expr(a)
	p.text(u[1])
	return true
}

func (p *printer) binary(name string, a, b Expr) bool {
	if op, ok := grouped[name]; ok {
		p.text("(")
		p.expr(a)
		p.text(" ", op, " ")
		p.expr(b)
		p.text(")")
		return true
	}
	switch name {
	case "trim", "btrim", "ltrim", "rtrim":
		if name == "btrim" {
			return false
		}
		p.text("TRIM(", map[string]string{"trim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name], " ")
		p.expr(b)
		p.text(" FROM ")
		p.expr(a)
		p.text(")")
	case "!=", "<>":
		p.text("(NOT (")
		p.expr(a)
		p.text(" = ")
		p.expr(b)
		p.text("))")
	case "get_field", "get_array_struct_fields":
		p.expr(a)
		p.text(".")
		p.expr(b)
	case "get_item":
		p.expr(a)
		p.text("[")
		p.expr(b)
		p.text("]")
	case "like":
		p.expr(a)
		p.text(" LIKE ")
		p.expr(b)
	case "||":
		p.text("concat(")
		p.expr(a)
		p.text(", ")
		p.expr(b)
		p.text(")")
	default:
		return p.shifted(name, a, b)
	}
	return true
}

// grouped are operators on dates and intervals that are functions of their own, printed as what was written.
var grouped = map[string]string{"sub_dates": "-", "sub_timestamps": "-", "sub_times": "-", "mul_interval": "*", "div_interval": "/"}

// shifted are sums of a time and an interval, which are printed without parentheses.
func (p *printer) shifted(name string, a, b Expr) bool {
	op := ""
	switch name {
	case "add_interval", "timestamp_add_interval", "date_add_interval", "timestamp_add_ym_interval", "date_add_ym_interval":
		op = " + "
	case "sub_interval":
		op = " - "
	default:
		return false
	}
	p.expr(a)
	p.text(op)
	p.expr(b)
	return true
}

func (p *printer) special(name string, args []Expr) bool {
	switch {
	case name == "in" && len(args) > 1:
		p.text("(")
		p.expr(args[0])
		p.text(" IN (")
		p.list(args[1:])
		p.text("))")
	case name == "when" || name == "case":
		p.caseWhen(args)
	case name == "if" && len(args) == 3:
		p.text("(IF(")
		p.list(args)
		p.text("))")
	case name == "like" && len(args) == 3:
		p.expr(args[0])
		p.text(" LIKE ")
		p.expr(args[1])
		if l, ok := args[2].(*Literal); !ok || l.Value != "\\" {
			p.text(" ESCAPE '")
			p.expr(args[2])
			p.text("'")
		}
	case name == "ilike" && len(args) == 3 && isBackslash(args[2]):
		p.text("ilike(")
		p.list(args[:2])
		p.text(")")
	case (name == "extract" || name == "datepart") && len(args) == 2:
		p.text(name, "(")
		p.expr(args[0])
		p.text(" FROM ")
		p.expr(args[1])
		p.text(")")
	case len(args) > 1 && (name == "like_any" || name == "like_all" || name == "not_like_any" || name == "not_like_all" ||
		name == "likeany" || name == "likeall" || name == "notlikeany" || name == "notlikeall"):
		p.text(strings.ReplaceAll(name, "_", ""), "(")
		p.expr(args[0])
		p.text(")")
	default:
		return false
	}
	return true
}

func isBackslash(e Expr) bool {
	l, ok := e.(*Literal)
	return ok && l.T.Kind == types.StringKind && l.Value == "\\"
}

// caseWhen prints Call "when": condition and value pairs, then an else value when their number is odd.
func (p *printer) caseWhen(args []Expr) {
	p.text("CASE")
	for len(args) >= 2 {
		p.text(" WHEN ")
		p.expr(args[0])
		p.text(" THEN ")
		p.expr(args[1])
		args = args[2:]
	}
	if len(args) == 1 {
		p.text(" ELSE ")
		p.expr(args[0])
	}
	p.text(" END")
}

// shownName is how a function's name is printed: mostly as it is.
func shownName(name string) string {
	if s, ok := shown[name]; ok {
		return s
	}
	return name
}

// hidesOptions lists functions that are printed with their first argument alone: schemas and options are settings.
var hidesOptions = map[string]bool{"from_json": true, "to_json": true, "schema_of_json": true, "from_csv": true, "to_csv": true, "schema_of_csv": true,
	"from_xml": true, "to_xml": true, "schema_of_xml": true}
