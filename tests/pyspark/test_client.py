"""What a PySpark user does first, through a real client."""
import pytest
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import functions as F


def test_range_and_show(spark, capsys):
    spark.range(3).show()
    assert capsys.readouterr().out == "+---+\n| id|\n+---+\n|  0|\n|  1|\n|  2|\n+---+\n\n"


def test_create_dataframe(spark):
    df = spark.createDataFrame([(1, "a"), (2, None)], "id int, name string")
    assert df.columns == ["id", "name"]
    assert [tuple(r) for r in df.orderBy("id").collect()] == [(1, "a"), (2, None)]


def test_group_join_window(spark):
    from pyspark.sql.window import Window

    left = spark.createDataFrame([(1, 10), (1, 20), (2, 30)], "k int, v int")
    right = spark.createDataFrame([(1, "one"), (3, "three")], "k int, name string")
    sums = left.groupBy("k").agg(F.sum("v").alias("s")).orderBy("k").collect()
    assert [tuple(r) for r in sums] == [(1, 30), (2, 30)]
    joined = left.join(right, "k", "left").orderBy("k", "v").collect()
    assert [tuple(r) for r in joined] == [(1, 10, "one"), (1, 20, "one"), (2, 30, None)]
    ranked = left.withColumn("r", F.row_number().over(Window.partitionBy("k").orderBy(F.desc("v"))))
    assert sorted(tuple(r) for r in ranked.collect()) == [(1, 10, 2), (1, 20, 1), (2, 30, 1)]


def test_errors_name_their_condition(spark):
    with pytest.raises(ParseException, match="PARSE_SYNTAX_ERROR"):
        spark.sql("selec 1").collect()
    with pytest.raises(AnalysisException, match="UNRESOLVED_COLUMN.WITH_SUGGESTION"):
        spark.range(1).select("ide").collect()
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO"):
        spark.sql("select id / (id - id) from range(3)").collect()
    assert spark.sql("select 1").collect()[0][0] == 1, "the server goes on"


def test_unreadable_files(spark, tmp_path):
    bad = tmp_path / "bad.parquet"
    spark.range(100).write.parquet(str(tmp_path / "good"))
    part = next((tmp_path / "good").glob("part-*.parquet"))
    bad.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(Exception, match="bad.parquet"):
        spark.read.parquet(str(bad)).collect()
    with pytest.raises(AnalysisException, match="PATH_NOT_FOUND"):
        spark.read.parquet(str(tmp_path / "nothing")).collect()


def test_write_and_read_back(spark, tmp_path):
    path = str(tmp_path / "out")
    spark.range(1000).withColumn("even", F.col("id") % 2 == 0).write.partitionBy("even").parquet(path)
    back = spark.read.parquet(path)
    assert back.count() == 1000
    assert dict(back.dtypes)["even"] == "string"  # as Spark reads it: booleans are not inferred from directory names
    assert back.filter("even = 'true'").agg(F.sum("id")).collect()[0][0] == sum(range(0, 1000, 2))


def test_views_and_sql(spark):
    spark.range(5).createOrReplaceTempView("five")
    assert spark.sql("select sum(id) from five where id > :low", args={"low": 2}).collect()[0][0] == 7
    assert "Physical Plan" in spark.sql("select * from five")._explain_string()
