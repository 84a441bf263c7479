package child

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// privateEnv has the number of the descriptor from which private variables are read.
const privateEnv = "_FIRESTEEL_PRIVATE"

// ours are variables of this process that its children must not see: secrets of clusters and servers.
var ours = map[string]bool{"SPARK_AUTHENTICATE_SECRET": true, "SPARK_CONNECT_AUTHENTICATE_TOKEN": true}

// whisper prepares a command for private variables. tell writes them once it runs, done closes what is left.
func whisper(cmd *exec.Cmd, vars map[string]string) (tell func() error, done func(), err error) {
	data, err := json.Marshal(vars)
	if err != nil {
		return nil, nil, err
	}
	theirs, mine, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.Env = append(cmd.Env, privateEnv+"="+strconv.Itoa(3+len(cmd.ExtraFiles)))
	cmd.ExtraFiles = append(cmd.ExtraFiles, theirs)
	tell = func() error {
		_, err := mine.Write(data) // a pipe holds more than that
		return err
	}
	return tell, func() { _, _ = theirs.Close(), mine.Close() }, nil
}

// mostPrivate bounds what is read of private variables.
const mostPrivate = 1 << 20

// listen puts private variables into the environment of this process, of which the system shows the first state only.
func listen() error {
	text := os.Getenv(privateEnv)
	if err := os.Unsetenv(privateEnv); err != nil || text == "" {
		return err
	}
	fd, err := strconv.Atoi(text)
	if err != nil || fd < 3 {
		return fmt.Errorf("%s names no descriptor", privateEnv)
	}
	f := os.NewFile(uintptr(fd), "private variables")
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostPrivate))
	if err != nil {
		return err
	}
	var vars map[string]string
	if err := json.Unmarshal(data, &vars); err != nil {
		return fmt.Errorf("private variables cannot be read: %w", err)
	}
	for k, v := range vars {
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	return nil
}
