package session

import (
	"os"
	"strings"
	"testing"
)

// Variables are found, left alone and refused as a Spark 4.2 does.
func TestVariables(t *testing.T) {
	t.Setenv("FIRESTEEL_TEST", "from the environment")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, nil, map[string]string{"spark.app.name": "shell", "x": "1", "q": "${x}${x}", "c1": "${c2}", "c2": "${c1}", "big": strings.Repeat("a", 1<<20)})
	for _, c := range []struct{ statement, want string }{
		{"select '${x}', '${hivevar:x}', '${hiveconf:x}', '${spark:x}', '${sparkconf:x}'", "1|1|1|1|1"},
		{"select '${none}', '${hivevar:none}', '${hivevar:}'", "||"},
		{"select '${spark.app.name}', '${env:FIRESTEEL_TEST}', '${system:user.dir}'", "shell|from the environment|" + dir},
		{"select '${env:NO_SUCH_VARIABLE}', '${system:no.such}', '${foo:x}', '${HIVEVAR:x}'", "${env:NO_SUCH_VARIABLE}|${system:no.such}|${foo:x}|${HIVEVAR:x}"},
		{"select '${a b}', '${}', '$${x}', '\\${x}', '${x:-5}'", "${a b}|${}|$1|1|${x:-5}"},
		{"select ${x} + ${q} as `${q}`", "12"},
		{"select '${${x}}'", "}"},
		{"set hivevar:m = 3", "hivevar:m|3"},
		{"set m", "m|3"},
		{"set hivevar:m", "hivevar:m|<undefined>"},
		{"select ${m} + ${hivevar:m}", "6"},
		{"set hiveconf:z = 7", "hiveconf:z|7"},
		{"select '${hiveconf:z}${z}'", ""},
		{"set n = ${m}${m}", "n|33"},
		{"create temporary view v as select '${x}' as a", ""},
		{"set x = 2", "x|2"},
		{"select a, '${x}' from v", "1|2"},
		{"select '${c1}'", "!requirement failed: Circular reference in ${c1}: c1"},
		{"set hivevar:spark.executor.memory = 2g", "!CANNOT_MODIFY_CONFIG"},
		{"set spark.sql.variable.substitute = false", "spark.sql.variable.substitute|false"},
		{"select '${x}'", "${x}"},
	} {
		got, err := try(t.Context(), s, c.statement)
		text := strings.Join(got, "\n")
		if err != nil {
			text = "!" + err.Error()
		}
		if text != c.want && (err == nil || !strings.Contains(text, strings.TrimPrefix(c.want, "!"))) {
			t.Errorf("%s\ngot  %s\nwant %s", c.statement, text, c.want)
		}
	}
}

// What variables of variables come to has a limit.
func TestVariablesThatDouble(t *testing.T) {
	settings := map[string]string{"v0": "${v1}${v1}"}
	for i := range 25 {
		settings["v"+string(rune('a'+i))] = "${v" + string(rune('a'+i+1)) + "}${v" + string(rune('a'+i+1)) + "}"
	}
	settings["vz"] = "text"
	s := begin(t, nil, settings)
	if _, err := s.substitute("select '${va}'"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("the error is %v", err)
	}
}
