package eventlog

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/firesteel/firesteel/internal/event"
)

// accumulable is an accumulator's part in a task or stage. Numbers are texts, as Spark's are.
type accumulable struct {
	ID          event.AccumulatorID
	Name        string `json:",omitempty"`
	Update      string `json:",omitempty"`
	Value       string `json:",omitempty"`
	Internal    bool
	CountFailed bool   `json:"Count Failed Values"`
	Metadata    string `json:",omitempty"`
}

// sums are what accumulators have come to. A program's accumulator counts for the application, one of the engine for its stage.
type sums struct {
	of     map[event.AccumulatorID]number
	stages map[event.StageAttemptID]map[event.AccumulatorID]accumulable // as the stage's end will list them
}

func newSums() sums {
	return sums{map[event.AccumulatorID]number{}, map[event.StageAttemptID]map[event.AccumulatorID]accumulable{}}
}

// task adds what a task counted, and lists it.
func (s *sums) task(ev *event.TaskEnd) []accumulable {
	if len(ev.Info.Accumulables) == 0 {
		return nil
	}
	out := make([]accumulable, 0, len(ev.Info.Accumulables))
	at := event.StageAttemptID{Stage: ev.Stage, Attempt: ev.StageAttempt}
	stage := s.stages[at]
	if stage == nil {
		stage = map[event.AccumulatorID]accumulable{}
		s.stages[at] = stage
	}
	for i := range ev.Info.Accumulables {
		a := &ev.Info.Accumulables[i]
		f := accumulable{ID: a.ID, Name: a.Name, Update: a.Text, Internal: a.Internal, CountFailed: a.CountFailed, Metadata: a.Metadata}
		if f.Update == "" && a.Update != nil {
			f.Update = fmt.Sprint(a.Update)
		}
		if n, ok := s.of[a.ID].plus(f.Update); ok {
			s.of[a.ID], f.Value = n, n.String()
		}
		out = append(out, f)
		f.Update = ""
		stage[a.ID] = f
	}
	return out
}

// stageOver lists what a stage attempt counted, by id, and forgets what only counts for it.
func (s *sums) stageOver(st *event.StageInfo) []accumulable {
	at := event.StageAttemptID{Stage: st.ID, Attempt: st.Attempt}
	var out []accumulable
	for id, a := range s.stages[at] {
		out = append(out, a)
		if a.Internal {
			delete(s.of, id)
		}
	}
	delete(s.stages, at)
	slices.SortFunc(out, func(a, b accumulable) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// number is an integer, or a float once a float was added.
type number struct {
	i     int64
	f     float64
	float bool
}

// plus adds a number in text form; false: it is none, so there is no sum.
func (n number) plus(text string) (number, bool) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		n.i += i
		n.f += float64(i)
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	n.f += f
	n.float = true
	return n, err == nil
}

func (n number) String() string {
	if n.float {
		return strconv.FormatFloat(n.f, 'g', -1, 64)
	}
	return strconv.FormatInt(n.i, 10)
}
