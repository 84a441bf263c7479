package scheduler

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

var update = flag.Bool("update", false, "rewrite the expected output of the scripts")

// A script is a list of blocks. A block is commands, a line of dashes and the actions that came
// of them. One command is one event:
//
//	config maxFailures=2 speculation=true    (first of all; see setConfig)
//	at 1.5s                                  the clock, from the start
//	tick                                     moves the clock on to the deadline
//	exec e1 h1 2                             executor, host, cores
//	lost e1 [platform] [host] [memory] : reason
//	leaving e1 | disconnect e1 | beat e1 [cached=3]
//	job 0 [group=g] [tag=t] [pool=p]         followed by its stages:
//	  map 7 tasks=2 [reads=1,2] [prefs=e1@h1,@h2;;@h2] [cpus=2] [indeterminate] [barrier]
//	  result tasks=2 …
//	cancel job 0 | stage 1 | group g [future] | tag t | all : reason
//	started 3 | ok 3 [sizes=1,2] [bytes=9] | fail 3 text | refused 3 | fatal 3 text | killed 3 | denied 3 | resultlost 3
//	fetch 3 shuffle=7 map=0 [from=e1@h1]
//	commit 3 | moved 7 0 e2 | release 7
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) { runScript(t, f) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner()
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		commands, want, _ := strings.Cut(block, "----\n")
		commands = strings.TrimSuffix(strings.TrimSuffix(commands, "----"), "\n")
		got := r.block(t, commands)
		if !*update && strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s:\n%s\n---- got\n%s---- want\n%s", file, commands, got, want)
		}
		fmt.Fprintf(&out, "%s\n----\n%s\n", commands, got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var scriptStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type runner struct {
	cfg Config
	s   *Scheduler
	now time.Time
}

func newRunner() *runner { return &runner{cfg: DefaultConfig(), now: scriptStart} }

func (r *runner) block(t *testing.T, commands string) string {
	var out strings.Builder
	lines := strings.Split(commands, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			i++
			line += "\n" + lines[i]
		}
		if err := r.command(line, &out); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return out.String()
}

func (r *runner) command(line string, out *strings.Builder) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "config":
		return r.setConfig(rest)
	case "at":
		d, err := time.ParseDuration(rest)
		r.now = scriptStart.Add(d)
		return err
	}
	if r.s == nil {
		r.s = New(r.cfg)
	}
	if verb == "tick" {
		at, ok := r.s.Deadline()
		if !ok {
			return errors.New("no deadline")
		}
		if at.Before(r.now) {
			at = r.now
		}
		r.now = at
		fmt.Fprintf(out, "at %v\n", at.Sub(scriptStart))
	}
	ev, err := parseEvent(line)
	if err != nil {
		return err
	}
	for _, a := range r.s.Step(r.now, ev) {
		fmt.Fprintln(out, actionText(a))
	}
	return r.s.Check()
}

func (r *runner) setConfig(rest string) error {
	c := &r.cfg
	ints := map[string]*int{
		"maxFailures": &c.MaxTaskFailures, "stageAttempts": &c.MaxStageAttempts, "min": &c.Allocation.Min, "max": &c.Allocation.Max,
		"initial": &c.Allocation.Initial, "cores": &c.Allocation.ExecutorCores, "barrierChecks": &c.BarrierMaxChecks, "attempts": &c.MaxAttempts, "groups": &c.CancelledGroups,
	}
	bools := map[string]*bool{
		"fair": &c.Fair, "service": &c.ShuffleService, "speculation": &c.Speculation, "exclusion": &c.Exclusion.Enabled,
		"dynamic": &c.Allocation.Dynamic, "application": &c.Exclusion.Application, "unreadable": &c.Exclusion.FetchFailures, "kill": &c.Exclusion.Kill,
	}
	durations := map[string]*time.Duration{"timeout": &c.ExecutorTimeout, "starvation": &c.StarvationTimeout, "resubmit": &c.ResubmitDelay}
	var err error
	for _, f := range strings.Fields(rest) {
		k, v, _ := strings.Cut(f, "=")
		switch {
		case ints[k] != nil:
			*ints[k], err = strconv.Atoi(v)
		case bools[k] != nil:
			*bools[k], err = strconv.ParseBool(v)
		case durations[k] != nil:
			*durations[k], err = time.ParseDuration(v)
		case k == "seed":
			c.Seed, err = strconv.ParseUint(v, 10, 64)
		case k == "maxResult":
			c.MaxResultSize, err = strconv.ParseInt(v, 10, 64)
		case k == "pool": // name:weight:minShare[:fair]
			p := strings.Split(v, ":")
			w, _ := strconv.Atoi(p[1])
			m, _ := strconv.Atoi(p[2])
			c.Pools = append(c.Pools, PoolConfig{Name: p[0], Weight: w, MinShare: m, Fair: len(p) > 3})
		default:
			err = fmt.Errorf("unknown setting %s", k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// words are the fields of a command: positional ones, and those of the form key=value.
type words struct {
	pos  []string
	keys map[string]string
}

func parseWords(s string) words {
	w := words{keys: map[string]string{}}
	for _, f := range strings.Fields(s) {
		if k, v, ok := strings.Cut(f, "="); ok {
			w.keys[k] = v
		} else {
			w.pos = append(w.pos, f)
		}
	}
	return w
}

func (w words) has(s string) bool { return slices.Contains(w.pos, s) }

func (w words) at(i int) string {
	if i < len(w.pos) {
		return w.pos[i]
	}
	return ""
}

func (w words) num(i int) int { n, _ := strconv.Atoi(w.at(i)); return n }

func (w words) key(k string) int { n, _ := strconv.Atoi(w.keys[k]); return n }

func ids[T ~int32](s string) []T {
	var out []T
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' }) {
		n, _ := strconv.Atoi(f)
		out = append(out, T(n))
	}
	return out
}

func parseEvent(line string) (Event, error) {
	verb, rest, _ := strings.Cut(line, " ")
	head, reason, _ := strings.Cut(rest, " : ")
	w := parseWords(head)
	task := event.TaskID(w.num(0))
	switch verb {
	case "tick":
		return Tick{}, nil
	case "exec":
		return ExecutorAdded{ID: event.ExecutorID(w.at(0)), Host: w.at(1), Cores: w.num(2)}, nil
	case "lost":
		return ExecutorLost{ID: event.ExecutorID(w.at(0)), PlatformFault: w.has("platform"), HostLost: w.has("host"), OutOfMemory: w.has("memory"), Reason: reason}, nil
	case "leaving":
		return ExecutorDecommissioning{ID: event.ExecutorID(w.at(0))}, nil
	case "disconnect":
		return ExecutorDisconnected{ID: event.ExecutorID(w.at(0))}, nil
	case "beat":
		return Heartbeat{Executor: event.ExecutorID(w.at(0)), Cached: w.key("cached")}, nil
	case "job":
		return parseJob(rest)
	case "cancel":
		return parseCancel(w, reason)
	case "started":
		return TaskStarted{task}, nil
	case "commit":
		return CommitRequest{task}, nil
	case "moved":
		return MapOutputMoved{Shuffle: event.ShuffleID(w.num(0)), Map: w.num(1), To: event.ExecutorID(w.at(2))}, nil
	case "release":
		return ShuffleReleased{event.ShuffleID(w.num(0))}, nil
	}
	_, text, _ := strings.Cut(rest, " ")
	r, ok := map[string]event.Reason{
		"ok": event.Success{}, "fail": event.ExceptionFailure{Err: errors.New(text)},
		"refused": event.ExceptionFailure{Err: sparkerr.New("UNABLE_TO_ACQUIRE_MEMORY", "requestedBytes", "9", "receivedBytes", "0")},
		"fatal":   event.ExceptionFailure{Err: errors.New(text), Fatal: true}, "killed": event.TaskKilled{Cause: "asked"},
		"denied": event.TaskCommitDenied{}, "resultlost": event.TaskResultLost{}, "fetch": parseFetch(w),
	}[verb]
	if !ok {
		return nil, fmt.Errorf("unknown verb %s", verb)
	}
	end := TaskEnded{Task: task, Reason: r, ResultSize: int64(w.key("bytes"))}
	for _, n := range ids[int32](w.keys["sizes"]) {
		end.Sizes = append(end.Sizes, int64(n))
	}
	return end, nil
}

func parseFetch(w words) event.FetchFailed {
	from, host, _ := strings.Cut(w.keys["from"], "@")
	return event.FetchFailed{Shuffle: event.ShuffleID(w.key("shuffle")), Map: w.key("map"), From: event.ExecutorID(from), Host: host}
}

func parseCancel(w words, reason string) (Event, error) {
	c := JobCancelled{Reason: reason, Future: w.has("future")}
	switch w.at(0) {
	case "job":
		c.ID = event.JobID(w.num(1))
	case "stage":
		c.By, c.Stage = CancelStage, event.StageID(w.num(1))
	case "group":
		c.By, c.Group = CancelGroup, w.at(1)
	case "tag":
		c.By, c.Tag = CancelTag, w.at(1)
	case "all":
		c.By = CancelAll
	default:
		return nil, fmt.Errorf("cancel what? %s", w.at(0))
	}
	return c, nil
}

func parseJob(text string) (Event, error) {
	lines := strings.Split(text, "\n")
	w := parseWords(lines[0])
	j := JobSubmitted{ID: event.JobID(w.num(0)), Group: w.keys["group"], Pool: w.keys["pool"]}
	if t := w.keys["tag"]; t != "" {
		j.Tags = []string{t}
	}
	for _, l := range lines[1:] {
		w := parseWords(l)
		st := &StageSpec{
			Name: "test", Shuffle: event.NoShuffle, Tasks: w.key("tasks"), CPUs: w.key("cpus"), Parents: ids[event.ShuffleID](w.keys["reads"]),
			Indeterminate: w.has("indeterminate"), Barrier: w.has("barrier"),
		}
		if w.at(0) == "map" {
			st.Shuffle = event.ShuffleID(w.num(1))
		} else if w.at(0) != "result" {
			return nil, fmt.Errorf("unknown stage %s", l)
		}
		if p, ok := w.keys["prefs"]; ok {
			st.Prefs = parsePrefs(p)
		}
		j.Stages = append(j.Stages, st)
	}
	return j, nil
}

func parsePrefs(s string) [][]Location {
	var all [][]Location
	for _, task := range strings.Split(s, ";") {
		var ls []Location
		for _, l := range strings.FieldsFunc(task, func(r rune) bool { return r == ',' }) {
			e, h, _ := strings.Cut(l, "@")
			ls = append(ls, Location{event.ExecutorID(e), h})
		}
		all = append(all, ls)
	}
	return all
}

// eventText is the command that parseEvent reads back.
func eventText(ev Event) string {
	switch ev := ev.(type) {
	case Tick:
		return "tick"
	case ExecutorAdded:
		return fmt.Sprintf("exec %s %s %d", ev.ID, ev.Host, ev.Cores)
	case ExecutorLost:
		flags := ""
		if ev.PlatformFault {
			flags += " platform"
		}
		if ev.HostLost {
			flags += " host"
		}
		if ev.OutOfMemory {
			flags += " memory"
		}
		return fmt.Sprintf("lost %s%s : %s", ev.ID, flags, ev.Reason)
	case ExecutorDecommissioning:
		return "leaving " + string(ev.ID)
	case ExecutorDisconnected:
		return "disconnect " + string(ev.ID)
	case Heartbeat:
		return fmt.Sprintf("beat %s cached=%d", ev.Executor, ev.Cached)
	case JobSubmitted:
		return jobText(ev)
	case JobCancelled:
		return cancelText(ev)
	case TaskStarted:
		return fmt.Sprintf("started %d", ev.Task)
	case CommitRequest:
		return fmt.Sprintf("commit %d", ev.Task)
	case MapOutputMoved:
		return fmt.Sprintf("moved %d %d %s", ev.Shuffle, ev.Map, ev.To)
	case ShuffleReleased:
		return fmt.Sprintf("release %d", ev.Shuffle)
	case TaskEnded:
		return endText(ev)
	}
	return fmt.Sprintf("# %T", ev)
}

func cancelText(ev JobCancelled) string {
	what := [...]string{
		fmt.Sprintf("job %d", ev.ID), fmt.Sprintf("stage %d", ev.Stage), "group " + ev.Group, "tag " + ev.Tag, "all",
	}[ev.By]
	if ev.Future {
		what += " future"
	}
	return "cancel " + what + " : " + ev.Reason
}

func endText(ev TaskEnded) string {
	switch r := ev.Reason.(type) {
	case event.Success:
		return fmt.Sprintf("ok %d sizes=%s", ev.Task, join(ev.Sizes))
	case event.ExceptionFailure:
		return fmt.Sprintf("fail %d %v", ev.Task, r.Err)
	case event.TaskKilled:
		return fmt.Sprintf("killed %d", ev.Task)
	case event.TaskCommitDenied:
		return fmt.Sprintf("denied %d", ev.Task)
	case event.TaskResultLost:
		return fmt.Sprintf("resultlost %d", ev.Task)
	case event.FetchFailed:
		return fmt.Sprintf("fetch %d shuffle=%d map=%d from=%s@%s", ev.Task, r.Shuffle, r.Map, r.From, r.Host)
	}
	return fmt.Sprintf("# %T", ev.Reason)
}

func join[T any](xs []T) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(xs), "[]"), " ", ",")
}

func jobText(ev JobSubmitted) string {
	b := fmt.Sprintf("job %d", ev.ID)
	for _, kv := range [][2]string{{"group", ev.Group}, {"tag", strings.Join(ev.Tags, ",")}, {"pool", ev.Pool}} {
		if kv[1] != "" {
			b += " " + kv[0] + "=" + kv[1]
		}
	}
	for _, st := range ev.Stages {
		if st.Shuffle == event.NoShuffle {
			b += "\n  result"
		} else {
			b += fmt.Sprintf("\n  map %d", st.Shuffle)
		}
		b += fmt.Sprintf(" tasks=%d reads=%s cpus=%d", st.Tasks, join(st.Parents), st.CPUs)
		if st.Indeterminate {
			b += " indeterminate"
		}
		if st.Barrier {
			b += " barrier"
		}
		if st.Prefs != nil {
			b += " prefs=" + prefsText(st.Prefs)
		}
	}
	return b
}

func prefsText(prefs [][]Location) string {
	var tasks []string
	for _, ls := range prefs {
		var ts []string
		for _, l := range ls {
			ts = append(ts, string(l.Executor)+"@"+l.Host)
		}
		tasks = append(tasks, strings.Join(ts, ","))
	}
	return strings.Join(tasks, ";")
}

func actionText(a Action) string {
	switch a := a.(type) {
	case LaunchTask:
		text := fmt.Sprintf("launch %d: task %d.%d of stage %d.%d on %s %s epoch=%d",
			a.Task, a.Partition, a.Attempt, a.Stage, a.StageAttempt, a.Executor, a.Locality, a.Epoch)
		if a.Speculative {
			text += " speculative"
		}
		if a.Peers != nil {
			text += fmt.Sprintf(" peers=%v", a.Peers)
		}
		return text
	case KillTask:
		return fmt.Sprintf("kill %d on %s: %s", a.Task, a.Executor, a.Reason)
	case WantExecutors:
		return fmt.Sprintf("want %d executors", a.Total)
	case KillExecutors:
		return fmt.Sprintf("kill executors %v: %s", a.IDs, a.Reason)
	case Reregister:
		return fmt.Sprintf("reregister %s", a.Executor)
	case TaskAccepted:
		return fmt.Sprintf("accept %d: job %d partition %d", a.Task, a.Job, a.Partition)
	case JobEnded:
		if a.Err != nil {
			return fmt.Sprintf("job %d failed: %v", a.ID, a.Err)
		}
		return fmt.Sprintf("job %d ended bytes=%v", a.ID, a.Bytes)
	case ForgetShuffle:
		return fmt.Sprintf("forget shuffle %d", a.Shuffle)
	case CommitAnswer:
		return fmt.Sprintf("commit of %d: %v", a.Task, a.Allow)
	case Publish:
		return "  " + publishText(a.Event)
	}
	return fmt.Sprintf("%T", a)
}

func publishText(e event.Event) string {
	_, name, _ := strings.Cut(e.EventName(), "SparkListener")
	switch e := e.(type) {
	case event.JobStart:
		var st []event.StageID
		for _, i := range e.Stages {
			st = append(st, i.ID)
		}
		return fmt.Sprintf("%s %d stages=%v", name, e.Job, st)
	case event.JobEnd:
		return fmt.Sprintf("%s %d", name, e.Job)
	case event.StageSubmitted:
		return fmt.Sprintf("%s %d.%d tasks=%d", name, e.Stage.ID, e.Stage.Attempt, e.Stage.Tasks)
	case event.StageCompleted:
		return strings.TrimSpace(fmt.Sprintf("%s %d.%d %s", name, e.Stage.ID, e.Stage.Attempt, e.Stage.FailureReason))
	case event.TaskStart:
		return fmt.Sprintf("%s %d", name, e.Info.Task)
	case event.TaskEnd:
		if e.Info.Launch.IsZero() || e.Info.Finish.Before(e.Info.Launch) {
			return fmt.Sprintf("%s %d begins at no time or after its end", name, e.Info.Task)
		}
		return fmt.Sprintf("%s %d %s", name, e.Info.Task, e.Reason.Describe())
	case event.SpeculativeTaskSubmitted:
		return fmt.Sprintf("%s %d.%d task %d", name, e.Stage, e.StageAttempt, e.Index)
	case event.ExecutorAdded:
		return fmt.Sprintf("%s %s", name, e.Executor)
	case event.ExecutorRemoved:
		return fmt.Sprintf("%s %s: %s", name, e.Executor, e.Reason)
	case event.ExecutorExcluded:
		return fmt.Sprintf("%s %s failures=%d", name, e.Executor, e.Failures)
	case event.ExecutorUnexcluded:
		return fmt.Sprintf("%s %s", name, e.Executor)
	case event.NodeExcluded:
		return fmt.Sprintf("%s %s failures=%d", name, e.Host, e.Failures)
	case event.NodeUnexcluded:
		return fmt.Sprintf("%s %s", name, e.Host)
	}
	return name
}
