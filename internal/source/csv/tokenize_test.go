package csv

import (
	"reflect"
	"testing"
)

var standard = Dialect{Sep: []byte(","), Quote: '"', Escape: '\\', EscapeEscape: '\\'}

func texts(fields []Field) []string {
	var out []string
	for _, f := range fields {
		s := string(f.Text)
		if f.Quoted {
			s = "q:" + s
		}
		out = append(out, s)
	}
	return out
}

// The expected fields are what Spark's reader gives.
func TestTokenizeLine(t *testing.T) {
	same := standard
	same.Escape, same.EscapeEscape = '"', 0
	trim := standard
	trim.TrimLeft, trim.TrimRight = true, true
	bars := standard
	bars.Sep = []byte("||")
	for _, c := range []struct {
		d    Dialect
		line string
		want []string
	}{
		{standard, ``, []string{""}},
		{standard, `a,b`, []string{"a", "b"}},
		{standard, `,`, []string{"", ""}},
		{standard, `"",x`, []string{"q:", "x"}},
		{standard, `1,"x ""y"""`, []string{"1", `"x ""y"""`}},
		{standard, `a\"b,"a\"b","x\\y","a""b"`, []string{`a\"b`, `q:a"b`, `q:x\y`, `"a""b"`}},
		{standard, `"a\b"`, []string{`q:a\b`}},
		{standard, `a"b,c"d"e,"x"y,"q" ,z`, []string{`a"b`, `c"d"e`, `"x"y`, `q:q`, `z`}},
		{standard, `"unclosed,2`, []string{"q:unclosed,2"}},
		{standard, ` a ," b "`, []string{" a ", "q: b "}},
		{trim, ` a , b `, []string{"a", "b"}},
		{trim, `  "x" ,  `, []string{"q:x", ""}},
		{same, `"a""b",""""`, []string{`q:a"b`, `q:"`}},
		{bars, `a|b||c||`, []string{"a|b", "c", ""}},
	} {
		got, n := NewTokenizer(c.d).Record([]byte(c.line))
		if !reflect.DeepEqual(texts(got), c.want) || n != len(c.line) {
			t.Errorf("%s: %q, want %q", c.line, texts(got), c.want)
		}
	}
}

func TestTokenizeFile(t *testing.T) {
	d := standard
	d.MultiLine = true
	tok := NewTokenizer(d)
	b := []byte("\"multi\nline\",2\r\n3,\"4\"\n\rx")
	var got [][]string
	for len(b) > 0 {
		f, n := tok.Record(b)
		got = append(got, texts(f))
		b = b[n:]
	}
	want := [][]string{{"q:multi\nline", "2"}, {"3", "q:4"}, {""}, {"x"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`1,"x ""y""",\"`), true)
	f.Fuzz(func(t *testing.T, b []byte, multi bool) {
		d := standard
		d.MultiLine = multi
		tok := NewTokenizer(d)
		for len(b) > 0 {
			_, n := tok.Record(b)
			if n <= 0 || n > len(b) {
				t.Fatalf("%d bytes taken of %d", n, len(b))
			}
			b = b[n:]
		}
	})
}
