package show

import (
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/types"
)

// Tree is the schema as printSchema shows it; level bounds the depth, 0 is none.
func Tree(s *types.Schema, level int) string {
	if level <= 0 {
		level = 1 << 30
	}
	var b strings.Builder
	b.WriteString("root\n")
	for _, f := range s.Fields {
		treeField(&b, f.Name, f.Type, "nullable", f.Nullable, " |", level)
	}
	return b.String()
}

func treeField(b *strings.Builder, name string, t types.Type, what string, null bool, prefix string, level int) {
	if level <= 0 {
		return
	}
	b.WriteString(prefix + "-- " + escapeName(name) + ": " + treeType(t) + " (" + what + " = " + strconv.FormatBool(null) + ")\n")
	treeKids(b, t, prefix+"    |", level-1)
}

func treeKids(b *strings.Builder, t types.Type, prefix string, level int) {
	switch t.Kind {
	case types.StructKind:
		for _, f := range t.Fields() {
			treeField(b, f.Name, f.Type, "nullable", f.Nullable, prefix, level)
		}
	case types.ArrayKind:
		treeField(b, "element", t.Elem(), "containsNull", t.ContainsNull(), prefix, level)
	case types.MapKind:
		if level > 0 {
			b.WriteString(prefix + "-- key: " + treeType(t.Key()) + "\n")
			treeKids(b, t.Key(), prefix+"    |", level-1)
			treeField(b, "value", t.Elem(), "valueContainsNull", t.ContainsNull(), prefix, level)
		}
	}
}

// treeType is the type's name as trees show it.
func treeType(t types.Type) string {
	if t.IsNested() {
		return [...]string{types.ArrayKind: "array", types.MapKind: "map", types.StructKind: "struct"}[t.Kind]
	}
	return treeName(t)
}

var nameEscapes = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`, "\v", `\v`, "\a", `\a`)

func escapeName(s string) string { return nameEscapes.Replace(s) }

// treeName is the name of a type that is not nested; it differs from the SQL name for the integers.
func treeName(t types.Type) string {
	switch t.Kind {
	case types.ByteKind:
		return "byte"
	case types.ShortKind:
		return "short"
	case types.IntKind:
		return "integer"
	case types.LongKind:
		return "long"
	}
	return t.String()
}
