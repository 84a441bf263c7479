package types

import "testing"

func TestJSON(t *testing.T) {
	fields := []Field{
		{Name: "a", Type: Int}, {Name: "b \"q\" <é>", Type: Decimal(10, 2), Nullable: true, Metadata: `{"k":1}`},
		{Name: "c", Type: Array(Map(String, Timestamp, false), true), Nullable: true},
		{Name: "d", Type: Struct(Field{Name: "x", Type: DayTime}, Field{Name: "y", Type: Varchar(7)})},
		{Name: "e", Type: Time}, {Name: "f", Type: Type{Kind: YearMonthKind, From: Year, To: Year}}, {Name: "g", Type: Null},
	}
	want := Struct(fields...)
	got, err := ParseJSON(want.JSON())
	if err != nil || !got.Equal(want) {
		t.Fatalf("%s\n%v %v", want.JSON(), got, err)
	}
	if g := got.Fields()[1].Metadata; g != `{"k":1}` {
		t.Errorf("metadata %q", g)
	}
	if s := Struct(fields[0]).JSON(); s != `{"type":"struct","fields":[{"name":"a","type":"integer","nullable":false,"metadata":{}}]}` {
		t.Error(s)
	}
	for _, bad := range []string{``, `"integ"`, `{"type":"list"}`, `{"type":"array"}`, `"decimal(40,2)"`, `{"type":"struct","fields":[{"name":"a"}]}`} {
		if _, err := ParseJSON(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
