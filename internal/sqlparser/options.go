package sqlparser

import (
	"strings"
	"time"

	"github.com/firesteel/firesteel/internal/types"
)

// SessionOptions reads the options from a session's configuration; get answers "" for keys that are not set.
// now is the time that words such as 'now' and 'today' in literals stand for.
func SessionOptions(get func(key string) string, now time.Time) Options {
	on := func(key string) bool { return strings.EqualFold(get(key), "true") }
	ansi := !strings.EqualFold(get("spark.sql.ansi.enabled"), "false")
	o := Options{
		EnforceReservedKeywords: ansi && on("spark.sql.ansi.enforceReservedKeywords"),
		DoubleQuotedIdentifiers: ansi && on("spark.sql.ansi.doubleQuotedIdentifiers"),
		EscapedStringLiterals:   on("spark.sql.parser.escapedStringLiterals"),
		ConsecutiveStrings:      on("spark.sql.legacy.consecutiveStringLiterals.enabled"),
		SetOpsFromLeft:          on("spark.sql.legacy.setopsPrecedence.enabled"),
		ExponentAsDecimal:       on("spark.sql.legacy.exponentLiteralAsDecimal.enabled"),
		CalendarIntervals:       on("spark.sql.legacy.interval.enabled"),
		BangIsNot:               on("spark.sql.legacy.bangEqualsNot"),
		KeepCharTypes:           on("spark.sql.preserveCharVarcharTypeInfo"),
		NoSinglePipe:            strings.EqualFold(get("spark.sql.parser.singleCharacterPipeOperator.enabled"), "false"),
		TimestampNTZ:            strings.EqualFold(get("spark.sql.timestampType"), "TIMESTAMP_NTZ"),
		Now:                     now,
	}
	if zone := get("spark.sql.session.timeZone"); zone != "" {
		if loc, ok := types.Zone(zone); ok {
			o.Location = loc
		}
	}
	return o
}
