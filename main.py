"""Run chat-corpus from a checkout: python main.py."""

from chat_corpus.cli import main

if __name__ == "__main__":
    main()
