"""The language server: what `selfdebug fix` finds, shown where a person edits."""
