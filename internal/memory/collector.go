package memory

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// The garbage collector is paced by what a collection costs. Most of the heap are buffers without pointers, which it does not
// look at: letting garbage grow to the size of what lives, as it does by default, would double the memory for nothing.
const (
	// leastGarbage may always gather between two collections; small heaps are collected less often than by default.
	leastGarbage = 48 << 20
	// liveShare is the part of what lives that may gather as garbage, where pointers do not call for more.
	liveShare = 4
)

var paced sync.Once

// paceCollector lets the collector run when the garbage has reached the largest of leastGarbage, a part of what lives, and the
// bytes of the heap that may hold pointers. The environment's GOGC is obeyed instead where it is set.
func paceCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	paced.Do(func() {
		p := &pacer{sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}}
		p.collected()
	})
}

type pacer struct {
	sample  []metrics.Sample
	percent int
}

// collected sets the pace after each collection: the object that it leaves is found dead by the next one.
func (p *pacer) collected() {
	metrics.Read(p.sample)
	if n := garbagePercent(int64(p.sample[0].Value.Uint64()), int64(p.sample[1].Value.Uint64())); n != p.percent {
		p.percent = n
		debug.SetGCPercent(n)
	}
	Buffers.Trim()
	runtime.SetFinalizer(&struct{ *pacer }{p}, func(s *struct{ *pacer }) { s.collected() })
}

// garbagePercent is the garbage that may gather, in percent of what lives; scan are the bytes of it that may hold pointers.
func garbagePercent(live, scan int64) int {
	live = max(live, 4<<20)
	garbage := max(leastGarbage, live/liveShare, min(scan, live))
	return int(garbage * 100 / live)
}
