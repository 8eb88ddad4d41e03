"""A shard through all stages, with the source and settings that its name asks for."""

from __future__ import annotations

from chat_corpus import pipeline, sources
from chat_corpus.pipeline import Outcome
from chat_corpus.plan import Shard
from chat_corpus.settings import Settings


def process(shard: Shard, settings: Settings) -> Outcome:
    """What `pipeline.process` makes of a shard of a known source."""
    return pipeline.process(shard, sources.load(settings.plugins)[shard.source], settings.of(shard.source))
