#!/usr/bin/env bash
# A trained model on a GPU by vLLM: serve it and harvest with it. Not run by the tests: vLLM needs a GPU.
# Usage: recipes/vllm.sh MODEL [RUN]   (a folder of merged weights; the harvest's folder)
# Needs pip install vllm, in an environment of its own: it pins torch.
set -euo pipefail
model=$1
run=${2:-runs/vllm}
port=${PORT:-8000}

# Speculative decoding by the prompt, so by the broken program, for every request.
vllm serve "$model" --served-model-name mine --port "$port" --max-model-len 8192 \
    --speculative-config '{"method": "ngram", "num_speculative_tokens": 16,
                           "prompt_lookup_max": 8, "prompt_lookup_min": 2}' &
server=$!
trap 'kill "$server"' EXIT
until curl --silent --fail "http://127.0.0.1:$port/health" >/dev/null; do
    kill -0 "$server"  # it ended: its own words say why
    sleep 2
done

selfdebug harvest mbpp:train --backend openai --option model=mine \
    --option "base_url=http://127.0.0.1:$port/v1" --option concurrency=64 --out "$run"
