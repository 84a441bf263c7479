package spark

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/firesteel/firesteel/internal/rdd"
	"github.com/firesteel/firesteel/internal/vfs"
)

// TextFile is an RDD of the lines of a file, of the files of a folder, or of those that a pattern (or several, with commas
// between) matches. Files are split, except compressed ones (.gz, .bz2, .zst). Without a number of partitions there are at
// least two, if there are as many task slots.
func (c *SparkContext) TextFile(path string, minPartitions ...int) *RDD[string] {
	least := min(c.DefaultParallelism(), 2)
	if len(minPartitions) > 0 {
		least = max(minPartitions[0], 1)
	}
	op := &textOp{}
	n := &rdd.Node{Name: path, Op: op}
	n.Plan = func(ctx context.Context, n *rdd.Node) error {
		files, err := c.files(ctx, path)
		if err != nil {
			return err
		}
		op.Splits = splitFiles(files, least)
		n.Parts = len(op.Splits)
		return nil
	}
	return made[string](c, n)
}

// textFile is a file by its URI.
type textFile struct {
	uri  string
	size int64
}

// files lists what a path names, sorted; names that begin with _ or . are passed over.
func (c *SparkContext) files(ctx context.Context, path string) ([]textFile, error) {
	var out []textFile
	for _, p := range strings.Split(path, ",") {
		f, at, err := c.engine.Env().FS.Resolve(strings.TrimSpace(p))
		if err != nil {
			return nil, err
		}
		found, err := matches(ctx, f, at)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			list := []vfs.Info{i}
			if i.IsDir {
				if list, err = f.List(ctx, i.Path); err != nil {
					return nil, err
				}
			}
			for _, x := range list {
				if name := x.Name(); !x.IsDir && !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, ".") {
					out = append(out, textFile{f.URI(x.Path), x.Size})
				}
			}
		}
	}
	return out, nil
}

func matches(ctx context.Context, f vfs.FS, at string) ([]vfs.Info, error) {
	if !vfs.IsGlob(at) {
		i, err := f.Stat(ctx, at)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("spark: Input path does not exist: %s: %w", f.URI(at), err)
		}
		return []vfs.Info{i}, err
	}
	found, err := vfs.Glob(ctx, f, at)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("spark: Input Pattern %s matches 0 files: %w", f.URI(at), fs.ErrNotExist)
	}
	return found, err
}

// textSplit is a part of a file: the lines that begin in it.
type textSplit struct {
	URI      string
	From, To int64
}

const (
	// localBlock is the most that one partition reads of a file.
	localBlock = 32 << 20
	// splitSlop is how much longer the last part of a file may be than the others.
	splitSlop = 1.1
)

// splitFiles divides files as Hadoop does.
func splitFiles(files []textFile, least int) []textSplit {
	total := int64(0)
	for _, f := range files {
		total += f.size
	}
	size := max(1, min(total/int64(least), localBlock))
	var out []textSplit
	for _, f := range files {
		if compressed(f.uri) {
			out = append(out, textSplit{f.uri, 0, math.MaxInt64})
			continue
		}
		left := f.size
		for ; float64(left)/float64(size) > splitSlop; left -= size {
			out = append(out, textSplit{f.uri, f.size - left, f.size - left + size})
		}
		if left > 0 || f.size == 0 {
			out = append(out, textSplit{f.uri, f.size - left, f.size})
		}
	}
	return out
}

func compressed(uri string) bool {
	return strings.HasSuffix(uri, ".gz") || strings.HasSuffix(uri, ".bz2") || strings.HasSuffix(uri, ".zst")
}

type textOp struct{ Splits []textSplit }

func (o *textOp) Compute(t *rdd.Task, _ *rdd.Node, part int) any {
	s := o.Splits[part]
	return iter.Seq[string](func(yield func(string) bool) {
		f, err := open(t, s.URI)
		if err != nil {
			t.Fail(err)
			return
		}
		defer func() { t.Fail(f.Close()) }()
		in, err := decompressed(s.URI, io.NewSectionReader(f, s.From, f.Info().Size-s.From))
		if err != nil {
			t.Fail(fmt.Errorf("%s: %w", s.URI, err))
			return
		}
		if err := lines(bufio.NewReaderSize(in, 64<<10), s.From, s.To, func(line string) bool {
			t.Metrics.Input.RecordsRead++
			t.Metrics.Input.BytesRead += int64(len(line)) + 1
			return !t.Failed() && yield(line)
		}); err != nil {
			t.Fail(fmt.Errorf("%s: %w", s.URI, err))
		}
	})
}

func open(t *rdd.Task, uri string) (vfs.File, error) {
	f, at, err := t.Env.FS.Resolve(uri)
	if err != nil {
		return nil, err
	}
	return f.Open(t.Context(), at)
}

func decompressed(uri string, in io.Reader) (io.Reader, error) {
	switch {
	case strings.HasSuffix(uri, ".gz"):
		return gzip.NewReader(in)
	case strings.HasSuffix(uri, ".bz2"):
		return bzip2.NewReader(in), nil
	case strings.HasSuffix(uri, ".zst"):
		return zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
	}
	return in, nil
}

// lines gives the lines that begin after position from (at it, for 0) and up to position to. A part of a file that does
// not begin at 0 leaves its first line to the part before, which reads the line that begins at its end. Lines end with
// \n, \r\n or \r.
func lines(in *bufio.Reader, from, to int64, yield func(string) bool) error {
	at := from
	first := from > 0
	for at <= to {
		line, n, err := readLine(in)
		at += n
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if first {
			first = false
			continue
		}
		if !yield(line) {
			return nil
		}
	}
	return nil
}

// readLine reads a line and counts its bytes, the end of the line included.
func readLine(in *bufio.Reader) (line string, n int64, err error) {
	var long []byte
	for {
		if _, err = in.Peek(1); err != nil {
			return string(long), n, err
		}
		buf, _ := in.Peek(in.Buffered())
		i := bytes.IndexAny(buf, "\n\r")
		if i < 0 {
			long = append(long, buf...)
			n += int64(len(buf))
			in.Discard(len(buf))
			continue
		}
		end := buf[i]
		if long == nil {
			line = string(buf[:i])
		} else {
			line = string(append(long, buf[:i]...))
		}
		in.Discard(i + 1)
		n += int64(i + 1)
		if end == '\r' {
			if next, _ := in.Peek(1); len(next) == 1 && next[0] == '\n' {
				in.Discard(1)
				n++
			}
		}
		return line, n, nil
	}
}

// WholeTextFiles is an RDD of the names and contents of files.
func (c *SparkContext) WholeTextFiles(path string) *RDD[Pair[string, string]] {
	op := &wholeOp{}
	n := &rdd.Node{Name: path, Op: op}
	n.Plan = func(ctx context.Context, n *rdd.Node) error {
		files, err := c.files(ctx, path)
		op.Files = nil
		for _, f := range files {
			op.Files = append(op.Files, f.uri)
		}
		op.Parts = min(max(len(files), 1), 2*c.DefaultParallelism())
		n.Parts = op.Parts
		return err
	}
	return made[Pair[string, string]](c, n)
}

type wholeOp struct {
	Files []string
	Parts int
}

func (o *wholeOp) Compute(t *rdd.Task, _ *rdd.Node, part int) any {
	list := o.Files[len(o.Files)*part/o.Parts : len(o.Files)*(part+1)/o.Parts]
	return iter.Seq[Pair[string, string]](func(yield func(Pair[string, string]) bool) {
		for _, uri := range list {
			text, err := readAll(t, uri)
			if err != nil {
				t.Fail(fmt.Errorf("%s: %w", uri, err))
				return
			}
			if !yield(Pair[string, string]{uri, text}) {
				return
			}
		}
	})
}

func readAll(t *rdd.Task, uri string) (string, error) {
	f, err := open(t, uri)
	if err != nil {
		return "", err
	}
	in, err := decompressed(uri, io.NewSectionReader(f, 0, f.Info().Size))
	var b []byte
	if err == nil {
		b, err = io.ReadAll(in)
	}
	return string(b), errors.Join(err, f.Close())
}

// SaveAsTextFile writes each record as a line, as Go prints it, to a file a partition below a folder that must not exist.
// One attempt at each partition is committed; the file _SUCCESS appears when all are.
func (r *RDD[T]) SaveAsTextFile(ctx context.Context, path string) error {
	if r.err != nil {
		return r.err
	}
	f, at, err := r.sc.engine.Env().FS.Resolve(path)
	if err != nil {
		return err
	}
	if exists, err := vfs.Exists(ctx, f, at); exists || err != nil {
		return firstError(err, fmt.Errorf("spark: Output directory %s already exists: %w", f.URI(at), fs.ErrExist))
	}
	temp := vfs.Join(at, "_temporary")
	if err := f.MkdirAll(ctx, temp); err != nil {
		return err
	}
	err = run(ctx, r, &saveAction[T]{Folder: f.URI(at)}, nil, func(int, bool) error { return nil })
	clean := context.WithoutCancel(ctx)
	if err != nil {
		return errors.Join(err, f.Remove(clean, at))
	}
	if err := f.Remove(clean, temp); err != nil {
		return err
	}
	return vfs.WriteFile(ctx, f, vfs.Join(at, "_SUCCESS"), nil)
}

type saveAction[T any] struct {
	result[bool]
	Folder string
}

func (a *saveAction[T]) Run(t *rdd.Task, seq any) any {
	f, at, err := t.Env.FS.Resolve(a.Folder)
	if err != nil {
		t.Fail(err)
		return false
	}
	name := fmt.Sprintf("part-%05d", t.Partition)
	temp := vfs.Join(at, "_temporary", fmt.Sprintf("%s-%d", name, t.ID))
	w, err := f.Create(t.Context(), temp)
	if err != nil {
		t.Fail(err)
		return false
	}
	out := bufio.NewWriterSize(w, 64<<10)
	rdd.Each(t, seq.(iter.Seq[T]), func(v T) bool {
		t.Metrics.Output.RecordsWritten++
		_, err := fmt.Fprintln(out, v)
		t.Fail(err)
		return true
	})
	t.Fail(out.Flush())
	if t.Err() != nil {
		t.Fail(w.Abort())
		return false
	}
	if err := w.Close(); err != nil {
		t.Fail(err)
		return false
	}
	if err := t.Commit(); err != nil {
		t.Fail(errors.Join(err, f.Remove(context.WithoutCancel(t.Context()), temp)))
		return false
	}
	t.Fail(f.Rename(t.Context(), temp, vfs.Join(at, name)))
	return true
}
