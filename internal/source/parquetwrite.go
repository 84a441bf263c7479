package source

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/memory"
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// sparkVersion is the version of Spark whose files these are alike.
const sparkVersion = "4.2.0"

// outputFormatOf is the format of a write with its options.
func outputFormatOf(s *WriteSpec, env *Env) (outputFormat, error) {
	opts := lowerKeys(s.Options)
	switch p := strings.ToLower(s.Format); p {
	case "parquet", "org.apache.spark.sql.parquet", "org.apache.spark.sql.execution.datasources.parquet":
		return newParquetOutput(opts, env)
	case "csv", "org.apache.spark.sql.execution.datasources.csv", "com.databricks.spark.csv":
		return newCSVOutput(opts, env)
	case "json", "org.apache.spark.sql.json", "org.apache.spark.sql.execution.datasources.json":
		return newJSONOutput(opts, env)
	case "text", "org.apache.spark.sql.execution.datasources.text":
		return newLineOutput(opts)
	default:
		if _, err := formatOf(p); err != nil {
			return nil, err
		}
		return nil, sparkerr.Unsupported("writing data source " + p)
	}
}

// rowGroupBytes is the size of a row group, where memory allows.
const rowGroupBytes = 128 << 20

type parquetOutput struct {
	o    parquet.WriterOptions
	part string
}

func newParquetOutput(opts options, env *Env) (*parquetOutput, error) {
	name := strings.ToLower(opts.first(env.Conf("spark.sql.parquet.compression.codec", "snappy"), "compression", "parquet.compression"))
	codec, part, ok := parquet.CodecByName(name)
	if !ok {
		return nil, sparkerr.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", name,
			"availableCodecs", "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip")
	}
	out := &parquetOutput{part: part, o: parquet.WriterOptions{Codec: codec, CreatedBy: "firesteel",
		Legacy: env.flag("spark.sql.parquet.writeLegacyFormat", false)}}
	switch strings.ToUpper(env.Conf("spark.sql.parquet.outputTimestampType", "INT96")) {
	case "TIMESTAMP_MICROS":
		out.o.Timestamps = parquet.MicrosTimestamps
	case "TIMESTAMP_MILLIS":
		out.o.Timestamps = parquet.MillisTimestamps
	}
	out.o.RowGroupBytes = memory.OutputLimit(rowGroupBytes)
	size := opts.first("", "parquet.block.size")
	if size != "" {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return nil, optionError("parquet.block.size", size)
		}
		out.o.RowGroupBytes = n
	}
	out.o.NoDictionary = opts.first("true", "parquet.enable.dictionary") == "false"
	return out, nil
}

func optionError(name, value string) error {
	return sparkerr.New("INVALID_CONF_VALUE.TYPE_MISMATCH", "confName", name, "confValue", value, "confType", "int")
}

func (p *parquetOutput) extension() string { return p.part + ".parquet" }

func (p *parquetOutput) check(s *types.Schema) error {
	_, err := parquet.NewWriter(io.Discard, s, p.o)
	return unsupportedType("Parquet", err)
}

// unsupportedType gives Spark's condition to a type that a format cannot store.
func unsupportedType(format string, err error) error {
	var u *parquet.UnsupportedError
	if errors.As(err, &u) {
		return sparkerr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", format, "columnName", types.Quote(u.Column),
			"columnType", `"`+u.Type.SQL()+`"`)
	}
	return err
}

func (p *parquetOutput) create(w io.Writer, s *types.Schema) (fileWriter, error) {
	o := p.o
	o.Keys = map[string]string{sparkRowKey: s.Type().JSON(), "org.apache.spark.version": sparkVersion}
	return parquet.NewWriter(w, s, o)
}
