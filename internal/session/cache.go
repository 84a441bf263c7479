package session

import (
	"context"
	"sync"

	"github.com/firesteel/firesteel/internal/exec"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// cacheManager knows which plans are cached and keeps their rows.
type cacheManager struct {
	app *App
	mu  sync.Mutex
}

func newCacheManager(a *App) *cacheManager { return &cacheManager{app: a} }

func (c *cacheManager) clear() {}

func (c *cacheManager) lookup(logical.Plan) logical.Plan { return nil }

func (c *cacheManager) partitions(string) int { return 0 }

// Read implements exec.Cache.
func (c *cacheManager) Read(_ context.Context, _ *exec.Task, key string, _ int) (exec.BatchReader, error) {
	return nil, sparkerr.Internal("nothing is cached under %s", key)
}
