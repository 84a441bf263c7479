package function

import (
	"sort"
	"strings"
	"sync"
)

// groups lists the tables of rows, one per topic file.
var groups []func() []*Row

var all = sync.OnceValue(func() []*Row {
	var rows []*Row
	for _, g := range groups {
		rows = append(rows, g()...)
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].Name < rows[j].Name })
	return rows
})

var index = sync.OnceValue(func() map[string]*Row {
	m := map[string]*Row{}
	for _, r := range all() {
		m[strings.ToLower(r.Name)] = r
		for _, a := range r.Aliases {
			m[strings.ToLower(a)] = r
		}
	}
	return m
})
