#!/usr/bin/env bash
# The whole method on the embedded model, live, on two CPU cores and offline: it fails, harvests its
# failures, trains on their repairs, then by rewards, and is measured beside the controls. Ends with
# a table and a page. Stopped at any moment, the same command goes on. One seed and few tasks, so that
# it takes minutes: the intervals are wide, and embedded_study.sh is what says whether it works.
#
#   bash recipes/embedded_demo.sh runs/method
set -euo pipefail
out=${1:-runs/method}
selfdebug=${SELFDEBUG:-.venv/bin/selfdebug}
model=${MODEL:-embedded}
tasks=${TASKS:-100}      # held-out tasks of each evaluation
harvested=${HARVESTED:-160}  # training tasks that it fails on and learns from
steps=${STEPS:-12}       # of reinforcement learning

say() { printf '\n== %s\n' "$*" >&2; }

# measure NAME MODEL MODE [option ...]: one evaluation, every one from the same first programs.
measure() {
    local name=$1 model=$2 mode=$3 cooler=(--refine-temperature 0.3)
    shift 3
    [ "$mode" = generate ] && cooler=() # what is drawn again needs its spread
    say "evaluation: $name"
    "$selfdebug" eval world --split test --limit "$tasks" --backend transformers \
        --option "model=$model" --start generate --mode "$mode" --max-iterations 1 \
        --max-tokens 256 --jobs 64 "${cooler[@]}" --out "$out/$name" "$@" >/dev/null
}

measure base-resample "$model" generate
measure base-refine "$model" refine

say "harvest: the model's own failures, mended by itself and verified by every test"
"$selfdebug" harvest world:train --limit "$harvested" --samples 4 --refinements 4 --max-tokens 256 \
    --option "model=$model" --out "$out/harvest"

say "training on what was harvested"
"$selfdebug" train sft "$out/harvest" --model "$model" --out "$out/sft" \
    --rank 0 --epochs 2 --learning-rate 0.0001

say "reinforcement: the code's rewards on its code, the explanation's on its words"
"$selfdebug" train rl "$out/harvest" --model "$out/sft" --out "$out/rl" --rank 0 \
    --max-tokens 160 --steps "$steps" --prompts 4 --learning-rate 0.00003 || [ $? = 1 ]

measure sft-resample "$out/sft" generate
measure sft-shuffled "$out/sft" refine --feedback shuffled --repairs "$out/harvest/repairs.jsonl"
measure sft-explain "$out/sft" explain_refine
measure sft-refine "$out/sft" refine --check-right
measure rl-refine "$out/rl" refine --check-right
measure rl-explain "$out/rl" explain_refine

say "side by side"
"$selfdebug" compare "$out"/{base,sft}-resample "$out"/{base-refine,sft-shuffled} \
    "$out"/{sft,rl}-{refine,explain} \
    --rounds 1 --control sft-resample --control sft-shuffled --control base-refine \
    --training "$out/sft" --training "$out/rl" --report "$out/report.html"
