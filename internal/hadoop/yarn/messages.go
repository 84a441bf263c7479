package yarn

import (
	"net"
	"strconv"

	"github.com/firesteel/firesteel/internal/hadoop"
)

// The messages have the fields that are used here; the test checks them against Hadoop's own descriptors.

// NodeID names a NodeManager by where it listens.
type NodeID struct {
	Host string `pb:"1"`
	Port int32  `pb:"2"`
}

// Addr is host:port.
func (n *NodeID) Addr() string { return net.JoinHostPort(n.Host, strconv.Itoa(int(n.Port))) }

// Resource is what a container has. Memory counts MiB.
type Resource struct {
	Memory int64           `pb:"1"`
	Cores  int32           `pb:"2"`
	Others []*ResourceInfo `pb:"3"`
}

// ResourceInfo is an amount of another kind of resource, e.g. yarn.io/gpu.
type ResourceInfo struct {
	Name  string `pb:"1,req"`
	Value int64  `pb:"2"`
	Units string `pb:"3"`
}

// Priority orders requests of one application; small numbers come first. Of applications, large numbers do.
type Priority struct {
	Priority int32 `pb:"1,req"`
}

// URL names a file.
type URL struct {
	Scheme string `pb:"1"`
	Host   string `pb:"2"`
	Port   int32  `pb:"3"`
	File   string `pb:"4"`
	User   string `pb:"5"`
}

// Kinds and visibilities of local resources.
const (
	Archive = 1
	File    = 2

	Public      = 1
	Private     = 2
	Application = 3
)

// LocalResource is a file that NodeManagers fetch before they start a container. Size and time must be the file's.
type LocalResource struct {
	URL        *URL  `pb:"1"`
	Size       int64 `pb:"2"`
	Timestamp  int64 `pb:"3"`
	Type       int32 `pb:"4"`
	Visibility int32 `pb:"5"`
}

// NamedResource is a local resource with the name of its link in the container's directory.
type NamedResource struct {
	Name     string         `pb:"1"`
	Resource *LocalResource `pb:"2"`
}

// StringPair is an entry of a map.
type StringPair struct {
	Key   string `pb:"1"`
	Value string `pb:"2"`
}

// BytesPair is an entry of a map.
type BytesPair struct {
	Key   string `pb:"1"`
	Value []byte `pb:"2"`
}

// ACL says who may do something with an application.
type ACL struct {
	Access int32  `pb:"1"` // 1 view, 2 modify
	ACL    string `pb:"2"`
}

// Launch says what a container runs.
type Launch struct {
	Resources   []*NamedResource `pb:"1"`
	Tokens      []byte           `pb:"2"`
	ServiceData []*BytesPair     `pb:"3"`
	Environment []*StringPair    `pb:"4"`
	Command     []string         `pb:"5"`
	ACLs        []*ACL           `pb:"6"`
}

// LogAggregation says which logs are uploaded while the application runs.
type LogAggregation struct {
	RolledInclude string `pb:"3"`
	RolledExclude string `pb:"4"`
}

// Submission describes an application.
type Submission struct {
	ID               *ApplicationID     `pb:"1"`
	Name             string             `pb:"2"`
	Queue            string             `pb:"3"`
	Priority         *Priority          `pb:"4"`
	Launch           *Launch            `pb:"5"`
	Unmanaged        bool               `pb:"7"`
	MaxAttempts      int32              `pb:"8"`
	Resource         *Resource          `pb:"9"`
	Type             string             `pb:"10"`
	Tags             []string           `pb:"12"`
	FailuresValidity int64              `pb:"13"` // ms; 0: for ever
	Logs             *LogAggregation    `pb:"14"`
	Requests         []*ResourceRequest `pb:"17"`
}

// States of applications.
const (
	StateNew       = 1
	StateNewSaving = 2
	StateSubmitted = 3
	StateAccepted  = 4
	StateRunning   = 5
	StateFinished  = 6
	StateFailed    = 7
	StateKilled    = 8
)

var stateNames = [...]string{"", "NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED"}

// Final states, which an application master reports.
const (
	FinalUndefined = 0
	FinalSucceeded = 1
	FinalFailed    = 2
	FinalKilled    = 3
)

var finalNames = [...]string{"UNDEFINED", "SUCCEEDED", "FAILED", "KILLED", "ENDED"}

func nameIn(names []string, n int32) string {
	if n < 0 || int(n) >= len(names) {
		return strconv.Itoa(int(n))
	}
	return names[n]
}

// Report is what the ResourceManager tells about an application.
type Report struct {
	ID          *ApplicationID `pb:"1"`
	User        string         `pb:"2"`
	Queue       string         `pb:"3"`
	Name        string         `pb:"4"`
	Host        string         `pb:"5"`
	RPCPort     int32          `pb:"6"`
	State       int32          `pb:"8"`
	TrackingURL string         `pb:"9"`
	Diagnostics string         `pb:"10"`
	Started     int64          `pb:"11"`
	Finished    int64          `pb:"12"`
	Final       int32          `pb:"13"`
	OriginalURL string         `pb:"15"`
	Attempt     *AttemptID     `pb:"16"`
	Progress    float32        `pb:"17"`
	Type        string         `pb:"18"`
	AMRMToken   *hadoop.Token  `pb:"19"`
	Tags        []string       `pb:"20"`
}

// StateName is YARN's name of the state, e.g. RUNNING.
func (r *Report) StateName() string { return nameIn(stateNames[:], r.State) }

// FinalName is YARN's name of the final state, e.g. SUCCEEDED.
func (r *Report) FinalName() string { return nameIn(finalNames[:], r.Final) }

// Ended says whether the application is over.
func (r *Report) Ended() bool { return r.State >= StateFinished }

// ResourceRequest asks for containers: an absolute number for a priority, a place, a size and an id.
type ResourceRequest struct {
	Priority      *Priority `pb:"1"`
	Place         string    `pb:"2"` // *, a rack, a host
	Capability    *Resource `pb:"3"`
	Count         int32     `pb:"4,req"`
	RelaxLocality bool      `pb:"5,req"`
	NodeLabel     string    `pb:"6"`
	RequestID     int64     `pb:"8,req"`
}

// Container is a granted container.
type Container struct {
	ID        *ContainerID  `pb:"1"`
	Node      *NodeID       `pb:"2"`
	HTTP      string        `pb:"3"` // host:port of the NodeManager's pages
	Resource  *Resource     `pb:"4"`
	Priority  *Priority     `pb:"5"`
	Token     *hadoop.Token `pb:"6"`
	RequestID int64         `pb:"8"`
}

// ContainerStatus tells how a container ended.
type ContainerStatus struct {
	ID          *ContainerID `pb:"1"`
	State       int32        `pb:"2"`
	Diagnostics string       `pb:"3"`
	Exit        int32        `pb:"4"`
}

// Exit statuses that YARN makes up itself.
const (
	ExitInvalid           = -1000
	ExitAborted           = -100
	ExitDisksFailed       = -101
	ExitPreempted         = -102
	ExitVirtualMemory     = -103
	ExitPhysicalMemory    = -104
	ExitByMaster          = -105
	ExitByResourceManager = -106
	ExitAfterApplication  = -107
)

// NodeToken is a token for a NodeManager.
type NodeToken struct {
	Node  *NodeID       `pb:"1,req"`
	Token *hadoop.Token `pb:"2,req"`
}

// NodeReport tells about a node.
type NodeReport struct {
	Node       *NodeID   `pb:"1"`
	HTTP       string    `pb:"2"`
	Rack       string    `pb:"3"`
	Used       *Resource `pb:"4"`
	Capability *Resource `pb:"5"`
	State      int32     `pb:"7"`
	Timeout    uint32    `pb:"13"` // seconds until a decommissioning node is taken out
	Labels     []string  `pb:"10"`
}

// States of nodes.
const (
	NodeRunning         = 2
	NodeUnhealthy       = 3
	NodeDecommissioned  = 4
	NodeLost            = 5
	NodeDecommissioning = 7
	NodeShutdown        = 8
)

// Preemption says which containers YARN wants back: Strict ones go in any case, of the others some may stay.
type Preemption struct {
	Strict     *strictContract     `pb:"1"`
	Negotiable *negotiableContract `pb:"2"`
}

// Containers are all that YARN wants back.
func (p *Preemption) Containers() []*ContainerID {
	var out []*ContainerID
	if p != nil && p.Strict != nil {
		out = ids(out, p.Strict.Containers)
	}
	if p != nil && p.Negotiable != nil {
		out = ids(out, p.Negotiable.Containers)
	}
	return out
}

func ids(out []*ContainerID, l []*preempted) []*ContainerID {
	for _, c := range l {
		if c.ID != nil {
			out = append(out, c.ID)
		}
	}
	return out
}

type strictContract struct {
	Containers []*preempted `pb:"1"`
}

type negotiableContract struct {
	Containers []*preempted `pb:"2"`
}

type preempted struct {
	ID *ContainerID `pb:"1"`
}

type registerRequest struct {
	Host        string `pb:"1"`
	Port        int32  `pb:"2,req"`
	TrackingURL string `pb:"3"`
}

// Registered answers the registration of an application master.
type Registered struct {
	Maximum  *Resource    `pb:"1"`
	Previous []*Container `pb:"4"`
	Queue    string       `pb:"5"`
	Tokens   []*NodeToken `pb:"6"`
}

type finishRequest struct {
	Diagnostics string `pb:"1"`
	TrackingURL string `pb:"2"`
	Final       int32  `pb:"3"`
}

type finishResponse struct {
	Unregistered bool `pb:"1"`
}

// Blacklist changes the hosts on which no containers are wanted.
type Blacklist struct {
	Add    []string `pb:"1"`
	Remove []string `pb:"2"`
}

// AllocateRequest is an application master's heartbeat.
type AllocateRequest struct {
	Ask        []*ResourceRequest `pb:"1"`
	Release    []*ContainerID     `pb:"2"`
	Blacklist  *Blacklist         `pb:"3"`
	ResponseID int32              `pb:"4,req"`
	Progress   float32            `pb:"5"`
}

// Commands to application masters.
const (
	CommandResync   = 1
	CommandShutdown = 2
)

// AllocateResponse answers the heartbeat.
type AllocateResponse struct {
	Command    int32              `pb:"1"`
	ResponseID int32              `pb:"2"`
	Allocated  []*Container       `pb:"3"`
	Completed  []*ContainerStatus `pb:"4"`
	Headroom   *Resource          `pb:"5"`
	Nodes      []*NodeReport      `pb:"6"`
	Cluster    int32              `pb:"7"`
	Preempt    *Preemption        `pb:"8"`
	Tokens     []*NodeToken       `pb:"9"`
	AMRMToken  *hadoop.Token      `pb:"12"`
}

type startRequest struct {
	Launch *Launch       `pb:"1"`
	Token  *hadoop.Token `pb:"2"`
}

type startContainers struct {
	Requests []*startRequest `pb:"1"`
}

type containerError struct {
	ID    *ContainerID `pb:"1"`
	Cause *exception   `pb:"2"`
}

type exception struct {
	Message string     `pb:"1"`
	Class   string     `pb:"3"`
	Cause   *exception `pb:"4"`
}

type startedContainers struct {
	Succeeded []*ContainerID    `pb:"2"`
	Failed    []*containerError `pb:"3"`
}

type stopContainers struct {
	IDs []*ContainerID `pb:"1"`
}

type stoppedContainers struct {
	Failed []*containerError `pb:"2"`
}

type newApplication struct {
	ID      *ApplicationID `pb:"1"`
	Maximum *Resource      `pb:"2"`
}

type submitRequest struct {
	Context *Submission `pb:"1"`
}

type applicationRequest struct {
	ID *ApplicationID `pb:"1"`
}

type reportResponse struct {
	Report *Report `pb:"1"`
}

type killRequest struct {
	ID          *ApplicationID `pb:"1"`
	Diagnostics string         `pb:"2"`
}

type killResponse struct {
	Done bool `pb:"1"`
}

type nodesRequest struct {
	States []int32 `pb:"1"`
}

type nodesResponse struct {
	Nodes []*NodeReport `pb:"1"`
}

type containersRequest struct {
	Attempt *AttemptID `pb:"1"`
}

// ContainerReport is what the ResourceManager tells about a container.
type ContainerReport struct {
	ID     *ContainerID `pb:"1"`
	Node   *NodeID      `pb:"3"`
	LogURL string       `pb:"8"`
	Exit   int32        `pb:"9"`
	State  int32        `pb:"10"`
	HTTP   string       `pb:"11"`
}

type containersResponse struct {
	Containers []*ContainerReport `pb:"1"`
}

type delegationRequest struct {
	Renewer string `pb:"1,req"`
}

type delegationResponse struct {
	Token *hadoop.Token `pb:"1"`
}

type empty struct{}
