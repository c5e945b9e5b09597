"""Mutators: one file (or package) for each language and kind of bug; see `types.Mutator`.

python -c "from selfdebug import plugins; print(plugins.names('mutators'))"
"""
