"""What is measured: `reckon` and what it is held against, each as a function that runs it once."""

import json
import os
import shutil
import sys
from pathlib import Path

from process import run

HERE = Path(__file__).resolve().parent
THREADS = 2
BLOCK = 8192  # bytes of a page of PostgreSQL
# What a right run says of each shape: its exit code. Whatever ends otherwise is no measurement.
EXIT = {"disturbed": 1, "use10": 1, "findings": 1, "undisturbed": 0, "shifted": 0, "giant": 0, "identical": 0}


def reckon(program, data, server=None, further=()):
    """`reckon reconcile` with every output, on files or on a server, with further arguments."""
    out = data.folder / ("run-postgres" if server else "run-files")
    config = "postgres.toml" if server else "files.toml"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "RECKON_"))}
    if server:
        environment["DATABASE_URL"] = server.url
    command = [str(program), "reconcile", "--config", config, "--out", str(out), "--no-progress", "-q", *further]

    def once():
        shutil.rmtree(out, ignore_errors=True)
        done = run(command, cwd=data.folder, env=environment)
        right(done, data, out)
        return done
    return (lambda: server.served(once)) if server else once


def right(done, data, out):
    """Ends everything unless the run came to the result that its data were made for."""
    if done.code != EXIT[data.shape]:
        sys.exit(f"reckon ended with exit code {done.code} on {data.folder}, not {EXIT[data.shape]}")
    summary = json.loads((out / "summary.json").read_text())
    read = {side: summary["population"][side]["rows"] for side in ("legacy", "unified")}
    if read != {"legacy": data.legacy, "unified": data.unified}:
        sys.exit(f"reckon read {read} of {data.folder}: not what was written there")
    paired = sum(rung["rows"] for rung in summary["pairs"].values())
    missing = summary["findings"]["unmigrated"]["count"]
    if data.shape in ("undisturbed", "shifted", "giant", "identical") and paired != data.legacy:
        sys.exit(f"reckon paired {paired:,} rows of {data.folder}, not all")
    if data.shape == "findings" and missing != data.legacy:
        sys.exit(f"reckon found {missing:,} rows of {data.folder} unmigrated, not all")


def report_size(data):
    """MiB of the report that the last run on files wrote."""
    return (data.folder / "run-files" / "report.html").stat().st_size / (1 << 20)


def duck(data):
    """D: DuckDB on the files, join and sums alone."""
    return lambda: timed_inside("duck.py", data, str(THREADS))


def frames(data):
    """datacompy on the files, join alone."""
    return lambda: timed_inside("frames.py", data)


def timed_inside(script, data, *arguments):
    """A reference in Python: only its work counts, not the start of Python and the imports."""
    done = run([sys.executable, str(HERE / script), *arguments], keep=True, cwd=data.folder)
    must_end_well(done, script)
    done.seconds, done.processor = map(float, done.output.split()[:2])
    return done


def handwritten(server):
    """H: join and sums in PostgreSQL's SQL, run by psql, the result thrown away."""
    command = server.psql()
    for name in ("join.sql", "sums.sql"):
        query = (HERE / name).read_text()
        for place, table in (("{legacy}", "token_transactions"), ("{unified}", "token_usage")):
            query = query.replace(place, f"public.{table}")
        command += ["-c", query]
    return lambda: server.served(lambda: must_end_well(run(command, env=server.environment), "psql"))


def bare_copy(server):
    """C: the needed columns by binary COPY in two streams to nowhere; each stream takes one half of
    the blocks of either table, first of the old one."""
    streams = [[], []]
    for name, table in (("copy_legacy", "token_transactions"), ("copy_unified", "token_usage")):
        half = int(server.ask("-c", f"select pg_relation_size('public.{table}') / {BLOCK} / 2"))
        query = (HERE / f"postgres/{name}.sql").read_text()
        for stream, blocks in zip(streams, (f"ctid < '({half},0)'", f"ctid >= '({half},0)'")):
            stream += ["-c", query.replace("{blocks}", blocks)]
    commands = [server.psql(*stream) for stream in streams]
    return lambda: server.served(lambda: must_end_well(run(*commands, env=server.environment), "psql"))


def must_end_well(done, name):
    if done.code != 0:
        sys.exit(f"{name} ended with exit code {done.code}")
    return done
