package chaos

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile is a file of text and what a real Spark read from it, by mode; testdata/hostile.py asked it.
type hostile struct {
	Format, Name, Schema, Data string
	Runs                       [][2]any // texts and how often each is repeated, when the data is long
	Options                    map[string]string
	Answers                    map[string]answer
}

// answer is rows as JSON, or the condition of an error.
type answer struct {
	Rows  []string
	Error string
}

func (h *hostile) bytes(t *testing.T) []byte {
	data, err := base64.StdEncoding.DecodeString(h.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h.Runs { // all of ASCII
		data = append(data, bytes.Repeat([]byte(r[0].(string)), int(r[1].(float64)))...)
	}
	return data
}

func quoted(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `'`, `\'`) + "'"
}

func (h *hostile) view(path, mode string) string {
	o := maps.Clone(h.Options)
	o["path"], o["mode"] = path, mode
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(o)) {
		parts = append(parts, k+" "+quoted(o[k]))
	}
	return fmt.Sprintf("create or replace temporary view v (%s) using %s options (%s)", h.Schema, h.Format, strings.Join(parts, ", "))
}

// known are cases that are read in another way than Spark reads them, and why.
var known = map[string]string{
	"escapes":                            "an escape as the last byte of a file",
	"line ends of all kinds, many lines": "a lone line feed ends a record also where the first end has two bytes",
	`line ends of all kinds, many lines, \r first`: "a line feed before a record is white space to Spark",
	"double keys that do not fit":                  "the last of two values counts, also if it does not fit",
	"bytes that are no UTF-8, later":               "a record with such bytes has no values, also none before them",
	"a cut escape":                                 "a record that is no JSON has no values, also none before the error",
}

func short(row string) string {
	if r := []rune(row); len(r) >= 300 {
		return fmt.Sprintf("%s… %d", string(r[:200]), len(r))
	}
	return row
}

// TestHostileText is D12 and D13: CSV and JSON that are damaged, odd or huge are read as Spark reads them, in each mode.
func TestHostileText(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "hostile.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []hostile
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	s := serve(t, launch{args: []string{"--master", "local[2]", "--driver-memory", "512m"}, conf: []string{"spark.sql.session.timeZone=UTC"}})
	c := s.connect(t)
	ctx := timeout(t, 2*time.Minute)
	dir := t.TempDir()
	differ := map[string]bool{}
	for i := range cases {
		h := &cases[i]
		path := filepath.Join(dir, fmt.Sprint("case", i))
		if err := os.WriteFile(path, h.bytes(t), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, mode := range slices.Sorted(maps.Keys(h.Answers)) {
			_, err := c.query(ctx, h.view(path, mode))
			var got answer
			if err == nil {
				got.Rows, err = c.query(ctx, "select to_json(struct(*), map('ignoreNullFields', 'false')) from v")
			}
			if err != nil {
				got = answer{Error: condition(err)}
			}
			for j := range got.Rows {
				got.Rows[j] = short(got.Rows[j])
			}
			want := h.Answers[mode]
			switch same := got.Error == want.Error && slices.Equal(got.Rows, want.Rows); {
			case same:
			case known[h.Name] != "":
				differ[h.Name] = true
			default:
				t.Errorf("%s %s, %s:\ngot  %s %q\nwant %s %q", h.Format, h.Name, mode, got.Error, got.Rows, want.Error, want.Rows)
			}
		}
	}
	for name := range known {
		if !differ[name] {
			t.Errorf("%s is no difference any more", name)
		}
	}
	if _, peak := s.memory(); peak > 640<<20 {
		t.Errorf("the server took %d MB", peak>>20)
	}
	s.alive(t)
}
