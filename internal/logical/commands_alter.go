package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// ColumnChange is a column that ALTER TABLE adds, replaces or alters: what is nil or zero stays as it is.
type ColumnChange struct {
	Name        []string
	Type        *types.Type
	Nullable    *bool // false: NOT NULL
	Comment     *string
	Default     *string // SQL text
	DropDefault bool
	First       bool
	After       string
}

// PartitionPlace is a partition with a location of its own, if it has one.
type PartitionPlace struct {
	Partition []PartitionValue
	Location  string
}

// RenameTable is ALTER TABLE or VIEW … RENAME TO.
type RenameTable struct {
	command
	Target
	View bool
	To   []string
}

// SetTableProperties is ALTER TABLE or VIEW … SET TBLPROPERTIES.
type SetTableProperties struct {
	command
	Target
	View       bool
	Properties map[string]string
}

// UnsetTableProperties is ALTER TABLE or VIEW … UNSET TBLPROPERTIES.
type UnsetTableProperties struct {
	command
	Target
	View     bool
	Keys     []string
	IfExists bool
}

// AddColumns is ALTER TABLE … ADD COLUMNS.
type AddColumns struct {
	command
	Target
	Columns []ColumnChange
}

// ReplaceColumns is ALTER TABLE … REPLACE COLUMNS.
type ReplaceColumns struct {
	command
	Target
	Partition []PartitionValue
	Columns   []ColumnChange
}

// RenameColumn is ALTER TABLE … RENAME COLUMN.
type RenameColumn struct {
	command
	Target
	From []string
	To   string
}

// RemoveColumns is ALTER TABLE … DROP COLUMNS.
type RemoveColumns struct {
	command
	Target
	Columns  [][]string
	IfExists bool
}

// AlterColumns is ALTER TABLE … ALTER COLUMN.
type AlterColumns struct {
	command
	Target
	Columns []ColumnChange
}

// ChangeColumn is the older ALTER TABLE … CHANGE COLUMN old new type.
type ChangeColumn struct {
	command
	Target
	Partition []PartitionValue
	From      []string
	Column    ColumnChange
}

// AddPartitions is ALTER TABLE … ADD PARTITION.
type AddPartitions struct {
	command
	Target
	IfNotExists bool
	Partitions  []PartitionPlace
}

// DropPartitions is ALTER TABLE … DROP PARTITION.
type DropPartitions struct {
	command
	Target
	IfExists   bool
	Purge      bool
	Partitions [][]PartitionValue
}

// RenamePartition is ALTER TABLE … PARTITION … RENAME TO PARTITION.
type RenamePartition struct {
	command
	Target
	From, To []PartitionValue
}

// SetLocation is ALTER TABLE … SET LOCATION.
type SetLocation struct {
	command
	Target
	Partition []PartitionValue
	Location  string
}

// SetSerde is ALTER TABLE … SET SERDE or SERDEPROPERTIES.
type SetSerde struct {
	command
	Target
	Partition  []PartitionValue
	Serde      string
	Properties map[string]string
}

// RecoverPartitions is ALTER TABLE … RECOVER PARTITIONS.
type RecoverPartitions struct {
	command
	Target
}

// AlterClusterBy is ALTER TABLE … CLUSTER BY; no columns: NONE.
type AlterClusterBy struct {
	command
	Target
	Columns [][]string
}

// AlterCollation is ALTER TABLE … DEFAULT COLLATION.
type AlterCollation struct {
	command
	Target
	Collation string
}

// AddConstraint is ALTER TABLE … ADD CONSTRAINT.
type AddConstraint struct {
	command
	Target
	Constraint Constraint
}

// DropConstraint is ALTER TABLE … DROP CONSTRAINT.
type DropConstraint struct {
	command
	Target
	Constraint string
	IfExists   bool
	Cascade    bool
}

// AlterViewSchema is ALTER VIEW … WITH SCHEMA.
type AlterViewSchema struct {
	command
	Target
	Mode string
}

func (p *RenameTable) WithChildren([]Plan) Plan            { return p }
func (p *RenameTable) WithExprs([]expr.Expr) Plan          { return p }
func (p *SetTableProperties) WithChildren([]Plan) Plan     { return p }
func (p *SetTableProperties) WithExprs([]expr.Expr) Plan   { return p }
func (p *UnsetTableProperties) WithChildren([]Plan) Plan   { return p }
func (p *UnsetTableProperties) WithExprs([]expr.Expr) Plan { return p }
func (p *AddColumns) WithChildren([]Plan) Plan             { return p }
func (p *AddColumns) WithExprs([]expr.Expr) Plan           { return p }
func (p *ReplaceColumns) WithChildren([]Plan) Plan         { return p }
func (p *ReplaceColumns) WithExprs([]expr.Expr) Plan       { return p }
func (p *RenameColumn) WithChildren([]Plan) Plan           { return p }
func (p *RenameColumn) WithExprs([]expr.Expr) Plan         { return p }
func (p *RemoveColumns) WithChildren([]Plan) Plan          { return p }
func (p *RemoveColumns) WithExprs([]expr.Expr) Plan        { return p }
func (p *AlterColumns) WithChildren([]Plan) Plan           { return p }
func (p *AlterColumns) WithExprs([]expr.Expr) Plan         { return p }
func (p *ChangeColumn) WithChildren([]Plan) Plan           { return p }
func (p *ChangeColumn) WithExprs([]expr.Expr) Plan         { return p }
func (p *AddPartitions) WithChildren([]Plan) Plan          { return p }
func (p *AddPartitions) WithExprs([]expr.Expr) Plan        { return p }
func (p *DropPartitions) WithChildren([]Plan) Plan         { return p }
func (p *DropPartitions) WithExprs([]expr.Expr) Plan       { return p }
func (p *RenamePartition) WithChildren([]Plan) Plan        { return p }
func (p *RenamePartition) WithExprs([]expr.Expr) Plan      { return p }
func (p *SetLocation) WithChildren([]Plan) Plan            { return p }
func (p *SetLocation) WithExprs([]expr.Expr) Plan          { return p }
func (p *SetSerde) WithChildren([]Plan) Plan               { return p }
func (p *SetSerde) WithExprs([]expr.Expr) Plan             { return p }
func (p *RecoverPartitions) WithChildren([]Plan) Plan      { return p }
func (p *RecoverPartitions) WithExprs([]expr.Expr) Plan    { return p }
func (p *AlterClusterBy) WithChildren([]Plan) Plan         { return p }
func (p *AlterClusterBy) WithExprs([]expr.Expr) Plan       { return p }
func (p *AlterCollation) WithChildren([]Plan) Plan         { return p }
func (p *AlterCollation) WithExprs([]expr.Expr) Plan       { return p }
func (p *AddConstraint) WithChildren([]Plan) Plan          { return p }
func (p *AddConstraint) WithExprs([]expr.Expr) Plan        { return p }
func (p *DropConstraint) WithChildren([]Plan) Plan         { return p }
func (p *DropConstraint) WithExprs([]expr.Expr) Plan       { return p }
func (p *AlterViewSchema) WithChildren([]Plan) Plan        { return p }
func (p *AlterViewSchema) WithExprs([]expr.Expr) Plan      { return p }
