#!/usr/bin/python3
"""Reliability of confidences by position, before and after: `calibration.py NAME.png < study.json`

Reads what `dspark calibrate --figure` hands over: {title, held_out, positions: [{position, temperature, rounds, raw,
calibrated}]}, each of the last two {ece, debiased_ece, curve: [[prediction, frequency, low, high, count], ...]}. Writes
NAME.png and NAME.pdf. Exit codes: 0 done, 2 wrong input, 3 the folder cannot be written.
"""

import sys

import standard_input

PANELS = 8  # that can be told apart in one column
COLUMNS = 2
PANEL_MM = 34
FEW = 20  # rounds in a bin below which its point is drawn hollow
STYLES = {
    "raw": {"color": "#D55E00", "marker": "s", "label": "raw"},
    "calibrated": {"color": "#0072B2", "marker": "o", "label": "calibrated"},
}


def shown_positions(positions):
    """Those with rounds; of many, evenly spread ones with the first and the last among them."""
    positions = [at for at in positions if at["rounds"] > 0]
    if len(positions) <= PANELS:
        return positions
    chosen = sorted({round(i * (len(positions) - 1) / (PANELS - 1)) for i in range(PANELS)})
    return [positions[i] for i in chosen]


def draw_curve(axes, curve, style):
    for prediction, frequency, low, high, count in curve:
        axes.plot([prediction, prediction], [low, high], color=style["color"], linewidth=0.7, zorder=2)
        face = "white" if count < FEW else style["color"]
        axes.plot(prediction, frequency, style["marker"], color=style["color"], markerfacecolor=face, zorder=3)
    solid = [point for point in curve if point[4] >= FEW]
    axes.plot([p[0] for p in solid], [p[1] for p in solid], color=style["color"], linewidth=0.6, zorder=1.5)


def draw(study):
    from matplotlib.figure import Figure
    from style import INK, LEGEND_ROW_MM, MARGIN_MM, MM, TEXT_ROW_MM, WIDTH_MM, add_legend, add_text_above

    positions = shown_positions(study["positions"])
    if not positions:
        raise ValueError("no position has rounds")
    rows = -(-len(positions) // COLUMNS)
    notes = ["95 % Wilson intervals; hollow: fewer than 20 rounds"]
    if not study["held_out"]:
        notes.append("evaluated on the rounds that were fitted")
    legend_mm, gap_mm = LEGEND_ROW_MM, 6.0
    above = MARGIN_MM["above"] + TEXT_ROW_MM * len(notes) + 3
    below = MARGIN_MM["below"] + 1.5 + legend_mm
    height = above + rows * PANEL_MM + (rows - 1) * gap_mm + below
    width = (WIDTH_MM - MARGIN_MM["left"] - MARGIN_MM["right"] - gap_mm) / COLUMNS
    figure = Figure(figsize=(WIDTH_MM * MM, height * MM))
    for i, at in enumerate(positions):
        row, column = divmod(i, COLUMNS)
        left = MARGIN_MM["left"] + column * (width + gap_mm)
        bottom = height - above - (row + 1) * PANEL_MM - row * gap_mm
        axes = figure.add_axes((left / WIDTH_MM, bottom / height, width / WIDTH_MM, PANEL_MM / height))
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.5, linestyle=(0, (1, 2)), zorder=1)
        for name, style in STYLES.items():
            draw_curve(axes, at[name]["curve"], style)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.set_title(f"k = {at['position']}, T = {at['temperature']:.3g}", fontsize=7, pad=2)
        words = f"ECE {at['raw']['ece']:.3f} → {at['calibrated']['ece']:.3f}"
        axes.text(0.97, 0.04, words, transform=axes.transAxes, ha="right", va="bottom", fontsize=6)
        if i + COLUMNS >= len(positions):
            axes.set_xlabel("Predicted survival $a_k$")
        else:
            axes.set_xticklabels([])
        if column == 0:
            axes.set_ylabel("Share accepted")
        else:
            axes.set_yticklabels([])
    add_text_above(figure, notes)
    add_legend(figure, [style | {"linewidth": 0.6} for style in STYLES.values()])
    return figure


def title(study):
    return f"{study['title']}: reliability by position"


if __name__ == "__main__":
    sys.exit(standard_input.main(__doc__, draw, title, "not a calibration study"))
