"""The committed references of models and drafters are what published programs compute: made afresh, they are the same.

Needs an interpreter with torch and transformers: that of scripts/make_references where it has installed them, or this
one, or the one that DSPARK_REFERENCE_PYTHON names. Without any the test is skipped and says so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(os.environ.get("DSPARK_SOURCE_DIR", Path(__file__).resolve().parent.parent))
DATA = ROOT / "tests/executor/model/data"
PROGRAM = ROOT / "scripts/references/models.py"
# Of a row's largest number: another processor or another number of lanes sums f32 in another order.
TOLERANCE = 5e-5


DRAFTERS = ROOT / "tests/executor/drafter/data"
DRAFTER_PROGRAM = ROOT / "scripts/references/block_drafters.py"


def interpreter(modules="torch, transformers"):
    installed = sorted((ROOT / "build/tools/references").glob("*/bin/python"))
    for python in [os.environ.get("DSPARK_REFERENCE_PYTHON"), *installed, sys.executable]:
        if python and subprocess.run([python, "-c", f"import {modules}"], capture_output=True).returncode == 0:
            return python
    return None


def numbers_of(path):
    """The tensors of a file whose all are F32."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    data = content[8 + size :]
    return {
        name: np.frombuffer(data[slice(*tensor["data_offsets"])], np.float32).reshape(tensor["shape"])
        for name, tensor in header.items()
    }


def differences(made, kept):
    """What is not the same in two folders of cases, in words."""
    found = []
    for path in sorted(path for path in kept.rglob("*") if path.is_file()):
        name = path.relative_to(kept)
        twin = made / name
        if not twin.exists():
            found.append(f"{name}: is not made")
        elif path.name != "reference.safetensors":
            if path.read_bytes() != twin.read_bytes():
                found.append(f"{name}: other bytes")
        else:
            ours, theirs = numbers_of(path), numbers_of(twin)
            if set(ours) != set(theirs):
                found.append(f"{name}: other tensors")
                continue
            for tensor in ours:
                error = np.abs(ours[tensor] - theirs[tensor]).max(axis=-1)
                if (error > TOLERANCE * np.abs(ours[tensor]).max(axis=-1)).any():
                    found.append(f"{name}: {tensor} differs by {error.max():.2g}")
    return found


class ModelReferences(unittest.TestCase):
    def test_made_afresh_they_are_the_same(self):
        python = interpreter()
        if python is None:
            self.skipTest("no interpreter with torch and transformers: scripts/make_references models installs one")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder)
            subprocess.run([python, "-B", PROGRAM, "--output", made], check=True, capture_output=True)
            self.assertEqual(sorted(path.name for path in made.iterdir()), sorted(path.name for path in DATA.iterdir()))
            self.assertEqual(differences(made, DATA), [])
            # A number that moved, a weight that changed and a file that is gone are seen.
            reference = made / "qwen3_tied/reference.safetensors"
            content = bytearray(reference.read_bytes())
            content[-1] ^= 0x80
            reference.write_bytes(content)
            weights = made / "gemma3_text/model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
            (made / "gemma4_images/config.json").unlink()
            self.assertEqual(len(differences(made, DATA)), 3)

    def test_those_of_smollm2_are_the_same(self):
        python = interpreter()
        if python is None:
            self.skipTest("no interpreter with torch and transformers: scripts/make_references models installs one")
        if not (ROOT / "build/models/smollm2-135m-instruct/config.json").exists():
            self.skipTest("no model in build/models/smollm2-135m-instruct: scripts/get_smollm2 makes it")
        kept = ROOT / "tests/executor/model/smollm2"
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder)
            program = ROOT / "scripts/references/smollm2.py"
            subprocess.run([python, "-B", program, "--output", made], check=True, capture_output=True)
            self.assertEqual(differences(made, kept), [])
            reference = made / "reference.safetensors"
            content = bytearray(reference.read_bytes())
            content[-1] ^= 0x80
            reference.write_bytes(content)
            self.assertEqual(len(differences(made, kept)), 1)

    def test_those_of_drafters_are_the_same(self):
        python = interpreter("torch, transformers, speculators.models.dspark")
        if python is None:
            self.skipTest("no interpreter with the library speculators: DSPARK_REFERENCE_PYTHON names one")
        cases = re.findall(
            r'^    "(\w+)": \(\n? *(?:DEEPSPEC|ORIGINAL|LIBRARY)',
            DRAFTER_PROGRAM.read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        self.assertGreater(len(cases), 5)
        with tempfile.TemporaryDirectory() as folder:
            made, kept = Path(folder) / "made", Path(folder) / "kept"
            subprocess.run([python, "-B", DRAFTER_PROGRAM, "--output", made], check=True, capture_output=True)
            for case in cases:
                shutil.copytree(DRAFTERS / case, kept / case)
            self.assertEqual(differences(made, kept), [])
            reference = made / cases[0] / "reference.safetensors"
            content = bytearray(reference.read_bytes())
            content[-1] ^= 0x80
            reference.write_bytes(content)
            self.assertEqual(len(differences(made, kept)), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
