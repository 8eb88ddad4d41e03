"""The small models: a Transformer language model and a dual encoder, each with 1 to 3 million parameters.

They need PyTorch (the extra `train`). With one thread and on a CPU they give the same figures for the same seed; on a
GPU, which is used where there is one, sums may come in another order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from benchmarks.quality.tfidf import ngram_columns
from benchmarks.quality.tokens import END, Vocabulary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Tokens of a training sequence, and the most that a prediction looks back on.
CONTEXT = 128
_WIDTH, _LAYERS, _HEADS = 128, 4, 4
_SEQUENCES = 8  # of a step
_RATE = 3e-3
_HASHES, _ENCODED = 1 << 15, 48
_PAIRS = 128  # of a step of the dual encoder
_TEMPERATURE = 0.07


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a model is trained on and for how long."""

    pairs: pl.DataFrame
    held_out: pl.DataFrame
    steps: int
    seed: int


def device() -> str:
    """Where models are trained: a GPU, if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _prepare(seed: int) -> None:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.manual_seed(seed)


class Transformer(nn.Module):
    """A decoder with learned positions; embeddings and output weights are one matrix."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, _WIDTH)
        self.positions = nn.Embedding(CONTEXT, _WIDTH)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                _WIDTH, _HEADS, 4 * _WIDTH, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(_LAYERS)
        )
        self.norm = nn.LayerNorm(_WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """The logits of the token after each one: (sequences, tokens, vocabulary)."""
        length = tokens.shape[1]
        state = self.embedding(tokens) + self.positions(torch.arange(length, device=tokens.device))
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=tokens.device)
        for layer in self.layers:
            state = layer(state, src_mask=mask, is_causal=True)
        logits: torch.Tensor = self.norm(state) @ self.embedding.weight.T
        return logits


def train_transformer(job: Job, vocabulary: Vocabulary) -> Transformer:
    """A Transformer after `job.steps` steps of 1,024 tokens; the pairs are repeated as often as that takes."""
    _prepare(job.seed)
    model = Transformer(vocabulary.size).to(device())
    stream = np.concatenate([np.asarray(tokens) for tokens in vocabulary.encode(job.pairs)])
    # One token more than the context: the last one is only predicted.
    windows = max(len(stream) - 1, 1) // CONTEXT
    if not windows:
        stream, windows = np.tile(stream, CONTEXT // len(stream) + 2), 1
    random = np.random.default_rng([job.seed, 3])
    order: list[int] = []
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_share(step, job.steps))
    for _ in range(job.steps):
        while len(order) < _SEQUENCES:
            order += random.permutation(windows).tolist()
        rows, order = order[:_SEQUENCES], order[_SEQUENCES:]
        block = np.stack([stream[row * CONTEXT : (row + 1) * CONTEXT + 1] for row in rows])
        tokens = torch.as_tensor(block, dtype=torch.long, device=device())
        loss = functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model


def _rate_share(step: int, steps: int) -> float:
    """The share of the learning rate: it rises in the first tenth, and falls to a tenth by half a cosine."""
    warm = max(steps // 10, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(steps - warm, 1)))


@torch.no_grad()
def bits(model: Transformer, held_out: pl.DataFrame, vocabulary: Vocabulary) -> Floats:
    """The bits of each held-out pair. Parts of long pairs are read by themselves, each from its first token on."""
    model.eval()
    pieces = [
        (pair, tokens[start : start + CONTEXT + 1])
        for pair, tokens in enumerate(vocabulary.encode(held_out))
        for start in range(0, len(tokens) - 1, CONTEXT)
    ]
    pieces.sort(key=lambda piece: (len(piece[1]), piece[0]))
    totals = np.zeros(len(held_out))
    for start in range(0, len(pieces), 64):
        batch = pieces[start : start + 64]
        length = max(len(tokens) for _, tokens in batch)
        block = torch.full((len(batch), length), END, dtype=torch.long)
        real = torch.zeros((len(batch), length - 1))
        for row, (_, tokens) in enumerate(batch):
            block[row, : len(tokens)] = torch.as_tensor(tokens)
            real[row, : len(tokens) - 1] = 1
        block = block.to(device())
        losses = functional.cross_entropy(model(block[:, :-1]).transpose(1, 2), block[:, 1:], reduction="none")
        sums = (losses.cpu() * real).sum(dim=1).double().numpy() / math.log(2)
        np.add.at(totals, [pair for pair, _ in batch], sums)
    return totals


class DualEncoder(nn.Module):
    """Queries and answers as unit vectors: the mean of embedded character n-grams, then a layer for either side."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(_HASHES, _ENCODED, mode="mean", sparse=True)
        self.query, self.answer = nn.Linear(_ENCODED, _ENCODED), nn.Linear(_ENCODED, _ENCODED)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def encode(self, texts: tuple[torch.Tensor, torch.Tensor], side: nn.Linear) -> torch.Tensor:
        """The vectors of texts, given as their n-grams in a row and where each text begins."""
        return functional.normalize(torch.tanh(side(self.embedding(*texts))), dim=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bags:
    """The n-grams of texts in a row; those of text n begin at `starts[n]`."""

    columns: Integers
    starts: Integers

    def of(self, rows: Integers) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [self.columns[self.starts[row] : self.starts[row + 1]] for row in rows]
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        return torch.as_tensor(np.concatenate(parts), device=device()), torch.as_tensor(starts, device=device())


def _bags(texts: pl.Series) -> _Bags:
    rows, columns = ngram_columns(texts, _HASHES)
    return _Bags(columns=columns, starts=np.searchsorted(rows, np.arange(len(texts) + 1)))


def train_dual_encoder(job: Job) -> DualEncoder:
    """A dual encoder after `job.steps` steps of 128 pairs; the answers of a step are candidates for all its queries."""
    _prepare(job.seed)
    model = DualEncoder().to(device())
    queries, answers = _bags(job.pairs["query"]), _bags(job.pairs["answer"])
    random = np.random.default_rng([job.seed, 4])
    layers = [*model.query.parameters(), *model.answer.parameters()]
    optimizers = [
        torch.optim.SparseAdam(list(model.embedding.parameters()), lr=0.01),
        torch.optim.Adam(layers, lr=0.003),
    ]
    size = min(_PAIRS, len(job.pairs))
    order = np.empty(0, np.int64)
    for _ in range(job.steps):
        if len(order) < size:
            order = random.permutation(len(job.pairs))
        rows, order = order[:size], order[size:]
        logits = model.encode(queries.of(rows), model.query) @ model.encode(answers.of(rows), model.answer).T
        loss = functional.cross_entropy(logits / _TEMPERATURE, torch.arange(size, device=device()))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    return model


@torch.no_grad()
def scores(model: DualEncoder, held_out: pl.DataFrame, candidates: Integers) -> Floats:
    """How well each candidate (rows x candidates, numbers of held-out rows) answers the query of its row."""
    rows = np.arange(len(held_out))
    queries = model.encode(_bags(held_out["query"]).of(rows), model.query).cpu().double().numpy()
    answers = model.encode(_bags(held_out["answer"]).of(rows), model.answer).cpu().double().numpy()
    return np.stack([answers[chosen] @ queries[row] for row, chosen in enumerate(candidates)])


def parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(values.numel() for values in model.parameters())
