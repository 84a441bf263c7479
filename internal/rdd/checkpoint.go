package rdd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/firesteel/firesteel/internal/vfs"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }
func le32(b []byte) uint32     { return binary.LittleEndian.Uint32(b) }

// Checkpoint writes the partitions of a node to files below a folder and reads them from there ever after: the lineage
// above it is not needed any more.
func (e *Engine) Checkpoint(ctx context.Context, n *Node, dir string, p Props) error {
	if err := n.resolve(ctx); err != nil {
		return err
	}
	folder := vfs.Join(dir, fmt.Sprintf("rdd-%d", n.ID))
	fs, path, err := e.host.Env.FS.Resolve(folder)
	if err == nil {
		err = fs.MkdirAll(ctx, path)
	}
	if err != nil {
		return err
	}
	if err := e.Run(ctx, Job{Node: n, Action: &checkpointAction{Elem: n.Elem, Folder: folder}, Props: p}); err != nil {
		return err
	}
	n.mu.Lock()
	n.checkpoint = folder
	n.mu.Unlock()
	return nil
}

// IsCheckpointed says whether a checkpoint was made.
func (n *Node) IsCheckpointed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.checkpoint != ""
}

func checkpointFile(folder string, part int) string {
	return vfs.Join(folder, fmt.Sprintf("part-%05d", part))
}

// checkpointAction writes one file a partition, which appears whole.
type checkpointAction struct {
	Elem   Elem
	Folder string
}

func (a *checkpointAction) Run(t *Task, seq any) any {
	fs, path, err := t.Env.FS.Resolve(checkpointFile(a.Folder, t.Partition))
	if err != nil {
		t.Fail(err)
		return nil
	}
	w, err := fs.Create(t.ctx, path)
	if err != nil {
		t.Fail(err)
		return nil
	}
	out := bufio.NewWriterSize(w, chunkSize)
	a.Elem.Encode(t, seq, func(b []byte) error {
		head := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))
		head = binary.LittleEndian.AppendUint32(head, checksum(b))
		_, err := out.Write(head)
		if err == nil {
			_, err = out.Write(b)
		}
		return err
	})
	t.Fail(out.Flush())
	if t.Err() != nil {
		_ = w.Abort() // the task fails for another reason
		return nil
	}
	t.Fail(w.Close())
	return nil
}

func (a *checkpointAction) Encode(any) ([]byte, error) { return nil, nil }
func (a *checkpointAction) Decode([]byte) (any, error) { return nil, nil }

// checkpointed reads a partition from its file.
func (t *Task) checkpointed(n *Node, part int) any {
	fs, path, err := t.Env.FS.Resolve(checkpointFile(n.checkpoint, part))
	var f vfs.File
	if err == nil {
		f, err = fs.Open(t.ctx, path)
	}
	if err != nil {
		t.Fail(fmt.Errorf("checkpoint of RDD %d: %w", n.ID, err))
		return n.Elem.Decode(t, func() ([]byte, error) { return nil, io.EOF })
	}
	t.OnClose(f.Close)
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, f.Info().Size), chunkSize)
	read := frames(in)
	return n.Elem.Decode(t, func() ([]byte, error) {
		b, err := read()
		if err != nil && !errors.Is(err, io.EOF) {
			err = fmt.Errorf("%s: %w", path, err)
		}
		return b, err
	})
}
