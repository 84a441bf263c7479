package tpch

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress reports on a run. Its methods are called under the run's lock.
type progress struct {
	out      io.Writer // nil for silence
	terminal bool
	begin    time.Time
	shown    time.Time
	total    int64 // row groups weighted by expected rows
	done     int64
}

const (
	barWidth    = 30
	barInterval = 100 * time.Millisecond
)

func newProgress(out io.Writer, jobs []*job) *progress {
	p := &progress{out: out, begin: time.Now()}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	for _, j := range jobs {
		p.total += j.units * j.table.rowsPerUnit
	}
	return p
}

// advance counts the rows of a group of a job, which may be its last.
func (p *progress) advance(j *job, rows int) {
	p.done = min(p.done+int64(rows), p.total)
	switch now := time.Now(); {
	case p.out == nil:
	case !p.terminal:
		if j.appended == j.groups {
			fmt.Fprintf(p.out, "%-8s %12d units  %7.1f s\n", j.table.Name, j.units, now.Sub(p.begin).Seconds())
		}
	case now.Sub(p.shown) >= barInterval:
		p.shown = now
		p.draw(j.table.Name, now)
	}
}

// draw shows the bar over the last one.
func (p *progress) draw(what string, now time.Time) {
	full := int(p.done * barWidth / max(p.total, 1))
	fmt.Fprintf(p.out, "\r[%s%s] %3d%%  %-8s  %.1f s ",
		strings.Repeat("#", full), strings.Repeat("-", barWidth-full),
		p.done*100/max(p.total, 1), what, now.Sub(p.begin).Seconds())
}

// finish ends the bar.
func (p *progress) finish(err error) {
	if p.out == nil || !p.terminal {
		return
	}
	what := "done"
	if err != nil {
		what = "failed"
	} else {
		p.done = p.total
	}
	p.draw(what, time.Now())
	fmt.Fprintln(p.out)
}
