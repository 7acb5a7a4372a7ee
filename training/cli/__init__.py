"""The command line: options, progress, tables of results."""
