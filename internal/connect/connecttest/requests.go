// Package connecttest has messages that PySpark clients sent, for tests that change them. tests/pyspark/record_requests.py
// records them, of several releases.
package connecttest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"regexp"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
)

//go:embed requests.jsonl.gz
var recorded []byte

// Request is one recorded message: the name of the call, and its bytes.
type Request struct {
	Method  string
	Request []byte
}

// Requests are the recorded messages, in a fixed order.
func Requests() ([]Request, error) {
	z, err := gzip.NewReader(bytes.NewReader(recorded))
	if err != nil {
		return nil, err
	}
	var out []Request
	in := bufio.NewScanner(z)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r Request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, in.Err()
}

// Plan is the plan of a message of a method, nil if it has none or its bytes are no such message.
func Plan(method string, data []byte) *connectpb.Plan {
	switch method {
	case "ExecutePlan":
		var r connectpb.ExecutePlanRequest
		if proto.Unmarshal(data, &r) == nil {
			return r.GetPlan()
		}
	case "AnalyzePlan":
		var r connectpb.AnalyzePlanRequest
		if proto.Unmarshal(data, &r) != nil {
			return nil
		}
		var found *connectpb.Plan
		each(r.ProtoReflect(), func(m protoreflect.Message) {
			if p, ok := m.Interface().(*connectpb.Plan); ok {
				found = p
			}
		}, nil)
		return found
	}
	return nil
}

// risky are words of texts that may make a server write or delete files, or read for ever, where a changed byte says.
var risky = regexp.MustCompile(`(?i)^/|\.\.|://|^file:|insert|overwrite|directory|location|create|drop|load|reflect|java_method|path|add +(file|jar)|copy|analyze|truncate|alter|msck`)

// Harmless says whether a plan that was changed by chance may be run: it writes nothing, and its texts name no place of the machine.
func Harmless(p *connectpb.Plan) bool {
	if p == nil || p.GetCompressedOperation() != nil {
		return false
	}
	ok := true
	each(p.ProtoReflect(), func(m protoreflect.Message) {
		switch m.Interface().(type) {
		case *connectpb.WriteOperation, *connectpb.WriteOperationV2, *connectpb.WriteStreamOperationStart, *connectpb.Catalog, *connectpb.Read_DataSource:
			ok = false
		}
	}, func(text string) { ok = ok && !risky.MatchString(text) })
	return ok
}

// Endless has all ranges of a plan go on for ever, and says whether there is one.
func Endless(p *connectpb.Plan) (found bool) {
	each(p.ProtoReflect(), func(m protoreflect.Message) {
		if r, ok := m.Interface().(*connectpb.Range); ok {
			found, r.End, r.Step = true, math.MaxInt64, 1
		}
	}, nil)
	return found
}

// each calls functions for every message in a message, itself included, and for every text.
func each(m protoreflect.Message, message func(protoreflect.Message), text func(string)) {
	message(m)
	one := func(f protoreflect.FieldDescriptor, v protoreflect.Value) {
		switch f.Kind() {
		case protoreflect.MessageKind, protoreflect.GroupKind:
			each(v.Message(), message, text)
		case protoreflect.StringKind:
			if text != nil {
				text(v.String())
			}
		}
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList():
			for i := range v.List().Len() {
				one(f, v.List().Get(i))
			}
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				if text != nil {
					text(fmt.Sprint(k.Interface()))
				}
				one(f.MapValue(), v)
				return true
			})
		default:
			one(f, v)
		}
		return true
	})
}
