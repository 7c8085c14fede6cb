"""The figure of two results shows their values and errors where they are, and refuses what is no comparison."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import matplotlib.image
import numpy as np

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[2]))
FIGURES = ROOT / "experiments" / "figures"
sys.path[:0] = [str(FIGURES)]

from compare import dodge_for, draw, legend_columns, legend_entries  # noqa: E402

LOAD = "workload.arrivals.closed_loop.users"


def row(policy, load, a, b, role="", metric="user_speed_mean", width=0.02, **axes):
    """One row of the `differences` that the program hands over; no intervals where `width` is None."""
    values = {"a": a, "b": b, "error": a / b - 1}
    ends = {}
    for name, value in values.items():
        half = None if width is None else width * (1 if name == "error" else value)
        ends |= {f"{name}_low": None if half is None else value - half}
        ends |= {f"{name}_high": None if half is None else value + half}
    point = {"policy_a": policy, "policy_b": policy, LOAD: str(load)} | axes
    return point | values | ends | {"metric": metric, "unit": "tokens/s", "role": role}


def study(rows, axes=(LOAD,), load_axis=LOAD, median=None, worst=None, machines=("modelled", "measured")):
    return {
        "a": {"machine": machines[0]},
        "b": {"machine": machines[1]},
        "load_axis": load_axis,
        "axes": list(axes),
        "limits": {"median": median, "worst": worst},
        "differences": rows,
        "sentence": "Modelled against measured.",
    }


def example(**options):
    rows = [
        row(policy, load, (1 + off) * speed / load**0.5, speed / load**0.5, role)
        for policy, speed, off, role in (("none", 100, 0.0, "fitted"), ("fixed:3", 180, 0.08, "predicted"))
        for load in (16, 1, 4)
    ]
    return study(rows, **options)


def points(panel):
    """{(x, y): face colour} of the marked points of a panel."""
    marked = [line for line in panel.lines if line.get_marker() not in ("None", "", "_", "|", None)]
    marked = [line for line in marked if line.get_linestyle() == "None"]
    return {(float(line.get_xdata()[0]), float(line.get_ydata()[0])): line.get_markerfacecolor() for line in marked}


class Drawing(unittest.TestCase):
    def run_script(self, content, *arguments):
        command = [sys.executable, "-B", str(FIGURES / "compare.py"), *map(str, arguments)]
        return subprocess.run(command, input=content, capture_output=True, text=True, check=False)

    def test_it_is_a_png_and_a_pdf_of_two_columns_and_the_same_bytes_each_time(self):
        with tempfile.TemporaryDirectory() as folder:
            written = []
            for name in ("one", "two"):
                path = Path(folder) / name / "figure.png"
                done = self.run_script(json.dumps(example(median=0.05, worst=0.12)), path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                written.append([path.with_suffix(suffix).read_bytes() for suffix in (".png", ".pdf")])
            self.assertEqual(written[0], written[1])
            self.assertTrue(written[0][1].startswith(b"%PDF-"))
            image = matplotlib.image.imread(Path(folder) / "one" / "figure.png")
            self.assertAlmostEqual(image.shape[1], 174 / 25.4 * 200, delta=2)
            self.assertGreater(np.mean(image[..., :3] < 0.5), 0.005, "hardly any ink")

    def test_lines_are_the_models_and_points_the_measured_in_the_order_of_load(self):
        left, _ = draw(example()).axes
        lines = {line.get_linestyle(): line for line in left.lines if len(line.get_xdata()) == 3}
        for line, speed in zip(lines.values(), (100, 180 * 1.08), strict=True):
            self.assertEqual(list(line.get_xdata()), [1, 4, 16])
            np.testing.assert_allclose(line.get_ydata(), [speed, speed / 2, speed / 4])
        measured = sorted(y for _, y in points(left))
        np.testing.assert_allclose(measured, sorted([100, 50, 25, 180, 90, 45]))

    def test_errors_are_in_percent_and_fitted_points_are_hollow(self):
        _, right = draw(example()).axes
        found = points(right)
        self.assertEqual(len(found), 6)
        for (_, error), face in found.items():
            self.assertEqual(face == "white", abs(error) < 1)
            self.assertTrue(abs(error) < 1e-9 or abs(error - 8) < 1e-9, error)

    def test_limits_are_bands_and_wide_intervals_do_not_flatten_the_errors(self):
        rows = [row("none", load, 108.0, 100.0, width=5.0) for load in (1, 2)]
        _, right = draw(study(rows, median=0.05, worst=0.12)).axes
        shapes = [patch.get_path().transformed(patch.get_patch_transform()) for patch in right.patches]
        heights = sorted(shape.get_extents().ymax for shape in shapes)
        np.testing.assert_allclose(heights, [5, 12])
        self.assertLess(right.get_ylim()[1], 20)
        _, without = draw(study(rows)).axes
        self.assertEqual(list(without.patches), [])

    def test_points_of_several_policies_stand_beside_each_other(self):
        _, right = draw(example()).axes
        at_four = sorted(x for x, _ in points(right) if 3 < x < 5)
        self.assertEqual(len(at_four), 2)
        self.assertLess(at_four[0], 4)
        self.assertGreater(at_four[1], 4)
        self.assertEqual(dodge_for([1, 16], False)(4, 0), 4)

    def test_one_replication_without_intervals_and_one_point_are_drawn(self):
        draw(study([row("none", 4, 1.0, 2.0, width=None)]))
        draw(study([row("none", 4, 0.0, 2.0, width=None)], median=0.05))

    def test_without_a_load_settings_stand_side_by_side(self):
        rows = [row("none", "math", 1.0, 2.0), row("none", "code", 1.5, 2.0), row("dspark", "math", 2.0, 2.0)]
        left, _ = draw(study(rows, load_axis="")).axes
        self.assertEqual([text.get_text() for text in left.get_xticklabels()], ["users math", "users code"])
        draw(study([row("none", 0, 1.0, 2.0)]))  # a load of 0 has no logarithm

    def test_axes_beside_the_load_make_lines_of_their_own(self):
        rows = [row("none", load, 1.0, 2.0, **{"x.auc": auc}) for load in (1, 2) for auc in ("0.5", "0.8")]
        figure = draw(study(rows, axes=(LOAD, "x.auc")))
        names = [text.get_text() for text in figure.legends[0].get_texts()]
        self.assertEqual(names[-2:], ["none, auc 0.5", "none, auc 0.8"])

    def test_user_speed_is_drawn_where_it_was_compared_else_the_first_metric(self):
        rows = [row("none", 1, 1.0, 2.0, metric="throughput"), row("none", 1, 3.0, 2.0)]
        self.assertEqual(draw(study(rows)).axes[0].get_ylabel(), "User speed (tokens/s)")
        self.assertEqual(draw(study(rows[:1])).axes[0].get_ylabel(), "Throughput (tokens/s)")

    def test_the_legend_says_what_is_there(self):
        entries = legend_entries(example(worst=0.12), example()["differences"], [])
        labels = [entry.get_label() for entry in entries]
        self.assertEqual(
            labels, ["modelled: lines", "measured: points, 95 % intervals", "hollow: fitted", "worst ≤ 12 %"]
        )
        self.assertEqual(legend_columns(entries), 4)
        plain = study([row("none", 1, 1.0, 2.0)], machines=("modelled", "modelled"))
        labels = [entry.get_label() for entry in legend_entries(plain, plain["differences"], [])]
        self.assertEqual(labels, ["A: lines", "B: points, 95 % intervals"])

    def test_what_is_no_comparison_is_one_line_and_nothing_is_written(self):
        nothing = study([row("none", 1, 1.0, 2.0) | {"error": None}])
        for content in ("", "{}", "[]", json.dumps(study([])), json.dumps(nothing), json.dumps({"differences": 1})):
            with self.subTest(content=content), tempfile.TemporaryDirectory() as folder:
                done = self.run_script(content, Path(folder) / "figure.png")
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("not what dspark compare hands over", done.stderr)
                self.assertEqual(list(Path(folder).iterdir()), [])

    def test_a_folder_that_cannot_be_written_is_code_3(self):
        done = self.run_script(json.dumps(example()), "/proc/nowhere/figure.png")
        self.assertEqual(done.returncode, 3)
        self.assertIn("cannot write", done.stderr)


if __name__ == "__main__":
    unittest.main()
