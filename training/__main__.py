"""`python -m training`: run the command line of `training.cli`."""

from training.cli.command_line import main

if __name__ == "__main__":
    main()
