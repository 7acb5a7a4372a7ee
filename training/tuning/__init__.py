"""The search over hyper-parameters on a validation part of the training rows."""
