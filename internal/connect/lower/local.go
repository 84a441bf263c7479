package lower

import (
	"strconv"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func (l *Lowerer) localRelation(r *connectpb.LocalRelation) (logical.Plan, error) {
	var schema *types.Schema
	if r.GetSchema() != "" {
		var err error
		if schema, err = l.schemaText(r.GetSchema()); err != nil {
			return nil, err
		}
	}
	if r.Data == nil {
		if schema == nil {
			return nil, invalid("SCHEMA_REQUIRED_FOR_LOCAL_RELATION")
		}
		return &logical.LocalRelation{Schema: schema}, nil
	}
	return local([][]byte{r.GetData()}, schema)
}

// local makes a relation of Arrow streams of equal schema. Columns of another type than the wanted one are cast, by position.
func local(streams [][]byte, want *types.Schema) (logical.Plan, error) {
	var have *types.Schema
	var batches []*columnar.Batch
	for _, data := range streams {
		s, bs, err := arrowipc.Decode(data)
		if err != nil {
			return nil, malformed(err)
		}
		if have == nil {
			have = s
		}
		batches = append(batches, bs...)
	}
	if have == nil {
		return nil, invalid("INPUT_DATA_NO_SCHEMA")
	}
	if want == nil || len(want.Fields) != len(have.Fields) {
		return &logical.LocalRelation{Schema: have, Batches: batches}, nil
	}
	out := &logical.LocalRelation{Schema: &types.Schema{}}
	same := true
	var list []expr.Expr
	for i, w := range want.Fields {
		h := have.Fields[i]
		fits := sameShape(h.Type, w.Type)
		same = same && fits
		name := "c" + strconv.Itoa(i)
		e := expr.Expr(&expr.Attribute{Name: []string{name}})
		if fits {
			h.Type = w.Type
		} else {
			e = &expr.Cast{Child: e, To: w.Type}
		}
		a := expr.NewAlias(e, w.Name)
		a.Metadata = w.Metadata
		list = append(list, a)
		out.Schema.Fields = append(out.Schema.Fields, types.Field{Name: name, Type: h.Type, Nullable: w.Nullable})
	}
	if same {
		out.Schema = want
	}
	out.Batches = relabel(batches, out.Schema)
	if same {
		return out, nil
	}
	return &logical.Project{List: list, Child: out}, nil
}

// malformed says that data of a client are no Arrow stream.
func malformed(err error) error {
	if e, ok := sparkerr.As(err); ok && e.Condition == "INTERNAL_ERROR" {
		return invalid("ASSERTION_FAILURE", "message", e.Params["message"]).WithCause(err)
	}
	return err
}

// sameShape says whether values of type a can be taken for b as they lie: the types differ at most in what has no bytes,
// such as nullability, field names, the length of CHAR or the fields of an interval.
func sameShape(a, b types.Type) bool {
	if a.Kind != b.Kind {
		return a.Kind == types.StructKind && b.Kind == types.VariantKind
	}
	switch a.Kind {
	case types.DecimalKind:
		return a.Precision == b.Precision && a.Scale == b.Scale
	case types.ArrayKind:
		return sameShape(a.Elem(), b.Elem())
	case types.MapKind:
		return sameShape(a.Key(), b.Key()) && sameShape(a.Elem(), b.Elem())
	case types.StructKind:
		if len(a.Fields()) != len(b.Fields()) {
			return false
		}
		for i, f := range a.Fields() {
			if !sameShape(f.Type, b.Fields()[i].Type) {
				return false
			}
		}
	}
	return true
}

// relabel gives the columns the types of the schema, which have the same shape.
func relabel(batches []*columnar.Batch, s *types.Schema) []*columnar.Batch {
	for _, b := range batches {
		b.Schema = s
		for i := range b.Cols {
			retype(&b.Cols[i], s.Fields[i].Type)
		}
	}
	return batches
}

func retype(v *columnar.Vector, t types.Type) {
	v.Type = t
	if v.Dict != nil {
		d := *v.Dict
		retype(&d, t)
		v.Dict = &d
	}
	switch t.Kind {
	case types.ArrayKind:
		retype(&v.Kids[0], t.Elem())
	case types.MapKind:
		retype(&v.Kids[0], t.Key())
		retype(&v.Kids[1], t.Elem())
	case types.StructKind:
		for i, f := range t.Fields() {
			retype(&v.Kids[i], f.Type)
		}
	}
}

// cachedLocal reads a relation that an older client has uploaded: the message LocalRelation as bytes.
func (l *Lowerer) cachedLocal(c *connectpb.CachedLocalRelation) (logical.Plan, error) {
	data, err := l.Artifact(c.GetHash())
	if err != nil {
		return nil, err
	}
	var r connectpb.LocalRelation
	if err := unmarshal(data, &r); err != nil {
		return nil, err
	}
	return l.localRelation(&r)
}

func (l *Lowerer) chunkedLocal(c *connectpb.ChunkedCachedLocalRelation) (logical.Plan, error) {
	if len(c.GetDataHashes()) == 0 {
		return nil, invalid("CHUNKED_CACHED_LOCAL_RELATION_WITHOUT_DATA")
	}
	var schema *types.Schema
	if c.SchemaHash != nil {
		text, err := l.Artifact(c.GetSchemaHash())
		if err != nil {
			return nil, err
		}
		if schema, err = l.schemaText(string(text)); err != nil {
			return nil, err
		}
	}
	streams := make([][]byte, len(c.GetDataHashes()))
	for i, h := range c.GetDataHashes() {
		var err error
		if streams[i], err = l.Artifact(h); err != nil {
			return nil, err
		}
	}
	return local(streams, schema)
}

func (l *Lowerer) remote(c *connectpb.CachedRemoteRelation) (logical.Plan, error) {
	return l.Remote(c.GetRelationId())
}
