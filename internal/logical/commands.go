package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// Command is a plan node that is run for its effect when it is submitted; its output is a small result.
// Each command is a struct of its own in commands_*.go; Query, if any, is its only child.
type Command interface {
	Plan
	IsCommand()
}

// command gives commands their marker and the answers of a leaf.
type command struct{ node }

func (command) IsCommand()             {}
func (command) Children() []Plan       { return nil }
func (command) Exprs() []expr.Expr     { return nil }
func (command) Output() []*expr.Column { return nil }

// SaveMode is what a write does when something is there already.
type SaveMode uint8

// The save modes.
const (
	ErrorIfExists SaveMode = iota
	Append
	Overwrite
	Ignore
)

// InsertInto writes Query's rows into a table (INSERT INTO/OVERWRITE, insertInto, appends of saveAsTable).
type InsertInto struct {
	command
	Table       []string
	TableExpr   expr.Expr // IDENTIFIER(…); Table is then empty
	Columns     []string  // column list; nil: by position
	ByName      bool
	Overwrite   bool
	IfNotExists bool
	Partition   []PartitionValue // PARTITION clause
	ReplaceWhen expr.Expr        // REPLACE WHERE
	Options     map[string]string
	Evolve      bool     // WITH SCHEMA EVOLUTION
	ReplaceBy   []string // REPLACE USING
	Query       Plan
	At          *expr.Origin
}

// PartitionValue is one entry of a PARTITION clause; Value nil means dynamic.
type PartitionValue struct {
	Column string
	Value  expr.Expr
}

// WriteFiles writes Query's rows to a path in a format (df.write.save, INSERT OVERWRITE DIRECTORY).
type WriteFiles struct {
	command
	Format      string
	Path        string
	Mode        SaveMode
	Options     map[string]string
	PartitionBy []string
	BucketBy    []string
	SortBy      []string
	Buckets     int
	Query       Plan
}

// CreateTable is CREATE TABLE, and CTAS when Query is set; Replace is [CREATE OR] REPLACE.
type CreateTable struct {
	command
	Name           []string
	NameExpr       expr.Expr
	Schema         *types.Schema // nil when it comes from Query or from the files
	Defaults       map[string]string
	Provider       string
	Options        map[string]string
	Properties     map[string]string
	Partition      []string
	PartitionTyped []types.Field // Hive style: PARTITIONED BY (p INT)
	BucketBy       []string
	SortBy         []string
	Buckets        int
	Location       string
	Comment        string
	External       bool
	IfNotExists    bool
	Replace        bool
	OrCreate       bool
	Mode           SaveMode // of saveAsTable
	Like           []string // CREATE TABLE LIKE
	Query          Plan
	Extra          *TableExtra // nil: none of the rare clauses
	At             *expr.Origin
}

// CreateView is CREATE [OR REPLACE] [GLOBAL] [TEMPORARY] VIEW and createTempView.
type CreateView struct {
	command
	Name        []string
	NameExpr    expr.Expr
	Columns     []ViewColumn
	Comment     string
	Properties  map[string]string
	Temp        bool
	Global      bool
	Replace     bool
	IfNotExists bool
	Alter       bool   // ALTER VIEW … AS
	Text        string // the query's SQL text; "" for DataFrames
	Query       Plan
	Using       string // CREATE TEMPORARY VIEW … USING format
	Options     map[string]string
	Schema      *types.Schema
	Collation   string // DEFAULT COLLATION
	Binding     string // WITH SCHEMA: BINDING, COMPENSATION, EVOLUTION, TYPE EVOLUTION
	At          *expr.Origin
}

// ViewColumn renames a column of a view.
type ViewColumn struct{ Name, Comment string }

// Explain prints a plan. Mode: simple, extended, codegen, cost, formatted.
type Explain struct {
	command
	Mode  string
	Query Plan
}

// SetConf is SET: "" lists all keys; Value nil shows one.
type SetConf struct {
	command
	Key      string
	Value    *string
	Verbose  bool // SET -v
	TimeZone bool // SET TIME ZONE: Value is the zone, an interval text, or nil for LOCAL
}

// ResetConf is RESET [key].
type ResetConf struct {
	command
	Key string
}

func (p *InsertInto) Children() []Plan           { return []Plan{p.Query} }
func (p *InsertInto) WithChildren(c []Plan) Plan { q := *p; q.Query = c[0]; return &q }
func (p *InsertInto) WithExprs([]expr.Expr) Plan { return p }

func (p *WriteFiles) Children() []Plan           { return []Plan{p.Query} }
func (p *WriteFiles) WithChildren(c []Plan) Plan { q := *p; q.Query = c[0]; return &q }
func (p *WriteFiles) WithExprs([]expr.Expr) Plan { return p }

// queryChild lists a command's query if it has one.
func queryChild(q Plan) []Plan {
	if q == nil {
		return nil
	}
	return []Plan{q}
}

func (p *CreateTable) Children() []Plan { return queryChild(p.Query) }
func (p *CreateTable) WithChildren(c []Plan) Plan {
	q := *p
	if p.Query != nil {
		q.Query = c[0]
	}
	return &q
}
func (p *CreateTable) WithExprs([]expr.Expr) Plan { return p }

// CreateView, Explain: the query is analyzed by the command itself, with its own rules, and so is no child.
func (p *CreateView) WithChildren([]Plan) Plan   { return p }
func (p *CreateView) WithExprs([]expr.Expr) Plan { return p }
func (p *Explain) WithChildren([]Plan) Plan      { return p }
func (p *Explain) WithExprs([]expr.Expr) Plan    { return p }
func (p *SetConf) WithChildren([]Plan) Plan      { return p }
func (p *SetConf) WithExprs([]expr.Expr) Plan    { return p }
func (p *ResetConf) WithChildren([]Plan) Plan    { return p }
func (p *ResetConf) WithExprs([]expr.Expr) Plan  { return p }
