"""Three masters that elect a leader: what runs does not notice when it is killed or stands still, what is new waits a little."""
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from pyspark.sql import SparkSession

from test_standalone import BINARY, PROGRAM, Daemon, children, eventually


class Masters:
    def __init__(self, directory):
        self.directory = directory
        self.env = {"PYSPARK_PYTHON": sys.executable}
        taken = [socket.socket() for _ in range(3)]
        for s in taken:
            s.bind(("127.0.0.1", 0))
        self.addresses = ["127.0.0.1:%d" % s.getsockname()[1] for s in taken]
        for s in taken:
            s.close()
        self.url = "spark://" + ",".join(self.addresses)
        self.masters = [None] * 3
        for i in range(3):
            (directory / f"m{i}.conf").write_text(f"spark.deploy.recoveryDirectory {directory / f'recovery{i}'}\n")
            self.start(i)
        self.workers = [Daemon(directory, f"worker{i}", ["worker", self.url, "--cores", "2", "--memory", "2g", "--webui-port", "-1",
                                                         "--work-dir", str(directory / f"work{i}")], r"with 2 cores", self.env) for i in range(2)]
        self.server = Daemon(directory, "server", ["connect", "--port", "0", "--master", self.url, "--executor-cores", "1", "--executor-memory", "512m",
                                                   "--total-executor-cores", "2"], r"(sc://[0-9.:]+)", self.env)

    def start(self, i):
        port = self.addresses[i].rsplit(":", 1)[1]
        self.masters[i] = Daemon(self.directory, f"m{i}", ["master", "--port", port, "--webui-port", "-1", "--rest-port", "-1", "--ha", ",".join(self.addresses),
                                                           "--properties-file", str(self.directory / f"m{i}.conf")], r"one of (spark://\S+)", self.env)

    def leader(self):
        """The master that said last that it leads, and not that it does not any more."""
        def leads():
            for i, m in enumerate(self.masters):
                said = re.findall("this master leads|this master does not lead any more", m.log.read_text())
                if said and said[-1] == "this master leads" and m.process.poll() is None and m not in self.stopped:
                    return [i]
        return eventually(leads, lambda: "\n".join(m.log.read_text() for m in self.masters))[0]

    stopped = ()

    def executors(self):
        return sorted(pid for w in self.workers for pid in children(w.process.pid))

    def submit(self):
        """Runs a program in the cluster and says how long the submission took."""
        (self.directory / "app.py").write_text(PROGRAM)
        begun = time.time()
        done = subprocess.run([BINARY, "submit", "--master", self.url, "--deploy-mode", "cluster", "--driver-memory", "512m", "--executor-memory", "512m",
                               "--total-executor-cores", "1", "--executor-cores", "1", str(self.directory / "app.py"), str(self.directory / "out"), "0"],
                              env=self.env, capture_output=True, text=True, timeout=60)
        took = time.time() - begun
        assert done.returncode == 0, done.stderr
        driver = re.search(r"driver-\d+-\d+", done.stderr).group()
        status = lambda: subprocess.run([BINARY, "submit", "--master", self.url, "--status", driver], env=self.env, capture_output=True, text=True, timeout=60)
        eventually(lambda: f"State of {driver} is FINISHED" in status().stdout, lambda: str(status()))
        return driver, took

    def stop(self):
        for d in (self.server, *self.workers, *self.masters):
            d.stop()


@pytest.fixture
def masters(tmp_path):
    m = Masters(tmp_path)
    yield m
    m.stop()


def test_leader_is_lost(masters):
    spark = SparkSession.builder.remote(masters.server.found.group(1)).create()
    query = "select count(*), sum(c), sum(k) from (select id % 100003 as k, count(*) as c from range(0, 3000000, 1, 8) group by 1)"
    want = spark.sql(query).collect()
    over, answers, failures = threading.Event(), [], []

    def ask():
        while not over.is_set():
            try:
                answers.append(spark.sql(query).collect())
            except Exception as e:
                failures.append(e)
                return
    asking = threading.Thread(target=ask)
    asking.start()
    executors, drivers = masters.executors(), set()
    try:
        def submitted(how):
            driver, took = masters.submit()
            assert driver not in drivers and took < 15, (driver, took, how)
            drivers.add(driver)
        submitted("at first")
        i = masters.leader()
        masters.masters[i].process.kill()
        masters.masters[i].process.wait()
        submitted("killed")
        masters.start(i)
        i = masters.leader()
        masters.masters[i].process.send_signal(signal.SIGSTOP)
        masters.stopped = (masters.masters[i],)
        submitted("stands still")
        masters.masters[i].process.send_signal(signal.SIGCONT)
        masters.stopped = ()
        submitted("goes on")
        for m in masters.masters:  # all at once
            m.process.kill()
            m.process.wait()
        for i in range(3):
            masters.start(i)
        submitted("all restarted")
    finally:
        over.set()
        asking.join()
        spark.stop()
    assert not failures and len(answers) > 10 and all(a == want for a in answers)
    assert masters.executors() == executors
