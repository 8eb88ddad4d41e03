"""Run chat-corpus from a checkout: python main.py."""

import sys

try:
    from chat_corpus.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"error: {error}; install what chat-corpus needs first: python -m pip install .")

if __name__ == "__main__":
    main()
