"""How figures look: one journal column (85 mm), colours that survive colour blindness and grey printing."""

import io
import math
from pathlib import Path

import matplotlib
from matplotlib import patheffects
from matplotlib.figure import Figure  # without pyplot: no display, no state, always Agg
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from result_file import fixed_depth

MM = 1 / 25.4
WIDTH_MM = 85
LEGEND_ROW_MM = 3.5
LEGEND_LINE_MM = 9.5  # a column's sample of the line and the gap to the next column
LEGEND_LETTER_MM = 1.25  # at the legend's font size, on average
MARGIN_MM = {"left": 15.0, "right": 2.5, "below": 8.5, "above": 2.0}
TEXT_ROW_MM = 3.2
TEXT_ROW_LETTERS = 68  # that fit at full size; longer rows are smaller
DPI = 200

# Okabe and Ito's palette without its blues, which belong to the fixed depths, and without its yellow.
ADAPTIVE = (
    ("#D55E00", "s", "-"),
    ("#009E73", "^", "--"),
    ("#CC79A7", "D", "-."),
    ("#E69F00", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#000000", "P", (0, (4, 1.5))),
    ("#7A4B00", "X", (0, (1, 1))),
)
HINDSIGHT = (("#777777", "*", ":"), ("#A0A0A0", "p", (0, (5, 2))))
NONE = "#555555"
INK = "#222222"

matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 7,
        "axes.labelsize": 7,
        "axes.linewidth": 0.6,
        "axes.edgecolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.4,
        "axes.axisbelow": True,
        "xtick.labelsize": 6.5,
        "ytick.labelsize": 6.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.minor.size": 1.5,
        "ytick.minor.size": 1.5,
        "legend.frameon": False,
        "legend.fontsize": 6.5,
        "lines.linewidth": 1.1,
        "lines.markersize": 3.2,
        "pdf.fonttype": 42,
        "svg.hashsalt": "dspark",
        "savefig.dpi": DPI,
    }
)


def policy_styles(policies, lossless):
    """{policy: keyword arguments of plot}. Fixed depths are one blue, darker with k, marked with k itself; adaptive
    policies have a hue, a marker and a dash each; what is not lossless is grey."""
    depths = sorted({depth for depth in map(fixed_depth, policies) if depth})
    styles = {}
    adaptive = hindsight = 0
    for policy in policies:
        depth = fixed_depth(policy)
        if depth == 0:
            style = {"color": NONE, "marker": "o", "linestyle": (0, (1, 1.2)), "markerfacecolor": "white"}
        elif depth is not None:
            share = depths.index(depth) / max(1, len(depths) - 1) if len(depths) > 1 else 0.6
            style = {
                "color": matplotlib.colormaps["Blues"](0.42 + 0.55 * share),
                "marker": f"${depth}$",
                "linestyle": "-",
            }
            style |= {"linewidth": 0.8, "markersize": 3.6, "markeredgewidth": 0.3}
        elif not lossless.get(policy, True):
            color, marker, linestyle = HINDSIGHT[hindsight % len(HINDSIGHT)]
            hindsight += 1
            style = {"color": color, "marker": marker, "linestyle": linestyle, "markersize": 4}
        else:
            color, marker, linestyle = ADAPTIVE[adaptive % len(ADAPTIVE)]
            adaptive += 1
            style = {"color": color, "marker": marker, "linestyle": linestyle, "markeredgewidth": 0}
        styles[policy] = style | {"label": policy if lossless.get(policy, True) else f"{policy} (not lossless)"}
    return styles


def legend_columns(entries):
    """The most columns, up to three, in which the labels of `entries` (line styles) fit into the figure's width."""
    for columns in (3, 2):
        rows = -(-len(entries) // columns)
        longest = [max(len(e["label"]) for e in entries[i : i + rows]) for i in range(0, len(entries), rows)]
        if sum(LEGEND_LINE_MM + LEGEND_LETTER_MM * letters for letters in longest) <= WIDTH_MM:
            return columns
    return 1


def new_figure(panel_mm, legend=(), text_rows=0):
    """A figure of one column's width with one panel, room for a legend of these line styles below it (`add_legend`
    draws it) and for rows of text above it."""
    legend_mm = LEGEND_ROW_MM * -(-len(legend) // legend_columns(legend)) if legend else 0
    above = MARGIN_MM["above"] + TEXT_ROW_MM * text_rows
    height = above + panel_mm + MARGIN_MM["below"] + legend_mm
    figure = Figure(figsize=(WIDTH_MM * MM, height * MM))
    panel_width = WIDTH_MM - MARGIN_MM["left"] - MARGIN_MM["right"]
    bottom = MARGIN_MM["below"] + legend_mm
    axes = figure.add_axes((MARGIN_MM["left"] / WIDTH_MM, bottom / height, panel_width / WIDTH_MM, panel_mm / height))
    return figure, axes


def draw_line(axes, x, y, style):
    """A policy's line; a depth that is its own marker gets a white disc under it, so that it can be read."""
    if str(style["marker"]).startswith("$"):
        axes.plot(x, y, color=style["color"], linewidth=style["linewidth"], zorder=2)
        axes.plot(x, y, "o", color="white", markersize=style["markersize"] + 1.2, markeredgewidth=0, zorder=2.1)
        axes.plot(x, y, **style | {"linestyle": "none", "zorder": 2.2})
    else:
        axes.plot(x, y, **style | {"zorder": 2.5})


def add_legend(figure, styles):
    """Below everything; `styles` in the order of the entries."""
    columns = legend_columns(styles)
    figure.legend(
        handles=[Line2D([], [], **style) for style in styles],
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        ncol=columns,
        borderaxespad=0.2,
        handlelength=2.6,
        columnspacing=1.2,
        handletextpad=0.5,
        labelspacing=0.25,
    )


def add_text_above(figure, rows):
    """Rows of text at the top left; new_figure(text_rows=…) makes the room."""
    height_mm = figure.get_figheight() / MM
    for i, row in enumerate(rows):
        size = 6.5 * min(1, TEXT_ROW_LETTERS / len(row))
        figure.text(0.015, 1 - (1.2 + TEXT_ROW_MM * i) / height_mm, row, ha="left", va="top", fontsize=size)


def halo(text, width=1.6):
    text.set_path_effects([patheffects.withStroke(linewidth=width, foreground="white")])
    return text


def plain_number(value, _=None):
    """1000 as 1 000, 0.5 as 0.5; never powers of ten."""
    text = f"{value:.10g}"
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}".replace(",", "\N{NARROW NO-BREAK SPACE}") + point + rest if "e" not in text else text


def load_number(value, _=None):
    """A load as a tick says it: whole numbers in full, 3.0303 as 3.03."""
    return plain_number(value if value == round(value) else float(f"{value:.3g}"))


def light(color):
    """A colour mixed with three parts of white."""
    return tuple(0.25 * part + 0.75 for part in matplotlib.colors.to_rgb(color))


def log_axis(axis, low, high):
    """Logarithmic ticks with readable numbers: 1, 2, 5 where the range is short, 1 otherwise."""
    decades = high / low
    subs = (1, 2, 5) if decades < 200 else (1,) if decades > 3000 else (1, 3)
    axis.set_major_locator(LogLocator(base=10, subs=subs, numticks=20))
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_locator(LogLocator(base=10, subs=range(1, 10), numticks=50))
    axis.set_minor_formatter(NullFormatter())


def load_ticks(axes, loads):
    """The measured loads as ticks, thinned so that their numbers do not touch."""
    axes.set_xscale("log")
    low, high = min(loads), max(loads)
    if low == high:
        axes.set_xlim(low / 2, high * 2)
    room = 0.055  # of the axis width, per character beyond the first and for the gap
    span = max(1e-9, math.log2(high / low))
    shown, last = [], None
    for load in sorted(loads):
        width = room + 0.018 * len(load_number(load))
        if last is None or math.log2(load / last) / span >= width:
            shown.append(load)
            last = load
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FuncFormatter(load_number))
    axes.xaxis.set_minor_locator(NullLocator())


def render(figure, title):
    """{suffix: bytes}: the same bytes each time, for the same matplotlib."""
    files = {}
    for suffix, metadata in (
        ("png", {"Title": title, "Software": "dspark"}),
        ("pdf", {"Title": title, "Creator": "dspark", "Producer": "matplotlib", "CreationDate": None}),
    ):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix, metadata=metadata)
        files[suffix] = buffer.getvalue()
    return files


def write(path, content):
    """The whole file or none."""
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
