package session

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/driver"
	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/eventlog"
)

// openBus makes the listener bus and opens the event log, if there is to be one. The application's id is known by now, and
// nothing has happened yet.
func (a *App) openBus(ctx context.Context) error {
	a.bus = driver.NewBus(int(a.Conf.Int("spark.scheduler.listenerbus.eventqueue.capacity")))
	if !a.Conf.Bool("spark.eventLog.enabled") {
		return nil
	}
	l, err := eventlog.Open(ctx, a.fs, a.Conf, eventlog.App{ID: a.ID, Attempt: a.attempt, Release: SparkVersion}, a.log)
	if err != nil {
		return err
	}
	a.eventLog = l
	a.bus.Subscribe(l.Listen)
	a.publishStart()
	return nil
}

// Publisher is what events are published with; nil: nobody keeps them.
func (a *App) Publisher() func(event.Event) {
	if a.eventLog == nil {
		return nil
	}
	return a.bus.Publish
}

// closeBus publishes the end of the application, and delivers all that was published.
func (a *App) closeBus(ctx context.Context) error {
	if a.bus == nil {
		return nil
	}
	a.bus.Publish(event.ApplicationEnd{Time: time.Now()})
	err := a.bus.Close(ctx)
	if a.eventLog != nil {
		a.eventLog.Close()
	}
	return err
}

// publishStart tells what the application is, and what it runs with.
func (a *App) publishStart() {
	now := time.Now()
	a.bus.Publish(event.ResourceProfileAdded{ExecutorCores: int(a.Conf.Int("spark.executor.cores")), TaskCPUs: max(1, int(a.Conf.Int("spark.task.cpus"))),
		ExecutorMemory: a.Conf.Bytes("spark.executor.memory")})
	host := a.Conf.String("spark.driver.host")
	if host == "" {
		host = "localhost"
	}
	memory := a.pool.Usage().Budget
	a.bus.Publish(event.BlockManagerAdded{Time: now, ID: event.BlockManagerID{Executor: event.DriverExecutor, Host: host}, MaxMemory: memory, OnHeap: memory})
	a.bus.Publish(a.environment())
	a.bus.Publish(event.ApplicationStart{Name: a.Name, ID: event.AppID(a.ID), Time: a.Started, User: cluster.UserName(), Attempt: a.attempt})
}

// environment is what the application runs with. Readers expect a JVM: they are told that there is none.
func (a *App) environment() event.EnvironmentUpdate {
	e := event.EnvironmentUpdate{
		Runtime: map[string]string{"Java Version": "none (" + runtime.Version() + ")", "Java Home": "none", "Scala Version": "none"},
		Spark:   a.Conf.All(), Hadoop: map[string]string{},
		System: map[string]string{"firesteel.version": Version, "go.version": runtime.Version(), "os.name": runtime.GOOS, "os.arch": runtime.GOARCH,
			"user.name": cluster.UserName()},
	}
	e.Spark["spark.app.id"] = a.ID
	if dir, err := os.Getwd(); err == nil {
		e.System["user.dir"] = dir
	}
	for k, v := range e.Spark {
		if name, ok := strings.CutPrefix(k, "spark.hadoop."); ok {
			e.Hadoop[name] = v
		}
	}
	return e
}
