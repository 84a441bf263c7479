package session

import (
	"strings"

	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/physical"
)

// explain prints plans as Spark's modes do: simple is the physical plan alone, extended all four.
func (q *query) explain(mode string, parsed, analyzed logical.Plan) (string, error) {
	plans, err := q.plan(analyzed)
	if err != nil {
		return "", err
	}
	physicalText := "== Physical Plan ==\n" + physical.Explain(plans.Physical) + "\n"
	switch strings.ToLower(mode) {
	case "extended":
		return "== Parsed Logical Plan ==\n" + logical.Format(parsed) + "\n== Analyzed Logical Plan ==\n" + outputText(analyzed) + "\n" + logical.Format(analyzed) +
			"\n== Optimized Logical Plan ==\n" + logical.Format(plans.Optimized) + "\n" + physicalText, nil
	case "cost":
		return "== Optimized Logical Plan ==\n" + logical.Format(plans.Optimized) + "\n" + physicalText, nil
	}
	return physicalText, nil
}

// outputText lists names and types of the analyzed output.
func outputText(p logical.Plan) string {
	cols := p.Output()
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = c.Name + ": " + c.T.String()
	}
	return strings.Join(parts, ", ")
}
