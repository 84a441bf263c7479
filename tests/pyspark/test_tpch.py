"""The 22 TPC-H queries at scale factor 0.1 through a real PySpark client.

tpch_sf0.1.json holds what Apache Spark 4.2.0 answered on the same data: the number of rows, one row to look at, and
a hash over all rows with decimals at their full scale.
"""
import datetime
import decimal
import hashlib
import json
import os
import pathlib

import pytest

HERE = pathlib.Path(__file__).parent
WANT = json.loads((HERE / "tpch_sf0.1.json").read_text())
QUERIES = HERE.parent.parent / "internal" / "tpch" / "queries"


@pytest.fixture(scope="module")
def tpch(spark):
    data = pathlib.Path(os.environ["TPCH"]).absolute()
    for file in data.glob("*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    return spark


def cell(value):
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return "%.10g" % value
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return "NULL" if value is None else str(value)


@pytest.mark.parametrize("name", list(WANT))
def test_query(tpch, name):
    rows = []
    for statement in (QUERIES / f"{name}.sql").read_text().split(";"):
        if statement.strip():
            rows = tpch.sql(statement).collect()
    got = sorted("|".join(cell(v) for v in row) for row in rows)
    want = WANT[name]
    assert len(got) == want["rows"]
    assert not got or got[0] == want["first"]
    assert hashlib.sha256("\n".join(got).encode()).hexdigest() == want["sha256"]
