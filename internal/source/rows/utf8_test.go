package rows

import "testing"

// What Java's decoder makes of bytes that are no UTF-8.
func TestUTF8(t *testing.T) {
	for in, want := range map[string]string{
		"aé€😀": "aé€😀", "\xff": "\ufffd", "\xc3": "\ufffd", "\xc3x": "\ufffdx", "\xc0\x80": "\ufffd\ufffd", "\xed\xa0\x80": "\ufffd",
		"\xe2\x82": "\ufffd", "\xe2\x82x": "\ufffdx", "\xe0\x80\x80": "\ufffd\ufffd\ufffd", "\xf4\x90\x80\x80": "\ufffd\ufffd\ufffd\ufffd",
		"\xf0\x9f\x98": "\ufffd", "\xf0\x9f\x98x": "\ufffdx", "\xf5\x80": "\ufffd\ufffd", "x\x80y": "x\ufffdy",
	} {
		if got, changed := UTF8([]byte(in)); string(got) != want || changed != (in != want) {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}
