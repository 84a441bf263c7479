package logical

import "github.com/firesteel/firesteel/internal/expr"

// ShowNamespaces is SHOW DATABASES.
type ShowNamespaces struct {
	command
	In      []string
	Pattern *string
}

// ShowTables is SHOW TABLES, and SHOW TABLE EXTENDED.
type ShowTables struct {
	command
	Target    // the database; empty: the current one
	Pattern   *string
	Extended  bool
	Partition []PartitionValue
}

// ShowViews is SHOW VIEWS.
type ShowViews struct {
	command
	Target
	Pattern *string
}

// ShowColumns is SHOW COLUMNS.
type ShowColumns struct {
	command
	Target
	In []string
}

// ShowPartitions is SHOW PARTITIONS.
type ShowPartitions struct {
	command
	Target
	Partition []PartitionValue
}

// ShowFunctions is SHOW FUNCTIONS.
type ShowFunctions struct {
	command
	Target       // the database
	User, System bool
	Pattern      *string
	Function     []string // a name in place of a pattern
}

// ShowProcedures is SHOW PROCEDURES.
type ShowProcedures struct {
	command
	Target
}

// ShowCreateTable is SHOW CREATE TABLE.
type ShowCreateTable struct {
	command
	Target
	AsSerde bool
}

// ShowProperties is SHOW TBLPROPERTIES.
type ShowProperties struct {
	command
	Target
	Key *string
}

// ShowCurrentNamespace is SHOW CURRENT DATABASE.
type ShowCurrentNamespace struct {
	command
}

// ShowCatalogs is SHOW CATALOGS.
type ShowCatalogs struct {
	command
	Pattern *string
}

// ShowCollations is SHOW COLLATIONS.
type ShowCollations struct {
	command
	Pattern *string
}

// DescribeTable is DESCRIBE TABLE, of the whole or of one Column.
type DescribeTable struct {
	command
	Target
	Extended  bool
	Partition []PartitionValue
	Column    []string
	JSON      bool
}

// DescribeQuery is DESCRIBE QUERY.
type DescribeQuery struct {
	command
	Query Plan
}

// DescribeNamespace is DESCRIBE DATABASE.
type DescribeNamespace struct {
	command
	Target
	Extended bool
}

// DescribeFunction is DESCRIBE FUNCTION.
type DescribeFunction struct {
	command
	Target
	Extended bool
}

func (p *ShowNamespaces) WithChildren([]Plan) Plan         { return p }
func (p *ShowNamespaces) WithExprs([]expr.Expr) Plan       { return p }
func (p *ShowTables) WithChildren([]Plan) Plan             { return p }
func (p *ShowTables) WithExprs([]expr.Expr) Plan           { return p }
func (p *ShowViews) WithChildren([]Plan) Plan              { return p }
func (p *ShowViews) WithExprs([]expr.Expr) Plan            { return p }
func (p *ShowColumns) WithChildren([]Plan) Plan            { return p }
func (p *ShowColumns) WithExprs([]expr.Expr) Plan          { return p }
func (p *ShowPartitions) WithChildren([]Plan) Plan         { return p }
func (p *ShowPartitions) WithExprs([]expr.Expr) Plan       { return p }
func (p *ShowFunctions) WithChildren([]Plan) Plan          { return p }
func (p *ShowFunctions) WithExprs([]expr.Expr) Plan        { return p }
func (p *ShowProcedures) WithChildren([]Plan) Plan         { return p }
func (p *ShowProcedures) WithExprs([]expr.Expr) Plan       { return p }
func (p *ShowCreateTable) WithChildren([]Plan) Plan        { return p }
func (p *ShowCreateTable) WithExprs([]expr.Expr) Plan      { return p }
func (p *ShowProperties) WithChildren([]Plan) Plan         { return p }
func (p *ShowProperties) WithExprs([]expr.Expr) Plan       { return p }
func (p *ShowCurrentNamespace) WithChildren([]Plan) Plan   { return p }
func (p *ShowCurrentNamespace) WithExprs([]expr.Expr) Plan { return p }
func (p *ShowCatalogs) WithChildren([]Plan) Plan           { return p }
func (p *ShowCatalogs) WithExprs([]expr.Expr) Plan         { return p }
func (p *ShowCollations) WithChildren([]Plan) Plan         { return p }
func (p *ShowCollations) WithExprs([]expr.Expr) Plan       { return p }
func (p *DescribeTable) WithChildren([]Plan) Plan          { return p }
func (p *DescribeTable) WithExprs([]expr.Expr) Plan        { return p }
func (p *DescribeQuery) WithChildren([]Plan) Plan          { return p }
func (p *DescribeQuery) WithExprs([]expr.Expr) Plan        { return p }
func (p *DescribeNamespace) WithChildren([]Plan) Plan      { return p }
func (p *DescribeNamespace) WithExprs([]expr.Expr) Plan    { return p }
func (p *DescribeFunction) WithChildren([]Plan) Plan       { return p }
func (p *DescribeFunction) WithExprs([]expr.Expr) Plan     { return p }
