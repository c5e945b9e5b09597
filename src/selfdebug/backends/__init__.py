"""Sources of programs, one file each: `create(judge, **options)` opens one (see `types.Backend`).

A backend gives n completions for each request, in the order of the requests, and the same ones
for the same seed where its engine can. An option that it does not know is a SelfdebugError that
names those it does. Options are text, as they come from a command line.

    python -c "from selfdebug import plugins; print(plugins.names('backends'))"
"""
