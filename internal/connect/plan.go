package connect

import (
	"sync"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/firesteel/firesteel/internal/connect/connectpb"
	"github.com/firesteel/firesteel/internal/logical"
	"github.com/firesteel/firesteel/internal/sparkerr"
)

// unpack gives the plan itself when it came compressed. Its size is bounded by spark.connect.maxPlanSize.
func (s *session) unpack(p *connectpb.Plan) (*connectpb.Plan, error) {
	c := p.GetCompressedOperation()
	if c == nil {
		return p, nil
	}
	if c.GetCompressionCodec() != connectpb.CompressionCodec_COMPRESSION_CODEC_ZSTD {
		return nil, cannotParse("the codec " + c.GetCompressionCodec().String() + " is not supported")
	}
	data, err := decompress(c.GetData(), s.engine.Conf().Values().Bytes("spark.connect.maxPlanSize"))
	if err != nil {
		return nil, err
	}
	switch c.GetOpType() {
	case connectpb.Plan_CompressedOperation_OP_TYPE_RELATION:
		var r connectpb.Relation
		if err := proto.Unmarshal(data, &r); err != nil {
			return nil, cannotParse(err.Error())
		}
		return &connectpb.Plan{OpType: &connectpb.Plan_Root{Root: &r}}, nil
	case connectpb.Plan_CompressedOperation_OP_TYPE_COMMAND:
		var m connectpb.Command
		if err := proto.Unmarshal(data, &m); err != nil {
			return nil, cannotParse(err.Error())
		}
		return &connectpb.Plan{OpType: &connectpb.Plan_Command{Command: &m}}, nil
	}
	return nil, cannotParse("the kind " + c.GetOpType().String() + " is not supported")
}

func cannotParse(why string) error {
	return sparkerr.New("CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", why)
}

// decoders are kept, because they are large.
var decoders = sync.Pool{}

// decompress unpacks at most limit bytes.
func decompress(data []byte, limit int64) ([]byte, error) {
	d, ok := decoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit))); err != nil {
			return nil, err
		}
	}
	defer decoders.Put(d)
	out, err := d.DecodeAll(data, nil)
	if err != nil {
		return nil, cannotParse(err.Error())
	}
	return out, nil
}

// isCommand says whether a lowered plan does something rather than yield rows.
func isCommand(p logical.Plan) bool {
	for {
		switch x := p.(type) {
		case logical.Command:
			return true
		case *logical.PlanID:
			p = x.Child
		case *logical.WithRelations:
			p = x.Child
		case *logical.WithParams:
			p = x.Child
		default:
			return false
		}
	}
}

// bare takes the wrappers off a command, which it does not need.
func bare(p logical.Plan) logical.Plan {
	for {
		switch x := p.(type) {
		case *logical.PlanID:
			p = x.Child
		default:
			return p
		}
	}
}
