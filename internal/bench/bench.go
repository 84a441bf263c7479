// Package bench runs the queries of a benchmark over Parquet files in a running application and measures each: the first
// run and the repeated ones, processor time, memory at its peak, bytes read and spilled. Answers are compared with known
// ones where there are some. A report can be kept and set beside another.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/session"
	"github.com/firesteel/firesteel/internal/sqlparser"
	"github.com/firesteel/firesteel/internal/types"
)

// Options say what is run.
type Options struct {
	Suite   string
	Data    string // folder of the tables: NAME.parquet, files or folders
	Queries []Query
	Runs    int     // repeated runs a query, after the first
	Answers Answers // nil: not checked
	Out     io.Writer
}

// Query is a query of a benchmark: statements of which the last gives the answer.
type Query struct{ Name, Text string }

// Result is what one query measured. Times are in seconds, sizes in bytes.
type Result struct {
	Query   string    `json:"query"`
	Cold    float64   `json:"cold"`
	Hot     []float64 `json:"hot,omitempty"`
	CPU     float64   `json:"cpu"` // processor time of the best hot run
	Rows    int64     `json:"rows"`
	Peak    int64     `json:"peak"` // resident memory of the process at most; 0 where the system does not tell
	Read    int64     `json:"read"`
	Spilled int64     `json:"spilled"` // in all runs, at most
	Hash    string    `json:"hash"`    // of the rows, in any order
	Answer  string    `json:"answer,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// Best is the shortest hot run, or the first run if there was no other.
func (r *Result) Best() float64 {
	if len(r.Hot) == 0 {
		return r.Cold
	}
	return slices.Min(r.Hot)
}

// Report is a run of a suite.
type Report struct {
	Suite   string   `json:"suite"`
	Data    string   `json:"data"`
	Version string   `json:"version"`
	Slots   int      `json:"slots"`
	Results []Result `json:"results"`
}

// Run runs the queries one after the other and prints a line for each. A query that fails is reported and does not end
// the run; a cancelled context does.
func Run(ctx context.Context, app *session.App, o Options) (*Report, error) {
	s := app.NewSession()
	defer s.Close()
	if err := openTables(ctx, s, o.Data); err != nil {
		return nil, err
	}
	m := &meter{session: s, app: app}
	defer app.Bus().Subscribe(m.listen).Close()
	rep := &Report{Suite: o.Suite, Data: o.Data, Version: session.Version, Slots: app.Slots()}
	fmt.Fprintln(o.Out, header)
	for _, q := range o.Queries {
		r := m.query(ctx, q, o.Runs, o.Answers)
		if ctx.Err() != nil {
			return rep, context.Cause(ctx)
		}
		fmt.Fprintln(o.Out, r.line())
		rep.Results = append(rep.Results, *r)
	}
	fmt.Fprintln(o.Out, rep.summary())
	return rep, nil
}

// openTables makes a temporary view of each Parquet file and folder.
func openTables(ctx context.Context, s *session.Session, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".parquet")
		if !ok {
			continue
		}
		path, err := filepath.Abs(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		text := "CREATE OR REPLACE TEMPORARY VIEW " + types.Quote(name) + " USING parquet OPTIONS (path '" + strings.ReplaceAll(path, "'", `\'`) + "')"
		if err := s.SQL(ctx, text, func(*types.Schema) error { return nil }, func(*columnar.Batch) error { return nil }); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return fmt.Errorf("there are no tables (NAME.parquet) in %s", dir)
	}
	return nil
}

// meter runs queries of a session and measures them.
type meter struct {
	session *session.Session
	app     *session.App
	mu      sync.Mutex
	read    int64
	spilled int64
}

// listen adds up what tasks read and spilled.
func (m *meter) listen(e event.Event) {
	end, ok := e.(event.TaskEnd)
	if !ok || end.Metrics == nil {
		return
	}
	m.mu.Lock()
	m.read += end.Metrics.Input.BytesRead
	m.spilled += end.Metrics.DiskBytesSpilled
	m.mu.Unlock()
}

// taken gives the sums since the last call.
func (m *meter) taken() (read, spilled int64) {
	m.app.Bus().Drain()
	m.mu.Lock()
	defer m.mu.Unlock()
	read, spilled = m.read, m.spilled
	m.read, m.spilled = 0, 0
	return read, spilled
}

// query runs a query once, and then as often as asked.
func (m *meter) query(ctx context.Context, q Query, runs int, answers Answers) *Result {
	r := &Result{Query: q.Name}
	debug.FreeOSMemory() // what the query before left is not this one's memory
	resetPeak()
	var got rows
	m.taken()
	start := time.Now()
	if err := m.run(ctx, q, &got); err != nil {
		r.Error = firstLine(err.Error())
		return r
	}
	r.Cold = time.Since(start).Seconds()
	r.Rows, r.Hash, r.Answer = int64(len(got.cells)), got.hash(), answers.check(q.Name, &got)
	r.Read, r.Spilled = m.taken()
	for range runs {
		var n counted
		cpu, start := processorTime(), time.Now()
		if err := m.run(ctx, q, &n); err != nil {
			r.Error = firstLine(err.Error())
			return r
		}
		wall := time.Since(start).Seconds()
		if used := processorTime() - cpu; len(r.Hot) == 0 || used.Seconds() < r.CPU {
			r.CPU = used.Seconds()
		}
		r.Hot = append(r.Hot, wall)
		if n.rows != r.Rows {
			r.Error = fmt.Sprintf("a repeated run gave %d rows", n.rows)
		}
		_, spilled := m.taken()
		r.Spilled = max(r.Spilled, spilled)
	}
	r.Peak = peakMemory()
	return r
}

// taker takes the rows of a query.
type taker interface {
	begin(*types.Schema) error
	take(*columnar.Batch) error
}

// run runs the statements of a query; the rows of the last stay in t.
func (m *meter) run(ctx context.Context, q Query, t taker) error {
	for _, stmt := range sqlparser.SplitStatements(q.Text) {
		if err := m.session.SQL(ctx, stmt, t.begin, t.take); err != nil {
			return err
		}
	}
	return nil
}

// counted counts rows.
type counted struct{ rows int64 }

func (c *counted) begin(*types.Schema) error    { c.rows = 0; return nil }
func (c *counted) take(b *columnar.Batch) error { c.rows += int64(b.N); return nil }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
