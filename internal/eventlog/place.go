package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/vfs"
)

// Permissions of logs, as Spark's: history servers run as another user of the same group.
const (
	fileMode   = 0o660
	folderMode = 0o770
)

const inProgress = ".inprogress"

// DirError says that logs cannot be kept where the settings say.
type DirError struct {
	Dir   string
	Cause error
}

func (e *DirError) Error() string {
	return fmt.Sprintf("the event log cannot be kept in %s (spark.eventLog.dir): %v", e.Dir, e.Cause)
}

// Unwrap returns the cause.
func (e *DirError) Unwrap() error { return e.Cause }

// ExistsError says that there is a log of the application already, and spark.eventLog.overwrite is not set.
type ExistsError struct{ Path string }

func (e *ExistsError) Error() string {
	return "Target log already exists (" + e.Path + "); spark.eventLog.overwrite replaces it"
}

// place is where a log lies and how its files are named and written.
type place struct {
	fs     vfs.FS
	grow   vfs.Grower
	dir    string // of all logs
	name   string // of this one
	codec  string // "": none
	buffer int
	most   int64 // bytes of a file; 0: one file takes all
}

func newPlace(ctx context.Context, reg *vfs.Registry, v *conf.Values, app App) (*place, error) {
	uri := v.String("spark.eventLog.dir")
	p := &place{name: logName(app), buffer: max(int(v.Bytes("spark.eventLog.buffer.kb")), 1)}
	var err error
	if p.fs, p.dir, err = reg.Resolve(uri); err != nil {
		return nil, &DirError{uri, err}
	}
	var ok bool
	if p.grow, ok = p.fs.(vfs.Grower); !ok {
		return nil, &DirError{uri, sparkerr.Unsupported("event logs in this file system")}
	}
	switch info, err := p.fs.Stat(ctx, p.dir); {
	case err != nil:
		return nil, &DirError{uri, err}
	case !info.IsDir:
		return nil, &DirError{uri, errors.New("it is not a folder")}
	}
	if v.Bool("spark.eventLog.compress") {
		if p.codec = strings.ToLower(v.String("spark.eventLog.compression.codec")); p.codec != zstdName {
			return nil, sparkerr.New("CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", p.codec, "availableCodecs", zstdName)
		}
	}
	if v.Bool("spark.eventLog.rolling.enabled") {
		if p.most = v.Bytes("spark.eventLog.rolling.maxFileSize"); p.most < leastFile {
			return nil, sparkerr.IllegalArgument(fmt.Sprintf("spark.eventLog.rolling.maxFileSize must be at least %d bytes, not %d", leastFile, p.most))
		}
	}
	return p, nil
}

// leastFile is the least size of files that follow each other.
const leastFile = 10 << 20

// logName is the name of an application's log, made of its id and attempt.
func logName(app App) string {
	name := plainName(app.ID)
	if app.Attempt != "" {
		name += "_" + plainName(app.Attempt)
	}
	return name
}

var (
	dashes  = strings.NewReplacer(" ", "-", ":", "-", "/", "-")
	strange = strings.NewReplacer(".", "_", "$", "_", "{", "_", "}", "_", "'", "_", `"`, "_")
)

func plainName(s string) string { return strings.ToLower(strange.Replace(dashes.Replace(s))) }

func (p *place) suffix() string {
	if p.codec == "" {
		return ""
	}
	return "." + p.codec
}

// create makes a new file of the log.
func (p *place) create(ctx context.Context, path string) (*file, error) {
	out, err := p.grow.Grow(ctx, path, fileMode)
	if err != nil {
		return nil, err
	}
	return newFile(out, p.codec, p.buffer)
}

// free makes sure that nothing of the name is there.
func (p *place) free(ctx context.Context, path string, overwrite bool) error {
	_, err := p.fs.Stat(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !overwrite:
		return &ExistsError{p.fs.URI(path)}
	}
	return p.fs.Remove(ctx, path)
}

// files is a log as files.
type files interface {
	write(line []byte) error
	flush() error
	// finish closes the files and gives the log its final name.
	finish() error
}

func (p *place) open(ctx context.Context, overwrite bool) (files, error) {
	if p.most > 0 {
		return p.openRolling(ctx, overwrite)
	}
	return p.openSingle(ctx, overwrite)
}

// single is a log of one file.
type single struct {
	*file
	p     *place
	final string
}

func (p *place) openSingle(ctx context.Context, overwrite bool) (*single, error) {
	final := vfs.Join(p.dir, p.name+p.suffix())
	for _, path := range []string{final, final + inProgress} {
		if err := p.free(ctx, path, overwrite); err != nil {
			return nil, err
		}
	}
	f, err := p.create(ctx, final+inProgress)
	if err != nil {
		return nil, err
	}
	return &single{f, p, final}, nil
}

func (s *single) finish() error {
	if err := s.close(); err != nil {
		return err
	}
	return s.p.fs.Rename(context.Background(), s.final+inProgress, s.final)
}

// rolling is a folder of files of limited size, with an empty file whose name tells whether the application has ended.
type rolling struct {
	*file
	p      *place
	folder string
	number int
}

func (p *place) openRolling(ctx context.Context, overwrite bool) (*rolling, error) {
	r := &rolling{p: p, folder: vfs.Join(p.dir, "eventlog_v2_"+p.name)}
	if err := p.free(ctx, r.folder, overwrite); err != nil {
		return nil, err
	}
	if err := p.fs.MkdirAll(ctx, r.folder); err != nil {
		return nil, err
	}
	if err := p.grow.SetPermission(ctx, r.folder, folderMode); err != nil {
		return nil, err
	}
	status, err := p.grow.Grow(ctx, r.status()+inProgress, fileMode)
	if err == nil {
		err = status.Close()
	}
	if err != nil {
		return nil, err
	}
	return r, r.next(ctx)
}

func (r *rolling) status() string { return vfs.Join(r.folder, "appstatus_"+r.p.name) }

// next begins the next file.
func (r *rolling) next(ctx context.Context) (err error) {
	r.number++
	r.file, err = r.p.create(ctx, vfs.Join(r.folder, "events_"+strconv.Itoa(r.number)+"_"+r.p.name+r.p.suffix()))
	return err
}

func (r *rolling) write(line []byte) error {
	if r.size > 0 && r.size+int64(len(line)) > r.p.most {
		if err := r.close(); err != nil {
			return err
		}
		if err := r.next(context.Background()); err != nil {
			return err
		}
	}
	return r.file.write(line)
}

func (r *rolling) finish() error {
	if err := r.close(); err != nil {
		return err
	}
	return r.p.fs.Rename(context.Background(), r.status()+inProgress, r.status())
}
