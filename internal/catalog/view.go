package catalog

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// TempView is a temporary or global temporary view.
type TempView struct {
	Name     []string // [view] or [global_temp, view]
	Plan     expr.Plan
	Resolved bool // Plan is analyzed (DataFrame views); it gets fresh column ids at each use
	Text     string
	Columns  []ViewColumn // renames; nil: the query's names
	Schema   *types.Schema
	Path     []string // catalog and database that were current when it was made
	Conf     map[string]string
	Comment  string
	Props    map[string]string
}

// ViewColumn is a column's name and comment in a view.
type ViewColumn struct{ Name, Comment string }

// Param is a parameter of a SQL function.
type Param struct {
	Name    string
	Type    types.Type
	Default string // SQL text; "" if none
	Comment string
}

// Function is a user-defined function of a catalog or of the session.
type Function struct {
	Name          []string // one part: temporary
	Params        []Param
	Returns       types.Type    // of a scalar function
	Table         *types.Schema // of a table function
	Body          string        // SQL text: an expression, or a query when Query or Table is set
	Query         bool
	Deterministic bool
	Comment       string
	Path          []string // catalog and database that were current when it was made
	Class         string   // class name of CREATE FUNCTION … AS 'class'
	Created       int64    // ms
	Owner         string
	// Impl is what the session registered for the name (a Python function and the like), opaque here; nil for SQL bodies.
	Impl any `json:"-"`
}

// Temporary says whether the function belongs to the session only.
func (f *Function) Temporary() bool { return len(f.Name) == 1 }
