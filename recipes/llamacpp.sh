#!/usr/bin/env bash
# A trained model on any machine by llama.cpp: publish it as GGUF, serve it, measure it.
# Usage: recipes/llamacpp.sh MODEL [RUN]   (a folder of a model or an adapter; the evaluation's folder)
# Needs llama-server (llama.cpp) on the PATH and pip install 'selfdebug[train,gguf]'.
set -euo pipefail
model=$1
run=${2:-runs/llamacpp}
port=${PORT:-8080}

[ -e "$run-model" ] || selfdebug export-model "$model" --to "$run-model" --format gguf --weights q8_0

# --spec-type: the tokens of the prompt, so of the broken program, are drafted for every request.
# -c: of all slots together.
llama-server -m "$run-model/model.gguf" --port "$port" -c 32768 --parallel 8 \
    --spec-type ngram-simple &
server=$!
trap 'kill "$server"' EXIT
until curl --silent --fail "http://127.0.0.1:$port/health" >/dev/null; do
    kill -0 "$server"  # it ended: its own words say why
    sleep 1
done

selfdebug eval world --split test --backend openai --option model=model.gguf \
    --option "base_url=http://127.0.0.1:$port/v1" --jobs 8 --out "$run"
