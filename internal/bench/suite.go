package bench

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/tpch"
)

// TPCH are the 22 queries of TPC-H.
func TPCH() []Query {
	out := make([]Query, tpch.Queries)
	for i := range out {
		out[i] = Query{"q" + strconv.Itoa(i+1), tpch.Query(i + 1)}
	}
	return out
}

// ReadQueries reads the files NAME.sql of a folder, in the order of the numbers in their names.
func ReadQueries(dir string) ([]Query, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		return nil, err
	}
	var out []Query
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		out = append(out, Query{strings.TrimSuffix(filepath.Base(f), ".sql"), string(text)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there are no queries (NAME.sql) in %s", dir)
	}
	slices.SortFunc(out, func(a, b Query) int {
		return cmp.Or(cmp.Compare(numberIn(a.Name), numberIn(b.Name)), strings.Compare(a.Name, b.Name))
	})
	return out, nil
}

func numberIn(name string) int {
	digits := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz_-")
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(digits[:end]) // no number: 0
	return n
}

// Select keeps the queries of the given names, in their order.
func Select(all []Query, names []string) ([]Query, error) {
	if len(names) == 0 {
		return all, nil
	}
	var out []Query
	for _, n := range names {
		i := slices.IndexFunc(all, func(q Query) bool { return q.Name == strings.TrimSpace(n) })
		if i < 0 {
			return nil, fmt.Errorf("there is no query %q", n)
		}
		out = append(out, all[i])
	}
	return out, nil
}
