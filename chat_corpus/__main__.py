"""Run chat-corpus as a module: python -m chat_corpus; and what the installed command calls."""

import sys


def run(prog_name: str | None = None) -> None:
    """Run the command line; an interrupt that comes while it is still being imported is one as any other."""
    try:
        from chat_corpus.cli.main import main
    except KeyboardInterrupt:
        sys.exit(130)
    main(prog_name=prog_name)


if __name__ == "__main__":
    run("python -m chat_corpus")
