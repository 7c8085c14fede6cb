"""Writes result files in the format of docs/results.md from plain dictionaries, without the program."""

import json

import h5py
import numpy as np

LOAD = "workload.arrivals.closed_loop.users"


def write_table(file, name, columns, units=None):
    group = file.create_group(name)
    group.attrs["description"] = name
    for column, values in columns.items():
        values = np.array(values)
        if values.dtype.kind == "U":
            values = np.char.encode(values, "utf-8")
        dataset = group.create_dataset(column, data=values)
        dataset.attrs["unit"] = (units or {}).get(column, "1")


def write_result(path, points, figures=(), title="Synthetic", load_axis=LOAD, units=None, lossy=(), ranked=None):
    """`points`: [(policy, {axis: value}, {metric: mean or (mean, low, high) or [value of each replication]})] in the
    order of the sweep. `ranked`: the metric of /crossovers, which has a row for every point then."""
    axes = list(dict.fromkeys(axis for _, values, _ in points for axis in values))
    metrics = {"point": [], "metric": [], "mean": [], "low": [], "high": [], "n": []}
    replications = {"point": [], "replication": [], "metric": [], "value": []}
    for point, (_, _, values) in enumerate(points):
        for metric, value in values.items():
            if isinstance(value, list):
                for row in ((point, r, metric, float(each)) for r, each in enumerate(value)):
                    for column, entry in zip(replications.values(), row, strict=True):
                        column.append(entry)
                value = float(np.nanmean(value))
            mean, low, high = value if isinstance(value, tuple) else (value, 0.99 * value, 1.01 * value)
            row = (point, metric, float(mean), float(low), float(high), 8)
            for column, entry in zip(metrics.values(), row, strict=True):
                column.append(entry)
    with h5py.File(path, "w", userblock_size=512) as file:
        file.attrs["title"] = title
        file.attrs["experiment"] = "schema: 1\n"
        file.attrs["figures"] = json.dumps(list(figures))
        file.attrs["load_axis"] = load_axis
        columns = {"point": list(range(len(points))), "policy": [policy for policy, _, _ in points]}
        columns |= {axis: [values.get(axis, "") for _, values, _ in points] for axis in axes}
        columns["policy_lossless"] = [int(policy not in lossy) for policy, _, _ in points]
        write_table(file, "points", columns, {LOAD: "users"})
        write_table(file, "metrics", metrics)
        if replications["point"]:
            write_table(file, "replications", replications)
        if ranked:
            write_table(file, "crossovers", {"best": columns["point"], "metric": [ranked] * len(points)})
        names = list(dict.fromkeys(metrics["metric"]))
        catalogue_units = {"throughput": "tokens/s", "user_speed_mean": "tokens/s", "verification_length": "tokens"}
        catalogue = {
            "metric": names,
            "unit": [(units or catalogue_units).get(name, "1") for name in names],
            "description": names,
        }
        write_table(file, "metric_catalogue", catalogue)


def serving_points(loads=(1, 2, 4, 8, 16, 32, 64, 128, 256), depths=range(1, 8), share=0.8):
    """A machine whose steps cost 5 ms + 12 µs a row, five times that a row past 1024 rows, with geometric acceptance;
    an adaptive policy that is 3 % better than the best fixed depth, and an oracle."""

    def step_seconds(rows):
        return 5e-3 + 12e-6 * rows + 60e-6 * max(0, rows - 1024) + 1.2e-7 * rows**1.6

    def metrics(users, depth, seconds, accepted):
        speed = accepted / seconds
        values = {
            "throughput": users * speed,
            "user_speed_mean": speed,
            "user_speed_p50": 0.98 * speed,
            "accepted_length": accepted,
            "verification_length": float(depth),
            "step_seconds_mean": seconds,
            "batch_tokens": users * (1.0 + depth),
        }
        for k in range(1, int(np.ceil(depth)) + 1):
            values[f"acceptance.{k}"] = share * (1 + 0.03 * np.log(k))
            values[f"survival.{k}"] = share**k
        return values

    points = []
    for users in loads:
        fixed = {}
        for depth in (0, *depths):
            accepted = sum(share**k for k in range(depth + 1))
            seconds = step_seconds(users * (1 + depth)) + (0.0008 if depth else 0)
            fixed[depth] = metrics(users, depth, seconds, accepted)
            points.append(("none" if depth == 0 else f"fixed:{depth}", {LOAD: float(users)}, fixed[depth]))
        best = max(fixed, key=lambda depth: fixed[depth]["throughput"])
        gains = {"dspark": 0.93 + 0.01 * np.log2(users), "dspark_async": 1.03, "smart_spec": 0.99, "oracle": 1.12}
        for policy, gain in gains.items():
            seconds, accepted = fixed[best]["step_seconds_mean"], fixed[best]["accepted_length"] * gain
            values = metrics(users, max(0.4, best - 0.4), seconds, accepted)
            acceptance = [name for name in values if name.startswith("acceptance.")]
            values |= {name: min(1.0, 1.05 * values[name]) for name in acceptance}
            points.append((policy, {LOAD: float(users)}, values))
    return points
