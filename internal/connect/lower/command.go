package lower

import (
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

func unmarshal(data []byte, m proto.Message) error {
	if err := proto.Unmarshal(data, m); err != nil {
		return invalid("CANNOT_PARSE", "errorMsg", err.Error())
	}
	return nil
}

// Command lowers the commands that are plans. The others (sql_command, checkpoints, streaming …) are the server's.
func (l *Lowerer) Command(c *connectpb.Command) (logical.Plan, error) {
	switch k := c.GetCommandType().(type) {
	case *connectpb.Command_WriteOperation:
		return l.write(k.WriteOperation)
	case *connectpb.Command_WriteOperationV2:
		return l.writeV2(k.WriteOperationV2)
	case *connectpb.Command_CreateDataframeView:
		return l.createView(k.CreateDataframeView)
	case *connectpb.Command_MergeIntoTableCommand:
		return l.merge(k.MergeIntoTableCommand)
	}
	return nil, unsupportedCase(c, "command_type")
}

func (l *Lowerer) createView(c *connectpb.CreateDataFrameViewCommand) (logical.Plan, error) {
	name, err := l.Parse.Identifier(c.GetName())
	if err != nil {
		return nil, err
	}
	if len(name) > 1 {
		return nil, sparkerr.New("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", c.GetName())
	}
	in, err := l.Relation(c.GetInput())
	return &logical.CreateView{Name: name, Temp: true, Global: c.GetIsGlobal(), Replace: c.GetReplace(), Query: in}, err
}

var saveModes = map[connectpb.WriteOperation_SaveMode]logical.SaveMode{
	connectpb.WriteOperation_SAVE_MODE_UNSPECIFIED:     logical.ErrorIfExists,
	connectpb.WriteOperation_SAVE_MODE_APPEND:          logical.Append,
	connectpb.WriteOperation_SAVE_MODE_OVERWRITE:       logical.Overwrite,
	connectpb.WriteOperation_SAVE_MODE_ERROR_IF_EXISTS: logical.ErrorIfExists,
	connectpb.WriteOperation_SAVE_MODE_IGNORE:          logical.Ignore,
}

func (l *Lowerer) write(w *connectpb.WriteOperation) (logical.Plan, error) {
	mode, ok := saveModes[w.GetMode()]
	switch {
	case !ok:
		return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.WriteOperation.SaveMode", "name", w.GetMode().String(), "number", itoa(int32(w.GetMode())))
	case len(w.GetClusteringColumns()) > 0:
		return nil, sparkerr.Unsupported("DataFrameWriter.clusterBy")
	}
	in, err := l.Relation(w.GetInput())
	if err != nil {
		return nil, err
	}
	format := w.GetSource()
	if format == "" {
		format = l.Format
	}
	if t := w.GetTable(); t != nil {
		return l.writeTable(w, t, format, mode, in)
	}
	out := &logical.WriteFiles{Format: format, Path: w.GetPath(), Mode: mode, Options: lowered(w.GetOptions()), PartitionBy: w.GetPartitioningColumns(),
		BucketBy: w.GetBucketBy().GetBucketColumnNames(), Buckets: int(w.GetBucketBy().GetNumBuckets()), SortBy: w.GetSortColumnNames(), Query: in}
	if out.Path == "" {
		out.Path = out.Options["path"]
	}
	return out, nil
}

func (l *Lowerer) writeTable(w *connectpb.WriteOperation, t *connectpb.WriteOperation_SaveTable, format string, mode logical.SaveMode, in logical.Plan) (logical.Plan, error) {
	name, err := l.Parse.Identifier(t.GetTableName())
	if err != nil {
		return nil, err
	}
	switch t.GetSaveMethod() {
	case connectpb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_INSERT_INTO:
		return &logical.InsertInto{Table: name, Overwrite: mode == logical.Overwrite, Options: lowered(w.GetOptions()), Query: in}, nil
	case connectpb.WriteOperation_SaveTable_TABLE_SAVE_METHOD_SAVE_AS_TABLE:
		options := lowered(w.GetOptions())
		return &logical.CreateTable{Name: name, Provider: format, Options: options, Location: options["path"], External: options["path"] != "",
			Partition: w.GetPartitioningColumns(), BucketBy: w.GetBucketBy().GetBucketColumnNames(), Buckets: int(w.GetBucketBy().GetNumBuckets()),
			SortBy: w.GetSortColumnNames(), Mode: mode, Query: in}, nil
	}
	return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.WriteOperation.SaveTable.TableSaveMethod", "name", t.GetSaveMethod().String(),
		"number", itoa(int32(t.GetSaveMethod())))
}

func (l *Lowerer) writeV2(w *connectpb.WriteOperationV2) (logical.Plan, error) {
	if len(w.GetClusteringColumns()) > 0 {
		return nil, sparkerr.Unsupported("DataFrameWriterV2.clusterBy")
	}
	name, err := l.Parse.Identifier(w.GetTableName())
	if err != nil {
		return nil, err
	}
	in, err := l.Relation(w.GetInput())
	if err != nil {
		return nil, err
	}
	insert := &logical.InsertInto{Table: name, ByName: true, Options: lowered(w.GetOptions()), Query: in}
	switch w.GetMode() {
	case connectpb.WriteOperationV2_MODE_APPEND:
		return insert, nil
	case connectpb.WriteOperationV2_MODE_OVERWRITE:
		insert.ReplaceWhen, err = l.Expr(w.GetOverwriteCondition())
		return insert, err
	case connectpb.WriteOperationV2_MODE_OVERWRITE_PARTITIONS:
		insert.Overwrite = true
		insert.Options["partitionoverwritemode"] = "dynamic"
		return insert, nil
	case connectpb.WriteOperationV2_MODE_CREATE, connectpb.WriteOperationV2_MODE_REPLACE, connectpb.WriteOperationV2_MODE_CREATE_OR_REPLACE:
		return l.createV2(w, name, in)
	}
	return nil, invalid("INVALID_ENUM", "fullName", "spark.connect.WriteOperationV2.Mode", "name", w.GetMode().String(), "number", itoa(int32(w.GetMode())))
}

func (l *Lowerer) createV2(w *connectpb.WriteOperationV2, name []string, in logical.Plan) (logical.Plan, error) {
	options := lowered(w.GetOptions())
	out := &logical.CreateTable{Name: name, Provider: w.GetProvider(), Options: options, Properties: w.GetTableProperties(), Location: options["path"],
		Replace:  w.GetMode() != connectpb.WriteOperationV2_MODE_CREATE,
		OrCreate: w.GetMode() == connectpb.WriteOperationV2_MODE_CREATE_OR_REPLACE, Query: in}
	if out.Provider == "" {
		out.Provider = l.Format
	}
	parts, err := l.Exprs(w.GetPartitioningColumns())
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		if a, ok := p.(*expr.Attribute); ok && len(a.Name) == 1 {
			out.Partition = append(out.Partition, a.Name[0])
			continue
		}
		if out.Extra == nil {
			out.Extra = &logical.TableExtra{}
		}
		out.Extra.Transforms = append(out.Extra.Transforms, p)
	}
	return out, nil
}

func (l *Lowerer) merge(m *connectpb.MergeIntoTableCommand) (logical.Plan, error) {
	out := &logical.MergeInto{SchemaEvolution: m.GetWithSchemaEvolution()}
	var err error
	if out.Target.Name, err = l.Parse.Identifier(m.GetTargetTableName()); err != nil {
		return nil, err
	}
	if out.Source, err = l.Relation(m.GetSourceTablePlan()); err != nil {
		return nil, err
	}
	if out.On, err = l.Expr(m.GetMergeCondition()); err != nil {
		return nil, err
	}
	for when, list := range [...][]*connectpb.Expression{
		logical.WhenMatched: m.GetMatchActions(), logical.WhenNotMatched: m.GetNotMatchedActions(),
		logical.WhenNotMatchedBySource: m.GetNotMatchedBySourceActions(),
	} {
		for _, e := range list {
			a, err := l.mergeAction(e.GetMergeAction(), logical.MergeWhen(when))
			if err != nil {
				return nil, err
			}
			out.Actions = append(out.Actions, a)
		}
	}
	return out, nil
}

func (l *Lowerer) mergeAction(m *connectpb.MergeAction, when logical.MergeWhen) (out logical.MergeAction, err error) {
	out.When = when
	switch m.GetActionType() {
	case connectpb.MergeAction_ACTION_TYPE_DELETE:
		out.Delete = true
	case connectpb.MergeAction_ACTION_TYPE_INSERT_STAR, connectpb.MergeAction_ACTION_TYPE_UPDATE_STAR:
		out.Star = true
	case connectpb.MergeAction_ACTION_TYPE_INSERT, connectpb.MergeAction_ACTION_TYPE_UPDATE:
	default:
		return out, invalid("INVALID_ENUM", "fullName", "spark.connect.MergeAction.ActionType", "name", m.GetActionType().String(), "number", itoa(int32(m.GetActionType())))
	}
	if out.Cond, err = l.optional(m.GetCondition()); err != nil {
		return out, err
	}
	for _, a := range m.GetAssignments() {
		key, err := l.Expr(a.GetKey())
		if err != nil {
			return out, err
		}
		col, ok := key.(*expr.Attribute)
		if !ok {
			return out, sparkerr.Unsupported("MERGE assignment to anything but a column")
		}
		value, err := l.Expr(a.GetValue())
		if err != nil {
			return out, err
		}
		out.Assign = append(out.Assign, logical.Assignment{Column: col.Name, Value: value})
	}
	return out, nil
}
