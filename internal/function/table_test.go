package function

import (
	"strings"
	"testing"
)

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, r := range Rows() {
		for _, n := range append([]string{r.Name}, r.Aliases...) {
			n = strings.ToLower(n)
			if other, ok := seen[n]; ok {
				t.Errorf("%s is a name of %s and of %s", n, other, r.Name)
			}
			seen[n] = r.Name
		}
	}
}

func TestRowsAreComplete(t *testing.T) {
	for _, r := range Rows() {
		if !r.Internal && (r.Since == "" || r.Usage == "" || r.Group == "") {
			t.Errorf("%s lacks its version, usage or group", r.Name)
		}
		if r.Sig == nil && r.Bind == nil && r.Replace == nil && !r.Internal {
			t.Errorf("%s cannot be bound", r.Name)
		}
		if r.Kind == Scalar && !r.Internal && r.Kernel == nil && r.HigherOrder == nil && r.Replace == nil {
			t.Errorf("%s has no loop", r.Name)
		}
	}
}
