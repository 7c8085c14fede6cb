"""What figures compare: with all fixed depths of the file, by replication, by the metric that can differ."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[2]))
FIGURES = ROOT / "experiments" / "figures"
sys.path[:0] = [str(FIGURES), str(Path(__file__).resolve().parent)]

from charts import crossover, frontier, load, matched_frontier  # noqa: E402
from curves import best_by_load, crossovers, hull_of_ellipses, student_t_975  # noqa: E402
from result_file import Results  # noqa: E402
from summary import sentences  # noqa: E402
from synthetic_result import LOAD, serving_points, write_result  # noqa: E402

AUC = "machine.modelled.acceptance.auc"
TIME_SCALE = "workload.arrivals.azure_trace.time_scale"


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.result = Path(folder.name) / "result.h5"


def strip(figure):
    """The depths named along the bottom of a figure, from left to right."""
    texts = sorted((text for text in figure.axes[0].texts if text.get_position()[1] == 0.02), key=lambda t: t._x)
    return [text.get_text().rpartition("=")[2] for text in texts if text.get_text()]


def line_of(figure, policy):
    """The y values of a policy's line."""
    return next(line.get_ydata() for line in figure.axes[0].lines if line.get_label() == policy)


class BestFixedDepth(Files):
    def test_it_comes_from_all_fixed_depths_whichever_policies_are_drawn(self):
        write_result(self.result, serving_points())
        whole = Results(self.result)
        some = Results(self.result, {"policy": ["none", "fixed:1", "dspark"]})
        alone = Results(self.result, {"policy": ["dspark"]})
        self.assertEqual(some.policies, ["none", "fixed:1", "dspark"])
        family = whole.curves("throughput")
        family = {policy: family[policy] for policy in whole.fixed_policies}
        best = np.array([mean for _, _, mean in best_by_load(family)])
        self.assertGreater(len(crossovers(family)), 1)
        for results in (some, alone):
            self.assertEqual(strip(crossover(results)), strip(crossover(whole)))
            self.assertEqual(strip(load(results)), strip(load(whole)))
            expected = 100 * results.curve("throughput", "dspark").mean / best
            np.testing.assert_allclose(line_of(crossover(results), "dspark"), expected)
            np.testing.assert_allclose(line_of(load(results), "best fixed depth"), best)

    def test_filters_that_are_not_of_the_policy_hold_for_it(self):
        points = [(p, axes | {AUC: 0.5}, m) for p, axes, m in serving_points(share=0.3)]
        points += [(p, axes | {AUC: 0.85}, m) for p, axes, m in serving_points()]
        write_result(self.result, points)
        results = Results(self.result, {AUC: ["0.5"], "policy": ["dspark"]})
        write_result(self.result, serving_points(share=0.3))
        self.assertEqual(strip(crossover(results)), strip(crossover(Results(self.result))))

    def test_the_read_outs_compete_with_depths_that_are_not_drawn(self):
        points = []
        for users in (1, 4, 16, 64, 256):
            for policy, speed in (("none", 100), ("fixed:1", 120), ("fixed:2", 300), ("slow", 150)):
                metrics = {"user_speed_mean": speed / users**0.5, "throughput": speed * users**0.5}
                points.append((policy, {LOAD: float(users)}, metrics))
        write_result(self.result, points)
        words = " ".join(text.get_text() for text in frontier(Results(self.result, {"policy": ["none", "slow"]})).texts)
        self.assertIn("fixed:2 ×9.00 of none", words)
        self.assertNotIn("slow ×", words)

    def test_a_lead_at_the_last_load_only_is_named(self):
        means = {1.0: (2, 1), 128.0: (2, 1), 192.0: (200, 100), 256.0: (199, 200)}
        points = [
            (policy, {LOAD: users}, {"throughput": both[i]})
            for users, both in means.items()
            for i, policy in enumerate(("fixed:3", "fixed:2"))
        ]
        write_result(self.result, points)
        self.assertEqual(strip(crossover(Results(self.result))), ["3", "2"])

    def test_the_help_says_so(self):
        command = [sys.executable, "-B", str(FIGURES / "plot.py"), "--help"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        self.assertIn("the best fixed depth comes from all fixed depths of the file", " ".join(text.split()))


class Intervals(Files):
    """With N users, none has speed 100·g/√N and fast 200·f·g/√N, where replications share g: at any speed or throughput
    fast has 4·f² times the other, whatever g is."""

    def write(self, own, shared):
        points = []
        for users in (1, 2, 4, 8, 16, 32, 64):
            for policy, speed, factors in (("none", 100, np.ones(len(own))), ("fast", 200, np.array(own))):
                speeds = speed * factors * np.array(shared)
                metrics = {
                    "user_speed_mean": list(speeds / users**0.5),
                    "throughput": list(speeds * users**0.5),
                }
                points.append((policy, {LOAD: float(users)}, metrics))
        write_result(self.result, points)
        results = Results(self.result)
        speed, throughput = results.curves("user_speed_mean"), results.curves("throughput")
        return matched_frontier(results, {p: (speed[p].load, speed[p].mean, throughput[p].mean) for p in speed})

    def test_read_outs_are_means_over_replications_with_students_t(self):
        match = self.write(own=(0.98, 1.0, 1.02), shared=(0.9, 1.05, 1.1))
        ratios = 4 * np.array((0.98, 1.0, 1.02)) ** 2
        half = 4.302653 * ratios.std(ddof=1) / 3**0.5  # Student's t, two degrees of freedom
        for gain in (match.more_throughput, match.more_speed):
            self.assertEqual(gain.policy, "fast")
            expected = ratios.mean() + np.array((0, -half, half))
            np.testing.assert_allclose((gain.ratio, gain.low, gain.high), expected)

    def test_what_replications_share_drops_out(self):
        gain = self.write(own=(1, 1, 1), shared=(0.8, 1.0, 1.2)).more_throughput
        np.testing.assert_allclose((gain.ratio, gain.low, gain.high), (4, 4, 4))

    def test_the_figure_prints_them(self):
        self.write(own=(0.98, 1.0, 1.02), shared=(1, 1, 1))
        words = [text.get_text() for text in frontier(Results(self.result)).texts]
        self.assertTrue(words[0].endswith("fast ×4.00 (3.60 .. 4.40) of none"), words)
        self.assertEqual(words[2], "95 % bands: at most ±1 % of speed and ±1 % of throughput")

    def test_one_replication_or_one_that_cannot_be_read_off_leaves_the_ratio_of_the_means(self):
        self.assertTrue(np.isnan(self.write(own=(1,), shared=(1,)).more_speed.low))
        gain = self.write(own=(1, float("nan"), 1), shared=(1, 1, 1)).more_throughput
        self.assertAlmostEqual(gain.ratio, 4)
        self.assertTrue(np.isnan(gain.low))

    def test_the_band_is_the_hull_of_its_ellipses(self):
        # A stadium: a circle and a rectangle of 3 by 2. A polygon of 64 corners lacks π (2π/64)² / 6 of the circle, and
        # two slivers of 3 (1 - cos(2π/64)) / 2 along the rectangle.
        x, y = hull_of_ellipses((0, 0, 1, 1), (3, 0, 1, 1))
        area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
        self.assertAlmostEqual(area, np.pi + 6, delta=0.0051 + 2 * 0.0073)
        self.assertEqual((x.min(), x.max(), y.max()), (-1, 4, 1))
        x, y = hull_of_ellipses((2, 3, 0, 0), (2, 3, 0, 0))
        np.testing.assert_allclose((x, y), np.array([[2.0], [3.0]]) + np.zeros(65))

    def test_a_band_is_as_wide_as_its_intervals(self):
        points = [
            ("none", {LOAD: load}, {"user_speed_mean": (10.0, 8.0, 12.5), "throughput": (mean, 0.5 * mean, 2 * mean)})
            for load, mean in ((1.0, 10.0), (2.0, 20.0))
        ]
        write_result(self.result, points)
        (band,) = frontier(Results(self.result)).axes[0].patches
        (left, bottom), (right, top) = band.get_xy().min(axis=0), band.get_xy().max(axis=0)
        np.testing.assert_allclose((left, bottom, right, top), (8, 5, 12.5, 40))

    def test_students_t_is_that_of_the_tables(self):
        for degrees, value in ((1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (30, 2.042), (120, 1.980)):
            self.assertAlmostEqual(student_t_975(degrees), value, delta=5e-4)


class OpenArrivals(Files):
    def setUp(self):
        super().setUp()
        speeds = {"none": (100, 90, 80), "fixed:3": (200, 150, 60), "dspark": (190, 160, 82)}
        points = [
            (policy, {TIME_SCALE: scale}, {"throughput": 1000 / scale, "user_speed_mean": float(speed[i])})
            for i, scale in enumerate((1.0, 0.5, 0.33))
            for policy, speed in speeds.items()
        ]
        write_result(self.result, points, load_axis=TIME_SCALE, ranked="user_speed_mean")
        self.results = Results(self.result)

    def test_a_lower_time_scale_is_more_load(self):
        curve = self.results.curve("user_speed_mean", "none")
        np.testing.assert_allclose(curve.load, (1, 2, 1 / 0.33))
        np.testing.assert_allclose(curve.mean, (100, 90, 80))

    def test_figures_compare_user_speed_since_arrivals_fix_the_throughput(self):
        figure = crossover(self.results)
        self.assertEqual(figure.axes[0].get_ylabel(), "User speed (% of the best fixed depth)")
        self.assertEqual(figure.axes[0].get_xlabel(), "Traffic (times the recorded rate)")
        np.testing.assert_allclose(line_of(figure, "dspark"), (95, 100 * 160 / 150, 102.5))
        self.assertEqual(strip(figure), ["3", "0"])
        self.assertEqual(load(self.results).axes[0].get_ylabel(), "User speed (tokens/s)")

    def test_so_does_the_summary(self):
        said = list(sentences(self.results))
        self.assertIn("At 1 times the recorded traffic, fixed:3 gives each user the most", said[0])
        self.assertIn("At 3.03 times the recorded traffic, dspark does: 82", said[1])
        self.assertRegex(said[2], "from fixed:3 to none at about 2.* times the recorded traffic")

    def test_a_file_without_crossovers_is_compared_by_throughput(self):
        write_result(self.result, serving_points(loads=(1, 8), depths=(1,)))
        self.assertEqual(Results(self.result).ranked_metric, "throughput")


if __name__ == "__main__":
    unittest.main()
