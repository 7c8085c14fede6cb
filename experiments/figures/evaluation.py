#!/usr/bin/python3
"""How drafters fare: acceptance by position, accepted length, calibration: `evaluation.py NAME.png < evaluation.json`

Reads what `dspark evaluate --json` prints (docs/evaluation.md) and draws its first temperature and context. Above,
conditional acceptance by draft position, a panel for each domain; below, accepted length by domain, and the expected
calibration error of the survival by position, before and after sequential temperature scaling. Writes NAME.png and
NAME.pdf. Exit codes: 0 done, 2 wrong input, 3 the folder cannot be written.
"""

import sys

import standard_input

PANEL_MM = 32
GAP_MM = 9.0
ALL = "all"
COLOURS = (
    ("#D55E00", "s"),
    ("#0072B2", "o"),
    ("#555555", "^"),
    ("#009E73", "D"),
    ("#CC79A7", "v"),
    ("#E69F00", "P"),
)


def drawn_groups(evaluation):
    """Those of the first temperature and context."""
    groups = evaluation["groups"]
    first = (groups[0]["temperature"], groups[0]["context_tokens"])
    return first, [group for group in groups if (group["temperature"], group["context_tokens"]) == first]


def drafter_styles(groups):
    drafters = list(dict.fromkeys(group["drafter"] for group in groups))
    names = {drafter: drafter.rstrip("/").rsplit("/", 1)[-1] for drafter in drafters}
    if len(set(names.values())) < len(names):
        names = {drafter: drafter for drafter in drafters}
    return {
        drafter: {
            "color": COLOURS[i % len(COLOURS)][0],
            "marker": COLOURS[i % len(COLOURS)][1],
            "label": names[drafter],
        }
        for i, drafter in enumerate(drafters)
    }


def draw_acceptance(axes, groups, styles):
    for group in groups:
        known = [at for at in group["positions"] if at["acceptance"] is not None]
        style = styles[group["drafter"]]
        for at in known:
            bar = [at["acceptance_low"], at["acceptance_high"]]
            axes.plot([at["position"]] * 2, bar, color=style["color"], linewidth=0.6, zorder=2)
        axes.plot([at["position"] for at in known], [at["acceptance"] for at in known], **style, zorder=3)
    deepest = max(len(group["positions"]) for group in groups)
    axes.set(ylim=(0, 1), xlim=(0.5, deepest + 0.5), xticks=range(1, deepest + 1, max(1, deepest // 4)))
    axes.set_xlabel("Draft position $k$")


def draw_lengths(axes, groups, domains, styles):
    drafters = list(styles)
    for group in groups:
        if group["tau"] is None:
            continue
        style = styles[group["drafter"]]
        x = domains.index(group["domain"]) + 0.22 * (drafters.index(group["drafter"]) - (len(drafters) - 1) / 2)
        if group["tau_low"] is not None:
            axes.plot([x, x], [group["tau_low"], group["tau_high"]], color=style["color"], linewidth=0.8)
        axes.plot(x, group["tau"], **style, linestyle="")
    axes.set(xticks=range(len(domains)), xlim=(-0.6, len(domains) - 0.4), ylim=(1, None))
    axes.set_xticklabels(domains, rotation=20, ha="right")
    axes.set_ylabel("Accepted length τ")


def draw_calibration(axes, groups, styles):
    """True where there was something to draw."""
    heads = [group for group in groups if any("raw" in at for at in group["positions"])]
    for group in heads:
        known = [at for at in group["positions"] if at.get("calibration_rounds")]
        x = [at["position"] for at in known]
        style = styles[group["drafter"]]
        axes.plot(x, [at["raw"]["ece"] for at in known], **style, markerfacecolor="white", linestyle=":")
        axes.plot(x, [at["calibrated"]["ece"] for at in known], **style)
    axes.set(ylim=(0, None))
    axes.set_xlabel("Draft position $k$")
    axes.set_ylabel("ECE of survival")
    return bool(heads)


def draw(evaluation):
    from matplotlib.figure import Figure
    from style import LEGEND_ROW_MM, MARGIN_MM, MM, TEXT_ROW_MM, WIDTH_MM, add_legend, add_text_above, legend_columns

    (temperature, context), groups = drawn_groups(evaluation)
    domains = list(dict.fromkeys(group["domain"] for group in groups if group["domain"] != ALL))
    styles = drafter_styles(groups)
    legend = [style | {"linestyle": "-"} for style in styles.values()]
    prompts = f", prompts of {context} tokens" if context else ""
    notes = [f"temperature {temperature:g}{prompts}; 95 % intervals"]
    with_head = any("raw" in at for group in groups for at in group["positions"])
    if with_head:
        notes.append("ECE: hollow and dotted raw, solid after scaling, on requests that did not fit it")
    above = MARGIN_MM["above"] + TEXT_ROW_MM * len(notes) + 4
    below = MARGIN_MM["below"] + 5 + LEGEND_ROW_MM * -(-len(legend) // legend_columns(legend))
    gap_mm = 12.0
    height = above + 2 * PANEL_MM + gap_mm + below
    figure = Figure(figsize=(WIDTH_MM * MM, height * MM))
    left, right = MARGIN_MM["left"] - 4, MARGIN_MM["right"]

    def panel(row, column, columns, gap):
        width = (WIDTH_MM - left - right - gap * (columns - 1)) / columns
        bottom = height - above - (row + 1) * PANEL_MM - row * gap_mm
        x = left + column * (width + gap)
        return figure.add_axes((x / WIDTH_MM, bottom / height, width / WIDTH_MM, PANEL_MM / height))

    for i, domain in enumerate(domains):
        axes = panel(0, i, len(domains), 2.5)
        draw_acceptance(axes, [group for group in groups if group["domain"] == domain], styles)
        axes.set_title(domain, fontsize=7, pad=2)
        if i == 0:
            axes.set_ylabel("Conditional acceptance")
        else:
            axes.set_yticklabels([])
    columns = 2 if with_head else 1
    draw_lengths(panel(1, 0, columns, GAP_MM + 6), [g for g in groups if g["domain"] != ALL], domains, styles)
    if with_head:
        whole = [g for g in groups if g["domain"] == (ALL if len(domains) > 1 else domains[0])]
        draw_calibration(panel(1, 1, columns, GAP_MM + 6), whole, styles)
    add_text_above(figure, notes)
    add_legend(figure, legend)
    return figure


if __name__ == "__main__":
    sys.exit(standard_input.main(__doc__, draw, lambda _: "How drafters fare", "not an evaluation"))
