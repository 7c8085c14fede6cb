"""Python environments of the scripts' own, from what a module's docstring says that it requires.

A line `Requires: PACKAGE==VERSION ...` names packages, `Requires without its requirements: ...` what asks for other
versions of those than it needs. They are installed into build/tools/references at the first run and whenever the lines
change; torch from PyPI brings its CUDA libraries, 5.6 GB in all (`du -sh build/tools/references`).
"""

import ast
import hashlib
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "build/tools/references"
ALONE = "Requires without its requirements:"


def requirements(module, beginning="Requires:"):
    """The packages of a module, from its docstring."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    lines = [line.removeprefix(beginning).split() for line in docstring.splitlines() if line.startswith(beginning)]
    packages = sorted(package for line in lines for package in line)
    if (not packages and beginning != ALONE) or any("==" not in package for package in packages):
        sys.exit(f"{module.name}: its docstring has no line `Requires: PACKAGE==VERSION ...`")
    return packages


def environment(module):
    """An interpreter that has what the module requires. Raises subprocess.CalledProcessError."""
    packages, alone = requirements(module), requirements(module, ALONE)
    folder = ENVIRONMENTS / hashlib.sha256(" ".join(packages + alone).encode()).hexdigest()[:12]
    python, ready = folder / "bin/python", folder / "ready"
    if not ready.exists():
        print(f"installing {' '.join(packages + alone)} into {folder.relative_to(ROOT)}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, *packages], check=True)
        if alone:
            subprocess.run([*command, "--no-deps", *alone], check=True)
        ready.write_text("\n".join(packages + alone) + "\n", encoding="utf-8")
    return python
