package eventlog

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/event"
)

// encoder makes lines of events. It remembers the sums of accumulators, for Spark's lines have them.
type encoder struct {
	hide      func(key, value string) string // redacts a setting
	tidy      func(statement string) string  // redacts a statement
	secret    *regexp.Regexp                 // redacts parts of other texts; nil: none
	blocks    bool                           // BlockUpdated is written, too
	sums      sums
	places    map[event.ExecutorID]blockManager // of all block managers that were added
	described [2]string                         // the last one, as it was and redacted
	buf       bytes.Buffer
	json      *json.Encoder
}

func newEncoder(v *conf.Values) *encoder {
	e := &encoder{hide: v.Redaction(), tidy: v.RedactedText, secret: v.TextRedaction(), blocks: v.Bool("spark.eventLog.logBlockUpdates.enabled"), sums: newSums(),
		places: map[event.ExecutorID]blockManager{}}
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}

// line is the line of an event with its line break, valid until the next call; nil: the log does not have such events.
func (e *encoder) line(ev event.Event) ([]byte, error) {
	form := e.form(ev)
	if form == nil {
		return nil, nil
	}
	e.buf.Reset()
	err := e.json.Encode(form)
	return e.buf.Bytes(), err
}

// form is an event as Spark's log has it.
func (e *encoder) form(ev event.Event) any {
	name := ev.EventName()
	switch ev := ev.(type) {
	case event.LogStart:
		return logStart{name, ev.Version}
	case event.ApplicationStart:
		return applicationStart{name, ev.Name, string(ev.ID), millis(ev.Time), ev.User, ev.Attempt}
	case event.ApplicationEnd:
		return applicationEnd{name, millis(ev.Time), ev.ExitCode}
	case event.EnvironmentUpdate:
		return environmentUpdate{name, noNil(ev.Runtime), e.redact(ev.Spark), e.redact(ev.Hadoop), e.redact(ev.System), e.redact(ev.Metrics), noNil(ev.Classpath)}
	case event.ResourceProfileAdded:
		return profileForm(name, &ev)
	case event.ExecutorAdded:
		return executorAdded{name, millis(ev.Time), ev.Executor, executorInfo{ev.Host, ev.Cores, noNil(ev.LogURLs), noNil(ev.Attributes), struct{}{}, ev.Profile}}
	case event.ExecutorRemoved:
		return executorRemoved{name, millis(ev.Time), ev.Executor, ev.Reason}
	case event.BlockManagerAdded:
		at := placeOf(ev.ID)
		e.places[ev.ID.Executor] = at
		return blockManagerAdded{name, at, ev.MaxMemory, millis(ev.Time), ev.OnHeap, ev.OffHeap}
	case event.BlockManagerRemoved:
		return blockManagerRemoved{name, placeOf(ev.ID), millis(ev.Time)}
	case event.UnpersistRDD:
		return unpersistRDD{name, ev.RDD}
	case event.BlockUpdated:
		if !e.blocks {
			return nil
		}
		s := &ev.Status
		return blockUpdated{name, blockInfo{placeOf(ev.ID), s.Block, levelOf(s.Level), s.MemSize, s.DiskSize}}
	}
	if f := e.jobForm(name, ev); f != nil {
		return f
	}
	if f := e.sqlForm(name, ev); f != nil {
		return f
	}
	if f := e.connectForm(name, ev); f != nil {
		return f
	}
	return otherForm(name, ev)
}

// jobForm is the form of what jobs, stages and tasks do.
func (e *encoder) jobForm(name string, ev event.Event) any {
	switch ev := ev.(type) {
	case event.JobStart:
		return e.jobStart(name, &ev)
	case event.JobEnd:
		return jobEnd{name, ev.Job, millis(ev.Time), e.result(ev.Err)}
	case event.StageSubmitted:
		return stageSubmitted{name, stageForm(&ev.Stage, nil), e.properties(ev.Properties, ev.Group, ev.Description, ev.Stage.Pool, ev.Tags)}
	case event.StageCompleted:
		return stageCompleted{name, stageForm(&ev.Stage, e.sums.stageOver(&ev.Stage))}
	case event.TaskStart:
		return taskStart{name, ev.Stage, ev.StageAttempt, taskForm(&ev.Info, nil)}
	case event.TaskGettingResult:
		return taskGettingResult{name, taskForm(&ev.Info, nil)}
	case event.TaskEnd:
		return e.taskEnd(name, &ev)
	}
	return nil
}

// otherForm is the form of events that Spark writes as their classes are.
func otherForm(name string, ev event.Event) any {
	switch ev := ev.(type) {
	case event.SpeculativeTaskSubmitted:
		return speculativeTask{name, ev.Stage, ev.StageAttempt}
	case event.ExecutorExcluded:
		f := executorExcluded{Event: name, Time: millis(ev.Time), Executor: ev.Executor, Failures: ev.Failures}
		if ev.Stage >= 0 {
			f.Stage, f.Attempt = &ev.Stage, &ev.StageAttempt
		}
		return f
	case event.ExecutorUnexcluded:
		return executorExcluded{Event: name, Time: millis(ev.Time), Executor: ev.Executor}
	case event.NodeExcluded:
		f := nodeExcluded{Event: name, Time: millis(ev.Time), Host: ev.Host, Failures: ev.Failures}
		if ev.Stage >= 0 {
			f.Stage, f.Attempt = &ev.Stage, &ev.StageAttempt
		}
		return f
	case event.NodeUnexcluded:
		return nodeExcluded{Event: name, Time: millis(ev.Time), Host: ev.Host}
	}
	return nil
}

// flushes says whether what was written must be seen by others after this event. As in Spark, single tasks are not worth it.
func flushes(ev event.Event) bool {
	switch ev.(type) {
	case event.LogStart, event.ResourceProfileAdded, event.EnvironmentUpdate, event.StageSubmitted, event.TaskStart, event.TaskGettingResult,
		event.TaskEnd, event.SpeculativeTaskSubmitted, event.BlockUpdated:
		return false
	}
	return true
}

// millis is a time in Spark's form; 0 of none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func noNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// redact hides the values of settings that are secret.
func (e *encoder) redact(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = e.hide(k, v)
	}
	return out
}

// redactText hides the parts of a text that are secret.
func (e *encoder) redactText(s string) string {
	if e.secret == nil {
		return s
	}
	return e.secret.ReplaceAllLiteralString(s, conf.Hidden)
}

// describe redacts the description of a job or query, which often is a statement. Those that follow each other often have the
// same.
func (e *encoder) describe(s string) string {
	if s != e.described[0] {
		e.described = [2]string{s, e.redactText(e.tidy(s))}
	}
	return e.described[1]
}

// The properties by which readers know a job's group, description, tags and pool.
const (
	groupKey       = "spark.jobGroup.id"
	descriptionKey = "spark.job.description"
	tagsKey        = "spark.job.tags"
	poolKey        = "spark.scheduler.pool"
)

// properties are those of a job with what the log's readers look up there.
func (e *encoder) properties(p map[string]string, group, description, pool string, tags []string) map[string]string {
	out := maps.Clone(noNil(p))
	for k, v := range map[string]string{groupKey: group, descriptionKey: e.describe(description), poolKey: pool, tagsKey: strings.Join(tags, ",")} {
		if v != "" {
			out[k] = v
		}
	}
	for k, v := range out {
		if k != groupKey && k != descriptionKey && k != tagsKey {
			out[k] = e.hide(k, v)
		}
	}
	return out
}
