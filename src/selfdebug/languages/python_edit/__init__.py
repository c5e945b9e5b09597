"""What the Python mutators share: programs as editable text, and changes that explain themselves.

`program` parses a text and edits spans of it; `change` turns operators into mutations and repairs.
Neither knows which changes make sense: that is what the files in `mutators/` are for.

    python -c "import selfdebug.languages.python_edit.change as c; help(c)"
"""
