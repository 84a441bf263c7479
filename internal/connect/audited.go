package connect

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/firesteel/firesteel/internal/audit"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

// peerOf is the address that a call comes from.
func peerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// actionOf is what a call does, for the audit log; false if it only looks at what the server has already told or keeps for the
// client. ExecutePlan, whose work goes on when the call has ended, and the files of AddArtifacts have actions of their own.
func actionOf(ctx context.Context, req any, log *audit.Log) (a audit.Action, ok bool) {
	switch r := req.(type) {
	case *connectpb.AnalyzePlanRequest:
		a, ok = audit.Action{Name: "analyze", Statement: outline(r)}, !trivial(r)
	case *connectpb.ConfigRequest:
		a.Name = "config"
		a.Statement, ok = changes(r.GetOperation(), log)
	case *connectpb.InterruptRequest:
		kind := strings.ToLower(strings.TrimPrefix(r.GetInterruptType().String(), "INTERRUPT_TYPE_"))
		a, ok = audit.Action{Name: "interrupt", Operation: r.GetOperationId(), Statement: strings.TrimSpace(kind + " " + r.GetOperationTag())}, true
	case *connectpb.ReattachExecuteRequest:
		a, ok = audit.Action{Name: "reattach", Operation: r.GetOperationId()}, true
	case *connectpb.CloneSessionRequest:
		a, ok = audit.Action{Name: "clone session", Statement: r.GetNewSessionId()}, true
	case *connectpb.ReleaseSessionRequest:
		a, ok = audit.Action{Name: "release session"}, true
	}
	if r, is := req.(request); is {
		a.User, a.Session = r.GetUserContext().GetUserId(), r.GetSessionId()
	}
	a.Peer = peerOf(ctx)
	return a, ok
}

// trivial says whether a question is not about a plan.
func trivial(r *connectpb.AnalyzePlanRequest) bool {
	switch r.GetAnalyze().(type) {
	case nil, *connectpb.AnalyzePlanRequest_SparkVersion_, *connectpb.AnalyzePlanRequest_DdlParse, *connectpb.AnalyzePlanRequest_JsonToDdl:
		return true
	}
	return false
}

// changes are the settings that a request changes; false if it only reads.
func changes(op *connectpb.ConfigRequest_Operation, log *audit.Log) (text string, ok bool) {
	var words []string
	for _, p := range op.GetSet().GetPairs() {
		words = append(words, log.Setting(p.GetKey(), p.GetValue()))
	}
	for _, k := range op.GetUnset().GetKeys() {
		words = append(words, k)
	}
	switch {
	case op.GetSet() != nil:
		return "set " + strings.Join(words, ", "), true
	case op.GetUnset() != nil:
		return "unset " + strings.Join(words, ", "), true
	}
	return "", false
}

// statement is what a plan does: the text of SQL, or an outline.
func statement(p *connectpb.Plan) string {
	text := p.GetRoot().GetSql().GetQuery()
	if c := p.GetCommand().GetSqlCommand(); c != nil {
		if text = c.GetInput().GetSql().GetQuery(); text == "" {
			text = c.GetSql()
		}
	}
	if text != "" {
		return text
	}
	return outline(p)
}

// mostOutline is how long outlines get, in bytes.
const mostOutline = 16 << 10

// outline prints a message on one line, without data, what clients say of their source, and numbers of plans.
func outline(m protoreflect.ProtoMessage) string {
	var o outliner
	o.message(m.ProtoReflect())
	if o.Len() > mostOutline {
		return o.String()[:mostOutline] + "…"
	}
	return o.String()
}

type outliner struct{ strings.Builder }

// unsaid are the fields that outlines leave out.
var unsaid = map[protoreflect.Name]bool{"common": true, "plan_id": true, "session_id": true, "user_context": true, "client_type": true,
	"client_observed_server_side_session_id": true}

func (o *outliner) message(m protoreflect.Message) {
	fields, n := m.Descriptor().Fields(), 0
	for i := range fields.Len() {
		f := fields.Get(i)
		if o.Len() > mostOutline || !m.Has(f) || unsaid[f.Name()] || f.Kind() == protoreflect.BytesKind {
			continue
		}
		if n++; n > 1 {
			o.WriteString(", ")
		}
		o.WriteString(string(f.Name()))
		o.field(f, m.Get(f))
	}
}

func (o *outliner) field(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch {
	case f.IsMap():
		o.WriteString("{")
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			o.WriteString(k.String())
			o.value(f.MapValue(), v)
			o.WriteString(" ")
			return o.Len() <= mostOutline
		})
		o.WriteString("}")
	case f.IsList():
		o.WriteString("[")
		for i := 0; i < v.List().Len() && o.Len() <= mostOutline; i++ {
			o.value(f, v.List().Get(i))
		}
		o.WriteString("]")
	default:
		o.value(f, v)
	}
}

func (o *outliner) value(f protoreflect.FieldDescriptor, v protoreflect.Value) {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		o.WriteString("(")
		o.message(v.Message())
		o.WriteString(")")
	case protoreflect.StringKind:
		o.WriteString("=" + strconv.Quote(cut(v.String())))
	case protoreflect.EnumKind:
		if d := f.Enum().Values().ByNumber(v.Enum()); d != nil {
			o.WriteString("=" + string(d.Name()))
			return
		}
		fallthrough
	default:
		fmt.Fprintf(o, "=%v", v.Interface())
	}
}
