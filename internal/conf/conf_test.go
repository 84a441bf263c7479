package conf

import (
	"testing"
	"time"

	"github.com/firesteel/firesteel/internal/sparkerr"
)

func TestRowsAreSound(t *testing.T) {
	seen := map[string]bool{}
	n := 0
	for _, rows := range [][]Row{coreRows, connectRows, sqlRows, sqlsourceRows, legacyRows, kubernetesRows, yarnRows, mesosRows} {
		for i := range rows {
			r := &rows[i]
			n++
			if seen[r.Name] {
				t.Errorf("%s is there twice", r.Name)
			}
			seen[r.Name] = true
			if r.Since == "" || r.Static && !r.SQL {
				t.Errorf("%s: since %q, static %v, SQL %v", r.Name, r.Since, r.Static, r.SQL)
			}
			if !r.Unset && r.Fallback == "" {
				if _, ok := r.misfit(r.Default); !ok {
					t.Errorf("%s: the default %q does not fit its kind", r.Name, r.Default)
				}
			}
			if r.Fallback != "" && Lookup(r.Fallback) == nil {
				t.Errorf("%s falls back on %s, which is not known", r.Name, r.Fallback)
			}
		}
	}
	if n < 600 || n != len(Rows()) {
		t.Errorf("%d rows, %d by name", n, len(Rows()))
	}
}

// TestClientKeys: the keys that PySpark asks for before it does anything; a size must be a plain number.
func TestClientKeys(t *testing.T) {
	c := New(nil).Values()
	for key, want := range map[string]string{
		"spark.sql.session.timeZone":                                      "UTC",
		"spark.sql.timestampType":                                         "TIMESTAMP_LTZ",
		"spark.sql.session.localRelationCacheThreshold":                   "1048576",
		"spark.sql.session.localRelationSizeLimit":                        "3221225472",
		"spark.sql.session.localRelationChunkSizeRows":                    "10000",
		"spark.sql.session.localRelationChunkSizeBytes":                   "16777216",
		"spark.sql.session.localRelationBatchOfChunksSizeBytes":           "1073741824",
		"spark.sql.execution.pandas.convertToArrowArraySafely":            "true",
		"spark.sql.execution.pandas.inferPandasDictAsMap":                 "false",
		"spark.sql.execution.pandas.structHandlingMode":                   "legacy",
		"spark.sql.execution.arrow.useLargeVarTypes":                      "false",
		"spark.sql.execution.arrow.pyspark.selfDestruct.enabled":          "false",
		"spark.sql.pyspark.inferNestedDictAsStruct.enabled":               "false",
		"spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled": "false",
		"spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled":      "false",
		"spark.sql.execution.pyspark.binaryAsBytes":                       "true",
		"spark.sql.execution.pythonUDF.arrow.enabled":                     "true",
		"spark.sql.execution.pythonUDTF.arrow.enabled":                    "true",
		"spark.sql.repl.eagerEval.enabled":                                "false",
		"spark.sql.repl.eagerEval.maxNumRows":                             "20",
		"spark.sql.repl.eagerEval.truncate":                               "20",
		"spark.sql.connect.serverStacktrace.enabled":                      "true",
		"spark.sql.pyspark.jvmStacktrace.enabled":                         "false",
		"spark.connect.session.planCompression.threshold":                 "10485760",
		"spark.connect.session.planCompression.defaultAlgorithm":          "ZSTD",
		"spark.sql.ansi.enabled":                                          "true",
		"spark.sql.autoBroadcastJoinThreshold":                            "10485760b",
		"spark.sql.broadcastTimeout":                                      "300000ms",
		"spark.sql.costEvaluator":                                         "",
	} {
		got, err := c.Get(key)
		if want == "" {
			if !sparkerr.Is(err, "SQL_CONF_NOT_FOUND") {
				t.Errorf("%s: %v", key, err)
			}
		} else if got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", key, got, err, want)
		}
	}
}

func TestSet(t *testing.T) {
	c := New(map[string]string{"spark.app.name": "x"})
	tests := []struct{ key, value, condition string }{
		{"spark.sql.shuffle.partitions", "7", ""},
		{"spark.sql.shuffle.partitions", "x", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.shuffle.partitions", "-1", "INVALID_CONF_VALUE.REQUIREMENT"},
		{"spark.sql.ansi.enabled", "FALSE", ""},
		{"spark.sql.ansi.enabled", "no", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.timestampType", "timestamp_ntz", ""},
		{"spark.sql.timestampType", "x", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS"},
		{"spark.sql.files.maxPartitionBytes", "1x", "INVALID_CONF_VALUE.TYPE_MISMATCH"},
		{"spark.sql.files.maxPartitionBytes", "2g", ""},
		{"spark.sql.session.timeZone", "1x", "INVALID_CONF_VALUE.TIME_ZONE"},
		{"spark.sql.session.timeZone", "America/Los_Angeles", ""},
		{"spark.sql.session.timeZone", "+01:00", ""},
		{"spark.sql.session.timeZone", "GMT-8", ""},
		{"spark.sql.session.timeZone", "+19:00", "INVALID_CONF_VALUE.TIME_ZONE"},
		{"spark.sql.warehouse.dir", "x", "CANNOT_MODIFY_STATIC_CONFIG"},
		{"spark.executor.memory", "1g", "CANNOT_MODIFY_CONFIG"},
		{"my.vendor.key", "anything", ""},
		{"spark.app.name", "name", ""},
	}
	for _, test := range tests {
		err := c.Set(test.key, test.value)
		if test.condition == "" && err != nil || test.condition != "" && !sparkerr.Is(err, test.condition) {
			t.Errorf("set %s=%s: %v", test.key, test.value, err)
		}
		if err == nil {
			if got := c.Values().String(test.key); got != test.value {
				t.Errorf("%s reads %q after set %q", test.key, got, test.value)
			}
		}
	}
	v := c.Values()
	if v.Int("spark.sql.shuffle.partitions") != 7 || v.Bool("spark.sql.ansi.enabled") || v.Bytes("spark.sql.files.maxPartitionBytes") != 2<<30 ||
		v.Duration("spark.connect.session.manager.defaultSessionTimeout") != time.Hour || v.Double("spark.memory.fraction") != 0.6 {
		t.Error("typed getters", v.All())
	}
}

func TestLayers(t *testing.T) {
	c := New(map[string]string{"spark.sql.shuffle.partitions": "3"})
	before := c.Values()
	d := c.Clone()
	if err := c.Set("spark.sql.shuffle.partitions", "4"); err != nil {
		t.Fatal(err)
	}
	if before.Int("spark.sql.shuffle.partitions") != 3 || d.Values().Int("spark.sql.shuffle.partitions") != 3 {
		t.Error("a snapshot or a clone changed")
	}
	if err := c.Unset("spark.sql.shuffle.partitions"); err != nil || c.Values().Int("spark.sql.shuffle.partitions") != 200 {
		t.Error("the default does not come back", err)
	}
}

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{"1": 1 << 20, "1k": 1 << 10, "1KB": 1 << 10, " 2g ": 2 << 30, "3b": 3, "-1": -1 << 20} {
		if got, err := ParseBytes(s, 1<<20); got != want || err != nil {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "k", "1.5g", "1 x", "9223372036854775807k"} {
		if n, err := ParseBytes(s, 1); err == nil {
			t.Errorf("%q gives %d", s, n)
		}
	}
}

func TestListing(t *testing.T) {
	c := New(map[string]string{"spark.sql.shuffle.partitions": "3"})
	found := 0
	for _, e := range c.Values().Listing() {
		if e.Key == "spark.sql.shuffle.partitions" && e.Value == "3" || e.Key == "spark.sql.autoBroadcastJoinThreshold" && e.Value == "10MB" {
			found++
		}
		if e.Doc == "" || e.Since == "" {
			t.Errorf("%s lacks text", e.Key)
		}
	}
	if found != 2 {
		t.Error(found)
	}
}
