package shuffle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/firesteel/firesteel/internal/block"
	"github.com/firesteel/firesteel/internal/event"
)

// The file of a map output holds the frames of partition 0, 1, … and then an index: the end offset (8 bytes) and the CRC-32C
// (4) of each partition, their number (4), a CRC-32C of the index (4) and a magic (4), little endian.
const (
	indexMagic = 0x32495346 // FSI2
	indexEntry = 12
	indexTail  = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FileName is the name of a map output's file.
func FileName(shuffle event.ShuffleID, m int) string {
	return fmt.Sprintf("shuffle_%d_%d_0.data", shuffle, m)
}

// indexOf makes the index of partitions with these end offsets and checksums.
func indexOf(ends []int64, sums []uint32) []byte {
	index := make([]byte, 0, len(ends)*indexEntry+indexTail)
	for i, at := range ends {
		index = binary.LittleEndian.AppendUint64(index, uint64(at))
		index = binary.LittleEndian.AppendUint32(index, sums[i])
	}
	index = binary.LittleEndian.AppendUint32(index, uint32(len(ends)))
	index = binary.LittleEndian.AppendUint32(index, crc32.Checksum(index, castagnoli))
	return binary.LittleEndian.AppendUint32(index, indexMagic)
}

// Section reads partitions of a map output's file. It implements block.Reader and io.Reader.
type Section struct {
	*io.SectionReader
	io.Closer
}

// storedFile is the file of a map output, wherever it lies.
type storedFile interface {
	io.ReaderAt
	io.Closer
}

// OpenFile opens partitions [from, to) of the map output at path.
func OpenFile(path string, from, to int) (*Section, error) {
	return openPart(path, func(index outputIndex, _ int64) (int64, int64, error) { return index.bounds(from, to) })
}

// OpenWhole opens the file of a map output with its index, as another executor may keep it.
func OpenWhole(path string) (*Section, error) {
	return openPart(path, func(_ outputIndex, size int64) (int64, int64, error) { return 0, size, nil })
}

func openPart(path string, place placer) (*Section, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return sectionOf(path, f, size, place)
}

// placer says where in a file what is wanted begins and ends.
type placer func(index outputIndex, size int64) (start, end int64, err error)

func openFile(path string) (f *os.File, size int64, err error) {
	if f, err = os.Open(path); err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// sectionOf takes over f.
func sectionOf(path string, f storedFile, size int64, place placer) (*Section, error) {
	index, err := readIndex(f, size)
	var start, end int64
	if err == nil {
		start, end, err = place(index, size)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return &Section{io.NewSectionReader(f, start, end-start), f}, nil
}

// CheckFile says whether the bytes of partitions [from, to) are those that were written: block.ErrChecksum if not.
func CheckFile(path string, from, to int) error {
	f, size, err := openFile(path)
	if err != nil {
		return err
	}
	return errors.Join(check(path, f, size, from, to), f.Close())
}

func check(path string, f io.ReaderAt, size int64, from, to int) error {
	index, err := readIndex(f, size)
	if err != nil {
		return err
	}
	if to < 0 {
		to = index.n
	}
	for p := from; p < to; p++ {
		start, end, err := index.bounds(p, p+1)
		if err != nil {
			return err
		}
		h := crc32.New(castagnoli)
		if _, err := io.Copy(h, io.NewSectionReader(f, start, end-start)); err != nil {
			return err
		}
		if h.Sum32() != index.sum(p) {
			return fmt.Errorf("partition %d of %s: %w", p, path, block.ErrChecksum)
		}
	}
	return nil
}

// errIndex is the error of a file without a sound index.
var errIndex = fmt.Errorf("the index of the map output is damaged: %w", block.ErrChecksum)

// outputIndex is the index of a map output's file.
type outputIndex struct {
	n       int
	entries []byte
}

func readIndex(f io.ReaderAt, size int64) (x outputIndex, err error) {
	var tail [indexTail]byte
	if _, err := f.ReadAt(tail[:], size-indexTail); err != nil || binary.LittleEndian.Uint32(tail[8:]) != indexMagic {
		return x, errIndex
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n*indexEntry+indexTail > size {
		return x, errIndex
	}
	index := make([]byte, n*indexEntry+4)
	if _, err := f.ReadAt(index, size-n*indexEntry-indexTail); err != nil {
		return x, errIndex
	}
	if crc32.Checksum(index, castagnoli) != binary.LittleEndian.Uint32(tail[4:]) {
		return x, errIndex
	}
	return outputIndex{int(n), index}, nil
}

func (x outputIndex) end(i int) int64 {
	if i == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(x.entries[(i-1)*indexEntry:]))
}

func (x outputIndex) sum(i int) uint32 {
	return binary.LittleEndian.Uint32(x.entries[i*indexEntry+8:])
}

// bounds are where partitions [from, to) begin and end.
func (x outputIndex) bounds(from, to int) (start, end int64, err error) {
	if from < 0 || to > x.n || from > to {
		return 0, 0, fmt.Errorf("it has %d partitions, not [%d, %d): %w", x.n, from, to, errIndex)
	}
	if start, end = x.end(from), x.end(to); start > end {
		return 0, 0, errIndex
	}
	return start, end, nil
}
