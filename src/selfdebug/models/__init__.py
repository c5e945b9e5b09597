"""Models that ship with selfdebug: `embedded` is a folder that transformers loads.

Its README.md is its model card; `recipes/pretrain_embedded.py` rebuilds it.

    python -c "from selfdebug.models import EMBEDDED; print(EMBEDDED)"
"""

from pathlib import Path

EMBEDDED = Path(__file__).parent / "embedded"
