"""Runs programs and says what each took; runs several in turn.

The programs' peak memory is the kernel's figure, which is never below that of the process that starts
them: whoever imports this has to stay small and leave DuckDB, NumPy and the like to children.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass
class Run:
    """What a program took."""

    seconds: float
    # Seconds of processor time, the program's own and, where it used one, the server's.
    processor: float
    server: float
    # Peak resident memory in MiB; of several processes at once the sum.
    memory: float
    # Whether the memory is at most that, since this process itself takes as much.
    at_most: bool
    code: int
    output: str

    @property
    def work(self):
        return self.processor + self.server


def run(*commands, keep=False, **options):
    """Runs the commands at the same time and waits for all; with `keep` the first one's output is kept.
    `options` go to subprocess.Popen."""
    out = subprocess.PIPE if keep else subprocess.DEVNULL
    begin = time.perf_counter()
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, text=True, **options)
                 for command in commands]
    output = processes[0].stdout.read() if keep else ""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    processor = memory = code = 0
    at_most = False
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        processor += usage.ru_utime + usage.ru_stime
        memory += usage.ru_maxrss / 1024
        at_most = at_most or usage.ru_maxrss <= own
        code = code or process.returncode
    return Run(time.perf_counter() - begin, processor, 0.0, memory, at_most, code, output)


def must(*command, **options):
    """Runs a command that has to succeed and returns what it printed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Busy:
    """Counts what the cores of this process do from now on."""

    def __init__(self):
        self.cores = [f"cpu{core}" for core in os.sched_getaffinity(0)]
        self.begin, self.ticks = time.perf_counter(), self._ticks()

    def _ticks(self):
        with open("/proc/stat") as lines:
            fields = [line.split() for line in lines]
        # user, nice, system, irq, softirq, steal: all but idle and waiting for disks.
        return sum(int(line[at]) for line in fields if line[0] in self.cores for at in (1, 2, 3, 6, 7, 8))

    def others(self, ours):
        """The share of the cores' time that was spent on anything but `ours` seconds."""
        spent = (self._ticks() - self.ticks) / os.sysconf("SC_CLK_TCK")
        return max(0.0, spent - ours) / ((time.perf_counter() - self.begin) * len(self.cores))


def alternate(programs, rounds):
    """Runs the programs in turn, so that whatever else the machine does falls on all of them.

    The first round warms the caches and does not count. Returns the runs of each, and the share of
    the cores that other programs took meanwhile.
    """
    for name, program in programs.items():
        say(f"warming up: {name}")
        program()
    runs = {name: [] for name in programs}
    busy = Busy()
    for number in range(1, rounds + 1):
        for name, program in programs.items():
            runs[name].append(program())
            say(f"round {number} of {rounds}: {name}: {runs[name][-1].seconds:.2f} s")
    return runs, busy.others(sum(each.work for of in runs.values() for each in of))


def median(runs, what):
    return statistics.median(getattr(each, what) for each in runs)


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)
