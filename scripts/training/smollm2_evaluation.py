"""What the drafter for SmolLM2 is worth on prompts that training never saw, as `dspark evaluate` measures it."""

import json
import math
import subprocess

from smollm2_prompts import DOMAINS, prompts

REQUESTS = 24  # of each domain
REPLY = 64  # tokens at most
TEMPERATURES = "1"
NORMAL_95 = 1.96
STANDARD_ERRORS = 4  # that a figure may be away when it is measured again
OTHER_WEIGHTS = 0.1  # that τ may be away besides: another kind of processor samples and trains others


def write_prompts(folder, seed):
    """One prompt a line, `\\n` for the end of a line in it. The domain is the file's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for domain in DOMAINS:
        lines = [each.prompt.replace("\n", "\\n") + "\n" for each in prompts(domain, REQUESTS, seed, evaluation=True)]
        (folder / f"{domain}.txt").write_text("".join(lines), encoding="utf-8")


def rounded(value):
    """None where there were no rounds to measure it in."""
    return None if value is None else round(value, 4)


def figures_of(group):
    numbers = {
        "tau": round(group["tau"], 4),
        "standard_error": round((group["tau_high"] - group["tau_low"]) / 2 / NORMAL_95, 4),
        "rounds": group["whole_rounds"],
        "acceptance": [rounded(position["acceptance"]) for position in group["positions"]],
    }
    scores = ("raw_ece", "ece", "debiased_ece", "raw_auc", "auc")
    return numbers | {name: rounded(group[name]) for name in scores if name in group}


def evaluate(executor, model, drafter, report):
    """By drafter, temperature and domain (`all`: together)."""
    write_prompts(drafter / "prompts", "prompts")
    command = [executor, "evaluate", "--model", model, "--drafter", drafter, "--drafter", "ngram", "--lines", "--json"]
    command += ["--requests", str(REQUESTS), "--output-tokens", str(REPLY), "--temperature", TEMPERATURES, "--quiet"]
    for domain in DOMAINS:
        command += ["--prompts", drafter / "prompts" / f"{domain}.txt"]
    groups = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["groups"]
    figures = {}
    for group in groups:
        name = "ngram" if group["drafter"] == "ngram" else "dspark"
        of = figures.setdefault(name, {}).setdefault(f"{group['temperature']:g}", {})
        of[group["domain"]] = found = figures_of(group)
        temperature = group["temperature"]
        report(f"{name}, {group['domain']}, T {temperature:g}: tau {found['tau']:.3f} ± {found['standard_error']:.3f}")
    return figures


def differences(committed, measured):
    """Lines of what is not as committed."""
    found = []
    for drafter, temperatures in committed.items():
        for temperature, domains in temperatures.items():
            for domain, figure in domains.items():
                again = measured[drafter][temperature][domain]
                noise = STANDARD_ERRORS * math.hypot(figure["standard_error"], again["standard_error"])
                if abs(again["tau"] - figure["tau"]) > noise + OTHER_WEIGHTS:
                    found.append(
                        f"{drafter}, {domain}, T {temperature}: tau {again['tau']}, not {figure['tau']} "
                        f"± {noise + OTHER_WEIGHTS:.3f}"
                    )
    return found
