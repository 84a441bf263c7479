package source

import (
	"sync"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/parquet"
)

// predicateCache keeps compiled predicates between the splits of a scan: compiling takes longer than reading a small split.
// Predicates belong to one reader at a time.
type predicateCache struct {
	mu    sync.Mutex
	scans []scanPredicates // of the latest scans
}

type scanPredicates struct {
	filter *expr.Expr // the scan's first filter: its place identifies the scan
	output **expr.Column
	free   [][]parquet.Predicate
}

// cachedScans is the number of scans of one relation whose predicates are kept.
const cachedScans = 4

func (c *predicateCache) find(s Scan) *scanPredicates {
	if len(s.Filters) == 0 || len(s.Output) == 0 {
		return nil
	}
	for i := range c.scans {
		if p := &c.scans[i]; p.filter == &s.Filters[0] && p.output == &s.Output[0] {
			return p
		}
	}
	return nil
}

// take gives predicates that a reader of the scan gave back, or new ones.
func (c *predicateCache) take(s Scan, compile func() ([]parquet.Predicate, error)) ([]parquet.Predicate, error) {
	c.mu.Lock()
	if p := c.find(s); p != nil && len(p.free) > 0 {
		last := len(p.free) - 1
		out := p.free[last]
		p.free = p.free[:last]
		c.mu.Unlock()
		return out, nil
	}
	c.mu.Unlock()
	return compile()
}

// give puts predicates back.
func (c *predicateCache) give(s Scan, preds []parquet.Predicate) {
	if len(preds) == 0 || len(s.Filters) == 0 || len(s.Output) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.find(s)
	if p == nil {
		if len(c.scans) == cachedScans {
			c.scans = append(c.scans[:0], c.scans[1:]...)
		}
		c.scans = append(c.scans, scanPredicates{filter: &s.Filters[0], output: &s.Output[0]})
		p = &c.scans[len(c.scans)-1]
	}
	p.free = append(p.free, preds)
}
