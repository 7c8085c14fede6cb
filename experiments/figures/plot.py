#!/usr/bin/python3
"""Figures of a result file: `plot.py RESULT.h5 [--out DIR] [--figure NAME]... [--where AXIS=VALUE]...`, and more below.

Writes RESULT_<figure>.png and .pdf. Without --figure, those that the experiment asked for. Names: frontier, load,
crossover, verification_length, acceptance_by_position, metric_by_load:METRIC for any metric of the file, and
through_time:COLUMN for any column of its table /series.
--where policy=… chooses what is drawn; the best fixed depth is always the best of all fixed depths in the file.
--lines AXIS draws a line for each value of this axis instead of each policy; --relative-to LINE draws metric_by_load
in % of that line.
Exit codes: 0 done, 2 wrong request or file, 3 the folder cannot be written.
"""

import argparse
import logging
import sys
from pathlib import Path

from result_file import FigureError, Results

DEFAULT_FIGURES = ("frontier", "load")


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="plot.py",
        description="Figures (PNG and PDF) of a result file, from nothing but that file.",
        epilog="Example: plot.py results/quickstart.h5 --out results --figure frontier "
        "--figure metric_by_load:accepted_length",
    )
    parser.add_argument("result", metavar="RESULT.h5")
    parser.add_argument("--out", metavar="DIR", help="where the files go; default: beside the result")
    parser.add_argument(
        "--figure",
        action="append",
        metavar="NAME",
        help="frontier, load, crossover, verification_length, acceptance_by_position, metric_by_load:METRIC or "
        "through_time:COLUMN; default: those of the experiment",
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="AXIS=VALUE",
        help="only the points with this value of an axis, or one of several (given again); for results in which more "
        "than policy and load vary, and to draw only some policies: --where policy=none --where policy=dspark. "
        "Choosing policies chooses what is drawn: the best fixed depth comes from all fixed depths of the file",
    )
    parser.add_argument(
        "--lines",
        metavar="AXIS",
        help="a line for each value of this axis instead of each policy; one policy is drawn (--where policy=VALUE)",
    )
    parser.add_argument(
        "--relative-to",
        metavar="LINE",
        help="draw metric_by_load in %% of this line, with intervals of the ratio within replications",
    )
    return parser.parse_args(arguments)


def requested(results, names, baseline=None):
    """[(file name part, function of results)] of --figure or of the experiment's `figures`."""
    from charts import FIGURES, metric_by_load
    from through_time import through_time

    entries = names or results.figures or list(DEFAULT_FIGURES)
    figures = []
    for entry in entries:
        metric = None
        if isinstance(entry, dict) and list(entry) == ["metric_by_load"]:
            metric = str(entry["metric_by_load"])
        elif isinstance(entry, str) and entry.startswith("metric_by_load:"):
            metric = entry.split(":", 1)[1]
        if metric is not None:
            figures.append((metric.replace(".", "_"), lambda r, metric=metric: metric_by_load(r, metric, baseline)))
        elif isinstance(entry, str) and entry.startswith("through_time:"):
            column = entry.split(":", 1)[1]
            figures.append((f"through_time_{column}", lambda r, column=column: through_time(r, column)))
        elif isinstance(entry, str) and entry in FIGURES:
            figures.append((entry, FIGURES[entry]))
        else:
            raise FigureError(
                f"no figure '{entry}'; there are {', '.join(FIGURES)}, metric_by_load:METRIC and through_time:COLUMN"
            )
    return figures


def main(arguments):
    options = parse_arguments(arguments)
    try:
        where = {}
        for item in options.where:
            axis, equals, value = item.partition("=")
            if not equals:
                raise FigureError(f"--where {item}: expected AXIS=VALUE")
            where.setdefault(axis, []).append(value)
        results = Results(options.result, where, options.lines)
        # A fresh machine builds its font cache at the first figure; that is no news for whoever asked for one.
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        from style import render, write

        files = {}
        for name, draw in requested(results, options.figure, options.relative_to):
            title = f"{results.title}: {name}" if results.title else name
            for suffix, content in render(draw(results), title).items():
                files[f"{Path(options.result).stem}_{name}.{suffix}"] = content
    except FigureError as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    folder = Path(options.out) if options.out else Path(options.result).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write(folder / name, content)
            print(folder / name)
    except OSError as error:
        print(f"plot.py: {folder}: cannot write ({error.strerror or error})", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
