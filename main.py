"""Run chat-corpus from a checkout: python main.py."""

import sys
from pathlib import Path

if __name__ == "__main__":  # which it is not in workers, which run this file as well
    try:
        from chat_corpus.cli.main import main
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        sys.exit(f"error: {error}; install what chat-corpus needs first: python -m pip install .")
    main(prog_name="python main.py", obj=Path(__file__).resolve().with_name("configs") / "default.yaml")
