#!/usr/bin/python3
"""What a result says about the best verification depth, in three sentences: `summary.py RESULT.h5`."""

import sys

from curves import best_by_load, crossovers
from result_file import FigureError, Results, fixed_depth

SUPERLATIVE = {
    "throughput": "gives the most tokens per second",
    "user_speed_mean": "gives each user the most tokens per second",
}


def amount(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.4g}"


def against(curves, policy, load, others):
    """ ", 1.9 times none" for the first of `others` that is not the policy itself."""
    for other in others:
        if other in curves and other != policy:
            ratio = at(curves[policy], load) / at(curves[other], load)
            return f", {ratio:.2f} times what {other} gives"
    return ""


def at(curve, load):
    return curve.mean[list(curve.load).index(load)]


def sentences(results):
    curves = {name: curve for name, curve in results.curves(results.ranked_metric).items() if results.lossless[name]}
    if not curves:
        raise FigureError(f"{results.path}: no policy is lossless")
    best = best_by_load(curves)
    if not best:
        raise FigureError(f"{results.path}: no load was measured for every policy")
    (low, first, first_value), (high, last, last_value) = best[0], best[-1]
    family = {name: curve for name, curve in curves.items() if fixed_depth(name) is not None}
    light = best_by_load(family)[0][1] if family else None
    yield (
        f"At {results.name_of_load(low)}, {first} {SUPERLATIVE[results.ranked_metric]}: {amount(first_value)}"
        f"{against(curves, first, low, ['none', *family])}."
    )
    yield (
        f"At {results.name_of_load(high)}, {last} does: {amount(last_value)}"
        f"{against(curves, last, high, [name for name in (light, 'none', *family) if name])}"
        f"{f', the best fixed choice at {results.name_of_load(low)}' if light and light != last else ''}."
    )
    if not family:
        yield "No fixed depth was in the sweep, so there is none to compare with."
        return
    changes = crossovers(family)
    if changes:
        *steps, last_step = (f"to {change.after} at about {change.load:.3g}" for change in changes)
        last_step = f"to {changes[-1].after} at about {results.name_of_load(float(f'{changes[-1].load:.3g}'))}"
        yield (
            f"The best fixed choice depends on load: it changes from {changes[0].before} "
            f"{', '.join([*steps, last_step])} (interpolated between the measured loads)."
        )
    else:
        yield f"The best fixed choice is {light} at every load of this sweep."


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        for sentence in sentences(Results(arguments[0])):
            print(sentence)
    except FigureError as error:
        print(f"summary.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
