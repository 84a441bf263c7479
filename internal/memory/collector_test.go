package memory

import "testing"

func TestGarbagePercent(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name       string
		live, scan int64
		want       int
	}{
		{"nothing lives yet", 0, 0, 1200},
		{"a small heap", 16 * mb, 16 * mb, 300},
		{"buffers", 400 * mb, 10 * mb, 25},
		{"pointers", 400 * mb, 400 * mb, 100},
		{"half of it pointers", 400 * mb, 200 * mb, 50},
		{"more to scan than lives", 100 * mb, 400 * mb, 100},
	} {
		if got := garbagePercent(c.live, c.scan); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
