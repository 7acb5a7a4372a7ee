"""The parts of a bundle as they are in memory, a module for each; the only ones that open its files."""
