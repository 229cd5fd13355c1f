"""``python -m noria``: the command line, where the ``noria`` script is not on the path."""

from noria.cli.app import main

if __name__ == "__main__":
    main()
