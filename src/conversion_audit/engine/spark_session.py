"""Starting Spark, once per process and in silence, and saying in plain words why it cannot."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from logging import CRITICAL, getLogger
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conversion_audit.errors import MachineError, Problem

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WHERE = "audit.yaml: engine"
# Times are naive UTC, a division by zero is no error, and nothing is said on the screen.
SETTINGS = {
    "spark.app.name": "conversion audit",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
# Nothing on this machine listens to another one.
LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "4",
}


def refuse_if_absent() -> None:
    """
    Say what is missing for Spark.

    Raises
    ------
    MachineError
        Without pyspark or Java.
    """
    problems = []
    if find_spec("pyspark") is None:
        mend = 'Type: .venv/bin/python -m pip install -e ".[spark]"'
        problems.append(Problem("Spark needs the package pyspark, which is not installed", WHERE, mend=mend))
    java = Path(os.environ.get("JAVA_HOME", "")) / "bin" / "java"
    if not (os.environ.get("JAVA_HOME") and java.is_file()) and not shutil.which("java"):
        mend = "Install it, e.g. with: sudo apt-get install openjdk-17-jre-headless; or set JAVA_HOME."
        problems.append(Problem("Spark needs Java 17 or newer, and there is none", WHERE, mend=mend))
    if problems:
        raise MachineError(*problems)


def session(master: str, memory: str | None, settings: tuple[tuple[str, str], ...], folder: Path) -> SparkSession:
    """
    Return a session of its own on this process's Spark, starting that where it is not yet there.

    Parameters
    ----------
    master : str
        Where Spark runs. The first master asked for serves the whole process.
    memory : str, optional
        Of the driver, e.g. ``4GB``.
    settings : tuple of (str, str)
        Any other setting of Spark.
    folder : Path
        Where a local Spark spills.

    Raises
    ------
    MachineError
        Where Spark does not start.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is None:
        asked = {**SETTINGS, "spark.master": master, "spark.sql.warehouse.dir": str(folder / "warehouse")}
        if master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            asked |= {**LOCAL, "spark.local.dir": str(folder)}
        if memory:
            asked["spark.driver.memory"] = re.sub(r"(?i)\s*([kmgt])i?b$", r"\1", memory)
        _start(SparkConf(loadDefaults=False), asked | dict(settings))
    return SparkSession(SparkContext._active_spark_context).newSession()


def _start(conf: Any, asked: Mapping[str, str]) -> None:
    from py4j.protocol import Py4JError
    from pyspark import SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway

    conf.setAll(asked.items())
    getLogger("SQLQueryContextLogger").setLevel(CRITICAL)  # every mistake would be printed as a page of JSON
    with tempfile.TemporaryFile() as said, _quiet():
        try:
            gateway = SparkContext._gateway or launch_gateway(conf, {"stdout": said, "stderr": said})
            SparkContext(gateway=gateway, conf=conf)
        except (Py4JError, PySparkException, ValueError, OSError) as error:
            why = "Is the master reachable, and is this Java 17 or newer?"
            problem = Problem(f"Spark did not start on {asked['spark.master']!r}", WHERE, _reason(said, error), why)
            raise MachineError(problem) from None


def write(plan: DataFrame, folder: Path) -> None:
    """Write a plan's rows as Parquet files of a folder."""
    with told():
        plan.write.mode("overwrite").parquet(str(folder))


@contextmanager
def told() -> Iterator[None]:
    """
    Say in plain words what made Spark fail, unless the statement itself was wrong.

    Raises
    ------
    MachineError
        Where a worker is lost, memory is short, or a worker cannot reach the client's folders.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        with _quiet():
            yield
    except AnalysisException:
        raise
    except (Py4JError, PySparkException, ConnectionError) as error:
        why = "A worker was lost, memory was short, or a worker does not see the client's folder under the same path."
        mend = "Give Spark more memory under `engine: settings:`, or leave `backend` out."
        raise MachineError(Problem("Spark could not finish", WHERE, _line(str(error)), why, mend)) from error


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _reason(said: IO[bytes], error: Exception) -> str:
    """The line by which Java says what went wrong."""
    said.seek(0)
    text = f"{error}\n{said.read().decode(errors='replace')}"
    return _line(text)


def _line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"(Exception|Error)\b.*: ", line)]
    found = (telling or lines or [""])[0]
    return re.sub(r"^(?:Caused by: |: )?(?:[\w.$]+(?:Exception|Error): )+", "", found)
