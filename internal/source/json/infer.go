package json

import (
	"sort"

	"github.com/firesteel/firesteel/internal/source/csv"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Inferrer finds a schema that holds all records.
type Inferrer struct {
	o       Options
	s       scanner
	root    shape
	corrupt bool
	twice   string // a name that some object has twice
}

// shape is what has been seen at one place of the records.
type shape struct {
	scalar types.Type // of the values that are neither objects nor arrays; VOID: none seen
	object map[string]*shape
	elem   *shape
}

// NewInferrer makes an inferrer.
func NewInferrer(o Options) *Inferrer {
	return &Inferrer{o: o, s: scanner{Syntax: o.Syntax}}
}

// Add looks at a record. One that is not JSON tells nothing, so it is checked first.
func (in *Inferrer) Add(b []byte) {
	in.s.b, in.s.p, in.s.depth = b, 0, 0
	if in.s.skip() != nil {
		in.corrupt = true
		return
	}
	in.s.p = 0
	k, err := in.s.peek()
	switch {
	case err != nil:
	case k == objectKind:
		err = in.value(&in.root, k)
	case k == arrayKind:
		err = in.rows()
	default:
		err = errSyntax
	}
	in.corrupt = in.corrupt || err != nil
}

// rows looks at the elements of a top-level array.
func (in *Inferrer) rows() error {
	more, err := in.s.enter(']')
	for more && err == nil {
		var k kind
		if k, err = in.s.peek(); err == nil && k == objectKind {
			err = in.value(&in.root, k)
		} else if err == nil {
			err = errSyntax
		}
		if err == nil {
			more, err = in.s.after(']')
		}
	}
	return err
}

func (in *Inferrer) next(at *shape) error {
	k, err := in.s.peek()
	if err != nil {
		return err
	}
	return in.value(at, k)
}

func (in *Inferrer) value(at *shape, k kind) error {
	switch k {
	case objectKind:
		return in.object(at)
	case arrayKind:
		if at.elem == nil {
			at.elem = &shape{}
		}
		more, err := in.s.enter(']')
		for more && err == nil {
			if err = in.next(at.elem); err == nil {
				more, err = in.s.after(']')
			}
		}
		return err
	case textKind:
		v, _, err := in.s.text()
		if err == nil && len(v) > 0 {
			at.add(in.textType(string(v)))
		}
		return err
	}
	t, err := in.s.scalar(k)
	if err == nil && k != nullKind {
		at.add(in.scalarType(t))
	}
	return err
}

func (in *Inferrer) object(at *shape) error {
	if at.object == nil {
		at.object = map[string]*shape{}
	}
	var seen []string
	more, err := in.s.enter('}')
	for more && err == nil {
		var name []byte
		if name, err = in.s.name(); err != nil {
			return err
		}
		kid := at.object[string(name)]
		if kid == nil {
			kid = &shape{}
			at.object[string(name)] = kid
		}
		for _, s := range seen {
			if s == string(name) {
				in.twice = s
			}
		}
		seen = append(seen, string(name))
		if err = in.next(kid); err == nil {
			more, err = in.s.after('}')
		}
	}
	return err
}

func (in *Inferrer) textType(s string) types.Type {
	if in.o.PrefersDecimal {
		if t, ok := decimalType(s); ok {
			return t
		}
	}
	if in.o.InferTimestamp {
		if _, ok := in.o.Formats.Timestamp(s); ok {
			return types.Timestamp
		}
	}
	return types.String
}

func decimalType(s string) (types.Type, bool) {
	v, scale, ok := types.ParseDecimal(s)
	if !ok {
		return types.Type{}, false
	}
	p := max(v.Digits(), scale, 1)
	return types.Decimal(p, scale), p <= types.MaxPrecision
}

func (in *Inferrer) scalarType(t token) types.Type {
	if in.o.PrimitivesAsText {
		return types.String
	}
	s := string(in.s.b[t.from:t.to])
	switch t.kind {
	case trueKind, falseKind:
		return types.Boolean
	case intKind:
		if _, ok := types.ParseLong(s, -1<<63, 1<<63-1, false); ok {
			return types.Long
		}
		if d, ok := decimalType(s); ok {
			return d
		}
	case floatKind:
		if d, ok := decimalType(s); ok && in.o.PrefersDecimal {
			return d
		}
	}
	return types.Double
}

func (at *shape) add(t types.Type) { at.scalar = widen(at.scalar, t) }

// widen is the type for values of two types.
func widen(a, b types.Type) types.Type {
	switch {
	case a.Kind == types.NullKind || a.Equal(b):
		return b
	case b.Kind == types.NullKind:
		return a
	case a.IsNumeric() && b.IsNumeric():
		if a.Kind == types.DoubleKind || b.Kind == types.DoubleKind {
			return types.Double
		}
		a, b = types.DecimalFor(a), types.DecimalFor(b)
		scale := max(a.Scale, b.Scale)
		whole := max(a.Precision-a.Scale, b.Precision-b.Scale)
		if int(whole)+int(scale) > types.MaxPrecision {
			return types.Double
		}
		return types.Decimal(int(whole+scale), int(scale))
	}
	return types.String
}

// merged is the type of a place, ok false if there is nothing to tell (objects without members).
func (at *shape) merged(o *Options) (t types.Type, ok bool) {
	kinds := 0
	if at.scalar.Kind != types.NullKind {
		t, ok = at.scalar, true
		kinds++
	}
	if at.object != nil {
		fields := at.fields(o)
		t, ok = types.Struct(fields...), len(fields) > 0
		kinds++
	}
	if at.elem != nil {
		var e types.Type
		if e, ok = at.elem.merged(o); ok {
			t = types.Array(e, true)
		}
		kinds++
	}
	switch {
	case kinds > 1:
		return types.String, true
	case kinds == 0:
		return types.String, !o.DropNullFields
	}
	return t, ok
}

// fields are an object's members, by name.
func (at *shape) fields(o *Options) []types.Field {
	var out []types.Field
	for name, k := range at.object {
		if t, ok := k.merged(o); ok {
			out = append(out, types.Field{Name: name, Type: t, Nullable: true})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Schema is the schema of all records so far. Records that are no JSON need the corrupt column, or are an error.
func (in *Inferrer) Schema() (*types.Schema, error) {
	if in.corrupt && in.o.Mode == csv.FailFast {
		return nil, sparkerr.New("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", in.o.CorruptColumn, "failFastMode", "FAILFAST")
	}
	if in.twice != "" {
		return nil, alreadyExists(in.twice)
	}
	if in.corrupt && in.o.Mode == csv.Permissive {
		if in.root.object == nil {
			in.root.object = map[string]*shape{}
		}
		in.root.object[in.o.CorruptColumn] = &shape{scalar: types.String}
	}
	return types.NewSchema(in.root.fields(&in.o)...), nil
}

func alreadyExists(name string) error {
	return sparkerr.New("COLUMN_ALREADY_EXISTS", "columnName", types.Quote(name))
}
