"""One PySpark application that runs unchanged on every master: TPC-H Q3 and Q9, and a word count of cached text.

    programs.py FOLDER_WITH_TPCH [SECONDS [PROGRAM ...]] [--to FILE]

Each of the programs q3, q9 and wordcount prints a line, RESULT NAME VALUE or FAILED NAME ERROR, and writes it to FILE, for
modes in which the driver's output is far away. SECONDS: the first program is repeated for so long.
"""
import argparse
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

Q3 = """select l_orderkey, sum(l_extendedprice * (1 - l_discount)) revenue, o_orderdate, o_shippriority
from customer, orders, lineitem
where c_mktsegment = 'BUILDING' and c_custkey = o_custkey and l_orderkey = o_orderkey
  and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
group by l_orderkey, o_orderdate, o_shippriority order by revenue desc, o_orderdate limit 10"""

Q9 = """select nation, o_year, sum(amount) sum_profit from (
  select n_name nation, extract(year from o_orderdate) o_year,
         l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity amount
  from part, supplier, lineitem, partsupp, orders, nation
  where s_suppkey = l_suppkey and ps_suppkey = l_suppkey and ps_partkey = l_partkey and p_partkey = l_partkey
    and o_orderkey = l_orderkey and s_nationkey = n_nationkey and p_name like '%green%') profit
group by nation, o_year order by nation, o_year desc"""


def rows(df):
    return ";".join(",".join(str(v) for v in r) for r in df.collect())


def word_count(spark):
    words = spark.table("orders").select(F.explode(F.split("o_comment", "[^a-z]+")).alias("word")).where("word <> ''").cache()
    total = words.count()  # fills the cache
    counts = words.groupBy("word").count().orderBy(F.desc("count"), "word").limit(20)
    value = f"{total}:{words.select('word').distinct().count()}:{rows(counts)}"
    words.unpersist()
    return value


PROGRAMS = {"q3": lambda spark: rows(spark.sql(Q3)), "q9": lambda spark: rows(spark.sql(Q9)), "wordcount": word_count}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("folder")
    p.add_argument("seconds", nargs="?", type=float, default=0)
    p.add_argument("programs", nargs="*")
    p.add_argument("--to")
    a = p.parse_args()
    to = open(a.to, "a") if a.to else None

    def tell(*words):
        for f in (sys.stdout, to):
            if f:
                print(*words, file=f, flush=True)

    spark = SparkSession.builder.getOrCreate()
    for t in ("customer", "orders", "lineitem", "part", "partsupp", "supplier", "nation"):
        # A table is a file or a folder of files.
        spark.read.parquet(f"{a.folder}/{t}*").createOrReplaceTempView(t)
    until, failed = time.time() + a.seconds, False
    for name in a.programs or PROGRAMS:
        while True:  # the first one uses up the time
            try:
                tell("RESULT", name, PROGRAMS[name](spark))
            except Exception as e:  # the next program shall run all the same
                tell("FAILED", name, str(e).splitlines()[0])
                failed = True
            if time.time() >= until:
                break
    spark.stop()
    sys.exit(1 if failed else 0)


main()
