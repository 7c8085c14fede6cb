"""scripts/get_smollm2 without the network: names, order and rounding of weights, and which folders it touches."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parents[1]))
SCRIPT = ROOT / "scripts" / "get_smollm2"


def load_script():
    """The script as a module; it has no .py and leaves no bytecode beside itself."""
    loader = importlib.machinery.SourceFileLoader("get_smollm2", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


script = load_script()


class Weights(unittest.TestCase):
    def test_names_are_those_of_hugging_face(self):
        self.assertEqual(script.weights_name("token_embd.weight"), "model.embed_tokens.weight")
        self.assertEqual(script.weights_name("output_norm.weight"), "model.norm.weight")
        self.assertEqual(script.weights_name("blk.29.attn_q.weight"), "model.layers.29.self_attn.q_proj.weight")
        self.assertEqual(script.weights_name("blk.0.ffn_norm.weight"), "model.layers.0.post_attention_layernorm.weight")
        for unknown in ("rope_freqs.weight", "blk.0.attn_q.bias", "blk.0.attn_x.weight", "output.weight"):
            with self.assertRaises(script.GetError):
                script.weights_name(unknown)

    def test_pairs_that_rotate_together_are_taken_apart(self):
        # Two heads of six rows. llama.cpp: pair 0 is rows 0 and 1; Hugging Face: rows 0 and 3.
        rows = np.arange(12, dtype=np.float32).repeat(2).reshape(12, 2)
        order = script.half_after_half(rows, heads=2)[:, 0].astype(int).tolist()
        self.assertEqual(order, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11])

    def test_bf16_is_the_nearest_and_of_two_the_even_one(self):
        one, step = 0x3F800000, 0x10000  # 1.0 and a unit in BF16's last place
        bits = [one, one + step // 2 - 1, one + step // 2, one + step // 2 + 1, one + step + step // 2, 0x80000000]
        values = np.array(bits, dtype="<u4").view("<f4")
        rounded = np.frombuffer(script.bf16_bytes(values), dtype="<u2").tolist()
        self.assertEqual(rounded, [0x3F80, 0x3F80, 0x3F80, 0x3F81, 0x3F82, 0x8000])

    def test_a_file_of_tensors_is_as_its_format_says(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.safetensors"
            for dtype, width in (("F32", 4), ("BF16", 2)):
                tensors = {"a": np.ones((2, 3), dtype="<f4"), "b": np.zeros(5, dtype="<f4")}
                script.write_safetensors(path, tensors, dtype)
                data = path.read_bytes()
                size = int.from_bytes(data[:8], "little")
                header = json.loads(data[8 : 8 + size])
                self.assertEqual(size % 8, 0)
                self.assertEqual(header["a"], {"dtype": dtype, "shape": [2, 3], "data_offsets": [0, 6 * width]})
                self.assertEqual(header["b"]["data_offsets"], [6 * width, 11 * width])
                self.assertEqual(len(data), 8 + size + 11 * width)


class Folders(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.root = Path(self.temporary.name)
        self.output = self.root / "model"
        for name, value in {
            "TOOLS": self.root / "tools",
            "prepare_environment": mock.Mock(return_value="python"),
            "prepare_wheel": mock.Mock(return_value="wheel"),
            "convert_in_environment": mock.Mock(side_effect=self.convert),
        }.items():
            patch = mock.patch.object(script, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def convert(self, python, wheel, folder, dtype):
        (folder / "config.json").write_text(dtype)

    def get(self, dtype="BF16"):
        with contextlib.redirect_stdout(io.StringIO()):
            script.get(self.output, dtype, None)

    def names(self):
        return sorted(path.name for path in self.root.iterdir() if path.name != "tools")

    def test_a_folder_appears_whole_and_is_left_alone_after_that(self):
        self.get()
        self.get()
        self.assertEqual((self.output / "config.json").read_text(), "BF16")
        self.assertEqual(script.convert_in_environment.call_count, 1)
        self.get("F32")
        self.assertEqual((self.output / "config.json").read_text(), "F32")
        self.assertEqual(self.names(), ["model"])

    def test_a_conversion_that_fails_leaves_nothing(self):
        script.convert_in_environment.side_effect = script.GetError("the conversion failed")
        with self.assertRaises(script.GetError):
            self.get()
        self.assertEqual(self.names(), [])

    def test_a_folder_of_someone_else_is_left_alone(self):
        self.output.mkdir()
        (self.output / "config.json").write_text("mine")
        with self.assertRaisesRegex(script.GetError, "was not written by this program"):
            self.get()
        self.assertEqual((self.output / "config.json").read_text(), "mine")


class Wheel(unittest.TestCase):
    def test_another_wheel_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            wheel = Path(folder) / "x.whl"
            wheel.write_bytes(b"other")
            with self.assertRaisesRegex(script.GetError, "another digest"):
                script.prepare_wheel("python", wheel)
            with self.assertRaisesRegex(script.GetError, "no file"):
                script.prepare_wheel("python", Path(folder) / "y.whl")


if __name__ == "__main__":
    unittest.main()
