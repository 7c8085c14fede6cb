"""How far a training is, and what it has used."""

import resource
import time


class Clock:
    """Reports with what was used so far: seconds, and processor seconds."""

    def __init__(self):
        self.begun = time.monotonic()

    def report(self, line):
        used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        processors = sum(each.ru_utime + each.ru_stime for each in used)
        seconds = time.monotonic() - self.begun
        print(f"[{seconds:5.0f} s, {processors:5.0f} s of processors] {line}", flush=True)
