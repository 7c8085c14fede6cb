#!/usr/bin/python3
"""Two results and their error, side by side: `compare.py NAME.png < differences.json`

Reads what `dspark compare --figure` hands over (the same as its --json). Left: user speed (else the first metric) by
load, A as lines and B as points with 95 % intervals. Right: A / B - 1 with its interval, and the limits if there are
any. Writes NAME.png and NAME.pdf. Exit codes: 0 done, 2 wrong input, 3 the folder cannot be written.
"""

import itertools
import math
import sys

import standard_input

WIDTH_MM = 174  # both columns of a page
PANEL_MM = 56
LEFT_MM = 18  # six digits and the words
GAP_MM = 18
DODGE = 0.012  # of the panel's width, between the points of two policies
PREFERRED = "user_speed_mean"
DEPTH_MARKERS = ("o", "h", "d", "<", ">", "p", "8")
SHADES = {"worst": "#F1F1F1", "median": "#DCDCDC"}


def chosen_rows(study):
    """Those of user speed where it was compared, else of the first metric."""
    metrics = [row["metric"] for row in study["differences"]]
    metric = PREFERRED if PREFERRED in metrics else metrics[0]
    rows = [row for row in study["differences"] if row["metric"] == metric]
    rows = [row for row in rows if all(row[name] is not None for name in ("a", "b", "error"))]
    if not rows:
        raise ValueError(f"'{metric}' was measured at no point of both")
    return metric, rows


def load_of(text, axis):
    """The load as a positive number that rises with load; None where it is none."""
    try:
        load = float(text)
    except ValueError:
        return None
    if not (math.isfinite(load) and load > 0):
        return None
    return 1 / load if axis.endswith(".time_scale") else load


def positions(rows, axes, load_axis):
    """(x of each row, names of the x where they are no loads but settings)."""
    if load_axis in axes:
        loads = [load_of(row[load_axis], load_axis) for row in rows]
        if None not in loads:
            return loads, None
    settings = [", ".join(f"{axis.split('.')[-1]} {row[axis]}" for axis in axes) for row in rows]
    names = list(dict.fromkeys(settings))
    return [names.index(setting) for setting in settings], names


def lines_of(rows, xs, axes, load_axis, by_setting):
    """{name: [(x, row)] in the order of x}: one for each policy and each setting of axes that are not along x."""
    others = [] if by_setting else [axis for axis in axes if axis != load_axis and len({row[axis] for row in rows}) > 1]
    lines = {}
    for x, row in zip(xs, rows, strict=True):
        same = row["policy_a"] == row["policy_b"]
        name = row["policy_a"] if same else f"{row['policy_a']} against {row['policy_b']}"
        name += "".join(f", {axis.split('.')[-1]} {row[axis]}" for axis in others)
        lines.setdefault(name, []).append((x, row))
    return {name: sorted(points, key=lambda point: point[0]) for name, points in lines.items()}


def interval(row, name):
    """Distances from the mean to the ends; none where there is no interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if low is None or high is None:
        return [[0], [0]]
    return [[row[name] - low], [high - row[name]]]


def side_names(study):
    machines = [study[side]["machine"] for side in ("a", "b")]
    return machines if sorted(machines) == ["measured", "modelled"] else ["A", "B"]


def line_styles(names):
    """A hue, a marker and a dash for each line; depths have other markers than digits, which bars would hide."""
    from style import policy_styles

    styles = policy_styles(names, {})
    depths = [style for style in styles.values() if str(style["marker"]).startswith("$")]
    for style, marker in zip(depths, itertools.cycle(DEPTH_MARKERS)):
        style |= {"marker": marker, "markersize": 3.2, "linewidth": 1.1}
    for style in styles.values():
        style.pop("markerfacecolor", None)  # hollow says fitted
    return styles


def point_style(style, row, scale=1.0):
    """A line's marker; hollow where the point was fitted."""
    chosen = {"color": style["color"], "marker": style["marker"], "markersize": 4.4 * scale, "linestyle": "none"}
    face = "white" if row["role"] == "fitted" else style["color"]
    return chosen | {"markerfacecolor": face, "markeredgewidth": 0.7}


def draw_values(axes, lines, styles, dodged):
    for i, (name, points) in enumerate(lines.items()):
        style = styles[name]
        xs, values = [x for x, _ in points], [row["a"] for _, row in points]
        axes.plot(xs, values, color=style["color"], linestyle=style["linestyle"], linewidth=1.1, zorder=2)
        for x, row in points:
            bar = {"ecolor": style["color"], "elinewidth": 0.7, "capsize": 1.5, "capthick": 0.7}
            at = dodged(x, (i - (len(lines) - 1) / 2) / 2)
            axes.errorbar(at, row["b"], yerr=interval(row, "b"), **bar, **point_style(style, row), zorder=3)


def draw_errors(axes, lines, styles, limits, dodged):
    from style import INK

    for name in ("worst", "median"):
        if limits[name] is not None:
            axes.axhspan(-100 * limits[name], 100 * limits[name], color=SHADES[name], linewidth=0, zorder=0)
    axes.axhline(0, color=INK, linewidth=0.7, zorder=1)
    largest = max(abs(row["error"]) for points in lines.values() for _, row in points)
    for i, (name, points) in enumerate(lines.items()):
        style = styles[name]
        for x, row in points:
            bar = {"ecolor": style["color"], "elinewidth": 0.6, "capsize": 1.2, "capthick": 0.6}
            yerr = [[100 * end[0]] for end in interval(row, "error")]
            at = dodged(x, i - (len(lines) - 1) / 2)
            axes.errorbar(at, 100 * row["error"], yerr=yerr, **bar, **point_style(style, row, 0.85), zorder=3)
    # Wide intervals of few replications must not flatten the errors themselves.
    reach = 100 * max([1.5 * largest, *(1.15 * limit for limit in limits.values() if limit is not None), 0.005])
    axes.set_ylim(-reach, reach)


def dodge_for(xs, by_setting):
    """A function of x and a number of places that moves points of several policies apart."""
    if by_setting:
        return lambda x, places: x + 0.06 * places
    span = max(math.log(max(xs) / min(xs)), math.log(2))
    return lambda x, places: x * math.exp(DODGE * span * places)


def label_loads(axes, xs, names, load_axis):
    from charts import LOAD_LABELS
    from style import load_ticks

    if names is not None:
        axes.set_xticks(range(len(names)), names)
        axes.margins(x=0.15)
        return
    load_ticks(axes, set(xs))
    last = load_axis.split(".")[-1]
    axes.set_xlabel(LOAD_LABELS.get(last, last.replace("_", " ").capitalize()))


def legend_entries(study, rows, styles):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from style import INK

    names = side_names(study)
    point = {"color": INK, "marker": "o", "linestyle": "none"}
    entries = [Line2D([], [], color=INK, linewidth=1.1, label=f"{names[0]}: lines")]
    entries.append(Line2D([], [], **point, label=f"{names[1]}: points, 95 % intervals"))
    if any(row["role"] == "fitted" for row in rows):
        entries.append(Line2D([], [], **point, markerfacecolor="white", label="hollow: fitted"))
    for name in ("median", "worst"):
        if study["limits"][name] is not None:
            entries.append(Patch(color=SHADES[name], label=f"{name} ≤ {100 * study['limits'][name]:g} %"))
    return entries + [Line2D([], [], **style) for style in styles]


def legend_columns(entries):
    """The most columns in which the labels fit, each as wide as its longest."""
    from style import LEGEND_LETTER_MM, LEGEND_LINE_MM

    labels = [entry.get_label() for entry in entries]
    for columns in range(len(labels), 1, -1):
        rows = -(-len(labels) // columns)
        longest = [max(map(len, labels[i : i + rows])) for i in range(0, len(labels), rows)]
        if sum(LEGEND_LINE_MM + LEGEND_LETTER_MM * letters for letters in longest) <= WIDTH_MM:
            return len(longest)
    return 1


def draw(study):
    from charts import label
    from matplotlib.figure import Figure
    from style import LEGEND_ROW_MM, MARGIN_MM, MM, log_axis

    metric, rows = chosen_rows(study)
    xs, names = positions(rows, study["axes"], study["load_axis"])
    lines = lines_of(rows, xs, study["axes"], study["load_axis"], names is not None)
    styles = line_styles(list(lines))
    entries = legend_entries(study, rows, list(styles.values()))
    columns = legend_columns(entries)
    below = MARGIN_MM["below"] + LEGEND_ROW_MM * -(-len(entries) // columns) + 1
    height = MARGIN_MM["above"] + PANEL_MM + below
    figure = Figure(figsize=(WIDTH_MM * MM, height * MM))
    width = (WIDTH_MM - LEFT_MM - MARGIN_MM["right"] - GAP_MM) / 2
    panels = []
    for column in (0, 1):
        left = LEFT_MM + column * (width + GAP_MM)
        panels.append(figure.add_axes((left / WIDTH_MM, below / height, width / WIDTH_MM, PANEL_MM / height)))
        label_loads(panels[-1], xs, names, study["load_axis"])
    values = [row[side] for row in rows for side in ("a", "b")]
    if min(values) > 0:
        panels[0].set_yscale("log")
        log_axis(panels[0].yaxis, min(values), max(values))
        panels[0].set_ylim(0.8 * min(values), 1.25 * max(values))
    dodged = dodge_for(xs, names is not None)
    draw_values(panels[0], lines, styles, dodged)
    draw_errors(panels[1], lines, styles, study["limits"], dodged)
    unit = rows[0]["unit"]
    panels[0].set_ylabel(label(metric, "" if unit == "1" else unit))
    panels[1].set_ylabel("{} / {} − 1 (%)".format(*side_names(study)))
    legend = {"loc": "lower center", "bbox_to_anchor": (0.5, 0), "ncol": columns, "borderaxespad": 0.2}
    spacing = {"handlelength": 2.6, "columnspacing": 1.2, "handletextpad": 0.5, "labelspacing": 0.25}
    figure.legend(handles=entries, **legend, **spacing)
    return figure


if __name__ == "__main__":
    sys.exit(standard_input.main(__doc__, draw, lambda study: study["sentence"], "not what dspark compare hands over"))
