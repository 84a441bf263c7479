package conf

import "testing"

func TestRedacted(t *testing.T) {
	v := NewValues(nil)
	for _, c := range []struct {
		key, value string
		hidden     bool
	}{
		{"spark.authenticate.secret", "x", true},
		{"spark.hadoop.fs.s3a.access.key", "x", true},
		{"spark.some.Password", "x", true},
		{"spark.executorEnv.OPTS", "-Dpassword=x", true},
		{"spark.executor.memory", "1g", false},
	} {
		if got := v.Redacted(c.key, c.value); (got != c.value) != c.hidden {
			t.Errorf("%s=%s is shown as %s", c.key, c.value, got)
		}
	}
	for regex, hidden := range map[string]bool{"(?i)colour": true, "(": false} {
		if got := NewValues(map[string]string{"spark.redaction.regex": regex}).Redacted("spark.colour", "red"); (got != "red") != hidden {
			t.Errorf("by %q it is shown as %s", regex, got)
		}
	}
}
