//go:build !linux

package bench

import "time"

// processorTime, resetPeak and peakMemory have no source on this system: the columns show 0.
func processorTime() time.Duration { return 0 }
func resetPeak()                   {}
func peakMemory() int64            { return 0 }
