"""End-to-end test of images and Compose stack on a real Docker engine (`make test-docker`)."""
