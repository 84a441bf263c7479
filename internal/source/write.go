package source

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

// SaveMode says what a write does when its target holds something already.
type SaveMode uint8

// The save modes.
const (
	ErrorIfExists SaveMode = iota
	Append
	Overwrite
	Ignore
)

// WriteSpec describes a write. It travels to the executors.
type WriteSpec struct {
	Format    string
	Path      string
	Schema    *types.Schema // of the batches
	Partition []string      // columns that go into directory names, not into the files
	Static    []string      // Overwrite: "name=value" directories, as far as constants give them; only what lies below is replaced
	Dynamic   bool          // Overwrite: replace only the partitions that are written
	Mode      SaveMode
	Options   map[string]string
}

// WriteJob is one write from its start to its commit. The driver makes it with NewWriteJob; tasks write attempts with
// TaskWriter and commit them; at the end the driver commits the job with one message of each task, or aborts it. Nothing
// is seen under the target path before the job is committed.
//
// An attempt writes below _temporary/<id>/attempt-<task>-<attempt>; committing renames that to task-<task>, which succeeds
// for one attempt only.
type WriteJob struct {
	Spec WriteSpec
	ID   string
	Skip bool // mode Ignore, and the target exists: there is nothing to do
}

// CommitMessage is what a committed task tells the driver.
type CommitMessage struct {
	Task       int
	Files      []string // relative to the target
	Partitions []string // directories of the dynamic partitions written
	Rows       int64
	Bytes      int64
}

// Encode and DecodeCommitMessage carry a message as text.
func (m CommitMessage) Encode() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return string(b)
}

// DecodeCommitMessage reads what Encode wrote.
func DecodeCommitMessage(s string) (m CommitMessage, err error) {
	err = json.Unmarshal([]byte(s), &m)
	return m, err
}

// NewWriteJob checks the target against the mode and the schema against the format, and prepares the job.
func NewWriteJob(ctx context.Context, spec WriteSpec, env *Env) (*WriteJob, error) {
	if err := checkPartitionColumns(&spec, env); err != nil {
		return nil, err
	}
	o, err := outputFormatOf(&spec, env)
	if err != nil {
		return nil, err
	}
	if err := o.check(spec.dataSchema(env)); err != nil {
		return nil, err
	}
	f, path, err := resolve(spec.Path, env)
	if err != nil {
		return nil, err
	}
	j := &WriteJob{Spec: spec, ID: newID()}
	exists, err := vfs.Exists(ctx, f, path)
	if err != nil {
		return nil, writeError(f.URI(path), err)
	}
	switch {
	case exists && spec.Mode == ErrorIfExists:
		return nil, sparkerr.New("PATH_ALREADY_EXISTS", "outputPath", f.URI(path))
	case exists && spec.Mode == Ignore:
		j.Skip = true
		return j, nil
	}
	if err := j.makeTemp(ctx, f, path); err != nil {
		return nil, writeError(f.URI(path), err)
	}
	return j, nil
}

// makeTemp makes the job's own temporary directory. A job that ends may remove the directory of all jobs' between the two steps
// of that; then it is tried again.
func (j *WriteJob) makeTemp(ctx context.Context, f vfs.FS, path string) (err error) {
	for range 100 {
		if err = f.MkdirAll(ctx, j.temp(path)); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return err
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand does not fail
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func checkPartitionColumns(s *WriteSpec, env *Env) error {
	for i, p := range s.Partition {
		f := findField(s.Schema, p, env.caseSensitive())
		if f == nil {
			return sparkerr.New("PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA", "column", p, "schema", s.Schema.Type().SQL())
		}
		s.Partition[i] = f.Name
		if f.Type.IsNested() || f.Type.Kind == types.CalendarKind || f.Type.Kind == types.VariantKind {
			return sparkerr.New("INVALID_PARTITION_COLUMN_DATA_TYPE", "type", `"`+f.Type.SQL()+`"`)
		}
	}
	if len(s.Partition) > 0 && len(s.Partition) == len(s.Schema.Fields) {
		return sparkerr.New("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	return checkDuplicates(s.Schema, env.caseSensitive())
}

// dataSchema is what the files hold.
func (s *WriteSpec) dataSchema(env *Env) *types.Schema {
	out := &types.Schema{}
	for _, f := range s.Schema.Fields {
		if s.partition(f.Name) < 0 {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}

func (s *WriteSpec) partition(name string) int {
	for i, p := range s.Partition {
		if p == name {
			return i
		}
	}
	return -1
}

const temporary = "_temporary"

func (j *WriteJob) temp(path string) string { return vfs.Join(path, temporary, j.ID) }

func (j *WriteJob) taskDir(path string, task int) string {
	return vfs.Join(j.temp(path), fmt.Sprintf("task-%05d", task))
}

// Commit moves the files of the committed tasks to their places and marks success. With mode Overwrite what was there
// goes first.
func (j *WriteJob) Commit(ctx context.Context, msgs []CommitMessage, env *Env) error {
	if j.Skip {
		return nil
	}
	f, path, err := resolve(j.Spec.Path, env)
	if err != nil {
		return err
	}
	if err := j.commit(ctx, f, path, msgs); err != nil {
		return writeError(f.URI(path), err)
	}
	if env.Conf("mapreduce.fileoutputcommitter.marksuccessfuljobs", "true") == "false" {
		return nil
	}
	return vfs.WriteFile(ctx, f, vfs.Join(path, "_SUCCESS"), nil)
}

func (j *WriteJob) commit(ctx context.Context, f vfs.FS, path string, msgs []CommitMessage) error {
	if j.Spec.Mode == Overwrite {
		if err := j.clear(ctx, f, path, msgs); err != nil {
			return err
		}
	}
	for _, m := range msgs {
		from := j.taskDir(path, m.Task)
		for _, name := range m.Files {
			if err := f.Rename(ctx, vfs.Join(from, name), vfs.Join(path, name)); err != nil {
				return err
			}
		}
	}
	return j.removeTemp(ctx, f, path)
}

// clear removes what the write replaces.
func (j *WriteJob) clear(ctx context.Context, f vfs.FS, path string, msgs []CommitMessage) error {
	if j.Spec.Dynamic && len(j.Spec.Partition) > 0 {
		for _, m := range msgs {
			for _, p := range m.Partitions {
				if err := f.Remove(ctx, vfs.Join(path, p)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	root := vfs.Join(path, j.Spec.Static...)
	l, err := f.List(ctx, root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range l {
		if e.Name() == temporary {
			err = j.clearTemp(ctx, f, e.Path)
		} else {
			err = f.Remove(ctx, e.Path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// clearTemp removes what other jobs have begun to write: they died, or what they write is overwritten.
func (j *WriteJob) clearTemp(ctx context.Context, f vfs.FS, all string) error {
	l, err := f.List(ctx, all)
	if err != nil {
		return err
	}
	for _, e := range l {
		if e.Name() == j.ID {
			continue
		}
		if err := f.Remove(ctx, e.Path); err != nil {
			return err
		}
	}
	return nil
}

// removeTemp removes the job's temporary files, and the directory of all jobs' when it is empty.
func (j *WriteJob) removeTemp(ctx context.Context, f vfs.FS, path string) error {
	if err := f.Remove(ctx, j.temp(path)); err != nil {
		return err
	}
	return f.RemoveEmpty(ctx, vfs.Join(path, temporary))
}

// Abort removes all that the job wrote.
func (j *WriteJob) Abort(ctx context.Context, env *Env) error {
	if j.Skip {
		return nil
	}
	f, path, err := resolve(j.Spec.Path, env)
	if err != nil {
		return err
	}
	return j.removeTemp(ctx, f, path)
}

func writeError(uri string, err error) error {
	if _, ok := sparkerr.As(err); ok {
		return err
	}
	return sparkerr.New("TASK_WRITE_FAILED", "path", uri).WithCause(err)
}
