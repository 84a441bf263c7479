package conf

import (
	"strings"
	"testing"
)

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

func TestRedactedText(t *testing.T) {
	v := NewValues(map[string]string{"spark.redaction.string.regex": "card-[0-9]+"})
	for text, want := range map[string]string{
		"select 1": "select 1",
		"SELECT password, name FROM tokens WHERE a = 'b'":                           "SELECT password, name FROM tokens WHERE a = 'b'",
		"select * from t where token = 'x y' and n = 1":                             "select * from t where token = # and n = 1",
		"create table t using jdbc options (url 'jdbc:x?password=y', password 'x')": "create table t using jdbc options (url #, password #)",
		"options ('password' = 'x', `my.secret` \"x\")":                             "options ('password' = #, `my.secret` #)",
		"map('password', 'x', 'b', 'c')":                                            "map('password', #, 'b', 'c')",
		"f(password => 'x')":                                                        "f(password => #)",
		" set spark.some.password=two words; and 'more'":                            " set spark.some.password=#",
		"set spark.some.colour=red":                                                 "set spark.some.colour=red",
		"--conf spark.x.secret=abc/def+ghi= --name n":                               "--conf spark.x.secret=#= --name n",
		"where password is not null":                                                "where password is not null",
		"select 'it\\'s a secret' , 'ends not: token":                               "select # , #",
		"pay by card-1234 now":                                                      "pay by # now",
	} {
		if got := strings.ReplaceAll(v.RedactedText(text), "*********(redacted)", "#"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	args := []string{"firesteel", "submit", "--conf", "spark.x.token=t0", "--api-token", "t1", "a.py", "--password=t2"}
	if got := strings.ReplaceAll(v.RedactedArgs(args), "*********(redacted)", "#"); got != "firesteel submit --conf spark.x.token=# --api-token # a.py --password=#" {
		t.Error(got)
	}
}

func TestTextRedaction(t *testing.T) {
	if NewValues(nil).TextRedaction() != nil {
		t.Error("texts are redacted by default")
	}
	for settings, want := range map[[2]string]string{
		{"spark.redaction.string.regex", "[0-9]+"}: "card <>", {"spark.sql.redaction.string.regex", "card"}: "<> 123", {"spark.redaction.string.regex", "("}: "<>",
	} {
		re := NewValues(map[string]string{settings[0]: settings[1]}).TextRedaction()
		if got := re.ReplaceAllLiteralString("card 123", "<>"); got != want {
			t.Errorf("%v gives %q, not %q", settings, got, want)
		}
	}
}
