package connect

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// Config reads and changes the configuration of a session. Pairs come back in the order of the request.
func (s *Server) Config(_ context.Context, r *connectpb.ConfigRequest) (*connectpb.ConfigResponse, error) {
	ses, err := s.sessions.get(r, true)
	if err != nil {
		return nil, err
	}
	out := &connectpb.ConfigResponse{SessionId: ses.key.id, ServerSideSessionId: ses.serverID}
	if err := configure(ses.engine.Conf(), r.GetOperation(), out); err != nil {
		return nil, ses.fail(err, "")
	}
	return out, nil
}

func configure(c *conf.Conf, op *connectpb.ConfigRequest_Operation, out *connectpb.ConfigResponse) error {
	pair := func(key, value string, ok bool) {
		p := &connectpb.KeyValue{Key: key}
		if ok {
			p.Value = &value
		}
		out.Pairs = append(out.Pairs, p)
	}
	v := c.Values()
	switch k := op.GetOpType().(type) {
	case *connectpb.ConfigRequest_Operation_Set:
		return setAll(c, k.Set, out)
	case *connectpb.ConfigRequest_Operation_Get:
		for _, key := range k.Get.GetKeys() {
			value, ok := v.Lookup(key)
			if !ok && conf.Lookup(key) == nil {
				_, err := v.Get(key)
				return err
			}
			pair(key, value, ok)
		}
	case *connectpb.ConfigRequest_Operation_GetWithDefault:
		for _, p := range k.GetWithDefault.GetPairs() {
			if value, ok := v.Given(p.GetKey()); ok {
				pair(p.GetKey(), value, true)
			} else {
				pair(p.GetKey(), p.GetValue(), p.Value != nil)
			}
		}
	case *connectpb.ConfigRequest_Operation_GetOption:
		for _, key := range k.GetOption.GetKeys() {
			value, ok := v.Lookup(key)
			pair(key, value, ok)
		}
	case *connectpb.ConfigRequest_Operation_GetAll:
		all := v.All()
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if rest, ok := strings.CutPrefix(key, k.GetAll.GetPrefix()); ok {
				pair(rest, all[key], true)
			}
		}
	case *connectpb.ConfigRequest_Operation_Unset:
		for _, key := range k.Unset.GetKeys() {
			if err := c.Unset(key); err != nil {
				return err
			}
		}
	case *connectpb.ConfigRequest_Operation_IsModifiable:
		for _, key := range k.IsModifiable.GetKeys() {
			value := "false"
			if conf.IsModifiable(key) {
				value = "true"
			}
			pair(key, value, true)
		}
	default:
		return sparkerr.New("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.ConfigRequest.Operation", "name", "op_type")
	}
	return nil
}

// setAll sets pairs. A silent request gets warnings in place of errors.
func setAll(c *conf.Conf, s *connectpb.ConfigRequest_Set, out *connectpb.ConfigResponse) error {
	for _, p := range s.GetPairs() {
		var err error
		if p.Value == nil {
			err = sparkerr.IllegalArgument("requirement failed: value cannot be null for key: " + p.GetKey())
		} else if err = c.Set(p.GetKey(), p.GetValue()); err == nil {
			continue
		}
		if !s.GetSilent() {
			return err
		}
		out.Warnings = append(out.Warnings, err.Error())
	}
	return nil
}
