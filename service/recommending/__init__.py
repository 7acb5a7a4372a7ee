"""From a question and a bundle to a list: numpy in, numpy out, no HTTP."""
