package logical

import (
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/types"
)

// CatalogOp is an operation of the Catalog API that has a result.
type CatalogOp string

// The operations. ResultSchema gives the columns of their results.
const (
	OpCurrentDatabase      CatalogOp = "currentDatabase"
	OpListDatabases        CatalogOp = "listDatabases"
	OpListTables           CatalogOp = "listTables"
	OpListViews            CatalogOp = "listViews"
	OpListFunctions        CatalogOp = "listFunctions"
	OpListColumns          CatalogOp = "listColumns"
	OpListPartitions       CatalogOp = "listPartitions"
	OpGetDatabase          CatalogOp = "getDatabase"
	OpGetTable             CatalogOp = "getTable"
	OpGetFunction          CatalogOp = "getFunction"
	OpDatabaseExists       CatalogOp = "databaseExists"
	OpTableExists          CatalogOp = "tableExists"
	OpFunctionExists       CatalogOp = "functionExists"
	OpDropTempView         CatalogOp = "dropTempView"
	OpDropGlobalTempView   CatalogOp = "dropGlobalTempView"
	OpIsCached             CatalogOp = "isCached"
	OpCurrentCatalog       CatalogOp = "currentCatalog"
	OpListCatalogs         CatalogOp = "listCatalogs"
	OpGetTableProperties   CatalogOp = "getTableProperties"
	OpGetCreateTableString CatalogOp = "getCreateTableString"
)

// CatalogCall asks something by the Catalog API. Operations that SQL has a statement for are lowered to that statement.
// Names are as the user wrote them, possibly qualified.
type CatalogCall struct {
	command
	Op      CatalogOp
	Name    string // of the database, table, function or view
	DB      string // of older clients: the database beside the name; "" if none
	Pattern string // of listings; "" is all
	AsSerde bool   // getCreateTableString
}

func (p *CatalogCall) WithChildren([]Plan) Plan   { return p }
func (p *CatalogCall) WithExprs([]expr.Expr) Plan { return p }

func field(name string, t types.Type) types.Field { return types.Field{Name: name, Type: t} }
func maybe(name string, t types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

var (
	namespace      = types.Array(types.String, true)
	databaseFields = []types.Field{maybe("name", types.String), maybe("catalog", types.String), maybe("description", types.String), maybe("locationUri", types.String)}
	tableFields    = []types.Field{maybe("name", types.String), maybe("catalog", types.String), maybe("namespace", namespace), maybe("description", types.String),
		maybe("tableType", types.String), field("isTemporary", types.Boolean)}
	functionFields = []types.Field{maybe("name", types.String), maybe("catalog", types.String), maybe("namespace", namespace), maybe("description", types.String),
		maybe("className", types.String), field("isTemporary", types.Boolean)}
	columnFields = []types.Field{maybe("name", types.String), maybe("description", types.String), maybe("dataType", types.String), field("nullable", types.Boolean),
		field("isPartition", types.Boolean), field("isBucket", types.Boolean), field("isCluster", types.Boolean)}
	boolFields = []types.Field{field("value", types.Boolean)}
	textFields = []types.Field{maybe("value", types.String)}
)

var catalogFields = map[CatalogOp][]types.Field{
	OpCurrentDatabase: textFields, OpCurrentCatalog: textFields, OpListDatabases: databaseFields, OpGetDatabase: databaseFields,
	OpListTables: tableFields, OpListViews: tableFields, OpGetTable: tableFields, OpListFunctions: functionFields, OpGetFunction: functionFields,
	OpListColumns: columnFields, OpDatabaseExists: boolFields, OpTableExists: boolFields, OpFunctionExists: boolFields, OpDropTempView: boolFields,
	OpDropGlobalTempView: boolFields, OpIsCached: boolFields,
	OpListCatalogs:         {maybe("name", types.String), maybe("description", types.String)},
	OpListPartitions:       {maybe("partition", types.String)},
	OpGetTableProperties:   {maybe("key", types.String), maybe("value", types.String)},
	OpGetCreateTableString: textFields,
}

// ResultSchema is the schema of the operation's rows.
func (p *CatalogCall) ResultSchema() *types.Schema { return &types.Schema{Fields: catalogFields[p.Op]} }
