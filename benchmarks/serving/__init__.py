"""The same bundle behind serving frameworks, each as its documentation says; see serving_frameworks.py."""
