package source

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/csv"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// csvFormat reads character-separated values.
type csvFormat struct{}

func (csvFormat) name() string { return "CSV" }

func (csvFormat) stats(_ context.Context, r *fileRelation) *catalog.Stats { return r.byteStats() }

func (f csvFormat) plan(_ context.Context, r *fileRelation, in *inputFile, _ []expr.Expr) ([]Split, error) {
	return cutText(f, r, in), nil
}

func (csvFormat) whole(o options) bool { return o.flag("multiline", false) }

// csvOptions reads the options of CSV sources.
func csvOptions(o options, env *Env) (csv.Options, error) {
	out := csv.Options{Mode: parseMode(o), MaxColumns: 20480, MaxChars: -1, NullValue: o["nullvalue"], EmptyValue: o["emptyvalue"],
		NaN: o.first("NaN", "nanvalue"), PositiveInf: o.first("Inf", "positiveinf"), NegativeInf: o.first("-Inf", "negativeinf")}
	d, err := csvDialect(o, false)
	if err != nil {
		return out, err
	}
	out.Dialect = d
	for key, to := range map[string]*int{"maxcolumns": &out.MaxColumns, "maxcharspercolumn": &out.MaxChars} {
		if text, ok := o[key]; ok {
			if *to, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return out, sparkerr.New("_LEGACY_ERROR_TEMP_2146", "paramName", key, "value", text)
			}
		}
	}
	out.Formats, out.Zone, err = readFormats(o, env)
	return out, err
}

// csvDialect reads what reader and writer share; trim is their default for white space around values.
func csvDialect(o options, trim bool) (d csv.Dialect, err error) {
	if d.Sep, err = delimiter(o.first(",", "sep", "delimiter")); err != nil {
		return d, err
	}
	if d.Quote, err = oneByte(o, "quote", '"'); err != nil {
		return d, err
	}
	if d.Escape, err = oneByte(o, "escape", '\\'); err != nil {
		return d, err
	}
	if d.Escape != d.Quote {
		d.EscapeEscape = d.Escape
	}
	if d.EscapeEscape, err = oneByte(o, "chartoescapequoteescaping", d.EscapeEscape); err != nil {
		return d, err
	}
	if d.Comment, err = oneByte(o, "comment", 0); err != nil {
		return d, err
	}
	d.TrimLeft = o.flag("ignoreleadingwhitespace", trim)
	d.TrimRight = o.flag("ignoretrailingwhitespace", trim)
	d.MultiLine = o.flag("multiline", false)
	return d, nil
}

var bom = []byte("\xef\xbb\xbf")

// infer: column names come from the first record, types are text unless inferSchema is set.
func (f csvFormat) infer(ctx context.Context, r *fileRelation) (*types.Schema, error) {
	if len(r.files) == 0 {
		return nil, nil
	}
	o, err := csvOptions(r.opts, r.env)
	if err != nil {
		return nil, err
	}
	s := &csvScan{o: &o, header: r.opts.flag("header", false), caseSensitive: r.env.caseSensitive(), infer: r.opts.flag("inferschema", false)}
	s.tok = csv.NewTokenizer(o.Dialect)
	for i := range r.files {
		if err := s.file(ctx, &r.files[i], r.opts); err != nil {
			return nil, err
		}
		if s.names != nil && !s.infer {
			break
		}
	}
	out := &types.Schema{}
	for i, n := range s.names {
		t := types.String
		if s.in != nil {
			t = s.in.Types()[i]
		}
		out.Fields = append(out.Fields, types.Field{Name: n, Type: t, Nullable: true})
	}
	return out, nil
}

// csvScan looks through files for names and types.
type csvScan struct {
	o             *csv.Options
	tok           *csv.Tokenizer
	header        bool
	infer         bool
	caseSensitive bool
	names         []string
	first         string // text of the first record of all
	in            *csv.Inferrer
}

func (s *csvScan) file(ctx context.Context, in *inputFile, o options) error {
	if s.o.MultiLine {
		b, err := readWhole(ctx, in, o)
		if err != nil {
			return readError(in.uri(), err)
		}
		d := s.o.Dialect
		b = d.Lines(bytes.TrimPrefix(b, bom))
		s.tok = csv.NewTokenizer(d)
		for len(b) > 0 {
			fields, n := s.tok.Record(b)
			if !s.o.Skips(b[:n]) && s.record(fields, b[:n]) {
				return nil
			}
			b = b[n:]
		}
		return nil
	}
	firstLine := true
	return eachLine(ctx, in, o, func(line []byte) bool {
		if firstLine {
			line, firstLine = bytes.TrimPrefix(line, bom), false
		}
		if s.o.Skips(line) {
			return false
		}
		fields, _ := s.tok.Record(line)
		return s.record(fields, line)
	})
}

// record takes one record; stop says that nothing more is to be learnt.
func (s *csvScan) record(fields []csv.Field, text []byte) (stop bool) {
	if s.names == nil {
		s.first = string(text)
		if s.header {
			s.names = csv.SafeHeader(fields, s.o.NullValue, s.caseSensitive)
		} else {
			s.names = csv.NumberedHeader(len(fields))
		}
		if s.infer {
			s.in = csv.NewInferrer(s.o, len(s.names))
		}
	}
	if !s.infer {
		return true
	}
	if !s.header || string(text) != s.first {
		s.in.Add(fields)
	}
	return false
}

func (f csvFormat) read(ctx context.Context, s *textSplit, want []int, env *Env) (recordParser, feed, error) {
	o, err := csvOptions(s.r.opts, env)
	if err != nil {
		return nil, nil, err
	}
	var blocks rows.Blocks
	c := &csvFeed{o: &o, r: s.r, header: s.off == 0 && s.r.opts.flag("header", false), atStart: s.off == 0, blocks: &blocks}
	if o.MultiLine {
		if c.all, err = readWhole(ctx, s.file, s.r.opts); err != nil {
			return nil, nil, err
		}
		c.all = o.Lines(c.all)
		c.rest = c.all
		c.recycle()
	}
	c.p = csv.NewParser(o, s.r.data, want, corruptColumn(s.r.opts, env), &blocks)
	if o.MultiLine {
		return c.p, c, nil
	}
	l, err := openLines(ctx, s, &blocks, c.line)
	return c.p, l, err
}

// csvFeed hands records to the parser: by line, or of a whole file.
type csvFeed struct {
	p       *csv.Parser
	o       *csv.Options
	r       *fileRelation
	header  bool // the first record is the header
	atStart bool
	blocks  *rows.Blocks
	all     []byte
	rest    []byte
}

func (c *csvFeed) line(line []byte, block, off int) error {
	if c.atStart {
		c.atStart = false
		if bytes.HasPrefix(line, bom) {
			line, off = line[len(bom):], off+len(bom)
		}
	}
	if c.o.Skips(line) {
		return nil
	}
	if c.header {
		c.header = false
		return c.checkHeader(line)
	}
	_, err := c.p.Record(line, block, off)
	return err
}

func (c *csvFeed) next() error {
	if c.atStart {
		c.atStart = false
		c.rest = bytes.TrimPrefix(c.rest, bom)
	}
	for len(c.rest) > 0 {
		b := c.rest
		if c.header || c.o.Skips(firstLine(b)) {
			_, n := csv.NewTokenizer(c.o.Dialect).Record(b)
			c.rest = b[n:]
			if c.header && !c.o.Skips(b[:n]) {
				c.header = false
				if err := c.checkHeader(b[:n]); err != nil {
					return err
				}
			}
			continue
		}
		n, err := c.p.Record(b, 0, len(c.all)-len(b))
		c.rest = b[n:]
		return err
	}
	return io.EOF
}

func firstLine(b []byte) []byte {
	if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
		return b[:i]
	}
	return b
}

// checkHeader compares a header with the schema when the option enforceSchema is off.
func (c *csvFeed) checkHeader(line []byte) error {
	if c.r.opts.flag("enforceschema", true) {
		return nil
	}
	fields, _ := csv.NewTokenizer(c.o.Dialect).Record(line)
	if len(fields) != len(c.r.data.Fields) {
		return sparkerr.New("_LEGACY_ERROR_TEMP_3241", "msg", "Number of column in CSV header is not equal to number of fields in the schema")
	}
	for i, f := range fields {
		if !sameName(string(f.Text), c.r.data.Fields[i].Name, c.r.env.caseSensitive()) {
			return sparkerr.New("_LEGACY_ERROR_TEMP_3241", "msg", "CSV header does not conform to the schema: column "+string(f.Text))
		}
	}
	return nil
}

func (c *csvFeed) recycle() {
	c.blocks.Reset()
	c.blocks.Add(c.all)
}

// Close implements io.Closer.
func (c *csvFeed) Close() error { return nil }

// csvOutput writes character-separated values.
type csvOutput struct {
	o     csv.WriterOptions
	codec textCodec
}

func newCSVOutput(o options, env *Env) (*csvOutput, error) {
	d, err := csvDialect(o, true)
	if err != nil {
		return nil, err
	}
	out := &csvOutput{o: csv.WriterOptions{Dialect: d, Header: o.flag("header", false), QuoteAll: o.flag("quoteall", false),
		EscapeQuotes: o.flag("escapequotes", true), NullValue: o["nullvalue"], EmptyValue: o.first(`""`, "emptyvalue"), LineSep: o.first("\n", "linesep")}}
	if err := utf8Only(o); err != nil {
		return nil, err
	}
	if out.o.Formats, err = writeFormats(o, env); err != nil {
		return nil, err
	}
	out.codec, err = textCodecOf(o)
	return out, err
}

func (c *csvOutput) extension() string { return ".csv" + c.codec.extension }

func (c *csvOutput) check(s *types.Schema) error { return csvTypes(s) }

// csvTypes refuses types that a field cannot hold.
func csvTypes(s *types.Schema) error {
	for _, f := range s.Fields {
		switch f.Type.Kind {
		case types.NullKind, types.ArrayKind, types.MapKind, types.StructKind, types.CalendarKind, types.VariantKind:
			return badType("CSV", f)
		}
	}
	return nil
}

func badType(format string, f types.Field) error {
	return sparkerr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", format, "columnName", types.Quote(f.Name), "columnType", `"`+f.Type.SQL()+`"`)
}

func (c *csvOutput) create(w io.Writer, s *types.Schema) (fileWriter, error) {
	z, err := c.codec.open(w)
	if err != nil {
		return nil, err
	}
	out, err := csv.NewWriter(z, s, c.o)
	return &textFile{out, z}, err
}
