"""firesteel pyspark, driven through a pseudo terminal as a user does."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

BINARY = os.path.abspath(os.environ["FIRESTEEL"])
PROMPT = ">>> "
ENDLESS = "spark.range(10**13).selectExpr('sum(id % 7)').show()"


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, *argv, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"PYSPARK_PYTHON": sys.executable, "TERM": "dumb", "PYTHON_BASIC_REPL": "1", **(env or {})})
            os.execv(argv[0], argv)
        self.seen = ""
        self.unread = ""

    def see(self, pattern, seconds=60):
        """Waits until the terminal shows a match, and forgets everything up to its end."""
        end = time.time() + seconds
        while not (found := re.search(pattern, self.unread)):
            assert time.time() < end, f"no {pattern!r} on the terminal:\n{self.seen}"
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                text = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                raise AssertionError(f"it ended before it showed {pattern!r}:\n{self.seen}") from None
            self.seen += text
            self.unread += text
        self.unread = self.unread[found.end():]
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def ends(self, seconds=30):
        end = time.time() + seconds
        while time.time() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError("it does not end:\n" + self.seen)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def descendants(pid):
    """The processes below a process, by what ps says."""
    table = {}
    for line in subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.splitlines():
        child, parent = map(int, line.split())
        table.setdefault(parent, []).append(child)
    out, todo = [], [pid]
    while todo:
        children = table.get(todo.pop(), [])
        out += children
        todo += children
    return out


def gone(pids):
    end = time.time() + 15
    while left := [p for p in pids if alive(p)]:
        assert time.time() < end, f"these are left: {left}"
        time.sleep(0.1)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def shell(request, tmp_path):
    opened = []

    def start(*args, name=None, env=None):
        argv = [BINARY, "pyspark", *args]
        if name:
            link = tmp_path / name
            link.symlink_to(BINARY)
            argv = [str(link), *args]
        opened.append(Terminal(*argv, "-c", f"spark.local.dir={tmp_path}", "-c", f"spark.sql.warehouse.dir={tmp_path}/warehouse", env=env))
        return opened[-1]

    yield start
    for t in opened:
        t.kill()


@pytest.mark.parametrize("master", ["local[1]", "local-cluster[1,1,512]"])
def test_session(shell, master):
    t = shell("--master", master)
    t.see(r"Master is " + re.escape(master) + r"\. SparkSession available as 'spark'\.")
    t.see(PROMPT)
    t.type("for i in range(3):\n    print('row', spark.range(i + 5).count())\n\n")
    for i in range(3):
        t.see(rf"row {i + 5}\r\n")
    t.see(PROMPT)
    t.type("spark.sql('select nothing')\n")
    t.see(r"UNRESOLVED_COLUMN")
    t.see(PROMPT)
    t.type(ENDLESS + "\n")
    time.sleep(2)
    t.type("\x03")
    t.see(r"KeyboardInterrupt\r\n")
    t.see(PROMPT)
    # There is one slot: this waits for ever if the query was not cancelled.
    t.type("print('still', sql('select 40 + 2 as n').first().n)\n")
    t.see(r"still 42\r\n")
    t.see(PROMPT)
    children = descendants(t.pid)
    assert len(children) >= (2 if "cluster" in master else 1)
    t.type("\x04")
    assert t.ends() == 0
    gone(children)


def test_by_its_name(shell):
    t = shell("--master", "local[1]", name="pyspark")
    t.see(PROMPT)
    t.type("import sys; sys.exit(3)\n")
    assert t.ends() == 3


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGKILL])
def test_terminal_is_closed(shell, sent):
    t = shell("--master", "local-cluster[1,1,512]")
    t.see(PROMPT)
    t.type(ENDLESS + "\n")
    time.sleep(2)
    children = descendants(t.pid)
    assert len(children) == 2
    if sent == signal.SIGHUP:
        os.close(t.fd)
        _, status = os.waitpid(t.pid, 0)
        t.pid = 0
    else:
        t.kill()
        t.pid = 0
    gone(children)


def test_no_client(shell, tmp_path):
    broken = tmp_path / "lib" / "pyspark"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('there is none')\n")
    t = shell("--master", "local[1]", env={"PYTHONPATH": str(broken.parent)})
    t.see(r"has no PySpark that can connect \(there is none\); install it")
    assert t.ends() == 1


def test_startup_file_of_the_user(shell, tmp_path):
    (tmp_path / "mine.py").write_text("mine = spark.range(4).count()\n")
    t = shell("--master", "local[1]", env={"PYTHONSTARTUP": str(tmp_path / "mine.py")})
    t.see(PROMPT)
    t.type("print('mine is', mine)\n")
    t.see(r"mine is 4\r\n")
    t.see(PROMPT)
    t.type("\x04")
    assert t.ends() == 0


def test_standard_input_is_no_terminal(tmp_path):
    done = subprocess.run([BINARY, "pyspark", "--master", "local[1]"], input="print('piped', spark.range(3).count())\n", text=True, cwd=tmp_path,
                          capture_output=True, timeout=60, env={**os.environ, "PYSPARK_PYTHON": sys.executable})
    assert done.returncode == 0 and "piped 3" in done.stdout, done


def test_programs_are_refused():
    done = subprocess.run([BINARY, "pyspark", "app.py"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 2 and "firesteel submit" in done.stderr
    done = subprocess.run([BINARY, "pyspark", "--deploy-mode", "cluster"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 1 and "not applicable to Spark shells" in done.stderr
