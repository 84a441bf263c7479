package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
)

// Part names partitions [From, To) of a map output for block servers; To < 0 stands for its whole file, index included.
type Part struct {
	Shuffle       event.ShuffleID
	Map, From, To int
}

const partPrefix = "shuffle_"

// Name is the name of the block.
func (p Part) Name() string {
	if p.To < 0 {
		return fmt.Sprintf(partPrefix+"%d_%d", p.Shuffle, p.Map)
	}
	return fmt.Sprintf(partPrefix+"%d_%d_%d_%d", p.Shuffle, p.Map, p.From, p.To)
}

// ParsePart reads a block's name; ok is false for the names of other things.
func ParsePart(name string) (p Part, ok bool, err error) {
	rest, ok := strings.CutPrefix(name, partPrefix)
	if !ok {
		return p, false, nil
	}
	parts := strings.Split(rest, "_")
	n := [4]int{3: -1}
	for i, text := range parts {
		if len(parts) != 2 && len(parts) != len(n) {
			return p, true, fmt.Errorf("%s names no map output", name)
		}
		if n[i], err = strconv.Atoi(text); err != nil || n[i] < 0 {
			return p, true, fmt.Errorf("%s names no map output", name)
		}
	}
	return Part{event.ShuffleID(n[0]), n[1], n[2], n[3]}, true, nil
}

// OpenAt opens the part in the file at path. A file that is not there is an fs.ErrNotExist.
func (p Part) OpenAt(path string) (block.Reader, error) {
	open := func() (*Section, error) { return OpenFile(path, p.From, p.To) }
	if p.To < 0 {
		open = func() (*Section, error) { return OpenWhole(path) }
	}
	s, err := open()
	if err != nil { // a *Section that is nil is no Reader that is nil
		return nil, err
	}
	return s, nil
}

// Blocks serves the map outputs of Files, and what another source has under other names.
type Blocks struct {
	Files *Files
	Rest  block.Source
}

// Open implements block.Source.
func (b Blocks) Open(name string) (block.Reader, error) {
	p, ok, err := ParsePart(name)
	if !ok {
		return b.Rest.Open(name)
	}
	if err != nil {
		return nil, err
	}
	path, err := b.Files.path(p)
	if err != nil {
		return nil, err
	}
	return p.OpenAt(path)
}

// Check implements block.Checker.
func (b Blocks) Check(name string) error {
	p, ok, err := ParsePart(name)
	if !ok || err != nil {
		return errors.Join(err, block.ErrUnchecked)
	}
	path, err := b.Files.path(p)
	if err != nil {
		return err
	}
	return CheckFile(path, p.From, p.To)
}

// Remove implements block.Source. Map outputs go with their shuffle only.
func (b Blocks) Remove(name string) error {
	if _, ok, _ := ParsePart(name); ok {
		return fmt.Errorf("%s is a map output and cannot be removed alone", name)
	}
	return b.Rest.Remove(name)
}

func (f *Files) path(p Part) (string, error) { return f.dirs.Path(FileName(p.Shuffle, p.Map)) }

// Peers reads the map outputs of other executors from their block servers, or from the shuffle service of the machine that
// they were written on. It implements Fetcher.
type Peers struct {
	Client *block.Client
	// Address is the block server of an executor.
	Address func(event.ExecutorID) (string, error)
	// Where asks where a map output lies now: see Mover. It may be nil.
	Where func(ctx context.Context, shuffle event.ShuffleID, m MapStatus) (MapStatus, bool)
	// Service is set where shuffle services serve the outputs.
	Service *Service
	// Fallback is set where there is one.
	Fallback *Fallback
}

// Service says where the shuffle services of an application are.
type Service struct {
	Client *block.Client
	App    event.AppID
	Port   int
}

// Outside is the name under which a shuffle service serves a part of what an executor wrote.
func (p Part) Outside(app event.AppID, by event.ExecutorID) string {
	return outsidePrefix + string(app) + "/" + string(by) + "/" + p.Name()
}

const outsidePrefix = "app/"

// ParseOutside reads a name that Outside made.
func ParseOutside(name string) (app event.AppID, by event.ExecutorID, p Part, err error) {
	parts := strings.Split(name, "/")
	if len(parts) == 4 && parts[0]+"/" == outsidePrefix && parts[1] != "" && parts[2] != "" {
		var ok bool
		if p, ok, err = ParsePart(parts[3]); ok {
			return event.AppID(parts[1]), event.ExecutorID(parts[2]), p, err
		}
	}
	return "", "", p, fmt.Errorf("block %s: %w", name, fs.ErrNotExist)
}

// source is where a map output is served: the client, the address and the name there.
func (p Peers) source(m MapStatus, part Part) (c *block.Client, at, name string, err error) {
	if s := p.Service; s != nil {
		return s.Client, net.JoinHostPort(m.Host, strconv.Itoa(s.Port)), part.Outside(s.App, m.At), nil
	}
	at, err = p.Address(m.At)
	return p.Client, at, part.Name(), err
}

// Fetch implements Fetcher. It waits for no executor; errors of those come from the reader.
func (p Peers) Fetch(ctx context.Context, shuffle event.ShuffleID, m MapStatus, from, to int) (io.ReadCloser, error) {
	if m.At == event.FallbackStorage && p.Fallback != nil {
		return p.Fallback.Open(ctx, Part{shuffle, m.Map, from, to})
	}
	c, at, name, err := p.source(m, Part{shuffle, m.Map, from, to})
	if err != nil {
		return nil, err
	}
	return c.Open(ctx, at, name, m.size(from, to)), nil
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
