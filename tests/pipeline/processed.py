"""A shard through all stages, with the source and settings that its name asks for."""

from __future__ import annotations

from chat_corpus import sources
from chat_corpus.pipeline import process as pipeline
from chat_corpus.pipeline.process import ShardResult
from chat_corpus.pipeline.shard import Shard
from chat_corpus.settings.model import Settings


def process(shard: Shard, settings: Settings) -> ShardResult:
    """What `pipeline.process` makes of a shard of a known source."""
    return pipeline.process_shard(shard, sources.load(settings.plugins)[shard.source], settings.of(shard.source))
