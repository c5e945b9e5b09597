#!/bin/sh
# Installs selfdebug from this folder into a virtual environment; uses no network.
#
#   sh install.sh [ENVIRONMENT]     default: ./selfdebug-env; PYTHON=python3.12 chooses the Python
#
# Every file is compared with SHA256SUMS first, and pip takes only wheels of the listed hashes.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
environment=${1:-selfdebug-env}
python=${PYTHON:-python3}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

[ -f "$here/SHA256SUMS" ] || fail "this bundle is half-written: SHA256SUMS is missing"
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail "files were changed; nothing was installed"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
    fail "there is no $python: name a Python @PYTHON@ with PYTHON=..."
[ "$found" = "@PYTHON@" ] || fail "$python is Python $found, and the wheels are for @PYTHON@"

"$python" -m venv "$environment"
"$environment/bin/python" -m pip --isolated --disable-pip-version-check install --quiet \
    --no-index --require-hashes --find-links "$here/wheels" --requirement "$here/requirements.txt"

echo "Installed: $environment/bin/selfdebug"
[ ! -d "$here/data" ] || echo "The data sets are found with: export SELFDEBUG_DATA='$here/data'"
[ ! -d "$here/models" ] || for model in "$here/models"/*; do
    echo "A model: --backend transformers --option model='$model'"
done
