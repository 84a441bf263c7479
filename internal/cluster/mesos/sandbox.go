package mesos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// place is where the newest attempt of a driver runs, or ran.
type place struct {
	found       bool
	task, agent string // "" agent: it was never launched
}

type (
	askPlace struct {
		id string
		to chan place
	}
	tellPlace struct {
		to chan place
		place
	}
)

// placeOf finds a driver.
func (d *desk) placeOf(id string) place {
	e := d.find(id)
	if e == nil {
		return place{}
	}
	return place{true, e.taskID(), e.Agent}
}

// Log opens what a driver has written so far to stdout or stderr: a file of its sandbox, which its agent keeps for a time.
func (d *Dispatcher) Log(ctx context.Context, id, stream string) (io.ReadCloser, error) {
	if stream != "stdout" && stream != "stderr" {
		return nil, fmt.Errorf("drivers have no %s", stream)
	}
	to := make(chan place, 1)
	p, err := put(ctx, d, to, askPlace{id, to})
	switch {
	case err != nil:
		return nil, err
	case !p.found:
		return nil, fmt.Errorf("the dispatcher does not know %s", id)
	case p.agent == "":
		return nil, fmt.Errorf("%s has not been launched", id)
	}
	master := d.client.connectedTo()
	if master == "" {
		return nil, errNoStream
	}
	agent, err := d.client.agentAddress(ctx, master, p.agent)
	if err != nil {
		return nil, err
	}
	dir, err := d.client.sandbox(ctx, agent, d.client.framework(), p.task)
	if err != nil {
		return nil, err
	}
	return d.client.get(ctx, agent, "/files/download?path="+url.QueryEscape(path.Join(dir, stream)))
}

// get asks a master or an agent for a page. The body must be closed.
func (c *client) get(ctx context.Context, host, path string) (io.ReadCloser, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	if c.login.secret != "" {
		q.SetBasicAuth(c.login.principal, c.login.secret)
	}
	r, err := c.http.Do(q)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w", host, refused(r))
	}
	return r.Body, nil
}

func (c *client) getJSON(ctx context.Context, host, path string, into any) error {
	body, err := c.get(ctx, host, path)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

// agentAddress asks a master where an agent listens.
func (c *client) agentAddress(ctx context.Context, master, agent string) (string, error) {
	var answer struct {
		Slaves []struct{ ID, PID string } // slave(1)@host:port
	}
	if err := c.getJSON(ctx, master, "/slaves", &answer); err != nil {
		return "", err
	}
	for _, s := range answer.Slaves {
		if _, at, ok := strings.Cut(s.PID, "@"); ok && s.ID == agent {
			return at, nil
		}
	}
	return "", fmt.Errorf("the agent %s is not at the master %s any more", agent, master)
}

// runs are what an agent knows of the tasks of a framework.
type runs struct {
	ID                 string
	Executors          []struct{ ID, Directory string }
	CompletedExecutors []struct{ ID, Directory string } `json:"completed_executors"`
}

// sandbox asks an agent for the folder of a task.
func (c *client) sandbox(ctx context.Context, agent, framework, task string) (string, error) {
	var answer struct {
		Frameworks          []runs
		CompletedFrameworks []runs `json:"completed_frameworks"`
	}
	if err := c.getJSON(ctx, agent, "/state", &answer); err != nil {
		return "", err
	}
	for _, f := range append(answer.Frameworks, answer.CompletedFrameworks...) {
		for _, e := range append(f.Executors, f.CompletedExecutors...) {
			if f.ID == framework && e.ID == task {
				return e.Directory, nil
			}
		}
	}
	return "", fmt.Errorf("the agent at %s does not have the sandbox of %s any more", agent, task)
}
