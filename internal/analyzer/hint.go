package analyzer

import (
	"math"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
)

// pendingHint is a join strategy hint that waits for the relations it names.
type pendingHint struct {
	strategy string
	names    [][]string
}

// strategies are the join hints by all their names.
var strategies = map[string]string{"BROADCAST": "BROADCAST", "BROADCASTJOIN": "BROADCAST", "MAPJOIN": "BROADCAST",
	"MERGE": "MERGE", "SHUFFLE_MERGE": "MERGE", "MERGEJOIN": "MERGE", "SHUFFLE_HASH": "SHUFFLE_HASH",
	"SHUFFLE_REPLICATE_NL": "SHUFFLE_REPLICATE_NL", "NO_BROADCAST_HASH": "NO_BROADCAST_HASH"}

// hint resolves a hint: join strategies are noted on relations, partitioning hints become Repartition nodes, others are dropped.
func (r *resolver) hint(p *logical.Hint) (rel, error) {
	name := strings.ToUpper(p.Name)
	if s, ok := strategies[name]; ok {
		return r.joinStrategy(p, s)
	}
	switch name {
	case "COALESCE", "REPARTITION", "REPARTITION_BY_RANGE", "REBALANCE":
		return r.partitionHint(p, name)
	}
	return r.plan(p.Child)
}

func (r *resolver) joinStrategy(p *logical.Hint, strategy string) (rel, error) {
	if len(p.Args) == 0 {
		x, err := r.closed(p.Child)
		if x.hint == "" {
			x.hint = strategy
		}
		return x, err
	}
	h := &pendingHint{strategy: strategy}
	for _, a := range p.Args {
		switch e := a.(type) {
		case *expr.Attribute:
			h.names = append(h.names, e.Name)
		case *expr.Literal:
			if s, ok := e.Value.(string); ok {
				h.names = append(h.names, strings.Split(s, "."))
			}
		}
	}
	old := r.hints
	r.hints = append(old[:len(old):len(old)], h)
	x, err := r.plan(p.Child)
	r.hints = old
	return x, err
}

// hintFor is the strategy that a hint around gives to a relation of that name; the outermost hint wins.
func (r *resolver) hintFor(name []string) string {
	for _, h := range r.hints {
		for _, n := range h.names {
			if r.endsWith(name, n) {
				return h.strategy
			}
		}
	}
	return ""
}

// partitionHint is REPARTITION([n], columns…) and the like.
func (r *resolver) partitionHint(p *logical.Hint, name string) (rel, error) {
	x, err := r.closed(p.Child)
	if err != nil {
		return rel{}, err
	}
	q := &logical.Repartition{Child: x.p, Shuffle: name != "COALESCE", Range: name == "REPARTITION_BY_RANGE"}
	s := r.scopeOf(x)
	for i, a := range p.Args {
		if l, ok := a.(*expr.Literal); ok && i == 0 {
			if n, ok := toInt(l.Value); ok {
				if q.N = int(n); n <= 0 || n > math.MaxInt32 {
					return rel{}, notPositive(q.N)
				}
				continue
			}
		}
		e, err := r.expr(a, s)
		if err != nil {
			return rel{}, err
		}
		if _, ok := unalias(e).(*expr.Column); !ok {
			return rel{}, fail(originOf(a), "_LEGACY_ERROR_TEMP_1047", "hintName", name, "invalidParams", r.sqlExpr(e))
		}
		q.By = append(q.By, unalias(e))
	}
	if name == "COALESCE" && q.N == 0 {
		return rel{}, fail(nil, "_LEGACY_ERROR_TEMP_1048", "hintName", name)
	}
	return rel{p: q, out: x.out, hint: x.hint}, nil
}
