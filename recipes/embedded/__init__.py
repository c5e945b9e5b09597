"""The parts of `recipes/pretrain_embedded.py`."""
