"""Runs scenes and writes what came out; benches/run starts it with its Python and a `reckon`.

Every comparison's latest result is kept as JSON in the cache, one folder for each scale, and the
Markdown is written from all of them: at scale 1 BENCHMARKS.md, at others a file beside the results.
"""

import argparse
import fcntl
import json
import os
import signal
import sys
from pathlib import Path

from compare import FORMAT, Bench
from process import say
from programs import THREADS
from report import bars, markdown
from scenes import SCENES


def comparisons():
    """By name: the comparisons of a scene, or one of them alone."""
    alone = {compare.__name__: [compare] for compares in SCENES.values() for compare in compares}
    return alone | SCENES


def arguments():
    parser = argparse.ArgumentParser(prog="benches/run")
    parser.add_argument("scene", nargs="?", default="all", choices=["all", *comparisons()])
    parser.add_argument("--scale", type=float, default=1.0, help="share of all sizes [default: 1]")
    parser.add_argument("--rounds", type=int, help="that count [default: 5, of growth 2]")
    parser.add_argument("--program", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, required=True, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.scale <= 0 or given.rounds is not None and given.rounds < 1:
        parser.error("SCALE and ROUNDS are above 0")
    return given


def stop(number, _):
    sys.exit(128 + number)  # by way of every `finally`, so that no server is left running


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, stop)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    lock = open(given.cache / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("benches/run: another one is at work, and two would measure each other")
    kept = given.cache / f"results-{given.scale:g}"
    kept.mkdir(parents=True, exist_ok=True)
    wanted = sum(SCENES.values(), []) if given.scene == "all" else comparisons()[given.scene]
    for compare in wanted:
        say(f"scene {compare.__name__}")
        result = compare(Bench(given.program, given.cache, given.scale, given.rounds))
        (kept / f"{compare.__name__}.json").write_text(json.dumps(result, indent=1) + "\n")
        print("\n".join(bars([result])), flush=True)
        write(kept, given.scale)


def write(kept, scale):
    """Writes the Markdown from the results that there are."""
    files = [kept / f"{compare.__name__}.json" for compares in SCENES.values() for compare in compares]
    results = [json.loads(file.read_text()) for file in files if file.exists()]
    results = [result for result in results if result.get("format") == FORMAT]
    target = Path(__file__).resolve().parent.parent / "BENCHMARKS.md" if scale == 1 else kept / "BENCHMARKS.md"
    target.write_text(markdown(results))
    say(f"wrote {target}")


main()
