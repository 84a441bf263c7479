package expr

// Walk visits e and everything below it, parents first; f returns false to skip the children of a node.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, c := range e.Children() {
		Walk(c, f)
	}
}

// Any says whether some node of e satisfies f.
func Any(e Expr, f func(Expr) bool) bool {
	if f(e) {
		return true
	}
	for _, c := range e.Children() {
		if Any(c, f) {
			return true
		}
	}
	return false
}

// MapChildren applies f to the children and rebuilds e only if one changed.
func MapChildren(e Expr, f func(Expr) Expr) Expr {
	old := e.Children()
	var out []Expr
	for i, c := range old {
		n := f(c)
		if n != c && out == nil {
			out = append(make([]Expr, 0, len(old)), old[:i]...)
		}
		if out != nil {
			out = append(out, n)
		}
	}
	if out == nil {
		return e
	}
	return e.WithChildren(out)
}

// Up rewrites bottom-up: children first, then f on the node.
func Up(e Expr, f func(Expr) Expr) Expr {
	return f(MapChildren(e, func(c Expr) Expr { return Up(c, f) }))
}

// Down rewrites top-down: f on the node, then on the children of what it returned.
func Down(e Expr, f func(Expr) Expr) Expr {
	return MapChildren(f(e), func(c Expr) Expr { return Down(c, f) })
}

// Columns are the ids of all columns that e refers to (outer references not counted).
func Columns(e Expr, into map[ID]*Column) {
	Walk(e, func(x Expr) bool {
		if c, ok := x.(*Column); ok {
			into[c.ID] = c
		}
		return true
	})
}

// IsCall says whether e is a Call of that name, and returns it.
func IsCall(e Expr, name string) (*Call, bool) {
	c, ok := e.(*Call)
	return c, ok && c.Name == name
}

// Conjuncts splits a condition at its ANDs.
func Conjuncts(e Expr) []Expr {
	if c, ok := IsCall(e, "and"); ok && len(c.Args) == 2 {
		return append(Conjuncts(c.Args[0]), Conjuncts(c.Args[1])...)
	}
	if e == nil {
		return nil
	}
	return []Expr{e}
}
