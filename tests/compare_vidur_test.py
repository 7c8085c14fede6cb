"""The arithmetic of scripts/compare_vidur, without vidur: which times are the same, and what a request-step costs."""

import contextlib
import csv
import datetime
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[1]))
SCRIPT = ROOT / "scripts" / "compare_vidur"


def load_script():
    """The script as a module; it has no .py and leaves no bytecode beside itself."""
    loader = importlib.machinery.SourceFileLoader("compare_vidur", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


script = load_script()


def served(completion_of_second=104.0, first_token_of_second=101.0, steps=7):
    """Two requests that arrived at 10 s and 100 s: what either simulator says of them."""
    return {
        "steps": steps,
        "rows": 40,
        "requests": [[0, 10.0, 10.5, 12.0], [1, 100.0, first_token_of_second, completion_of_second]],
    }


class Comparison(unittest.TestCase):
    def code(self, *sides):
        return script.compare(*sides)[1]

    def test_equal_times_are_the_same(self):
        lines, code = script.compare(served(), served())
        self.assertEqual(code, script.SAME)
        self.assertNotIn("DIFFERENT", "\n".join(lines))

    def test_one_per_cent_is_of_the_time_since_arrival_on_either_side(self):
        # 4 s after its arrival, at 104 s: 0.04 s are allowed, not 1.04 s.
        for sign in (1, -1):
            self.assertEqual(self.code(served(104 + sign * 0.039), served()), script.SAME)
            lines, code = script.compare(served(104 + sign * 0.041), served())
            self.assertEqual(code, script.DIFFERENT)
            self.assertIn("completion of request 1", "\n".join(lines))

    def test_the_first_token_counts_too(self):
        self.assertEqual(self.code(served(first_token_of_second=101.009), served()), script.SAME)
        self.assertEqual(self.code(served(first_token_of_second=101.011), served()), script.DIFFERENT)

    def test_other_steps_and_other_requests_are_found(self):
        lines, code = script.compare(served(steps=8), served())
        self.assertEqual(code, script.DIFFERENT)
        self.assertIn("steps: 8 here, 7 in vidur", lines)
        fewer = served()
        fewer["requests"] = fewer["requests"][:1]
        self.assertEqual(self.code(fewer, served()), script.DIFFERENT)

    def test_largest_and_mean_difference(self):
        seconds, shares = script.deviations(served(104.02)["requests"], served()["requests"], 3)
        self.assertAlmostEqual(max(seconds), 0.02)
        self.assertAlmostEqual(sum(shares) / 2, 0.02 / 4.02 / 2)


class Program(unittest.TestCase):
    def outcome(self, ours):
        """Exit code and output of the whole program where both simulators are replaced by what they say."""
        vidur = {
            **served(),
            "request_steps": 1_000_000,
            "cpu_seconds": 3.0,
            "wall_seconds": 3.5,
            "process_wall": 6.0,
            "process_cpu": 5.0,
        }
        seconds = {1: (0.5, 0.4), 101: (1.6, 1.4)}
        replaced = {
            "build": lambda: None,
            "install_vidur": lambda: Path("python"),
            "write_inputs": lambda folder, requests: None,
            "run_vidur": lambda python, folder: vidur,
            "run_dspark": lambda folder, replications: seconds[replications],
            "our_request_times": lambda folder: ours,
        }
        output = io.StringIO()
        with (
            mock.patch.multiple(script, **replaced),
            mock.patch.object(sys, "argv", ["compare_vidur"]),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            return script.main(), output.getvalue()

    def test_exit_code_one_where_a_time_differs_by_more_than_one_per_cent(self):
        self.assertEqual(self.outcome(served())[0], 0)
        self.assertEqual(self.outcome(served(104.041))[0], 1)

    def test_the_table_has_the_cost_of_either_side_and_their_ratio(self):
        # (1.4 - 0.4) s for 100 further simulations of 10⁶ request-steps: 10 ns against 3 s for one: 3000 ns.
        self.assertIn("| CPU per request-step | 3e+03 | 10 | ns | 300 |", self.outcome(served())[1])

    def test_wrong_options_are_exit_code_two(self):
        for wrong in (["--rate", "0"], ["--requests", "1"], ["--repetitions", "-3"], ["--more", "many"]):
            with (
                self.subTest(wrong),
                mock.patch.object(sys, "argv", ["compare_vidur", *wrong]),
                contextlib.redirect_stderr(io.StringIO()),
                self.assertRaises(SystemExit) as exit_code,
            ):
                script.main()
            self.assertEqual(exit_code.exception.code, 2)


class Cost(unittest.TestCase):
    def test_start_up_is_not_counted_and_each_side_is_the_least_of_its_repetitions(self):
        one, many = [1.1, 1.0, 1.4], [3.2, 3.0, 9.0]
        self.assertAlmostEqual(script.cost_per_request_step(one, many, 100, 1_000_000), 20)


class Requests(unittest.TestCase):
    def test_arrivals_begin_at_zero_with_the_given_rate_and_lengths_within_bounds(self):
        requests = script.draw_requests(4000, 50, seed=3)
        self.assertEqual(requests, script.draw_requests(4000, 50, seed=3))
        self.assertNotEqual(requests, script.draw_requests(4000, 50, seed=4))
        arrivals, prompts, outputs = zip(*requests, strict=True)
        self.assertEqual(arrivals[0], 0)
        self.assertEqual(list(arrivals), sorted(arrivals))
        # Mean of 3999 exponential gaps: standard error 1/√3999 of the mean; four of them.
        self.assertAlmostEqual(arrivals[-1] * 1e-9 / 3999 * 50, 1, delta=4 / 3999**0.5)
        self.assertTrue(all(1 <= length <= script.LONGEST_PROMPT for length in prompts))
        self.assertTrue(all(1 <= length <= script.LONGEST_REPLY for length in outputs))

    def test_both_files_say_the_same(self):
        requests = [(0, 5, 6), (1, 7, 8), (86_400_000_000_123, 9, 10)]  # the last one a day later
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            script.write_inputs(folder, requests)
            ours, theirs = (
                list(csv.DictReader((folder / f"{side}_trace.csv").read_text().splitlines()))
                for side in ("dspark", "vidur")
            )
            self.assertIn("stop: {requests: 3,", (folder / "dspark.yaml").read_text())
        first = datetime.datetime(2026, 1, 1)
        for request, our, their in zip(requests, ours, theirs, strict=True):
            whole, fraction = our["TIMESTAMP"].split(".")
            self.assertEqual(len(fraction), 9)
            seconds = (datetime.datetime.fromisoformat(whole) - first).total_seconds()
            self.assertEqual(round(seconds) * 10**9 + int(fraction), request[0])
            self.assertEqual(round(float(their["Time"]) * 1e9), request[0])
            self.assertEqual(their["Date"], "2026-01-01")
            self.assertEqual((int(our["ContextTokens"]), int(our["GeneratedTokens"])), request[1:])
            self.assertEqual((int(their["PromptTokenCount"]), int(their["CompletionTokenCount"])), request[1:])


if __name__ == "__main__":
    unittest.main()
