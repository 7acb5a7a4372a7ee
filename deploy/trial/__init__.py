"""`make test-docker`: what docs/deployment.md promises, tried on a real engine."""
