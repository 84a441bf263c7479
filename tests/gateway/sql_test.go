package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSQLVariables: variables come by all flags of spark-sql, and files are run in the order in which spark-sql runs them. The
// output is that of a spark-sql 4.2 that was given the same, but for the name of the application.
func TestSQLVariables(t *testing.T) {
	dir := t.TempDir()
	init1 := write(t, filepath.Join(dir, "init1.sql"), "set fromInit = ${a}0;\ncreate temp view v as select '${b}' as b;\n")
	init2 := write(t, filepath.Join(dir, "init2.sql"), "select 'second';")
	file := write(t, filepath.Join(dir, "f.sql"), strings.Join([]string{
		"select '${a}', '${hivevar:b}', '${hiveconf:c}', '${spark:c}', '${env:FIRESTEEL_TEST}', '${system:no.such}', '${none}';",
		"set hivevar:x = 5; -- a; comment", "select '${x}', '${hivevar:x}';", "set hivevar:x;", "select b, '${fromInit}' from v;",
		"source " + init2 + ";", "set spark.sql.variable.substitute = false;", "select '${a}';", "exit;", "select 'never';"}, "\n"))
	got := try(t, environment("FIRESTEEL_TEST=bar"), "sql", "-S", "--format", "tsv", "-d", "a=1=2", "--define", "unused=", "--hivevar", "b=2", "--hiveconf", "c=3",
		"-i", init1, "-i", init2, "-f", file)
	want := strings.Join([]string{"fromInit\t1=20", "second",
		"1=2\t2\t3\t3\tbar\t${system:no.such}\t", "hivevar:x\t5", "5\t5", "hivevar:x\t<undefined>", "2\t1=20", "second",
		"spark.sql.variable.substitute\tfalse", "${a}", ""}, "\n")
	if got.code != 0 || got.out != want {
		t.Errorf("exit status %d\n%s\nwant\n%s\n%s", got.code, got.out, want, got.err)
	}
}

// TestSQLSettings: --hiveconf sets what a session can have, and what only a whole application can have unless --conf did.
func TestSQLSettings(t *testing.T) {
	got := try(t, environment(), "sql", "-S", "--format", "tsv", "--hiveconf", "spark.sql.shuffle.partitions=7", "--hiveconf", "spark.task.maxFailures=9",
		"--hiveconf", "spark.local.dir=/nowhere", "--hiveconf", "hive.cli.print.header=true", "--conf", "spark.task.cpus=1", "--hiveconf", "spark.task.cpus=2",
		"-e", "set spark.sql.shuffle.partitions; set spark.task.maxFailures; set spark.task.cpus; select 1 as one, 2 as two")
	want := "key\tvalue\nspark.sql.shuffle.partitions\t7\nkey\tvalue\nspark.task.maxFailures\t9\nkey\tvalue\nspark.task.cpus\t1\none\ttwo\n1\t2\n"
	if got.code != 0 || got.out != want {
		t.Errorf("exit status %d\n%s\nwant\n%s\n%s", got.code, got.out, want, got.err)
	}
}

// TestSQLEcho: -v prints each statement before its rows, -S leaves out how long it took.
func TestSQLEcho(t *testing.T) {
	for _, c := range []struct{ flags, out, err string }{
		{"-v", "select 1\n1\nselect 2\n2\n", "Time taken"},
		{"-v -S", "select 1\n1\nselect 2\n2\n", ""},
		{"-S", "1\n2\n", ""},
		{"", "1\n2\n", "Time taken"},
	} {
		args := append([]string{"sql", "--format", "tsv", "-e", "select 1;\n select 2;"}, strings.Fields(c.flags)...)
		got := try(t, environment(), args...)
		if got.code != 0 || got.out != c.out || strings.Contains(got.err, "Time taken") != (c.err != "") {
			t.Errorf("%q: exit status %d, %q\n%s", c.flags, got.code, got.out, got.err)
		}
	}
}

// TestSQLMistakes: a file that is not there, one that fails, and flags that make no sense end the shell with a status and a
// reason, and nothing after them is run.
func TestSQLMistakes(t *testing.T) {
	dir := t.TempDir()
	bad := write(t, filepath.Join(dir, "bad.sql"), "select 11;\nselect nope;\nselect 12;\n")
	self := filepath.Join(dir, "self.sql")
	write(t, self, "source "+self+";")
	for _, c := range []struct {
		args, out, err string
		code           int
	}{
		{"-i " + bad + " -e select+3", "11\n", "UNRESOLVED_COLUMN", 1},
		{"-f " + bad, "11\n", "UNRESOLVED_COLUMN", 1},
		{"-i " + dir + "/none -e select+3", "", "no such file", 1},
		{"-f " + dir + "/none", "", "no such file", 1},
		{"-f s3a://bucket/f.sql", "", `no file system for scheme "s3a"`, 1},
		{"-f " + self, "", "50 files run each other", 1},
		{"-e select+1 -f " + bad, "", "The '-e' and '-f' options cannot be specified simultaneously", 2},
		{"-d nothing -e select+1", "", `--define is NAME=VALUE, not "nothing"`, 2},
		{"--hiveconf =1 -e select+1", "", "--hiveconf is NAME=VALUE", 2},
		{"-d a=${a} -e select+'${a}'", "", "Circular reference in ${a}: a", 1},
	} {
		var args []string
		for word := range strings.FieldsSeq("sql -S --format tsv " + c.args) {
			args = append(args, strings.ReplaceAll(word, "+", " "))
		}
		got := try(t, environment(), args...)
		if got.code != c.code || got.out != c.out || !strings.Contains(got.err, c.err) {
			t.Errorf("%s: exit status %d, %q\n%s", c.args, got.code, got.out, got.err)
		}
	}
}

// TestSQLVariablesTyped: variables work in what is typed, too, and SOURCE runs a file in between.
func TestSQLVariablesTyped(t *testing.T) {
	x := open(t, binary, "sql", "--master", "local[1]", "-d", "word=typed")
	s := shells[0]
	if err := os.WriteFile(filepath.Join(x.cmd.Dir, "more.sql"), []byte("set hivevar:word = sourced;"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.ready(s)
	x.enter("select concat('so ', '${word}') as w;")
	x.see("so typed")
	x.ready(s)
	x.enter("source more.sql;")
	x.ready(s)
	x.enter("select concat('so ', '${hivevar:word}') as w;")
	x.see("so sourced")
	x.ready(s)
	x.enter(s.quit)
	if code := x.ends(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
