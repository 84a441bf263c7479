# Runs in the interpreter of `firesteel pyspark` before the first line of the user.
import atexit
import os
import platform
import sys
import traceback

try:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
except ImportError as problem:
    print(
        f"firesteel pyspark: {sys.executable} has no PySpark that can connect ({problem}); "
        "install it (pip install pyspark-client), or name another interpreter in PYSPARK_PYTHON",
        file=sys.stderr,
    )
    sys.stderr.flush()
    os._exit(1)
except Exception:
    traceback.print_exc()
    print("firesteel pyspark: the session cannot be opened", file=sys.stderr)
    sys.stderr.flush()
    os._exit(1)

sql = spark.sql
atexit.register(spark.stop)

print(
    f"""Welcome to Firesteel {os.environ.pop("FIRESTEEL_VERSION")} (Spark {spark.version} semantics)

Using Python version {platform.python_version()} ({", ".join(platform.python_build())})
Master is {os.environ.pop("FIRESTEEL_MASTER")}. SparkSession available as 'spark'."""
)

# The user's own startup file, as if there were no other.
_theirs = os.environ.pop("OLD_PYTHONSTARTUP", "")
os.environ.pop("PYTHONSTARTUP", None)
if _theirs:
    os.environ["PYTHONSTARTUP"] = _theirs
    if os.path.isfile(_theirs):
        with open(_theirs) as _file:
            exec(compile(_file.read(), _theirs, "exec"))
        del _file
del _theirs
