package source

import (
	"context"
	"io"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/json"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/types"
)

// jsonFormat reads JSON records: one a line, or a file at a time with multiLine.
type jsonFormat struct{}

func (jsonFormat) name() string { return "JSON" }

func (jsonFormat) stats(_ context.Context, r *fileRelation) *catalog.Stats { return r.byteStats() }

func (f jsonFormat) plan(_ context.Context, r *fileRelation, in *inputFile, _ []expr.Expr) ([]Split, error) {
	return cutText(f, r, in), nil
}

func (jsonFormat) whole(o options) bool { return o.flag("multiline", false) }

// jsonOptions reads the options of JSON sources.
func jsonOptions(o options, env *Env) (json.Options, error) {
	out := json.Options{
		Syntax: json.Syntax{
			SingleQuotes: o.flag("allowsinglequotes", true), UnquotedNames: o.flag("allowunquotedfieldnames", false),
			LeadingZeros: o.flag("allownumericleadingzeros", false), NonNumericNumbers: o.flag("allownonnumericnumbers", true),
			Comments: o.flag("allowcomments", false), AnyEscape: o.flag("allowbackslashescapinganycharacter", false),
			ControlChars: o.flag("allowunquotedcontrolchars", false),
		},
		Mode: parseMode(o), PrimitivesAsText: o.flag("primitivesasstring", false), PrefersDecimal: o.flag("prefersdecimal", false),
		InferTimestamp: o.flag("infertimestamp", false), DropNullFields: o.flag("dropfieldifallnull", false), CorruptColumn: corruptColumn(o, env),
	}
	var err error
	out.Formats, out.Zone, err = readFormats(o, env)
	return out, err
}

func (f jsonFormat) infer(ctx context.Context, r *fileRelation) (*types.Schema, error) {
	if len(r.files) == 0 {
		return nil, nil
	}
	o, err := jsonOptions(r.opts, r.env)
	if err != nil {
		return nil, err
	}
	in := json.NewInferrer(o)
	for i := range r.files {
		if f.whole(r.opts) {
			b, err := readWhole(ctx, &r.files[i], r.opts)
			if err != nil {
				return nil, readError(r.files[i].uri(), err)
			}
			if !blank(b) {
				in.Add(b)
			}
			continue
		}
		if err := eachLine(ctx, &r.files[i], r.opts, func(line []byte) bool {
			if !blank(line) {
				in.Add(line)
			}
			return false
		}); err != nil {
			return nil, err
		}
	}
	return in.Schema()
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

func (f jsonFormat) read(ctx context.Context, s *textSplit, want []int, env *Env) (recordParser, feed, error) {
	o, err := jsonOptions(s.r.opts, env)
	if err != nil {
		return nil, nil, err
	}
	fields := make([]types.Field, len(want))
	for k, i := range want {
		fields[k] = s.r.data.Fields[i]
	}
	var blocks rows.Blocks
	p := json.NewParser(o, fields, &blocks)
	take := func(line []byte, block, off int) error {
		if blank(line) {
			return nil
		}
		return p.Record(line, block, off)
	}
	if !f.whole(s.r.opts) {
		l, err := openLines(ctx, s, &blocks, take)
		return p, l, err
	}
	b, err := readWhole(ctx, s.file, s.r.opts)
	return p, &wholeFeed{data: b, blocks: &blocks, take: take}, err
}

// wholeFeed hands over a file as one record.
type wholeFeed struct {
	data   []byte
	done   bool
	blocks *rows.Blocks
	take   func(b []byte, block, off int) error
}

func (w *wholeFeed) next() error {
	if w.done {
		return io.EOF
	}
	w.done = true
	return w.take(w.data, w.blocks.Add(w.data), 0)
}

func (w *wholeFeed) recycle() { w.blocks.Reset() }

// Close implements io.Closer.
func (w *wholeFeed) Close() error { return nil }

// jsonOutput writes JSON records, one a line.
type jsonOutput struct {
	o     json.WriterOptions
	codec textCodec
}

func newJSONOutput(o options, env *Env) (*jsonOutput, error) {
	out := &jsonOutput{o: json.WriterOptions{LineSep: o.first("\n", "linesep"),
		KeepNulls: !o.flag("ignorenullfields", env.flag("spark.sql.jsonGenerator.ignoreNullFields", true))}}
	if err := utf8Only(o); err != nil {
		return nil, err
	}
	var err error
	if out.o.Formats, err = writeFormats(o, env); err != nil {
		return nil, err
	}
	out.codec, err = textCodecOf(o)
	return out, err
}

func (j *jsonOutput) extension() string { return ".json" + j.codec.extension }

func (j *jsonOutput) check(s *types.Schema) error { return nil }

func (j *jsonOutput) create(w io.Writer, s *types.Schema) (fileWriter, error) {
	z, err := j.codec.open(w)
	if err != nil {
		return nil, err
	}
	return &textFile{json.NewWriter(z, s, j.o), z}, nil
}
