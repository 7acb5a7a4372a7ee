"""Training and tuning on the machines of a Ray cluster; `pip install 'matinee[ray]'`."""
