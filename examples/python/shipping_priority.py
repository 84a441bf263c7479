"""The ten unshipped orders with the largest revenue: TPC-H query 3 as a PySpark program.

Usage: shipping_priority.py DIR      DIR holds the TPC-H tables as Parquet
"""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.appName("shipping priority").getOrCreate()
data = sys.argv[1]


def table(name):
    return spark.read.parquet(f"{data}/{name}.parquet")


day = F.lit("1995-03-15").cast("date")
revenue = F.sum(F.col("l_extendedprice") * (1 - F.col("l_discount")))

answer = (
    table("customer")
    .filter(F.col("c_mktsegment") == "BUILDING")
    .join(table("orders"), F.col("c_custkey") == F.col("o_custkey"))
    .join(table("lineitem"), F.col("l_orderkey") == F.col("o_orderkey"))
    .filter((F.col("o_orderdate") < day) & (F.col("l_shipdate") > day))
    .groupBy("l_orderkey", "o_orderdate", "o_shippriority")
    .agg(revenue.alias("revenue"))
    .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
    .orderBy(F.desc("revenue"), "o_orderdate")
    .limit(10)
)
answer.show()
spark.stop()
