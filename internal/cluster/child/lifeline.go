package child

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// lifelineEnv says that descriptor lifelineFD is a pipe whose other end the parent holds: it breaks when the parent dies.
const (
	lifelineEnv = "_FIRESTEEL_LIFELINE"
	lifelineFD  = 3
)

// patience is how long a process whose parent died may take to leave before its group is killed.
const patience = 5 * time.Second

// FollowParent ends this process and its group when the parent that started it with a lifeline dies, even by SIGKILL: by
// SIGTERM first, then by SIGKILL. Without a lifeline it does not. It takes over private variables, too. Programs that are children of cluster
// managers call it first.
func FollowParent() {
	if err := listen(); err != nil {
		fmt.Fprintln(os.Stderr, "firesteel:", err)
		os.Exit(1)
	}
	if os.Getenv(lifelineEnv) == "" {
		return
	}
	_ = os.Unsetenv(lifelineEnv) // our own children have other parents
	syscall.CloseOnExec(lifelineFD)
	line := os.NewFile(lifelineFD, "lifeline")
	go func() {
		_, _ = line.Read(make([]byte, 1)) // nothing is ever written
		self := os.Getpid()
		_ = syscall.Kill(-self, syscall.SIGTERM)
		time.Sleep(patience)
		_ = syscall.Kill(-self, syscall.SIGKILL) // this process leads its group
	}()
}
