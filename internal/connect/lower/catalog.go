package lower

import (
	"strings"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/types"
)

// catalog lowers an operation of the Catalog API: to the SQL statement that does the same, or to a CatalogCall.
func (l *Lowerer) catalog(c *connectpb.Catalog) (logical.Plan, error) {
	call := func(op logical.CatalogOp, name, db string) (logical.Plan, error) {
		return &logical.CatalogCall{Op: op, Name: name, DB: db}, nil
	}
	list := func(op logical.CatalogOp, db, pattern string) (logical.Plan, error) {
		return &logical.CatalogCall{Op: op, Name: db, Pattern: pattern}, nil
	}
	switch k := c.GetCatType().(type) {
	case *connectpb.Catalog_CurrentDatabase:
		return call(logical.OpCurrentDatabase, "", "")
	case *connectpb.Catalog_CurrentCatalog:
		return call(logical.OpCurrentCatalog, "", "")
	case *connectpb.Catalog_ListDatabases:
		return list(logical.OpListDatabases, "", k.ListDatabases.GetPattern())
	case *connectpb.Catalog_ListCatalogs:
		return list(logical.OpListCatalogs, "", k.ListCatalogs.GetPattern())
	case *connectpb.Catalog_ListTables:
		return list(logical.OpListTables, k.ListTables.GetDbName(), k.ListTables.GetPattern())
	case *connectpb.Catalog_ListViews:
		return list(logical.OpListViews, k.ListViews.GetDbName(), k.ListViews.GetPattern())
	case *connectpb.Catalog_ListFunctions:
		return list(logical.OpListFunctions, k.ListFunctions.GetDbName(), k.ListFunctions.GetPattern())
	case *connectpb.Catalog_ListColumns:
		return call(logical.OpListColumns, k.ListColumns.GetTableName(), k.ListColumns.GetDbName())
	case *connectpb.Catalog_ListPartitions:
		return call(logical.OpListPartitions, k.ListPartitions.GetTableName(), "")
	case *connectpb.Catalog_GetDatabase:
		return call(logical.OpGetDatabase, k.GetDatabase.GetDbName(), "")
	case *connectpb.Catalog_GetTable:
		return call(logical.OpGetTable, k.GetTable.GetTableName(), k.GetTable.GetDbName())
	case *connectpb.Catalog_GetFunction:
		return call(logical.OpGetFunction, k.GetFunction.GetFunctionName(), k.GetFunction.GetDbName())
	case *connectpb.Catalog_DatabaseExists:
		return call(logical.OpDatabaseExists, k.DatabaseExists.GetDbName(), "")
	case *connectpb.Catalog_TableExists:
		return call(logical.OpTableExists, k.TableExists.GetTableName(), k.TableExists.GetDbName())
	case *connectpb.Catalog_FunctionExists:
		return call(logical.OpFunctionExists, k.FunctionExists.GetFunctionName(), k.FunctionExists.GetDbName())
	case *connectpb.Catalog_DropTempView:
		return call(logical.OpDropTempView, k.DropTempView.GetViewName(), "")
	case *connectpb.Catalog_DropGlobalTempView:
		return call(logical.OpDropGlobalTempView, k.DropGlobalTempView.GetViewName(), "")
	case *connectpb.Catalog_IsCached:
		return call(logical.OpIsCached, k.IsCached.GetTableName(), "")
	case *connectpb.Catalog_GetTableProperties:
		return call(logical.OpGetTableProperties, k.GetTableProperties.GetTableName(), "")
	case *connectpb.Catalog_GetCreateTableString:
		return &logical.CatalogCall{Op: logical.OpGetCreateTableString, Name: k.GetCreateTableString.GetTableName(), AsSerde: k.GetCreateTableString.GetAsSerde()}, nil
	}
	return l.catalogStatement(c)
}

// catalogStatement lowers the operations that are SQL statements.
func (l *Lowerer) catalogStatement(c *connectpb.Catalog) (logical.Plan, error) {
	switch k := c.GetCatType().(type) {
	case *connectpb.Catalog_SetCurrentDatabase:
		return l.target(k.SetCurrentDatabase.GetDbName(), func(t logical.Target) logical.Plan { return &logical.UseNamespace{Target: t, Explicit: true} })
	case *connectpb.Catalog_SetCurrentCatalog:
		return &logical.SetCatalog{Catalog: &expr.Attribute{Name: []string{k.SetCurrentCatalog.GetCatalogName()}}}, nil
	case *connectpb.Catalog_CreateExternalTable:
		t := k.CreateExternalTable
		return l.createTable(t.GetTableName(), t.GetPath(), t.GetSource(), "", t.GetSchema(), t.GetOptions())
	case *connectpb.Catalog_CreateTable:
		t := k.CreateTable
		return l.createTable(t.GetTableName(), t.GetPath(), t.GetSource(), t.GetDescription(), t.GetSchema(), t.GetOptions())
	case *connectpb.Catalog_RecoverPartitions:
		return l.target(k.RecoverPartitions.GetTableName(), func(t logical.Target) logical.Plan { return &logical.RecoverPartitions{Target: t} })
	case *connectpb.Catalog_CacheTable:
		var options map[string]string
		if s := k.CacheTable.GetStorageLevel(); s != nil {
			options = map[string]string{"storagelevel": LevelName(s)}
		}
		return l.target(k.CacheTable.GetTableName(), func(t logical.Target) logical.Plan {
			return &logical.CacheTable{Target: t, Lazy: true, Options: options}
		})
	case *connectpb.Catalog_UncacheTable:
		return l.target(k.UncacheTable.GetTableName(), func(t logical.Target) logical.Plan { return &logical.UncacheTable{Target: t} })
	case *connectpb.Catalog_ClearCache:
		return &logical.ClearCache{}, nil
	case *connectpb.Catalog_RefreshTable:
		return l.target(k.RefreshTable.GetTableName(), func(t logical.Target) logical.Plan { return &logical.RefreshTable{Target: t} })
	case *connectpb.Catalog_RefreshByPath:
		return &logical.RefreshPath{Path: k.RefreshByPath.GetPath()}, nil
	case *connectpb.Catalog_DropTable:
		d := k.DropTable
		return l.target(d.GetTableName(), func(t logical.Target) logical.Plan {
			return &logical.DropTable{Target: t, IfExists: d.GetIfExists(), Purge: d.GetPurge()}
		})
	case *connectpb.Catalog_DropView:
		d := k.DropView
		return l.target(d.GetViewName(), func(t logical.Target) logical.Plan {
			return &logical.DropTable{Target: t, View: true, IfExists: d.GetIfExists()}
		})
	case *connectpb.Catalog_CreateDatabase:
		return l.createDatabase(k.CreateDatabase)
	case *connectpb.Catalog_DropDatabase:
		d := k.DropDatabase
		return l.target(d.GetDbName(), func(t logical.Target) logical.Plan {
			return &logical.DropNamespace{Target: t, IfExists: d.GetIfExists(), Cascade: d.GetCascade()}
		})
	case *connectpb.Catalog_TruncateTable:
		return l.target(k.TruncateTable.GetTableName(), func(t logical.Target) logical.Plan { return &logical.TruncateTable{Target: t} })
	case *connectpb.Catalog_AnalyzeTable:
		a := k.AnalyzeTable
		return l.target(a.GetTableName(), func(t logical.Target) logical.Plan { return &logical.AnalyzeTable{Target: t, NoScan: a.GetNoScan()} })
	}
	return nil, unsupportedCase(c, "cat_type")
}

func (l *Lowerer) target(name string, f func(logical.Target) logical.Plan) (logical.Plan, error) {
	parts, err := l.Parse.Identifier(name)
	if err != nil {
		return nil, err
	}
	return f(logical.Target{Name: parts}), nil
}

func (l *Lowerer) createDatabase(c *connectpb.CreateDatabase) (logical.Plan, error) {
	out := &logical.CreateNamespace{IfNotExists: c.GetIfNotExists(), Properties: map[string]string{}}
	for k, v := range c.GetProperties() {
		switch k {
		case "comment":
			out.Comment = v
		case "location":
			out.Location = v
		default:
			out.Properties[k] = v
		}
	}
	var err error
	out.Target.Name, err = l.Parse.Identifier(c.GetDbName())
	return out, err
}

func (l *Lowerer) createTable(name, path, source, comment string, schema *connectpb.DataType, options map[string]string) (logical.Plan, error) {
	parts, err := l.Parse.Identifier(name)
	if err != nil {
		return nil, err
	}
	out := &logical.CreateTable{Name: parts, Provider: source, Location: path, Comment: comment, Options: lowered(options), External: path != ""}
	if out.Provider == "" {
		out.Provider = l.Format
	}
	if schema == nil {
		return out, nil
	}
	t, err := l.Type(schema)
	if err != nil {
		return nil, err
	}
	if t.Kind != types.StructKind {
		return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", t.SQL(), "dataType", t.SQL())
	}
	if len(t.Fields()) > 0 {
		out.Schema = types.NewSchema(t.Fields()...)
	}
	return out, nil
}

// LevelName is the name of a storage level, e.g. MEMORY_AND_DISK.
func LevelName(s *connectpb.StorageLevel) string {
	name := ""
	switch {
	case s.GetUseOffHeap():
		return "OFF_HEAP"
	case s.GetUseMemory() && s.GetUseDisk():
		name = "MEMORY_AND_DISK"
	case s.GetUseMemory():
		name = "MEMORY_ONLY"
	case s.GetUseDisk():
		name = "DISK_ONLY"
	default:
		return "NONE"
	}
	if !s.GetDeserialized() && s.GetUseMemory() {
		name += "_SER"
	}
	if n := s.GetReplication(); n > 1 {
		name += "_" + itoa(n)
	}
	return name
}

// Level is the wire form of a storage level's name; an unknown name is no level.
func Level(name string) *connectpb.StorageLevel {
	s := &connectpb.StorageLevel{Replication: 1}
	if n, ok := strings.CutSuffix(name, "_2"); ok {
		name, s.Replication = n, 2
	} else if n, ok := strings.CutSuffix(name, "_3"); ok {
		name, s.Replication = n, 3
	}
	n, serialized := strings.CutSuffix(name, "_SER")
	switch n {
	case "OFF_HEAP":
		s.UseOffHeap, s.UseMemory, s.UseDisk = true, true, true
		return s
	case "MEMORY_AND_DISK":
		s.UseMemory, s.UseDisk = true, true
	case "MEMORY_ONLY":
		s.UseMemory = true
	case "DISK_ONLY":
		s.UseDisk = true
		return s
	default:
		return s
	}
	s.Deserialized = !serialized
	return s
}
