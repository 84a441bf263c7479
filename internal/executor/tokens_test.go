package executor_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/firesteel/firesteel/internal/executor"
	"github.com/firesteel/firesteel/internal/hadoop"
	"github.com/firesteel/firesteel/internal/wire"
)

const nameNode = "127.0.0.1:8020"

func init() {
	toys["token"] = func(_ context.Context, env *executor.Env, _ *executor.Task) (wire.Outcome, error) {
		c, err := hadoop.LoadConf(env.Conf)
		if err != nil {
			return wire.Outcome{}, err
		}
		u, err := hadoop.UserFor(c, env.Conf)
		if err != nil {
			return wire.Outcome{}, err
		}
		t := u.Token(hadoop.KindHDFS, nameNode)
		if t == nil {
			return wire.Outcome{}, errors.New("there is no token")
		}
		return wire.Outcome{Result: append([]byte(env.ID+" "), t.Password...)}, nil
	}
}

func tokens(password string) []byte {
	c := hadoop.NewCredentials()
	c.Tokens[nameNode] = &hadoop.Token{Identifier: []byte("id"), Password: []byte(password), Kind: hadoop.KindHDFS, Service: nameNode}
	return c.Bytes()
}

// TestTokens: executors without tickets and keys have the driver's tokens when their tasks begin, the newest ones, also those that come later.
func TestTokens(t *testing.T) {
	t.Setenv("KRB5CCNAME", t.TempDir()+"/none")
	c := start(t, 1, 1, map[string]string{"spark.hadoop.hadoop.security.authentication": "kerberos", "spark.kerberos.principal": "ann@R",
		"spark.kerberos.keytab": "/a/file/of/the/driver"})
	c.remote.SendCredentials(tokens("first"))
	read := func(want string) {
		t.Helper()
		if out, err := c.run(t, stage("token", 1)); err != nil || string(out[0].Data) != want {
			t.Fatalf("%v, %v: not %s", out, err, want)
		}
	}
	read("0 first")
	c.remote.SendCredentials(tokens("second"))
	read("0 second")
	c.procs.kill("0", syscall.SIGKILL)
	c.awaitEnd(t, "0")
	read("1 second")
	if _, err := os.Stat("/a/file/of/the/driver"); err == nil {
		t.Error("the keytab is there: the test shows nothing")
	}
}

// TestNoTokens: without tokens the task says what is missing.
func TestNoTokens(t *testing.T) {
	t.Setenv("KRB5CCNAME", t.TempDir()+"/none")
	c := start(t, 1, 1, map[string]string{"spark.hadoop.hadoop.security.authentication": "kerberos"})
	if _, err := c.run(t, stage("token", 1)); err == nil || !strings.Contains(err.Error(), hadoop.ErrNoTickets.Error()) {
		t.Error(err)
	}
}
