package yarn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firesteel/firesteel/internal/hadoop"
)

// Exceptions of YARN.
const (
	NoSuchApplication = hadoop.Exception("ApplicationNotFoundException")
	NoSuchAttempt     = hadoop.Exception("ApplicationAttemptNotFoundException")
	NotRegistered     = hadoop.Exception("ApplicationMasterNotRegisteredException")
	BadRequest        = hadoop.Exception("InvalidResourceRequestException")
)

// Client is an application's owner at the ResourceManager.
type Client struct{ rpc *hadoop.Client }

// NewClient makes a client for the cluster of a configuration.
func NewClient(c hadoop.Conf, u *hadoop.User) *Client {
	return &Client{hadoop.NewClient(c, u, hadoop.Service{
		Protocol: "org.apache.hadoop.yarn.api.ApplicationClientProtocolPB", Addrs: addresses(c, "yarn.resourcemanager.address", clientPort),
		Principal: Principal(c), TokenKind: hadoop.KindRM,
	})}
}

// Close ends the connection.
func (c *Client) Close() { c.rpc.Close() }

// Addr is the ResourceManager that answers.
func (c *Client) Addr() string { return c.rpc.Addr() }

// New gives the id of an application to be and the largest container that the cluster grants.
func (c *Client) New(ctx context.Context) (ApplicationID, *Resource, error) {
	var r newApplication
	if err := c.rpc.Call(ctx, "getNewApplication", &empty{}, &r, true); err != nil {
		return ApplicationID{}, nil, err
	}
	if r.ID == nil || r.Maximum == nil {
		return ApplicationID{}, nil, errors.New("the ResourceManager gave no application id")
	}
	return *r.ID, r.Maximum, nil
}

// Submit submits an application. A ResourceManager that knows the id already takes a repetition as one submission.
func (c *Client) Submit(ctx context.Context, s *Submission) error {
	return c.rpc.Call(ctx, "submitApplication", &submitRequest{s}, &empty{}, true)
}

// Report asks about an application.
func (c *Client) Report(ctx context.Context, id ApplicationID) (*Report, error) {
	var r reportResponse
	if err := c.rpc.Call(ctx, "getApplicationReport", &applicationRequest{&id}, &r, true); err != nil {
		return nil, err
	}
	if r.Report == nil {
		return nil, fmt.Errorf("the ResourceManager told nothing about %s", id)
	}
	return r.Report, nil
}

// Kill ends an application, and waits until the ResourceManager says that it has.
func (c *Client) Kill(ctx context.Context, id ApplicationID, why string) error {
	for {
		var r killResponse
		if err := c.rpc.Call(ctx, "forceKillApplication", &killRequest{&id, why}, &r, true); err != nil || r.Done {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Nodes lists the running nodes.
func (c *Client) Nodes(ctx context.Context) ([]*NodeReport, error) {
	var r nodesResponse
	err := c.rpc.Call(ctx, "getClusterNodes", &nodesRequest{[]int32{NodeRunning}}, &r, true)
	return r.Nodes, err
}

// Containers lists the containers of an attempt.
func (c *Client) Containers(ctx context.Context, a *AttemptID) ([]*ContainerReport, error) {
	var r containersResponse
	err := c.rpc.Call(ctx, "getContainers", &containersRequest{a}, &r, true)
	return r.Containers, err
}

// DelegationToken gets a token with which containers can ask the ResourceManager.
func (c *Client) DelegationToken(ctx context.Context, renewer string) (*hadoop.Token, error) {
	var r delegationResponse
	err := c.rpc.Call(ctx, "getDelegationToken", &delegationRequest{renewer}, &r, true)
	return r.Token, err
}

// Master is an application master at the ResourceManager. The user must have the AMRM token.
type Master struct {
	rpc  *hadoop.Client
	user *hadoop.User
	last int32 // response_id
}

// NewMaster makes a client for the scheduler of a configuration.
func NewMaster(c hadoop.Conf, u *hadoop.User) *Master {
	return &Master{user: u, rpc: hadoop.NewClient(c, u, hadoop.Service{
		Protocol: "org.apache.hadoop.yarn.api.ApplicationMasterProtocolPB", Addrs: addresses(c, "yarn.resourcemanager.scheduler.address", schedulerPort),
		Principal: Principal(c), TokenKind: hadoop.KindAMRM, RetryFor: Patience(c),
	})}
}

// Close ends the connection.
func (m *Master) Close() { m.rpc.Close() }

// Register makes this process the master of its attempt.
func (m *Master) Register(ctx context.Context, host string, port int, trackingURL string) (*Registered, error) {
	m.last = 0
	r := new(Registered)
	err := m.rpc.Call(ctx, "registerApplicationMaster", &registerRequest{host, int32(port), trackingURL}, r, true)
	return r, err
}

// Allocate is the heartbeat. It fills in the number of the last answer, and takes over a new token.
func (m *Master) Allocate(ctx context.Context, r *AllocateRequest) (*AllocateResponse, error) {
	r.ResponseID = m.last
	out := new(AllocateResponse)
	// A repetition of the call gets the same answer: its number says so.
	if err := m.rpc.Call(ctx, "allocate", r, out, true); err != nil {
		return nil, err
	}
	m.last = out.ResponseID
	if out.AMRMToken != nil {
		m.user.ReplaceToken(out.AMRMToken)
		m.rpc.Reconnect()
	}
	return out, nil
}

// Finish reports the end of the application, until the ResourceManager has it written down.
func (m *Master) Finish(ctx context.Context, final int32, diagnostics, trackingURL string) error {
	for {
		var r finishResponse
		err := m.rpc.Call(ctx, "finishApplicationMaster", &finishRequest{diagnostics, trackingURL, final}, &r, true)
		if err != nil || r.Unregistered {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Node is an application master at one NodeManager.
type Node struct{ rpc *hadoop.Client }

// NewNode makes a client for a NodeManager with the token that the ResourceManager gave for it.
func NewNode(c hadoop.Conf, addr string, t *hadoop.Token) *Node {
	u := &hadoop.User{Name: "appattempt"}
	u.AddToken(addr, t)
	return &Node{hadoop.NewClient(c, u, hadoop.Service{
		Protocol: "org.apache.hadoop.yarn.api.ContainerManagementProtocolPB", Addrs: []string{addr}, TokenKind: hadoop.KindNM,
		RetryFor: 10 * time.Second,
	})}
}

// Close ends the connection.
func (n *Node) Close() { n.rpc.Close() }

// StartError says why a NodeManager did not start a container.
type StartError struct {
	Container      ContainerID
	Class, Message string
}

func (e *StartError) Error() string { return e.Container.String() + " was not started: " + e.Message }

// Start starts a container.
func (n *Node) Start(ctx context.Context, c *Container, l *Launch) error {
	var r startedContainers
	if err := n.rpc.Call(ctx, "startContainers", &startContainers{[]*startRequest{{l, c.Token}}}, &r, false); err != nil {
		return err
	}
	if len(r.Failed) > 0 {
		e := &StartError{Container: *c.ID, Message: "for an unknown reason"}
		if x := r.Failed[0].Cause; x != nil {
			e.Class, e.Message = x.Class, x.Message
		}
		return e
	}
	return nil
}

// Stop ends a container; one that has ended is no error.
func (n *Node) Stop(ctx context.Context, id *ContainerID) error {
	return n.rpc.Call(ctx, "stopContainers", &stopContainers{[]*ContainerID{id}}, &stoppedContainers{}, true)
}
