package function

import (
	"strings"

	"github.com/firesteel/firesteel/internal/expr"
	"github.com/firesteel/firesteel/internal/kernel"
	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

func init() { groups = append(groups, urlRows) }

func urlRows() []*Row {
	parse := sig(to(types.String), tStr, tStr, tStr.optional()).nullable()
	return group("url_funcs",
		fn("url_encode", "3.4.0", "url_encode(str): the text in application/x-www-form-urlencoded form.", sig(to(types.String), tStr).nullable(), b1(appendURLEncoded),
			"url_encode('https://firesteel.dev')", "https%3A%2F%2Ffiresteel.dev").total(),
		fn("url_decode", "3.4.0", "url_decode(str): the text of its application/x-www-form-urlencoded form.", sig(to(types.String), tStr).nullable(), urlDecode(false),
			"url_decode('https%3A%2F%2Ffiresteel.dev')", "https://firesteel.dev"),
		fn("try_url_decode", "4.0.0", "try_url_decode(str): url_decode, or null where the text is malformed.", sig(to(types.String), tStr).nullable(), urlDecode(true),
			"try_url_decode('%2s')", "NULL").total(),
		fn("parse_url", "2.0.0", "parse_url(url, part[, key]): HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of a URL; with a key the value of a query parameter.",
			parse, parseURL(false), "parse_url('http://firesteel.dev/path?query=1', 'HOST')", "firesteel.dev", "parse_url('http://firesteel.dev/path?query=1', 'QUERY', 'query')", "1"),
		fn("try_parse_url", "4.0.0", "try_parse_url(url, part[, key]): parse_url, or null where the URL is invalid.", parse, parseURL(true), "try_parse_url('inva lid://x', 'QUERY')", "NULL").total(),
	)
}

func appendURLEncoded(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '*' || c == '_':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func urlDecode(try bool) func(*expr.Call) (kernel.Func, error) {
	return t1(func(_ *kernel.Ctx, dst []byte, s string) ([]byte, bool, error) {
		for i := 0; i < len(s); i++ {
			switch s[i] {
			case '+':
				dst = append(dst, ' ')
			case '%':
				hi, lo := -1, -1
				if i+2 < len(s) {
					hi, lo = strings.IndexByte("0123456789abcdef", s[i+1]|0x20), strings.IndexByte("0123456789abcdef", s[i+2]|0x20)
				}
				if hi < 0 || lo < 0 {
					if try {
						return dst, false, nil
					}
					return nil, false, sparkerr.New("CANNOT_DECODE_URL", "url", strings.Clone(s))
				}
				dst = append(dst, byte(hi<<4|lo))
				i += 2
			default:
				dst = append(dst, s[i])
			}
		}
		return dst, true, nil
	})
}

// uri is a URI taken apart; has… say which parts there are.
type uri struct {
	scheme, authority, path, query, fragment string
	hasAuthority, hasQuery, hasFragment      bool
	opaque                                   bool
}

func splitURI(s string) (u uri, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return u, false
		}
		if c == '%' && (i+2 >= len(s) || strings.IndexByte("0123456789abcdef", s[i+1]|0x20) < 0 || strings.IndexByte("0123456789abcdef", s[i+2]|0x20) < 0) {
			return u, false
		}
	}
	s, u.fragment, u.hasFragment = strings.Cut(s, "#")
	if i := strings.IndexAny(s, ":/?"); i >= 0 && s[i] == ':' {
		if i == 0 || s[0]|0x20 < 'a' || s[0]|0x20 > 'z' {
			return u, false
		}
		u.scheme, s = s[:i], s[i+1:]
		if s == "" {
			return u, false
		}
		if s[0] != '/' {
			u.opaque = true
			return u, true
		}
	}
	s, u.query, u.hasQuery = strings.Cut(s, "?")
	if rest, found := strings.CutPrefix(s, "//"); found {
		u.hasAuthority = true
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			u.authority, u.path = rest[:i], rest[i:]
		} else {
			u.authority = rest
		}
		if u.authority == "" && u.path == "" {
			return u, false
		}
		return u, true
	}
	u.path = s
	return u, true
}

// host and user are the parts of the authority; false when it has no such part.
func (u *uri) host() (string, bool) {
	h := u.authority
	if i := strings.LastIndexByte(h, '@'); i >= 0 {
		h = h[i+1:]
	}
	if strings.HasPrefix(h, "[") {
		end := strings.IndexByte(h, ']')
		return h[:end+1], end > 0
	}
	if i := strings.IndexByte(h, ':'); i >= 0 {
		h = h[:i]
	}
	for i := 0; i < len(h); i++ {
		if c := h[i]; !(c == '.' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z') {
			return "", false
		}
	}
	return h, h != ""
}

func (u *uri) user() (string, bool) {
	i := strings.LastIndexByte(u.authority, '@')
	if i < 0 {
		return "", false
	}
	return u.authority[:i], true
}

func (u *uri) part(name string) (string, bool) {
	switch name {
	case "HOST":
		return u.host()
	case "PATH":
		return u.path, !u.opaque
	case "QUERY":
		return u.query, u.hasQuery
	case "REF":
		return u.fragment, u.hasFragment
	case "PROTOCOL":
		return u.scheme, u.scheme != ""
	case "FILE":
		if u.hasQuery {
			return u.path + "?" + u.query, !u.opaque
		}
		return u.path, !u.opaque
	case "AUTHORITY":
		return u.authority, u.hasAuthority && u.authority != ""
	case "USERINFO":
		return u.user()
	}
	return "", false
}

func parseURL(try bool) func(call *expr.Call) (kernel.Func, error) {
	return func(call *expr.Call) (kernel.Func, error) {
		one := func(dst []byte, s, part string) (string, bool, error) {
			u, ok := splitURI(s)
			if !ok {
				if try {
					return "", false, nil
				}
				return "", false, sparkerr.New("INVALID_URL", "url", strings.Clone(s))
			}
			v, ok := u.part(part)
			return v, ok, nil
		}
		if len(call.Args) == 2 {
			return kernel.Text2(func(_ *kernel.Ctx, dst []byte, s, part string) ([]byte, bool, error) {
				v, ok, err := one(dst, s, part)
				return append(dst, v...), ok, err
			}), nil
		}
		return kernel.Text3(func(_ *kernel.Ctx, dst []byte, s, part, key string) ([]byte, bool, error) {
			v, ok, err := one(dst, s, part)
			if err != nil || !ok || part != "QUERY" {
				return dst, false, err
			}
			for v != "" {
				var pair string
				pair, v, _ = strings.Cut(v, "&")
				if name, value, found := strings.Cut(pair, "="); found && name == key {
					return append(dst, value...), true, nil
				}
			}
			return dst, false, nil
		}), nil
	}
}
