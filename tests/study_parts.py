"""The studies of docs/studies/, each as a part of its sweep that still shows what its page says.

Fewer replications, requests and loads than the pages have: all claims of studies_slow_test.py survive that, and the
whole test stays under a minute on two cores.
"""

import os
import subprocess
from pathlib import Path

SOURCE = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parent.parent))
STUDIES = SOURCE / "experiments" / "studies"

STAIRCASE = "machine.modelled.verify_cost={table: ../data/vllm_b300_verify_cost.csv, capture_limit: 1024}"
CONFIDENCE_TETRIS = "{tetris: {capacity_per_request: 3, score: confidence}}"
TEMPERATURE = "{temperature_scaling: {temperatures: [2]}}"


def grid(**axes):
    """The sweep of a study, cut: `--set sweep.grid={…}`."""
    paths = {
        "users": "workload.arrivals.closed_loop.users",
        "rate": "workload.arrivals.gamma.rate",
        "cv": "workload.arrivals.gamma.cv",
        "distortion": "machine.modelled.acceptance.miscalibration",
        "cap_accept": "engine.cap_accept",
        "mix": "workload.drift.domains",
    }
    return "sweep.grid={" + ", ".join(f"{paths.get(name, name)}: {values}" for name, values in axes.items()) + "}"


TRAPPED = "{dspark: {cost: staircase}}"
PRICED = "{smart_spec: {stop_at_first_fall: false}}"
TABLE = "{k_by_batch_size: {table: {128: 5, 256: 2}}}"
LAGS = ["dspark", "dspark_async:1", "dspark_async:2", "dspark_async:4"]
MIXES = "[{math: 1}, {chat: 1}]"

# name of a result: (study, options)
PARTS = {
    "b300_flash": (
        "b300_flash",
        [
            "replications=2",
            "stop={requests: 100, warmup_requests: 20}",
            grid(policy="[none, fixed:1, fixed:3, fixed:5, fixed:7, dspark, dspark_async]", users="[1, 8, 32]"),
        ],
    ),
    "paper_table1": ("paper_table1", []),
    "budget_against_load": ("budget_against_load", ["replications=3", "stop.requests=600"]),
    "jagged_cost": (
        "jagged_cost",
        [
            "replications=3",
            "stop.requests=600",
            grid(policy=f"[none, {TRAPPED}, dspark, dspark_async, tier_fill:dspark]", users="[1, 8, 16, 128, 256]"),
        ],
    ),
    "free_lunch": (
        "free_lunch",
        [
            "replications=3",
            "stop.requests=1000",
            grid(policy=f"[none, dspark_async, vllm_adaptive, {PRICED}, {TABLE}]", users="[64, 256, 512, 1024]"),
        ],
    ),
    "staleness": ("staleness", [grid(policy=f"[{', '.join(LAGS)}]", cv="[0.5, 8]", rate="[10, 120]")]),
    "staleness_staircase": (
        "staleness",
        ["replications=3", STAIRCASE, grid(policy="[dspark, dspark_async:1, dspark_async:4]", cv="[0.5]", rate="[80]")],
    ),
    "acceptance_is_not_enough": ("acceptance_is_not_enough", []),
    "what_a_signal_is_worth": (
        "what_a_signal_is_worth",
        [
            "stop.requests=600",
            grid(
                policy=f"[fixed:3, fixed:7, {CONFIDENCE_TETRIS}, tetris:3, dspark_async, oracle]",
                cap_accept="[false, true]",
                users="[8, 64, 128]",
            ),
        ],
    ),
    "miscalibration": (
        "miscalibration",
        [
            "replications=3",
            "stop.requests=500",
            grid(
                policy="[dspark, threshold:0.5]",
                distortion="[{temperature: 1}, {temperature: 0.5}, {temperature: 2}, {bias: 1}, {bias: -1}]",
                users="[1, 64, 256]",
            ),
        ],
    ),
    "miscalibration_staircase": (
        "miscalibration",
        [
            "replications=3",
            "stop.requests=500",
            STAIRCASE,
            grid(policy="[dspark_async]", distortion="[{temperature: 1}, {bias: 1}]", users="[64, 256]"),
        ],
    ),
    "drift": (
        "drift",
        [
            "replications=5",
            "stop.requests=1000",
            grid(confidence=f"[raw, {TEMPERATURE}, margin_estimator]", mix=MIXES, users="[64, 200]"),
        ],
    ),
    "drift_calibrated": (
        "drift",
        [
            "replications=5",
            "stop.requests=1000",
            "machine.modelled.acceptance.by_domain.chat.miscalibration.bias=0",
            grid(confidence=f"[{TEMPERATURE}]", mix="[{chat: 1}]", users="[64, 200]"),
        ],
    ),
}


def run_part(program, name, out, *more):
    """Runs the part with further options and writes its result to `out`."""
    study, options = PARTS[name]
    sets = [word for option in (*options, *more) for word in ("--set", option)]
    subprocess.run([program, "run", STUDIES / f"{study}.yaml", "--out", out, "--quiet", *sets], check=True)
