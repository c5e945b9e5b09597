"""What people meet: the checks of `doctor`, the mending of a file, and later the web and editors.

selfdebug --help
"""
