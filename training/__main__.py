"""`python -m training`: as `matinee`, without the commands of the service."""

from training.cli.command_line import main

if __name__ == "__main__":
    main()
