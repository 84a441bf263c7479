package connectpb

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestFacts compares our definitions with those of the client: every message, field number,
// type, label, oneof, enum value and method, in both directions.
func TestFacts(t *testing.T) {
	text, err := os.ReadFile("testdata/facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, lines(string(text)))
}

// TestLiveClient does the same with an installed client, which FIRESTEEL_PYSPARK_PYTHON names by its interpreter.
func TestLiveClient(t *testing.T) {
	python := os.Getenv("FIRESTEEL_PYSPARK_PYTHON")
	if python == "" {
		t.Skip("FIRESTEEL_PYSPARK_PYTHON is not set")
	}
	out, err := exec.Command(python, "testdata/facts.py").Output()
	if err != nil {
		t.Fatal(err)
	}
	compare(t, lines(string(out)))
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

func compare(t *testing.T, want []string) {
	t.Helper()
	if len(want) < 1000 {
		t.Fatalf("only %d facts", len(want))
	}
	ours := facts()
	for _, w := range want {
		if !ours[w] {
			t.Errorf("the client has it, we have not: %s", w)
		}
		delete(ours, w)
	}
	rest := make([]string, 0, len(ours))
	for f := range ours {
		rest = append(rest, f)
	}
	slices.Sort(rest)
	for _, f := range rest {
		t.Errorf("we have it, the client has not: %s", f)
	}
}

func facts() map[string]bool {
	f := factSet{}
	for _, file := range []protoreflect.FileDescriptor{
		File_spark_connect_base_proto, File_spark_connect_catalog_proto, File_spark_connect_commands_proto,
		File_spark_connect_common_proto, File_spark_connect_expressions_proto, File_spark_connect_ml_proto,
		File_spark_connect_ml_common_proto, File_spark_connect_pipelines_proto, File_spark_connect_relations_proto,
		File_spark_connect_types_proto,
	} {
		f.messages(file.Messages())
		f.enums(file.Enums())
		for i := range file.Services().Len() {
			f.methods(file.Services().Get(i))
		}
	}
	return f
}

type factSet map[string]bool

func (f factSet) messages(ms protoreflect.MessageDescriptors) {
	for i := range ms.Len() {
		m := ms.Get(i)
		f["message "+string(m.FullName())] = true
		for j := range m.Fields().Len() {
			f[fieldFact(m, m.Fields().Get(j))] = true
		}
		f.messages(m.Messages())
		f.enums(m.Enums())
	}
}

func fieldFact(m protoreflect.MessageDescriptor, d protoreflect.FieldDescriptor) string {
	kind, label, oneof := d.Kind().String(), "single", ""
	switch {
	case d.Message() != nil:
		kind = string(d.Message().FullName())
	case d.Enum() != nil:
		kind = string(d.Enum().FullName())
	}
	switch o := d.ContainingOneof(); {
	case d.Cardinality() == protoreflect.Repeated:
		label = "repeated"
	case o != nil && o.IsSynthetic():
		label = "optional"
	case o != nil:
		oneof = " in " + string(o.Name())
	}
	return fmt.Sprintf("field %s.%s %d %s %s%s", m.FullName(), d.Name(), d.Number(), label, kind, oneof)
}

func (f factSet) enums(es protoreflect.EnumDescriptors) {
	for i := range es.Len() {
		e := es.Get(i)
		for j := range e.Values().Len() {
			v := e.Values().Get(j)
			f[fmt.Sprintf("enum %s %s %d", e.FullName(), v.Name(), v.Number())] = true
		}
	}
}

func (f factSet) methods(s protoreflect.ServiceDescriptor) {
	for i := range s.Methods().Len() {
		m := s.Methods().Get(i)
		f[fmt.Sprintf("method /%s/%s %s %s %v %v", s.FullName(), m.Name(), m.Input().FullName(), m.Output().FullName(),
			m.IsStreamingClient(), m.IsStreamingServer())] = true
	}
}
