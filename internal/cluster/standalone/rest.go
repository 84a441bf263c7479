package standalone

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
	"github.com/firesteel/firesteel/internal/cluster/submission"
)

// submissions serves /v1/submissions.
func (m *Master) submissions() http.Handler { return submission.Handler(submitted{m}, m.o.Audit) }

// submitted is the master as the submission protocol sees it.
type submitted struct{ m *Master }

func (s submitted) ask(ctx context.Context, question func(core.Ask) core.Event) (submission.Reply, error) {
	r, err := s.m.Ask(ctx, question)
	if text := notAlive(err); text != "" {
		return submission.Reply{Message: text}, nil
	}
	return submission.Reply{OK: r.OK, ID: r.ID, Message: r.Message}, err
}

// notAlive is what Spark's standby masters say, so that clients ask the next one; "" for other errors.
func notAlive(err error) string {
	var standby *StandbyError
	if !errors.As(err, &standby) {
		return ""
	}
	return "Current state is not alive: STANDBY. Requests about drivers are only accepted in ALIVE state: " + standby.Error()
}

// Create asks for a driver in the cluster.
func (s submitted) Create(ctx context.Context, d submission.Driver) (submission.Reply, error) {
	s.m.reachable(d.Conf)
	desc := core.DriverDesc{Resource: d.Resource, MainClass: d.MainClass, Args: d.Args, Conf: d.Conf, Env: d.Env, Memory: d.Memory, Cores: d.Cores,
		Supervise: d.Supervise}
	return s.ask(ctx, func(a core.Ask) core.Event { return core.DriverSubmitted{Ask: a, Desc: desc} })
}

// Kill ends a driver.
func (s submitted) Kill(ctx context.Context, id string) (submission.Reply, error) {
	return s.ask(ctx, func(a core.Ask) core.Event { return core.DriverKill{Ask: a, ID: id} })
}

// KillAll ends all drivers.
func (s submitted) KillAll(ctx context.Context) (submission.Reply, error) {
	return s.ask(ctx, func(a core.Ask) core.Event { return core.DriverKill{Ask: a, All: true} })
}

// Clear forgets drivers that have ended.
func (s submitted) Clear(ctx context.Context) (submission.Reply, error) {
	return s.ask(ctx, func(a core.Ask) core.Event { return core.Clear{Ask: a} })
}

// Status finds a driver.
func (s submitted) Status(ctx context.Context, id string) (submission.State, error) {
	v, err := s.m.View(ctx)
	if text := notAlive(err); text != "" {
		return submission.State{Message: text}, nil
	}
	if err != nil {
		return submission.State{}, err
	}
	d, ok := findDriver(v, id)
	if !ok {
		return submission.State{}, nil
	}
	state := submission.State{Found: true, State: string(d.State), Message: d.Reason}
	if d.Worker != "" {
		state.Worker, state.Place = d.Worker, d.Host
	}
	return state, nil
}

// Ready says whether the master is.
func (s submitted) Ready(ctx context.Context) error {
	if v, err := s.m.View(ctx); err != nil || v.Recovering {
		return errors.New("the master is not ready")
	}
	return nil
}

// reachable makes the master's URL of a submission one that drivers can use: clients name the port of this server.
func (m *Master) reachable(settings map[string]string) {
	if m.o.quorate() {
		settings["spark.master"] = "spark://" + joined(m.o.Masters)
		return
	}
	_, rest, err := net.SplitHostPort(m.rest)
	if err != nil || settings["spark.master"] == "" {
		settings["spark.master"] = m.URL()
		return
	}
	settings["spark.master"] = strings.ReplaceAll(settings["spark.master"], ":"+rest, ":"+strconv.Itoa(m.server.Port()))
}
