package logical

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// Canonical prints a resolved plan without what makes no difference to its rows: names, and which column ids it happened to get.
// Two plans with the same text yield the same result.
func Canonical(p Plan) string {
	w := canonicalWriter{ids: map[expr.ID]int{}}
	w.value(reflect.ValueOf(p))
	return w.String()
}

// CanonicalWith is Canonical for plans of other kinds. own prints what is known to it better; done says that this is all.
func CanonicalWith(p any, own func(x any) (text string, done bool)) string {
	w := canonicalWriter{ids: map[expr.ID]int{}, own: own}
	w.value(reflect.ValueOf(p))
	return w.String()
}

type canonicalWriter struct {
	strings.Builder
	ids map[expr.ID]int
	own func(any) (string, bool)
}

// id gives the columns numbers in the order in which they are met.
func (w *canonicalWriter) id(id expr.ID) string {
	n, ok := w.ids[id]
	if !ok {
		n = len(w.ids)
		w.ids[id] = n
	}
	return "#" + strconv.Itoa(n)
}

// known prints the types that have a form of their own.
func (w *canonicalWriter) known(x any) bool {
	if w.own != nil {
		text, done := w.own(x)
		if w.WriteString(text); done {
			return true
		}
	}
	switch x := x.(type) {
	case *expr.Column:
		if x != nil {
			w.WriteString(w.id(x.ID))
		}
	case *expr.Alias:
		w.value(reflect.ValueOf(x.Child))
		w.WriteString(" as " + w.id(x.ID))
	case *expr.Origin:
	case expr.ID:
		w.WriteString(w.id(x))
	case types.Type:
		w.WriteString(x.String())
	case *types.Schema:
		if x != nil {
			for _, f := range x.Fields {
				w.WriteString(f.Type.String() + ";")
			}
		}
	case *catalog.Table:
		if x != nil {
			fmt.Fprint(w, x.Name, x.Provider, x.Location, x.Paths)
		}
	case *columnar.Batch:
		w.batch(x)
	default:
		return false
	}
	return true
}

// batch writes a digest of a batch's rows, which may be many.
func (w *canonicalWriter) batch(b *columnar.Batch) {
	h := sha256.New()
	for c := range b.Cols {
		for r := range b.N {
			fmt.Fprintf(h, "%#v\n", b.Cols[c].ValueAt(r))
		}
	}
	fmt.Fprintf(w, "%d rows %x;", b.N, h.Sum(nil))
}

func (w *canonicalWriter) value(v reflect.Value) {
	if !v.IsValid() {
		return
	}
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() || v.CanInterface() && w.known(v.Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		w.value(v.Elem())
	case reflect.Struct:
		w.WriteString(v.Type().Name() + "{")
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				w.value(v.Field(i))
				w.WriteByte(' ')
			}
		}
		w.WriteByte('}')
	case reflect.Slice, reflect.Array:
		w.WriteByte('[')
		for i := range v.Len() {
			w.value(v.Index(i))
			w.WriteByte(' ')
		}
		w.WriteByte(']')
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		for _, k := range keys {
			fmt.Fprint(w, k, ":")
			w.value(v.MapIndex(k))
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
	default:
		fmt.Fprint(w, v)
	}
}
