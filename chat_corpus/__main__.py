"""The entry point of `python -m chat_corpus` and of the installed command."""

import sys


def run(prog_name: str | None = None) -> None:
    """Run the command line; an interrupt during the import ends the program with exit code 130."""
    try:
        from chat_corpus.cli.main import main
    except KeyboardInterrupt:
        sys.exit(130)
    main(prog_name=prog_name)


if __name__ == "__main__":
    run("python -m chat_corpus")
