package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
)

const header = "query     cold ms    hot ms    cpu ms      rows   peak MB   read MB  spilled MB  answer"

func (r *Result) line() string {
	if r.Error != "" {
		return fmt.Sprintf("%-7s  failed: %s", r.Query, r.Error)
	}
	answer := r.Answer
	if answer == "" {
		answer = r.Hash
	}
	return fmt.Sprintf("%-7s %9.1f %9.1f %9.1f %9d %9.0f %9.1f %11.1f  %s", r.Query, r.Cold*1e3, r.Best()*1e3, r.CPU*1e3, r.Rows,
		mb(r.Peak), mb(r.Read), mb(r.Spilled), answer)
}

func mb(n int64) float64 { return float64(n) / 1e6 }

// Right says whether every query ran and none gave a wrong answer.
func (rep *Report) Right() bool {
	for _, r := range rep.Results {
		if r.Error != "" || strings.HasPrefix(r.Answer, "wrong") {
			return false
		}
	}
	return true
}

func (rep *Report) summary() string {
	var sum, cpu, logs float64
	var n, right, wrong, failed int
	for i := range rep.Results {
		r := &rep.Results[i]
		if r.Error != "" {
			failed++
			continue
		}
		n++
		sum += r.Best()
		cpu += r.CPU
		logs += math.Log(r.Best())
		switch {
		case r.Answer == "right":
			right++
		case r.Answer != "":
			wrong++
		}
	}
	out := fmt.Sprintf("%d queries: hot sum %.3f s, geometric mean %.1f ms, cpu sum %.3f s", n, sum, math.Exp(logs/float64(max(n, 1)))*1e3, cpu)
	if right+wrong > 0 {
		out += fmt.Sprintf("; answers: %d right, %d wrong", right, wrong)
	}
	if failed > 0 {
		out += fmt.Sprintf("; %d failed", failed)
	}
	return out
}

// Save writes the report as JSON.
func (rep *Report) Save(path string) error {
	b, err := json.MarshalIndent(rep, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

// ReadReport reads what Save wrote.
func ReadReport(path string) (*Report, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rep := &Report{}
	if err := json.Unmarshal(b, rep); err != nil {
		return nil, fmt.Errorf("%s is not a report of a benchmark: %w", path, err)
	}
	return rep, nil
}

// Compare sets a report beside an earlier one: the ratios new/old of times, processor time and peak memory by query and
// their geometric means. Below 1 is better. Queries whose rows differ are marked.
func Compare(old, now *Report) string {
	var out strings.Builder
	before := map[string]*Result{}
	for i := range old.Results {
		before[old.Results[i].Query] = &old.Results[i]
	}
	fmt.Fprintln(&out, "query     hot ms       was   ratio    cpu ms       was   ratio   peak ratio")
	var hot, cpu mean
	for i := range now.Results {
		b := &now.Results[i]
		a := before[b.Query]
		if a == nil || a.Error != "" || b.Error != "" {
			continue
		}
		mark := ""
		if a.Hash != b.Hash {
			mark = "  rows differ"
		}
		fmt.Fprintf(&out, "%-7s %8.1f %9.1f %7.2f %9.1f %9.1f %7.2f %12.2f%s\n", b.Query, b.Best()*1e3, a.Best()*1e3,
			hot.add(b.Best(), a.Best()), b.CPU*1e3, a.CPU*1e3, cpu.add(b.CPU, a.CPU), ratio(float64(b.Peak), float64(a.Peak)), mark)
	}
	fmt.Fprintf(&out, "geometric mean of the ratios: hot %.3f, cpu %.3f", hot.value(), cpu.value())
	return out.String()
}

// mean is a geometric mean of ratios.
type mean struct {
	logs float64
	n    int
}

func (m *mean) add(now, old float64) float64 {
	r := ratio(now, old)
	if r > 0 {
		m.logs += math.Log(r)
		m.n++
	}
	return r
}

func (m *mean) value() float64 { return math.Exp(m.logs / float64(max(m.n, 1))) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
