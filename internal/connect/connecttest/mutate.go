package connecttest

import (
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// Mutator makes new plans of given ones: parts are put in the place of others of their kind, left out, repeated, and values become odd
// ones. It is the same for the same seed.
type Mutator struct {
	rand  *rand.Rand
	plans []*connectpb.Plan
	parts map[protoreflect.FullName][]protoreflect.Message
}

// NewMutator takes over the plans.
func NewMutator(seed uint64, plans []*connectpb.Plan) *Mutator {
	m := &Mutator{rand.New(rand.NewPCG(seed, 1)), plans, map[protoreflect.FullName][]protoreflect.Message{}}
	for _, p := range plans {
		each(p.ProtoReflect(), func(part protoreflect.Message) {
			name := part.Descriptor().FullName()
			m.parts[name] = append(m.parts[name], part)
		}, nil)
	}
	return m
}

// Plan makes a plan.
func (m *Mutator) Plan() *connectpb.Plan {
	p := proto.CloneOf(m.plans[m.rand.IntN(len(m.plans))])
	for range 1 + m.rand.IntN(3) {
		var parts []protoreflect.Message
		each(p.ProtoReflect(), func(part protoreflect.Message) { parts = append(parts, part) }, nil)
		m.change(parts[m.rand.IntN(len(parts))])
	}
	return p
}

// change changes a field of a message.
func (m *Mutator) change(in protoreflect.Message) {
	fields := in.Descriptor().Fields()
	if fields.Len() == 0 {
		return
	}
	f := fields.Get(m.rand.IntN(fields.Len()))
	if !in.Has(f) && m.rand.IntN(3) > 0 { // those that are there, more often
		var have []protoreflect.FieldDescriptor
		in.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool { have = append(have, f); return true })
		if len(have) == 0 {
			return
		}
		f = have[m.rand.IntN(len(have))]
	}
	switch {
	case m.rand.IntN(8) == 0:
		in.Clear(f)
	case f.IsMap():
	case f.IsList():
		m.changeList(f, in.Mutable(f).List())
	default:
		if v, ok := m.value(f); ok {
			in.Set(f, v)
		}
	}
}

func (m *Mutator) changeList(f protoreflect.FieldDescriptor, l protoreflect.List) {
	switch n := l.Len(); {
	case n > 1 && m.rand.IntN(3) == 0:
		l.Truncate(n - 1)
	case n > 0 && m.rand.IntN(2) == 0:
		if v, ok := m.value(f); ok {
			l.Set(m.rand.IntN(n), v)
		}
	default:
		if v, ok := m.value(f); ok {
			l.Append(v)
		}
	}
}

// value is a value for a field: of messages one that some plan has.
func (m *Mutator) value(f protoreflect.FieldDescriptor) (protoreflect.Value, bool) {
	pick := func(n int) int { return m.rand.IntN(n) }
	ints := []int64{0, 1, -1, 2, 7, 100, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64}
	switch f.Kind() {
	case protoreflect.MessageKind:
		same := m.parts[f.Message().FullName()]
		if len(same) == 0 {
			return protoreflect.Value{}, false
		}
		return protoreflect.ValueOfMessage(proto.Clone(same[pick(len(same))].Interface()).ProtoReflect()), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(pick(2) == 0), true
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(ints[pick(len(ints))])), true
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(ints[pick(len(ints))]), true
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(pick(8))), true
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64([]float64{0, -1, 0.5, 2, math.NaN(), math.Inf(1), math.MaxFloat64}[pick(7)]), true
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32([]float32{0, -1, 0.5, float32(math.NaN())}[pick(4)]), true
	case protoreflect.StringKind:
		texts := []string{"", "*", "id", "k", "`", "a.b.c", "'", "\x00", "é", "array<", "int", "id + 1", "select 1", "a.*", "decimal(38,38)", "map<string,array<struct<a:int>>>", "1", "-1",
			"UTC", "%", "sum", "explode", "rand", "coalesce", "named_struct", "interval 1 day", "x -> x", "current_user", "date_trunc", "9999999999999999999999"}
		return protoreflect.ValueOfString(texts[pick(len(texts))]), true
	case protoreflect.BytesKind:
		b := make([]byte, pick(64))
		for i := range b {
			b[i] = byte(pick(256))
		}
		return protoreflect.ValueOfBytes(b), true
	}
	return protoreflect.Value{}, false
}
