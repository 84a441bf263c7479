package gateway

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func needs(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("there is no %s on this machine", program)
	}
	return path
}

// TestTerminalIsClosed: a driver in the cluster does not need the terminal that submitted it. The program is Python without a
// session: what is submitted is the driver.
func TestTerminalIsClosed(t *testing.T) {
	python := needs(t, "python3")
	master := cluster(t, 1, 2, "PYSPARK_PYTHON="+python)
	dir := t.TempDir()
	app := write(t, filepath.Join(dir, "app.py"), "import os, sys, time\n"+
		"while not os.path.exists(sys.argv[1] + '.go'): time.sleep(0.05)\n"+
		"open(sys.argv[1], 'w').write('finished')\n")
	submit := []string{binary, "submit", "--master", master, "--deploy-mode", "cluster", "--driver-memory", "256m", "--executor-memory", "256m",
		"--total-executor-cores", "1"}
	status := func(id string) string {
		r := try(t, nil, "submit", "--master", master, "--status", id)
		return r.out + r.err
	}
	reaches := func(id, state string) {
		t.Helper()
		eventually(t, id+" is "+state, func() string { return status(id) }, func() bool { return strings.Contains(status(id), "State of "+id+" is "+state) })
	}

	out := filepath.Join(dir, "out")
	x := open(t, append(append(submit, "-c", "spark.standalone.submit.waitAppCompletion=true"), app, out)...)
	id := x.see(`(driver-\d+-\d+)`)[1]
	reaches(id, "RUNNING")
	_ = x.tty.Close() // the terminal hangs up
	x.ends()
	write(t, out+".go", "")
	reaches(id, "FINISHED")
	if b, err := os.ReadFile(out); err != nil || string(b) != "finished" {
		t.Errorf("the program wrote %q, %v", b, err)
	}

	r := try(t, nil, append(submit[1:], app, filepath.Join(dir, "never"))...)
	id = regexp.MustCompile(`driver-\d+-\d+`).FindString(r.err)
	if r.code != 0 || id == "" {
		t.Fatalf("%+v", r)
	}
	reaches(id, "RUNNING")
	if r = try(t, nil, "submit", "--master", master, "--kill", id); r.code != 0 || !strings.Contains(r.out, "Kill request for "+id+" submitted") {
		t.Errorf("%+v", r)
	}
	reaches(id, "KILLED")
}

// TestNineSteps: a user who asks for it sees each step of a query in the log, in its order: who asked whom for what, what was
// granted, who came, what is computed, where it ran, what was shuffled, what came out, and that all was given back.
func TestNineSteps(t *testing.T) {
	master := cluster(t, 2, 1)
	for _, how := range [][]string{{"--verbose"}, {"-c", "spark.log.level=INFO"}} {
		r := try(t, nil, append([]string{"sql", "--master", master, "--executor-memory", "512m", "--num-executors", "2", "-e",
			"select id % 3 as k, count(*) from range(0, 1000000, 1, 4) group by 1 order by 1"}, how...)...)
		if r.code != 0 {
			t.Fatalf("%+v", r)
		}
		rest := r.err
		for _, step := range []string{
			`msg="application starts" name="firesteel sql" id=\S+ master=` + regexp.QuoteMeta(master),
			`msg="executors asked for" number=2 cores=.* memory="512 MiB"`,
			`msg="executor granted" executor=\d host=127.0.0.1 where=worker-\S+ cores=1 memory="512 MiB"`,
			`msg="executor registered" executor=\d host=127.0.0.1 cores=1`,
			`msg="executor registered" executor=\d host=127.0.0.1 cores=1`,
			`msg="query is planned" query=1 stages=3 slots=2`,
			`msg="stage of the plan" query=1 stage=0 computes="HashAggregate < Range" inputs=\[\] to="hashpartitioning`,
			`msg="stage of the plan" query=1 stage=2 computes="Sort < stage 1" inputs=\[1\] to="the client"`,
			`msg="job starts" job=0`,
			`msg="stage starts" stage=0.0 tasks=4 computes="HashAggregate < Range"`,
			`msg="task starts" task=0 stage=0.0 partition=0 attempt=0 executor=\d host=127.0.0.1 locality=\S+`,
			`msg="task ends" task=\d stage=0.0 partition=\d executor=\d host=127.0.0.1 took=\S+ wrote="[1-9]\d* B" .*done=4/4`,
			`msg="stage ends" stage=0.0 tasks=4 failed=0 killed=0 ran="[1-4] on .*shuffle_written="[1-9]\d* B"`,
			`msg="job ends" job=0`,
			`msg="stage ends" stage=\d.0 .*shuffle_read_here="\d+ B" shuffle_read_from_others="\d+ B"`,
			`msg="query has its results" query=1 rows=3`,
			`msg="executors are released"`,
			`msg="application ends"`,
		} {
			at := regexp.MustCompile(step).FindStringIndex(rest)
			if at == nil {
				t.Fatalf("%v: the log lacks %s, or has it too early:\n%s", how, step, r.err)
			}
			rest = rest[at[1]:]
		}
		for _, id := range []string{"0", "1"} {
			if !strings.Contains(r.err, `msg="executor registered" executor=`+id+" ") {
				t.Errorf("%v: executor %s did not register:\n%s", how, id, r.err)
			}
		}
		// What one wrote, others read.
		if !regexp.MustCompile(`shuffle_read_from_others="[1-9]\d* B"`).MatchString(r.err) {
			t.Errorf("%v: nobody reads from others:\n%s", how, r.err)
		}
	}
}

// TestConnectMessage: a server does not promise slots of executors that have not come.
func TestConnectMessage(t *testing.T) {
	master := cluster(t, 1, 1)
	start(t, nil, `Spark Connect on sc://127.0.0.1:\d+, (tasks run on executors of `+regexp.QuoteMeta(master)+`)`, "connect", "--port", "0", "--master", master)
	start(t, nil, `Spark Connect on sc://127.0.0.1:\d+, (local\[3\] with 3 task slots)`, "connect", "--port", "0", "--master", "local[3]")
}
