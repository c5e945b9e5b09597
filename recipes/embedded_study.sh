#!/usr/bin/env bash
# Does training on its own failures teach the embedded model to debug, or only to draw again? One
# harvest, then for each seed: fine-tuning, the controls (resampling, another task's feedback,
# training on right programs alone, thirteen pairs, corrupted pairs), right programs, bugs that were
# injected. Refinements are drawn at 0.3 and resampled programs at 0.8: the best of each on training
# tasks (LOG.md). Stopped at any moment, the same command goes on; seeds may run side by side.
#
#   bash recipes/embedded_study.sh runs/study harvest
#   for seed in 0 1 2; do bash recipes/embedded_study.sh runs/study seed $seed; done
#   bash recipes/embedded_study.sh runs/study pool
set -euo pipefail
out=$1 step=$2 seed=${3:-0}
selfdebug=${SELFDEBUG:-.venv/bin/selfdebug}
model=${MODEL:-recipes/embedded/start}
tasks=${TASKS:-200}  # held-out tasks of each evaluation

say() { printf '\n== %s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

# measure NAME MODEL MODE ROUNDS [option ...]: one evaluation on held-out tasks.
measure() {
    local name=$1 model=$2 mode=$3 rounds=$4 cooler=(--refine-temperature 0.3)
    shift 4
    [ "$mode" = generate ] && cooler=()
    say "seed $seed: $name"
    "$selfdebug" eval world --split test --limit "$tasks" --backend transformers \
        --option "model=$model" --start generate --mode "$mode" --max-iterations "$rounds" \
        --max-tokens 256 --jobs 64 --seed "$seed" "${cooler[@]}" \
        --out "$out/$seed/$name" "$@" >/dev/null
}

# mend NAME MODEL MODE: bugs that were injected into held-out programs, one try each.
mend() {
    say "seed $seed: $1"
    "$selfdebug" eval "$out/injected/tasks.jsonl" --backend transformers --option "model=$2" \
        --start broken --mode "$3" --max-iterations 1 --max-tokens 256 --jobs 64 --seed "$seed" \
        --temperature 0.3 --out "$out/$seed/$1" >/dev/null
}

train() {
    local name=$1 data=$2
    shift 2
    say "seed $seed: training $name"
    "$selfdebug" train sft "$data" --model "$model" --out "$out/$seed/$name" --seed "$seed" "$@"
}

case $step in
harvest)
    say "harvest: the model's own failures, mended by itself and verified by every test"
    "$selfdebug" harvest world:train --limit 360 --samples 4 --refinements 4 --max-tokens 256 \
        --option "model=$model" --out "$out/harvest"
    mkdir -p "$out/pairs"
    head -n 13 "$out/harvest/repairs.jsonl" >"$out/pairs/repairs.jsonl"
    cp "$out/harvest/run.toml" "$out/pairs/"
    python=$(dirname "$selfdebug")/python
    "$python" -m recipes.injected_bugs --out "$out/injected" --total 400
    ;;
seed)
    repairs=(--repairs "$out/harvest/repairs.jsonl")
    measure base-resample "$model" generate 3
    measure base-refine "$model" refine 3 --check-right
    train sft "$out/harvest" --epochs 2 --learning-rate 0.001
    sft=$out/$seed/sft
    measure sft-refine "$sft" refine 3 --check-right
    measure sft-resample "$sft" generate 3
    measure sft-shuffled "$sft" refine 1 --feedback shuffled "${repairs[@]}"
    measure sft-explain "$sft" explain_refine 3 --check-right
    measure sft-explain-shuffled "$sft" explain_refine 1 --feedback shuffled "${repairs[@]}"
    train generation "$out/harvest" --stage generate --epochs 2 --learning-rate 0.001
    measure generation-refine "$out/$seed/generation" refine 1 --check-right
    train pairs "$out/pairs" --epochs 4 --learning-rate 0.001
    measure pairs-refine "$out/$seed/pairs" refine 1 --check-right
    train corrupt "$out/pairs" --epochs 4 --learning-rate 0.001 --corrupt
    measure corrupt-refine "$out/$seed/corrupt" refine 1 --check-right
    mend injected-refine "$sft" refine
    mend injected-explain "$sft" explain_refine
    ;;
pool) # one folder for the seeds of each evaluation: samples of the same tasks
    runs=()
    for name in base-resample base-refine sft-resample sft-shuffled sft-refine sft-explain \
        sft-explain-shuffled \
        generation-refine pairs-refine corrupt-refine; do
        mkdir -p "$out/pooled/$name"
        cp "$out/0/$name/tasks.jsonl" "$out/0/$name/run.toml" "$out/pooled/$name/"
        cat "$out"/[0-9]*/"$name/episodes.jsonl" >"$out/pooled/$name/episodes.jsonl"
        cat "$out"/[0-9]*/"$name/right.jsonl" >"$out/pooled/$name/right.jsonl" 2>/dev/null || true
        runs+=("$out/pooled/$name")
    done
    "$selfdebug" compare "${runs[@]}" --rounds 3 --control base-resample --control base-refine \
        --control sft-resample --control sft-shuffled --control sft-explain-shuffled \
        --report "$out/report.html"
    ;;
*) echo "harvest, seed N or pool, not $step" >&2 && exit 2 ;;
esac
