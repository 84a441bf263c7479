package logical

import "github.com/firesteel/firesteel/internal/expr"

// Target names what a command acts on: by parts, or by IDENTIFIER(expression), when Name is empty.
type Target struct {
	Name     []string
	NameExpr expr.Expr
	At       *expr.Origin
}

// UseNamespace is USE [DATABASE] name. Without the word, one part may be a catalog too.
type UseNamespace struct {
	command
	Target
	Explicit bool
}

// SetCatalog is SET CATALOG; the expression is a name (expr.Attribute) or yields one.
type SetCatalog struct {
	command
	Catalog expr.Expr
}

// SetPath is SET PATH: where unqualified names of functions and variables are looked up.
type SetPath struct {
	command
	Elements [][]string // a keyword such as SYSTEM_PATH is one part
}

// CreateNamespace is CREATE DATABASE.
type CreateNamespace struct {
	command
	Target
	IfNotExists bool
	Comment     string
	Location    string
	Collation   string
	Properties  map[string]string
}

// AlterNamespace is ALTER DATABASE … SET or UNSET.
type AlterNamespace struct {
	command
	Target
	Properties map[string]string
	Unset      []string
	Location   string
	Collation  string
}

// DropNamespace is DROP DATABASE.
type DropNamespace struct {
	command
	Target
	IfExists bool
	Cascade  bool
}

// DropTable is DROP TABLE and DROP VIEW.
type DropTable struct {
	command
	Target
	View     bool
	IfExists bool
	Purge    bool
}

// TruncateTable is TRUNCATE TABLE.
type TruncateTable struct {
	command
	Target
	Partition []PartitionValue
}

// RepairTable is MSCK REPAIR TABLE; it adds partitions unless told to drop, or to do both.
type RepairTable struct {
	command
	Target
	Add, Drop bool
}

// LoadData is LOAD DATA.
type LoadData struct {
	command
	Target
	Path      string
	Local     bool
	Overwrite bool
	Partition []PartitionValue
}

// AnalyzeTable is ANALYZE TABLE … COMPUTE STATISTICS.
type AnalyzeTable struct {
	command
	Target
	Partition  []PartitionValue
	NoScan     bool
	Columns    []string
	AllColumns bool
}

// AnalyzeTables is ANALYZE TABLES [IN database].
type AnalyzeTables struct {
	command
	Target
	NoScan bool
}

// RefreshTable is REFRESH TABLE.
type RefreshTable struct {
	command
	Target
}

// RefreshFunction is REFRESH FUNCTION.
type RefreshFunction struct {
	command
	Target
}

// RefreshPath is REFRESH path.
type RefreshPath struct {
	command
	Path string
}

// CacheTable is CACHE [LAZY] TABLE; with a Query it makes a temporary view of that first, whose SQL is Text.
type CacheTable struct {
	command
	Target
	Lazy    bool
	Options map[string]string
	Query   Plan
	Text    string
}

// UncacheTable is UNCACHE TABLE.
type UncacheTable struct {
	command
	Target
	IfExists bool
}

// ClearCache is CLEAR CACHE.
type ClearCache struct {
	command
}

// CommentOn is COMMENT ON; nil removes the comment.
type CommentOn struct {
	command
	Target
	Namespace bool // else a table or view
	Comment   *string
}

// ManageResource is ADD and LIST of FILE, JAR or ARCHIVE.
type ManageResource struct {
	command
	Add   bool
	Kind  string // file, jar, archive
	Paths []string
}

func (p *UseNamespace) WithChildren([]Plan) Plan      { return p }
func (p *UseNamespace) WithExprs([]expr.Expr) Plan    { return p }
func (p *SetCatalog) WithChildren([]Plan) Plan        { return p }
func (p *SetCatalog) WithExprs([]expr.Expr) Plan      { return p }
func (p *SetPath) WithChildren([]Plan) Plan           { return p }
func (p *SetPath) WithExprs([]expr.Expr) Plan         { return p }
func (p *CreateNamespace) WithChildren([]Plan) Plan   { return p }
func (p *CreateNamespace) WithExprs([]expr.Expr) Plan { return p }
func (p *AlterNamespace) WithChildren([]Plan) Plan    { return p }
func (p *AlterNamespace) WithExprs([]expr.Expr) Plan  { return p }
func (p *DropNamespace) WithChildren([]Plan) Plan     { return p }
func (p *DropNamespace) WithExprs([]expr.Expr) Plan   { return p }
func (p *DropTable) WithChildren([]Plan) Plan         { return p }
func (p *DropTable) WithExprs([]expr.Expr) Plan       { return p }
func (p *TruncateTable) WithChildren([]Plan) Plan     { return p }
func (p *TruncateTable) WithExprs([]expr.Expr) Plan   { return p }
func (p *RepairTable) WithChildren([]Plan) Plan       { return p }
func (p *RepairTable) WithExprs([]expr.Expr) Plan     { return p }
func (p *LoadData) WithChildren([]Plan) Plan          { return p }
func (p *LoadData) WithExprs([]expr.Expr) Plan        { return p }
func (p *AnalyzeTable) WithChildren([]Plan) Plan      { return p }
func (p *AnalyzeTable) WithExprs([]expr.Expr) Plan    { return p }
func (p *AnalyzeTables) WithChildren([]Plan) Plan     { return p }
func (p *AnalyzeTables) WithExprs([]expr.Expr) Plan   { return p }
func (p *RefreshTable) WithChildren([]Plan) Plan      { return p }
func (p *RefreshTable) WithExprs([]expr.Expr) Plan    { return p }
func (p *RefreshFunction) WithChildren([]Plan) Plan   { return p }
func (p *RefreshFunction) WithExprs([]expr.Expr) Plan { return p }
func (p *RefreshPath) WithChildren([]Plan) Plan       { return p }
func (p *RefreshPath) WithExprs([]expr.Expr) Plan     { return p }
func (p *CacheTable) WithChildren([]Plan) Plan        { return p }
func (p *CacheTable) WithExprs([]expr.Expr) Plan      { return p }
func (p *UncacheTable) WithChildren([]Plan) Plan      { return p }
func (p *UncacheTable) WithExprs([]expr.Expr) Plan    { return p }
func (p *ClearCache) WithChildren([]Plan) Plan        { return p }
func (p *ClearCache) WithExprs([]expr.Expr) Plan      { return p }
func (p *CommentOn) WithChildren([]Plan) Plan         { return p }
func (p *CommentOn) WithExprs([]expr.Expr) Plan       { return p }
func (p *ManageResource) WithChildren([]Plan) Plan    { return p }
func (p *ManageResource) WithExprs([]expr.Expr) Plan  { return p }
