"""Measures a comparison and makes its result: a line for each program, and figures with their bars.

A result is what is kept as JSON, and all that report.py knows.
"""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import statistics

from load import Data, database
from process import alternate, median, run, say
from programs import must_end_well

FORMAT = 1  # of a result; what was kept in another one is not shown


class Bench:
    """What all comparisons of one call share."""

    def __init__(self, program, cache, scale, rounds):
        self.program, self.cache, self.scale, self.rounds = program, cache, scale, rounds
        self.load = 0.0
        self.versions = {}

    def data(self, shape, times=1):
        return Data(self.cache, shape, round(self.scale * times, 9))

    @contextlib.contextmanager
    def server(self, data):
        with database(self.cache, data) as server:
            self.versions["PostgreSQL"] = server.version
            yield server

    def measure(self, programs, rounds=5):
        """The runs of all programs in turn; `programs` maps a name to a number of rows and a function."""
        self.load = os.getloadavg()[0]
        return alternate({name: program for name, (_, program) in programs.items()}, self.rounds or rounds)


def versions(program):
    said = must_end_well(run([str(program), "--version"], keep=True), "reckon").output.split()[-1]
    commit = os.environ.get("RECKON_BUILT")
    return {
        "reckon": f"{said} ({commit})" if commit else said,
        "DuckDB": importlib.metadata.version("duckdb"),
        "datacompy": importlib.metadata.version("datacompy"),
        "Python": platform.python_version(),
    }


def machine():
    """Cores, memory and the processor's name."""
    with open("/proc/cpuinfo") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    name = names[0] if names else platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} cores used, {memory:.0f} GiB"


def line(name, runs, rows):
    """A program's line of a table."""
    seconds = median(runs, "seconds")
    return {
        "name": name,
        "seconds": seconds,
        "processor": median(runs, "processor"),
        "server": median(runs, "server"),
        "rows_per_second": rows / seconds if rows else None,
        "memory": max(each.memory for each in runs),
        "at_most": any(each.at_most for each in runs),
        "rounds": [each.seconds for each in runs],
    }


def ratio(mine, theirs, what="seconds", per=1.0):
    """The median of the ratios of the rounds."""
    return statistics.median(getattr(a, what) / getattr(b, what) / per for a, b in zip(mine, theirs))


def bar(what, of, value, unit, most, goal=None):
    """A figure, the program whose line it belongs to, and what is allowed."""
    return {"what": what, "of": of, "value": value, "unit": unit, "most": most, "goal": goal,
            "met": None if most is None else value <= most}


def result(bench, title, data, lines, bars, rounds, others):
    return {
        "format": FORMAT,
        "title": title,
        "data": data,
        "lines": lines,
        "bars": bars,
        "rounds": rounds,
        "others": others,
        "load": bench.load,
        "scale": bench.scale,
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {**versions(bench.program), **bench.versions},
    }


def compared(bench, title, data, programs, bars_of, rounds=5, once=None):
    """Measures `programs` in turn, and those of `once` a single time after them."""
    runs, others = bench.measure(programs, rounds)
    for name, (_, program) in (once or {}).items():
        say(f"once: {name}")
        runs[name] = [program()]
    rows = {name: rows for name, (rows, _) in {**programs, **(once or {})}.items()}
    lines = [line(name, runs[name], rows[name]) for name in runs]
    return result(bench, title, data, lines, bars_of(runs), bench.rounds or rounds, others)
