package types

// Tightest is the narrowest type that two types share without losing anything (ANSI precedence lists).
func Tightest(a, b Type) (Type, bool) {
	switch {
	case a.Equal(b):
		return a, true
	case a.Kind == NullKind:
		return b, true
	case b.Kind == NullKind:
		return a, true
	case a.IsIntegral() && b.Kind == DecimalKind && holdsIntegral(b, a):
		return b, true
	case b.IsIntegral() && a.Kind == DecimalKind && holdsIntegral(a, b):
		return a, true
	case a.IsNumeric() && b.IsNumeric() && a.Kind != DecimalKind && b.Kind != DecimalKind:
		return tightestNumber(a, b), true
	case a.IsDatetime() && b.IsDatetime():
		return widerDatetime(a, b), true
	case a.Kind == b.Kind && a.IsInterval():
		a.From, a.To = min(a.From, b.From), max(a.To, b.To)
		return a, true
	case a.Kind == TimeKind && b.Kind == TimeKind:
		a.Precision = max(a.Precision, b.Precision)
		return a, true
	case a.Kind == StringKind && b.Kind == StringKind && a.Collation == b.Collation:
		return Type{Kind: StringKind, Collation: a.Collation}, true
	}
	return complexType(a, b, Tightest)
}

// holdsIntegral says whether every value of the integral type fits the decimal.
func holdsIntegral(dec, integral Type) bool {
	n := DecimalFor(integral)
	return dec.Precision-dec.Scale >= n.Precision
}

// tightestNumber: an integer and a float meet in double, so that no digits are lost.
func tightestNumber(a, b Type) Type {
	if a.Kind < b.Kind {
		a = b
	}
	if a.Kind == FloatKind {
		return Double
	}
	return a
}

func widerDatetime(a, b Type) Type {
	if a.Kind == TimestampKind || b.Kind == TimestampKind {
		return Timestamp
	}
	return TimestampNTZ
}

// complexType merges nested types part by part.
func complexType(a, b Type, f func(a, b Type) (Type, bool)) (Type, bool) {
	if a.Kind != b.Kind || !a.IsNested() {
		return Type{}, false
	}
	switch a.Kind {
	case ArrayKind:
		e, ok := f(a.Elem(), b.Elem())
		return Array(e, a.ContainsNull() || b.ContainsNull()), ok
	case MapKind:
		k, ok1 := f(a.Key(), b.Key())
		v, ok2 := f(a.Elem(), b.Elem())
		return Map(k, v, a.ContainsNull() || b.ContainsNull()), ok1 && ok2
	}
	fa, fb := a.Fields(), b.Fields()
	if len(fa) != len(fb) {
		return Type{}, false
	}
	out := make([]Field, len(fa))
	for i := range fa {
		t, ok := f(fa[i].Type, fb[i].Type)
		if !ok || !sameName(fa[i].Name, fb[i].Name) {
			return Type{}, false
		}
		out[i] = Field{Name: fa[i].Name, Type: t, Nullable: fa[i].Nullable || fb[i].Nullable}
	}
	return Struct(out...), true
}

// sameName compares names without regard to the case of ASCII letters.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// Wider is the common type of two expressions, as CASE, IN, UNION and COALESCE need it: the tightest one, else a wider
// decimal, else what text is promoted to.
func Wider(a, b Type) (Type, bool) {
	if t, ok := Tightest(a, b); ok {
		return t, true
	}
	if t, ok := widerWithDecimal(a, b); ok {
		return t, true
	}
	if t, ok := PromoteString(a, b); ok {
		return t, true
	}
	return complexType(a, b, Wider)
}

func widerWithDecimal(a, b Type) (Type, bool) {
	if b.Kind == DecimalKind && a.Kind != DecimalKind {
		a, b = b, a
	}
	switch {
	case a.Kind != DecimalKind:
		return Type{}, false
	case b.IsFractional():
		return Double, true
	case b.Kind == DecimalKind || b.IsIntegral():
		return WiderDecimal(a, DecimalFor(b)), true
	}
	return Type{}, false
}

// PromoteString is what text becomes beside another type: BIGINT beside integers, DOUBLE beside other numbers, else the
// other atomic type. Intervals are not promoted to.
func PromoteString(a, b Type) (Type, bool) {
	if a.Kind != StringKind {
		a, b = b, a
	}
	switch {
	case a.Kind != StringKind || b.Kind == StringKind && a != b:
		return Type{}, false
	case b.IsIntegral():
		return Long, true
	case b.IsNumeric():
		return Double, true
	case b.Kind == NullKind:
		return a, true
	case b.IsInterval(), b.Kind == CalendarKind, b.IsNested(), b.Kind == VariantKind:
		return Type{}, false
	}
	return b, true
}

// WiderOf folds Wider over a list; false when two types have nothing in common.
func WiderOf(list []Type) (Type, bool) {
	out, ok := Null, true
	for _, t := range list {
		if out, ok = Wider(out, t); !ok {
			return Type{}, false
		}
	}
	return out, true
}

// CanStoreAssign says whether a value may be written to a column of another type under ANSI store assignment.
func CanStoreAssign(from, to Type) bool {
	switch {
	case from.SameType(to), from.Kind == NullKind:
		return true
	case from.IsNumeric() && to.IsNumeric(), from.IsDatetime() && to.IsDatetime():
		return true
	case to.Kind == StringKind:
		return !from.IsNested() && from.Kind != VariantKind
	case from.Kind == to.Kind && (from.IsInterval() || from.Kind == TimeKind):
		return true
	case from.Kind != to.Kind || !from.IsNested():
		return false
	}
	return nestedCast(from, to, CanStoreAssign, false)
}

// nestedCast checks a nested type part by part; nulls may not go where none are allowed unless force is set.
func nestedCast(from, to Type, f func(from, to Type) bool, force bool) bool {
	switch from.Kind {
	case ArrayKind:
		return f(from.Elem(), to.Elem()) && (force || !from.ContainsNull() || to.ContainsNull())
	case MapKind:
		return f(from.Key(), to.Key()) && f(from.Elem(), to.Elem()) && (force || !from.ContainsNull() || to.ContainsNull())
	}
	a, b := from.Fields(), to.Fields()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !f(a[i].Type, b[i].Type) || !force && a[i].Nullable && !b[i].Nullable {
			return false
		}
	}
	return true
}

// CanCast says whether CAST between two types exists: ANSI rules, or the wider legacy rules.
func CanCast(from, to Type, ansi bool) bool {
	if from.IsNested() || to.IsNested() || from.Kind == VariantKind || to.Kind == VariantKind {
		return canCastNested(from, to, ansi)
	}
	switch {
	case from.Kind == NullKind, from.Kind == to.Kind, to.Kind == StringKind:
		return true
	case from.Kind == StringKind:
		return true
	}
	switch to.Kind {
	case BinaryKind:
		return from.IsIntegral() && !ansi
	case BooleanKind:
		return from.IsNumeric() || !ansi && from.IsDatetime()
	case DateKind:
		return from.Kind == TimestampKind || from.Kind == TimestampNTZKind
	case TimestampKind:
		return from.IsDatetime() || from.IsNumeric() || !ansi && from.Kind == BooleanKind
	case TimestampNTZKind:
		return from.IsDatetime()
	case TimeKind:
		return from.Kind == TimestampKind || from.Kind == TimestampNTZKind
	case YearMonthKind, DayTimeKind:
		return from.IsIntegral() || from.Kind == DecimalKind
	case CalendarKind, NullKind:
		return false
	}
	// numbers
	return from.IsNumeric() || from.Kind == BooleanKind || from.Kind == TimestampKind || from.Kind == TimeKind && to.IsNumeric() ||
		from.IsInterval() && (to.IsIntegral() || to.Kind == DecimalKind) || !ansi && from.IsDatetime()
}

func canCastNested(from, to Type, ansi bool) bool {
	switch {
	case from.Kind == NullKind, to.Kind == StringKind, from.Kind == VariantKind && to.Kind == VariantKind:
		return true
	case to.Kind == VariantKind:
		return variantLike(from)
	case from.Kind == VariantKind:
		return variantLike(to)
	case from.Kind != to.Kind:
		return false
	}
	// A cast that may make nulls may not fill parts that allow none; ANSI casts fail instead.
	return nestedCast(from, to, func(f, t Type) bool { return CanCast(f, t, ansi) }, false)
}

// variantLike are the types that a variant can hold.
func variantLike(t Type) bool {
	switch t.Kind {
	case ArrayKind:
		return variantLike(t.Elem())
	case MapKind:
		return t.Key().Kind == StringKind && variantLike(t.Elem())
	case StructKind:
		for _, f := range t.Fields() {
			if !variantLike(f.Type) {
				return false
			}
		}
		return true
	}
	return !t.IsInterval() && t.Kind != CalendarKind
}

// IsOrderable says whether values of the type can be compared by <; maps, variants and intervals of the old kind cannot.
func (t Type) IsOrderable() bool {
	switch t.Kind {
	case MapKind, VariantKind, CalendarKind:
		return false
	case ArrayKind:
		return t.Elem().IsOrderable()
	case StructKind:
		for _, f := range t.Fields() {
			if !f.Type.IsOrderable() {
				return false
			}
		}
	}
	return true
}

// HasMap says whether a map is somewhere inside the type.
func (t Type) HasMap() bool {
	switch t.Kind {
	case MapKind:
		return true
	case ArrayKind:
		return t.Elem().HasMap()
	case StructKind:
		for _, f := range t.Fields() {
			if f.Type.HasMap() {
				return true
			}
		}
	}
	return false
}

// WiderPlain is WiderOf without promotion of text, as GREATEST and LEAST need it.
func WiderPlain(list []Type) (Type, bool) {
	out := Null
	for _, t := range list {
		w, ok := Tightest(out, t)
		if !ok {
			w, ok = widerWithDecimal(out, t)
		}
		if !ok {
			return Type{}, false
		}
		out = w
	}
	return out, true
}
