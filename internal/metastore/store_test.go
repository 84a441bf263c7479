package metastore

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/firesteel/firesteel/internal/catalog"
	"github.com/firesteel/firesteel/internal/types"
	"github.com/firesteel/firesteel/internal/vfs"
)

func open(t *testing.T, dir string) *Dir {
	t.Helper()
	d, err := Open(vfs.NewRegistry(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, ok bool, err error) {
	t.Helper()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
}

var sample = &catalog.Table{Name: []string{"spark_catalog", "db", "t"}, Kind: "MANAGED", Provider: "parquet", Location: "file:/w/t", Partition: []string{"p"},
	Schema: types.NewSchema(types.Field{Name: "a", Type: types.Decimal(10, 2), Nullable: true, Metadata: `{"comment":"x"}`},
		types.Field{Name: "s", Type: types.Struct(types.Field{Name: "f", Type: types.Array(types.Int, true), Nullable: true}), Nullable: true},
		types.Field{Name: "p", Type: types.Date, Nullable: true}),
	Properties: map[string]string{"k": "v"}, Defaults: map[string]string{"a": "1.5"}, Created: 12,
	Stats: &catalog.Stats{Rows: 3, Bytes: 100, Columns: map[string]catalog.ColumnStats{"a": {Distinct: 2, Min: types.I128(-5), Max: types.I128(7)}, "p": {Nulls: 1, Min: int32(4), Max: int32(9)}}}}

// What one process writes another reads, whole.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	made, err := a.CreateDatabase(&catalog.Database{Name: "db", Properties: map[string]string{"x": "y"}})
	must(t, made, err)
	made, err = a.CreateTable("db", "t", sample)
	must(t, made, err)
	got, err := b.Table("db", "t")
	must(t, got != nil, err)
	if !got.Schema.Type().Equal(sample.Schema.Type()) || got.Schema.Fields[0].Metadata != `{"comment":"x"}` {
		t.Errorf("schema %s %q", got.Schema.Type(), got.Schema.Fields[0].Metadata)
	}
	if !reflect.DeepEqual(got.Stats, sample.Stats) || !reflect.DeepEqual(got.Properties, sample.Properties) || got.Created != 12 {
		t.Errorf("got %+v", got)
	}
	changed := *sample
	changed.Comment = "new"
	if err := b.AlterTable("db", "t", &changed); err != nil {
		t.Fatal(err)
	}
	if got, err = a.Table("db", "t"); err != nil || got.Comment != "new" {
		t.Errorf("%v %v", got, err)
	}
	parts := []*catalog.Partition{{Values: []string{"2020-01-01"}, Null: []bool{false}}}
	if err := a.SetPartitions("db", "t", parts); err != nil {
		t.Fatal(err)
	}
	made, err = a.RenameTable("db", "t", "t2", &changed)
	must(t, made, err)
	names, err := b.Tables("db")
	if err != nil || !reflect.DeepEqual(names, []string{"t2"}) {
		t.Errorf("%v %v", names, err)
	}
	if p, err := b.Partitions("db", "t2"); err != nil || !reflect.DeepEqual(p, parts) {
		t.Errorf("%v %v", p, err)
	}
	if err := b.DropDatabase("db"); err != nil {
		t.Fatal(err)
	}
	if dbs, err := a.Databases(); err != nil || len(dbs) != 0 {
		t.Errorf("%v %v", dbs, err)
	}
}

func TestOneOfManyCreationsWins(t *testing.T) {
	dir := t.TempDir()
	must2(t, open(t, dir))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			made, err := open(t, dir).CreateTable("db", "t", sample)
			if err != nil {
				t.Error(err)
			}
			if made {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d creations succeeded", won.Load())
	}
}

func must2(t *testing.T, d *Dir) {
	t.Helper()
	made, err := d.CreateDatabase(&catalog.Database{Name: "db"})
	must(t, made, err)
}

func TestFunctions(t *testing.T) {
	d := open(t, t.TempDir())
	f := &catalog.Function{Name: []string{"spark_catalog", "db", "f"}, Params: []catalog.Param{{Name: "x", Type: types.Int, Default: "1"}}, Returns: types.Array(types.String, true),
		Body: "array(x)", Deterministic: true, Path: []string{"spark_catalog", "default"}}
	made, err := d.CreateFunction("db", "f", f, false)
	must(t, made, err)
	if made, err = d.CreateFunction("db", "f", f, false); made || err != nil {
		t.Error(made, err)
	}
	got, err := d.Function("db", "f")
	must(t, got != nil, err)
	if got.Body != f.Body || !got.Returns.Equal(f.Returns) || !reflect.DeepEqual(got.Params, f.Params) {
		t.Errorf("got %+v", got)
	}
}
