package sqlparser

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

var update = flag.Bool("update", false, "write the outputs into testdata")

// TestPlans parses the statements of testdata/*.txt and compares the dumps of their plans. A case is a statement, a line
// "=>" and the dump, or the error; an empty line with "--" stands between cases.
func TestPlans(t *testing.T) {
	for _, name := range []string{"queries", "commands", "expressions", "errors"} {
		t.Run(name, func(t *testing.T) { testFile(t, name) })
	}
}

func testFile(t *testing.T, name string) {
	file := "testdata/" + name + ".txt"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n--\n") {
		text, want, _ := strings.Cut(c, "\n=>\n")
		got := parseDump(name, text)
		if got != want && !*update {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
		out = append(out, text+"\n=>\n"+got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n--\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func parseDump(name, text string) string {
	var v any
	var err error
	if name == "expressions" {
		v, err = ParseExpression(text, Options{})
	} else {
		v, err = ParsePlan(text, Options{})
	}
	if e, ok := sparkerr.As(err); ok {
		return "! " + strings.ReplaceAll(strings.TrimSpace(e.Error()), "\n", "\n! ")
	}
	return dump(v)
}
