package datefmt

import (
	"strconv"
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// zoneID is the zone's name as Java prints it.
func zoneID(z *time.Location) string {
	if z == nil {
		return "Z"
	}
	return z.String()
}

// appendOffset prints ±HH:mm and its kin: X has Z for zero, x digits, Z no colon.
func appendOffset(dst []byte, it *item, offset int) []byte {
	colon, seconds, minutes := false, false, true
	switch {
	case it.letter == 'Z' && it.n == 4:
		return appendGMT(dst, offset, true)
	case it.letter == 'Z' && it.n == 5:
		colon, seconds = true, true
		if offset == 0 {
			return append(dst, 'Z')
		}
	case it.letter == 'Z':
	default:
		if it.letter == 'X' && offset == 0 {
			return append(dst, 'Z')
		}
		colon, seconds = it.n == 3 || it.n == 5, it.n > 3
		minutes = it.n > 1 || offset/60%60 != 0
	}
	return appendHMS(dst, offset, colon, minutes, seconds)
}

func appendHMS(dst []byte, offset int, colon, minutes, seconds bool) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = appendPadded(append(dst, sign), offset/3600, 2)
	if !minutes {
		return dst
	}
	if colon {
		dst = append(dst, ':')
	}
	dst = appendPadded(dst, offset/60%60, 2)
	if s := offset % 60; seconds && s != 0 {
		if colon {
			dst = append(dst, ':')
		}
		dst = appendPadded(dst, s, 2)
	}
	return dst
}

func appendGMT(dst []byte, offset int, full bool) []byte {
	dst = append(dst, "GMT"...)
	if offset == 0 {
		return dst
	}
	if full {
		return appendHMS(dst, offset, true, true, true)
	}
	if offset < 0 {
		dst, offset = append(dst, '-'), -offset
	} else {
		dst = append(dst, '+')
	}
	dst = strconv.AppendInt(dst, int64(offset/3600), 10)
	if offset%3600 != 0 {
		dst = appendPadded(append(dst, ':'), offset/60%60, 2)
		if offset%60 != 0 {
			dst = appendPadded(append(dst, ':'), offset%60, 2)
		}
	}
	return dst
}

// longNames are full names of zones by abbreviation, for those that share one.
var longNames = map[string]string{
	"PST": "Pacific Standard Time", "PDT": "Pacific Daylight Time", "MST": "Mountain Standard Time", "MDT": "Mountain Daylight Time",
	"CST": "Central Standard Time", "CDT": "Central Daylight Time", "EST": "Eastern Standard Time", "EDT": "Eastern Daylight Time",
	"CET": "Central European Standard Time", "CEST": "Central European Summer Time", "EET": "Eastern European Standard Time", "EEST": "Eastern European Summer Time",
	"WET": "Western European Standard Time", "WEST": "Western European Summer Time", "GMT": "Greenwich Mean Time", "BST": "British Summer Time",
	"JST": "Japan Standard Time", "KST": "Korean Standard Time", "IST": "India Standard Time", "UTC": "Coordinated Universal Time", "HST": "Hawaii-Aleutian Standard Time",
	"AKST": "Alaska Standard Time", "AKDT": "Alaska Daylight Time", "MSK": "Moscow Standard Time",
	"AEST": "Australian Eastern Standard Time", "AEDT": "Australian Eastern Daylight Time",
}

func appendZoneName(dst []byte, z *time.Location, day int32, nanos int64, offset, n int) []byte {
	name := zoneID(z)
	if z != nil && z != time.UTC && strings.Contains(name, "/") {
		utc := int64(day)*86400 + nanos/1e9 - int64(offset)
		name, _ = time.Unix(utc, 0).In(z).Zone()
	}
	if n == 4 {
		if long, ok := longNames[name]; ok {
			name = long
		}
	}
	return append(dst, name...)
}

// parseZoneID reads a zone's name at the start of s: a region, an offset, or a prefix with an offset.
func parseZoneID(s string) (*time.Location, int) {
	n := 0
	for n < len(s) && (s[n] == '/' || s[n] == '_' || s[n] == '-' || s[n] == '+' || s[n] == ':' || s[n] == '~' || s[n] >= '0' && s[n] <= '9' ||
		s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	for ; n > 0; n-- {
		if z, ok := types.Zone(s[:n]); ok {
			return z, n
		}
	}
	return nil, 0
}

var shortZones = map[string]string{"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles", "MST": "America/Denver", "MDT": "America/Denver",
	"CST": "America/Chicago", "CDT": "America/Chicago", "EST": "America/New_York", "EDT": "America/New_York", "CET": "Europe/Paris", "CEST": "Europe/Paris",
	"BST": "Europe/London", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "IST": "Asia/Kolkata", "GMT": "UTC", "UTC": "UTC", "HST": "Pacific/Honolulu",
	"AKST": "America/Anchorage", "EET": "Europe/Bucharest", "WET": "Europe/Lisbon", "MSK": "Europe/Moscow", "AEST": "Australia/Sydney"}

// parseZoneName reads a zone's short or long name at the start of s.
func parseZoneName(s string) (*time.Location, int) {
	for abbr, long := range longNames {
		if len(s) >= len(long) && strings.EqualFold(s[:len(long)], long) {
			z, ok := types.Zone(shortZones[abbr])
			if ok {
				return z, len(long)
			}
		}
	}
	for n := 4; n >= 2; n-- {
		if len(s) < n || n < len(s) && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
			continue
		}
		if name, ok := shortZones[strings.ToUpper(s[:n])]; ok {
			if z, ok := types.Zone(name); ok {
				return z, n
			}
		}
	}
	return parseZoneID(s)
}

// parseOffset reads an offset in the form of an X, x, Z or O item.
func parseOffset(it *item, s string) (sec, n int, ok bool) {
	if it.letter == 'O' || it.letter == 'Z' && it.n == 4 {
		if !strings.HasPrefix(s, "GMT") {
			return 0, 0, false
		}
		if len(s) == 3 || s[3] != '+' && s[3] != '-' {
			return 0, 3, true
		}
		sec, n, ok = hms(s[3:], true, it.n == 4, it.n == 4)
		return sec, n + 3, ok
	}
	zero := it.letter == 'X' || it.letter == 'Z' && it.n == 5
	if zero && s != "" && s[0]|0x20 == 'z' {
		return 0, 1, true
	}
	colon := it.letter != 'Z' && (it.n == 3 || it.n == 5) || it.letter == 'Z' && it.n == 5
	return hms(s, colon, true, it.n > 1 || it.letter == 'Z')
}

// hms reads ±HH[[:]mm[[:]ss]].
func hms(s string, colon, twoDigits, minutes bool) (sec, n int, ok bool) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, 0, false
	}
	n = 1
	num := func(width int) int {
		v, k := 0, 0
		for k < width && n+k < len(s) && s[n+k] >= '0' && s[n+k] <= '9' {
			v = v*10 + int(s[n+k]-'0')
			k++
		}
		if k == 0 || k < width && twoDigits {
			return -1
		}
		n += k
		return v
	}
	h := num(2)
	if h < 0 || h > 18 {
		return 0, 0, false
	}
	sec = h * 3600
	for unit := 60; unit >= 1; unit /= 60 {
		at := n
		if colon {
			if n >= len(s) || s[n] != ':' {
				if minutes && unit == 60 {
					return 0, 0, false
				}
				break
			}
			n++
		}
		v := num(2)
		if v < 0 || v > 59 {
			n = at
			if minutes && unit == 60 {
				return 0, 0, false
			}
			break
		}
		sec += v * unit
	}
	if s[0] == '-' {
		sec = -sec
	}
	return sec, n, true
}
