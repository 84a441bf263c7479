package source

import (
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/firesteel/firesteel/internal/source/cell"
	"github.com/firesteel/firesteel/internal/source/csv"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// corruptColumn is the name of the column for records that do not fit.
func corruptColumn(o options, env *Env) string {
	return o.first(env.Conf("spark.sql.columnNameOfCorruptRecord", "_corrupt_record"), "columnnameofcorruptrecord")
}

func parseMode(o options) csv.Mode {
	switch strings.ToUpper(o["mode"]) {
	case "DROPMALFORMED":
		return csv.DropMalformed
	case "FAILFAST":
		return csv.FailFast
	}
	return csv.Permissive
}

// optionZone is the zone of times without one: the option timeZone, else the session's.
func optionZone(o options, env *Env) (*time.Location, error) {
	name := o["timezone"]
	if name == "" {
		return env.zone(), nil
	}
	z, ok := types.Zone(name)
	if !ok {
		return nil, sparkerr.New("INVALID_TIMEZONE", "timeZone", name)
	}
	return z, nil
}

// readFormats are the readers of dates and times by the options' patterns; without a pattern, what casts read.
func readFormats(o options, env *Env) (f csv.Formats, zone *time.Location, err error) {
	if zone, err = optionZone(o, env); err != nil {
		return f, nil, err
	}
	var now int64
	if env != nil && env.Session != nil {
		now = env.Session.Now
	}
	f.Date = types.ParseDate
	f.Timestamp = func(s string) (int64, bool) { return types.ParseTimestamp(s, zone, now) }
	f.TimestampNTZ = func(s string) (int64, bool) { return types.ParseTimestampNTZ(s, false) }
	for _, key := range []string{"dateformat", "timestampformat", "timestampntzformat"} {
		text := o[key]
		if text == "" {
			continue
		}
		p, err := compilePattern(text, true)
		if err != nil {
			return f, nil, err
		}
		switch key {
		case "dateformat":
			f.Date = p.ParseDate
		case "timestampformat":
			f.Timestamp = func(s string) (int64, bool) { return p.ParseTimestamp(s, zone) }
		default:
			f.TimestampNTZ = p.ParseLocal
		}
	}
	return f, zone, nil
}

// writeFormats are the printers of dates and times.
func writeFormats(o options, env *Env) (cell.Formats, error) {
	zone, err := optionZone(o, env)
	if err != nil {
		return cell.Formats{}, err
	}
	f := cell.ISO(zone)
	for _, key := range []string{"dateformat", "timestampformat", "timestampntzformat"} {
		text := o[key]
		if text == "" {
			continue
		}
		p, err := compilePattern(text, false)
		if err != nil {
			return f, err
		}
		switch key {
		case "dateformat":
			f.Date = func(dst []byte, days int32) []byte { return p.Append(dst, int64(days)*86400e6, nil) }
		case "timestampformat":
			f.Timestamp = func(dst []byte, us int64) []byte { return p.Append(dst, us, zone) }
		default:
			f.TimestampNTZ = func(dst []byte, us int64) []byte { return p.Append(dst, us, nil) }
		}
	}
	return f, nil
}

// oneByte is an option of one character; "" and \u0000 switch it off.
func oneByte(o options, key string, def byte) (byte, error) {
	v, ok := o[key]
	if !ok {
		return def, nil
	}
	switch {
	case v == "" || v == "\x00" || v == `\u0000`:
		return 0, nil
	case len(v) == 1:
		return v[0], nil
	}
	return 0, sparkerr.New("OPTION_VALUE_EXCEEDS_ONE_CHARACTER", "paramName", key, "actualValue", v)
}

// delimiter reads the option sep, with the escapes that Spark knows.
func delimiter(s string) ([]byte, error) {
	if s == "" {
		return nil, sparkerr.New("INVALID_DELIMITER_VALUE.EMPTY_STRING")
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || len(s) == 1 {
			if s[i] == '\\' {
				return nil, sparkerr.New("INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH")
			}
			out = append(out, s[i])
			continue
		}
		i++
		if i == len(s) {
			return nil, sparkerr.New("INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH")
		}
		if strings.HasPrefix(s[i:], "u0000") {
			out = append(out, 0)
			i += 4
			continue
		}
		c, ok := map[byte]byte{'t': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'n': '\n', '"': '"', '\'': '\'', '\\': '\\'}[s[i]]
		if !ok {
			return nil, sparkerr.New("INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER", "str", s)
		}
		out = append(out, c)
	}
	return out, nil
}

// isUTF8 says whether text is read and written as it is.
func isUTF8(o options) bool {
	e := strings.ToUpper(o.first("UTF-8", "encoding", "charset"))
	return e == "UTF-8" || e == "UTF8" || e == "US-ASCII"
}

// utf8Only refuses other encodings.
func utf8Only(o options) error {
	if !isUTF8(o) {
		return sparkerr.Unsupported("writing text encoded as " + o.first("UTF-8", "encoding", "charset"))
	}
	return nil
}

// charset is the encoding that text is read from; nil is UTF-8. UTF-16 and UTF-32 without an order of bytes go by their mark,
// and are big-endian without one, as Java has it.
func charset(o options) (encoding.Encoding, error) {
	if isUTF8(o) {
		return nil, nil
	}
	name := o.first("UTF-8", "encoding", "charset")
	switch strings.ToUpper(name) {
	case "UTF-16":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE":
		return map[string]encoding.Encoding{
			"UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "UTF-16BE": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
			"UTF-32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "UTF-32LE": utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM),
			"UTF-32BE": utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM),
		}[strings.ToUpper(name)], nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, sparkerr.Unsupported("text encoding " + name)
	}
	return e, nil
}
