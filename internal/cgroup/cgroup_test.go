package cgroup

import (
	"os"
	"path/filepath"
	"testing"
)

// tree makes files below a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	mount1 = "30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n33 30 0:29 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
	mount2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
)

// TestLimit has groups within groups of both versions; the smallest limit counts, wherever it stands.
func TestLimit(t *testing.T) {
	const v1, v2 = "sys/fs/cgroup/memory", "sys/fs/cgroup"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64 // 0: none
	}{
		"2, own": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": mount2,
			v2 + "/a/b/memory.max": "100\n", v2 + "/a/memory.max": "max\n"}, 100},
		"2, of the parent": {map[string]string{"proc/self/cgroup": "0::/a/b/c\n", "proc/self/mountinfo": mount2,
			v2 + "/a/b/c/memory.max": "max\n", v2 + "/a/b/memory.max": "700\n", v2 + "/a/memory.max": "300\n"}, 300},
		"2, child larger than its parent": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": mount2,
			v2 + "/a/b/memory.max": "900\n", v2 + "/a/memory.max": "800\n"}, 800},
		"2, controller off in the child": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": mount2,
			v2 + "/a/memory.max": "500\n"}, 500},
		"2, a container's own view": {map[string]string{"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mount2,
			v2 + "/memory.max": "400\n"}, 400},
		"2, no limit": {map[string]string{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": mount2, v2 + "/a/memory.max": "max\n"}, 0},
		"1, of the grandparent": {map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/a/b/c\n0::/x\n", "proc/self/mountinfo": mount1,
			v1 + "/memory.limit_in_bytes": "9223372036854771712\n", v1 + "/a/memory.limit_in_bytes": "200\n",
			v1 + "/a/b/memory.limit_in_bytes": "9223372036854771712\n", v1 + "/a/b/c/memory.limit_in_bytes": "600\n"}, 200},
		"1, the host's path in a container": {map[string]string{"proc/self/cgroup": "4:memory:/docker/abc\n",
			"proc/self/mountinfo":         "33 30 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			v1 + "/memory.limit_in_bytes": "256\n"}, 256},
		"1, below the mount's root": {map[string]string{"proc/self/cgroup": "4:memory:/docker/abc/in\n",
			"proc/self/mountinfo":            "33 30 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			v1 + "/memory.limit_in_bytes":    "256\n",
			v1 + "/in/memory.limit_in_bytes": "128\n"}, 128},
		"1, no limit": {map[string]string{"proc/self/cgroup": "4:memory:/a\n", "proc/self/mountinfo": mount1,
			v1 + "/a/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"not mounted": {map[string]string{"proc/self/cgroup": "4:memory:/a\n", "proc/self/mountinfo": mount2}, 0},
		"nonsense":    {map[string]string{"proc/self/cgroup": "a\n::\n", "proc/self/mountinfo": " - \nx - y\n"}, 0},
		"nothing":     {nil, 0},
	} {
		got, ok := find(tree(t, c.files), "self").Limit()
		if got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: limit %d (%v), want %d", name, got, ok, c.want)
		}
	}
}

func TestKills(t *testing.T) {
	first := find(tree(t, map[string]string{"proc/7/cgroup": "4:memory:/a\n", "proc/7/mountinfo": mount1,
		"sys/fs/cgroup/memory/a/memory.oom_control":        "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
		"sys/fs/cgroup/memory/a/memory.limit_in_bytes":     "1000\n",
		"sys/fs/cgroup/memory/a/memory.usage_in_bytes":     "40\n",
		"sys/fs/cgroup/memory/a/memory.max_usage_in_bytes": "1000\n"}), "7")
	second := find(tree(t, map[string]string{"proc/7/cgroup": "0::/a/b\n", "proc/7/mountinfo": mount2,
		"sys/fs/cgroup/a/b/memory.events": "low 0\nhigh 0\nmax 9\noom 2\noom_kill 3\noom_group_kill 0\n",
		"sys/fs/cgroup/a/memory.max":      "1000\n",
		"sys/fs/cgroup/a/memory.current":  "40\n",
		"sys/fs/cgroup/a/memory.peak":     "1000\n"}), "7")
	for name, m := range map[string]Memory{"version 1": first, "version 2": second} {
		if n, ok := m.Kills(); n != 3 || !ok {
			t.Errorf("%s: %d kills (%v)", name, n, ok)
		}
		group, limit, current, peak, ok := m.Full()
		if filepath.Base(group) != "a" || limit != 1000 || current != 40 || peak != 1000 || !ok {
			t.Errorf("%s: %s has %d of %d, at most %d (%v)", name, group, current, limit, peak, ok)
		}
	}
	if n, ok := (Memory{}).Kills(); n != 0 || ok {
		t.Errorf("without a group there are %d kills", n)
	}
}
