#!/usr/bin/python3
"""A market from epoch to epoch, with a policy and without: `growth.py NAME.png < grow.json`

Reads what `dspark grow --json` prints. Writes NAME.png and NAME.pdf. Exit codes: 0 done, 2 wrong input, 3 the folder
cannot be written.
"""

import sys

import standard_input

PANEL_MM = 30
GAP_MM = 4
PATHS = {
    "without_policy": {"color": "#555555", "linestyle": (0, (1, 1.2)), "label": "without the policy"},
    "engineering": {"color": "#0072B2", "linestyle": "--", "label": "same demand, with it"},
    "with_policy": {"color": "#D55E00", "linestyle": "-", "label": "with it, demand answers"},
}
CHANNELS = {
    "baseline": ("#DDDDDD", "at the baseline"),
    "own_growth": ("#A6CEE3", "own growth"),
    "volume": ("#E69F00", "more requests"),
    "intensity": ("#CC79A7", "longer requests"),
    "new_applications": ("#009E73", "new applications"),
}


def of(path, key):
    return [epoch[key] for epoch in path]


def stack(path):
    """Tokens per second by channel that make up what is demanded; what saturation and budgets cut is taken off the
    answers in proportion."""
    layers = {name: [] for name in CHANNELS}
    for epoch in path:
        parts = dict(epoch["demanded_tokens_by_channel"])
        cut = parts.pop("limits")
        demanded = epoch["tokens_per_second"] + epoch["lost_tokens_per_second"]
        positive = sum(max(0.0, part) for part in parts.values())
        layers["baseline"].append(demanded - sum(parts.values()) - cut)
        for name, part in parts.items():
            layers[name].append(part + (cut * max(0.0, part) / positive if positive > 0 else 0))
    return layers


def draw_tokens(axes, study, years):
    from matplotlib.ticker import FuncFormatter
    from style import plain_number

    layers = {n: layer for n, layer in stack(study["with_policy"]).items() if any(abs(v) > 1e-9 for v in layer)}
    axes.stackplot(years, *layers.values(), colors=[CHANNELS[n][0] for n in layers], linewidth=0)
    served = of(study["without_policy"], "tokens_per_second")
    axes.plot(years, served, **PATHS["without_policy"] | {"label": None})
    tops = [sum(column) for column in zip(*layers.values(), strict=True)]
    axes.set_ylim(0, 1.05 * max(tops))
    handles = [axes.fill_between([], [], color=CHANNELS[n][0], linewidth=0, label=CHANNELS[n][1]) for n in layers]
    axes.legend(handles=handles[::-1], loc="upper left", handlelength=1, labelspacing=0.2, borderaxespad=0.2)
    # In full, the numbers of a large service leave no room for the label.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain_number(value / 1000)))
    axes.set_ylabel("Thousand tokens/s")


def draw_rebound(axes, study, years):
    """R of GPU-hours, where there is one; the line at 1 is where usage takes back the whole saving."""
    points = [(year, at["gpu_hours"]["rebound"]) for year, at in zip(years, study["resources"], strict=True)]
    points = [(year, r) for year, r in points if r is not None]
    axes.axhline(1, color="#222222", linewidth=0.6, linestyle=(0, (1, 2)))
    axes.plot([p[0] for p in points], [p[1] for p in points], color="#D55E00", marker="o", markersize=2)
    highest = max([1.0] + [r for _, r in points])
    axes.set_ylim(min([0.0] + [r for _, r in points]), 1.1 * min(highest, 3))
    axes.set_ylabel("Rebound R")


def draw(study):
    from matplotlib.figure import Figure
    from style import LEGEND_ROW_MM, MARGIN_MM, MM, TEXT_ROW_MM, WIDTH_MM, add_legend, add_text_above

    if study["broken"]:
        raise ValueError(f"the path breaks off: {study['broken']}")
    years = of(study["with_policy"], "years")
    r = study["in_all"]["gpu_hours"]["rebound"]
    notes = [study["title"]] if study["title"] else []
    notes.append(f"GPU-hours over the whole path: R = {r:.2f}" if r is not None else "no GPU-hours are saved: no R")
    above = MARGIN_MM["above"] + TEXT_ROW_MM * len(notes) + 2
    below = MARGIN_MM["below"] + 2 * LEGEND_ROW_MM
    height = above + 4 * PANEL_MM + 3 * GAP_MM + below
    figure = Figure(figsize=(WIDTH_MM * MM, height * MM))
    left, width = MARGIN_MM["left"], WIDTH_MM - MARGIN_MM["left"] - MARGIN_MM["right"]
    panels = []
    for i in range(4):
        bottom = height - above - (i + 1) * PANEL_MM - i * GAP_MM
        panels.append(figure.add_axes((left / WIDTH_MM, bottom / height, width / WIDTH_MM, PANEL_MM / height)))
    for name, style in PATHS.items():
        panels[0].plot(years, of(study[name], "gpus"), **style)
    panels[0].set(ylabel="GPUs", ylim=(0, None))
    draw_tokens(panels[1], study, years)
    for name in ("without_policy", "with_policy"):
        panels[2].step(years, of(study[name], "price"), where="post", **PATHS[name])
    highest = max(of(study["without_policy"], "price") + of(study["with_policy"], "price"))
    panels[2].set(ylabel="$ per million tokens", ylim=(0, 1.1 * highest))
    draw_rebound(panels[3], study, years)
    panels[3].set_xlabel("Years")
    for panel in panels:
        panel.set_xlim(years[0], years[-1])
    for panel in panels[:-1]:
        panel.set_xticklabels([])
    add_text_above(figure, notes)
    add_legend(figure, list(PATHS.values()))
    return figure


def title(study):
    return f"{study['title']}: growth"


if __name__ == "__main__":
    sys.exit(standard_input.main(__doc__, draw, title, "not a growth path that can be drawn"))
