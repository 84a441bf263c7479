package source

import (
	"time"

	"github.com/firesteel/firesteel/internal/function"
	"github.com/firesteel/firesteel/internal/kernel/datefmt"
	"github.com/firesteel/firesteel/internal/types"
)

// datePattern reads and prints by a pattern of an option.
type datePattern struct{ f *datefmt.Format }

func compilePattern(text string, parsing bool) (datePattern, error) {
	f, err := function.CompilePattern(text, parsing)
	return datePattern{f}, err
}

// ParseDate reads a date.
func (p datePattern) ParseDate(s string) (int32, bool) {
	v, err := p.f.Parse(s)
	return v.Day, err == nil
}

// ParseLocal reads a local date-time in µs.
func (p datePattern) ParseLocal(s string) (int64, bool) {
	v, err := p.f.Parse(s)
	return int64(v.Day)*types.MicrosPerDay + v.Nanos/1000, err == nil
}

// ParseTimestamp reads a UTC timestamp; text without a zone is in the given one.
func (p datePattern) ParseTimestamp(s string, zone *time.Location) (int64, bool) {
	v, err := p.f.Parse(s)
	if err != nil {
		return 0, false
	}
	if v.Zone != nil {
		zone = v.Zone
	}
	return types.FromLocal(int64(v.Day)*types.MicrosPerDay+v.Nanos/1000, zone), true
}

// Append prints a UTC timestamp in a zone, or a local one when zone is nil.
func (p datePattern) Append(dst []byte, us int64, zone *time.Location) []byte {
	off := int64(0)
	if zone != nil {
		off = types.ToLocal(us, zone) - us
		us += off
	}
	day := types.FloorDiv(us, types.MicrosPerDay)
	return p.f.Append(dst, int32(day), (us-day*types.MicrosPerDay)*1000, zone, int(off/1e6))
}
