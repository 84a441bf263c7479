package local

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/event"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	clustertest.Run(t, clustertest.Subject{New: func(*testing.T) cluster.Manager { return New(2) }, InProcess: true})
}

func TestPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2)
		if p.Go(0, nil) {
			t.Error("a pool that is not started took a task")
		}
		var got []cluster.Notice
		if err := p.Start(t.Context(), cluster.App{}, func(n cluster.Notice) { got = append(got, n) }); err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].(cluster.Registered).Cores != 2 {
			t.Fatalf("notices %+v", got)
		}
		causes := make(chan error, 2)
		wait := func(ctx context.Context) {
			<-ctx.Done()
			causes <- context.Cause(ctx)
		}
		p.Go(1, wait)
		p.Go(2, wait)
		why := errors.New("asked")
		p.Cancel(1, why)
		if err := <-causes; err != why {
			t.Errorf("cause %v, want %v", err, why)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		var killed *event.KilledError
		if err := <-causes; !errors.As(err, &killed) {
			t.Errorf("cause %v at stop", err)
		}
		if p.Go(3, nil) || p.Stop(t.Context()) != nil {
			t.Error("a stopped pool must refuse tasks and stop again")
		}
	})
}

// A task that does not listen must not hang Stop for ever.
func TestStopWithStuckTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1)
		_ = p.Start(t.Context(), cluster.App{}, func(cluster.Notice) {})
		release := make(chan struct{})
		p.Go(1, func(context.Context) { <-release })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		close(release)
	})
}
