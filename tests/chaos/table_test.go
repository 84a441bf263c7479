package chaos

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's folder.
var root = filepath.Join("..", "..")

// TestFaultsTable checks that every test that docs/faults.md names exists, and that every line names one or says why not.
func TestFaultsTable(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root, "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([\\w./]+): (\\w+)(/\\w+)?`")
	ids := map[string]bool{}
	rows, tests := 0, 0
	for line := range strings.Lines(string(doc)) {
		for _, m := range named.FindAllStringSubmatch(line, -1) {
			tests++
			if !declared(t, m[1], m[2], strings.TrimPrefix(m[3], "/")) {
				t.Errorf("there is no test %s in %s", m[2]+m[3], m[1])
			}
		}
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "id" {
			continue
		}
		rows++
		id := strings.TrimSpace(cells[1])
		if ids[id] && id != "–" {
			t.Errorf("%s is there twice", id)
		}
		ids[id] = true
		if strings.TrimSpace(cells[4]) == "" && !strings.Contains(cells[3], "ot tested") && !strings.Contains(cells[3], "not asserted") && strings.TrimSpace(cells[3]) != "" {
			t.Errorf("%s neither names a test nor says why there is none", id)
		}
	}
	if rows < 80 || tests < 80 {
		t.Errorf("only %d lines and %d tests were found", rows, tests)
	}
}

// declared says whether a package, or a file of pytest, has a test; part names a script of testdata.
func declared(t *testing.T, where, name, part string) bool {
	if part != "" {
		if _, err := os.Stat(filepath.Join(root, where, "testdata", part+".txt")); err != nil {
			return false
		}
	}
	paths := []string{filepath.Join(root, where)}
	line := "\ndef " + name + "("
	if !strings.HasSuffix(where, ".py") {
		var err error
		if paths, err = filepath.Glob(filepath.Join(root, where, "*_test.go")); err != nil {
			t.Fatal(err)
		}
		line = "\nfunc " + name + "("
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), line) {
			return true
		}
	}
	return false
}
