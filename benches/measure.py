"""Times `reckon reconcile`, every output included, beside the bare join and sums in DuckDB.

    measure.py RECKON DATA_FOLDER ROUNDS REPORT

Both run in turn, so that whatever else the machine does falls on both. The median counts. REPORT is
a Markdown file that is written anew.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

THREADS = 2


class Measured:
    """What a process took: seconds by the clock, seconds of processor time, peak memory in MiB."""

    def __init__(self, command, folder):
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        self.output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds = time.perf_counter() - begin
        self.processor = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024
        self.code = os.waitstatus_to_exitcode(status)


def reckon(program, folder):
    out = folder / "run"
    shutil.rmtree(out, ignore_errors=True)
    command = [program, "reconcile", "--config", "reckon.toml", "--out", str(out), "--no-progress", "-q"]
    measured = Measured(command, folder)
    if measured.code != 1:  # the ledgers are disturbed: anything else is no measurement
        sys.exit(f"reckon ended with exit code {measured.code}, not 1")
    return measured


def duck(folder):
    measured = Measured([sys.executable, str(Path(__file__).parent / "duck.py"), str(THREADS)], folder)
    if measured.code != 0:
        sys.exit(f"DuckDB ended with exit code {measured.code}")
    # Only the queries count, not the start of Python.
    measured.seconds, measured.processor = map(float, measured.output.split())
    return measured


def row(name, runs, rows):
    seconds = statistics.median(run.seconds for run in runs)
    processor = statistics.median(run.processor for run in runs)
    memory = max(run.memory for run in runs)
    return f"| {name} | {seconds:.2f} | {processor:.2f} | {rows / seconds:,.0f} | {memory:,.0f} MiB |"


def main():
    program, folder, rounds, report = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    load = os.getloadavg()[0]
    legacy, unified = (pq.read_metadata(folder / f"{name}.parquet").num_rows
                       for name in ("token_transactions", "token_usage"))
    reckon(program, folder), duck(folder)  # warms the page cache
    measured = [(reckon(program, folder), duck(folder)) for _ in range(rounds)]
    ours, theirs = zip(*measured)
    ratio = statistics.median(mine.seconds / other.seconds for mine, other in measured)
    work = statistics.median(mine.processor / other.processor for mine, other in measured)
    lines = [
        "# Benchmarks",
        "",
        "Written by `benches/run`, which makes the data, builds and measures. Times depend on the machine; the",
        "ratio less so: both programs run in turn on the same two cores, and the median of the rounds counts.",
        "",
        f"Data: {legacy:,} legacy rows and {unified:,} unified rows in Parquet, 3 % of the grants disturbed.",
        f"Load of the machine before the first round: {load:.1f} (more than 0 slows both down, and not alike).",
        "",
        "| | seconds | processor seconds | rows/s | peak memory |",
        "|---|---|---|---|---|",
        row("`reckon reconcile`, whole, with every output", ours, legacy + unified),
        row(f"DuckDB {duckdb.__version__}, {THREADS} threads, only the full join and the balance sums", theirs,
            legacy + unified),
        "",
        f"Ratio of the times: **{ratio:.2f}**; of processor times: **{work:.2f}** (median of {rounds} rounds,",
        "smaller is better).",
        "",
        "| round | reckon, s | DuckDB, s | ratio |",
        "|---|---|---|---|",
        *[f"| {at} | {mine.seconds:.2f} | {other.seconds:.2f} | {mine.seconds / other.seconds:.2f} |"
          for at, (mine, other) in enumerate(measured, 1)],
    ]
    report.write_text("\n".join(lines) + "\n")
    print("\n".join(lines[8:15]))


main()
