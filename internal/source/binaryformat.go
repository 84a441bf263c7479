package source

import (
	"context"
	"io"
	"strconv"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/source/rows"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

func itoa(n int) string { return strconv.Itoa(n) }

// binaryFormat makes a row of each file: its name, time, length and bytes.
type binaryFormat struct{}

func (binaryFormat) name() string { return "binaryFile" }

func (binaryFormat) infer(context.Context, *fileRelation) (*types.Schema, error) {
	return types.NewSchema(types.Field{Name: "path", Type: types.String}, types.Field{Name: "modificationTime", Type: types.Timestamp},
		types.Field{Name: "length", Type: types.Long}, types.Field{Name: "content", Type: types.Binary}), nil
}

func (binaryFormat) stats(_ context.Context, r *fileRelation) *catalog.Stats {
	s := r.byteStats()
	s.Rows = int64(len(r.files))
	return s
}

func (binaryFormat) whole(options) bool { return true }

func (f binaryFormat) plan(_ context.Context, r *fileRelation, in *inputFile, _ []expr.Expr) ([]Split, error) {
	return cutText(f, r, in), nil
}

func (binaryFormat) read(ctx context.Context, s *textSplit, want []int, _ *Env) (recordParser, feed, error) {
	p := &lineParser{}
	for _, i := range want {
		p.cols = append(p.cols, rows.NewColumn(s.r.data.Fields[i].Type, nil))
	}
	return p, &binaryFeed{ctx: ctx, p: p, s: s, want: want}, nil
}

type binaryFeed struct {
	ctx  context.Context
	p    *lineParser
	s    *textSplit
	want []int
	done bool
}

func (b *binaryFeed) next() error {
	if b.done {
		return io.EOF
	}
	b.done = true
	b.p.n = 1
	info := b.s.file.info
	for k, i := range b.want {
		c := b.p.cols[k]
		switch b.s.r.data.Fields[i].Name {
		case "path":
			c.Text([]byte(b.s.file.uri()))
		case "modificationTime":
			c.Int(info.ModTime * 1000)
		case "length":
			c.Int(info.Size)
		default:
			data, err := vfs.ReadFile(b.ctx, b.s.file.fs, info.Path)
			if err != nil {
				return err
			}
			c.Text(data)
		}
	}
	return nil
}

func (b *binaryFeed) recycle() {}

// Close implements io.Closer.
func (b *binaryFeed) Close() error { return nil }
