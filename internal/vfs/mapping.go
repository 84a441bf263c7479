package vfs

import (
	"container/list"
	"os"
	"sync"
)

// maxMapped bounds the address space kept mapped for files that nobody has open.
const maxMapped = 64 << 30

// mappings keeps files mapped between opens: mapping and unmapping cost page faults on every page that is read, which
// for hot files is half of the reading. A mapping is used again only for the same path, size, time and inode.
type mappings struct {
	mu     sync.Mutex
	by     map[string]*mapping
	idle   *list.List // of *mapping, least recently used first
	bytes  int64      // idle and in use
	budget int64

	readers []*mapping // of which something was read and may be in memory
	touched int64      // bytes of that
}

const (
	// maxTouched bounds the pages of mapped files that stay in the process although nobody looks at them: they count as its
	// memory. Some stay, for what many queries read would be faulted in again by each.
	maxTouched = 64 << 20
	// touchBlock is the unit in which they are counted.
	touchBlock = 64 << 10
)

type mapping struct {
	key  Info
	data []byte
	refs int
	at   *list.Element  // in idle, when refs is 0
	read map[int64]bool // its blocks that were read
	old  bool           // no longer in by: unmap when refs falls to 0
}

func newMappings(budget int64) *mappings {
	return &mappings{by: map[string]*mapping{}, idle: list.New(), budget: budget}
}

// get returns the mapping of an open file, nil if it cannot be mapped.
func (c *mappings) get(f *os.File, key Info) *mapping {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.by[key.Path]; m != nil {
		if m.key == key {
			c.take(m)
			return m
		}
		c.drop(m)
	}
	if key.Size == 0 || key.Size != int64(int(key.Size)) || !c.room(key.Size) {
		return nil
	}
	data, err := mapFile(f, int(key.Size))
	if err != nil {
		return nil
	}
	m := &mapping{key: key, data: data, refs: 1}
	c.by[key.Path] = m
	c.bytes += key.Size
	c.evict()
	return m
}

// room makes room for a mapping of n bytes by giving up idle ones; pages of mapped files count as this process's memory.
func (c *mappings) room(n int64) bool {
	for c.bytes+n > c.budget && c.idle.Len() > 0 {
		c.drop(c.idle.Front().Value.(*mapping))
	}
	return c.bytes+n <= c.budget
}

func (c *mappings) take(m *mapping) {
	if m.at != nil {
		c.idle.Remove(m.at)
		m.at = nil
	}
	m.refs++
}

// put gives a mapping back; it stays mapped while the budget allows.
func (c *mappings) put(m *mapping) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.refs--
	if m.refs > 0 {
		return
	}
	if m.old {
		c.free(m)
		return
	}
	m.at = c.idle.PushBack(m)
	c.evict()
}

// drop forgets a mapping whose file was replaced.
func (c *mappings) drop(m *mapping) {
	delete(c.by, m.key.Path)
	m.old = true
	if m.at != nil {
		c.idle.Remove(m.at)
		m.at = nil
		c.free(m)
	}
}

func (c *mappings) evict() {
	for c.bytes > c.budget && c.idle.Len() > 0 {
		c.drop(c.idle.Front().Value.(*mapping))
	}
}

// forget notes what was read. When that is too much the pages of all mappings leave the process: rarely, and then many at a time,
// as each call makes the other processors wait.
func (c *mappings) forget(m *mapping, off, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.read == nil {
		m.read = map[int64]bool{}
	}
	if len(m.read) == 0 {
		c.readers = append(c.readers, m)
	}
	before := len(m.read)
	for b := off / touchBlock; b*touchBlock < off+n; b++ {
		m.read[b] = true
	}
	c.touched += int64(len(m.read)-before) * touchBlock
	if c.touched > maxTouched {
		c.release()
	}
}

func (c *mappings) release() {
	for _, m := range c.readers {
		clear(m.read)
		if m.data != nil {
			forgetPages(m.data)
		}
	}
	c.touched, c.readers = 0, c.readers[:0]
}

func (c *mappings) free(m *mapping) {
	c.bytes -= m.key.Size
	unmap(m.data)
	m.data = nil
	c.touched -= int64(len(m.read)) * touchBlock
	clear(m.read)
}
