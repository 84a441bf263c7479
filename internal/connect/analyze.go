package connect

import (
	"context"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/connect/lower"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// AnalyzePlan answers questions about plans without running them.
func (s *Server) AnalyzePlan(ctx context.Context, r *connectpb.AnalyzePlanRequest) (*connectpb.AnalyzePlanResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.AnalyzePlanResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID}
	a := analysis{ctx, ses, s.opts.Version}
	if err := a.answer(r, out); err != nil {
		return nil, ses.fail(err, "")
	}
	return out, nil
}

type analysis struct {
	ctx     context.Context
	session *session
	version string
}

// plan analyzes the plan of a request.
func (a *analysis) plan(p *connectpb.Plan) (Query, error) {
	p, err := a.session.unpack(p)
	if err != nil {
		return nil, err
	}
	if p.GetCommand() != nil {
		return nil, sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SUPPORTED", "fullName", "spark.connect.Plan", "name", "command", "number", "2")
	}
	return a.relation(p.GetRoot())
}

func (a *analysis) relation(r *connectpb.Relation) (Query, error) {
	switch r.GetRelType().(type) {
	case *connectpb.Relation_ShowString:
		return textQuery{"show_string"}, nil
	case *connectpb.Relation_HtmlString:
		return textQuery{"html_string"}, nil
	}
	p, err := a.session.lowerer(a.ctx).Relation(r)
	if err != nil {
		return nil, err
	}
	if isCommand(p) {
		p = bare(p)
	}
	return a.session.engine.Analyze(a.ctx, p)
}

// textQuery is a table for people, of which only the schema can be asked here.
type textQuery struct{ name string }

func (t textQuery) Schema() *types.Schema {
	return types.NewSchema(types.Field{Name: t.name, Type: types.String})
}

func (t textQuery) Run(context.Context, Sink) error {
	return sparkerr.Unsupported("running " + t.name + " below another relation")
}

// answer fills in the case that was asked for.
func (a *analysis) answer(r *connectpb.AnalyzePlanRequest, out *connectpb.AnalyzePlanResponse) error {
	switch k := r.GetAnalyze().(type) {
	case *connectpb.AnalyzePlanRequest_Schema_:
		q, err := a.plan(k.Schema.GetPlan())
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_Schema_{Schema: &connectpb.AnalyzePlanResponse_Schema{Schema: lower.SchemaToProto(q.Schema().Fields)}}
	case *connectpb.AnalyzePlanRequest_Explain_:
		text, err := a.explain(k.Explain)
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_Explain_{Explain: &connectpb.AnalyzePlanResponse_Explain{ExplainString: text}}
	case *connectpb.AnalyzePlanRequest_TreeString_:
		q, err := a.plan(k.TreeString.GetPlan())
		if err != nil {
			return err
		}
		text := lower.Tree(q.Schema(), int(k.TreeString.GetLevel()))
		out.Result = &connectpb.AnalyzePlanResponse_TreeString_{TreeString: &connectpb.AnalyzePlanResponse_TreeString{TreeString: text}}
	case *connectpb.AnalyzePlanRequest_SparkVersion_:
		out.Result = &connectpb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &connectpb.AnalyzePlanResponse_SparkVersion{Version: a.version}}
	case *connectpb.AnalyzePlanRequest_DdlParse:
		t, err := a.parseDDL(k.DdlParse.GetDdlString())
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_DdlParse{DdlParse: &connectpb.AnalyzePlanResponse_DDLParse{Parsed: lower.ToProto(t)}}
	case *connectpb.AnalyzePlanRequest_JsonToDdl:
		t, err := lower.TypeFromJSON([]byte(k.JsonToDdl.GetJsonString()))
		if err != nil {
			return err
		}
		text := t.SQL()
		if t.Kind == types.StructKind {
			text = lower.DDL(types.NewSchema(t.Fields()...))
		}
		out.Result = &connectpb.AnalyzePlanResponse_JsonToDdl{JsonToDdl: &connectpb.AnalyzePlanResponse_JsonToDDL{DdlString: text}}
	default:
		return a.answer2(r, out)
	}
	return nil
}

// parseDDL reads a type, or else column definitions.
func (a *analysis) parseDDL(text string) (types.Type, error) {
	t, err := a.session.engine.Type(text)
	if err == nil {
		return t, nil
	}
	s, err := a.session.lowerer(a.ctx).Columns(text)
	if err != nil {
		return types.Null, err
	}
	return s.Type(), nil
}

var explainModes = map[connectpb.AnalyzePlanRequest_Explain_ExplainMode]string{
	connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE: "simple", connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_EXTENDED: "extended",
	connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_CODEGEN: "codegen", connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_COST: "cost",
	connectpb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_FORMATTED: "formatted",
}

func (a *analysis) explain(e *connectpb.AnalyzePlanRequest_Explain) (string, error) {
	mode, ok := explainModes[e.GetExplainMode()]
	if !ok {
		return "", sparkerr.Unsupported("explain in mode " + e.GetExplainMode().String())
	}
	q, err := a.plan(e.GetPlan())
	if err != nil {
		return "", err
	}
	x, err := as[Explainer](q, "explain")
	if err != nil {
		return "", err
	}
	return x.Explain(mode)
}

// as asks for an optional ability of a query.
func as[T any](q Query, what string) (T, error) {
	x, ok := q.(T)
	if !ok {
		return x, sparkerr.Unsupported(what)
	}
	return x, nil
}

// answer2: the rarer questions.
func (a *analysis) answer2(r *connectpb.AnalyzePlanRequest, out *connectpb.AnalyzePlanResponse) error {
	switch k := r.GetAnalyze().(type) {
	case *connectpb.AnalyzePlanRequest_IsLocal_:
		p, err := a.lowered(k.IsLocal.GetPlan())
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_IsLocal_{IsLocal: &connectpb.AnalyzePlanResponse_IsLocal{IsLocal: localRows(p)}}
	case *connectpb.AnalyzePlanRequest_IsStreaming_:
		p, err := a.lowered(k.IsStreaming.GetPlan())
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_IsStreaming_{IsStreaming: &connectpb.AnalyzePlanResponse_IsStreaming{IsStreaming: streaming(p)}}
	case *connectpb.AnalyzePlanRequest_InputFiles_:
		p, err := a.resolved(k.InputFiles.GetPlan(), "inputFiles")
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_InputFiles_{InputFiles: &connectpb.AnalyzePlanResponse_InputFiles{Files: inputFiles(p)}}
	case *connectpb.AnalyzePlanRequest_SameSemantics_:
		p, err := a.resolved(k.SameSemantics.GetTargetPlan(), "sameSemantics")
		if err != nil {
			return err
		}
		other, err := a.resolved(k.SameSemantics.GetOtherPlan(), "sameSemantics")
		if err != nil {
			return err
		}
		same := logical.Canonical(p) == logical.Canonical(other)
		out.Result = &connectpb.AnalyzePlanResponse_SameSemantics_{SameSemantics: &connectpb.AnalyzePlanResponse_SameSemantics{Result: same}}
	case *connectpb.AnalyzePlanRequest_SemanticHash_:
		p, err := a.resolved(k.SemanticHash.GetPlan(), "semanticHash")
		if err != nil {
			return err
		}
		out.Result = &connectpb.AnalyzePlanResponse_SemanticHash_{SemanticHash: &connectpb.AnalyzePlanResponse_SemanticHash{Result: canonicalHash(p)}}
	default:
		return a.persistence(r, out)
	}
	return nil
}

// lowered lowers the plan of a request without resolving it.
func (a *analysis) lowered(p *connectpb.Plan) (logical.Plan, error) {
	p, err := a.session.unpack(p)
	if err != nil {
		return nil, err
	}
	return a.session.lowerer(a.ctx).Relation(p.GetRoot())
}

// resolved is the resolved plan of a request.
func (a *analysis) resolved(p *connectpb.Plan, what string) (logical.Plan, error) {
	q, err := a.plan(p)
	if err != nil {
		return nil, err
	}
	x, err := as[Planned](q, what)
	if err != nil {
		return nil, err
	}
	return x.Plan(), nil
}

// persistence: persist, unpersist and the storage level.
func (a *analysis) persistence(r *connectpb.AnalyzePlanRequest, out *connectpb.AnalyzePlanResponse) error {
	var rel *connectpb.Relation
	switch k := r.GetAnalyze().(type) {
	case *connectpb.AnalyzePlanRequest_Persist_:
		rel = k.Persist.GetRelation()
	case *connectpb.AnalyzePlanRequest_Unpersist_:
		rel = k.Unpersist.GetRelation()
	case *connectpb.AnalyzePlanRequest_GetStorageLevel_:
		rel = k.GetStorageLevel.GetRelation()
	default:
		return sparkerr.New("CONNECT_INVALID_PLAN.UNKNOWN_ANALYZE_METHOD", "other", "an unset case")
	}
	q, err := a.relation(rel)
	if err != nil {
		return err
	}
	p, err := as[Persister](q, "persist")
	if err != nil {
		return err
	}
	switch k := r.GetAnalyze().(type) {
	case *connectpb.AnalyzePlanRequest_Persist_:
		level := "MEMORY_AND_DISK"
		if k.Persist.GetStorageLevel() != nil {
			level = lower.LevelName(k.Persist.GetStorageLevel())
		}
		out.Result = &connectpb.AnalyzePlanResponse_Persist_{Persist: &connectpb.AnalyzePlanResponse_Persist{}}
		return p.Persist(level)
	case *connectpb.AnalyzePlanRequest_Unpersist_:
		out.Result = &connectpb.AnalyzePlanResponse_Unpersist_{Unpersist: &connectpb.AnalyzePlanResponse_Unpersist{}}
		return p.Unpersist(k.Unpersist.GetBlocking())
	}
	out.Result = &connectpb.AnalyzePlanResponse_GetStorageLevel_{GetStorageLevel: &connectpb.AnalyzePlanResponse_GetStorageLevel{
		StorageLevel: lower.Level(p.StorageLevel())}}
	return nil
}
