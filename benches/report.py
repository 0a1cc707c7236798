"""Writes the results as Markdown: first every figure with its bar, then each comparison with all of
its programs, its data and the circumstances of its latest run."""

INTRODUCTION = """# Benchmarks

Written by `benches/run`, all of it, from the latest run of each scene.

Times depend on the machine, and are not what is claimed: the programs of a comparison run in turn on
the same two cores, the first round does not count, and what counts is the median of the ratios of the
rounds. Processor time includes the server's. Peak memory is the program's own, without the server.
References get the benefit of the doubt: of Python's only the work counts, not the start, and none of
them does more than a part of what `reckon reconcile` does. Load and other programs slow all down, and
not alike: a run with much of either says little.

"""
NEED = """`m` is 1,000,000 legacy and 11,000,000 unified rows of 250,000 users, 10 `m` ten times the rows and
the users."""
VERDICT = {True: "met", False: "**not met**", None: "no bar"}


def number(value, unit):
    digits = 0 if value >= 100 or unit == "MiB" and value >= 10 else 2 if unit != "ms" else 1
    return f"{value:,.{digits}f} {unit}"


def bars(results):
    """A row for each figure; beside the first of a program what that took."""
    yield "| scene | program | seconds | processor seconds | rows/s | peak memory | figure | measured | bar | |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for one in results:
        lines = {line["name"]: line for line in one["lines"]}
        before = None
        for bar in one["bars"]:
            most = "" if bar["most"] is None else f"≤ {bar['most']:g} {bar['unit']}"
            if bar["goal"] is not None:
                most += f", goal ≤ {bar['goal']:g}"
            head = ["" for _ in range(6)] if bar["of"] == before else [one["title"], *cells(lines[bar["of"]])]
            before = bar["of"]
            yield (f"| {' | '.join(head)} | {bar['what']} "
                   f"| {number(bar['value'], bar['unit'])} | {most} | {VERDICT[bar['met']]} |")


def cells(line):
    rate = line["rows_per_second"]
    return [
        line["name"],
        f"{line['seconds']:.3f}" if line["seconds"] < 0.1 else f"{line['seconds']:.2f}",
        f"{line['processor'] + line['server']:.2f}",
        f"{rate:,.0f}" if rate else "",
        f"{'≤ ' if line['at_most'] else ''}{line['memory']:,.0f} MiB",
    ]


def details(one):
    yield f"## {one['title']}"
    yield ""
    for name, what in one["data"].items():
        yield f"- `{name}`: {what}."
    yield f"- {one['date']}, {one['machine']}; {', '.join(f'{name} {of}' for name, of in one['versions'].items())}."
    yield (f"- Load before the first round {one['load']:.1f}; during the rounds other programs took "
           f"{one['others']:.0%} of the cores. Rounds: {one['rounds']}.")
    yield ""
    yield "| program | seconds | processor seconds | rows/s | peak memory | seconds by round |"
    yield "|---|---|---|---|---|---|"
    for line in one["lines"]:
        rounds = line["rounds"] if len(line["rounds"]) <= 10 else [min(line["rounds"]), max(line["rounds"])]
        dots = " … " if rounds is not line["rounds"] else " "
        yield f"| {' | '.join(cells(line))} | {dots.join(f'{seconds:.3g}' for seconds in rounds)} |"
    yield ""


def markdown(results):
    """The whole file."""
    scale = results[0]["scale"]
    of = "" if scale == 1 else f"\n**At scale {scale:g} of all sizes: a trial of the harness, no claim.**\n"
    text = [INTRODUCTION + NEED + "\n" + of, *bars(results), ""]
    for one in results:
        text += details(one)
    return "\n".join(text).rstrip() + "\n"
