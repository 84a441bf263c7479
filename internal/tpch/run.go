package tpch

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Options say what Run makes.
type Options struct {
	// ScaleFactor is 1 for about 1 GB of raw data; see MinScaleFactor.
	ScaleFactor float64
	// OutputDir gets one file <table>.parquet per table; it is made if need
	// be. A file of that name is replaced once the new one is complete.
	OutputDir string
	// Tables are the names of the tables to make; none means all.
	Tables []string
	// Parallel is the number of row groups made at a time; 0 means one per
	// processor.
	Parallel int
	// Progress gets a progress bar if it is a terminal, else a line per
	// finished table; nil means silence.
	Progress io.Writer
}

const (
	rowsPerGroup = 100000
	// mostGroups is below the greatest number that a row group can have.
	mostGroups = 30000
)

// Run generates tables as Parquet files. On an error, or when the context
// ends, unfinished files are removed; finished ones stay.
func Run(ctx context.Context, o Options) error {
	if err := CheckScaleFactor(o.ScaleFactor); err != nil {
		return err
	}
	chosen, err := choose(o.Tables)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.OutputDir, 0o755); err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	r := &run{sf: o.ScaleFactor, dir: o.OutputDir}
	r.turn.L = &r.mu
	for _, t := range chosen {
		r.jobs = append(r.jobs, newJob(t, o.ScaleFactor))
	}
	r.progress = newProgress(o.Progress, r.jobs)
	stop := context.AfterFunc(ctx, func() { r.fail(context.Cause(ctx)) })
	defer stop()

	workers := o.Parallel
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(r.work)
	}
	wg.Wait()
	for _, j := range r.jobs {
		if j.out != nil {
			j.out.abort()
		}
	}
	stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.finish(r.err)
	return r.err
}

// choose looks up tables by name, each once.
func choose(names []string) ([]*Table, error) {
	if len(names) == 0 {
		return tables, nil
	}
	var chosen []*Table
	seen := make(map[*Table]bool)
	for _, name := range names {
		t, err := Lookup(name)
		if err != nil {
			return nil, err
		}
		if !seen[t] {
			seen[t] = true
			chosen = append(chosen, t)
		}
	}
	return chosen, nil
}

// job is one table's file. Its fields but the first block change under the
// run's lock only.
type job struct {
	table         *Table
	units         int64
	unitsPerGroup int64
	groups        int

	out      *tableFile // nil before the first group and after the last
	begun    int
	appended int
}

func newJob(t *Table, sf float64) *job {
	j := &job{table: t, units: t.Units(sf)}
	batches := max(1, rowsPerGroup/(t.unitsPerBatch*t.rowsPerUnit))
	least := int64(math.Ceil(float64(j.units) / mostGroups / float64(t.unitsPerBatch)))
	j.unitsPerGroup = max(batches, least) * t.unitsPerBatch
	j.groups = int((j.units + j.unitsPerGroup - 1) / j.unitsPerGroup)
	return j
}

// run hands out row groups in the order of tables and of groups in a table,
// and has each worker wait for its turn to append: no more than one group
// per worker is in memory.
type run struct {
	sf       float64
	dir      string
	jobs     []*job
	progress *progress

	mu      sync.Mutex
	turn    sync.Cond // appended or err has changed
	current int       // job to take the next group of
	err     error
}

// fail keeps the first error and wakes all.
func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.turn.Broadcast()
}

// work makes row groups until none is left or the run has failed.
func (r *run) work() {
	var b Batch
	for {
		j, g, err := r.take()
		if err == nil && j == nil {
			return
		}
		if err == nil {
			err = r.make(j, g, &b)
		}
		if err == nil {
			err = r.append(j, g)
		}
		if err != nil {
			r.fail(err)
			return
		}
	}
}

// take begins the next row group; no job means that there is none left or
// that the run has failed.
func (r *run) take() (*job, *rowGroup, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.current < len(r.jobs) && r.jobs[r.current].begun == r.jobs[r.current].groups {
		r.current++
	}
	if r.err != nil || r.current == len(r.jobs) {
		return nil, nil, nil
	}
	j := r.jobs[r.current]
	if j.out == nil {
		out, err := createTableFile(j.table, filepath.Join(r.dir, j.table.Name+".parquet"))
		if err != nil {
			return nil, nil, err
		}
		j.out = out
	}
	j.begun++
	g, err := j.out.begin()
	return j, g, err
}

// make generates and encodes the rows of a group.
func (r *run) make(j *job, g *rowGroup, b *Batch) error {
	reader, err := j.table.NewReader(r.sf, int64(g.ordinal)*j.unitsPerGroup, j.unitsPerGroup)
	if err != nil {
		return err
	}
	for reader.Next(b) {
		if err := g.write(b); err != nil {
			return err
		}
	}
	return nil
}

// append waits for the group's turn and writes it; the last one completes
// the file.
func (r *run) append(j *job, g *rowGroup) error {
	r.mu.Lock()
	for j.appended != int(g.ordinal) && r.err == nil {
		r.turn.Wait()
	}
	err := r.err
	r.mu.Unlock()
	if err != nil {
		return err
	}
	// It is this group's turn until appended changes: no other worker uses
	// the file's end.
	if err := j.out.append(g); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	j.appended++
	r.turn.Broadcast()
	r.progress.advance(j, g.rows)
	if j.appended < j.groups {
		return nil
	}
	out := j.out
	j.out = nil
	return out.commit()
}
