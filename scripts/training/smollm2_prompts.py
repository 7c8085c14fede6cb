"""Short instructions in four domains, as SmolLM2-135M-Instruct is asked them. Needs Python's library alone.

A template is a domain's form with an opening and an ending; its digest alone says whether it is for evaluation. Of the
words that fill a template, some are for evaluation alone too: a prompt for evaluation shares neither its template nor a
word that was filled in (numbers aside) with one for training.
"""

import random
import re

from smollm2_words import FORMS, WORDS
from text_corpus import Text, digest, is_for_evaluation

DOMAINS = tuple(FORMS)
OPENINGS = ("", "Please help me. ", "Quick question. ", "I am a beginner. ", "For my class: ", "Be precise. ")
ENDINGS = {
    "explain": ("", " Use simple words.", " Answer in two sentences.", " Give an example.", " Write one paragraph."),
    "list": ("", " Keep it short.", " Number them.", " Add a reason for each.", " Begin with the easiest."),
    "code": ("", " Add comments.", " Keep it short.", " Explain each step.", " Show how it is used."),
    "story": ("", " Make it funny.", " Make it short.", " Use vivid language.", " Write at least two paragraphs."),
}
NUMBERS = {"few": (3, 10), "digit": (2, 9), "small": (1, 30), "large": (31, 99)}  # inclusive
# What the chat template of the model makes of one question, as `dspark generate` renders it.
BEFORE = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n"
)
BEHIND = "<|im_end|>\n<|im_start|>assistant\n"


def templates(domain):
    """(domain, form, opening, ending) of all of a domain."""
    return [
        (domain, form, opening, ending) for form in FORMS[domain] for opening in OPENINGS for ending in ENDINGS[domain]
    ]


def split(domain):
    """Templates for training and for evaluation."""
    all_of_it = templates(domain)
    return [t for t in all_of_it if not is_for_evaluation(t)], [t for t in all_of_it if is_for_evaluation(t)]


def words(kind, evaluation):
    """Every sixth is for evaluation, the others for training."""
    return WORDS[kind][::6] if evaluation else [word for i, word in enumerate(WORDS[kind]) if i % 6]


def fill(template, stream, evaluation):
    def draw(match):
        kind = match.group(1)
        return str(stream.randint(*NUMBERS[kind])) if kind in NUMBERS else stream.choice(words(kind, evaluation))

    _, form, opening, ending = template
    return opening + re.sub(r"\{(\w+)\}", draw, form) + ending


def prompts(domain, count, seed, evaluation=False):
    """`count` prompts, each of a template drawn anew, in the model's chat template. Their replies are the model's."""
    chosen = split(domain)[evaluation]
    for index in range(count):
        stream = random.Random(f"smollm2 {domain} {seed} {index} {evaluation}")
        template = stream.choice(chosen)
        yield Text(domain, digest(template), BEFORE + fill(template, stream, evaluation) + BEHIND, "")
