package session

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/command"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Checkpoint keeps the query's rows as they are now and gives a plan that reads them, and what forgets them. A local checkpoint
// lies where cached rows lie, at a storage level; if it is not eager the rows are computed at the first use. The other lies in
// files below spark.checkpoint.dir, which stay, and is made at once.
func (q *Query) Checkpoint(ctx context.Context, local, eager bool, level string) (logical.Plan, func() error, error) {
	if !local {
		p, err := q.checkpointFiles(ctx)
		return p, func() error { return nil }, err
	}
	if level == "" || level == "NONE" {
		level = "MEMORY_AND_DISK"
	}
	if !strings.HasPrefix(level, "DISK_ONLY") { // nothing else has the rows: they may not be dropped
		level = strings.Replace(level, "MEMORY_ONLY", "MEMORY_AND_DISK", 1)
	}
	c := q.q.s.app.cache
	e := c.checkpoint(level, q.plan)
	if eager {
		if err := c.fillNow(ctx, q.q, e); err != nil {
			c.forget(e)
			return nil, nil, err
		}
	}
	p := &logical.CachedRelation{Key: e.key, Name: "checkpoint", Out: q.plan.Output(), Plan: q.plan}
	return p, func() error { c.forget(e); return c.free(e) }, nil
}

// checkpoint is a cached plan that nothing but its own relation reads.
func (c *cacheManager) checkpoint(level string, p logical.Plan) *cached {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	e := &cached{key: fmt.Sprintf("checkpoint %d", c.next), name: "checkpoint", level: level, plan: p, fixed: true}
	c.byKey[e.key] = e
	return e
}

// forget takes a checkpoint off the list.
func (c *cacheManager) forget(e *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.byKey, e.key)
}

// checkpointFiles writes the rows to files and gives what reads them. Columns get names that no format has a quarrel with.
func (q *Query) checkpointFiles(ctx context.Context) (logical.Plan, error) {
	a := q.q.s.app
	dir, ok := a.Conf.Given("spark.checkpoint.dir")
	if !ok || dir == "" {
		return nil, &sparkerr.Error{Class: sparkerr.SparkException, Params: map[string]string{
			"message": "Checkpoint directory has not been set in the SparkContext (spark.checkpoint.dir)"}}
	}
	fields := slices.Clone(q.Schema().Fields)
	given, list := make([]string, len(fields)), make([]expr.Expr, len(fields))
	for i, c := range q.plan.Output() {
		given[i], fields[i].Name = fields[i].Name, fmt.Sprintf("c%d", i)
		list[i] = &expr.Alias{Child: c, Name: fields[i].Name, ID: expr.NextID()}
	}
	path := vfs.Join(dir, a.ID, fmt.Sprintf("rdd-%d", a.newRDD()))
	w := &logical.Project{List: list, Child: q.plan}
	if _, err := q.q.write(ctx, &command.Write{Plan: w, Format: "parquet", Path: path, Mode: logical.ErrorIfExists}); err != nil {
		return nil, err
	}
	files := &logical.DataSource{Format: "parquet", Paths: []string{path}, Schema: types.NewSchema(fields...)}
	return logical.NewUnary(logical.ToDF{Names: given}, files), nil
}
