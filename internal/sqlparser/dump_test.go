package sqlparser

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// dump prints a plan, an expression or a part of one on one line: the node's name, then its fields that are not zero.
// Places and ids are left out.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v))
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	switch x := v.Interface().(type) {
	case expr.Expr:
		dumpExpr(b, x)
		return
	case expr.SortOrder:
		b.WriteString(dump(x.Child) + order(x))
		return
	case types.Type:
		b.WriteString(x.String())
		return
	case logical.JoinKind:
		b.WriteString(x.String())
		return
	case types.Field:
		b.WriteString(x.Name + " " + x.Type.String() + map[bool]string{false: " not null"}[x.Nullable] + x.Metadata)
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpValue(b, v.Elem())
	case reflect.Struct:
		dumpStruct(b, v)
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(" ")
			}
			dumpValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		b.WriteByte('{')
		for i, k := range keys {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(k.String() + "=")
			dumpValue(b, v.MapIndex(k))
		}
		b.WriteByte('}')
	case reflect.String:
		fmt.Fprintf(b, "%s", v.String())
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}

func order(o expr.SortOrder) string {
	s := ""
	if o.Desc {
		s = " desc"
	}
	if o.NullsFirst == o.Desc {
		s += map[bool]string{true: " nulls first", false: " nulls last"}[o.NullsFirst]
	}
	return s
}

func dumpStruct(b *strings.Builder, v reflect.Value) {
	t := v.Type()
	if t.Name() != "unary" && t.Name() != "Target" {
		b.WriteString(t.Name())
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	first := true
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "At" || f.Name == "ID" || v.Field(i).IsZero() || !f.IsExported() && f.Name != "unary" {
			continue
		}
		if !first {
			b.WriteString(", ")
		}
		first = false
		switch {
		case f.Anonymous:
			dumpEmbedded(b, v.Field(i))
			continue
		case f.Type.Kind() == reflect.Bool:
			b.WriteString(f.Name)
			continue
		}
		b.WriteString(f.Name + ": ")
		dumpValue(b, v.Field(i))
	}
}

// dumpEmbedded prints the fields of an embedded struct as if they were the outer one's.
func dumpEmbedded(b *strings.Builder, v reflect.Value) {
	t := v.Type()
	var parts []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Name != "At" && !v.Field(i).IsZero() {
			parts = append(parts, f.Name+": "+dump(v.Field(i).Interface()))
		}
	}
	b.WriteString(strings.Join(parts, ", "))
}

func dumpExpr(b *strings.Builder, e expr.Expr) {
	list := func(es []expr.Expr) string {
		parts := make([]string, len(es))
		for i, x := range es {
			parts[i] = dump(x)
		}
		return strings.Join(parts, ", ")
	}
	switch x := e.(type) {
	case nil:
		b.WriteString("nil")
	case *expr.Literal:
		b.WriteString(literalText(x))
	case *expr.Attribute:
		b.WriteString(strings.Join(x.Name, "."))
	case *expr.Star:
		b.WriteString(strings.Join(append(x.Target, "*"), "."))
		if x.Except != nil {
			fmt.Fprintf(b, " except %v", x.Except)
		}
	case *expr.Alias:
		b.WriteString(dump(x.Child) + " as " + x.Name)
	case *expr.MultiAlias:
		fmt.Fprintf(b, "%s as %v", dump(x.Child), x.Names)
	case *expr.Cast:
		mode := map[expr.CastMode]string{expr.CastDefault: "cast", expr.CastTry: "try_cast"}[x.Mode]
		b.WriteString(mode + "(" + dump(x.Child) + " as " + x.To.String() + ")")
	case *expr.Func:
		dumpFunc(b, x, list)
	case *expr.Extract:
		b.WriteString(dump(x.Child) + "[" + dump(x.Key) + "]")
	case *expr.Lambda:
		names := make([]string, len(x.Params))
		for i, p := range x.Params {
			names[i] = p.Name
		}
		b.WriteString("(" + strings.Join(names, " ") + ") -> " + dump(x.Body))
	case *expr.NamedArg:
		b.WriteString(x.Name + " => " + dump(x.Value))
	case *expr.Param:
		fmt.Fprintf(b, "param(%s %d)", x.Name, x.Index)
	case *expr.Identifier:
		b.WriteString("identifier(" + dump(x.Child) + ")")
		if x.Call != nil {
			b.WriteString("(" + list(x.Call.Args) + ")")
		}
	case *expr.Subquery:
		kinds := [...]string{"scalar", "exists", "in", "table", "array"}
		b.WriteString(kinds[x.Kind] + "{")
		if x.Values != nil {
			b.WriteString(list(x.Values) + ": ")
		}
		b.WriteString(dump(x.Plan) + "}")
	case *expr.Window:
		b.WriteString(dump(x.Func) + " over " + x.Spec.Ref + x.Spec.SQL())
	case *expr.GroupingSets:
		b.WriteString([...]string{"sets", "rollup", "cube"}[x.Kind] + dump(x.Sets))
	case *expr.Default:
		b.WriteString("DEFAULT")
	default:
		fmt.Fprintf(b, "?%T", e)
	}
}

func dumpFunc(b *strings.Builder, f *expr.Func, list func([]expr.Expr) string) {
	b.WriteString(strings.Join(f.Name, ".") + "(")
	if f.Distinct {
		b.WriteString("distinct ")
	}
	b.WriteString(list(f.Args) + ")")
	if f.Order != nil {
		parts := make([]string, len(f.Order))
		for i, o := range f.Order {
			parts[i] = dump(o.Child) + order(o)
		}
		b.WriteString(" within(" + strings.Join(parts, ", ") + ")")
	}
	if f.Filter != nil {
		b.WriteString(" filter(" + dump(f.Filter) + ")")
	}
	if f.IgnoreNulls {
		b.WriteString(" ignore nulls")
	}
}

// literalText is a value with its type, INT and plain strings excepted.
func literalText(l *expr.Literal) string {
	switch x := l.Value.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("%q", x)
	case int32:
		if l.T.Kind == types.IntKind {
			return fmt.Sprint(x)
		}
	case bool:
		return fmt.Sprint(x)
	case types.Int128:
		return types.FormatDecimal(x, int(l.T.Scale)) + ":" + l.T.String()
	}
	return fmt.Sprintf("%v:%s", l.Value, l.T)
}
