"""The service relative to an endpoint that does nothing."""
