// Package connect is the Spark Connect server: sessions, operations whose streams can be resumed, artifacts, configuration
// and error details over gRPC. It knows the engine only by the interfaces of this file.
package connect

import (
	"context"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/connect/lower"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// Engine makes sessions.
type Engine interface {
	// NewSession makes a session for a user; the id is the client's.
	NewSession(user, id string) (Session, error)
}

// Session is one SparkSession. Its methods may be called by several goroutines.
type Session interface {
	// Parser reads SQL text under the session's present options.
	lower.Parser
	// Conf is the session's configuration; the server reads and writes it for the client.
	Conf() *conf.Conf
	// Analyze resolves a query or a command. Errors are those that users see.
	Analyze(ctx context.Context, p logical.Plan) (Query, error)
	// Close ends the session; running queries have been cancelled before.
	Close() error
}

// Query is an analyzed query, or a command that has not run yet.
type Query interface {
	// Schema are the columns of the result; those of a command need be known only after Run.
	Schema() *types.Schema
	// Run evaluates the query, or does the command, and hands the rows to the sink from one goroutine.
	// It returns soon after ctx has ended.
	Run(ctx context.Context, sink Sink) error
}

// Sink takes what a running query yields.
type Sink interface {
	// Batch takes rows; the batch is borrowed. It blocks while the client is slow, and fails when the operation has ended.
	Batch(b *columnar.Batch) error
	// Progress tells how far the stages are; it may be called often, from any goroutine.
	Progress(stages []Stage, inflight int)
	// Observed gives the values of observed metrics.
	Observed(o Observation)
}

// Stage is the progress of one stage.
type Stage struct {
	ID               int64
	Tasks, Completed int64
	BytesRead        int64
	Done             bool
}

// Observation are the observed metrics of a name: one value per field.
type Observation struct {
	Name   string
	PlanID int64
	Fields []types.Field
	Values []any
}

// The interfaces below are optional. What an engine lacks is refused by name.

// Cloner is a Session that can be copied: configuration, temporary views, functions, current catalog and database.
type Cloner interface {
	Clone(id string) (Session, error)
}

// Explainer is a Query that prints its plans. Mode: simple, extended, codegen, cost, formatted.
type Explainer interface {
	Explain(mode string) (string, error)
}

// Planned is a Query that shows its resolved plan, by which the server answers inputFiles, sameSemantics and semanticHash.
type Planned interface {
	Plan() logical.Plan
}

// Persister is a Query whose rows can be cached. Levels are names such as MEMORY_AND_DISK; NONE is not cached.
type Persister interface {
	Persist(level string) error
	Unpersist(blocking bool) error
	StorageLevel() string
}

// Checkpointer is a Query whose rows can be kept as they are: locally, at a storage level ("" for the usual one), or in files that
// outlive the session. It gives a plan that reads them, and what forgets them.
type Checkpointer interface {
	Checkpoint(ctx context.Context, local, eager bool, level string) (read logical.Plan, forget func() error, err error)
}

// FileTaker is a Session that wants to know of uploaded files: kind is jars, pyfiles, files or archives. For the life of the session
// path is where the file is, or the folder of an unpacked archive. Those of pyfiles, files and archives lie in one folder, by their
// own names or the aliases of archives: that is the root of SparkFiles, and what goes on sys.path is there.
type FileTaker interface {
	AddFile(kind, name, path string) error
}
