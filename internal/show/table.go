// Package show formats rows for people, byte for byte as Spark does: the tables of show(), their HTML form, and the text of
// single values.
package show

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/firesteel/firesteel/internal/columnar"
)

// Options say how a table is shown.
type Options struct {
	Rows     int  // rows at most; who asks for a table fetches one row more, so that the last line can tell
	Truncate int  // longest cell in characters; 0 and less: no limit
	Vertical bool // one line per cell instead of one per row
}

// Text is the table of the first o.Rows rows of the batches.
func (f *Format) Text(names []string, batches []*columnar.Batch, o Options) string {
	rows, more := f.cells(names, batches, o)
	var b strings.Builder
	if o.Vertical {
		vertical(&b, rows)
	} else {
		horizontal(&b, rows, o.Truncate > 0)
	}
	if o.Vertical && len(rows) == 1 {
		b.WriteString("(0 rows)")
	} else if more {
		b.WriteString(footer(o.Rows))
	}
	return b.String()
}

// HTML is the same as an HTML table.
func (f *Format) HTML(names []string, batches []*columnar.Batch, o Options) string {
	rows, more := f.cells(names, batches, o)
	var b strings.Builder
	b.WriteString("<table border='1'>\n")
	for i, row := range rows {
		tag := "td"
		if i == 0 {
			tag = "th"
		}
		b.WriteString("<tr>")
		for _, c := range row {
			fmt.Fprintf(&b, "<%s>%s</%s>", tag, escapeHTML(c), tag)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>\n")
	if more {
		b.WriteString(footer(o.Rows) + "\n")
	}
	return b.String()
}

// escapeHTML: Go's numeric forms of the quotes in their named and bare forms.
func escapeHTML(s string) string {
	return strings.NewReplacer("&#34;", "&quot;", "&#39;", "'").Replace(html.EscapeString(s))
}

func footer(n int) string {
	if n == 1 {
		return "only showing top 1 row"
	}
	return fmt.Sprintf("only showing top %d rows", n)
}

// cells are the header and the rows as text, cut and escaped; more tells that there are rows beyond.
func (f *Format) cells(names []string, batches []*columnar.Batch, o Options) (rows [][]string, more bool) {
	header := make([]string, len(names))
	for i, n := range names {
		header[i] = escapeMeta(n)
	}
	rows = append(rows, header)
	for _, b := range batches {
		for r := range b.N {
			if len(rows) > max(o.Rows, 0) {
				return rows, true
			}
			row := make([]string, len(b.Cols))
			for c := range b.Cols {
				row[c] = cut(escapeMeta(f.Cell(&b.Cols[c], r)), o.Truncate)
			}
			rows = append(rows, row)
		}
	}
	return rows, false
}

var meta = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`, "\v", `\v`, "\a", `\a`)

func escapeMeta(s string) string { return meta.Replace(s) }

// cut shortens s to n characters, the last three of them dots if there is room.
func cut(s string, n int) string {
	if n <= 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	if n < 4 {
		return string(r[:n])
	}
	return string(r[:n-3]) + "..."
}

// width is the number of terminal columns: UTF-16 units, and one more for each wide character.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
		if wide(r) {
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	for _, w := range wideRanges {
		if r >= w[0] && r <= w[1] {
			return true
		}
	}
	return false
}

var wideRanges = [...][2]rune{{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0xFE10, 0xFE19},
	{0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}}

// minWidth is the least width of a column.
const minWidth = 3

func horizontal(b *strings.Builder, rows [][]string, right bool) {
	widths := make([]int, len(rows[0]))
	for i := range widths {
		widths[i] = minWidth
		for _, row := range rows {
			widths[i] = max(widths[i], width(row[i]))
		}
	}
	var sep strings.Builder
	sep.WriteByte('+')
	for i, w := range widths {
		if i > 0 {
			sep.WriteByte('+')
		}
		sep.WriteString(strings.Repeat("-", w))
	}
	sep.WriteString("+\n")
	b.WriteString(sep.String())
	for r, row := range rows {
		b.WriteByte('|')
		for i, c := range row {
			if i > 0 {
				b.WriteByte('|')
			}
			pad(b, c, widths[i], right)
		}
		b.WriteString("|\n")
		if r == 0 {
			b.WriteString(sep.String())
		}
	}
	b.WriteString(sep.String())
}

func pad(b *strings.Builder, s string, n int, right bool) {
	blanks := strings.Repeat(" ", n-width(s))
	if right {
		b.WriteString(blanks + s)
	} else {
		b.WriteString(s + blanks)
	}
}

func vertical(b *strings.Builder, rows [][]string) {
	names, data := minWidth, minWidth
	for _, n := range rows[0] {
		names = max(names, width(n))
	}
	for _, row := range rows[1:] {
		for _, c := range row {
			data = max(data, width(c))
		}
	}
	for r, row := range rows[1:] {
		title := fmt.Sprintf("-RECORD %d", r)
		b.WriteString(title + strings.Repeat("-", max(names+data+5-len(title), 0)) + "\n")
		for i, c := range row {
			b.WriteByte(' ')
			pad(b, rows[0][i], names, false)
			b.WriteString(" | ")
			pad(b, c, data, false)
			b.WriteString(" \n")
		}
	}
}
