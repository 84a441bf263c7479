package spark_test

import (
	"context"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/firesteel/firesteel/spark"
)

// TestMain makes the test's binary an executor where it is started as one.
func TestMain(m *testing.M) {
	spark.Init()
	goleak.VerifyTestMain(m)
}

// local starts an application with two slots and ends it with the test.
func local(t testing.TB, settings ...string) *spark.Session {
	t.Helper()
	return on(t, "local[2]", settings...)
}

func on(t testing.TB, master string, settings ...string) *spark.Session {
	t.Helper()
	b := spark.Builder().Master(master).AppName("test").
		Config("spark.sql.warehouse.dir", t.TempDir()).Config("spark.sql.catalogImplementation", "in-memory").
		Config("spark.local.dir", t.TempDir()).Config("spark.sql.session.timeZone", "UTC").Config("spark.driver.memory", "512m")
	for i := 0; i < len(settings); i += 2 {
		b.Config(settings[i], settings[i+1])
	}
	s, err := b.Create(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func writeFile(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
