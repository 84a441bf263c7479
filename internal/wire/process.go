package wire

import (
	"reflect"
	"sync"

	"github.com/firesteel/firesteel/internal/event"
	"github.com/firesteel/firesteel/internal/files"
	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/rpc"
)

// Between a driver and an executor lies one connection, which the executor makes. It asks for the application's settings
// (MethodSettings), registers (MethodRegister), and from then on the driver sends orders and it sends reports, both in order
// and many in one message. Blocks travel on connections of their own: see package block.
const (
	MethodSettings = "settings" // Application -> Settings
	MethodRegister = "register" // Registration -> nothing
	MethodStatuses = "statuses" // StatusQuery -> StatusAnswer
	MethodLocate   = "locate"   // BlockQuery -> BlockAnswer
	MethodOrders   = "orders"   // messages of Order
	MethodReports  = "reports"  // messages of Report
)

// Application names the application and the executor of it that asks.
type Application struct {
	App      event.AppID
	Executor event.ExecutorID
}

// Settings are what an executor must know of its application.
type Settings struct {
	Name string
	Conf map[string]string
	Key  []byte // of spill files and map outputs, if they are encrypted
	// Services is the secret of shuffle services; "": they ask for none.
	Services string
}

// Registration says that an executor is ready.
type Registration struct {
	Application
	Host       string
	Cores      int
	Memory     int64
	Blocks     string // host:port of its block server
	LogURLs    map[string]string
	Attributes map[string]string
}

// StatusQuery asks where the outputs of a shuffle lie, as known at the epoch or later.
type StatusQuery struct {
	Shuffle event.ShuffleID
	Epoch   int64
}

// StatusAnswer says where the outputs lie. Known is false if there is no such shuffle.
type StatusAnswer struct {
	Known bool
	Epoch int64
	Maps  []MapOutputAt
	Peers map[event.ExecutorID]string // block servers of the executors that Maps names
}

// MapOutputAt is where a map output lies; At is empty while it is missing.
type MapOutputAt struct {
	At    event.ExecutorID
	Host  string
	Sizes []int64
}

// BlockQuery asks where a cached block lies.
type BlockQuery struct{ Name string }

// BlockAnswer has the executors that have it, and their block servers.
type BlockAnswer struct{ At map[event.ExecutorID]string }

// Order is what a driver tells an executor: one of the types below.
type Order interface{ isOrder() }

// The orders.
type (
	// NewWork comes before the first Launch of its tasks.
	NewWork struct{ Work Work }
	// DropWork says that no more tasks of a work will come. Those that run still need it.
	DropWork struct{ Work int64 }
	// Launch starts a task.
	Launch struct{ Task Task }
	// KillTask ends a task; its Ended still follows.
	KillTask struct {
		Task   event.TaskID
		Reason string
	}
	// CommitAnswer answers AskCommit.
	CommitAnswer struct {
		Task  event.TaskID
		Allow bool
	}
	// DropShuffle deletes the outputs of a shuffle.
	DropShuffle struct{ Shuffle event.ShuffleID }
	// DropBlocks forgets a block and all whose names start with its name and an underscore.
	DropBlocks struct{ Name string }
	// PeerLost says that an executor is gone: what lay there must not be waited for.
	PeerLost struct{ Executor event.ExecutorID }
	// Files are all files of the application: each has to be there before a task begins that is launched later.
	Files struct{ All []files.File }
	// Credentials are the newest tokens for file systems, in Hadoop's form.
	Credentials struct{ Data []byte }
	// RegisterAgain asks for another registration on the same connection.
	RegisterAgain struct{}
	// Decommission says that the executor will have to go: it takes no more tasks and goes on with those that run, and its
	// blocks move to others meanwhile. Leave comes when that is done.
	Decommission struct{ Reason string }
	// Pull has the executor get a block from another one and keep it: a map output, or a cached block.
	Pull struct {
		ID      int64  // of the order, for Pulled
		From    string // host:port of a block server
		Name    string
		Size    int64           // expected; 0: nobody knows
		Shuffle event.ShuffleID // of a map output, else event.NoShuffle
		Map     int
		Rows    int64 // of a cached block
		Copies  int   // that there should be of it
		Disk    bool  // a cached block is to lie on disk only
	}
	// Stow has the executor put a map output of its own into the fallback storage. Pulled answers it.
	Stow struct {
		ID      int64
		Shuffle event.ShuffleID
		Map     int
	}
	// Leave ends the executor.
	Leave struct{ Reason string }
)

func (NewWork) isOrder()       {}
func (DropWork) isOrder()      {}
func (Launch) isOrder()        {}
func (KillTask) isOrder()      {}
func (CommitAnswer) isOrder()  {}
func (DropShuffle) isOrder()   {}
func (DropBlocks) isOrder()    {}
func (PeerLost) isOrder()      {}
func (Files) isOrder()         {}
func (Credentials) isOrder()   {}
func (RegisterAgain) isOrder() {}
func (Decommission) isOrder()  {}
func (Pull) isOrder()          {}
func (Stow) isOrder()          {}
func (Leave) isOrder()         {}

// Report is what an executor tells its driver: one of the types below.
type Report interface{ isReport() }

// The reports.
type (
	// Started says that a task runs.
	Started struct{ Task event.TaskID }
	// Ended says how a task ended.
	Ended struct {
		Task    event.TaskID
		Reason  event.Reason
		Outcome Outcome
	}
	// AskCommit asks whether a task may commit its output.
	AskCommit struct{ Task event.TaskID }
	// Alive is the heartbeat. Cached counts the cached blocks; Consumers are those who hold most of the memory.
	Alive struct {
		Cached    int
		Metrics   event.ExecutorMetrics
		Consumers []memory.Consumer
	}
	// BlockChanged says how a cached block is stored now; with an empty level it is gone.
	BlockChanged struct{ Status event.BlockStatus }
	// Leaving says that the executor was told to end by its machine and takes no more tasks. One that Stays goes on with what it
	// has until Leave comes.
	Leaving struct {
		Reason string
		Stays  bool
	}
	// Pulled says what became of a Pull or a Stow; Failed is empty when the block is there.
	Pulled struct {
		ID     int64
		Failed string
	}
)

func (Started) isReport()      {}
func (Ended) isReport()        {}
func (AskCommit) isReport()    {}
func (Alive) isReport()        {}
func (BlockChanged) isReport() {}
func (Leaving) isReport()      {}
func (Pulled) isReport()       {}

func addProcesses(c *rpc.Codec) {
	rpc.Union[Order](c, NewWork{}, DropWork{}, Launch{}, KillTask{}, CommitAnswer{}, DropShuffle{}, DropBlocks{}, PeerLost{},
		RegisterAgain{}, Leave{}, Decommission{}, Pull{}, Credentials{}, Files{}, Stow{})
	rpc.Union[Report](c, Started{}, Ended{}, AskCommit{}, Alive{}, BlockChanged{}, Leaving{}, Pulled{})
}

// Orders and Reports make the sending ends of a connection.
func Orders(c *rpc.Conn, failed func(Order, error)) *rpc.Outbox[Order] {
	return rpc.NewOutbox(c, codec, MethodOrders, failed)
}

// Reports is the sending end of an executor.
func Reports(c *rpc.Conn, failed func(Report, error)) *rpc.Outbox[Report] {
	return rpc.NewOutbox(c, codec, MethodReports, failed)
}

// ReadOrders and ReadReports read their messages.
func ReadOrders(body []byte, take func(Order)) error { return rpc.ReadBatch(codec, body, take) }

// ReadReports reads a message of reports.
func ReadReports(body []byte, take func(Report)) error { return rpc.ReadBatch(codec, body, take) }

// Ask makes a request and reads its answer into what into points to, if that is not nil.
func Ask(call func(method string, body []byte) ([]byte, error), method string, v, into any) error {
	body, err := Marshal(v)
	if err != nil {
		return err
	}
	out, err := call(method, body)
	if err != nil || into == nil {
		return err
	}
	return Unmarshal(out, into)
}

// Build tells programs apart whose messages differ: a digest of the layout of all that travels.
var Build = sync.OnceValue(func() string {
	var roots []reflect.Type
	for _, root := range []any{Fragment{}, Sample{}, Settings{}, Registration{}, StatusQuery{}, StatusAnswer{}} {
		roots = append(roots, reflect.TypeOf(root))
	}
	return codec.Layout(append(roots, reflect.TypeFor[Order](), reflect.TypeFor[Report]())...)
})
