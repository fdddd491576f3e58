"""`python -m recform` is the `recform` command: for torchrun, which starts modules."""

from recform.cli.main import main

if __name__ == "__main__":
    main()
