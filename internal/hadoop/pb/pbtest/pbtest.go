// Package pbtest checks the structs that stand for Hadoop's messages against Hadoop's own descriptors.
package pbtest

import (
	_ "embed"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/hadoop/pb"
)

//go:embed descriptors.txt
var text string

type field struct {
	label, kind, name string
}

var fieldText = regexp.MustCompile(`^(\d+) ([!*]?)(\S+) (\w+)`)

// messages reads the descriptors: name to fields by number.
func messages() (all map[string]map[int]field, enums map[string]bool) {
	all, enums = map[string]map[int]field{}, map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if list, ok := strings.CutPrefix(line, "# enums: "); ok {
			for _, e := range strings.Fields(list) {
				enums[e] = true
			}
		}
		name, rest, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		fields := map[int]field{}
		for _, f := range strings.Split(rest, ";") {
			if m := fieldText.FindStringSubmatch(strings.TrimSpace(f)); m != nil {
				n, _ := strconv.Atoi(m[1])
				fields[n] = field{m[2], m[3], m[4]}
			}
		}
		all[name] = fields
	}
	return all, enums
}

// Check compares structs (pointers to them) with the messages of their names.
func Check(t *testing.T, structs map[string]any) {
	t.Helper()
	all, enums := messages()
	for name, s := range structs {
		m := all[name]
		if m == nil {
			t.Errorf("there is no message %s", name)
			continue
		}
		typ := reflect.TypeOf(s).Elem()
		known := map[int]bool{}
		for _, f := range pb.Fields(typ) {
			known[int(f.Number)] = true
			want, ok := m[int(f.Number)]
			if !ok {
				t.Errorf("%s has no field %d (%s)", name, f.Number, typ.Field(f.Index()).Name)
				continue
			}
			check(t, name, typ.Field(f.Index()), f, want, enums)
		}
		for n, f := range m {
			if f.label == "!" && !known[n] && sent(name) {
				t.Errorf("%s needs %d %s", name, n, f.name)
			}
		}
	}
}

// sent says whether a message is written here, so that all that it requires must be there.
func sent(name string) bool {
	for _, s := range []string{"Response", "Status", "Defaults", "Info", "Listing", "LocatedBlocks"} {
		if strings.Contains(name, s) {
			return false
		}
	}
	return true
}

func check(t *testing.T, message string, s reflect.StructField, f pb.Field, want field, enums map[string]bool) {
	t.Helper()
	typ := s.Type
	repeated := typ.Kind() == reflect.Slice && typ.Elem().Kind() != reflect.Uint8
	if repeated != (want.label == "*") {
		t.Errorf("%s.%s: repeated %v, declared %q", message, s.Name, repeated, want.label)
	}
	if repeated {
		typ = typ.Elem()
	}
	if want.label == "!" && !f.Required && !repeated && typ.Kind() != reflect.Pointer && sent(message) {
		t.Errorf("%s.%s is required", message, s.Name)
	}
	if got := kindOf(typ, f); got != canonical(want.kind, enums) {
		t.Errorf("%s.%s is %s, declared %s", message, s.Name, got, want.kind)
	}
}

// kindOf is how a Go type goes over the wire.
func kindOf(t reflect.Type, f pb.Field) string {
	switch t.Kind() {
	case reflect.Pointer:
		return "message"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "bytes"
	case reflect.Bool:
		return "bool"
	case reflect.Float32:
		return "float"
	case reflect.Int32, reflect.Int64:
		switch {
		case f.Encoding == "sint":
			return "sint"
		case f.Encoding == "fixed" && t.Kind() == reflect.Int32:
			return "fixed32"
		case f.Encoding == "fixed":
			return "fixed64"
		}
	}
	return "varint"
}

func canonical(kind string, enums map[string]bool) string {
	switch kind {
	case "int32", "int64", "uint32", "uint64":
		return "varint"
	case "sint32", "sint64":
		return "sint"
	case "sfixed32":
		return "fixed32"
	case "sfixed64":
		return "fixed64"
	case "string", "bytes", "bool", "float":
		return kind
	}
	if enums[kind] {
		return "varint"
	}
	return "message"
}
