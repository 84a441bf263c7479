package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/show"
	"github.com/firesteel/firesteel/internal/types"
)

// Answers are the right rows by query: each cell as text, decimals with their scale, floating-point numbers with ten digits.
type Answers map[string][][]string

// ReadAnswers reads a JSON file {"query": [["cell", …], …], …}.
func ReadAnswers(path string) (Answers, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var a Answers
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fmt.Errorf("%s is not a file of answers: %w", path, err)
	}
	return a, nil
}

// check says how the rows of a query compare with the answer: "" if there is none, else "right" or what is wrong. The
// order of rows does not count.
func (a Answers) check(query string, got *rows) string {
	want, ok := a[query]
	if !ok {
		return ""
	}
	if len(want) != len(got.cells) {
		return fmt.Sprintf("wrong: %d rows, not %d", len(got.cells), len(want))
	}
	w := &rows{cells: want}
	mine, theirs := got.lines(), w.lines()
	for i := range mine {
		if mine[i] != theirs[i] {
			return "wrong: " + mine[i] + ", not " + theirs[i]
		}
	}
	return "right"
}

// rows collects all rows of a result as text.
type rows struct {
	schema *types.Schema
	cells  [][]string
}

func (r *rows) begin(s *types.Schema) error {
	r.schema, r.cells = s, nil
	return nil
}

func (r *rows) take(b *columnar.Batch) error {
	for i := range b.N {
		row := make([]string, len(b.Cols))
		for c := range b.Cols {
			row[c] = cell(&b.Cols[c], i)
		}
		r.cells = append(r.cells, row)
	}
	return nil
}

// lines are the rows as lines in order.
func (r *rows) lines() []string {
	out := make([]string, len(r.cells))
	for i, row := range r.cells {
		out[i] = strings.Join(row, "|")
	}
	slices.Sort(out)
	return out
}

func (r *rows) hash() string {
	sum := sha256.Sum256([]byte(strings.Join(r.lines(), "\n")))
	return hex.EncodeToString(sum[:8])
}

// cell is a value as the files of answers have it.
func cell(v *columnar.Vector, i int) string {
	switch x := v.ValueAt(i).(type) {
	case float64:
		return strconv.FormatFloat(x, 'g', 10, 64)
	case float32:
		return strconv.FormatFloat(float64(x), 'g', 10, 64)
	case bool:
		if x {
			return "True"
		}
		return "False"
	case int64:
		if v.Type.Kind == types.TimestampKind || v.Type.Kind == types.TimestampNTZKind {
			return time.UnixMicro(x).UTC().Format("2006-01-02T15:04:05.999999")
		}
	}
	return (&show.Format{}).Cell(v, i)
}
