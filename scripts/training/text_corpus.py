"""Templates of all domains, which of them are for training, and texts made of them. Needs Python's library alone.

A template is a structure (a nested tuple of words and numbers) that a domain's module draws and writes. The first 1 000
distinct ones of each domain count; its digest alone says whether one is for evaluation, so no text for training shares
its template with a text for evaluation.
"""

import dataclasses
import hashlib
import random

import text_arithmetic
import text_code
import text_prose

DOMAINS = {"arithmetic": text_arithmetic, "code": text_code, "prose": text_prose}
TEMPLATES = 1000  # of each domain
EVALUATION_SHARE = 32  # of 256 values of the digest's first byte


@dataclasses.dataclass(frozen=True)
class Text:
    domain: str
    template: str  # its digest
    prompt: str
    reply: str


def digest(structure):
    return hashlib.sha256(repr(structure).encode()).hexdigest()


def is_for_evaluation(structure):
    return int(digest(structure)[:2], 16) < EVALUATION_SHARE


def templates(domain):
    """All structures of a domain, in the order in which they are drawn."""
    stream = random.Random(f"templates of {domain}")
    found = {}
    while len(found) < TEMPLATES:
        structure = DOMAINS[domain].draw_structure(stream)
        found.setdefault(digest(structure), structure)
    return list(found.values())


def split(domain):
    """Structures for training and for evaluation."""
    all_of_it = templates(domain)
    return [s for s in all_of_it if not is_for_evaluation(s)], [s for s in all_of_it if is_for_evaluation(s)]


def write_texts(domain, structures, count, seed):
    """`count` texts, each of a template drawn anew."""
    for index in range(count):
        stream = random.Random(f"{domain} {seed} {index}")
        structure = stream.choice(structures)
        prompt, reply = DOMAINS[domain].write(structure, stream)
        yield Text(domain, digest(structure), prompt, reply)


def training_texts(domain, count, seed):
    return write_texts(domain, split(domain)[0], count, f"training {seed}")


def evaluation_texts(domain, count, seed):
    return write_texts(domain, split(domain)[1], count, f"evaluation {seed}")
