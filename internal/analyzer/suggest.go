package analyzer

import (
	"sort"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
)

// maxSuggestions is how many names an error proposes.
const maxSuggestions = 5

// suggestions are the names in scope most like name, quoted, nearest first.
func (s *scope) suggestions(name []string) []string {
	if s == nil {
		return nil
	}
	if len(s.cols) == 0 && s.below != nil {
		return s.below.suggestions(name)
	}
	return suggest(name, s.cols)
}

func suggest(name []string, cols []*expr.Column) []string {
	full := make([][]string, 0, len(cols))
	for _, c := range cols {
		if !c.Hidden {
			full = append(full, append(c.Qualifier[:len(c.Qualifier):len(c.Qualifier)], c.Name))
		}
	}
	return nearest(name, full)
}

// nearest cuts the names to as many parts as the one that was asked for if what is cut is the same for all, then sorts by edit
// distance to it.
func nearest(name []string, full [][]string) []string {
	keep := 4
	if n := len(name); n <= 2 && sameWithout(full, n) {
		keep = n
	}
	base := strings.Join(name, ".")
	out := make([]string, len(full))
	dist := make(map[string]int, len(full))
	for i, f := range full {
		out[i] = sqlID(f[max(0, len(f)-keep):]...)
		if _, ok := dist[out[i]]; !ok {
			dist[out[i]] = editDistance(out[i], base)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := dist[out[i]], dist[out[j]]
		return a < b || a == b && out[i] < out[j]
	})
	return out[:min(len(out), maxSuggestions)]
}

// sameWithout says whether all names are equal once their last n parts are dropped.
func sameWithout(full [][]string, n int) bool {
	for _, f := range full {
		a, b := full[0], f
		a, b = a[:max(0, len(a)-n)], b[:max(0, len(b)-n)]
		if strings.Join(a, "\x00") != strings.Join(b, "\x00") {
			return false
		}
	}
	return true
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, c := range x {
		diag := row[0]
		row[0] = i + 1
		for j, d := range y {
			cost := diag
			if c != d {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
