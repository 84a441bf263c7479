package source

import (
	"github.com/firesteel/firesteel/internal/source/parquet"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Portion is a list of splits as data, with all that their reading needs of the relation. Whoever opens it neither lists
// files nor plans anew: it reads exactly what was planned.
type Portion struct {
	Format  string // as the relation's provider names it
	Options map[string]string
	Data    *types.Schema // columns stored in the files
	Part    *types.Schema // partition columns
	Files   []PortionFile
	Splits  []PortionSplit
}

// PortionFile is a file that splits lie in. URI names it with its file system.
type PortionFile struct {
	URI    string
	Info   vfs.Info
	Values []any // of the partition columns
}

// PortionSplit is a part of a file: rows of a row group, or a range of bytes.
type PortionSplit struct {
	File        int
	Group       int // -1: a range of bytes
	Ranges      []parquet.Range
	Rows, Bytes int64
	Offset      int64
	Digest      uint64 // of the file that was planned
}

// NewPortion turns splits of one relation into data.
func NewPortion(splits []Split) (*Portion, error) {
	p := &Portion{}
	at := map[*inputFile]int{}
	for _, s := range splits {
		var r *fileRelation
		var f *inputFile
		var d PortionSplit
		switch x := s.(type) {
		case *parquetSplit:
			r, f, d = x.r, x.file, PortionSplit{Group: x.group, Ranges: x.ranges, Rows: x.rows, Bytes: x.bytes, Digest: x.digest}
		case *textSplit:
			r, f, d = x.r, x.file, PortionSplit{Group: -1, Bytes: x.len, Rows: -1, Offset: x.off}
		default:
			return nil, sparkerr.Unsupported("reading such a source on executors")
		}
		p.Format, p.Options, p.Data, p.Part = r.format.name(), r.opts, r.data, r.part
		n, ok := at[f]
		if !ok {
			n = len(p.Files)
			at[f] = n
			p.Files = append(p.Files, PortionFile{URI: f.uri(), Info: f.info, Values: f.part})
		}
		d.File = n
		p.Splits = append(p.Splits, d)
	}
	return p, nil
}

// Open gives the splits back, for readers with this environment.
func (p *Portion) Open(env *Env) ([]Split, error) {
	if len(p.Splits) == 0 {
		return nil, nil
	}
	format, err := formatOf(p.Format)
	if err != nil {
		return nil, err
	}
	r := &fileRelation{env: env, opts: p.Options, format: format, data: p.Data, part: p.Part, files: make([]inputFile, len(p.Files))}
	if r.data == nil || r.part == nil {
		return nil, sparkerr.Internal("a portion of a table came without its schema")
	}
	var fs vfs.FS
	for i, f := range p.Files {
		if len(f.Values) != len(r.part.Fields) {
			return nil, sparkerr.Internal("a file came with %d partition values of %d", len(f.Values), len(r.part.Fields))
		}
		if fs == nil { // a relation lies in one file system
			if fs, _, err = resolve(f.URI, env); err != nil {
				return nil, err
			}
		}
		r.files[i] = inputFile{fs: fs, info: f.Info, part: f.Values}
	}
	out := make([]Split, len(p.Splits))
	for i, d := range p.Splits {
		if d.File < 0 || d.File >= len(r.files) || d.Group < -1 {
			return nil, sparkerr.Internal("a split of file %d of %d", d.File, len(r.files))
		}
		f := &r.files[d.File]
		if d.Group >= 0 {
			out[i] = &parquetSplit{r: r, file: f, group: d.Group, ranges: d.Ranges, rows: d.Rows, bytes: d.Bytes, digest: d.Digest}
			continue
		}
		t, ok := format.(textFormat)
		if !ok {
			return nil, sparkerr.Internal("%s is not read by ranges of bytes", p.Format)
		}
		out[i] = &textSplit{r: r, format: t, file: f, off: d.Offset, len: d.Bytes}
	}
	return out, nil
}
