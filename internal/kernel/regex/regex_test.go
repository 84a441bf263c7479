package regex

import (
	"fmt"
	"testing"
)

func TestAll(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"a*", "baaac", "[[0 0] [1 4] [4 4] [5 5]]"},
		{`(\d+)-(\d+)`, "100-200,300-400", "[[0 7 0 3 4 7] [8 15 8 11 12 15]]"},
		{"a$", "ba\n", "[[1 2]]"},
		{".+", "ab\rcd", "[[0 2] [3 5]]"},
		{"(?<y>[0-9]{4})(?=x)", "é2020x2021", "[[2 6 2 6]]"},
		{`(a)|(b)`, "b", "[[0 1 -1 -1 0 1]]"},
		{`a++b`, "aaab", "[[0 4]]"},
		{`[a-z&&[^b]]+`, "abc", "[[0 1] [2 3]]"},
		{`(\w)\1`, "xaab", "[[1 3 1 2]]"},
		{`\p{Upper}\p{L}`, "aBé", "[[1 4]]"},
		{`(?i)STEEL`, "FireSteel", "[[4 9]]"},
		{`\Qa.b\E`, "axb a.b", "[[4 7]]"},
		{`[\s,]+`, "a ,b\v", "[[1 3] [4 5]]"},
		{`\bé`, "a é", "[[2 4]]"},
	} {
		r, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := fmt.Sprint(r.All(c.text, -1)); got != c.want {
			t.Errorf("%s in %q: %s, want %s", c.pattern, c.text, got, c.want)
		}
	}
}

func TestReplace(t *testing.T) {
	for _, c := range []struct{ pattern, text, by, want string }{
		{`(\w+) (\w+)`, "fire steel", "$2 $1", "steel fire"},
		{`x*`, "abc", "-", "-a-b-c-"},
		{`a`, "banana", `\$`, "b$n$n$"},
		{`(?<first>.)b`, "ab", "${first}${first}", "aa"},
	} {
		r, err := Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		p, bad := r.Replacement(c.by)
		if bad != "" {
			t.Fatal(bad)
		}
		if got := string(r.AppendReplace(nil, c.text, p)); got != c.want {
			t.Errorf("%s: %q, want %q", c.pattern, got, c.want)
		}
	}
}

func TestBad(t *testing.T) {
	for _, p := range []string{"(", "[a", "*a", `\q`, "a{x}", "(?<a)"} {
		if _, err := Compile(p); err == nil {
			t.Errorf("%s compiles", p)
		}
	}
}
