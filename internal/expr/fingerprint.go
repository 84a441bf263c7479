package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// Fingerprint is a text that two expressions share exactly if they compute the same: columns count by id, names and
// origins do not. Subqueries count by their id.
func Fingerprint(e Expr) string {
	var b strings.Builder
	fingerprint(&b, e)
	return b.String()
}

// Head is the part of a Fingerprint that is the node's own, without its children.
func Head(e Expr) string {
	var b strings.Builder
	head(&b, e)
	return b.String()
}

func fingerprint(b *strings.Builder, e Expr) {
	if head(b, e) {
		return
	}
	b.WriteByte('(')
	for _, c := range e.Children() {
		fingerprint(b, c)
		b.WriteByte(',')
	}
	b.WriteByte(')')
}

// head writes the node itself; it says whether that is all.
func head(b *strings.Builder, e Expr) (leaf bool) {
	switch x := e.(type) {
	case *Column:
		b.WriteString("#" + strconv.FormatUint(uint64(x.ID), 10))
		return true
	case *Literal:
		fmt.Fprintf(b, "%s:%v(%T)", x.T, x.Value, x.Value)
		return true
	case *LambdaVar:
		fmt.Fprintf(b, "λ%d", x.ID)
		return true
	case *Subquery:
		fmt.Fprintf(b, "sub%d", x.ID)
	case *OuterRef:
		fmt.Fprintf(b, "outer%d", x.Col.ID)
	case *Alias:
		fmt.Fprintf(b, "as%d", x.ID)
	case *Cast:
		fmt.Fprintf(b, "cast%d %s", x.Mode, x.To)
	case *Call:
		fmt.Fprintf(b, "%s/%d/%d/%s", x.Name, x.Mode, x.Seed, x.T)
	case *Agg:
		fmt.Fprintf(b, "%s/%d/%v/%v/%v", x.Name, x.Mode, x.Distinct, x.IgnoreNulls, x.Filter != nil)
		fingerprintOrder(b, x.Order)
	case *Window:
		fmt.Fprintf(b, "over %d %d %d", x.Spec.Unit, x.Spec.Lower.Kind, x.Spec.Upper.Kind)
		fingerprintOrder(b, x.Spec.Order)
	case *SortOrder:
		fingerprintOrder(b, []SortOrder{*x})
	default:
		fmt.Fprintf(b, "%T", e)
	}
	return false
}

func fingerprintOrder(b *strings.Builder, order []SortOrder) {
	for _, o := range order {
		fmt.Fprintf(b, " %v%v", o.Desc, o.NullsFirst)
	}
}
