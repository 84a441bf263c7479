package functions

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"go/token"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/function"
)

var update = flag.Bool("update", false, "write functions_gen.go")

// TestCurrent says that functions_gen.go is what the function table gives. Run with -update to write it.
func TestCurrent(t *testing.T) {
	want := generate(t)
	if *update {
		if err := os.WriteFile("functions_gen.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("functions_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("functions_gen.go is not what the function table gives: run go test ./spark/functions -run TestCurrent -update")
	}
}

var word = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// own are the names that package functions writes by hand, or that Go programs spell as methods of columns.
var own = map[string]bool{"and": true, "or": true, "not": true, "between": true, "in": true, "extract": true}

func generate(t *testing.T) []byte {
	var b bytes.Buffer
	b.WriteString("// Code generated from the function table by functions_test.go; DO NOT EDIT.\n\npackage functions\n\nimport \"github.com/firesteel/firesteel/spark\"\n")
	type entry struct {
		name string
		row  *function.Row
	}
	var list []entry
	for _, r := range function.Rows() {
		if r.Internal || r.Kind == function.TableFunc {
			continue
		}
		for _, n := range append([]string{r.Name}, r.Aliases...) {
			if word.MatchString(n) && !own[n] {
				list = append(list, entry{n, r})
			}
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	for _, e := range list {
		write(&b, e.name, e.row)
	}
	out, err := format.Source(b.Bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	return out
}

func write(b *bytes.Buffer, name string, r *function.Row) {
	fixed, variadic := parameters(r)
	usage := strings.Join(strings.Fields(r.Usage), " ")
	if usage == "" {
		usage = "it has no description."
	}
	fmt.Fprintf(b, "\n// %s is %s\n", camel(name), usage)
	params, args := "", ""
	for i, p := range fixed {
		if i > 0 {
			params, args = params+", ", args+", "
		}
		params, args = params+p, args+p
	}
	if params != "" {
		params += " any"
	}
	if !variadic {
		fmt.Fprintf(b, "func %s(%s) spark.Column { return call(%q, []any{%s}) }\n", camel(name), params, name, args)
		return
	}
	if params != "" {
		params += ", "
	}
	fmt.Fprintf(b, "func %s(%smore ...any) spark.Column { return call(%q, []any{%s}, more...) }\n", camel(name), params, name, args)
}

// parameters are the names of the parameters that a call must give, from the usage line name(a, b[, c]); variadic says
// that more may follow.
func parameters(r *function.Row) (fixed []string, variadic bool) {
	head, _, _ := strings.Cut(r.Usage, ": ")
	_, inside, ok := strings.Cut(head, "(")
	if !ok || !strings.HasSuffix(inside, ")") || !strings.HasPrefix(head, r.Name+"(") {
		return nil, true
	}
	inside = strings.TrimSuffix(inside, ")")
	must, _, optional := strings.Cut(inside, "[")
	used := map[string]bool{}
	for _, p := range strings.Split(must, ",") {
		p = strings.TrimSpace(p)
		switch {
		case p == "":
			continue
		case strings.Contains(p, "…") || strings.Contains(p, "...") || strings.Contains(p, " "):
			return fixed, true
		}
		p = strings.ReplaceAll(p, "_", "")
		if !token.IsIdentifier(p) || used[p] || p == "any" || p == "more" || p == "call" {
			p = fmt.Sprintf("arg%d", len(fixed)+1)
		}
		used[p] = true
		fixed = append(fixed, p)
	}
	return fixed, optional
}

// camel: array_contains becomes ArrayContains.
func camel(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
