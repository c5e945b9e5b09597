#!/usr/bin/env bash
# The whole method on the embedded model, live, on two CPU cores and offline: it fails, harvests its
# failures, trains on their repairs, and is measured beside the controls. Ends with a table and a
# page. Stopped at any moment, the same command goes on. Settings are few and small on purpose: for
# a study take more tasks, samples and seeds (docs/training.md). Run from the repository's root: until
# a base model passes its gate and is shipped, the model is the unfinished one in recipes/embedded.
#
#   bash recipes/embedded_demo.sh runs/method
set -euo pipefail
out=${1:-runs/method}
selfdebug=${SELFDEBUG:-.venv/bin/selfdebug}
model=${MODEL:-recipes/embedded/start}
tasks=${TASKS:-200}      # held-out tasks of each evaluation
rounds=${ROUNDS:-2}      # refinements of each episode

say() { printf '\n== %s\n' "$*" >&2; }

# measure NAME MODEL MODE [option ...]: one evaluation, every one from the same first programs.
measure() {
    local name=$1 model=$2 mode=$3
    shift 3
    say "evaluation: $name"
    "$selfdebug" eval world --split test --limit "$tasks" --backend transformers \
        --option "model=$model" --start generate --mode "$mode" --max-iterations "$rounds" \
        --max-tokens 256 --jobs 64 --out "$out/$name" "$@" >/dev/null
}

measure base-resample "$model" generate
measure base-refine "$model" refine

say "harvest: the model's own failures, mended by itself and verified by every test"
"$selfdebug" harvest world:train --limit 240 --samples 4 --refinements 4 --max-tokens 256 \
    --option "model=$model" --out "$out/harvest"

say "training on what was harvested"
"$selfdebug" train sft "$out/harvest" --model "$model" --out "$out/sft" \
    --epochs 2 --learning-rate 0.001

measure sft-resample "$out/sft" generate
measure sft-shuffled "$out/sft" refine --feedback shuffled --repairs "$out/harvest/repairs.jsonl"
measure sft-explain "$out/sft" explain_refine
measure sft-refine "$out/sft" refine --check-right

say "side by side"
"$selfdebug" compare "$out"/{base-resample,base-refine,sft-resample,sft-shuffled,sft-explain,sft-refine} \
    --rounds "$rounds" --control sft-resample --control sft-shuffled --control base-refine \
    --training "$out/sft" --report "$out/report.html"
