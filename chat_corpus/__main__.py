"""Run chat-corpus as a module: python -m chat_corpus."""

from chat_corpus.cli import main

if __name__ == "__main__":
    main(prog_name="python -m chat_corpus")
