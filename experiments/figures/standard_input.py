"""What the figures that a command hands over have in common: JSON on standard input, NAME.png as the argument."""

import json
import logging
import sys
from pathlib import Path


def main(document, draw, title, wrong):
    """Draws `draw(what was read)` into NAME.png and NAME.pdf. document: for --help; title(what was read): of the file;
    wrong: what to call input that cannot be drawn. Returns the exit code."""
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        print(document)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    path = Path(arguments[0])
    try:
        study = json.load(sys.stdin)
        # A fresh machine builds its font cache at the first figure; that is no news for whoever asked for one.
        logging.getLogger("matplotlib").setLevel(logging.ERROR)
        from style import render, write

        files = render(draw(study), title(study))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        print(f"{name}: {wrong} ({error})", file=sys.stderr)
        return 2
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for suffix, content in files.items():
            write(path.with_suffix(f".{suffix}"), content)
            print(path.with_suffix(f".{suffix}"))
    except OSError as error:
        print(f"{name}: {path.parent}: cannot write ({error.strerror or error})", file=sys.stderr)
        return 3
    return 0
