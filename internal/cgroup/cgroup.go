// Package cgroup tells what the memory cgroups of a process allow, and what the kernel did when they were full. It knows both
// hierarchies (v1 and v2), and reads only; where there is nothing to read it says that there is no limit.
package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Memory is the memory cgroup of a process with all that it lies in. The zero value is a process without one.
type Memory struct {
	dirs []string // from the process's own to the root of the hierarchy
	names
}

// names are the files of a version of cgroups.
type names struct{ limit, current, peak, events string }

var (
	version1 = names{"memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"}
	version2 = names{"memory.max", "memory.current", "memory.peak", "memory.events"}
)

// unlimited is what version 1 shows without a limit, more or less: the largest number, rounded to pages.
const unlimited = math.MaxInt64 &^ (1<<20 - 1)

// Self is the memory cgroup of this process.
func Self() Memory { return find("/", "self") }

// Of is the memory cgroup of another process.
func Of(pid int) Memory { return find("/", strconv.Itoa(pid)) }

// find looks below a root, which is another one than / in tests.
func find(root, process string) Memory {
	groups, err := os.ReadFile(filepath.Join(root, "proc", process, "cgroup"))
	if err != nil {
		return Memory{}
	}
	group, second, ok := memoryGroup(string(groups))
	if !ok {
		return Memory{}
	}
	mounts, err := os.ReadFile(filepath.Join(root, "proc", process, "mountinfo"))
	if err != nil {
		return Memory{}
	}
	from, at, ok := mountOf(string(mounts), second)
	if !ok {
		return Memory{}
	}
	m := Memory{names: version1}
	if second {
		m.names = version2
	}
	for rel := below(from, group); ; rel = filepath.Dir(rel) {
		m.dirs = append(m.dirs, filepath.Join(root, at, rel))
		if rel == "/" {
			return m
		}
	}
}

// memoryGroup finds the path of the group that counts memory: version 1 where the controller is mounted so, else version 2.
func memoryGroup(text string) (group string, second, ok bool) {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) < 3:
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			return parts[2], false, true
		case parts[0] == "0" && parts[1] == "":
			group, second, ok = parts[2], true, true
		}
	}
	return group, second, ok
}

// mountOf finds where a hierarchy is mounted, and which of its groups is the root of the mount.
func mountOf(text string, second bool) (from, at string, ok bool) {
	for line := range strings.Lines(text) {
		before, after, found := strings.Cut(line, " - ")
		where, what := strings.Fields(before), strings.Fields(after)
		if !found || len(where) < 5 || len(what) < 3 {
			continue
		}
		fits := what[0] == "cgroup2"
		if !second {
			fits = what[0] == "cgroup" && slices.Contains(strings.Split(what[2], ","), "memory")
		}
		if fits {
			return where[3], where[4], true
		}
	}
	return "", "", false
}

// below is the place of a group below the root of its mount. In a container the mount often shows the container's own group,
// while the path is the one of the host; then it is the root.
func below(from, group string) string {
	group = filepath.Clean("/" + group)
	if from == "/" {
		return group
	}
	if rest, ok := strings.CutPrefix(group, from); ok && (rest == "" || rest[0] == '/') {
		return filepath.Clean("/" + rest)
	}
	return "/"
}

// Limit is the smallest limit in bytes of the group and of all groups that it lies in.
func (m Memory) Limit() (bytes int64, ok bool) {
	for _, dir := range m.dirs {
		if n, has := number(filepath.Join(dir, m.limit)); has && n > 0 && n < unlimited && (!ok || n < bytes) {
			bytes, ok = n, true
		}
	}
	return bytes, ok
}

// Full is the group whose limit is the smallest, and what it uses of it, now and at most. A kernel that does not tell the peak
// gives 0.
func (m Memory) Full() (name string, limit, current, peak int64, ok bool) {
	limit, ok = m.Limit()
	for _, dir := range m.dirs {
		if n, has := number(filepath.Join(dir, m.limit)); ok && has && n == limit {
			current, _ = number(filepath.Join(dir, m.current))
			peak, _ = number(filepath.Join(dir, m.peak))
			return dir, limit, current, peak, true
		}
	}
	return "", 0, 0, 0, false
}

// Name tells groups apart; "" is none.
func (m Memory) Name() string {
	if len(m.dirs) == 0 {
		return ""
	}
	return m.dirs[0]
}

// Kills is how many processes of the group the kernel has killed for want of memory.
func (m Memory) Kills() (n int64, ok bool) {
	if len(m.dirs) == 0 {
		return 0, false
	}
	b, err := os.ReadFile(filepath.Join(m.dirs[0], m.events))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "oom_kill" {
			n, err = strconv.ParseInt(f[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// number reads a file of one number; "max" is none.
func number(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}
