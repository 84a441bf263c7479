"""Starts the server under test once, and gives each test module a session of a real PySpark client."""
import os
import socket
import subprocess
import time

import pytest
from pyspark.sql import SparkSession


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="session")
def server():
    port = free_port()
    binary = os.path.abspath(os.environ["FIRESTEEL"])
    proc = subprocess.Popen([binary, "connect", "--host", "127.0.0.1", "--port", str(port), "--master", "local[2]"])
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert proc.poll() is None, "the server ended"
            time.sleep(0.05)
    yield f"sc://127.0.0.1:{port}"
    proc.terminate()
    assert proc.wait(20) == 0


@pytest.fixture(scope="module")
def spark(server):
    session = SparkSession.builder.remote(server).create()
    yield session
    session.stop()
