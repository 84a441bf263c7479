"""Records what a PySpark client sends for a broad set of operations, as seeds for fuzzing.

    python record_requests.py sc://127.0.0.1:15002 [MORE.jsonl.gz …] OUT.jsonl.gz

The client is the one of the interpreter, unchanged: an interceptor of its channel sees the messages. What other runs have
recorded is kept, so that the corpus has the messages of several releases. Ids of sessions and operations are left out; equal
messages are recorded once. The answers do not matter: what the server does not know is recorded too.
"""
import base64
import datetime
import decimal
import gzip
import inspect
import json
import os
import sys

import grpc
import pandas
from pyspark.sql import Window, functions as F, types as T
from pyspark.sql.connect.client import DefaultChannelBuilder
from pyspark.sql.connect.session import SparkSession

seen = {}


class Recorder(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor):
    def note(self, details, request):
        method = details.method
        method = (method.decode() if isinstance(method, bytes) else method).rsplit("/", 1)[1]
        if method in ("ReleaseExecute", "ReattachExecute", "FetchErrorDetails"):
            return
        copy = type(request)()
        copy.CopyFrom(request)
        for field in ("session_id", "operation_id", "client_observed_server_side_session_id", "client_type", "user_context", "request_options"):
            if field in copy.DESCRIPTOR.fields_by_name:
                copy.ClearField(field)
        data = copy.SerializeToString(deterministic=True)
        if len(data) < 20_000:
            seen[method, base64.b64encode(data).decode()] = True

    def intercept_unary_unary(self, go_on, details, request):
        self.note(details, request)
        return go_on(details, request)

    intercept_unary_stream = intercept_unary_unary

    def intercept_stream_unary(self, go_on, details, requests):
        def noted():
            for r in requests:
                self.note(details, r)
                yield r

        return go_on(details, noted())


def attempt(f):
    """Does something whose answer does not matter."""
    try:
        f()
    except Exception:
        pass


# Frames of all kinds of relations, one a line: a has the columns id, k and s, b has k, name and v.
FRAMES = """
a.join(b, "k")
a.join(b, a.k == b.k, "left")
a.crossJoin(b)
a.join(b, ["k"], "leftanti")
a.join(b, a.k < b.k, "full")
a.alias("x").join(a.alias("y"), F.col("x.id") == F.col("y.k"))
a.lateralJoin(s.range(2))
a.union(a)
a.unionByName(a.drop("s"), allowMissingColumns=True)
a.intersect(a)
a.exceptAll(a.limit(2))
a.subtract(a)
a.filter("id > 3 and s like '1%'")
a.where(F.col("s").isin("1", "2") & ~F.col("k").isNull())
a.where(F.col("id") == b.select(F.max("k")).scalar())
a.where(b.where(F.col("k") == F.col("id").outer()).exists())
a.where(F.col("k").isin(b.select("k")))
a.sort("k", F.desc("id"))
a.orderBy(F.rand(3), F.asc_nulls_last("k"))
a.sortWithinPartitions("k")
a.limit(3)
a.offset(5)
a.repartition(3)
a.repartition(2, "k")
a.repartitionByRange(4, F.col("id").desc())
a.coalesce(1)
a.groupBy("k").agg(F.sum("id").alias("t"), F.countDistinct("s"))
a.groupBy(F.col("id") % 2, "k").agg({"id": "max", "s": "count"})
a.rollup("k", "s").count()
a.cube("k").max("id")
a.groupBy().avg("id")
a.groupBy("k").pivot("s", ["1", "2"]).sum("id")
a.groupBy("k").pivot("k").count()
a.groupingSets([["k"], []], "k").agg(F.count("*"))
a.select(F.row_number().over(w), F.lag("id", 1, 0).over(w), F.sum("id").over(w.rowsBetween(-2, Window.currentRow)))
a.select(F.avg("id").over(Window.orderBy("id").rangeBetween(Window.unboundedPreceding, 3)), F.ntile(3).over(w), F.first("s", True).over(w))
a.select("*", F.expr("id + 1 as j"))
a.selectExpr("id div 2", "case when k = 1 then 'x' end", "stack(2, id, k) as (x)")
a.withColumn("z", F.lit(None))
a.withColumns({"p": F.lit(1), "q": F.col("id") * 2})
a.withColumnRenamed("id", "i")
a.withColumnsRenamed({"k": "l"})
a.withMetadata("id", {"note": "x"})
a.drop("k")
a.drop(a.k, F.col("s"))
a.toDF("x", "y", "z")
a.distinct()
a.dropDuplicates(["k"])
a.dropDuplicatesWithinWatermark(["k"])
a.alias("n").select("n.id", "n.*")
a.hint("broadcast")
a.hint("repartition", 3, "k")
a.sample(0.5, 7)
a.sample(True, 0.3, 7)
a.randomSplit([0.3, 0.7], 5)[1]
a.sampleBy("k", {1: 0.5, 2: 0.1}, 7)
a.to(T.StructType([T.StructField("id", T.LongType())]))
b.na.fill({"name": "?", "v": 0.0})
b.fillna(1)
b.na.drop("any", 2, ["name"])
b.na.replace(["x"], ["y"], "name")
a.replace("1", "2")
b.describe()
b.summary("min", "75%")
a.stat.crosstab("k", "s")
a.stat.freqItems(["k"], 0.4)
a.unpivot(["id"], ["k"], "n", "v")
a.select("id").transpose()
a.select(a.colRegex("`k.*`"))
a.withWatermark("id", "1 minute")
a.observe("o", F.count("*").alias("n"), F.max("id").alias("m"))
a.mapInPandas(lambda i: i, a.schema)
a.mapInArrow(lambda i: i, a.schema)
a.groupBy("k").applyInPandas(lambda p: p, "id long, k long, s string")
a.groupBy("k").cogroup(b.groupBy("k")).applyInPandas(lambda x, y: x, "id long")
a.select(F.udf(lambda x: x, "string")("s"))
a.select(F.pandas_udf(lambda x: x, "long")("id"))
s.sql("select * from {t} where k = {k}", t=a, k=1)
s.sql("select * from a where id > :n and s = :s", {"n": 3, "s": "it's"})
s.sql("select ? + ?, ?", [1, 2, "x"])
s.sql("select * from a where id in (select k from b) order by id limit 3")
s.tvf.range(3)
s.tvf.explode(F.array(F.lit(1), F.lit(2)))
s.tvf.stack(F.lit(2), F.lit("a"), F.lit("b"))
s.tvf.json_tuple(F.lit('{"x": 1}'), F.lit("x"))
s.table("a")
s.range(10, 0, -2, 4)
c.select(F.from_json("j", "x int"), F.from_csv("c", "p int, q int"), F.schema_of_json(F.lit('{"a": [1]}')), F.to_json(F.struct("c")))
s.read.json(c.select("j"))
s.read.csv(c.select("c"))
s.read.option("header", True).csv("in.csv")
s.read.schema("a int").json(["in1.json", "in2.json"])
s.read.format("parquet").load("in.parquet")
s.read.text("in.txt", wholetext=True)
s.read.orc("in.orc")
s.read.table("a")
s.read.jdbc("jdbc:x", "t", predicates=["a > 1"])
s.readStream.format("rate").load()
a.zipWithIndex()
a.groupBy("k").agg(F.grouping("k"), F.grouping_id())
a.select(F.explode(F.array("id", "k")), F.posexplode(F.create_map("id", "s")))
a.select(F.struct("id", "k").alias("x")).select("x.*", F.col("x")["id"], F.col("x").getField("k"))
a.join(b, F.col("id").between(1, 3)).groupBy("name").agg(F.collect_list(F.struct("id")), F.percentile_approx("id", [0.5], 100))
""".strip().splitlines()


def frames(s):
    a = s.range(0, 50, 1, 3).select("id", (F.col("id") % 5).alias("k"), F.col("id").cast("string").alias("s"))
    b = s.createDataFrame([(1, "x", 1.5), (2, None, -0.0), (3, "z", None)], "k int, name string, v double")
    c = s.createDataFrame([('{"x": 1}', "1,2")], "j string, c string")
    a.createOrReplaceTempView("a")
    b.createOrReplaceTempView("b")
    known = dict(globals(), s=s, a=a, b=b, c=c, w=Window.partitionBy("k").orderBy(F.col("id").desc_nulls_last()))
    for text in FRAMES:
        attempt(lambda: eval(text, known).collect())
        attempt(lambda: eval(text, known).schema)


def literals(s):
    """Frames of literals and of local data of all types."""
    zone = datetime.timezone.utc
    values = [None, True, 1, 2**40, 1.5, float("nan"), "text ✓", b"\x00\xff", decimal.Decimal("12.340"), datetime.date(2020, 2, 29), datetime.datetime(1900, 1, 1, 1, 2, 3, 4),
              datetime.datetime(2020, 1, 1, tzinfo=zone), datetime.timedelta(days=3, seconds=1), [1, 2], ["a"], [[1.5]], datetime.time(1, 2, 3)]
    for v in values:
        attempt(lambda: s.range(1).select(F.lit(v)).collect())
    schema = ("a boolean, b byte, c short, d int, e long, f float, g double, h decimal(20,3), i string, j binary, k date, l timestamp, m timestamp_ntz, n array<int>, "
              "o map<string,int>, p struct<x:int,y:array<string>>, q interval day to second")
    row = (True, 1, 2, 3, 4, 1.5, 2.5, decimal.Decimal("1.5"), "s", b"b", datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1), [1, None],
           {"k": 1}, (1, ["y"]), datetime.timedelta(days=1))
    attempt(lambda: s.createDataFrame([row, (None,) * len(row)], schema).collect())
    attempt(lambda: s.createDataFrame(pandas.DataFrame({"x": [1, 2], "y": ["a", None]})).show())
    for t in ("byte", "decimal(5,2)", "timestamp", "interval year to month", "array<map<int,string>>", "varchar(3)", "variant", "time"):
        attempt(lambda: s.range(1).select(F.col("id").cast(t), F.lit(None).cast(t), F.col("id").try_cast(t)).collect())


def functions(s):
    """Every function of the client with some columns, several in a frame."""
    a = s.range(3).select("id", F.col("id").cast("string").alias("s"), F.array("id").alias("arr"), F.create_map("id", "id").alias("m"), F.struct("id").alias("st"),
                          F.current_timestamp().alias("ts"), F.current_date().alias("d"))
    columns = [F.col(c) for c in ("id", "s", "arr", "m")]
    group = []
    for name, f in sorted(vars(F).items()):
        if not inspect.isfunction(f) or name[0] == "_" or f.__module__.startswith("typing"):
            continue
        for n in range(4):
            try:
                c = f(*columns[:n])
                if type(c).__name__ == "Column":
                    group.append(c)
                    break
            except Exception:
                continue
        if len(group) == 6:
            attempt(lambda: a.select(*group).schema)
            group = []
    for f in (F.transform("arr", lambda x, i: x + i), F.aggregate("arr", F.lit(0), lambda acc, x: acc + x), F.map_filter("m", lambda k, v: k > v), F.zip_with("arr", "arr", lambda x, y: x * y),
              F.filter("arr", lambda x: x % 2 == 0), F.when(F.col("id") > 1, "a").when(F.col("id") > 0, "b").otherwise("c"), F.col("st")["id"], F.col("arr")[0], F.col("st").withField("z", F.lit(1)),
              F.col("st").dropFields("id"), F.col("s").substr(1, 2), F.col("id").between(1, 2), F.col("s").rlike("a|b"), F.col("s").ilike("%A"), ~(F.col("id") <= 1), -F.col("id") ** 2,
              F.col("id").eqNullSafe(None), F.col("id").bitwiseAND(3), F.window("ts", "5 minutes", "1 minute"), F.session_window("ts", "1 minute"), F.call_function("abs", F.col("id")),
              F.expr("transform(arr, x -> x + 1)"), F.posexplode("arr"), F.inline(F.array("st")), F.col("id").astype("int"), F.broadcast(a) and F.monotonically_increasing_id()):
        attempt(lambda: a.select(f).collect())


def commands(s, folder):
    a = s.range(5)
    for do in (lambda: a.createOrReplaceTempView("v"), lambda: a.createGlobalTempView("g"), lambda: a.write.parquet(folder + "/p"), lambda: a.write.mode("append").partitionBy("id").csv(folder + "/c"),
               lambda: a.write.format("json").option("x", "y").save(folder + "/j"), lambda: a.write.saveAsTable("t"), lambda: a.write.insertInto("t", overwrite=True),
               lambda: a.write.bucketBy(2, "id").sortBy("id").saveAsTable("u"), lambda: a.writeTo("w").using("parquet").createOrReplace(), lambda: a.writeTo("w").append(),
               lambda: a.checkpoint(), lambda: a.localCheckpoint(), lambda: a.cache().count(), lambda: a.persist().unpersist(), lambda: a.storageLevel, lambda: s.udf.register("f", lambda x: x),
               lambda: a.isLocal(), lambda: a.isStreaming, lambda: a.inputFiles(), lambda: a.sameSemantics(a), lambda: a.semanticHash(), lambda: a.explain("extended"), lambda: a.printSchema(),
               lambda: a.show(3, False, True), lambda: a._repr_html_(), lambda: a.toPandas(), lambda: a.toArrow(), lambda: a.tail(2), lambda: a.corr("id", "id"), lambda: a.cov("id", "id"),
               lambda: a.approxQuantile("id", [0.5], 0.1), lambda: list(a.toLocalIterator()), lambda: a.mergeInto("w", F.expr("true")).whenMatched().delete().merge(),
               lambda: s.readStream.format("rate").load().writeStream.format("console").start(), lambda: s.streams.active, lambda: s.catalog.listTables(), lambda: s.catalog.listColumns("t"),
               lambda: s.catalog.tableExists("t", "default"), lambda: s.catalog.createTable("x", "in.parquet", schema=a.schema), lambda: s.catalog.cacheTable("t"), lambda: s.catalog.dropTempView("v"),
               lambda: s.catalog.setCurrentDatabase("default"), lambda: s.catalog.listFunctions(pattern="a*"), lambda: s.catalog.refreshByPath("x"), lambda: s.catalog.recoverPartitions("t"),
               lambda: s.conf.set("spark.sql.shuffle.partitions", "3"), lambda: s.conf.get("spark.sql.ansi.enabled", "x"), lambda: s.conf.unset("a.b"), lambda: s.conf.isModifiable("a"),
               lambda: s.conf.getAll, lambda: s.interruptTag("t"), lambda: s.interruptAll(), lambda: s.addArtifacts("some.txt", file=True), lambda: s.sql("cache table c as select 1")):
        attempt(do)
    for text in ("select 1 as a union all select 2 order by 1", "with x as (select * from a) select k, sum(id) from x group by all having sum(id) > 3", "create table q (a int, b string) using parquet partitioned by (b)",
                 "insert into q values (1, 'x')", "merge into w using a on w.id = a.id when matched then update set *", "describe extended a", "show functions like 'a*'", "set spark.a=b", "explain formatted select 1",
                 "select * from values (1, array(1, 2)) as t(x, y) lateral view explode(y) e as z", "select /*+ broadcast(b) */ * from a join b using (k)", "from a |> where id > 3 |> aggregate count(*) group by k",
                 "select id, row_number() over (partition by k order by id) from a qualify true", "declare x int default 3", "execute immediate 'select 1'", "begin declare y int; select y; end",
                 "create or replace temporary function g(x int) returns int return x + 1", "alter table q add columns (c int)", "drop table if exists q", "select * from a pivot (sum(id) for k in (1, 2))",
                 "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r", "select * from a tablesample (10 percent)", "use default", "show create table t"):
        attempt(lambda: s.sql(text).collect())


def main(url, before, out):
    for path in before:
        with gzip.open(path, "rt") as f:
            seen.update(((r["method"], r["request"]), True) for r in map(json.loads, f))
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    channel = DefaultChannelBuilder(url)
    channel.add_interceptor(Recorder())
    s = SparkSession.builder.channelBuilder(channel).getOrCreate()
    frames(s)
    literals(s)
    functions(s)
    with open("some.txt", "w") as f:
        f.write("text\n")
    commands(s, "out")
    s.stop()
    lines = [json.dumps({"method": m, "request": r}) + "\n" for m, r in sorted(seen)]
    with gzip.GzipFile(out, "wb", compresslevel=9, mtime=0) as f:
        f.write("".join(lines).encode())
    print(len(lines), "messages")


# Messages have the file's name: it is the same wherever this lies.
if __file__ == "operations.py":
    main(sys.argv[1], sys.argv[2:-1], sys.argv[-1])
else:
    with open(__file__) as own:
        exec(compile(own.read(), "operations.py", "exec"), {"__file__": "operations.py", "__name__": "__main__"})
