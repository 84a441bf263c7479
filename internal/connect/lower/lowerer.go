// Package lower turns Connect plans into the one unresolved form that SQL text has too.
package lower

import (
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// Parser reads the SQL text that plans hold, under the options of the session.
type Parser interface {
	// Query parses a statement; the arguments replace its parameter markers.
	Query(text string, named map[string]expr.Expr, positional []expr.Expr) (logical.Plan, error)
	Expr(text string) (expr.Expr, error)
	Type(text string) (types.Type, error)
	Schema(text string) (*types.Schema, error)
	Identifier(text string) ([]string, error)
}

// Lowerer lowers plans of one session. It is used by one goroutine at a time.
type Lowerer struct {
	Parse Parser
	// Artifact reads an uploaded local relation or schema by its hash.
	Artifact func(hash string) ([]byte, error)
	// Remote finds a relation that a checkpoint left behind.
	Remote func(id string) (logical.Plan, error)
	// Format is the format of reads and writes that name none.
	Format string
	// UserFunction makes a call of an inline user-defined function; nil if there are none.
	UserFunction func(f *connectpb.CommonInlineUserDefinedFunction, args []expr.Expr) (expr.Expr, error)
	// Collect runs a plan that lowering needs the rows of (transpose), and Schema gives its columns. Print is the text of a value.
	Collect func(p logical.Plan) (*types.Schema, []*columnar.Batch, error)
	Schema  func(p logical.Plan) (*types.Schema, error)
	Print   func(v *columnar.Vector, row int) string
	// MaxTranspose is the most rows that transpose takes.
	MaxTranspose int
	// Observe is told of the metrics that the plan observes, as a query of one row; nil if nobody asks.
	Observe func(name string, planID int64, metrics logical.Plan)

	depth int
}

// maxDepth bounds the nesting of plans and expressions.
const maxDepth = 4000

func (l *Lowerer) enter() error {
	if l.depth++; l.depth > maxDepth {
		return invalid("ASSERTION_FAILURE", "message", "the plan nests deeper than "+strconv.Itoa(maxDepth)+" levels")
	}
	return nil
}

func (l *Lowerer) leave() { l.depth-- }

func itoa(n int32) string { return strconv.Itoa(int(n)) }

// caseName is the name of the case that is set in a oneof of m, "not set" if there is none.
func caseName(m proto.Message, oneof protoreflect.Name) string {
	r := m.ProtoReflect()
	if f := r.WhichOneof(r.Descriptor().Oneofs().ByName(oneof)); f != nil {
		return string(f.Name())
	}
	return "not set"
}

// unsupportedCase is the answer to a case of a oneof that is known but not built: it names the case.
func unsupportedCase(m proto.Message, oneof protoreflect.Name) error {
	r := m.ProtoReflect()
	d := r.Descriptor()
	f := r.WhichOneof(d.Oneofs().ByName(oneof))
	if f == nil {
		return invalid("INVALID_ONE_OF_FIELD_NOT_SET", "fullName", string(d.FullName()), "name", string(oneof))
	}
	return sparkerr.Unsupported(string(d.FullName()) + "." + string(f.Name()))
}
