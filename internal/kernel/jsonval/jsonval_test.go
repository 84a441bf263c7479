package jsonval

import "testing"

func TestPath(t *testing.T) {
	for _, c := range []struct{ text, path, want string }{
		{`{"a":"b"}`, "$.a", "b"},
		{`[{"a":"b"},{"a":"c"}]`, "$[0].a", "b"},
		{`[{"a":"b"},{"a":"c"}]`, "$[*].a", `["b","c"]`},
		{`{"a":["x"]}`, "$.a[*]", `"x"`},
		{`{"a":1.50}`, "$.a", "1.5"},
		{`{"a b":1}`, "$['a b']", "1"},
		{`{'a':"q\"x\u00e9"}`, "$.a", `q"xé`},
		{`{"a":[1,{"b":[2]}]}`, "$.a[1]", `{"b":[2]}`},
	} {
		p, ok := ParsePath(c.path)
		if !ok {
			t.Fatal(c.path)
		}
		var d Doc
		if !d.Parse(c.text) {
			t.Fatal(c.text)
		}
		if got, ok := p.Append(nil, &d); !ok || string(got) != c.want {
			t.Errorf("%s of %s: %q, want %q", c.path, c.text, got, c.want)
		}
	}
}

func TestMalformed(t *testing.T) {
	var d Doc
	for _, s := range []string{"", "{", "[1,]", `{"a"}`, "01", `"a`, "tru", "{a:1}", `"\q"`, "1x"} {
		if d.Parse(s) {
			t.Errorf("%q parses", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"a":[1,2.5,"x\u00e9",null,true]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var d, e Doc
		if !d.Parse(s) {
			return
		}
		once := string(d.AppendJSON(nil, 0))
		if !e.Parse(once) {
			t.Fatalf("%q is written as %q, which does not parse", s, once)
		}
		if again := string(e.AppendJSON(nil, 0)); again != once {
			t.Fatalf("%q, then %q", once, again)
		}
	})
}
