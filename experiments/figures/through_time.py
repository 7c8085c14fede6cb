"""A column of /series against virtual time: what a warm-up, a burst or a drift does."""

import numpy as np
from charts import PANEL_MM, label
from result_file import FigureError
from style import add_legend, new_figure, policy_styles


def through_time(results, column):
    """Mean over replications at the highest load of the choice (--where narrows it), a line for each policy; the band
    is the spread from the lowest to the highest replication."""
    lines = {}
    for policy, point in results.points_at_highest_load().items():
        windows = results.windows(point, column)
        if windows:
            lines[policy] = common_windows(windows)
    if not lines:
        raise FigureError(f"{results.path}: no windows of time at the chosen points")
    styles = policy_styles(results.policies, results.lossless)
    figure, axes = new_figure(PANEL_MM, [styles[policy] for policy in lines])
    for policy, (seconds, values) in lines.items():
        style = styles[policy] | {"marker": "None"}
        axes.fill_between(
            seconds, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.18, linewidth=0
        )
        axes.plot(seconds, values.mean(axis=0), **style)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Time (s)")
    axes.set_ylabel(label(column, results.series_unit(column)))
    add_legend(figure, [styles[policy] | {"marker": "None"} for policy in lines])
    return figure


def common_windows(windows):
    """(middles of the windows, values by replication and window) of what all replications have. `windows`: by
    replication (start, width, value); the widest windows set the grid, narrower ones are averaged into it."""
    width = max(float(widths.max()) for _, widths, _ in windows)
    count = min(int((starts[-1] + widths[-1]) / width + 1e-9) for starts, widths, _ in windows)
    values = np.full((len(windows), count), np.nan)
    for i, (starts, widths, column) in enumerate(windows):
        cell = ((starts + widths / 2) / width).astype(int)
        for k in range(count):
            values[i, k] = np.mean(column[cell == k])
    return (np.arange(count) + 0.5) * width, values
