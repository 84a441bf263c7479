package parquet

import (
	"fmt"
	gostrings "strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Field says how one column or nested field of the wanted schema is read from a file.
type Field struct {
	Type types.Type
	kind fieldKind
	node *Node // leaf: its column; others: the group
	conv conversion
	def  int // definition level at which the value is not null
	rep  int // repetition level of the lists around
	// list, map: definition level at which an element is there
	elemDef int
	kids    []*Field
}

type fieldKind uint8

const (
	leafField fieldKind = iota
	structField
	listField
	mapField
	missingField
)

// Missing says that the file does not have the field: it reads as null.
func (f *Field) Missing() bool { return f.kind == missingField }

// MismatchError says that a column cannot be read as the type that is wanted.
type MismatchError struct {
	Column   string
	Expected types.Type
	Actual   string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("column %s: type %s cannot be read as %s", e.Column, e.Actual, e.Expected)
}

// AmbiguousError says that several fields of the file have a name when letter case is ignored.
type AmbiguousError struct {
	Name  string
	Found []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("found duplicate field(s) %q: [%s] in case-insensitive mode", e.Name, gostrings.Join(e.Found, ", "))
}

// Resolve finds how a top-level column is read as type t.
func (f *File) Resolve(name string, t types.Type, caseSensitive bool) (*Field, error) {
	r := resolver{caseSensitive, nil}
	return r.member(f.Root, name, t)
}

type resolver struct {
	caseSensitive bool
	path          []string
}

func (r *resolver) member(group *Node, name string, t types.Type) (*Field, error) {
	var found *Node
	var all []string
	for _, k := range group.Kids {
		if k.name == name {
			found, all = k, []string{name}
			break
		}
		if !r.caseSensitive && gostrings.EqualFold(k.name, name) {
			found, all = k, append(all, k.name)
		}
	}
	switch {
	case found == nil:
		return &Field{Type: t, kind: missingField, def: group.Def, rep: group.Rep}, nil
	case len(all) > 1:
		return nil, &AmbiguousError{name, all}
	}
	r.path = append(r.path, found.name)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	return r.field(found, t)
}

// field reads a node; a repeated one outside LIST and MAP is an array of required elements.
func (r *resolver) field(n *Node, t types.Type) (*Field, error) {
	if n.rep != Repeated {
		return r.value(n, t)
	}
	if t.Kind != types.ArrayKind {
		return nil, r.mismatch(n, t)
	}
	elem, err := r.value(n, t.Elem())
	return &Field{Type: t, kind: listField, node: n, def: n.Def - 1, rep: n.Rep - 1, elemDef: n.Def, kids: []*Field{elem}}, err
}

func (r *resolver) mismatch(n *Node, t types.Type) error {
	actual := n.phys.String()
	if n.isGroup() {
		actual = "group"
	}
	return &MismatchError{"[" + gostrings.Join(r.path, ", ") + "]", t, actual}
}

// value reads a node without regard of its own repetition.
func (r *resolver) value(n *Node, t types.Type) (*Field, error) {
	if !n.isGroup() {
		c, ok := conversionTo(n, t)
		if !ok {
			return nil, r.mismatch(n, t)
		}
		return &Field{Type: t, kind: leafField, node: n, conv: c, def: n.Def, rep: n.Rep}, nil
	}
	switch t.Kind {
	case types.ArrayKind:
		return r.list(n, t)
	case types.MapKind:
		return r.mapOf(n, t)
	case types.StructKind:
		return r.structOf(n, t, t.Fields())
	case types.VariantKind:
		return r.structOf(n, t, []types.Field{{Name: "value", Type: types.Binary}, {Name: "metadata", Type: types.Binary}})
	}
	return nil, r.mismatch(n, t)
}

func (r *resolver) list(n *Node, t types.Type) (*Field, error) {
	rep, elem, err := listElement(n)
	if err != nil {
		return nil, r.mismatch(n, t)
	}
	r.path = append(r.path, rep.name)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	e, err := r.value(elem, t.Elem())
	return &Field{Type: t, kind: listField, node: n, def: n.Def, rep: n.Rep, elemDef: rep.Def, kids: []*Field{e}}, err
}

func (r *resolver) mapOf(n *Node, t types.Type) (*Field, error) {
	k, v, err := mapEntry(n)
	if err != nil {
		return nil, r.mismatch(n, t)
	}
	r.path = append(r.path, n.Kids[0].name)
	defer func() { r.path = r.path[:len(r.path)-1] }()
	kf, err := r.field(k, t.Key())
	if err != nil {
		return nil, err
	}
	vf, err := r.field(v, t.Elem())
	return &Field{Type: t, kind: mapField, node: n, def: n.Def, rep: n.Rep, elemDef: n.Kids[0].Def, kids: []*Field{kf, vf}}, err
}

func (r *resolver) structOf(n *Node, t types.Type, fields []types.Field) (*Field, error) {
	out := &Field{Type: t, kind: structField, node: n, def: n.Def, rep: n.Rep}
	for _, f := range fields {
		k, err := r.member(n, f.Name, f.Type)
		if err != nil {
			return nil, err
		}
		out.kids = append(out.kids, k)
	}
	if out.witness() == nil {
		return nil, r.mismatch(n, t)
	}
	return out, nil
}

// witness is a leaf below the field, whose levels tell the field's shape; nil if all below is missing.
func (f *Field) witness() *Node {
	if f.kind == leafField {
		return f.node
	}
	for _, k := range f.kids {
		if w := k.witness(); w != nil {
			return w
		}
	}
	return nil
}

// Flat is the leaf of a field that is a plain column, nil for nested and missing ones.
func (f *Field) Flat() *Node {
	if f.kind == leafField && f.rep == 0 && f.def <= 1 {
		return f.node
	}
	return nil
}
