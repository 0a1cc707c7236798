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


def run(command, folder):
    """Seconds, peak resident memory in MiB, exit code and output of a process of its own."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    return seconds, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), output


def reckon(program, folder):
    out = folder / "run"
    shutil.rmtree(out, ignore_errors=True)
    command = [program, "reconcile", "--config", "reckon.toml", "--out", str(out), "--no-progress", "-q"]
    seconds, mebibytes, code, _ = run(command, folder)
    if code != 1:  # the ledgers are disturbed: anything else is no measurement
        sys.exit(f"reckon ended with exit code {code}, not 1")
    return seconds, mebibytes


def duck(folder):
    command = [sys.executable, str(Path(__file__).parent / "duck.py"), str(THREADS)]
    _, mebibytes, code, output = run(command, folder)
    if code != 0:
        sys.exit(f"DuckDB ended with exit code {code}")
    return float(output), mebibytes


def main():
    program, folder, rounds, report = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    rows = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows
            for name in ("token_transactions", "token_usage")}
    reckon(program, folder), duck(folder)  # warms the page cache
    measured = [(reckon(program, folder), duck(folder)) for _ in range(rounds)]
    ours = statistics.median(ours[0] for ours, _ in measured)
    theirs = statistics.median(theirs[0] for _, theirs in measured)
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in measured)
    total = sum(rows.values())
    lines = [
        "# Benchmarks",
        "",
        "Written by `benches/run`, which makes the data, builds and measures. Times depend on the machine; the",
        "ratio less so: both programs run in turn on the same two cores, and the median of the rounds counts.",
        "",
        f"Data: {rows['token_transactions']:,} legacy rows and {rows['token_usage']:,} unified rows in Parquet,",
        "3 % of the grants disturbed.",
        "",
        "| | seconds | rows/s | peak memory |",
        "|---|---|---|---|",
        f"| `reckon reconcile`, whole, with every output | {ours:.2f} | {total / ours:,.0f} "
        f"| {max(ours[1] for ours, _ in measured):,.0f} MiB |",
        f"| DuckDB {duckdb.__version__}, {THREADS} threads, only the full join and the balance sums "
        f"| {theirs:.2f} | {total / theirs:,.0f} | {max(theirs[1] for _, theirs in measured):,.0f} MiB |",
        "",
        f"Ratio of the times: **{ratio:.2f}** (median of {rounds} rounds, smaller is better).",
        "",
        "| round | reckon, s | DuckDB, s | ratio |",
        "|---|---|---|---|",
        *[f"| {at} | {ours[0]:.2f} | {theirs[0]:.2f} | {ours[0] / theirs[0]:.2f} |"
          for at, (ours, theirs) in enumerate(measured, 1)],
    ]
    report.write_text("\n".join(lines) + "\n")
    print("\n".join(lines[8:15]))


main()
