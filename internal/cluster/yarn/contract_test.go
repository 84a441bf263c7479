package yarn

import (
	"maps"
	"os"
	"testing"

	"github.com/firesteel/firesteel/internal/cluster"
	"github.com/firesteel/firesteel/internal/cluster/clustertest"
	"github.com/firesteel/firesteel/internal/conf"
	"github.com/firesteel/firesteel/internal/hadoop"
)

// toyExecutor is an executor of the contract suite, which takes the secret from the environment.
func toyExecutor() error {
	secret, err := hadoop.LoadSecret()
	if err != nil {
		return err
	}
	if err := os.Setenv(cluster.SecretEnv, secret); err != nil {
		return err
	}
	clustertest.ExecutorMain()
	return nil
}

// contract holds managers with settings to the contract; their executors are the suite's.
func contract(t *testing.T, settings func(t *testing.T) map[string]string) {
	var given map[string]string
	clustertest.Run(t, clustertest.Subject{
		New: func(t *testing.T) cluster.Manager {
			given = settings(t)
			return New(conf.NewValues(given))
		},
		NewBroken: func(t *testing.T) cluster.Manager {
			given = settings(t)
			given["spark.yarn.am.memory"] = "1000g"
			return New(conf.NewValues(given))
		},
		First: 1, Forgives: true,
		App: func(a *cluster.App) {
			a.Conf, a.User = given, "ann"
			env := map[string]string{toyEnv: "1"}
			maps.Copy(env, a.Executor.Env)
			a.Executor.Env = env
		},
	})
}

// toyEnv makes executors those of the contract suite.
const toyEnv = "STAND_IN_TOY"

func TestContract(t *testing.T) {
	alone(t)
	contract(t, func(t *testing.T) map[string]string { return newFake(t).settings() })
}

func TestRealContract(t *testing.T) {
	realSettings(t) // or it is skipped
	contract(t, func(t *testing.T) map[string]string { s, _ := realSettings(t); return s })
}
