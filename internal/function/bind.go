package function

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Out gives the result type of a call from its coerced arguments.
type Out func(args []expr.Expr) types.Type

// to is a fixed result type; like is the type of argument i; elemOf the element type of argument i.
func to(t types.Type) Out { return func([]expr.Expr) types.Type { return t } }
func like(i int) Out      { return func(a []expr.Expr) types.Type { return a[i].Type() } }
func elemOf(i int) Out    { return func(a []expr.Expr) types.Type { return a[i].Type().Elem() } }

// Nullness says when a result may be null.
type Nullness uint8

// NullFromArgs: when an argument may be. NullAlways: at any time. NullNever: not at all.
const (
	NullFromArgs Nullness = iota
	NullAlways
	NullNever
)

// Sig describes a function with a plain argument list.
type Sig struct {
	In     []In
	Out    Out
	Null   Nullness
	Common []int                            // arguments cast to their common type, all when it is {-1}
	Plain  bool                             // Common without promotion of text
	Check  func(args []expr.Expr) error     // after coercion; errors get the call's place
	Rewr   func(args []expr.Expr) expr.Expr // the function is another expression over its coerced arguments
}

// sig makes a signature from the result and the arguments.
func sig(out Out, in ...In) *Sig { return &Sig{In: in, Out: out} }

func (s *Sig) nullable() *Sig { s.Null = NullAlways; return s }
func (s *Sig) never() *Sig    { s.Null = NullNever; return s }

// common casts all arguments to their common type.
func (s *Sig) common(args ...int) *Sig {
	if args == nil {
		args = []int{-1}
	}
	s.Common = args
	return s
}

func (s *Sig) check(f func(args []expr.Expr) error) *Sig { s.Check = f; return s }

// rewrite makes the function another expression over its coerced arguments.
func rewrite(f func(a []expr.Expr) expr.Expr, in ...In) *Sig { return &Sig{In: in, Rewr: f} }

// arity is the least and the largest number of arguments; -1 is no limit.
func (s *Sig) arity() (lo, hi int) {
	for _, c := range s.In {
		switch {
		case c.rep:
			return lo + c.min, -1
		case !c.opt:
			lo++
		}
		hi++
	}
	return lo, hi
}

// Bind looks up a call's function, checks and coerces its arguments and returns the resolved expression. Arguments are
// resolved already, lambdas apart.
func Bind(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, ok := find(call)
	if !ok {
		return nil, At(unresolved(env, call), call.At)
	}
	e, err := row.bind(env, call)
	if err != nil {
		return nil, At(err, call.At)
	}
	return e, nil
}

// find looks a name up: plain, or qualified by builtin or system.builtin.
func find(call *expr.Func) (*Row, bool) {
	n := len(call.Name)
	if n == 0 || n > 3 || n >= 2 && !strings.EqualFold(call.Name[n-2], "builtin") || n == 3 && !strings.EqualFold(call.Name[0], "system") {
		return nil, false
	}
	row, ok := Lookup(call.Name[n-1])
	return row, ok && (!row.Internal || call.Internal)
}

func unresolved(env *BindEnv, call *expr.Func) error {
	parts := make([]string, len(call.Name))
	for i, p := range call.Name {
		parts[i] = types.Quote(p)
	}
	path := "[`system`.`builtin`, `system`.`session`, " + types.Quote(env.Session.Catalog) + "." + types.Quote(env.Session.Database) + "]"
	return sparkerr.New("UNRESOLVED_ROUTINE", "routineName", strings.Join(parts, "."), "searchPath", path)
}

func (r *Row) bind(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	if err := r.checkSyntax(call); err != nil {
		return nil, err
	}
	args, err := r.arrange(call)
	if err != nil {
		return nil, err
	}
	q := *call
	q.Args = args
	if r.Bind != nil {
		return r.Bind(env, &q)
	}
	if r.Replace != nil {
		return r.bindReplaced(env, &q)
	}
	if r.Sig == nil {
		return nil, sparkerr.Unsupported("function " + r.Name)
	}
	return r.bindSig(env, &q)
}

// bindReplaced gives the call the type of what replaces it. A Sig, when there is one, only checks the number of arguments.
func (r *Row) bindReplaced(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	args := call.Args
	if r.Sig != nil {
		lo, hi := r.Sig.arity()
		if err := needArgs(call, lo, hi); err != nil {
			return nil, err
		}
		for i := len(args); i < len(r.Sig.In) && r.Sig.In[i].or != nil; i++ {
			args = append(args[:len(args):len(args)], r.Sig.In[i].or)
		}
	}
	e, err := r.Replace(env, args)
	if err != nil {
		return nil, err
	}
	return r.call(env, call, e.Type(), e.Nullable(), args...), nil
}

// bindCall binds a call by name: what Replace functions build their answer with.
func bindCall(env *BindEnv, name string, args ...expr.Expr) (expr.Expr, error) {
	return Bind(env, &expr.Func{Name: []string{name}, Args: args, Internal: true})
}

// Mode is a cast mode as kernels name it; the default is ANSI.
func Mode(m expr.CastMode) kernel.Mode {
	switch m {
	case expr.CastLegacy:
		return kernel.Legacy
	case expr.CastTry:
		return kernel.Try
	}
	return kernel.Ansi
}

// checkSyntax refuses DISTINCT, FILTER and so on where the function is no aggregate.
func (r *Row) checkSyntax(call *expr.Func) error {
	bad := ""
	switch {
	case r.Kind == Aggregate:
		return nil
	case call.Distinct:
		bad = "DISTINCT"
	case call.Filter != nil:
		bad = "FILTER CLAUSE"
	case call.Within:
		bad = "WITHIN GROUP (ORDER BY ...)"
	case call.IgnoreNulls && r.Kind != WindowFunc:
		bad = "IGNORE NULLS"
	default:
		return nil
	}
	return sparkerr.New("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "prettyName", types.Quote(r.Name), "syntax", bad)
}

// arrange puts named arguments in their places.
func (r *Row) arrange(call *expr.Func) ([]expr.Expr, error) {
	first := -1
	for i, a := range call.Args {
		if _, ok := a.(*expr.NamedArg); ok && first < 0 {
			first = i
		}
	}
	if first < 0 {
		return call.Args, nil
	}
	if len(r.Args) == 0 {
		return nil, sparkerr.New("NAMED_PARAMETERS_NOT_SUPPORTED", "functionName", types.Quote(r.Name))
	}
	out := make([]expr.Expr, len(r.Args))
	copy(out, call.Args[:min(first, len(out))])
	for _, a := range call.Args[first:] {
		if err := r.place(out, a, call.Args[first].(*expr.NamedArg).Name); err != nil {
			return nil, err
		}
	}
	return r.fillGaps(out)
}

func (r *Row) place(out []expr.Expr, a expr.Expr, firstName string) error {
	name := types.Quote(r.Name)
	named, ok := a.(*expr.NamedArg)
	if !ok {
		return sparkerr.New("UNEXPECTED_POSITIONAL_ARGUMENT", "routineName", name, "parameterName", types.Quote(firstName))
	}
	for i, n := range r.Args {
		if !strings.EqualFold(n, named.Name) {
			continue
		}
		if out[i] != nil {
			return sparkerr.New("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "routineName", name, "parameterName", types.Quote(n))
		}
		out[i] = named.Value
		return nil
	}
	list := make([]string, len(r.Args))
	for i, n := range r.Args {
		list[i] = types.Quote(n)
	}
	return sparkerr.New("UNRECOGNIZED_PARAMETER_NAME", "routineName", name, "argumentName", types.Quote(named.Name), "proposal", strings.Join(list, " "))
}

// fillGaps gives arguments that were left out between named ones their defaults and cuts those at the end.
func (r *Row) fillGaps(out []expr.Expr) ([]expr.Expr, error) {
	for len(out) > 0 && out[len(out)-1] == nil {
		out = out[:len(out)-1]
	}
	for i := range out {
		if out[i] != nil {
			continue
		}
		if r.Sig == nil || i >= len(r.Sig.In) || r.Sig.In[i].or == nil {
			return nil, sparkerr.New("REQUIRED_PARAMETER_NOT_FOUND", "routineName", types.Quote(r.Name), "parameterName", types.Quote(r.Args[i]),
				"index", strconv.Itoa(i))
		}
		out[i] = r.Sig.In[i].or
	}
	return out, nil
}

// wrongArgs is the error of a wrong number of arguments; hi < 0 means no upper limit.
func wrongArgs(name string, lo, hi, got int) error {
	want := strconv.Itoa(lo)
	switch {
	case hi < 0:
		want = "> " + strconv.Itoa(lo-1)
	case hi > lo:
		list := make([]string, 0, hi-lo+1)
		for i := lo; i <= hi; i++ {
			list = append(list, strconv.Itoa(i))
		}
		want = "[" + strings.Join(list, ", ") + "]"
	}
	return sparkerr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", types.Quote(name), "expectedNum", want, "actualNum", strconv.Itoa(got),
		"docroot", docroot)
}

const docroot = "https://spark.apache.org/docs/latest"

// needArgs checks the number of arguments of a function with its own Bind.
func needArgs(call *expr.Func, lo, hi int) error {
	if n := len(call.Args); n < lo || hi >= 0 && n > hi {
		return wrongArgs(strings.ToLower(call.Name[len(call.Name)-1]), lo, hi, n)
	}
	return nil
}

// bindSig binds by signature.
func (r *Row) bindSig(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	lo, hi := r.Sig.arity()
	if err := needArgs(call, lo, hi); err != nil {
		return nil, err
	}
	args := call.Args[:len(call.Args):len(call.Args)]
	for i := len(args); i < len(r.Sig.In) && r.Sig.In[i].or != nil; i++ {
		args = append(args, r.Sig.In[i].or)
	}
	args, err := r.coerce(env, call, args)
	if err != nil {
		return nil, err
	}
	if r.Sig.Check != nil {
		if err := r.Sig.Check(args); err != nil {
			return nil, err
		}
	}
	if r.Sig.Rewr != nil {
		return r.Sig.Rewr(args), nil
	}
	t := r.Sig.Out(args)
	null := r.Sig.Null == NullAlways
	for _, a := range args {
		null = null || r.Sig.Null == NullFromArgs && a.Nullable()
	}
	if r.Kind == Aggregate {
		return r.agg(env, call, t, r.Sig.Null != NullNever, args), nil
	}
	return r.call(env, call, t, null, args...), nil
}

// coerce casts the arguments to what the signature wants.
func (r *Row) coerce(env *BindEnv, call *expr.Func, args []expr.Expr) ([]expr.Expr, error) {
	if r.Sig.Common != nil {
		var err error
		if args, err = commonArgs(call, args, r.Sig.Common, r.Sig.Plain); err != nil {
			return nil, err
		}
	}
	out := make([]expr.Expr, len(args))
	for i, a := range args {
		c := r.Sig.In[min(i, len(r.Sig.In)-1)]
		if c.raw {
			out[i] = a
			continue
		}
		t, ok := c.implicit(a.Type(), env.Session.Ansi)
		if !ok {
			return nil, wrongType(call, i, c, a)
		}
		if c.fold && !Foldable(a) {
			return nil, notConstant(call, r.argName(i), c.target, a)
		}
		out[i] = castTo(env, a, t)
	}
	return out, nil
}

func (r *Row) argName(i int) string {
	if i < len(r.Args) {
		return r.Args[i]
	}
	return "arg" + strconv.Itoa(i+1)
}

func wrongType(call *expr.Func, i int, c In, a expr.Expr) error {
	return sparkerr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", quoted(call.SQL()), "paramIndex", Ordinal(i),
		"requiredType", c.printed(), "inputSql", quoted(a.SQL()), "inputType", quoted(a.Type().SQL()))
}

func notConstant(call *expr.Func, name string, t types.Type, a expr.Expr) error {
	return sparkerr.New("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", quoted(call.SQL()), "inputName", types.Quote(name),
		"inputType", quoted(t.SQL()), "inputExpr", quoted(a.SQL()))
}

// mismatch is a DATATYPE_MISMATCH of a call; kv are its further parameters.
func mismatch(sub string, call expr.Expr, kv ...string) error {
	return sparkerr.New("DATATYPE_MISMATCH."+sub, append([]string{"sqlExpr", quoted(call.SQL())}, kv...)...)
}

// commonArgs casts the listed arguments ({-1}: all) to their common type; plain: text is not promoted.
func commonArgs(call *expr.Func, args []expr.Expr, which []int, plain bool) ([]expr.Expr, error) {
	if which[0] < 0 {
		which = which[:0:0]
		for i := range args {
			which = append(which, i)
		}
	}
	var list []types.Type
	for _, i := range which {
		if i < len(args) {
			list = append(list, args[i].Type())
		}
	}
	wider := types.WiderOf
	if plain {
		wider = types.WiderPlain
	}
	t, ok := wider(list)
	if !ok {
		return nil, diffTypes(call, list)
	}
	out := append([]expr.Expr{}, args...)
	for _, i := range which {
		if i < len(out) {
			out[i] = castTo(nil, out[i], t)
		}
	}
	return out, nil
}

func diffTypes(call *expr.Func, list []types.Type) error {
	names := make([]string, len(list))
	for i, t := range list {
		names[i] = quoted(t.SQL())
	}
	return mismatch("DATA_DIFF_TYPES", call, "functionName", types.Quote(strings.ToLower(call.Name[len(call.Name)-1])),
		"dataType", "("+strings.Join(names, " or ")+")")
}

// call makes the resolved call of this row.
func (r *Row) call(env *BindEnv, f *expr.Func, t types.Type, null bool, args ...expr.Expr) *expr.Call {
	return &expr.Call{Name: r.printName(f), Args: args, T: t, Null: null, Mode: mode(env), At: f.At}
}

func (r *Row) agg(env *BindEnv, f *expr.Func, t types.Type, null bool, args []expr.Expr) *expr.Agg {
	return &expr.Agg{Name: r.printName(f), Args: args, Distinct: f.Distinct, Filter: f.Filter, Order: f.Order, IgnoreNulls: f.IgnoreNulls,
		T: t, Null: null, Mode: mode(env), At: f.At}
}

func (r *Row) printName(f *expr.Func) string {
	if r.OwnNames {
		return strings.ToLower(f.Name[len(f.Name)-1])
	}
	return r.Name
}

func mode(env *BindEnv) expr.CastMode {
	if env != nil && env.Session != nil && !env.Session.Ansi {
		return expr.CastLegacy
	}
	return expr.CastAnsi
}

// castTo is e as type t by an implicit cast; e itself when it has the type, a typed null for an untyped one.
func castTo(env *BindEnv, e expr.Expr, t types.Type) expr.Expr {
	from := e.Type()
	if from.Equal(t) || from.SameType(t) && !from.IsNested() || t.Kind == types.NullKind && from.Kind != types.NullKind {
		return e
	}
	if l, ok := e.(*expr.Literal); ok && l.Value == nil {
		return &expr.Literal{T: t, At: l.At}
	}
	return &expr.Cast{Child: e, To: t, Mode: mode(env), Implicit: true, At: originOf(e)}
}

// Cast is e as type t by an implicit cast in the session's mode.
func Cast(env *BindEnv, e expr.Expr, t types.Type) expr.Expr { return castTo(env, e, t) }

func originOf(e expr.Expr) *expr.Origin {
	switch x := e.(type) {
	case *expr.Literal:
		return x.At
	case *expr.Call:
		return x.At
	case *expr.Cast:
		return x.At
	}
	return nil
}

// Foldable says whether e is built of constants and deterministic functions only.
func Foldable(e expr.Expr) bool {
	switch x := e.(type) {
	case *expr.Literal:
		return true
	case *expr.Cast, *expr.Alias:
	case *expr.Call:
		if r, ok := Lookup(x.Name); !ok || r.NonDeterministic || r.Kind > Special {
			return false
		}
	default:
		return false
	}
	for _, c := range e.Children() {
		if _, lambda := c.(*expr.Lambda); lambda || !Foldable(c) {
			return false
		}
	}
	return true
}

// Deterministic says whether e gives the same value for the same row each time.
func Deterministic(e expr.Expr) bool {
	return !expr.Any(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Call)
		if !ok {
			return false
		}
		r, found := Lookup(c.Name)
		return found && r.NonDeterministic
	})
}

// At gives an error its place in the query.
func At(err error, o *expr.Origin) error {
	if e, ok := sparkerr.As(err); ok && o != nil {
		return e.At(Context(o))
	}
	return err
}

// Context is an origin as error messages carry it.
func Context(o *expr.Origin) *sparkerr.QueryContext {
	return &sparkerr.QueryContext{ObjectType: o.ObjectType, ObjectName: o.ObjectName, Start: o.Start, Stop: o.Stop, Line: o.Line, Pos: o.Pos,
		Text: o.Text, CallSite: o.CallSite, Fragment: o.Fragment, DataFrame: o.CallSite != ""}
}

var ordinals = [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
	"thirteenth", "fourteenth", "fifteenth", "sixteenth"}

// Ordinal names the i-th parameter, from 0.
func Ordinal(i int) string {
	if i < len(ordinals) {
		return ordinals[i]
	}
	return fmt.Sprintf("%dth", i+1)
}
