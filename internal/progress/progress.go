// Package progress draws the console progress bar of running stages, in Spark's form:
//
//	[Stage 3:=====>          (12 + 2) / 200]
//
// done + running / all tasks. It is a listener: Listen takes the events of the bus, and Run
// redraws until its context ends. Stages that are over within Delay are never shown, so small
// queries print nothing.
package progress

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firesteel/firesteel/internal/event"
)

// Delay is how old a stage is before it is shown.
const Delay = 500 * time.Millisecond

// Interval is the time between redraws (spark.ui.consoleProgress.update.interval).
const Interval = 200 * time.Millisecond

// maxStages is how many bars share the line.
const maxStages = 3

// Bar draws on one line of a terminal. Its methods may be called from any goroutine.
type Bar struct {
	out   io.Writer
	width int

	mu     sync.Mutex
	stages map[event.StageAttemptID]*stage
	line   string // what is on the terminal
}

type stage struct {
	id                  event.StageID
	submitted           time.Time
	done, active, total int
}

// New gives a bar for a terminal of so many columns; 0 means 80.
func New(out io.Writer, width int) *Bar {
	if width <= 0 {
		width = 80
	}
	return &Bar{out: out, width: width, stages: map[event.StageAttemptID]*stage{}}
}

// Listen takes one event of the listener bus.
func (b *Bar) Listen(e event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := e.(type) {
	case event.StageSubmitted:
		b.stages[attempt(e.Stage.ID, e.Stage.Attempt)] = &stage{id: e.Stage.ID, submitted: e.Stage.Submitted, total: e.Stage.Tasks}
	case event.StageCompleted:
		delete(b.stages, attempt(e.Stage.ID, e.Stage.Attempt))
		if len(b.stages) == 0 {
			b.draw("")
		}
	case event.TaskStart:
		if s := b.stages[attempt(e.Stage, e.StageAttempt)]; s != nil {
			s.active++
		}
	case event.TaskEnd:
		if s := b.stages[attempt(e.Stage, e.StageAttempt)]; s != nil {
			s.end(e.Reason)
		}
	}
}

func attempt(id event.StageID, n int) event.StageAttemptID {
	return event.StageAttemptID{Stage: id, Attempt: n}
}

func (s *stage) end(r event.Reason) {
	switch r.(type) {
	case event.Success:
		s.done++
		s.active--
	case event.Resubmitted: // a finished task that has to run again
		s.done--
	default:
		s.active--
	}
}

// Run redraws until ctx ends, and then wipes the line.
func (b *Bar) Run(ctx context.Context) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			b.Refresh(now)
		case <-ctx.Done():
			b.Clear()
			return
		}
	}
}

// Refresh redraws the line if it changed.
func (b *Bar) Refresh(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var shown []*stage
	for _, s := range b.stages {
		if now.Sub(s.submitted) > Delay {
			shown = append(shown, s)
		}
	}
	slices.SortFunc(shown, func(a, b *stage) int { return int(a.id) - int(b.id) })
	b.draw(b.render(shown[:min(len(shown), maxStages)]))
}

// Clear wipes the line, so that something else can be printed.
func (b *Bar) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draw("")
}

func (b *Bar) render(shown []*stage) string {
	var line strings.Builder
	for _, s := range shown {
		s.render(&line, b.width/len(shown))
	}
	return line.String()
}

// render writes the bar of one stage in so many columns.
func (s *stage) render(line *strings.Builder, width int) {
	head := fmt.Sprintf("[Stage %d:", s.id)
	tail := fmt.Sprintf("(%d + %d) / %d]", s.done, s.active, s.total)
	line.WriteString(head)
	if w := width - len(head) - len(tail); w > 0 {
		full := w * s.done / max(s.total, 1)
		line.WriteString(strings.Repeat("=", min(full, w)))
		if full < w {
			line.WriteString(">" + strings.Repeat(" ", w-full-1))
		}
	}
	line.WriteString(tail)
}

// draw puts a line in place of the one that is there. A terminal that fails is not worth an error.
func (b *Bar) draw(line string) {
	if line == b.line {
		return
	}
	if line == "" {
		fmt.Fprint(b.out, "\r"+strings.Repeat(" ", b.width)+"\r")
	} else {
		fmt.Fprint(b.out, "\r"+line)
	}
	b.line = line
}
