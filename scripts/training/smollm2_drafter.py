"""The drafter for SmolLM2: its shape, its training on sampled rows, its folder in the layout of `speculators`."""

import dataclasses
import os
import tempfile
import time

import torch
from checkpoints import load_target, stack_config, write_json
from clock import Clock
from drafters import Drafter, draw_anchors, losses
from layers import Optimiser, initialise
from safetensors.torch import save_file
from smollm2_samples import Rows
from speculators_layout import draft_to_target, layout_config, layout_tensors
from target import batches
from torch import distributed, multiprocessing
from torch.nn import functional
from vocabulary import pack

PROCESSES = 2  # one thread each: two threads would wait for one another at every product
GAMMA = 7
DRAFT_LAYERS = 1
MARKOV_RANK = 128
DRAFT_VOCABULARY = 6144
MASK_TOKEN = 4  # <reponame>, which no text has
RATE = 2e-3
BATCH = 10  # windows of all processes
SHRINKAGE = 3  # tokens' worth of the mean of all in the mean behind a token
FIRST_NORM = 0.1  # of the target's final norm: logits that know nothing yet should not be sure of it
CHECKPOINT = 50  # steps
VERIFIER = {"architectures": ["LlamaForCausalLM"], "name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}


def frequent_tokens(rows, count):
    """Ascending: the most frequent ones of the replies; ties by number."""
    replies = rows.tokens[rows.reply.bool()].long()
    counts = torch.bincount(replies, minlength=int(replies.max()) + 1)
    order = counts.sort(descending=True, stable=True)
    covered = order.values[:count].sum().item() / len(replies)
    return order.indices[:count].sort().values, covered


def pack_rows(rows):
    """Windows of numbers of rows, as whole texts stand in them."""
    ends = rows.lengths.long().cumsum(0).tolist()
    texts = [list(range(end - size, end)) for end, size in zip(ends, rows.lengths.tolist(), strict=True)]
    return pack(texts, torch.int32)


class Sampled:
    """What the target gave at each row, for batches of windows."""

    def __init__(self, rows, scale, head):
        self.rows, self.scale, self.head = rows, scale, head.bfloat16()

    def features(self, numbers):
        """Of one size in every column: SmolLM2 has columns a hundred times as large as others."""
        return self.rows.gather("features", numbers).float() * self.scale

    def probabilities(self, numbers):
        def of(batch, inside):
            at = numbers[batch, inside]
            last = self.rows.gather("last", at)
            logits = functional.linear(last, self.head).float()  # as those that were drawn from
            return (logits - self.rows.sums[at].unsqueeze(-1)).exp()

        return of


def column_scale(rows):
    """Per column of the features 1 / root mean square, over replies."""
    numbers = rows.reply.nonzero()[:, 0][::11]
    sample = rows.gather("features", numbers).float()
    return sample.pow(2).mean(0).clamp(min=1e-6).rsqrt()


def begin_markov_head(head, rows, draft_head):
    """What follows a token on average, as the target's mean output behind that token says: of that, the part of the
    head's rank that moves most logits. Tokens that were rarely seen have more of the mean of all."""
    width, seen = draft_head.shape[1], rows.reply.bool()
    seen[rows.lengths.long().cumsum(0) - 1] = False  # the last row of a text has no output
    totals, counts = torch.zeros(len(head.markov_w1.weight), width), torch.zeros(len(head.markov_w1.weight), 1)
    for numbers in seen.nonzero()[:, 0].split(8192):
        tokens = rows.tokens[numbers].long()
        totals.index_add_(0, tokens, rows.gather("last", numbers).float())
        counts.index_add_(0, tokens, torch.ones(len(tokens), 1))
    means = (totals + SHRINKAGE * totals.sum(0) / counts.sum()) / (counts + SHRINKAGE)
    values, vectors = torch.linalg.eigh(draft_head.T @ draft_head / len(draft_head))
    root = (vectors * values.sqrt()) @ vectors.T  # of the logits' metric
    inverse = (vectors * values.rsqrt()) @ vectors.T
    spread = (root @ (means * counts).T) @ (means @ root) / counts.sum()
    chosen = torch.linalg.eigh(spread).eigenvectors[:, -head.markov_w1.weight.shape[1] :]
    first, second = means @ root @ chosen, draft_head @ inverse @ chosen
    balance = (second.pow(2).mean() / first.pow(2).mean()) ** 0.25
    head.markov_w1.weight.data.copy_(first * balance)
    head.markov_w2.weight.data.copy_(second / balance)


def make_drafter(target, layer_ids, rows, seed):
    draft_ids, covered = frequent_tokens(rows, DRAFT_VOCABULARY)
    shape = dataclasses.replace(target.shape, layers=DRAFT_LAYERS, head_norms=True)
    drafter = Drafter(shape, layer_ids, MARKOV_RANK, draft_ids, GAMMA, MASK_TOKEN)
    generator = torch.Generator().manual_seed(seed)
    initialise(drafter, DRAFT_LAYERS, generator)
    drafter.share(target.model.embed_tokens.weight)
    drafter.norm.weight.data.copy_(target.model.norm.weight * FIRST_NORM)  # what the shared LM head is used to
    with torch.no_grad():
        begin_markov_head(drafter.markov_head, rows, drafter.lm_head.weight)
    return drafter, generator, covered


def resume(drafter, optimiser, path, about):
    """The step that a run which was stopped had reached; 0 if there is none of these samples and steps."""
    if not path.is_file():
        return 0
    saved = torch.load(path, weights_only=True)
    if saved["about"] != about:
        return 0
    drafter.load_state_dict(saved["drafter"], strict=False)
    for part, state in zip(optimiser.parts, saved["optimiser"], strict=True):
        part.load_state_dict(state)
    optimiser.done = saved["step"]
    return saved["step"]


def keep(drafter, optimiser, path, about, step):
    trained = {name: weight.data for name, weight in drafter.named_parameters() if weight.requires_grad}
    state = {
        "about": about,
        "drafter": trained,
        "optimiser": [part.state_dict() for part in optimiser.parts],
        "step": step,
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def average_gradients(parameters):
    flat = torch.cat([each.grad.flatten() for each in parameters])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    sizes = [each.numel() for each in parameters]
    for each, values in zip(parameters, flat.split(sizes), strict=True):
        each.grad.copy_(values.view_as(each))


class Progress:
    """Means of c* since the last line, which the first process writes."""

    def __init__(self, steps, report):
        self.steps, self.report, self.recent, self.begun = steps, report, [], time.monotonic()

    def add(self, step, accepted):
        self.recent.append(accepted)
        if step % 25 and step != self.steps:
            return
        means = torch.stack(self.recent).mean(0)
        length = 1 + means.cumprod(0).sum().item()
        shares = " ".join(f"{mean:.3f}" for mean in means.tolist())
        seconds = time.monotonic() - self.begun
        self.report(f"drafter {step}/{self.steps}: c* {shares} (tau about {length:.2f}), {seconds:.0f} s")
        self.recent = []


def train_process(rank, job):
    """One of PROCESSES: its share of each batch's windows. The first one keeps what was trained in job["path"]."""
    torch.set_num_threads(1)
    rows, steps, seed = Rows(job["samples"]), job["steps"], job["seed"]
    report = Clock().report if rank == 0 else (lambda line: None)
    windows, scale = pack_rows(rows), column_scale(rows)
    drafter, generator, covered = make_drafter(load_target(job["model"]), job["layers"], rows, seed)
    report(f"{len(windows.tokens)} windows, draft vocabulary {100 * covered:.2f} % of the replies' tokens")
    optimiser = Optimiser(drafter, RATE, steps, others=("fc.weight",))
    sampled = Sampled(rows, scale, drafter.lm_head.weight.data)
    done = resume(drafter, optimiser, job["path"], job["about"])
    distributed.init_process_group("gloo", init_method=job["meeting"], rank=rank, world_size=PROCESSES)
    progress = Progress(steps, report)
    for step, (numbers, documents) in enumerate(batches(windows, BATCH, steps, generator), 1):
        anchors = draw_anchors(documents, generator, rows.reply[numbers])
        if step <= done:
            continue
        numbers, documents, anchors = (each[rank::PROCESSES] for each in (numbers, documents, anchors))
        tokens = rows.tokens[numbers].long()
        of = (drafter, tokens, documents, anchors, sampled.features(numbers), sampled.probabilities(numbers))
        loss, accepted = losses(*of)
        optimiser.step(loss, average_gradients)
        progress.add(step, accepted)
        if rank == 0 and (step % CHECKPOINT == 0 or step == steps):
            keep(drafter, optimiser, job["path"], job["about"], step)
    distributed.destroy_process_group()


def train_drafter(model, layer_ids, samples, steps, seed, path):
    """path: of the checkpoint from which a stopped training goes on."""
    about = repr((samples, steps, seed, DRAFT_LAYERS, GAMMA, MARKOV_RANK, DRAFT_VOCABULARY, RATE, BATCH, layer_ids))
    job = {"model": model, "layers": layer_ids, "samples": samples, "steps": steps, "seed": seed}
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        job |= {"path": path, "about": about, "meeting": f"file://{folder}/meeting"}
        multiprocessing.spawn(train_process, (job,), PROCESSES)
    rows = Rows(samples)
    target = load_target(model)
    drafter, *_ = make_drafter(target, layer_ids, rows, seed)
    drafter.load_state_dict(torch.load(path, weights_only=True)["drafter"], strict=False)
    with torch.no_grad():
        drafter.fc.weight *= column_scale(rows)  # features are given as they are from here on
    return drafter


def save_drafter(drafter, folder):
    folder.mkdir(parents=True, exist_ok=True)
    block = {
        "block_size": drafter.gamma,
        "layer_ids": drafter.layer_ids,
        "mask_token": drafter.mask_token,
        "rank": drafter.rank,
        "draft_vocabulary": len(drafter.draft_ids),
    }
    config = layout_config(stack_config(drafter.shape), block, VERIFIER)
    weights = {name: weight.detach().to(torch.bfloat16) for name, weight in drafter.state_dict().items()}
    del weights["embed_tokens.weight"]
    weights["d2t"] = torch.tensor(draft_to_target(drafter.draft_ids.tolist()))
    weights["t2d"] = torch.zeros(drafter.shape.vocabulary, dtype=torch.bool)
    weights["t2d"][drafter.draft_ids] = True
    shapes = {name: list(weight.shape) for name, weight in weights.items()}
    if shapes != layout_tensors(config):
        raise ValueError("the drafter's tensors are not those of the layout")
    save_file({k: w.contiguous().clone() for k, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    write_json(folder / "config.json", config)
