"""What docs/all_policies.md says of experiments/studies/all_policies.yaml, on fewer loads, policies and replications.

The program to run is the first argument.
"""

import csv
import io
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parent.parent))
STUDY = SOURCE / "experiments" / "studies" / "all_policies.yaml"
USERS = [1, 64, 256]
ROWS = "[1, 6, 7], [7, 11, 6], [12, 47, 5], [48, 79, 3], [80, 159, 5], [160, 223, 3], [224, 512, 2]"  # as in the study
TABLE = f"{{k_by_batch_size: {{table: [{ROWS}]}}}}"
CONFIDENCE_POLICIES = ["dspark_async", "vllm_adaptive", "sglang_compact"]
BLIND_TO_LOAD = ["fixed:5", "fixed:7", "spec_dec_plus_plus", "dsde", "hugging_face_heuristic"]
POLICIES = [
    "none",
    *CONFIDENCE_POLICIES,
    *BLIND_TO_LOAD,
    TABLE,
    "smart_spec",
    "threshold",
    "{tier_fill: {policy: dspark_async}}",
    "oracle",
]


def run_study(program: str) -> dict:
    """Rows of `dspark show --policies --csv` by baseline, policy and users; and by baseline alone in their order."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "study.h5"
        settings = [
            "replications=4",
            f"sweep.grid.workload.arrivals.closed_loop.users={USERS}",
            f"sweep.grid.policy=[{', '.join(POLICIES)}]",
        ]
        options = [part for setting in settings for part in ("--set", setting)]
        subprocess.run([program, "run", STUDY, "--out", out, "--quiet", *options], check=True)
        tables = {}
        for baseline in ("none", "k_by_batch_size", "dspark_async"):
            text = subprocess.run(
                [program, "show", out, "--policies", "--against", baseline, "--csv"],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            rows = list(csv.DictReader(io.StringIO(text)))
            tables[baseline] = {(row["policy"], int(row["workload.arrivals.closed_loop.users"])): row for row in rows}
    return tables


class AllPolicies(unittest.TestCase):
    tables: dict

    def row(self, policy: str, users: int, against: str) -> dict:
        return self.tables[against][(policy, users)]

    def assert_wins(self, policy: str, users: int, against: str):
        row = self.row(policy, users, against)
        self.assertGreater(float(row["difference"]), 0, f"{policy}, {users} users")
        self.assertEqual(row["significant"], "1", f"{policy}, {users} users: p {row['p_holm']}")

    def test_holms_correction_is_over_all_policies_and_loads(self):
        for table in self.tables.values():
            tests = sorted((float(row["p"]), float(row["p_holm"])) for row in table.values() if row["p"])
            self.assertEqual(len(tests), (len(POLICIES) - 1) * len(USERS))
            largest = 0.0
            for done, (p, adjusted) in enumerate(tests):
                largest = max(largest, min(1.0, (len(tests) - done) * p))
                self.assertAlmostEqual(adjusted, largest, delta=1e-12)

    def test_confidence_and_cost_beat_the_best_depth_of_each_load_under_load(self):
        for policy in CONFIDENCE_POLICIES:
            for users in (64, 256):
                self.assert_wins(policy, users, "k_by_batch_size")
                self.assertGreater(float(self.row(policy, users, "k_by_batch_size")["difference"]), 0.05)

    def test_for_one_user_the_deepest_block_wins_and_the_others_pay_for_their_decisions(self):
        for policy in CONFIDENCE_POLICIES:
            row = self.row(policy, 1, "k_by_batch_size")
            self.assertEqual(row["significant"], "1", policy)
            self.assertLess(float(row["difference"]), -0.01, policy)
            self.assertGreater(float(row["difference"]), -0.03, policy)

    def test_rules_that_do_not_look_at_the_load_fall_off_the_captured_graphs(self):
        for policy in BLIND_TO_LOAD:
            self.assertLess(float(self.row(policy, 256, "none")["difference"]), -0.6, policy)

    def test_half_to_three_quarters_of_the_oracles_gain_is_reached_under_load(self):
        for policy in CONFIDENCE_POLICIES:
            self.assertAlmostEqual(float(self.row(policy, 1, "none")["share_of_oracle_gain"]), 0.955, delta=0.02)
            self.assertAlmostEqual(float(self.row(policy, 64, "none")["share_of_oracle_gain"]), 0.73, delta=0.03)
            self.assertAlmostEqual(float(self.row(policy, 256, "none")["share_of_oracle_gain"]), 0.52, delta=0.03)
        self.assertEqual(float(self.row("oracle", 64, "none")["wasted_per_output_token"]), 0)

    def test_few_rejected_tokens_are_not_much_throughput(self):
        for users in USERS:
            careful = self.row("threshold", users, "dspark_async")
            wasted = float(self.row("dspark_async", users, "dspark_async")["wasted_per_output_token"])
            self.assertLess(float(careful["wasted_per_output_token"]), wasted)
            self.assertLess(float(careful["difference"]), -0.08)

    def test_smart_spec_ends_without_speculation_for_one_user_and_for_256(self):
        for users in (1, 256):
            row = self.row("smart_spec", users, "none")
            self.assertLess(abs(float(row["difference"])), 0.002)
            self.assertEqual(row["significant"], "0")

    def test_filling_tiers_adds_nothing_to_a_budget_read_off_the_staircase(self):
        for users in USERS:
            row = self.row("{tier_fill: {policy: dspark_async}}", users, "dspark_async")
            self.assertLess(abs(float(row["difference"])), 0.001)
            self.assertEqual(row["significant"], "0")

    def test_production_forms_of_the_budget_do_not_differ_by_half_a_percent(self):
        for policy in ("vllm_adaptive", "sglang_compact"):
            for users in USERS:
                self.assertLess(abs(float(self.row(policy, users, "dspark_async")["difference"])), 0.005)


if __name__ == "__main__":
    AllPolicies.tables = run_study(sys.argv.pop(1))
    unittest.main()
