"""`python -m matinee`: the command `matinee`."""

from matinee.command_line import main

if __name__ == "__main__":
    main()
