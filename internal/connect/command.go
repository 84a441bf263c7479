package connect

import (
	"errors"

	"github.com/google/uuid"

	"github.com/firesteel/firesteel/internal/arrowipc"
	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/lower"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// command does a command. Those that the server does itself are here; the others are plans.
func (o *results) command(c *connectpb.Command) error {
	switch k := c.GetCommandType().(type) {
	case *connectpb.Command_SqlCommand:
		return o.sql(k.SqlCommand)
	case *connectpb.Command_CheckpointCommand:
		return o.checkpoint(k.CheckpointCommand)
	case *connectpb.Command_RemoveCachedRemoteRelationCommand:
		s := o.op.session
		s.mu.Lock()
		id := k.RemoveCachedRemoteRelationCommand.GetRelation().GetRelationId()
		old, ok := s.relations[id]
		delete(s.relations, id)
		if ok {
			defer old.forget()
		}
		s.mu.Unlock()
		return nil
	case *connectpb.Command_GetResourcesCommand:
		return o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_GetResourcesCommandResult{
			GetResourcesCommandResult: &connectpb.GetResourcesCommandResult{}}})
	case *connectpb.Command_MlCommand:
		if _, ok := k.MlCommand.GetCommand().(*connectpb.MlCommand_CleanCache_); ok {
			return o.cleanCache()
		}
	}
	p, err := o.lowerer().Command(c)
	if err != nil {
		return err
	}
	if _, _, err = o.collect(p); err != nil {
		return err
	}
	return o.sendObserved()
}

// cleanCache answers the request that every client sends at its end; there are no models, so there is nothing to clean.
func (o *results) cleanCache() error {
	lit := &connectpb.Expression_Literal{LiteralType: &connectpb.Expression_Literal_Boolean{Boolean: true}}
	return o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_MlCommandResult{
		MlCommandResult: &connectpb.MlCommandResult{ResultType: &connectpb.MlCommandResult_Param{Param: lit}}}})
}

// sql answers a query with the relation itself, not run; a command is run now and answered with its rows.
func (o *results) sql(c *connectpb.SqlCommand) error {
	in := c.GetInput()
	if in == nil { // older clients
		in = &connectpb.Relation{RelType: &connectpb.Relation_Sql{Sql: &connectpb.SQL{Query: c.GetSql(), Args: c.GetArgs(), PosArgs: c.GetPosArgs(),
			NamedArguments: c.GetNamedArguments(), PosArguments: c.GetPosArguments()}}}
	}
	switch in.GetRelType().(type) {
	case *connectpb.Relation_Sql, *connectpb.Relation_WithRelations:
	default:
		return sparkerr.New("CONNECT_INVALID_PLAN.SQL_COMMAND_EXPECTS_SQL_OR_WITH_RELATIONS", "other", "another relation")
	}
	p, err := o.lowerer().Relation(in)
	if err != nil {
		return err
	}
	if !isCommand(p) {
		if _, err := o.op.session.engine.Analyze(o.ctx, p); err != nil {
			return err
		}
		return o.sqlResult(in)
	}
	s, rows, err := o.collect(bare(p))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		rows = []*columnar.Batch{emptyBatch(s)}
	}
	e, err := arrowipc.NewEncoder(s, o.op.session.options())
	if err != nil {
		return err
	}
	one := joinBatches(rows)
	text := lower.TypeToJSON(s.Type())
	return o.sqlResult(&connectpb.Relation{RelType: &connectpb.Relation_LocalRelation{LocalRelation: &connectpb.LocalRelation{
		Data: e.Encode(nil, one, 0, one.N), Schema: &text}}})
}

// joinBatches puts the rows of several batches into one.
func joinBatches(in []*columnar.Batch) *columnar.Batch {
	if len(in) == 1 {
		return in[0]
	}
	out := &columnar.Batch{Schema: in[0].Schema}
	for c := range in[0].Cols {
		a := columnar.NewAppender(in[0].Cols[c].Type)
		for _, b := range in {
			a.AppendVector(&b.Cols[c])
		}
		out.Cols = append(out.Cols, a.Finish())
	}
	for _, b := range in {
		out.N += b.N
	}
	return out
}

func (o *results) sqlResult(r *connectpb.Relation) error {
	return o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_SqlCommandResult_{
		SqlCommandResult: &connectpb.ExecutePlanResponse_SqlCommandResult{Relation: r}}})
}

// checkpoint keeps the rows of a relation under an id.
func (o *results) checkpoint(c *connectpb.CheckpointCommand) error {
	p, err := o.lowerer().Relation(c.GetRelation())
	if err != nil {
		return err
	}
	s := o.op.session
	q, err := s.engine.Analyze(o.ctx, p)
	if err != nil {
		return err
	}
	k, err := as[Checkpointer](q, "checkpoint")
	if err != nil {
		return err
	}
	level := ""
	if c.GetStorageLevel() != nil {
		level = lower.LevelName(c.GetStorageLevel())
	}
	read, forget, err := k.Checkpoint(o.ctx, c.GetLocal(), c.GetEager(), level)
	if err != nil {
		return err
	}
	id := uuid.NewString()
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.relations[id] = checkpoint{read, forget}
	}
	s.mu.Unlock()
	if closed {
		return errors.Join(sparkerr.New("INVALID_HANDLE.SESSION_CLOSED", "handle", s.key.id), forget())
	}
	return o.push(&connectpb.ExecutePlanResponse{ResponseType: &connectpb.ExecutePlanResponse_CheckpointCommandResult{
		CheckpointCommandResult: &connectpb.CheckpointCommandResult{Relation: &connectpb.CachedRemoteRelation{RelationId: id}}}})
}
