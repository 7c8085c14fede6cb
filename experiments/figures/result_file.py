"""Reads a result file (docs/results.md): everything a figure shows comes from here."""

import json
import re
from dataclasses import dataclass

import h5py
import numpy as np


class FigureError(Exception):
    """What is wrong with the file or the request, in one line."""


@dataclass(frozen=True)
class Curve:
    """One metric of one policy through the loads, in ascending order of load. All arrays have one length."""

    load: np.ndarray
    mean: np.ndarray
    low: np.ndarray  # NaN where there is no interval (one replication)
    high: np.ndarray


# Units of metrics and axes where the file does not name them.
UNITS = {
    "throughput": "tokens/s",
    "user_speed_mean": "tokens/s",
    "user_speed_p50": "tokens/s",
    "step_seconds_mean": "s",
    "accepted_length": "tokens",
    "verification_length": "tokens",
    "batch_tokens": "tokens",
}
# Last parts of axis names that mean load, for files without the attribute `load_axis`.
LOAD_WORDS = ("users", "rate", "requests_per_second", "concurrency", "load")


def fixed_depth(policy):
    """k of `fixed:k` and `{fixed: {k: k}}`, 0 of `none`, else None."""
    if policy == "none":
        return 0
    match = re.fullmatch(r"\{?\s*fixed\s*:\s*(?:\{\s*k\s*:\s*)?(\d+)[\s}]*", policy)
    return int(match.group(1)) if match else None


class Results:
    """One result file. `where` keeps only the points at which an axis has one of some values: {axis: [text]}; for the
    policy it chooses `policies`, those to draw, and what they are compared with stays (`fixed_policies`). `lines` names
    an axis whose values stand for the policies, of one policy alone."""

    def __init__(self, path, where=None, lines=None):
        self.path = str(path)
        self.where = dict(where or {})
        self.lines = None if lines is None or _is_policy(lines) else lines
        try:
            with h5py.File(path, "r") as file:
                self._read(file)
            self._choose_rows()
            self._choose_load_axis()
        except FigureError:
            raise
        except Exception as error:  # a damaged file may be wrong in any way
            reason = str(error).strip("'\"").splitlines()[0] if str(error) else type(error).__name__
            raise FigureError(f"{self.path}: not a readable result file ({reason})") from None

    def _read(self, file):
        attributes = {name: _plain(value) for name, value in file.attrs.items()}
        self.title = attributes.get("title", "")
        self.experiment = attributes.get("experiment", attributes.get("yaml", ""))
        self.figures = json.loads(attributes.get("figures", "[]") or "[]")
        self._named_load_axis = attributes.get("load_axis", "")
        for name in ("points", "metrics"):
            if name not in file:
                raise FigureError(f"{self.path}: no table /{name}; is this a result of `dspark run`?")
        self._points = _table(file["points"])
        self._metrics = _table(file["metrics"])
        self._replications = _table(file["replications"]) if "replications" in file else None
        self._crossovers = _table(file["crossovers"]) if "crossovers" in file else {}
        self._series = _table(file["series"]) if "series" in file else {}
        self._series_units = {name: _plain(c.attrs.get("unit", "")) for name, c in file.get("series", {}).items()}
        self._require("points", self._points, ("point",))
        self._require("metrics", self._metrics, ("point", "metric", "mean", "low", "high"))
        self._units = {name: _plain(column.attrs.get("unit", "")) for name, column in file["points"].items()}
        if "metric_catalogue" in file:
            catalogue = _table(file["metric_catalogue"])
            self._units.update(zip(catalogue["metric"], catalogue["unit"], strict=True))

    def _require(self, name, table, columns):
        for column in columns:
            if column not in table:
                raise FigureError(f"{self.path}: table /{name} has no column '{column}'")
        lengths = {len(column) for column in table.values()}
        if len(lengths) != 1:
            raise FigureError(f"{self.path}: the columns of /{name} differ in length")
        if lengths == {0}:
            raise FigureError(f"{self.path}: table /{name} is empty")

    def _choose_rows(self):
        rows = np.ones(len(self._points["point"]), dtype=bool)
        drawn = rows.copy()
        for axis, wanted in self.where.items():
            column = self._axis(axis)
            for text in wanted:
                if not any(_same(value, text) for value in column):
                    values = ", ".join(dict.fromkeys(_text(value) for value in column))
                    raise FigureError(f"{self.path}: no point has {axis}={text}; there are {values}")
            chosen = np.array([any(_same(value, text) for text in wanted) for value in column])
            if _is_policy(axis) and self.lines is None:
                drawn &= chosen
            else:
                rows &= chosen
        if not (rows & drawn).any():
            raise FigureError(f"{self.path}: no point has all that --where asks for")
        self._points = {name: column[rows] for name, column in self._points.items()}
        if self.lines is not None:
            self._let_lines_stand_for_policies()
        policy = self._points.get("policy")
        self.policy_of_point = [_text(value) for value in policy] if policy is not None else ["policy"] * rows.sum()
        every = zip(self.policy_of_point, drawn[rows], strict=True)
        self.policies = list(dict.fromkeys(policy for policy, shown in every if shown))
        self.fixed_policies = [name for name in dict.fromkeys(self.policy_of_point) if fixed_depth(name) is not None]
        lossless = self._points.get("policy_lossless", np.ones(len(self.policy_of_point)))
        self.lossless = dict(zip(self.policy_of_point, (bool(value) for value in lossless), strict=True))

    def _axis(self, name):
        if name not in self._points:
            raise FigureError(f"{self.path}: no axis '{name}'; there are {', '.join(self.axes())}")
        return self._points[name]

    def _let_lines_stand_for_policies(self):
        values = self._axis(self.lines)
        policies = dict.fromkeys(map(_text, self._points.get("policy", ())))
        if len(policies) > 1:
            raise FigureError(
                f"{self.path}: lines of '{self.lines}' are drawn for one policy; "
                f"choose it with --where policy=VALUE ({', '.join(policies)})"
            )
        del self._points[self.lines]
        self._points["policy"] = np.array([_text(value) for value in values], dtype=object)

    def axes(self):
        """Every axis but the policy."""
        return [name for name in self._points if name not in ("point", "policy_lossless") and not _is_policy(name)]

    def _choose_load_axis(self):
        varied = {name: len(set(map(_text, self._points[name]))) > 1 for name in self.axes()}
        candidates = [name for name in varied if varied[name] and self._number(name) is not None]
        if self._named_load_axis in self._points and self._number(self._named_load_axis) is not None:
            self.load_axis = self._named_load_axis
        elif len(candidates) == 1:
            self.load_axis = candidates[0]
        else:
            words = [name for name in candidates if name.split(".")[-1] in LOAD_WORDS]
            if len(words) != 1:
                have = ", ".join(candidates) or "none"
                raise FigureError(
                    f"{self.path}: no single numeric axis stands for load (numeric axes that vary: {have}); "
                    "fix the others with --where AXIS=VALUE"
                )
            self.load_axis = words[0]
        others = [name for name in varied if varied[name] and name != self.load_axis]
        if others:
            values = ", ".join(dict.fromkeys(map(_text, self._points[others[0]])))
            raise FigureError(
                f"{self.path}: '{others[0]}' varies beside the load; "
                f"choose one with --where {others[0]}=VALUE ({values})"
            )
        self._load = self._number(self.load_axis)
        self.is_sped_up_trace = self.load_axis.split(".")[-1] == "time_scale"
        if self.is_sped_up_trace:
            if not (self._load > 0).all():
                raise FigureError(f"{self.path}: '{self.load_axis}' must be positive")
            self._load = 1 / self._load  # a lower time scale is more load
        self.ranked_metric = self._ranked_metric()

    def _ranked_metric(self):
        """What the file ranks policies by: throughput, or user speed where open arrivals fix the throughput."""
        if not {"best", "metric"} <= self._crossovers.keys():
            return "throughput"
        chosen = np.isin(self._crossovers["best"], self._points["point"])
        ranked = set(self._crossovers["metric"][chosen])
        return ranked.pop() if len(ranked) == 1 else "throughput"

    def _number(self, axis):
        """The axis as numbers, or None where it is text."""
        try:
            values = np.array([float(_text(value)) for value in self._points[axis]])
        except ValueError:
            return None
        return values if np.isfinite(values).all() else None

    def unit(self, name):
        """Of a metric or axis; per-position metrics share their family's unit. '' where dimensionless or unknown."""
        family = name.split(".")[0]
        unit = self._units.get(name) or self._units.get(family) or UNITS.get(name, "")
        return "" if unit == "1" else unit

    def name_of_load(self, load):
        """`1 user`, `256 users`, `4 times the recorded traffic`."""
        if self.is_sped_up_trace:
            return f"{load:.3g} times the recorded traffic"
        unit = self.load_axis.split(".")[-1].replace("_", " ")
        return f"{load:g} {'user' if unit == 'users' and load == 1 else unit}"

    def metric_names(self):
        return list(dict.fromkeys(self._metrics["metric"]))

    def values(self, metric):
        """{point: (mean, low, high)} of one metric."""
        rows = self._metrics["metric"] == metric
        if not rows.any():
            if f"{metric}.1" in self.metric_names():
                raise FigureError(f"{self.path}: '{metric}' has a value for each position; name one: {metric}.1")
            have = ", ".join(dict.fromkeys(name.split(".")[0] for name in self.metric_names()))
            raise FigureError(f"{self.path}: no metric '{metric}'; there are {have}")
        columns = (self._metrics[name][rows] for name in ("point", "mean", "low", "high"))
        return {int(point): triple for point, *triple in zip(*columns, strict=True)}

    def curve(self, metric, policy):
        """The metric of one policy through the loads; loads at which it could not be measured are left out."""
        values = self.values(metric)
        rows = sorted(
            (load, *values[int(point)])
            for load, point, name in zip(self._load, self._points["point"], self.policy_of_point, strict=True)
            if name == policy and int(point) in values
        )
        return Curve(*np.array(rows, dtype=float).reshape(-1, 4).T)

    def curves(self, metric):
        """{policy: Curve} of the policies to draw, in the order of the sweep, without those that have no value."""
        curves = self._curves(metric, self.policies)
        if not curves:
            raise FigureError(f"{self.path}: metric '{metric}' has no value at the chosen points")
        return curves

    def fixed_curves(self, metric):
        """{policy: Curve} of every fixed depth in the file (`none` is depth 0), drawn or not."""
        return self._curves(metric, self.fixed_policies)

    def _curves(self, metric, policies):
        every = {policy: self.curve(metric, policy) for policy in policies}
        return {policy: curve for policy, curve in every.items() if len(curve.load)}

    def replicated(self, metric, policy):
        """{load: values by replication} of one policy, NaN where a replication could not measure the metric; empty in
        files without /replications."""
        table = self._replications
        if table is None:
            return {}
        count = int(table["replication"].max()) + 1 if len(table["replication"]) else 0
        loads = {
            int(point): load
            for load, point, name in zip(self._load, self._points["point"], self.policy_of_point, strict=True)
            if name == policy
        }
        values = {load: np.full(count, np.nan) for load in loads.values()}
        rows = (table["metric"] == metric) & np.isin(table["point"], list(loads))
        columns = (table[name][rows] for name in ("point", "replication", "value"))
        for point, replication, value in zip(*columns, strict=True):
            values[loads[int(point)]][int(replication)] = value
        return values

    def points_at_highest_load(self):
        """{policy: point} of the policies to draw."""
        highest = max(self._load)
        rows = zip(self._load, self._points["point"], self.policy_of_point, strict=True)
        return {name: int(point) for load, point, name in rows if load == highest and name in self.policies}

    def windows(self, point, column):
        """[(start, width, value)] of one point's windows of virtual time, by replication."""
        if column not in self._series:
            raise FigureError(f"{self.path}: /series has no column '{column}'; there are {', '.join(self._series)}")
        names = ("start_seconds", "width_seconds", column)
        rows = self._series["point"] == point
        replications = self._series["replication"]
        return [
            tuple(self._series[name][rows & (replications == r)] for name in names) for r in set(replications[rows])
        ]

    def series_unit(self, column):
        unit = self._series_units.get(column, "")
        return "" if unit == "1" else unit


def _is_policy(axis):
    return axis == "policy" or axis.startswith("policy.")


def _plain(value):
    if isinstance(value, bytes | np.bytes_):
        return value.decode("utf-8")
    return value


def _text(value):
    """A value of an axis as the user would write it."""
    value = _plain(value)
    if isinstance(value, float | np.floating):
        return f"{float(value):g}"
    return str(value)


def _same(value, wanted):
    try:
        return float(_text(value)) == float(wanted)
    except ValueError:
        return _text(value) == wanted


def _table(group):
    columns = {}
    for name, dataset in group.items():
        values = dataset[...]
        if values.dtype.kind in "SO":
            values = np.array([_plain(value) for value in values], dtype=object)
        columns[name] = values
    return columns
