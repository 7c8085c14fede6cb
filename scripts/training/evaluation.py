"""What the pair is worth: τ by domain and drafter as our executor serves it, calibration, and how hard the text is."""

import csv
import json
import math
import re
import subprocess
import tempfile
from pathlib import Path

import torch
from checkpoints import load_drafter, load_target
from drafters import GAMMA
from serving import Serving, accepted_length
from target import causal_mask, next_tokens
from text_corpus import DOMAINS, evaluation_texts
from tokenizers import Tokenizer
from vocabulary import encode, pack

PROMPTS = 96  # of each domain, in files beside the models
REPLY = 128  # tokens at most
CALIBRATION_PROMPTS = 512  # of each domain, for the rounds that confidences are judged on
BATCH = 128  # requests that PyTorch serves at once
DRAFTERS = ("dspark", "dflash", "ngram")
STANDARD_ERRORS = 4  # that a figure may be away when it is measured again
HALF_WIDTH = 1.9853  # of a 95 % interval, in standard errors: Student with PROMPTS - 1 degrees of freedom


def write_prompts(folder):
    """One prompt a line, `\\n` for the end of a line in it. The domain is the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for domain in DOMAINS:
        lines = [text.prompt.replace("\n", "\\n") + "\n" for text in evaluation_texts(domain, PROMPTS, "prompts")]
        (folder / f"{domain}.txt").write_text("".join(lines), encoding="utf-8")


def serve_all(executor, pair, report):
    """τ by domain and drafter, each with its standard error, by the executor."""
    command = [executor, "evaluate", "--model", pair / "target", "--temperature", "1", "--block-size", str(GAMMA)]
    command += ["--lines", "--requests", str(PROMPTS), "--output-tokens", str(REPLY), "--json", "--quiet"]
    for drafter in DRAFTERS:
        command += ["--drafter", drafter if drafter == "ngram" else pair / drafter]
    for domain in DOMAINS:
        command += ["--prompts", pair / "prompts" / f"{domain}.txt"]
    groups = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["groups"]
    figures = {domain: {} for domain in DOMAINS}
    for group in groups:
        domain, drafter = group["domain"], Path(group["drafter"]).name
        if domain not in figures:  # all of them together
            continue
        tau, error = group["tau"], (group["tau_high"] - group["tau_low"]) / (2 * HALF_WIDTH)
        figures[domain][drafter] = {
            "tau": round(tau, 4),
            "standard_error": round(error, 4),
            "rounds": group["whole_rounds"],
        }
        report(f"{domain}, {drafter}: tau {tau:.3f} ± {error:.3f}")
    return figures


def entropies(pair):
    """Of the target on held-out texts, replies alone: nats a token and a byte, and the text's own cross-entropy."""
    target, tokenizer = load_target(pair / "target"), Tokenizer.from_file(str(pair / "target/tokenizer.json"))
    figures = {}
    for domain in DOMAINS:
        texts = list(evaluation_texts(domain, 256, "entropy"))
        sequences = encode(tokenizer, texts)
        windows = pack(sequences)
        tokens, documents = windows.tokens.long(), windows.documents.long()
        with torch.no_grad():
            logits, _ = target(tokens, torch.arange(tokens.shape[1]).unsqueeze(0), causal_mask(documents))
        follows = next_tokens(tokens, documents)
        known = follows >= 0
        log_p = logits.log_softmax(-1)[known]
        entropy = -(log_p.exp() * log_p).sum(-1).mean().item()
        cross = -log_p.gather(-1, follows[known].unsqueeze(-1)).mean().item()
        kept = [text for text, sequence in zip(texts, sequences, strict=True) if len(sequence) <= tokens.shape[1]]
        size = sum(len((text.prompt + text.reply).encode()) for text in kept)
        per_byte = int(known.sum()) / size
        figures[domain] = {
            "nats_per_token": round(entropy, 4),
            "nats_per_byte": round(entropy * per_byte, 4),
            "cross_entropy_per_token": round(cross, 4),
            "bytes_per_token": round(1 / per_byte, 3),
        }
    return figures


def record_rounds(pair, path, report):
    """Rounds of DSpark on held-out prompts, served by PyTorch, as `dspark calibrate` reads them; τ by domain."""
    target, drafter = load_target(pair / "target"), load_drafter(pair / "dspark")
    tokenizer = Tokenizer.from_file(str(pair / "target/tokenizer.json"))
    numbered = range(1, GAMMA + 1)
    lengths = {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = ["request", "round", "anchor_position", "domain", "drafted", "verified", "accepted"]
        writer.writerow(names + [f"{c}_{k}" for c in ("confidence", "acceptance") for k in numbered])
        request = 0
        for domain in DOMAINS:
            prompts = [text.prompt for text in evaluation_texts(domain, CALIBRATION_PROMPTS, "calibration")]
            tokens = [each.ids for each in tokenizer.encode_batch(prompts, add_special_tokens=False)]
            rounds = []
            for first in range(0, len(tokens), BATCH):
                served = Serving(target, tokens[first : first + BATCH], REPLY, drafter, seed=first).run()
                rounds += served.rounds
                for r in served.rounds:
                    signals = [f"{value:.6g}" for value in r.confidence] + [""] * (GAMMA - r.drafted)
                    signals += [f"{value:.6g}" for value in r.acceptance] + [""] * (GAMMA - r.drafted)
                    row = [request + r.request, r.number, r.anchor_position, domain, r.drafted, r.drafted, r.accepted]
                    writer.writerow(row + signals)
                request += len(tokens[first : first + BATCH])
            lengths[domain] = round(accepted_length(rounds), 4)
            report(f"{domain}: tau {lengths[domain]:.3f} by PyTorch, {len(rounds)} rounds")
    return lengths


def calibrate(executor, rounds):
    """Temperatures, and the ECE of survival by position before and after, on the requests that did not fit."""
    with tempfile.TemporaryDirectory() as folder:
        command = [executor, "calibrate", rounds, "--out", Path(folder) / "temperatures.yaml"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = re.findall(
        r"^ +\d+ +(\d+\.\d+) +(\d+) +(\d+\.\d+) → (\d+\.\d+) +(\d+\.\d+) → (\d+\.\d+)", output, re.MULTILINE
    )
    columns = list(zip(*[[float(value) for value in row] for row in rows], strict=True))
    names = ("temperatures", "rounds", "ece_raw", "ece", "debiased_ece_raw", "debiased_ece")
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def evaluate(executor, pair, report):
    with tempfile.TemporaryDirectory() as folder:
        rounds = Path(folder) / "rounds.csv"
        lengths = record_rounds(pair, rounds, report)
        calibration = calibrate(executor, rounds)
    report("ECE after scaling: " + " ".join(f"{value:.4f}" for value in calibration["ece"]))
    return {
        "tau": serve_all(executor, pair, report),
        "tau_by_pytorch": lengths,
        "calibration": calibration,
        "entropy": entropies(pair),
    }


def differences(committed, measured):
    """What is not as committed, within STANDARD_ERRORS of the difference of two such measurements."""
    found = []
    for domain, drafters in committed["tau"].items():
        for drafter, figure in drafters.items():
            again = measured["tau"][domain][drafter]
            allowed = STANDARD_ERRORS * math.hypot(figure["standard_error"], again["standard_error"])
            if abs(again["tau"] - figure["tau"]) > allowed:
                found.append(f"{domain}, {drafter}: tau {again['tau']}, not {figure['tau']} ± {allowed:.3f}")
    for domain, figure in committed["entropy"].items():
        again = measured["entropy"][domain]["nats_per_token"]
        if abs(again - figure["nats_per_token"]) > 0.01 * figure["nats_per_token"]:
            found.append(f"{domain}: {again} nats a token, not {figure['nats_per_token']}")
    worst = max(measured["calibration"]["ece"])
    if worst > 0.03:
        found.append(f"ECE {worst} at a position after temperature scaling")
    return found
