package audit

import (
	"path/filepath"
	"testing"

	"github.com/firesteel/firesteel/internal/conf"
)

// BenchmarkDo is what an action costs.
func BenchmarkDo(b *testing.B) {
	l, err := Open(conf.NewValues(map[string]string{PathKey: filepath.Join(b.TempDir(), "audit.jsonl")}), "app-1")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		_ = l.Do(Action{Name: "execute", User: "u", Statement: "select sum(a), count(*) from t where b > 4 group by c"}, func() error { return nil })
	}
}
