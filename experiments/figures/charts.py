"""The figures: each takes a Results and gives a matplotlib figure."""

import numpy as np
from curves import best_by_load, crossovers, hull_of_ellipses, matched_point, relative, with_intervals
from result_file import Curve, FigureError, fixed_depth
from style import (
    INK,
    add_legend,
    add_text_above,
    draw_line,
    halo,
    light,
    load_number,
    load_ticks,
    log_axis,
    new_figure,
    plain_number,
    policy_styles,
)

PANEL_MM = 58
METRIC_LABELS = {
    "throughput": "Throughput",
    "user_speed_mean": "User speed",
    "user_speed_p50": "User speed, median",
    "accepted_length": "Accepted length τ",
    "verification_length": "Verification length",
    "batch_tokens": "Rows per step",
    "step_seconds_mean": "Step time",
}
LOAD_LABELS = {
    "users": "Concurrent users",
    "rate": "Arrival rate",
    "time_scale": "Traffic (times the recorded rate)",
}


def label(name, unit):
    words = METRIC_LABELS.get(name) or name.replace("_", " ").replace(".", " at position ")
    words = words[0].upper() + words[1:]
    return f"{words} ({unit})" if unit else words


def load_label(results):
    last = results.load_axis.split(".")[-1]
    unit = results.unit(results.load_axis)
    words = LOAD_LABELS.get(last, last.replace("_", " ").capitalize())
    return f"{words} ({unit})" if unit and unit not in ("users", "as in the YAML") else words


def _plot_by_load(axes, curves, styles):
    for policy, curve in curves.items():
        if np.isfinite(curve.low).any():  # one replication has no interval
            band = {"color": styles[policy]["color"], "alpha": 0.18, "linewidth": 0}
            axes.fill_between(curve.load, curve.low, curve.high, **band)
        draw_line(axes, curve.load, curve.mean, styles[policy])


def _all_positive(curves):
    return all((curve.mean > 0).all() for curve in curves.values())


def _require_positive_loads(results, curves):
    if not all((curve.load > 0).all() for curve in curves.values()):
        raise FigureError(f"{results.path}: a load of 0 cannot stand on a logarithmic axis ({results.load_axis})")


def metric_by_load(results, metric, baseline=None):
    """One metric against load, a line for each policy, 95 % bands; in % of the `baseline`'s line if there is one."""
    curves = results.curves(metric)
    _require_positive_loads(results, curves)
    if baseline is not None:
        curves = _relative_curves(results, metric, baseline, curves)
    styles = policy_styles(results.policies, results.lossless)
    figure, axes = new_figure(PANEL_MM, [styles[policy] for policy in curves])
    _plot_by_load(axes, curves, styles)
    load_ticks(axes, {load for curve in curves.values() for load in curve.load})
    means = np.concatenate([curve.mean for curve in curves.values()])
    if baseline is not None:
        axes.axhline(100, color=INK, linewidth=0.7, zorder=1)
    elif _all_positive(curves) and means.max() > 20 * means.min():
        axes.set_yscale("log")
        log_axis(axes.yaxis, means.min(), means.max())
    else:
        axes.set_ylim(bottom=min(0, means.min()), top=1.06 * means.max() if means.max() > 0 else None)
    axes.set_xlabel(load_label(results))
    unit = results.unit(metric) if baseline is None else f"% of {baseline}"
    axes.set_ylabel(label(metric, unit))
    add_legend(figure, [styles[policy] for policy in curves])
    return figure


def _relative_curves(results, metric, baseline, curves):
    if baseline not in results.policies:
        raise FigureError(f"{results.path}: no line '{baseline}'; there are {', '.join(results.policies)}")
    found = relative(curves, lambda line: results.replicated(metric, line), baseline)
    if not found:
        raise FigureError(f"{results.path}: '{metric}' of '{baseline}' has no values by replication to compare with")
    return {line: Curve(*columns) for line, columns in found.items()}


def load(results):
    """What policies are ranked by (throughput, or user speed under open arrivals) against load; the best of all fixed
    depths is the band behind the lines, its changes are marked."""
    metric = results.ranked_metric
    curves, family = results.curves(metric), results.fixed_curves(metric)
    _require_positive_loads(results, curves | family)
    if not _all_positive(curves | family):
        raise FigureError(f"{results.path}: a {metric} of 0 cannot stand on a logarithmic axis")
    styles = policy_styles(results.policies, results.lossless)
    # A large family would hide the rest: none, the shallowest and the deepest stay.
    by_depth = sorted((policy for policy in curves if policy in family), key=fixed_depth)
    kept = by_depth if len(by_depth) < 4 else [*by_depth[:2], by_depth[-1]]
    shown = {policy: curve for policy, curve in curves.items() if policy not in family or policy in kept}
    envelope = {"color": "#BBBBBB", "linewidth": 5, "solid_capstyle": "round", "label": "best fixed depth"}
    entries = [styles[policy] for policy in shown] + [envelope] * bool(family)
    figure, axes = new_figure(PANEL_MM, entries)
    axes.set_yscale("log")
    if family:
        xs, _, ys = zip(*best_by_load(family), strict=True)
        axes.plot(xs, ys, **envelope, zorder=1)
    _plot_by_load(axes, shown, styles)
    load_ticks(axes, {x for curve in curves.values() for x in curve.load})
    if family:
        _mark_crossovers(axes, family)
    means = np.concatenate([curve.mean for curve in shown.values()])
    log_axis(axes.yaxis, means.min(), means.max())
    axes.set_xlabel(load_label(results))
    axes.set_ylabel(label(metric, results.unit(metric)))
    add_legend(figure, entries)
    return figure


def _mark_crossovers(axes, family):
    """A thin line where the best fixed depth changes, and the depths that lead along the bottom, from edge to edge."""
    changes = crossovers(family)
    best = best_by_load(family)
    first, last = axes.get_xlim()
    edges = [first, *(change.load for change in changes), last]
    leaders = [best[0][1], *(change.after for change in changes)]
    for change in changes:
        axes.axvline(change.load, color=INK, linewidth=0.5, linestyle=(0, (1, 2)), zorder=0)
    transform = axes.get_xaxis_transform()
    span = np.log(edges[-1] / edges[0]) if edges[-1] > edges[0] else 1
    for i, (left, right, leader) in enumerate(zip(edges, edges[1:], leaders, strict=False)):
        words = f"k={fixed_depth(leader)}"
        if i == 0 and np.log(right / left) > 0.25 * span:
            words = f"best k={fixed_depth(leader)}"
        elif np.log(right / left) < 0.09 * span:
            words = str(fixed_depth(leader)) if np.log(right / left) > 0.02 * span or right == last else ""
        text = axes.text(np.sqrt(left * right), 0.02, words, transform=transform, ha="center", va="bottom", fontsize=6)
        halo(text)


def crossover(results):
    """What policies are ranked by, relative to the best of all fixed depths at the same load: who leads, by how much,
    and where that changes."""
    metric = results.ranked_metric
    curves, family = results.curves(metric), results.fixed_curves(metric)
    _require_positive_loads(results, curves | family)
    if not family:
        raise FigureError(f"{results.path}: no policy `none` or `fixed:k` to compare with")
    best = {x: mean for x, _, mean in best_by_load(family)}
    relative = {}
    for policy, curve in curves.items():
        rows = np.array([x in best for x in curve.load])
        scale = np.array([best[x] for x in curve.load[rows]]) / 100
        columns = (column[rows] / scale for column in (curve.mean, curve.low, curve.high))
        relative[policy] = Curve(curve.load[rows], *columns)
    styles = policy_styles(results.policies, results.lossless)
    figure, axes = new_figure(PANEL_MM, [styles[policy] for policy in relative])
    axes.axhline(100, color=INK, linewidth=0.7, zorder=1)
    _plot_by_load(axes, relative, styles)
    load_ticks(axes, {x for curve in curves.values() for x in curve.load})
    _mark_crossovers(axes, family)
    highest = max(curve.mean.max() for curve in relative.values())
    lowest = min(curve.mean.min() for curve in relative.values())
    top = highest + 0.06 * (highest - max(lowest, 40))
    # Below 40 % nothing is compared any more; lines leave through the floor. The strip under it names the best k.
    floor = max(lowest, 40)
    axes.set_ylim(floor - 0.12 * (top - floor), top)
    axes.set_xlabel(load_label(results))
    axes.set_ylabel(f"{METRIC_LABELS[metric]} (% of the best fixed depth)")
    add_legend(figure, [styles[policy] for policy in relative])
    return figure


def frontier(results):
    """Throughput against user speed, a line for each policy through the loads, with matched read-outs."""
    speed, throughput = _at_shared_loads(results.curves("user_speed_mean"), results.curves("throughput"))
    frontiers = {policy: (curve.load, curve.mean, throughput[policy].mean) for policy, curve in speed.items()}
    policies = list(frontiers)
    if not all((values > 0).all() for _, *both in frontiers.values() for values in both):
        raise FigureError(f"{results.path}: a speed or throughput of 0 cannot stand on a logarithmic axis")
    match = matched_frontier(results, frontiers)
    rows = (read_outs(match) if match else []) + _widest_intervals(speed, throughput)
    styles = policy_styles(results.policies, results.lossless)
    figure, axes = new_figure(PANEL_MM + 8, [styles[policy] for policy in policies], text_rows=len(rows))
    axes.set_xscale("log")
    axes.set_yscale("log")
    for policy in policies:
        _, x, y = frontiers[policy]
        _plot_band(axes, speed[policy], throughput[policy], styles[policy]["color"])
        draw_line(axes, x, y, styles[policy])
    for axis, i in ((axes.xaxis, 1), (axes.yaxis, 2)):
        values = np.concatenate([frontiers[policy][i] for policy in policies])
        log_axis(axis, values.min(), values.max())
    axes.set_xlabel(label("user_speed_mean", results.unit("user_speed_mean")))
    axes.set_ylabel(label("throughput", results.unit("throughput")))
    if match:
        _draw_match(axes, match)
    add_text_above(figure, rows)
    _mark_loads(axes, results, frontiers)
    add_legend(figure, [styles[policy] for policy in policies])
    return figure


def _at_shared_loads(first, second):
    """Two metrics' {policy: Curve}, both at the loads and for the policies that both have."""

    def at(curve, other):
        rows = np.isin(curve.load, other.load)
        return Curve(*(column[rows] for column in (curve.load, curve.mean, curve.low, curve.high)))

    both = [policy for policy in first if policy in second and len(at(first[policy], second[policy]).load)]
    return [{p: at(a[p], b[p]) for p in both} for a, b in ((first, second), (second, first))]


def matched_frontier(results, drawn):
    """The matched read-outs against `none`, or the first fixed depth, of those `drawn` if there is one. All fixed
    depths of the file compete, drawn or not; policies that are not lossless do not."""
    metrics = ("user_speed_mean", "throughput")
    speed, throughput = _at_shared_loads(*(results.fixed_curves(metric) for metric in metrics))
    frontiers = drawn | {policy: (curve.load, curve.mean, throughput[policy].mean) for policy, curve in speed.items()}
    fixed = [policy for policy in frontiers if fixed_depth(policy) is not None]
    baselines = sorted(fixed, key=lambda policy: (policy not in drawn, policy != "none"))
    eligible = [policy for policy in frontiers if results.lossless.get(policy, True)]
    match = matched_point(frontiers, baselines[0], eligible) if baselines else None
    if match is None:
        return None
    named = (match.baseline, match.more_speed.policy, match.more_throughput.policy)
    return with_intervals(match, _replicated(results, {policy: frontiers[policy][0] for policy in named}))


def _replicated(results, loads):
    """For each replication {policy: (load, speed, throughput)}; `loads`: {policy: loads}."""
    values = {
        policy: [results.replicated(metric, policy) for metric in ("user_speed_mean", "throughput")] for policy in loads
    }
    count = min(len(each) for both in values.values() for by_load in both for each in by_load.values() or [()])

    def frontier_of(policy, r):
        return (loads[policy], *(np.array([by_load[x][r] for x in loads[policy]]) for by_load in values[policy]))

    return [{policy: frontier_of(policy, r) for policy in loads} for r in range(count)]


def read_outs(match):
    faster, wider = match.more_speed, match.more_throughput
    return [
        f"↑ {match.speed:.4g} tokens/s per user: {wider.policy} {_ratio(wider)} of {match.baseline}",
        f"→ {plain_number(float(f'{match.throughput:.3g}'))} tokens/s in all: {faster.policy} "
        f"{_ratio(faster)} of {match.baseline}",
    ]


def _ratio(gain):
    return f"×{gain.ratio:.2f}" + (f" ({gain.low:.2f} .. {gain.high:.2f})" if np.isfinite(gain.low) else "")


def _widest_intervals(speed, throughput):
    """Bands thinner than a line cannot be read off: a row of text says how wide they are at most."""
    widths = [
        np.concatenate([(curve.high - curve.low) / 2 / curve.mean for curve in curves.values()])
        for curves in (speed, throughput)
    ]
    if not all(np.isfinite(width).any() for width in widths):
        return []
    s, t = (f"±{100 * np.nanmax(width):.2g} %" for width in widths)
    return [f"95 % bands: at most {s} of speed and {t} of throughput"]


def _plot_band(axes, speed, throughput, color):
    """A light band along a frontier: at each load an ellipse whose axes are the two 95 % intervals."""
    known = (speed.low > 0) & (throughput.low > 0)  # false for NaN: no interval
    ends = [(curve.low[known], curve.high[known]) for curve in (speed, throughput)]
    centres = [np.log(low * high) / 2 for low, high in ends]
    radii = [np.log(high / low) / 2 for low, high in ends]
    ellipses = np.array([*centres, *radii]).T
    for first, second in zip(ellipses, ellipses[1:] if len(ellipses) > 1 else ellipses, strict=False):
        x, y = np.exp(hull_of_ellipses(first, second))
        # Of one light tint and not transparent, so that bands that overlap themselves do not darken.
        axes.fill(x, y, color=light(color), linewidth=0.4, zorder=1)


def _draw_match(axes, match):
    arrow = {"arrowstyle": "-|>,head_width=0.18,head_length=0.4", "color": INK, "linewidth": 0.8}
    arrow |= {"shrinkA": 2, "shrinkB": 1}
    anchor = (match.speed, match.throughput)
    up, right = match.more_throughput, match.more_speed
    # Words stand near the anchor, where other lines are rare: right of the one arrow, below the other.
    for target, ratio, share, offset, ha, va in (
        ((match.speed, up.value), up.ratio, 0.2, (3, 0), "left", "center"),
        ((right.value, match.throughput), right.ratio, 0.45, (0, -2.5), "center", "top"),
    ):
        words = f"×{ratio:.2f}"
        axes.annotate("", xy=target, xytext=anchor, arrowprops=arrow, zorder=6)
        place = tuple(np.array(anchor) ** (1 - share) * np.array(target) ** share)
        halo(axes.annotate(words, place, xytext=offset, textcoords="offset points", ha=ha, va=va, zorder=7), 2)


def _mark_loads(axes, results, frontiers):
    """Names the lowest load at its fastest point and the highest at its widest, so that the way load runs is seen."""
    word = "user" if results.load_axis.split(".")[-1] == "users" else ""
    lowest, highest = (pick(columns[0][i] for columns in frontiers.values()) for pick, i in ((min, 0), (max, -1)))
    if lowest == highest:
        return
    for load, column, offset, va in ((lowest, 1, -5, "top"), (highest, 2, 5, "bottom")):
        i = 0 if load == lowest else -1
        ends = [[values[i] for values in columns] for columns in frontiers.values()]
        _, x, y = max((end for end in ends if end[0] == load), key=lambda end: end[column])
        words = f"{load_number(load)} {word}{'s' if word and load != 1 else ''}".strip()
        place = {"xytext": (0, offset), "textcoords": "offset points", "ha": "center", "va": va}
        halo(axes.annotate(words, (x, y), **place, fontsize=6, zorder=7))


def acceptance_by_position(results):
    """Share of verified draft tokens accepted, given that all before them were, at the highest load. The deepest fixed
    depth shows the drafter; adaptive policies verify fewer, likelier tokens."""
    names = [name for name in results.metric_names() if name.startswith("acceptance.")]
    if not names:
        results.values("acceptance.1")  # the error says which metrics there are
    positions = sorted(int(name.split(".")[1]) for name in names)
    curves = {}
    for policy in results.policies:
        rows = []
        for k in positions:
            curve = results.curve(f"acceptance.{k}", policy)
            if len(curve.load) and curve.load[-1] == _highest_load(results):
                rows.append((k, curve.mean[-1], curve.low[-1], curve.high[-1]))
        if rows:
            curves[policy] = Curve(*np.array(rows, dtype=float).T)
    family = sorted((policy for policy in curves if fixed_depth(policy)), key=fixed_depth)
    for policy in family[:-1]:
        del curves[policy]
    styles = policy_styles(results.policies, results.lossless)
    figure, axes = new_figure(PANEL_MM, [styles[policy] for policy in curves])
    _plot_by_load(axes, curves, styles)
    axes.set_xticks(positions)
    axes.set_xlim(positions[0] - 0.3, positions[-1] + 0.3)
    lowest = min(curve.mean.min() for curve in curves.values())
    axes.set_ylim(max(0, np.floor(10 * lowest - 0.5) / 10), 1)
    axes.set_xlabel(f"Draft position (at {results.name_of_load(_highest_load(results))})")
    axes.set_ylabel("Acceptance, given all before")
    add_legend(figure, [styles[policy] for policy in curves])
    return figure


def _highest_load(results):
    return max(curve.load[-1] for curve in results.curves("throughput").values())


def verification_length(results):
    return metric_by_load(results, "verification_length")


FIGURES = {
    "frontier": frontier,
    "load": load,
    "crossover": crossover,
    "verification_length": verification_length,
    "acceptance_by_position": acceptance_by_position,
}
