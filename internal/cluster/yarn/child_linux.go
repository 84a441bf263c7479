package yarn

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the child when this process is killed: the container is over then.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
