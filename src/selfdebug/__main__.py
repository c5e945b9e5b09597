"""`python -m selfdebug`: the command line where its script is not on the path.

python -m selfdebug --help
"""

from selfdebug.cli import main

main()
