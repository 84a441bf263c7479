"""A PySpark client of a server whose executors are real processes: one master, two workers, two executors."""
import hashlib
import os
import pathlib
import re
import signal
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark import StorageLevel
from pyspark.sql import SparkSession

from test_standalone import Daemon, children, eventually
from test_tpch import QUERIES, WANT, cell

QUICK = ["spark.log.level=INFO", "spark.executor.heartbeatInterval=1s", "spark.network.timeout=6s", "spark.shuffle.io.retryWait=200ms"]


class Cluster:
    def __init__(self, directory):
        self.directory = directory
        env = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
        env["PYSPARK_PYTHON"] = sys.executable
        self.master = Daemon(directory, "master", ["master", "--port", "0", "--webui-port", "-1", "--rest-port", "-1"], r"(spark://[0-9.:]+)", env)
        self.url = self.master.found.group(1)
        self.workers = []
        for name in ("one", "two"):
            (directory / name / "local").mkdir(parents=True)
            self.workers.append(Daemon(directory, name, ["worker", self.url, "--cores", "1", "--memory", "1g", "--webui-port", "-1", "--work-dir",
                                                         str(directory / name / "work")], r"with 1 cores",
                                       {**env, "SPARK_LOCAL_DIRS": str(directory / name / "local")}))
        (directory / "driver").mkdir()
        conf = [word for pair in [*QUICK, f"spark.local.dir={directory / 'driver'}"] for word in ("-c", pair)]
        self.server = Daemon(directory, "server", ["connect", "--port", "0", "--master", self.url, "--executor-cores", "1", "--executor-memory", "512m", *conf],
                             r"(sc://[0-9.:]+)", env)
        self.remote = self.server.found.group(1)
        eventually(lambda: self.registered() == 2, self.server.log.read_text)

    def executors(self):
        return sorted(int(pid) for w in self.workers for pid in children(w.process.pid))

    def registered(self):
        return self.server.log.read_text().count("executor registered")

    def kill_one(self):
        """Kills an executor and gives a function that waits for the one that takes its place."""
        before = self.registered()
        victim = eventually(self.executors, lambda: "no executor")[0]
        os.kill(victim, signal.SIGKILL)

        def replaced():
            eventually(lambda: len(self.executors()) == 2 and victim not in self.executors() and self.registered() > before, lambda: str(self.executors()))
        return replaced

    def map_outputs(self):
        return [f for w in ("one", "two") for f in (self.directory / w / "local").rglob("shuffle_*")]

    def stop(self):
        """Ends everything in order: no process, port or file may be left, but the logs of executors."""
        pids = [d.process.pid for d in (self.server, *self.workers, self.master)] + self.executors()
        for d in (self.server, *self.workers, self.master):
            d.stop()
        eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), lambda: str(pids))
        with open("/proc/net/tcp") as f:
            listening = [line.split()[1].split(":")[1] for line in f if line.split()[3] == "0A"]
        for address in (self.url, self.remote):
            assert "%04X" % int(address.rsplit(":", 1)[1]) not in listening
        left = [f for name in ("one", "two", "driver") for f in (self.directory / name).rglob("*") if f.is_file() and f.name not in ("stdout", "stderr")]
        assert not left


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("cluster"))
    yield c
    c.stop()


@pytest.fixture(scope="module")
def spark(cluster):
    session = SparkSession.builder.remote(cluster.remote).create()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def tpch(spark):
    for file in pathlib.Path(os.environ["TPCH"]).absolute().glob("*.parquet"):
        spark.read.parquet(str(file)).createOrReplaceTempView(file.stem)
    return spark


def answer(spark, name):
    rows = []
    for statement in (QUERIES / f"{name}.sql").read_text().split(";"):
        if statement.strip():
            rows = spark.sql(statement).collect()
    got = sorted("|".join(cell(v) for v in row) for row in rows)
    return len(got), hashlib.sha256("\n".join(got).encode()).hexdigest()


@pytest.mark.parametrize("name", list(WANT))
def test_query(tpch, name):
    assert answer(tpch, name) == (WANT[name]["rows"], WANT[name]["sha256"])


@pytest.mark.parametrize("name", ["q9", "q18", "q21"])
def test_executor_is_killed(cluster, tpch, name):
    """An executor that is killed in the middle changes nothing of the answer."""
    tpch.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    hits = 0
    for _ in range(10):
        over, killed = threading.Event(), []

        def strike():
            while not over.is_set():
                if cluster.map_outputs():
                    killed.append((cluster.kill_one(), over.is_set()))
                    return
                time.sleep(0.002)
        thread = threading.Thread(target=strike)
        thread.start()
        try:
            got = answer(tpch, name)
        finally:
            over.set()
            thread.join()
        assert got == (WANT[name]["rows"], WANT[name]["sha256"])
        for replaced, late in killed:
            replaced()
            hits += not late
        if hits:
            break
    tpch.conf.unset("spark.sql.autoBroadcastJoinThreshold")
    assert hits, "the query was always over before an executor could be killed"


class Source:
    """Four files whose content a test changes behind the back of whoever has read them."""

    def __init__(self, directory):
        self.directory = directory

    def holds(self, k):
        for i in range(4):
            table = pa.table({"id": pa.array(range(i * 25000, (i + 1) * 25000)), "k": pa.array([k] * 25000), "t": pa.array([str(n) * 3 for n in range(25000)])})
            pq.write_table(table, self.directory / f"{i}.parquet.new")
            os.rename(self.directory / f"{i}.parquet.new", self.directory / f"{i}.parquet")


def kept_by(cluster, source, level, rows, keep, forget):
    """What is kept is not read again, but for what an executor takes with it, and that only if there are no copies."""
    source.holds(1)
    sums = lambda: rows().selectExpr("count(*)", "sum(k)", "max(t)").collect()[0]
    before = len(cluster.server.log.read_text())
    keep()
    one = sums()
    assert one[:2] == (100000, 100000)
    source.holds(2)
    assert sums() == one
    if level.endswith(("_2", "_3")):
        partitions = {row[0] for row in rows().selectExpr("spark_partition_id()").distinct().collect()}
        copied = lambda: {int(n) for n in re.findall(r"another copy. block=rdd_\d+_(\d+)", cluster.server.log.read_text()[before:])}
        eventually(lambda: copied() >= partitions, lambda: str((copied(), partitions)))
    else:
        source.holds(1)  # what an executor takes with it is computed again
    replaced = cluster.kill_one()
    assert sums() == one
    replaced()
    source.holds(2)
    assert sums() == one
    assert "InMemory" in rows()._explain_string()
    forget()
    assert sums()[:2] == (100000, 200000)


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path)


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "MEMORY_ONLY_2", "MEMORY_AND_DISK", "MEMORY_AND_DISK_2", "MEMORY_AND_DISK_DESER", "DISK_ONLY", "DISK_ONLY_2",
                                   "DISK_ONLY_3", "OFF_HEAP"])
def test_persist(cluster, spark, source, level):
    source.holds(1)
    kept = spark.read.parquet(str(source.directory))
    wanted = getattr(StorageLevel, level)

    def keep():
        assert kept.storageLevel == StorageLevel.NONE
        kept.persist(wanted)
        assert kept.storageLevel == wanted

    def forget():
        kept.unpersist(blocking=True)
        assert kept.storageLevel == StorageLevel.NONE
    kept_by(cluster, source, level, lambda: kept, keep, forget)


@pytest.mark.parametrize("level", ["MEMORY_ONLY", "MEMORY_ONLY_SER", "MEMORY_ONLY_SER_2", "MEMORY_AND_DISK_SER", "MEMORY_AND_DISK_SER_2", "DISK_ONLY", "DISK_ONLY_2",
                                   "DISK_ONLY_3", "OFF_HEAP"])
def test_cache_table(cluster, spark, source, level):
    source.holds(1)
    spark.read.parquet(str(source.directory)).createOrReplaceTempView("kept")

    def keep():
        assert not spark.catalog.isCached("kept")
        spark.sql(f"cache table kept options ('storageLevel' '{level}')")
        assert spark.catalog.isCached("kept")

    def forget():
        spark.sql("uncache table kept")
        assert not spark.catalog.isCached("kept")
        spark.read.parquet(str(source.directory)).createOrReplaceTempView("kept")  # the files of the first one have changed
    kept_by(cluster, source, level, lambda: spark.table("kept"), keep, forget)
