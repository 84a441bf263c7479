package yarn

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Commands go through two shells: the NodeManager's script says exec /bin/bash -c "COMMAND".
func TestCommandPassesArguments(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	args := []string{"/usr/bin/env", "printf", "%s\n", "plain", "two words", `$HOME`, "it's", `"quoted"`, "`id`", `back\slash`, "a;b&c|d>e", "", "$(id)", "ünï"}
	dir := t.TempDir()
	text := strings.ReplaceAll(command(args, []string{"lib.zip", "m.py"}), "<LOG_DIR>", dir)
	script := filepath.Join(dir, "launch.sh")
	if err := os.WriteFile(script, []byte("exec /bin/bash -c \""+text+"\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "stdout"))
	if want := strings.Join(args[3:], "\n") + "\n"; err != nil || string(got) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
	args = []string{"/bin/sh", "-c", "echo $PYTHONPATH $HADOOP_CONF_DIR $SPARK_LOCAL_DIRS"}
	text = strings.ReplaceAll(command(args, []string{"lib.zip"}), "<LOG_DIR>", dir)
	if err := os.WriteFile(script, []byte("exec /bin/bash -c \""+text+"\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command("bash", script)
	cmd.Dir, cmd.Env = dir, []string{"LOCAL_DIRS=/l1,/l2", "PYTHONPATH=/given", "PATH=/bin:/usr/bin"}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err = os.ReadFile(filepath.Join(dir, "stdout"))
	if want := real + "/.:" + real + "/lib.zip:/given " + real + "/__hadoop_conf__ /l1,/l2\n"; err != nil || string(got) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
}
