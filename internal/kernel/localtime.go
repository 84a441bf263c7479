package kernel

import (
	"math"
	"time"

	"github.com/firesteel/firesteel/internal/columnar"
	"github.com/firesteel/firesteel/internal/types"
)

// ZoneClock converts between UTC and local time of one zone. It remembers the last stretch of time with one offset.
type ZoneClock struct {
	zone   *time.Location
	lo, hi int64 // UTC seconds with offset off
	off    int64
}

// Offset is the zone's offset in seconds at a UTC second.
func (z *ZoneClock) Offset(sec int64, zone *time.Location) int64 {
	if zone != z.zone || sec < z.lo || sec >= z.hi {
		z.find(sec, zone)
	}
	return z.off
}

func (z *ZoneClock) find(sec int64, zone *time.Location) {
	z.zone, z.lo, z.hi, z.off = zone, math.MinInt64, math.MaxInt64, 0
	if zone == nil || zone == time.UTC {
		return
	}
	t := time.Unix(sec, 0).In(zone)
	_, off := t.Zone()
	z.off = int64(off)
	from, to := t.ZoneBounds()
	if !from.IsZero() {
		z.lo = from.Unix()
	}
	if !to.IsZero() {
		z.hi = to.Unix()
	}
}

// ToLocal turns a UTC timestamp to microseconds of local date-time.
func (z *ZoneClock) ToLocal(us int64, zone *time.Location) int64 {
	return us + z.Offset(types.FloorDiv(us, types.MicrosPerSecond), zone)*types.MicrosPerSecond
}

// FromLocal is the UTC timestamp of a local date-time, as types.FromLocal has it.
func (z *ZoneClock) FromLocal(us int64, zone *time.Location) int64 {
	sec := types.FloorDiv(us, types.MicrosPerSecond)
	off := z.Offset(sec, zone)
	if utc := sec - off; utc >= z.lo && utc < z.hi && utc-86400 >= z.lo && utc+86400 < z.hi {
		return us - off*types.MicrosPerSecond
	}
	return types.FromLocal(us, zone)
}

// MapDates computes a number from each date; rows that are null are computed too.
func MapDates(f func(day int32) int32) Func {
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		days, out := columnar.Of[int32](args[0].Data)[:n], Out[int32](c, n)
		for i, d := range days {
			out[i] = f(d)
		}
		return Flat(out), nil
	}
}

// MapLocal computes a number from the local date-time of each timestamp, in the session's zone when utc is set.
func MapLocal(utc bool, f func(us int64) int32) Func {
	var z ZoneClock
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		ts, out := columnar.Of[int64](args[0].Data)[:n], Out[int32](c, n)
		if !utc {
			for i, us := range ts {
				out[i] = f(us)
			}
			return Flat(out), nil
		}
		for i, us := range ts {
			out[i] = f(z.ToLocal(us, c.Zone))
		}
		return Flat(out), nil
	}
}

// MapTimestamps computes a timestamp from the local date-time of each: f maps local to local.
func MapTimestamps(utc bool, f func(us int64) int64) Func {
	var z ZoneClock
	return func(c *Ctx, args []columnar.Vector, n int) (columnar.Vector, error) {
		ts, out := columnar.Of[int64](args[0].Data)[:n], Out[int64](c, n)
		for i, us := range ts {
			if utc {
				out[i] = z.FromLocal(f(z.ToLocal(us, c.Zone)), c.Zone)
			} else {
				out[i] = f(us)
			}
		}
		return Flat(out), nil
	}
}
