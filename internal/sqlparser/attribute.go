package sqlparser

import (
	"strings"

	"github.com/firesteel/firesteel/internal/sparkerr"
	"github.com/firesteel/firesteel/internal/types"
)

// ParseAttribute splits a column name at its dots; parts may be in backticks, in which two stand for one.
func ParseAttribute(text string) ([]string, error) {
	var parts []string
	var b strings.Builder
	bad := sparkerr.New("INVALID_ATTRIBUTE_NAME_SYNTAX", "name", types.Quote(text))
	for i := 0; ; {
		b.Reset()
		if i < len(text) && text[i] == '`' {
			end := quotedPart(&b, text, i+1)
			if end < 0 || end < len(text) && text[end] != '.' {
				return nil, bad
			}
			i = end
		} else {
			for i < len(text) && text[i] != '.' {
				if text[i] == '`' {
					return nil, bad
				}
				b.WriteByte(text[i])
				i++
			}
			if b.Len() == 0 && (len(parts) > 0 || i < len(text)) {
				return nil, bad
			}
		}
		parts = append(parts, b.String())
		if i == len(text) {
			return parts, nil
		}
		i++ // the dot
	}
}

// quotedPart reads up to the closing backtick and returns the position after it; -1 if there is none.
func quotedPart(b *strings.Builder, text string, i int) int {
	for ; i < len(text); i++ {
		if text[i] != '`' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 == len(text) || text[i+1] != '`' {
			return i + 1
		}
		b.WriteByte('`')
		i++
	}
	return -1
}
