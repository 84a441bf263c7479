package function

import (
	"errors"
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/kernel/datefmt"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, dateTextRows, unixTimeRows) }

const defaultPattern = "yyyy-MM-dd HH:mm:ss"

// pattern compiles the pattern of a call, again only when it changes.
type pattern struct {
	parsing bool
	src     string
	f       *datefmt.Format
	zone    kernel.ZoneClock
}

func (p *pattern) of(src string) (*datefmt.Format, error) {
	if p.f != nil && p.src == src {
		return p.f, nil
	}
	src = strings.Clone(src)
	f, err := CompilePattern(src, p.parsing)
	if err != nil {
		return nil, err
	}
	p.f, p.src = f, src
	return f, nil
}

// CompilePattern compiles a date pattern; a bad one is refused as Spark does.
func CompilePattern(src string, parsing bool) (*datefmt.Format, error) {
	f, err := datefmt.Compile(src)
	var bad *datefmt.PatternError
	if errors.As(err, &bad) {
		return nil, patternError(bad)
	}
	if c, unfit := f.Unparsable(); parsing && unfit {
		return nil, patternError(&datefmt.PatternError{Pattern: src, Letter: c})
	}
	return f, nil
}

// patternError says how a pattern is refused: with a hint where the old formatter would have taken it.
func patternError(e *datefmt.PatternError) error {
	quotedPattern := "'" + strings.ReplaceAll(e.Pattern, "'", `\'`) + "'"
	switch {
	case strings.IndexByte("ABnNp", e.Letter) >= 0 && e.Letter != 0:
		return sparkerr.New("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "c", string(e.Letter), "pattern", e.Pattern)
	case e.Letter != 0 && strings.IndexByte("GyYMLwWDdFEuaHkKhmsSzZX", e.Letter) < 0, e.Letter == 0 && strings.Count(e.Pattern, "'")%2 == 1:
		return sparkerr.New("INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "pattern", quotedPattern, "docroot", docroot)
	}
	return sparkerr.New("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "pattern", quotedPattern, "config", `"spark.sql.legacy.timeParserPolicy"`,
		"docroot", docroot)
}

// appendTimestamp prints a UTC timestamp in the session's zone.
func (p *pattern) appendTimestamp(c *kernel.Ctx, dst []byte, us int64, src string) ([]byte, bool, error) {
	f, err := p.of(src)
	if err != nil {
		return nil, false, err
	}
	off := p.zone.Offset(types.FloorDiv(us, types.MicrosPerSecond), c.Zone)
	local := us + off*types.MicrosPerSecond
	day := types.FloorDiv(local, types.MicrosPerDay)
	return f.Append(dst, int32(day), (local-day*types.MicrosPerDay)*1000, c.Zone, int(off)), true, nil
}

// parse reads a timestamp: local for ntz, else UTC. In Try mode what does not fit is null.
func (p *pattern) parse(c *kernel.Ctx, s, src string, ntz bool, m expr.CastMode, hint string) (int64, bool, error) {
	f, err := p.of(src)
	if err != nil {
		return 0, false, err
	}
	v, err := f.Parse(s)
	if err != nil {
		if m == expr.CastTry || m == expr.CastLegacy {
			return 0, false, nil
		}
		return 0, false, sparkerr.New("CANNOT_PARSE_TIMESTAMP", "message", strings.Clone(err.Error()), "func", types.Quote(hint))
	}
	us := int64(v.Day)*types.MicrosPerDay + v.Nanos/1000
	switch {
	case ntz:
		return us, true, nil
	case v.Zone != nil:
		return types.FromLocal(us, v.Zone), true, nil
	}
	return p.zone.FromLocal(us, c.Zone), true, nil
}

func dateTextRows() []*Row {
	return group("datetime_funcs",
		fn("date_format", "1.5.0", "date_format(timestamp, pattern): the timestamp as text.", sig(to(types.String), tTimestamp, tStr), func(*expr.Call) (kernel.Func, error) {
			var p pattern
			return kernel.Text2(func(c *kernel.Ctx, dst []byte, us int64, src string) ([]byte, bool, error) {
				return p.appendTimestamp(c, dst, us, src)
			}), nil
		}, "date_format('2016-04-08', 'y')", "2016"),
		parsing("to_date", "1.5.0", "to_date(expr[, pattern]): the date of a text, date or timestamp.", types.Date, false, "to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31"),
		parsing("try_to_date", "4.0.0", "try_to_date(expr[, pattern]): to_date, or null where the text is none.", types.Date, true, "try_to_date('foo')", "NULL"),
		parsing("to_timestamp", "2.2.0", "to_timestamp(expr[, pattern]): the timestamp of a text or date.", types.Timestamp, false, "to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
		parsing("try_to_timestamp", "3.5.0", "try_to_timestamp(expr[, pattern]): to_timestamp, or null where the text is none.", types.Timestamp, true, "try_to_timestamp('foo')", "NULL"),
		parsing("to_timestamp_ltz", "3.4.0", "to_timestamp_ltz(expr[, pattern]): the timestamp with local time zone of a text or date.", types.Timestamp, false,
			"to_timestamp_ltz('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
		parsing("to_timestamp_ntz", "3.4.0", "to_timestamp_ntz(expr[, pattern]): the timestamp without time zone of a text or date.", types.TimestampNTZ, false,
			"to_timestamp_ntz('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"),
		fn("get_timestamp", "3.0.0", "The timestamp of a text by a pattern.", sig(to(types.Timestamp), tStr, tStr), getTimestamp).internal(),
		fn("get_timestamp_ntz", "3.0.0", "The local timestamp of a text by a pattern.", sig(to(types.TimestampNTZ), tStr, tStr), getTimestamp).internal(),
		fn("get_date", "3.0.0", "The date of a text by a pattern.", sig(to(types.Date), tStr, tStr), getDate).internal(),
	)
}

func getTimestamp(c *expr.Call) (kernel.Func, error) {
	p, mode, ntz := pattern{parsing: true}, c.Mode, c.T.Kind == types.TimestampNTZKind
	return kernel.Each2(c.T, func(c *kernel.Ctx, s, src string) (int64, bool, error) {
		return p.parse(c, s, src, ntz, mode, "try_to_timestamp")
	}), nil
}

func getDate(c *expr.Call) (kernel.Func, error) {
	p, mode := pattern{parsing: true}, c.Mode
	return kernel.Each2(c.T, func(c *kernel.Ctx, s, src string) (int32, bool, error) {
		us, ok, err := p.parse(c, s, src, false, mode, "try_to_date")
		return int32(types.FloorDiv(p.zone.ToLocal(us, c.Zone), types.MicrosPerDay)), ok, err
	}), nil
}

// parsing is a function that casts to a date or timestamp, or reads one by a pattern.
func parsing(name, since, usage string, t types.Type, try bool, examples ...string) *Row {
	in := oneOf(tStr, tDate, tTimestamp, tNTZ, tNum)
	return sugar(name, since, usage, args(in, tStr.optional()), func(env *BindEnv, a []expr.Expr) (expr.Expr, error) {
		return parsed(env, name, t, try, in, a)
	}, examples...)
}

func parsed(env *BindEnv, name string, t types.Type, try bool, in In, a []expr.Expr) (expr.Expr, error) {
	mode := mode(env)
	if try {
		mode = expr.CastTry
	}
	from := a[0].Type()
	if !in.accepts(from) && from.Kind != types.NullKind {
		return nil, wrongType(expr.NewFunc(name, a...), 0, in, a[0])
	}
	if len(a) == 1 || from.Kind != types.StringKind {
		if from.Equal(t) {
			return a[0], nil
		}
		return &expr.Cast{Child: a[0], To: t, Mode: mode, At: originOf(a[0])}, nil
	}
	row := map[types.Kind]string{types.DateKind: "get_date", types.TimestampKind: "get_timestamp", types.TimestampNTZKind: "get_timestamp_ntz"}[t.Kind]
	e, err := bindCall(env, row, a[0], a[1])
	if err != nil {
		return nil, err
	}
	c := *e.(*expr.Call)
	c.Mode = mode
	c.Null = c.Null || mode != expr.CastAnsi
	return &c, nil
}

var patternArg = tStr.defaultTo(defaultPattern)

func unixTimeRows() []*Row {
	moment := oneOf(tStr, tDate, tTimestamp, tNTZ)
	return group("datetime_funcs",
		fn("unix_timestamp", "1.5.0", "unix_timestamp([time[, pattern]]): the seconds since the epoch; of the current time by default.",
			sig(to(types.Long), moment, patternArg), unixTimestamp, "unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460098800").binds(bindUnixTimestamp),
		fn("to_unix_timestamp", "1.6.0", "to_unix_timestamp(time[, pattern]): the seconds since the epoch.", sig(to(types.Long), moment, patternArg), unixTimestamp,
			"to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460098800"),
		fn("from_unixtime", "1.5.0", "from_unixtime(seconds[, pattern]): the text of a time in seconds since the epoch.", sig(to(types.String), tLong, patternArg).nullable(), func(*expr.Call) (kernel.Func, error) {
			var p pattern
			return kernel.Text2(func(c *kernel.Ctx, dst []byte, sec int64, src string) ([]byte, bool, error) {
				return p.appendTimestamp(c, dst, sec*types.MicrosPerSecond, src)
			}), nil
		}, "from_unixtime(0, 'yyyy')", "1969"),
	)
}

func bindUnixTimestamp(env *BindEnv, call *expr.Func) (expr.Expr, error) {
	row, _ := Lookup("unix_timestamp")
	if len(call.Args) == 0 {
		now, err := bindCall(env, "current_timestamp")
		if err != nil {
			return nil, err
		}
		q := *call
		q.Args = []expr.Expr{now}
		call = &q
	}
	return row.bindSig(env, call)
}

func unixTimestamp(c *expr.Call) (kernel.Func, error) {
	p, mode := pattern{parsing: true}, c.Mode
	seconds := func(us int64) int64 { return types.FloorDiv(us, types.MicrosPerSecond) }
	switch c.Args[0].Type().Kind {
	case types.StringKind:
		return kernel.Each2(c.T, func(c *kernel.Ctx, s, src string) (int64, bool, error) {
			us, ok, err := p.parse(c, s, src, false, mode, "try_to_timestamp")
			return seconds(us), ok, err
		}), nil
	case types.DateKind:
		return kernel.Each2(c.T, func(c *kernel.Ctx, d int32, _ string) (int64, bool, error) {
			return seconds(p.zone.FromLocal(int64(d)*types.MicrosPerDay, c.Zone)), true, nil
		}), nil
	case types.TimestampNTZKind:
		return kernel.Each2(c.T, func(c *kernel.Ctx, us int64, _ string) (int64, bool, error) {
			return seconds(p.zone.FromLocal(us, c.Zone)), true, nil
		}), nil
	}
	return kernel.Each2(c.T, func(c *kernel.Ctx, us int64, _ string) (int64, bool, error) { return seconds(us), true, nil }), nil
}
