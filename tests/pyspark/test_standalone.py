"""Applications on a standalone cluster of real processes: in client mode, in cluster mode, and over REST."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

BINARY = os.path.abspath(os.environ["FIRESTEEL"])

PROGRAM = """
import os, sys, time
from pyspark.sql import SparkSession
if len(sys.argv) > 3 and not os.path.exists(sys.argv[3]):
    open(sys.argv[3], "w").close()
    sys.exit(3)
spark = SparkSession.builder.appName("clustered").getOrCreate()
time.sleep(float(sys.argv[2]))
total = spark.range(0, 1000, 1, 4).selectExpr("sum(id)").collect()[0][0]
with open(sys.argv[1] + ".part", "w") as f:
    f.write(str(total))
os.rename(sys.argv[1] + ".part", sys.argv[1])
spark.stop()
"""


class Daemon:
    """A master or worker; it waits until standard error has a match and keeps its groups."""

    def __init__(self, directory, name, args, pattern, env):
        self.log = directory / (name + ".log")
        with open(self.log, "w") as out:
            self.process = subprocess.Popen([BINARY, *args], cwd=directory, stderr=out, env=env)
        self.found = eventually(lambda: re.search(pattern, self.log.read_text()), self.log.read_text)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(25) == 0, self.log.read_text()


class Cluster:
    def __init__(self, directory, secret=None):
        self.directory = directory
        self.env = {**os.environ, "PYSPARK_PYTHON": sys.executable}
        if secret:
            conf = directory / "conf"
            conf.mkdir()
            (conf / "spark-defaults.conf").write_text(f"spark.authenticate true\nspark.authenticate.secret {secret}\n")
            self.env["SPARK_CONF_DIR"] = str(conf)
        self.program = directory / "app.py"
        self.program.write_text(PROGRAM)
        self.work = directory / "work"
        rest = [] if secret else ["--rest-port", "0"]
        self.master = Daemon(directory, "master", ["master", "--port", "0", "--webui-port", "-1", *rest],
                             r"(spark://[0-9.:]+)(?:.*submissions (http://[0-9.:]+))?\n", self.env)
        self.url, self.rest = self.master.found.groups()
        self.worker = Daemon(directory, "worker", ["worker", self.url, "--cores", "3", "--memory", "3g", "--webui-port", "-1",
                                                   "--work-dir", str(self.work)], r"with 3 cores", self.env)

    def command(self, *args):
        return [BINARY, "submit", "--master", self.url, *args]

    def run(self, *args):
        return subprocess.run(self.command(*args), cwd=self.directory, env=self.env, capture_output=True, text=True, timeout=60)

    def submit(self, *args):
        done = self.run("--deploy-mode", "cluster", "--driver-memory", "512m", "--executor-memory", "512m",
                        "--total-executor-cores", "2", *args)
        assert done.returncode == 0, done.stderr
        return re.search(r"driver-\d+-\d+", done.stderr).group()

    def reaches(self, driver, state):
        eventually(lambda: f"State of {driver} is {state}\n" in self.run("--status", driver).stdout,
                   lambda: self.run("--status", driver).stdout + self.master.log.read_text())

    def clean(self):
        """Nothing of an application is left, neither processes nor files, but what its executors said."""
        left = lambda: [f for f in self.work.glob("app-*/*/*") if f.name not in ("stdout", "stderr")]
        eventually(lambda: not left(), lambda: str(left()))
        eventually(lambda: not children(self.worker.process.pid), lambda: str(children(self.worker.process.pid)))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        main = f.read().split()
    threads = [p for p in os.listdir(f"/proc/{pid}/task") if p != str(pid)]
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as f:
                main += f.read().split()
        except OSError:
            pass  # a thread that has ended
    return main


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return ") Z " not in f.read()
    except OSError:
        return False


def eventually(f, why, seconds=30):
    end = time.time() + seconds
    while time.time() < end:
        if found := f():
            return found
        time.sleep(0.1)
    raise AssertionError(why())


@pytest.fixture(scope="module", params=["open", "authenticated"])
def cluster(request, tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("cluster"), "a secret of the cluster" if request.param == "authenticated" else None)
    yield c
    c.clean()
    c.worker.stop()
    c.master.stop()


def test_client_mode(cluster, tmp_path):
    done = cluster.run("--executor-memory", "512m", str(cluster.program), str(tmp_path / "out"), "0")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").read_text() == "499500"
    cluster.clean()


def test_submitter_is_killed(cluster, tmp_path):
    submit = subprocess.Popen(cluster.command("--deploy-mode", "cluster", "--driver-memory", "512m", "--executor-memory", "512m", "--conf",
                                              "spark.standalone.submit.waitAppCompletion=true", str(cluster.program), str(tmp_path / "out"), "2"),
                              cwd=cluster.directory, env=cluster.env, stderr=subprocess.PIPE, text=True)
    driver = re.search(r"driver-\d+-\d+", submit.stderr.readline()).group()
    submit.send_signal(signal.SIGKILL)
    submit.wait()
    submit.stderr.close()
    cluster.reaches(driver, "RUNNING")
    cluster.reaches(driver, "FINISHED")
    assert (tmp_path / "out").read_text() == "499500"
    assert not list(cluster.work.glob("driver-*/spark.properties"))


def test_kill(cluster, tmp_path):
    before = set(cluster.work.glob("app-*"))
    driver = cluster.submit(str(cluster.program), str(tmp_path / "out"), "600")
    eventually(lambda: set(cluster.work.glob("app-*")) - before, cluster.master.log.read_text)  # it has executors
    done = cluster.run("--kill", driver)
    assert done.returncode == 0 and f"Kill request for {driver} submitted" in done.stdout, done
    cluster.reaches(driver, "KILLED")
    cluster.clean()
    assert cluster.run("--kill", driver).returncode != 0
    assert cluster.run("--status", "driver-1").returncode != 0


def test_supervise(cluster, tmp_path):
    driver = cluster.submit("--supervise", str(cluster.program), str(tmp_path / "out"), "0", str(tmp_path / "first"))
    cluster.reaches(driver, "FINISHED")
    assert (tmp_path / "out").read_text() == "499500"
    failing = cluster.submit(str(cluster.program), str(tmp_path / "out2"), "0", str(tmp_path / "second"))
    cluster.reaches(failing, "FAILED")


def test_rest(cluster, tmp_path):
    if cluster.rest is None:
        pytest.skip("there is no submission server with a secret, as in Spark")

    def call(path, body=None):
        request = urllib.request.Request(f"{cluster.rest}/v1/submissions/{path}", json.dumps(body).encode() if body is not None else None,
                                         {"Content-Type": "application/json;charset=UTF-8"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    created = call("create", {
        "action": "CreateSubmissionRequest", "appArgs": [str(tmp_path / "out"), "0"], "appResource": f"file:{cluster.program}",
        "clientSparkVersion": "4.2.0", "environmentVariables": {"SPARK_ENV_LOADED": "1", "PYSPARK_PYTHON": sys.executable},
        "mainClass": "org.apache.spark.deploy.SparkSubmit",
        "sparkProperties": {"spark.app.name": "rest", "spark.master": cluster.rest.replace("http", "spark"), "spark.driver.memory": "512m",
                            "spark.executor.memory": "512m", "spark.submit.deployMode": "cluster"}})
    assert created["success"], created
    driver = created["submissionId"]
    eventually(lambda: call("status/" + driver)["driverState"] == "FINISHED", lambda: str(call("status/" + driver)))
    assert (tmp_path / "out").read_text() == "499500"


def test_wrong_secret(cluster, tmp_path):
    bare = {k: v for k, v in cluster.env.items() if k != "SPARK_CONF_DIR"}
    wrong = subprocess.run(cluster.command("--conf", "spark.authenticate=true", "--conf", "spark.authenticate.secret=wrong",
                                           str(cluster.program), str(tmp_path / "out"), "0"), env=bare, capture_output=True, text=True, timeout=60)
    assert wrong.returncode != 0 and "secret" in wrong.stderr, wrong


def test_scripts(tmp_path):
    """Daemons are started and stopped by the names that Spark's scripts have."""
    home = tmp_path / "home"
    made = subprocess.run([BINARY, "home", str(home)], capture_output=True, text=True, timeout=10)
    assert made.returncode == 0 and f"SPARK_HOME={home}" in made.stdout, made
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
    env.update(SPARK_PID_DIR=str(tmp_path / "pids"), SPARK_MASTER_PORT=str(port), SPARK_MASTER_WEBUI_PORT="-1", SPARK_WORKER_WEBUI_PORT="-1",
               SPARK_WORKER_CORES="1", SPARK_WORKER_MEMORY="1g", SPARK_WORKER_INSTANCES="2", SPARK_WORKER_DIR=str(tmp_path / "work"),
               PYSPARK_PYTHON=sys.executable)

    def run(name, *args, code=0):
        done = subprocess.run([str(home / name), *args], env=env, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert done.returncode == code, (done.stdout, done.stderr, [p.read_text() for p in home.glob("logs/*")])
        return done.stdout + done.stderr

    assert "no master to stop" in run("sbin/stop-master.sh")
    url = f"spark://127.0.0.1:{port}"
    try:
        assert url in run("sbin/start-master.sh", "--rest-port", "-1")
        assert "running as process" in run("sbin/start-master.sh", code=1)
        assert run("sbin/start-worker.sh", url).count("with 1 cores") == 2
        assert len(list((tmp_path / "pids").iterdir())) == 3 and len(list((home / "logs").iterdir())) == 3
        program = tmp_path / "app.py"
        program.write_text(PROGRAM)
        run("bin/spark-submit", "--master", url, "--executor-memory", "512m", str(program), str(tmp_path / "out"), "0")
        assert (tmp_path / "out").read_text() == "499500"
        pids = [int(p.read_text().split()[0]) for p in (tmp_path / "pids").iterdir()]
    finally:
        stopped = run("sbin/stop-all.sh")
    assert stopped.count("stopping worker") == 2 and "stopping master" in stopped
    assert not list((tmp_path / "pids").iterdir())
    assert not any(lives(pid) for pid in pids)
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    with taken:
        assert "address already in use" in run("sbin/start-master.sh", code=1)
    assert not list((tmp_path / "pids").iterdir())
    (home / "conf" / "spark-env.sh").write_text('SPARK_WORKER_OPTS="-Dspark.decommission.enabled=true -Dspark.worker.cleanup.interval=60"\nSPARK_WORKER_CORES=3\n')
    try:
        assert "with 3 cores" in run("sbin/start-all.sh", "--rest-port", "-1")
        pids = [int(p.read_text().split()[0]) for p in (tmp_path / "pids").glob("*-worker-*")]
        assert run("sbin/decommission-worker.sh", "--block-until-exit").count("decommissioning worker") == 2 == len(pids)
        assert not list((tmp_path / "pids").glob("*-worker-*")) and not any(lives(pid) for pid in pids)
        assert "no worker to decommission" in run("sbin/decommission-worker.sh")
    finally:
        run("sbin/stop-all.sh")
