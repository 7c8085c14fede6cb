"""The tokenizer, and texts as windows of tokens."""

import dataclasses

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

SIZE = 512
END, MASK = "<|endoftext|>", "<|mask|>"
END_TOKEN, MASK_TOKEN = 0, 1
WINDOW = 256
OPEN_WINDOWS = 32  # that are filled at once


@dataclasses.dataclass
class Windows:
    """Whole texts side by side: tokens (windows, WINDOW) and which text each is of (-1: padding)."""

    tokens: torch.Tensor
    documents: torch.Tensor


def train_tokenizer(texts):
    """Byte-level BPE; each digit is a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[AddedToken(name, normalized=False, special=True) for name in (END, MASK)],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def pack(sequences, dtype=torch.int16):
    """Each sequence into the first open window that has room; longer ones than a window are left out."""
    tokens, documents, begun = [], [], []
    for number, sequence in enumerate(s for s in sequences if len(s) <= WINDOW):
        row = next((row for row in begun if len(tokens[row]) + len(sequence) <= WINDOW), None)
        if row is None:
            row = len(tokens)
            tokens.append([])
            documents.append([])
            begun = [*begun, row][-OPEN_WINDOWS:]
        tokens[row] += sequence
        documents[row] += [number] * len(sequence)
    for row, of in zip(tokens, documents, strict=True):
        of += [-1] * (WINDOW - len(row))
        row += [END_TOKEN] * (WINDOW - len(row))
    return Windows(torch.tensor(tokens, dtype=dtype), torch.tensor(documents, dtype=torch.int32))


def encode(tokenizer, texts):
    """Tokens of prompt and reply, apart as they are when a prompt is served, with the end token behind."""
    prompts = tokenizer.encode_batch([text.prompt for text in texts], add_special_tokens=False)
    replies = tokenizer.encode_batch([text.reply for text in texts], add_special_tokens=False)
    return [[*prompt.ids, *reply.ids, END_TOKEN] for prompt, reply in zip(prompts, replies, strict=True)]
