"""The scenes: which programs are compared on which data, and what they are held to.

The bars are those that reckon set itself; a figure without one is said all the same.
"""

import os

from compare import bar, compared, line, ratio, result
from process import alternate, median, run
from programs import THREADS, bare_copy, duck, frames, handwritten, must_end_well, reckon, report_size

STARTS = 20


def files(bench):
    data = bench.data("disturbed")
    ours = "`reckon reconcile`, every output"
    theirs = f"D: DuckDB, {THREADS} threads, full join and sums alone"
    other = "datacompy on pandas, join of the grants alone, once"
    return compared(
        bench, "Parquet", {"m": str(data)},
        {ours: (data.rows, reckon(bench.program, data)), theirs: (data.rows, duck(data))},
        lambda runs: [
            bar("time beside D", ours, ratio(runs[ours], runs[theirs]), "×", 0.9, 0.5),
            bar("processor time beside D", ours, ratio(runs[ours], runs[theirs], "work"), "×", None),
            bar("peak memory", ours, max(each.memory for each in runs[ours]), "MiB", 1024),
            bar("time beside datacompy", ours, median(runs[ours], "seconds") / runs[other][0].seconds, "×", None),
            bar("memory beside datacompy", ours, max(each.memory for each in runs[ours]) / runs[other][0].memory,
                "×", None),
        ],
        once={other: (data.rows, frames(data))},
    )


def postgres(bench):
    data = bench.data("disturbed")
    ours = "`reckon reconcile`, every output"
    sql, copy = "H: full join and sums alone, by hand in SQL", "C: bare binary COPY, two streams, to nowhere"
    with bench.server(data) as server:
        return compared(
            bench, "PostgreSQL", {"m": str(data)},
            {
                ours: (data.rows, reckon(bench.program, data, server)),
                sql: (data.rows, handwritten(server)),
                copy: (data.rows, bare_copy(server)),
            },
            lambda runs: [
                bar("time beside H", ours, ratio(runs[ours], runs[sql]), "×", 0.6),
                bar("time beside C", ours, ratio(runs[ours], runs[copy]), "×", 1.25),
                bar("peak memory", ours, max(each.memory for each in runs[ours]), "MiB", 1024),
            ],
        )


def grown(bench, title, small, large, programs):
    """`m` and ten times as much of it: what a row takes."""
    before, after = programs
    return compared(
        bench, title, {"m": str(small), "10 m": str(large)},
        {before[0]: (small.rows, before[1]), after[0]: (large.rows, after[1])},
        lambda runs: [
            bar("time per row beside `m`", after[0],
                ratio(runs[after[0]], runs[before[0]], per=large.rows / small.rows), "×", 1.2),
            bar("peak memory beside `m`", after[0],
                max(each.memory for each in runs[after[0]]) / max(each.memory for each in runs[before[0]]), "×",
                None),
        ],
        rounds=2,
    )


def growth_files(bench):
    small, large = bench.data("disturbed"), bench.data("disturbed", 10)
    return grown(bench, "Growth, Parquet", small, large, [
        ("`reckon`, `m`", reckon(bench.program, small)), ("`reckon`, 10 `m`", reckon(bench.program, large))])


def growth_postgres(bench):
    small, large = bench.data("disturbed"), bench.data("disturbed", 10)
    with bench.server(small) as one, bench.server(large) as ten:
        return grown(bench, "Growth, PostgreSQL", small, large, [
            ("`reckon`, `m`", reckon(bench.program, small, one)),
            ("`reckon`, 10 `m`", reckon(bench.program, large, ten))])


def growth_usage(bench):
    small, large = bench.data("disturbed"), bench.data("use10")
    before, after = "`reckon`, `m`", "`reckon`, ten times the use"
    return compared(
        bench, "Ten times the rows of use", {"m": str(small), "use10": str(large)},
        {before: (small.rows, reckon(bench.program, small)), after: (large.rows, reckon(bench.program, large))},
        lambda runs: [
            bar("peak memory beside `m`", after,
                max(each.memory for each in runs[after]) / max(each.memory for each in runs[before]), "×", 1.5),
            bar("time per row beside `m`", after,
                ratio(runs[after], runs[before], per=large.rows / small.rows), "×", None),
        ],
        rounds=2,
    )


def bounded(bench):
    """Rows that do not fit wait in files: a bound at which the run without one would have been ended."""
    data = bench.data("disturbed")
    bound = max(round(448 * bench.scale), 160)
    plain, small = "`reckon`, no bound", f"`reckon`, `--memory {bound}MiB`"
    return compared(
        bench, "Memory bound", {"m": str(data)},
        {
            plain: (data.rows, reckon(bench.program, data)),
            small: (data.rows, reckon(bench.program, data, further=("--memory", f"{bound}MiB"))),
        },
        lambda runs: [
            bar("peak memory beside the bound", small, max(each.memory for each in runs[small]) / bound, "×", 1),
            bar("peak memory beside no bound", small,
                max(each.memory for each in runs[small]) / max(each.memory for each in runs[plain]), "×", None),
            bar("time beside no bound", small, ratio(runs[small], runs[plain]), "×", None),
        ],
    )


def shifted(bench):
    before, after = bench.data("undisturbed"), bench.data("shifted")
    plain, late = "`reckon`, undisturbed", "`reckon`, shifted"
    return compared(
        bench, "All times shifted", {"undisturbed": str(before), "shifted": str(after)},
        {plain: (before.rows, reckon(bench.program, before)), late: (after.rows, reckon(bench.program, after))},
        lambda runs: [bar("time beside the undisturbed run", late, ratio(runs[late], runs[plain]), "×", 3)],
    )


def giant(bench):
    near, same = bench.data("giant"), bench.data("identical")
    one, two = "`reckon`, seconds apart", "`reckon`, all at one instant"
    return compared(
        bench, "One user's grants, all alike", {"giant": str(near), "identical": str(same)},
        {one: (near.rows, reckon(bench.program, near)), two: (same.rows, reckon(bench.program, same))},
        lambda runs: [bar("time", name, median(runs[name], "seconds"), "s", 5) for name in (one, two)],
    )


def findings(bench):
    data = bench.data("findings")
    ours = "`reckon`, nothing copied"
    return compared(
        bench, "Every legacy row a finding", {"findings": str(data)},
        {ours: (data.rows, reckon(bench.program, data))},
        lambda runs: [
            bar("time", ours, median(runs[ours], "seconds"), "s", None),
            bar("peak memory", ours, max(each.memory for each in runs[ours]), "MiB", None),
            bar("size of report.html", ours, report_size(data), "MiB", None),
        ],
    )


def start(bench):
    ours = "`reckon --help`"
    command = [str(bench.program), "--help"]
    bench.load = os.getloadavg()[0]
    runs, others = alternate({ours: lambda: must_end_well(run(command), "reckon --help")}, STARTS)
    bars = [
        bar("time", ours, median(runs[ours], "seconds") * 1000, "ms", 50),
        bar("size of the program", ours, bench.program.stat().st_size / (1 << 20), "MiB", None),
    ]
    return result(bench, "Start", {}, [line(ours, runs[ours], 0)], bars, STARTS, others)


# The comparisons of each scene, in the order in which they run and are reported.
SCENES = {
    "files": [files, bounded],
    "postgres": [postgres],
    "growth": [growth_usage, growth_files, growth_postgres],
    "residues": [shifted, giant, findings],
    "start": [start],
}
