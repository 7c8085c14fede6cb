"""What is read off curves: matched points of a frontier, envelopes and where they change hands.

All curves are piecewise linear between measured points on logarithmic scales, in both directions.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np


def _crossings(along, across, level):
    """Values of `across` wherever the polyline (in order of load) passes `along` = level; all positive."""
    x, y = np.log(along), np.log(across)
    target = np.log(level)
    found = []
    if len(x) == 1 and np.isclose(x[0], target):
        found.append(across[0])
    for i in range(len(x) - 1):
        low, high = sorted((x[i], x[i + 1]))
        if not low - 1e-12 <= target <= high + 1e-12:
            continue
        if np.isclose(x[i], x[i + 1], rtol=0, atol=1e-12):
            found.extend((across[i], across[i + 1]))
        else:
            share = (target - x[i]) / (x[i + 1] - x[i])
            found.append(float(np.exp(y[i] + share * (y[i + 1] - y[i]))))
    return found


def throughput_at_speed(speed, throughput, level):
    """The most tokens per second that the frontier gives at a user speed; None outside its range."""
    return max(_crossings(speed, throughput, level), default=None)


def speed_at_throughput(speed, throughput, level):
    """The highest user speed that the frontier gives at a throughput; None outside its range."""
    return max(_crossings(throughput, speed, level), default=None)


@dataclass(frozen=True)
class Gain:
    policy: str
    value: float  # of the best policy, at the anchor's level
    ratio: float  # over the baseline
    low: float = math.nan  # 95 % interval of the ratio
    high: float = math.nan


@dataclass(frozen=True)
class MatchedPoint:
    """A point of the baseline's frontier, and the best that others do at its speed and at its throughput."""

    baseline: str
    load: float
    speed: float
    throughput: float
    more_throughput: Gain  # at the same user speed
    more_speed: Gain  # at the same throughput


def matched_point(frontiers, baseline, eligible):
    """`frontiers`: {policy: (load, speed, throughput)}. The anchor is the baseline's middle load, or the nearest one
    that some other eligible policy reaches in both directions; None where there is none."""
    load, speed, throughput = frontiers[baseline]
    middle = (len(load) - 1) / 2
    for i in sorted(range(len(load)), key=lambda index: (abs(index - middle), index)):
        by_throughput, by_speed = [], []
        for policy in eligible:
            if policy == baseline:
                continue
            _, other_speed, other_throughput = frontiers[policy]
            value = throughput_at_speed(other_speed, other_throughput, speed[i])
            if value is not None:
                by_throughput.append(Gain(policy, value, value / throughput[i]))
            value = speed_at_throughput(other_speed, other_throughput, throughput[i])
            if value is not None:
                by_speed.append(Gain(policy, value, value / speed[i]))
        if by_throughput and by_speed:
            best = [max(gains, key=lambda gain: gain.ratio) for gains in (by_throughput, by_speed)]
            return MatchedPoint(baseline, float(load[i]), float(speed[i]), float(throughput[i]), *best)
    return None


def with_intervals(match, replications):
    """The matched point with its ratios as means over replications, with Student's t intervals. `replications`: for
    each, {policy: (load, speed, throughput)}. Anchor load and policies stay; within a replication both policies saw
    the same users and coins, so what these share drops out of the ratio. Where a replication cannot be read off, or
    there is only one, the match stays as it is."""
    by_throughput, by_speed = [], []
    for frontiers in replications:
        load, speed, throughput = frontiers[match.baseline]
        (at,) = np.flatnonzero(load == match.load)
        _, *faster = frontiers[match.more_speed.policy]
        _, *wider = frontiers[match.more_throughput.policy]
        value = throughput_at_speed(*wider, speed[at])
        by_throughput.append(value / throughput[at] if value is not None else math.nan)
        value = speed_at_throughput(*faster, throughput[at])
        by_speed.append(value / speed[at] if value is not None else math.nan)
    gains = (_over_replications(match.more_throughput, by_throughput), _over_replications(match.more_speed, by_speed))
    return replace(match, more_throughput=gains[0], more_speed=gains[1])


def _over_replications(gain, ratios):
    if len(ratios) < 2 or not np.isfinite(ratios).all():
        return gain
    half = student_t_975(len(ratios) - 1) * np.std(ratios, ddof=1) / math.sqrt(len(ratios))
    mean = float(np.mean(ratios))
    return replace(gain, ratio=mean, low=mean - half, high=mean + half)


def relative(curves, replicated, baseline):
    """{line: (load, mean, low, high)} in % of the baseline at the same load. Ratios are taken within each replication
    and then averaged, with 95 % intervals; `replicated(line)` is {load: values by replication}."""
    against = replicated(baseline)
    found = {}
    for line, curve in curves.items():
        own, rows = replicated(line), []
        for load in curve.load:
            if load not in against or load not in own:
                continue
            ratios = 100 * own[load] / against[load]
            ratios = ratios[np.isfinite(ratios)]
            if len(ratios) == 0:
                continue
            half = math.nan
            if len(ratios) > 1:
                half = student_t_975(len(ratios) - 1) * np.std(ratios, ddof=1) / math.sqrt(len(ratios))
            mean = float(np.mean(ratios))
            rows.append((load, mean, mean - half, mean + half))
        if rows:
            found[line] = tuple(np.array(rows, dtype=float).T)
    return found


def student_t_975(degrees_of_freedom):
    """The 97.5 % point of Student's t, by bisection of its distribution (Abramowitz and Stegun 26.7.3 and 26.7.4)."""

    def between(t):  # P(-t < T < t)
        angle = math.atan(t / math.sqrt(degrees_of_freedom))
        odd = degrees_of_freedom % 2
        term = math.cos(angle) if odd else 1.0
        total = 0.0
        for i in range(1 + odd, degrees_of_freedom, 2):
            total += term
            term *= math.cos(angle) ** 2 * i / (i + 1)
        return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total

    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if between(middle) < 0.95 else (low, middle)
    return high


def hull_of_ellipses(first, second):
    """(x, y) of the outline of the convex hull of two upright ellipses (centre x, centre y, radius x, radius y)."""
    angle = np.linspace(0, 2 * np.pi, 65)
    cos, sin = np.cos(angle), np.sin(angle)
    reach, points = [], []
    for x, y, a, b in (first, second):
        length = np.maximum(np.hypot(a * cos, b * sin), 1e-300)  # an ellipse may be a point
        reach.append(x * cos + y * sin + length)
        points.append((x + a * a * cos / length, y + b * b * sin / length))
    return np.where(reach[0] >= reach[1], *points)


@dataclass(frozen=True)
class Crossover:
    load: float  # where two curves meet, by interpolation
    before: str
    after: str


def best_by_load(curves):
    """[(load, policy, mean)]: the highest mean at each load that all curves have; ties go to the earlier policy."""
    shared = sorted(set.intersection(*(set(curve.load) for curve in curves.values())))
    at = {policy: dict(zip(curve.load, curve.mean, strict=True)) for policy, curve in curves.items()}
    best = []
    for load in shared:
        policy = max(curves, key=lambda name: at[name][load])
        best.append((load, policy, at[policy][load]))
    return best


def crossovers(curves):
    """Where the upper envelope changes hands, from the lowest load upwards. Positive loads and means only."""
    best = best_by_load(curves)
    at = {policy: dict(zip(curve.load, np.log(curve.mean), strict=True)) for policy, curve in curves.items()}
    found = []
    for (left, leader, _), (right, last, _) in pairwise(best):
        position = 0.0  # share of the interval, in log load
        while leader != last:
            next_position, next_leader = 1.0, last
            for policy in curves:
                gap_left = at[leader][left] - at[policy][left]
                gap_right = at[leader][right] - at[policy][right]
                if gap_right >= 0 or gap_left <= gap_right:
                    continue  # does not overtake within this interval
                share = gap_left / (gap_left - gap_right)
                # Of several that overtake at one place, the steepest leads from there on.
                rank = (share, at[policy][left] - at[policy][right])
                best_rank = (next_position, at[next_leader][left] - at[next_leader][right])
                if share >= position and rank < best_rank:
                    next_position, next_leader = share, policy
            load = float(np.exp(np.log(left) + next_position * (np.log(right) - np.log(left))))
            found.append(Crossover(load, leader, next_leader))
            position, leader = next_position, next_leader
    return found
