package sqlparser

import (
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// dateLiteral reads the text of DATE '…': a date in ISO form (a time after it is ignored) or a special word.
func (p *parser) dateLiteral(s string) (int32, bool) {
	s = types.TrimAll(s)
	if s != "" && isLetter(s[0]) {
		return p.specialDate(strings.ToLower(s))
	}
	return types.ParseDate(s)
}

// specialDate reads epoch, now, today, yesterday and tomorrow.
func (p *parser) specialDate(w string) (int32, bool) {
	if w == "epoch" {
		return 0, true
	}
	y, m, d := p.now().Date()
	today := types.DaysFromCivil(y, int(m), d)
	switch w {
	case "now", "today":
		return today, true
	case "yesterday":
		return today - 1, true
	case "tomorrow":
		return today + 1, true
	}
	return 0, false
}

func (p *parser) location() *time.Location {
	if p.o.Location == nil {
		return time.UTC
	}
	return p.o.Location
}

func (p *parser) now() time.Time { return p.o.Now.In(p.location()) }

// timestampLiteral reads the text of a timestamp literal. A TIMESTAMP with a zone in its text is one with local time zone
// whatever the session's default type is.
func (p *parser) timestampLiteral(typ, s string) (int64, types.Type, bool) {
	ntz := typ == "TIMESTAMP_NTZ" || typ == "TIMESTAMP" && p.o.TimestampNTZ
	t := types.Timestamp
	if ntz {
		t = types.TimestampNTZ
	}
	if v, ok := p.specialTimestamp(strings.ToLower(types.TrimAll(s)), ntz); ok {
		return v, t, true
	}
	c, ok := types.ScanTimestamp(s)
	if !ok || c.TimeOnly && ntz || !c.HasTime && strings.HasSuffix(types.TrimAll(s), "T") {
		return 0, t, false
	}
	if ntz && (typ == "TIMESTAMP_NTZ" || c.Zone == nil) {
		return c.Local, t, true
	}
	if c.Zone == nil {
		c.Zone = p.location()
	}
	if c.TimeOnly {
		today, _ := p.specialDate("today")
		c.Local += int64(today) * types.MicrosPerDay
	}
	return types.FromLocal(c.Local, c.Zone), types.Timestamp, true
}

// specialTimestamp reads epoch, now, today, yesterday and tomorrow.
func (p *parser) specialTimestamp(w string, ntz bool) (int64, bool) {
	switch w {
	case "epoch":
		return 0, true
	case "now":
		if ntz {
			return types.ToLocal(p.now().UnixMicro(), p.location()), true
		}
		return p.now().UnixMicro(), true
	}
	d, ok := p.specialDate(w)
	local := int64(d) * types.MicrosPerDay
	if ntz {
		return local, ok
	}
	return types.FromLocal(local, p.location()), ok
}

// timeLiteral reads the text of TIME '…' as nanoseconds since midnight, on a clock of 24 hours or of 12 with AM or PM.
func timeLiteral(s string) (int64, bool) {
	s = types.TrimAll(s)
	upper := strings.ToUpper(s)
	pm := strings.HasSuffix(upper, "PM")
	if !pm && !strings.HasSuffix(upper, "AM") {
		return types.ParseTime(s)
	}
	const hour = int64(time.Hour)
	ns, ok := types.ParseTime(types.TrimAll(s[:len(s)-2]))
	h := ns / hour
	if !ok || h < 1 || h > 12 {
		return 0, false
	}
	ns -= h * hour
	if h %= 12; pm {
		h += 12
	}
	return ns + h*hour, true
}
