"""The committed references of drafters are what published programs compute: made afresh, they are the same.

Needs an interpreter that has the library beside torch and transformers (DSPARK_REFERENCE_PYTHON names one). Without any
the test is skipped and says so.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import model_references_slow_test as models

DATA = models.ROOT / "tests/executor/drafter/data"
PROGRAMS = [
    models.ROOT / "scripts/references" / f"{name}.py"
    for name in ("chain_drafters", "gemma_drafters", "assisted_generation")
]


class DrafterReferences(unittest.TestCase):
    def test_made_afresh_they_are_the_same(self):
        python = models.interpreter()
        if python is None or subprocess.run([python, "-c", "import speculators"], capture_output=True).returncode != 0:
            self.skipTest("no interpreter with speculators, torch and transformers")
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder)
            for program in PROGRAMS:
                subprocess.run([python, "-B", program, "--output", made], check=True, capture_output=True)
            cases = sorted(path.name for path in made.iterdir())
            self.assertGreater(len(cases), 8)
            for case in cases:
                self.assertEqual(models.differences(made / case, DATA / case), [], case)
            # A number that moved and a weight that changed are seen.
            reference = made / cases[0] / "reference.safetensors"
            content = bytearray(reference.read_bytes())
            content[-1] ^= 0x80
            reference.write_bytes(content)
            weights = made / cases[0] / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
            self.assertEqual(len(models.differences(made / cases[0], DATA / cases[0])), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
