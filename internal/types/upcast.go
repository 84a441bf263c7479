package types

// CanUpCast says whether every value of from has the same meaning as to: casts that lose nothing.
func CanUpCast(from, to Type) bool {
	switch {
	case from.SameType(to), from.Kind == NullKind:
		return true
	case to.Kind == StringKind:
		return !from.IsNested() && from.Kind != BinaryKind && from.Kind != VariantKind
	case from.Kind == DecimalKind && to.Kind == DecimalKind:
		return to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	case from.IsIntegral() && to.Kind == DecimalKind:
		return holdsIntegral(to, from)
	case from.Kind == DecimalKind && to.IsIntegral():
		n := DecimalFor(to)
		return from.Scale == 0 && from.Precision < n.Precision
	case from.Kind == DecimalKind:
		return to.IsFractional()
	case from.IsNumeric() && to.IsNumeric():
		return from.Kind < to.Kind
	case from.Kind == DateKind:
		return to.Kind == TimestampKind || to.Kind == TimestampNTZKind
	case from.Kind == TimestampKind || from.Kind == TimestampNTZKind:
		return to.Kind == TimestampKind || to.Kind == TimestampNTZKind
	case from.IsInterval() && from.Kind == to.Kind:
		return true
	case from.Kind != to.Kind || !from.IsNested():
		return false
	}
	switch from.Kind {
	case ArrayKind:
		return CanUpCast(from.Elem(), to.Elem())
	case MapKind:
		return CanUpCast(from.Key(), to.Key()) && CanUpCast(from.Elem(), to.Elem())
	}
	a, b := from.Fields(), to.Fields()
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !CanUpCast(a[i].Type, b[i].Type) || a[i].Nullable && !b[i].Nullable {
			return false
		}
	}
	return true
}
