package types

// CastNeverNull says whether a legacy cast from one type to another yields a value for every value.
func CastNeverNull(from, to Type) bool {
	switch {
	case from.SameType(to):
		return true
	case to.Kind == StringKind:
		return true
	case from.Kind == StringKind, to.Kind == DecimalKind && from.Kind != BooleanKind:
		return false
	case from.IsNumeric() && to.IsNumeric(), from.Kind == BooleanKind && to.IsNumeric(), from.IsNumeric() && to.Kind == BooleanKind:
		return true
	case from.IsDatetime() && to.IsDatetime():
		return true
	}
	return false
}
