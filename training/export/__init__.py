"""From a trained model to a verified bundle, and the bundles there are."""
