"""The figures are drawn from a result file alone, say what hand computation says, and fail in one line."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import h5py
import matplotlib.image
import numpy as np

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[2]))
FIGURES = ROOT / "experiments" / "figures"
sys.path[:0] = [str(FIGURES), str(Path(__file__).resolve().parent)]

from charts import FIGURES as ALL_FIGURES  # noqa: E402
from charts import frontier, matched_frontier  # noqa: E402
from curves import best_by_load, crossovers, speed_at_throughput, throughput_at_speed  # noqa: E402
from result_file import Curve, FigureError, Results, fixed_depth  # noqa: E402
from summary import sentences  # noqa: E402
from synthetic_result import LOAD, serving_points, write_result  # noqa: E402


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.result = self.folder / "result.h5"
        self.out = self.folder / "out"

    def run_script(self, *arguments, script="plot.py"):
        command = [sys.executable, "-B", str(FIGURES / script), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def assert_one_line_error(self, done, words, code=2):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(list(self.out.glob("*")) if self.out.is_dir() else [], [], "half a result was written")


class Drawing(Files):
    def test_every_figure_is_a_png_and_a_pdf_of_one_column_and_the_same_bytes_each_time(self):
        points = serving_points(loads=(1, 16, 256), depths=(1, 3, 7))
        named = [*ALL_FIGURES, {"metric_by_load": "accepted_length"}]
        write_result(self.result, points, figures=named, lossy=("oracle",))
        done = self.run_script(self.result, "--out", self.out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        names = [*ALL_FIGURES, "accepted_length"]
        expected = {f"result_{name}.{suffix}" for name in names for suffix in ("png", "pdf")}
        self.assertEqual({path.name for path in self.out.iterdir()}, expected)
        for name in names:
            with self.subTest(figure=name):
                image = matplotlib.image.imread(self.out / f"result_{name}.png")
                self.assertAlmostEqual(image.shape[1], 85 / 25.4 * 200, delta=2)
                self.assertTrue(450 < image.shape[0] < 900, image.shape)
                self.assertGreater(np.mean(image[..., :3] < 0.5), 0.005, "hardly any ink")
                self.assertTrue((self.out / f"result_{name}.pdf").read_bytes().startswith(b"%PDF-"))
        again = self.folder / "again"
        self.assertEqual(self.run_script(self.result, "--out", again).returncode, 0)
        for path in self.out.iterdir():
            self.assertEqual(path.read_bytes(), (again / path.name).read_bytes(), path.name)

    def test_one_replication_without_intervals_is_drawn(self):
        nan = float("nan")
        points = [
            (policy, axes, {name: (value, nan, nan) for name, value in metrics.items()})
            for policy, axes, metrics in serving_points(loads=(1, 8), depths=(2,))
        ]
        write_result(self.result, points)
        done = self.run_script(self.result, "--out", self.out, "--figure", "frontier", "--figure", "load")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_load_axis_of_text_that_reads_as_numbers_is_drawn(self):
        points = [(p, {LOAD: f"{axes[LOAD]:g}"}, m) for p, axes, m in serving_points(loads=(1, 2), depths=(1,))]
        write_result(self.result, points, load_axis="")
        self.assertEqual(list(Results(self.result).curve("throughput", "none").load), [1, 2])


class ReadOuts(Files):
    """On frontiers that are straight lines in log-log, every read-out is known exactly: with N users,
    none has speed 100/√N, fast 200/√N, so at any speed or throughput fast has four times the other.
    The oracle would have more, within the same loads."""

    def setUp(self):
        super().setUp()
        points = []
        for users in (1, 2, 4, 8, 16, 32, 64):
            for policy, speed in (("none", 100), ("fixed:2", 150), ("fast", 200), ("oracle", 250)):
                metrics = {"user_speed_mean": speed / users**0.5, "throughput": speed * users**0.5}
                points.append((policy, {LOAD: float(users)}, metrics))
        write_result(self.result, points, lossy=("oracle",))
        self.results = Results(self.result)

    def frontiers(self):
        speed, throughput = self.results.curves("user_speed_mean"), self.results.curves("throughput")
        return {name: (speed[name].load, speed[name].mean, throughput[name].mean) for name in speed}

    def test_matched_gains_are_those_of_the_analytic_frontier(self):
        match = matched_frontier(self.results, self.frontiers())
        self.assertEqual((match.baseline, match.load), ("none", 8))
        self.assertAlmostEqual(match.speed, 100 / 8**0.5)
        for gain in (match.more_throughput, match.more_speed):
            self.assertEqual(gain.policy, "fast")  # the oracle is not lossless and does not compete
            self.assertAlmostEqual(gain.ratio, 4, places=9)

    def test_the_figure_prints_them(self):
        words = " ".join(text.get_text() for text in frontier(self.results).texts)
        self.assertIn("↑ 35.36 tokens/s per user: fast ×4.00 of none", words)
        self.assertIn("tokens/s in all: fast ×4.00 of none", words)

    def test_between_measured_points_the_line_is_straight_in_log_log(self):
        speed, throughput = np.array([100.0, 10.0]), np.array([10.0, 1000.0])  # throughput = 1e5 / speed²
        self.assertAlmostEqual(throughput_at_speed(speed, throughput, 50.0), 40.0)
        self.assertAlmostEqual(speed_at_throughput(speed, throughput, 40.0), 50.0)
        self.assertIsNone(throughput_at_speed(speed, throughput, 101.0))
        self.assertIsNone(speed_at_throughput(speed, throughput, 9.0))

    def test_a_frontier_that_folds_back_is_read_on_its_better_branch(self):
        speed, throughput = np.array([100.0, 10.0, 1.0]), np.array([10.0, 1000.0, 10.0])
        self.assertAlmostEqual(speed_at_throughput(speed, throughput, 10.0), 100.0)
        self.assertAlmostEqual(speed_at_throughput(speed, throughput, 100.0), 10**1.5)

    def test_the_envelope_changes_hands_where_the_curves_meet(self):
        loads = np.array([1.0, 100.0])
        curves = {}
        # On logarithmic scales: 10·x^0.25, 5·x^0.75 (equal at 4), 1·x^1.25 (equal to the second at 25).
        for name, factor, power in (("a", 10, 0.25), ("b", 5, 0.75), ("c", 1, 1.25)):
            curves[name] = Curve(loads, factor * loads**power, loads, loads)
        found = crossovers(curves)
        self.assertEqual([(change.before, change.after) for change in found], [("a", "b"), ("b", "c")])
        self.assertAlmostEqual(found[0].load, 4)
        self.assertAlmostEqual(found[1].load, 25)
        self.assertEqual([name for _, name, _ in best_by_load(curves)], ["a", "c"])

    def test_one_leader_throughout_has_no_crossover(self):
        loads = np.array([1.0, 100.0])
        curves = {"a": Curve(loads, 2 * loads, loads, loads), "b": Curve(loads, loads, loads, loads)}
        self.assertEqual(crossovers(curves), [])

    def test_the_summary_says_who_leads_and_where_that_changes(self):
        laws = {"none": (2, 0.75), "fixed:7": (10, 0.25), "fixed:1": (5, 0.75), "dspark": (11, 0.6)}
        points = [
            (policy, {LOAD: float(users)}, {"throughput": factor * users**power})
            for users in (1, 100)
            for policy, (factor, power) in laws.items()
        ]
        write_result(self.result, points)
        said = list(sentences(Results(self.result)))
        self.assertEqual(len(said), 3)
        self.assertIn("At 1 user, dspark gives the most tokens per second: 11, 5.50 times what none gives.", said[0])
        self.assertIn("At 100 users, dspark does: 174.3, 5.51 times what fixed:7 gives", said[1])
        self.assertNotIn("fixed:1 does", said[1])
        self.assertIn("from fixed:7 to fixed:1 at about 4 users", said[2])

    def test_fixed_depths_are_recognised_however_they_are_written(self):
        written = {"fixed:7": 7, "{fixed: {k: 7}}": 7, "none": 0, "dspark": None, "fixed_x:7": None}
        for policy, depth in written.items():
            self.assertEqual(fixed_depth(policy), depth, policy)


class Refusals(Files):
    def write(self, **options):
        write_result(self.result, serving_points(loads=(1, 8), depths=(1,)), **options)

    def test_a_metric_that_is_not_there(self):
        self.write()
        done = self.run_script(self.result, "--out", self.out, "--figure", "metric_by_load:ttft_p99")
        self.assert_one_line_error(done, "no metric 'ttft_p99'; there are throughput")

    def test_a_figure_whose_metric_is_not_there_leaves_no_other_figure_behind(self):
        only = [(policy, axes, {"throughput": values["throughput"]}) for policy, axes, values in serving_points((1, 8))]
        write_result(self.result, only)
        done = self.run_script(self.result, "--out", self.out, "--figure", "load", "--figure", "frontier")
        self.assert_one_line_error(done, "no metric 'user_speed_mean'")

    def test_a_metric_by_position_without_its_position(self):
        self.write()
        done = self.run_script(self.result, "--out", self.out, "--figure", "metric_by_load:survival")
        self.assert_one_line_error(done, "name one: survival.1")

    def test_an_unknown_figure(self):
        self.write()
        done = self.run_script(self.result, "--out", self.out, "--figure", "pie")
        self.assert_one_line_error(done, "no figure 'pie'; there are frontier")

    def test_a_missing_file(self):
        self.assert_one_line_error(self.run_script(self.folder / "gone.h5", "--out", self.out), "gone.h5")

    def test_a_file_that_is_not_hdf5(self):
        self.result.write_text("schema: 1\n")
        self.assert_one_line_error(self.run_script(self.result, "--out", self.out), "not a readable result file")

    def test_a_file_truncated_anywhere(self):
        self.write()
        whole = self.result.read_bytes()
        for share in (0, 0.05, 0.5, 0.9, 0.999):
            with self.subTest(share=share):
                self.result.write_bytes(whole[: int(share * len(whole))])
                done = self.run_script(self.result, "--out", self.out)
                self.assert_one_line_error(done, "not a readable result file")

    def test_another_hdf5_file(self):
        with h5py.File(self.result, "w") as file:
            file["numbers"] = [1, 2, 3]
        self.assert_one_line_error(self.run_script(self.result, "--out", self.out), "no table /points")

    def test_columns_of_unequal_length(self):
        self.write()
        with h5py.File(self.result, "r+") as file:
            del file["metrics/mean"]
            file["metrics/mean"] = [1.0]
        self.assert_one_line_error(self.run_script(self.result, "--out", self.out), "differ in length")

    def test_no_axis_that_stands_for_load(self):
        points = [(policy, {"workload.domain": "math"}, metrics) for policy, _, metrics in serving_points((1,))]
        write_result(self.result, points, load_axis="")
        done = self.run_script(self.result, "--out", self.out)
        self.assert_one_line_error(done, "no single numeric axis stands for load (numeric axes that vary: none)")

    def test_a_second_axis_asks_for_a_choice_and_where_makes_it(self):
        points = [
            (policy, axes | {"machine.modelled.acceptance.auc": auc}, metrics)
            for auc in (0.5, 0.85)
            for policy, axes, metrics in serving_points(loads=(1, 8), depths=(1,))
        ]
        write_result(self.result, points)
        done = self.run_script(self.result, "--out", self.out)
        self.assert_one_line_error(done, "--where machine.modelled.acceptance.auc=VALUE (0.5, 0.85)")
        with self.assertRaises(FigureError):
            Results(self.result, {"machine.modelled.acceptance.auc": ["0.7"]})
        one = Results(self.result, {"machine.modelled.acceptance.auc": ["0.85"]})
        self.assertEqual(list(one.curve("throughput", "none").load), [1, 8])

    def test_a_load_of_zero(self):
        points = [(policy, {LOAD: axes[LOAD] - 1}, metrics) for policy, axes, metrics in serving_points((1, 2))]
        write_result(self.result, points)
        done = self.run_script(self.result, "--out", self.out, "--figure", "load")
        self.assert_one_line_error(done, "a load of 0")

    def test_a_folder_that_cannot_be_made(self):
        self.write()
        (self.folder / "file").write_text("")
        done = self.run_script(self.result, "--out", self.folder / "file" / "out", "--figure", "load")
        self.assert_one_line_error(done, "cannot write", code=3)

    def test_the_summary_refuses_likewise(self):
        self.assert_one_line_error(self.run_script(self.folder / "gone.h5", script="summary.py"), "gone.h5")


if __name__ == "__main__":
    unittest.main()
