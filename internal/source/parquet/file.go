// Package parquet reads and writes Parquet files as columns.
//
// A File is a parsed footer. A Scanner reads the chosen columns of one row group, or of a range of its rows, as batches
// of windows on decoded pages: dictionary-encoded pages come out as codes with the dictionary, PLAIN pages of fixed
// width as views of the page, strings as views over it. Predicates run first, each once per dictionary entry where it
// can; the other columns are decoded for the rows that are left, and pages without such rows are not decompressed.
//
// All bytes of a file are foreign: sizes, offsets, levels and codes are checked before they are used.
package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"

	"github.com/firesteel/firesteel/internal/vfs"
)

// File is the metadata of one file: immutable, shared by all its readers.
type File struct {
	Info      vfs.Info
	Root      *Node
	Leaves    []*Node
	Rows      int64
	RowGroups []RowGroup
	Keys      map[string]string // key-value metadata
	CreatedBy string
	Digest    uint64 // of the footer: copies of a file share it, and other contents have another
}

// FormatError says what is wrong with a file, and where.
type FormatError struct {
	Path     string
	RowGroup int    // -1 unknown
	Column   string // "" unknown
	Err      error
}

func (e *FormatError) Error() string {
	s := e.Path
	if e.RowGroup >= 0 {
		s += fmt.Sprintf(", row group %d", e.RowGroup)
	}
	if e.Column != "" {
		s += ", column " + e.Column
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns what was found.
func (e *FormatError) Unwrap() error { return e.Err }

const magic = "PAR1"

// maxFooter bounds the footer's length; larger ones are taken for damage.
const maxFooter = 1 << 30

// Open parses the footer of a file.
func Open(f vfs.File) (*File, error) {
	out, err := open(f)
	if err != nil {
		return nil, &FormatError{Path: f.Info().Path, RowGroup: -1, Err: err}
	}
	return out, nil
}

func open(f vfs.File) (*File, error) {
	size := f.Info().Size
	if size < 12 {
		return nil, fmt.Errorf("%d bytes are too few for a Parquet file", size)
	}
	tail, err := readAt(f, max(0, size-64<<10), min(size, 64<<10))
	if err != nil {
		return nil, err
	}
	switch string(tail[len(tail)-4:]) {
	case magic:
	case "PARE":
		return nil, fmt.Errorf("the footer is encrypted")
	default:
		return nil, fmt.Errorf("no Parquet magic number at the end, found %q", tail[len(tail)-4:])
	}
	n := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if n == 0 || n > maxFooter || n > size-12 {
		return nil, fmt.Errorf("footer length %d of %d bytes", n, size)
	}
	if n+8 > int64(len(tail)) {
		if tail, err = readAt(f, size-8-n, n+8); err != nil {
			return nil, err
		}
	}
	b := tail[int64(len(tail))-8-n : len(tail)-8]
	out, err := parseFooter(b, f.Info())
	if err == nil {
		out.Digest = xxhash.Sum64(b)
	}
	return out, err
}

// readAt copies n bytes of the file.
func readAt(f vfs.File, off, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil && err != io.EOF {
		return nil, err
	} else if err == io.EOF && off+n != f.Info().Size {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

func parseFooter(b []byte, info vfs.Info) (*File, error) {
	var ft footer
	r := &thrift{b: b}
	readFooter(r, &ft)
	if r.bad {
		return nil, fmt.Errorf("the footer is damaged")
	}
	if ft.encrypted {
		return nil, fmt.Errorf("the file is encrypted")
	}
	root, leaves, err := tree(ft.elements)
	if err != nil {
		return nil, err
	}
	out := &File{Info: info, Root: root, Leaves: leaves, Rows: ft.rows, RowGroups: ft.groups, Keys: ft.keys, CreatedBy: ft.createdBy}
	return out, out.check()
}

// check makes sure that what the reader will rely on holds: one chunk for each leaf, all of them inside the file.
func (f *File) check() error {
	var rows int64
	for i := range f.RowGroups {
		g := &f.RowGroups[i]
		if len(g.Columns) != len(f.Leaves) {
			return fmt.Errorf("row group %d has %d columns, the schema %d", i, len(g.Columns), len(f.Leaves))
		}
		if g.Rows < 0 || g.Rows > 1<<31 {
			return fmt.Errorf("row group %d has %d rows", i, g.Rows)
		}
		rows += g.Rows
		for k := range g.Columns {
			if err := f.checkChunk(&g.Columns[k], f.Leaves[k], g.Rows); err != nil {
				return fmt.Errorf("row group %d, column %s: %w", i, f.Leaves[k].name, err)
			}
		}
	}
	if rows != f.Rows {
		return fmt.Errorf("the row groups have %d rows, the file %d", rows, f.Rows)
	}
	return nil
}

func (f *File) checkChunk(c *Chunk, leaf *Node, rows int64) error {
	start, size := c.start(), f.Info.Size
	switch {
	case c.file:
		return fmt.Errorf("its data is in another file")
	case c.encrypted:
		return fmt.Errorf("it is encrypted")
	case c.Phys != leaf.phys:
		return fmt.Errorf("type %s in the chunk, %s in the schema", c.Phys, leaf.phys)
	case c.Values < 0 || leaf.Rep == 0 && c.Values != rows:
		return fmt.Errorf("%d values for %d rows", c.Values, rows)
	case start < 0 || c.Compressed < 0 || start > size || c.Compressed > size-start:
		return fmt.Errorf("bytes %d+%d of %d", start, c.Compressed, size)
	}
	for _, s := range []*span{&c.offsetIndex, &c.columnIndex} {
		if s.off < 0 || s.len < 0 || s.off > size || int64(s.len) > size-s.off {
			*s = span{} // an index is not needed
		}
	}
	return nil
}

// start is where the chunk's first page lies.
func (c *Chunk) start() int64 {
	if c.Dictionary > 0 && c.Dictionary < c.Data {
		return c.Dictionary
	}
	return c.Data
}
