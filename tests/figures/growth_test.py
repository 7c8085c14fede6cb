"""The figure of a growth path shows the paths as they are, and refuses what is none."""

import copy
import os
import sys
import unittest
from pathlib import Path

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[2]))
sys.path[:0] = [str(ROOT / "experiments" / "figures")]

from growth import draw, stack  # noqa: E402


def epoch(years, gpus, tokens, price, **parts):
    channels = dict.fromkeys(("own_growth", "volume", "intensity", "new_applications", "limits"), 0.0) | parts
    return {
        "years": years,
        "gpus": gpus,
        "tokens_per_second": tokens,
        "lost_tokens_per_second": 0.0,
        "price": price,
        "demanded_tokens_by_channel": channels,
    }


def study():
    resources = [{"gpu_hours": {"rebound": None}}, {"gpu_hours": {"rebound": 0.4}}]
    return {
        "title": "two epochs",
        "broken": "",
        "without_policy": [epoch(0, 10, 100, 1), epoch(1, 20, 200, 1, own_growth=100)],
        "engineering": [epoch(0, 10, 100, 1), epoch(1, 10, 200, 1, own_growth=100)],
        "with_policy": [epoch(0, 10, 100, 1), epoch(1, 14, 280, 0.5, own_growth=110, volume=90, limits=-20)],
        "resources": resources,
        "in_all": {"gpu_hours": {"rebound": 0.4}},
    }


class Growth(unittest.TestCase):
    def test_lines_are_the_paths(self):
        figure = draw(study())
        gpus, tokens, price, rebound = figure.axes
        self.assertEqual([list(line.get_ydata()) for line in gpus.lines], [[10, 20], [10, 10], [10, 14]])
        self.assertEqual(list(tokens.lines[0].get_ydata()), [100, 200])
        self.assertEqual([list(line.get_ydata()) for line in price.lines], [[1, 1], [1, 0.5]])
        self.assertEqual(list(rebound.lines[1].get_xdata()), [1])  # no R in the first epoch
        self.assertEqual(list(rebound.lines[1].get_ydata()), [0.4])

    def test_layers_add_up_to_what_is_demanded(self):
        layers = stack(study()["with_policy"])
        self.assertEqual([sum(column) for column in zip(*layers.values(), strict=True)], [100, 280])
        self.assertEqual(layers["baseline"], [100, 100])
        self.assertEqual(layers["volume"], [0, 81])  # 90 less its part of what limits cut

    def test_refuses_a_broken_path(self):
        broken = copy.deepcopy(study())
        broken["broken"] = "epoch 3: demand runs away"
        with self.assertRaises(ValueError):
            draw(broken)


if __name__ == "__main__":
    unittest.main()
