package core

import "time"

// Peer numbers a connection of a worker or application; 0 is none.
type Peer uint64

// Ask numbers a request that is answered by an Answer; 0 is none.
type Ask uint64

// WorkerInfo is how a worker presents itself.
type WorkerInfo struct {
	ID, Host string
	Port     int
	Cores    int
	Memory   int64
	WebUI    string
}

// Held is an executor that a worker runs.
type Held struct {
	App    string
	ID     int
	Cores  int
	Memory int64
}

// HeldDriver is a driver that a worker runs: enough to take it over by a master that does not know it. Files are left out
// unless it is launched again when it fails.
type HeldDriver struct {
	ID   string
	Desc DriverDesc
}

// AppDesc is what an application asks for, and what its executors are started with.
type AppDesc struct {
	Name, User   string
	CoresMax     int   // of all its executors; 0: Config.DefaultCores
	CoresPer     int   // of each; AllCores
	Memory       int64 // of each
	Launch       Launch
	WebUI        string
	StartMillis  int64 // when the driver started
	SubmitMillis int64 // when it first registered
}

// Launch is what workers start executors from. Sealed is the application's secret, readable for who knows the cluster's.
type Launch struct {
	AppID     string // as the driver names itself; "": the id that the master gave
	DriverURL string
	Binary    string // path of the program, on the worker's machine
	Memory    int64
	Overhead  int64
	LocalDir  string // spark.local.dir, where the worker has no folders of its own for files
	Env       map[string]string
	Sealed    []byte
}

// DriverDesc is an application that is submitted to run in the cluster.
type DriverDesc struct {
	Resource  string // the program: a path or URL, or a name of Files
	MainClass string
	Args      []string
	Conf      map[string]string
	Env       map[string]string
	Files     []File // that were uploaded with it
	Cores     int
	Memory    int64
	Supervise bool
	// Token, if not empty, is the submitter's own name of the submission: sent again, it is the same driver.
	Token string
}

// File is one uploaded file: its name in the driver's folder, and its bytes.
type File struct {
	Name string
	Data []byte
}

// Event is what happened: one of the types below.
type Event interface{ isEvent() }

type (
	// WorkerRegistered comes with the first and every later connection of a worker: what it has and what it runs.
	WorkerRegistered struct {
		Peer      Peer
		Ask       Ask
		Info      WorkerInfo
		Executors []Held
		Drivers   []HeldDriver
		Leaving   bool // it was told to leave
	}
	// Heartbeat says that a worker is alive.
	Heartbeat struct {
		Peer Peer
		ID   string
	}
	// WorkerLeft says that a worker has ended what it ran, and goes.
	WorkerLeft struct{ ID string }
	// Disconnected says that a connection has ended.
	Disconnected struct{ Peer Peer }
	// AppRegistered comes with the first connection of an application, without an id, and with every later one, with it
	// and the executors that it has.
	AppRegistered struct {
		Peer  Peer
		Ask   Ask
		ID    string
		Desc  AppDesc
		Level int
		Known []int
		Next  int // greater than the id of every executor that it ever had
	}
	// AppLevel says how many executors should exist.
	AppLevel struct {
		App   string
		Total int
	}
	// AppKill ends executors; the level stays.
	AppKill struct {
		App string
		IDs []int
	}
	// AppStopped says that the application has ended.
	AppStopped struct {
		App string
		Ask Ask
	}
	// ExecutorStarted says that the process of an executor runs.
	ExecutorStarted struct {
		Worker, App string
		ID          int
	}
	// ExecutorEnded says how it ended. Refused: it could not be started.
	ExecutorEnded struct {
		Worker, App string
		ID          int
		Code        int
		Reason      string
		Killed      bool // as it was told to
		Refused     bool
		OutOfMemory bool // by the system: it took more than it was allowed
	}
	// DriverSubmitted asks for a driver; the answer is its id.
	DriverSubmitted struct {
		Ask  Ask
		Desc DriverDesc
	}
	// DriverKill asks to end a driver; all of them if All.
	DriverKill struct {
		Ask Ask
		ID  string
		All bool
	}
	// DriverChanged says what became of a driver.
	DriverChanged struct {
		Worker, ID string
		State      DriverState
		Reason     string
	}
	// Clear forgets drivers and applications that have ended.
	Clear struct{ Ask Ask }
	// Decommission asks workers to leave: by id, or by host.
	Decommission struct {
		Ask   Ask
		IDs   []string
		Hosts []string
	}
	// Recovered opens the window for what ran before; the records are what was saved of it, if it was.
	Recovered struct{ Records []Record }
	// Tick says that a Deadline has passed. It does no harm at other times.
	Tick struct{}
)

func (WorkerRegistered) isEvent() {}
func (Heartbeat) isEvent()        {}
func (WorkerLeft) isEvent()       {}
func (Disconnected) isEvent()     {}
func (AppRegistered) isEvent()    {}
func (AppLevel) isEvent()         {}
func (AppKill) isEvent()          {}
func (AppStopped) isEvent()       {}
func (ExecutorStarted) isEvent()  {}
func (ExecutorEnded) isEvent()    {}
func (DriverSubmitted) isEvent()  {}
func (DriverKill) isEvent()       {}
func (DriverChanged) isEvent()    {}
func (Clear) isEvent()            {}
func (Decommission) isEvent()     {}
func (Recovered) isEvent()        {}
func (Tick) isEvent()             {}

// Record is what is saved of a worker, application or driver, and the numbers of ids: one of the pointers is set.
type Record struct {
	Worker  *WorkerInfo
	App     *AppRecord
	Driver  *DriverRecord
	Numbers *Numbers
}

// Numbers are those of the next application and driver, so that no id is given twice.
type Numbers struct{ App, Driver int }

// Key is unique among records.
func (r *Record) Key() string {
	switch {
	case r.Worker != nil:
		return r.Worker.ID
	case r.App != nil:
		return r.App.ID
	case r.Driver != nil:
		return r.Driver.ID
	default:
		return "numbers"
	}
}

// AppRecord is what is saved of an application that runs.
type AppRecord struct {
	ID     string
	Number int
	Desc   AppDesc
}

// DriverRecord is what is saved of a driver that has not ended.
type DriverRecord struct {
	ID           string
	Number       int
	Desc         DriverDesc
	SubmitMillis int64
	Worker       string
	Killed       bool // on request
}

// Action is what the host must do: one of the types below.
type Action interface{ isAction() }

type (
	// Tell sends a message to a peer.
	Tell struct {
		Peer    Peer
		Message Message
	}
	// Answer answers a request.
	Answer struct {
		Ask   Ask
		Reply Reply
	}
	// Drop ends a connection.
	Drop struct{ Peer Peer }
	// Save keeps a record beyond this process; Forget ends that.
	Save   struct{ Record Record }
	Forget struct{ Key string }
	// Note is a line for the log.
	Note struct {
		Warn bool
		Text string
	}
)

func (Tell) isAction()   {}
func (Answer) isAction() {}
func (Drop) isAction()   {}
func (Save) isAction()   {}
func (Forget) isAction() {}
func (Note) isAction()   {}

// Reply answers a request.
type Reply struct {
	OK      bool
	ID      string // of the application or driver
	Message string
	Workers []string // Decommission: who leaves
}

// Message is what workers and applications are told: one of the types below.
type Message interface{ isMessage() }

type (
	// LaunchExecutor tells a worker to start an executor.
	LaunchExecutor struct {
		App    string
		Name   string
		ID     int
		Cores  int
		Memory int64
		Launch Launch
	}
	// KillExecutor tells a worker to end one.
	KillExecutor struct {
		App string
		ID  int
	}
	// CleanApp tells a worker that an application has ended: its files may go.
	CleanApp struct{ App string }
	// LaunchDriver tells a worker to start a driver; KillDriver to end it.
	LaunchDriver struct {
		ID   string
		Desc DriverDesc
	}
	KillDriver struct{ ID string }
	// Reregister asks a worker that is not known to register again.
	Reregister struct{}
	// Leave tells a worker to finish what it runs and go.
	Leave struct{}

	// ExecutorAdded tells an application that it gets an executor.
	ExecutorAdded struct {
		ID     int
		Worker string
		Host   string
		Cores  int
	}
	// ExecutorGone tells it what became of one.
	ExecutorGone struct {
		ID          int
		Code        int // exit status; 128+n after signal n; -1 if unknown
		Reason      string
		Platform    bool // not because of what it ran
		Host        bool // its worker is gone too
		OutOfMemory bool
	}
	// ExecutorLeaving tells it that one will end soon.
	ExecutorLeaving struct {
		ID     int
		Reason string
		Grace  time.Duration
	}
	// AppRemoved tells it that it may not go on.
	AppRemoved struct{ Reason string }
	// Warning tells it something that its user should know.
	Warning struct{ Text string }
)

func (LaunchExecutor) isMessage()  {}
func (KillExecutor) isMessage()    {}
func (CleanApp) isMessage()        {}
func (LaunchDriver) isMessage()    {}
func (KillDriver) isMessage()      {}
func (Reregister) isMessage()      {}
func (Leave) isMessage()           {}
func (ExecutorAdded) isMessage()   {}
func (ExecutorGone) isMessage()    {}
func (ExecutorLeaving) isMessage() {}
func (AppRemoved) isMessage()      {}
func (Warning) isMessage()         {}
