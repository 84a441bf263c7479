package wire

import (
	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/columnar/frame"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/physical"
	"github.com/firesteel/firesteel/internal/rpc"
	"github.com/firesteel/firesteel/internal/source"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// codec knows everything that a fragment of a plan holds. The lists below are append-only within a build.
var codec = newCodec()

func newCodec() *rpc.Codec {
	c := rpc.NewCodec()
	rpc.AddErrors(c)
	rpc.Custom(c, encodeType, decodeType)
	rpc.Custom(c, encodeColumn, decodeColumn)
	rpc.Custom(c, encodeOrigin, decodeOrigin)
	rpc.Custom(c, encodeTable, decodeTable)
	rpc.Custom(c, encodeBatches, decodeBatches)
	rpc.Custom(c, encodeBitmap, decodeBitmap)
	rpc.Custom(c, encodeInput, decodeInput)
	rpc.Custom(c, encodeWrite, decodeWrite)
	// Values of literals and partition columns: see types/value.go.
	rpc.Union[any](c, false, int8(0), int16(0), int32(0), int64(0), float32(0), float64(0), "", []byte(nil), types.Int128{},
		types.CalendarInterval{}, []any(nil), types.MapValue{})
	addExprs(c)
	addPlans(c)
	addProcesses(c)
	return c
}

func addExprs(c *rpc.Codec) {
	rpc.Union[expr.Expr](c, (*expr.Literal)(nil), (*expr.Column)(nil), (*expr.Alias)(nil), (*expr.Cast)(nil), (*expr.Call)(nil),
		(*expr.Agg)(nil), (*expr.SortOrder)(nil), (*expr.Window)(nil), (*expr.Lambda)(nil), (*expr.LambdaVar)(nil))
	// A column or variable occurs many times in a plan, and so does the place in the user's text.
	rpc.Shared(c, (*expr.Column)(nil), (*expr.LambdaVar)(nil), (*expr.Origin)(nil))
}

func addPlans(c *rpc.Codec) {
	plans := []physical.Plan{(*physical.Scan)(nil), (*physical.LocalScan)(nil), (*physical.OneRow)(nil), (*physical.Range)(nil),
		(*physical.CachedScan)(nil), (*physical.StageInput)(nil), (*physical.Project)(nil), (*physical.Filter)(nil),
		(*physical.Aggregate)(nil), (*physical.Sort)(nil), (*physical.TopN)(nil), (*physical.Limit)(nil), (*physical.Tail)(nil),
		(*physical.HashJoin)(nil), (*physical.MergeJoin)(nil), (*physical.LoopJoin)(nil), (*physical.Exchange)(nil),
		(*physical.Broadcast)(nil), (*physical.Window)(nil), (*physical.Generate)(nil), (*physical.Expand)(nil),
		(*physical.Union)(nil), (*physical.Sample)(nil), (*physical.Coalesce)(nil), (*physical.WriteFiles)(nil)}
	rpc.Union(c, plans...)
	// Operators find what the tasks of a stage share by the node of the plan.
	for _, p := range plans {
		rpc.Shared(c, p)
	}
	rpc.Shared(c, (*catalog.Table)(nil))
}

// Marshal and Unmarshal carry whatever a fragment consists of. Unmarshal is safe on any bytes.
func Marshal(v any) ([]byte, error) {
	data, err := codec.Append(nil, v)
	if err != nil {
		return nil, sparkerr.Internal("a plan does not travel: %v", err)
	}
	return data, nil
}

// Unmarshal reads what Marshal wrote into the value that into points to.
func Unmarshal(data []byte, into any) error { return codec.Decode(data, into) }

func encodeType(e *rpc.Encoder, t types.Type) {
	e.Uint(uint64(t.Kind))
	switch t.Kind {
	case types.DecimalKind, types.TimeKind:
		e.Uint(uint64(t.Precision)<<8 | uint64(t.Scale))
	case types.YearMonthKind, types.DayTimeKind:
		e.Uint(uint64(t.From)<<8 | uint64(t.To))
	case types.StringKind:
		e.Uint(uint64(t.Char))
		e.Int(int64(t.Length))
		e.SharedText(t.Collation)
	case types.ArrayKind:
		e.Bool(t.ContainsNull())
		rpc.Value(e, t.Elem())
	case types.MapKind:
		e.Bool(t.ContainsNull())
		rpc.Value(e, t.Key())
		rpc.Value(e, t.Elem())
	case types.StructKind:
		rpc.Value(e, t.Fields())
	}
}

func decodeType(d *rpc.Decoder) types.Type {
	kind := d.Uint()
	if kind > uint64(types.VariantKind) {
		d.Fail("there is no type %d", kind)
		return types.Null
	}
	t := types.Type{Kind: types.Kind(kind)}
	two := func() (uint8, uint8) { n := d.Uint(); return uint8(n >> 8), uint8(n) }
	switch t.Kind {
	case types.DecimalKind, types.TimeKind:
		t.Precision, t.Scale = two()
	case types.YearMonthKind, types.DayTimeKind:
		if t.From, t.To = two(); t.From > types.Second || t.To > types.Second {
			d.Fail("there is no such interval")
		}
	case types.StringKind:
		t.Char, t.Length, t.Collation = uint8(d.Uint()), int32(d.Int()), d.SharedText()
	case types.ArrayKind:
		null := d.Bool()
		return types.Array(rpc.Read[types.Type](d), null)
	case types.MapKind:
		null := d.Bool()
		key := rpc.Read[types.Type](d)
		return types.Map(key, rpc.Read[types.Type](d), null)
	case types.StructKind:
		return types.Struct(rpc.Read[[]types.Field](d)...)
	}
	return t
}

// maxID bounds ids that come from elsewhere, so that own ones find room above.
const maxID = 1 << 62

func encodeColumn(e *rpc.Encoder, c expr.Column) {
	e.Uint(uint64(c.ID))
	e.SharedText(c.Name)
	rpc.Value(e, c.T)
	e.Bool(c.Null)
	rpc.Value(e, c.Qualifier)
	e.SharedText(c.Metadata)
	rpc.Value(e, c.PlanIDs)
	e.Bool(c.Hidden)
}

func decodeColumn(d *rpc.Decoder) expr.Column {
	c := expr.Column{ID: expr.ID(d.Uint())}
	if c.ID > maxID {
		d.Fail("%d is no column id", c.ID)
	}
	expr.RaiseID(min(c.ID, maxID))
	c.Name, c.T, c.Null = d.SharedText(), rpc.Read[types.Type](d), d.Bool()
	c.Qualifier, c.Metadata, c.PlanIDs, c.Hidden = rpc.Read[[]string](d), d.SharedText(), rpc.Read[[]int64](d), d.Bool()
	return c
}

func encodeOrigin(e *rpc.Encoder, o expr.Origin) {
	for _, s := range [...]string{o.Text, o.ObjectType, o.ObjectName, o.CallSite, o.Fragment} {
		e.SharedText(s)
	}
	for _, n := range [...]int{o.Start, o.Stop, o.Line, o.Pos} {
		e.Int(int64(n))
	}
}

func decodeOrigin(d *rpc.Decoder) (o expr.Origin) {
	for _, s := range [...]*string{&o.Text, &o.ObjectType, &o.ObjectName, &o.CallSite, &o.Fragment} {
		*s = d.SharedText()
	}
	for _, n := range [...]*int{&o.Start, &o.Stop, &o.Line, &o.Pos} {
		*n = int(d.Int())
	}
	return o
}

// encodeTable writes what a scan needs to know of its table. The files travel as the fragment's portions.
func encodeTable(e *rpc.Encoder, t catalog.Table) {
	rpc.Value(e, t.Name)
	e.Text(t.Provider)
	e.Text(t.Location)
	rpc.Value(e, t.Paths)
	rpc.Value(e, t.Options)
}

func decodeTable(d *rpc.Decoder) (t catalog.Table) {
	t.Name, t.Provider, t.Location = rpc.Read[[]string](d), d.Text(), d.Text()
	t.Paths, t.Options = rpc.Read[[]string](d), rpc.Read[map[string]string](d)
	return t
}

// frameRows bounds the rows of a frame: constants make few bytes stand for many rows.
const frameRows = 1 << 16

// encodeBatches writes batches of one schema as frames.
func encodeBatches(e *rpc.Encoder, l []*columnar.Batch) {
	schema := &types.Schema{}
	if len(l) > 0 {
		schema = batchSchema(l[0])
	}
	rpc.Value(e, *schema)
	var enc frame.Encoder
	var buf []byte
	for _, b := range l {
		for from := 0; from < b.N; from += frameRows {
			buf = enc.Append(buf[:0], b, from, min(from+frameRows, b.N))
			e.Blob(buf)
		}
	}
	e.Blob(nil)
}

// batchSchema is the batch's schema; one is made of the columns where it has none.
func batchSchema(b *columnar.Batch) *types.Schema {
	if b.Schema != nil && len(b.Schema.Fields) == len(b.Cols) {
		return b.Schema
	}
	s := &types.Schema{}
	for i := range b.Cols {
		s.Fields = append(s.Fields, types.Field{Type: b.Cols[i].Type, Nullable: true})
	}
	return s
}

func decodeBatches(d *rpc.Decoder) []*columnar.Batch {
	schema := rpc.Read[types.Schema](d)
	var out []*columnar.Batch
	for d.Err() == nil {
		data := d.Blob()
		if data == nil {
			break
		}
		b, err := decodeFrame(data, &schema)
		if err != nil {
			d.Fail("%v", err)
			return nil
		}
		out = append(out, b)
	}
	return out
}

func encodeBitmap(e *rpc.Encoder, b columnar.Bitmap) { e.Blob(columnar.Bytes(b)) }

func decodeBitmap(d *rpc.Decoder) columnar.Bitmap {
	b := d.Blob()
	if len(b)%8 != 0 {
		d.Fail("a bitmap of %d bytes", len(b))
		return nil
	}
	if b == nil {
		return nil
	}
	out := make(columnar.Bitmap, len(b)/8)
	copy(columnar.Bytes(out), b)
	return out
}

// encodeInput writes a StageInput without what lies below its exchange.
func encodeInput(e *rpc.Encoder, p physical.StageInput) {
	e.Int(int64(p.Stage))
	rpc.Value(e, p.Out)
	rpc.Value(e, p.Specs)
	from := p.From
	leaf := &physical.LocalScan{Out: p.Out}
	switch x := from.(type) {
	case *physical.Exchange:
		y := *x
		y.Child, y.Publish, from = leaf, nil, &y
	case *physical.Broadcast:
		y := *x
		y.Child, y.Publish, from = leaf, nil, &y
	}
	rpc.Value(e, from)
}

func decodeInput(d *rpc.Decoder) (p physical.StageInput) {
	p.Stage, p.Out = int(d.Int()), rpc.Read[[]*expr.Column](d)
	p.Specs, p.From = rpc.Read[[]physical.PartitionSpec](d), rpc.Read[physical.Plan](d)
	return p
}

func encodeWrite(e *rpc.Encoder, p physical.WriteFiles) {
	job, ok := p.Writer.(*source.WriteJob)
	if !ok {
		e.Fail("a write to %s has no job", p.Path)
	}
	rpc.Value(e, job)
	e.Text(p.Format)
	e.Text(p.Path)
	rpc.Value(e, p.Child)
}

func decodeWrite(d *rpc.Decoder) (p physical.WriteFiles) {
	if job := rpc.Read[*source.WriteJob](d); job != nil {
		p.Writer = job
	}
	p.Format, p.Path, p.Child = d.Text(), d.Text(), rpc.Read[physical.Plan](d)
	return p
}
