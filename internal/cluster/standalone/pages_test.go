package standalone

import (
	"bytes"
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/firesteel/firesteel/internal/cluster/standalone/core"
)

// hostile are texts that users may have put into names, programs, errors and addresses.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, `</td></tr></table><iframe src=javascript:alert(1)>`,
	`javascript:alert(1)`, `&lt;b&gt;&#60;`, `<!--`, `]]><![CDATA[`, `{{.}}`, "a\r\nSet-Cookie: x=y\r\n\r\n<b>", "\u202egnp.exe\u2066", "\x00<\x00script>", "\xff\xfe<b>", "\u2028<b>\u2029",
	strings.Repeat("<a href=//x>", 1000),
}

// TestPagesHoldNoMarkup is X07: a page with hostile texts in every place where data can be has the elements and attributes of one with
// plain texts there, as a browser's parser sees it, and shows the texts.
func TestPagesHoldNoMarkup(t *testing.T) {
	pages := map[string]struct {
		page *template.Template
		data func(text string) any
	}{
		"master": {masterPage, func(text string) any {
			var v core.View
			fill(reflect.ValueOf(&v).Elem(), text)
			return map[string]any{"URL": text, "REST": text, "View": v, "State": text, "Leader": text}
		}},
		"worker": {workerPage, func(text string) any {
			var executors []core.Held
			fill(reflect.ValueOf(&executors).Elem(), text)
			return map[string]any{"ID": text, "Master": text, "Cores": 1, "Memory": int64(1), "Executors": executors, "Drivers": []string{text, text}}
		}},
	}
	for name, p := range pages {
		want, _ := parsed(t, p.page, p.data("plain"))
		for _, text := range hostile {
			got, texts := parsed(t, p.page, p.data(text))
			if !slices.Equal(got, want) {
				t.Errorf("%s: %q changes the page", name, text)
			}
			if n := strings.Count(texts, shown(text)); n < 5 {
				t.Errorf("%s: %q is shown %d times", name, text, n)
			}
		}
	}
}

// fill sets all texts of a value, and gives lists two elements.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	}
}

// parsed is a page as an HTML5 parser sees it: its elements with their attributes, and its text.
func parsed(t *testing.T, page *template.Template, data any) (elements []string, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := page.Execute(&b, data); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			all.WriteString(n.Data)
		default:
			elements = append(elements, fmt.Sprintf("%d %s %v", n.Type, n.Data, n.Attr))
		}
	}
	return elements, all.String()
}

// shown is what becomes of a text in a page: the end of a line is one character, and NUL has a sign.
func shown(text string) string {
	return strings.NewReplacer("\r\n", "\n", "\x00", "\ufffd").Replace(text)
}
