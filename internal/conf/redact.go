package conf

import "regexp"

// Redacted is a value for people to see: hidden if spark.redaction.regex finds a secret in the key or the value.
func (v *Values) Redacted(key, value string) string {
	re, err := regexp.Compile(v.String("spark.redaction.regex"))
	if err != nil {
		re = regexp.MustCompile(Lookup("spark.redaction.regex").Default)
	}
	if re.MatchString(key) || re.MatchString(value) {
		return "*********(redacted)"
	}
	return value
}
