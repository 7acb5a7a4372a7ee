"""The models of the published tutorials, rebuilt of this project's towers and tasks."""
