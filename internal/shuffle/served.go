package shuffle

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
)

// BlockName names partitions [from, to) of a map output for block servers.
func BlockName(shuffle event.ShuffleID, m, from, to int) string {
	return fmt.Sprintf("shuffle_%d_%d_%d_%d", shuffle, m, from, to)
}

// Blocks serves the map outputs of Files, and what another source has under other names.
type Blocks struct {
	Files *Files
	Rest  block.Source
}

// Open implements block.Source.
func (b Blocks) Open(name string) (block.Reader, error) {
	rest, ok := strings.CutPrefix(name, "shuffle_")
	if !ok {
		return b.Rest.Open(name)
	}
	var n [4]int
	parts := strings.Split(rest, "_")
	for i := range n {
		var err error
		if len(parts) == len(n) {
			n[i], err = strconv.Atoi(parts[i])
		}
		if len(parts) != len(n) || err != nil || n[i] < 0 {
			return nil, fmt.Errorf("%s names no map output", name)
		}
	}
	r, _, err := b.Files.Open(event.ShuffleID(n[0]), n[1], n[2], n[3])
	if err != nil {
		if os.IsNotExist(err) {
			return nil, fmt.Errorf("map output %s: %w", name, fs.ErrNotExist)
		}
		return nil, err
	}
	return r.(*sectionFile), nil
}

// Remove implements block.Source. Map outputs go with their shuffle only.
func (b Blocks) Remove(name string) error {
	if strings.HasPrefix(name, "shuffle_") {
		return fmt.Errorf("%s is a map output and cannot be removed alone", name)
	}
	return b.Rest.Remove(name)
}

// Peers reads the map outputs of other executors from their block servers. It implements Fetcher.
type Peers struct {
	Client *block.Client
	// Address is the block server of an executor.
	Address func(event.ExecutorID) (string, error)
}

// Fetch implements Fetcher. It does not wait; errors come from the reader.
func (p Peers) Fetch(ctx context.Context, shuffle event.ShuffleID, m MapStatus, from, to int) (io.ReadCloser, error) {
	at, err := p.Address(m.At)
	if err != nil {
		return nil, err
	}
	return p.Client.Open(ctx, at, BlockName(shuffle, m.Map, from, to), m.size(from, to)), nil
}

// size is the number of bytes of partitions [from, to); -1 if it is not known.
func (m *MapStatus) size(from, to int) int64 {
	if to > len(m.Sizes) || from < 0 {
		return -1
	}
	var n int64
	for _, b := range m.Sizes[from:to] {
		n += b
	}
	return n
}
