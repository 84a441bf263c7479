package expr

import "github.com/firesteel/firesteel/internal/types"

func (e *Literal) Children() []Expr         { return nil }
func (e *Literal) WithChildren([]Expr) Expr { return e }
func (e *Literal) Type() types.Type         { return e.T }
func (e *Literal) Nullable() bool           { return e.Value == nil }

func (e *Column) Children() []Expr         { return nil }
func (e *Column) WithChildren([]Expr) Expr { return e }
func (e *Column) Type() types.Type         { return e.T }
func (e *Column) Nullable() bool           { return e.Null }

func (e *Alias) Children() []Expr           { return []Expr{e.Child} }
func (e *Alias) WithChildren(c []Expr) Expr { q := *e; q.Child = c[0]; return &q }
func (e *Alias) Type() types.Type           { return e.Child.Type() }
func (e *Alias) Nullable() bool             { return e.Child.Nullable() }

// Column is the reference to the alias's result.
func (e *Alias) Column() *Column {
	return &Column{ID: e.ID, Name: e.Name, T: e.Type(), Null: e.Nullable(), Qualifier: e.Qualifier, Metadata: e.Metadata}
}

// NewAlias names child with a fresh id.
func NewAlias(child Expr, name string) *Alias { return &Alias{Child: child, Name: name, ID: NextID()} }

func (e *Cast) Children() []Expr           { return []Expr{e.Child} }
func (e *Cast) WithChildren(c []Expr) Expr { q := *e; q.Child = c[0]; return &q }
func (e *Cast) Type() types.Type           { return e.To }

// Nullable: a TRY or legacy cast may turn a value into null.
func (e *Cast) Nullable() bool {
	return e.Child.Nullable() || e.Mode == CastTry || e.Mode == CastLegacy && !types.CastNeverNull(e.Child.Type(), e.To)
}

func (e *Call) Children() []Expr           { return e.Args }
func (e *Call) WithChildren(c []Expr) Expr { q := *e; q.Args = c; return &q }
func (e *Call) Type() types.Type           { return e.T }
func (e *Call) Nullable() bool             { return e.Null }

// Children of an Agg are its arguments, then the filter if there is one, then the order expressions.
func (e *Agg) Children() []Expr {
	c := e.Args[:len(e.Args):len(e.Args)]
	if e.Filter != nil {
		c = append(c, e.Filter)
	}
	return appendOrder(c, e.Order)
}
func (e *Agg) WithChildren(c []Expr) Expr {
	q := *e
	n := len(e.Args)
	q.Args, c = c[:n:n], c[n:]
	if e.Filter != nil {
		q.Filter, c = c[0], c[1:]
	}
	q.Order = withOrder(e.Order, c)
	return &q
}
func (e *Agg) Type() types.Type { return e.T }
func (e *Agg) Nullable() bool   { return e.Null }

func appendOrder(c []Expr, order []SortOrder) []Expr {
	for _, o := range order {
		c = append(c, o.Child)
	}
	return c
}

func withOrder(order []SortOrder, c []Expr) []SortOrder {
	if len(order) == 0 {
		return nil
	}
	out := make([]SortOrder, len(order))
	for i, o := range order {
		out[i] = SortOrder{c[i], o.Desc, o.NullsFirst}
	}
	return out
}

// SortOrder is an Expr too, so that ORDER BY lists can be walked; its one child is the ordered expression.
func (e *SortOrder) Children() []Expr           { return []Expr{e.Child} }
func (e *SortOrder) WithChildren(c []Expr) Expr { q := *e; q.Child = c[0]; return &q }
func (e *SortOrder) Type() types.Type           { return e.Child.Type() }
func (e *SortOrder) Nullable() bool             { return e.Child.Nullable() }

// Children of a Window: the function, the partition, the order, then the offsets of the bounds that have one.
func (e *Window) Children() []Expr {
	c := append([]Expr{e.Func}, e.Spec.Partition...)
	c = appendOrder(c, e.Spec.Order)
	for _, b := range []Bound{e.Spec.Lower, e.Spec.Upper} {
		if b.Offset != nil {
			c = append(c, b.Offset)
		}
	}
	return c
}
func (e *Window) WithChildren(c []Expr) Expr {
	q := *e
	q.Func, c = c[0], c[1:]
	n := len(e.Spec.Partition)
	q.Spec.Partition, c = c[:n:n], c[n:]
	n = len(e.Spec.Order)
	q.Spec.Order, c = withOrder(e.Spec.Order, c), c[n:]
	for _, b := range []*Bound{&q.Spec.Lower, &q.Spec.Upper} {
		if b.Offset != nil {
			b.Offset, c = c[0], c[1:]
		}
	}
	return &q
}
func (e *Window) Type() types.Type { return e.Func.Type() }
func (e *Window) Nullable() bool   { return e.Func.Nullable() }

func (e *Lambda) Children() []Expr           { return []Expr{e.Body} }
func (e *Lambda) WithChildren(c []Expr) Expr { q := *e; q.Body = c[0]; return &q }
func (e *Lambda) Type() types.Type           { return e.Body.Type() }
func (e *Lambda) Nullable() bool             { return e.Body.Nullable() }

func (e *LambdaVar) Children() []Expr         { return nil }
func (e *LambdaVar) WithChildren([]Expr) Expr { return e }
func (e *LambdaVar) Type() types.Type         { return e.T }
func (e *LambdaVar) Nullable() bool           { return e.Null }

// Children of a Subquery are its left side and its outer references; the plan is not an expression.
func (e *Subquery) Children() []Expr {
	return append(e.Values[:len(e.Values):len(e.Values)], e.Outer...)
}
func (e *Subquery) WithChildren(c []Expr) Expr {
	q := *e
	n := len(e.Values)
	q.Values, q.Outer = c[:n:n], c[n:]
	return &q
}
func (e *Subquery) Type() types.Type { return e.T }
func (e *Subquery) Nullable() bool   { return e.Null }

func (e *OuterRef) Children() []Expr         { return nil }
func (e *OuterRef) WithChildren([]Expr) Expr { return e }
func (e *OuterRef) Type() types.Type         { return e.Col.T }
func (e *OuterRef) Nullable() bool           { return e.Col.Null }

func (e *Attribute) Children() []Expr         { return nil }
func (e *Attribute) WithChildren([]Expr) Expr { return e }
func (e *Attribute) Type() types.Type         { return types.Null }
func (e *Attribute) Nullable() bool           { return true }

func (e *Star) Children() []Expr         { return nil }
func (e *Star) WithChildren([]Expr) Expr { return e }
func (e *Star) Type() types.Type         { return types.Null }
func (e *Star) Nullable() bool           { return true }

func (e *Regex) Children() []Expr         { return nil }
func (e *Regex) WithChildren([]Expr) Expr { return e }
func (e *Regex) Type() types.Type         { return types.Null }
func (e *Regex) Nullable() bool           { return true }

// Children of a Func: arguments, then the filter if there is one, then the order expressions.
func (e *Func) Children() []Expr {
	c := e.Args[:len(e.Args):len(e.Args)]
	if e.Filter != nil {
		c = append(c, e.Filter)
	}
	return appendOrder(c, e.Order)
}
func (e *Func) WithChildren(c []Expr) Expr {
	q := *e
	n := len(e.Args)
	q.Args, c = c[:n:n], c[n:]
	if e.Filter != nil {
		q.Filter, c = c[0], c[1:]
	}
	q.Order = withOrder(e.Order, c)
	return &q
}
func (e *Func) Type() types.Type { return types.Null }
func (e *Func) Nullable() bool   { return true }

func (e *Extract) Children() []Expr           { return []Expr{e.Child, e.Key} }
func (e *Extract) WithChildren(c []Expr) Expr { q := *e; q.Child, q.Key = c[0], c[1]; return &q }
func (e *Extract) Type() types.Type           { return types.Null }
func (e *Extract) Nullable() bool             { return true }

func (e *UpdateFields) Children() []Expr {
	if e.Value == nil {
		return []Expr{e.Child}
	}
	return []Expr{e.Child, e.Value}
}
func (e *UpdateFields) WithChildren(c []Expr) Expr {
	q := *e
	q.Child = c[0]
	if e.Value != nil {
		q.Value = c[1]
	}
	return &q
}
func (e *UpdateFields) Type() types.Type { return types.Null }
func (e *UpdateFields) Nullable() bool   { return true }

func (e *NamedArg) Children() []Expr           { return []Expr{e.Value} }
func (e *NamedArg) WithChildren(c []Expr) Expr { q := *e; q.Value = c[0]; return &q }
func (e *NamedArg) Type() types.Type           { return e.Value.Type() }
func (e *NamedArg) Nullable() bool             { return e.Value.Nullable() }

func (e *MultiAlias) Children() []Expr           { return []Expr{e.Child} }
func (e *MultiAlias) WithChildren(c []Expr) Expr { q := *e; q.Child = c[0]; return &q }
func (e *MultiAlias) Type() types.Type           { return e.Child.Type() }
func (e *MultiAlias) Nullable() bool             { return e.Child.Nullable() }

func (e *Param) Children() []Expr         { return nil }
func (e *Param) WithChildren([]Expr) Expr { return e }
func (e *Param) Type() types.Type         { return types.Null }
func (e *Param) Nullable() bool           { return true }

func (e *Identifier) Children() []Expr {
	if e.Call == nil {
		return []Expr{e.Child}
	}
	return append([]Expr{e.Child}, e.Call.Children()...)
}
func (e *Identifier) WithChildren(c []Expr) Expr {
	q := *e
	q.Child = c[0]
	if e.Call != nil {
		q.Call = e.Call.WithChildren(c[1:]).(*Func)
	}
	return &q
}
func (e *Identifier) Type() types.Type { return types.Null }
func (e *Identifier) Nullable() bool   { return true }

func (e *GroupingSets) Children() []Expr {
	var c []Expr
	for _, s := range e.Sets {
		c = append(c, s...)
	}
	return c
}
func (e *GroupingSets) WithChildren(c []Expr) Expr {
	q := &GroupingSets{Kind: e.Kind, Sets: make([][]Expr, len(e.Sets))}
	for i, s := range e.Sets {
		q.Sets[i], c = c[:len(s):len(s)], c[len(s):]
	}
	return q
}
func (e *GroupingSets) Type() types.Type { return types.Null }
func (e *GroupingSets) Nullable() bool   { return true }

func (e *Default) Children() []Expr         { return nil }
func (e *Default) WithChildren([]Expr) Expr { return e }
func (e *Default) Type() types.Type         { return types.Null }
func (e *Default) Nullable() bool           { return true }
