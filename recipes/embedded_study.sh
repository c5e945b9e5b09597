#!/usr/bin/env bash
# Does training on its own failures teach the embedded model to debug, or only to draw again? One
# harvest, then for each seed: fine-tuning (sft) and what it brings; reinforcement learning on top
# (rl); the controls (controls: another task's feedback, training on right programs alone, thirteen
# pairs, corrupted pairs); bugs put in on purpose (bugs); what each reward does by itself (ablations).
# Refinements are drawn at 0.3 and resampled programs at 0.8: the best of each on training tasks
# (LOG.md). Stopped at any moment, the same command goes on; seeds may run side by side.
#
#   bash recipes/embedded_study.sh runs/study harvest
#   for seed in 0 1 2; do bash recipes/embedded_study.sh runs/study all $seed; done
#   bash recipes/embedded_study.sh runs/study pool
set -euo pipefail
out=$1 step=$2 seed=${3:-0}
selfdebug=${SELFDEBUG:-.venv/bin/selfdebug}
model=${MODEL:-embedded}
tasks=${TASKS:-200}  # held-out tasks of each evaluation
harvested=${HARVESTED:-1000} # training tasks that it fails on and learns from
steps=${STEPS:-36}   # of reinforcement learning, 256 replies each
sft=$out/$seed/sft

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

# train NAME FOLDER ... [option ...]: fine-tuning on what the folders hold.
train() {
    local name=$1
    shift
    say "seed $seed: training $name"
    "$selfdebug" train sft "$@" --model "$model" --out "$out/$seed/$name" --seed "$seed"
}

# reinforce NAME FOLDER [option ...]: reinforcement learning from the fine-tuned model on.
reinforce() {
    local name=$1 prompts=$2
    shift 2
    say "seed $seed: reinforcing $name"
    "$selfdebug" train rl "$prompts" --model "$sft" --out "$out/$seed/$name" --seed "$seed" \
        --rank 0 --max-tokens 160 --prompts 32 --write 0.2 --keep 0.15 --steps "$steps" \
        --learning-rate 0.00012 --all-pass-bonus 2.5 "$@" ||
        [ $? = 1 ] # it collapsed, was stopped, and is measured as it is
}

case $step in
harvest)
    say "harvest: the model's own failures, mended by itself and verified by every test"
    "$selfdebug" harvest world:train --limit "$harvested" --samples 4 --refinements 4 --max-tokens 256 \
        --option "model=$model" --out "$out/harvest"
    mkdir -p "$out/pairs"
    # Of thirteen tasks, not of the first three.
    awk -F'"task_id": "' '/"true_claims": 1.0/ {split($2, id, "\""); if (!seen[id[1]]++) print}' \
        "$out/harvest/repairs.jsonl" | head -n 13 >"$out/pairs/repairs.jsonl" || true
    cp "$out/harvest/run.toml" "$out/pairs/"
    "$selfdebug" inject world:train --out "$out/bugs" --total 1500
    python=$(dirname "$selfdebug")/python
    "$python" -m recipes.injected_bugs --out "$out/injected" --total 400
    ;;
sft)
    measure base-resample "$model" generate 3
    measure base-refine "$model" refine 3 --check-right
    measure base-explain "$model" explain_refine 3 --check-right
    train sft "$out/harvest" --rank 0 --epochs 2 --learning-rate 0.0001 --true-claims 1
    measure sft-refine "$sft" refine 3 --check-right
    measure sft-explain "$sft" explain_refine 3 --check-right
    measure sft-resample "$sft" generate 3
    ;;
rl)
    reinforce rl "$out/harvest" --reward tests --reward checked
    measure rl-refine "$out/$seed/rl" refine 3 --check-right
    measure rl-explain "$out/$seed/rl" explain_refine 3 --check-right
    measure rl-resample "$out/$seed/rl" generate 3
    # At LeDex's temperature too, to which the rewards are nearer: there is more to sharpen.
    for name in sft rl; do
        for mode in refine explain_refine; do
            measure "$name-$mode-warm" "$out/$seed/$name" "$mode" 1 --refine-temperature 0.8 --check-right
        done
    done
    ;;
ablations) # what each reward does by itself, on the fine-tuned model's own failures at every task
    failures=$out/$seed/failures
    "$selfdebug" harvest world:train --samples 1 --refinements 0 --max-tokens 160 \
        --option "model=$sft" --seed "$seed" --out "$failures"
    short=(--steps 24 --temperature 0.6) # nearer to how it is used: there is less to sharpen
    reinforce both "$failures" "${short[@]}" --reward tests --reward checked
    reinforce code-only "$failures" "${short[@]}" --reward tests
    reinforce explanation-only "$failures" "${short[@]}" --reward checked
    reinforce codebleu-only "$failures" "${short[@]}" --reward codebleu
    for name in both code-only explanation-only codebleu-only; do
        measure $name-refine "$out/$seed/$name" refine 1 --check-right
        measure $name-explain "$out/$seed/$name" explain_refine 1 --check-right
    done
    ;;
controls)
    repairs=(--repairs "$out/harvest/repairs.jsonl")
    measure sft-shuffled "$sft" refine 1 --feedback shuffled "${repairs[@]}"
    measure sft-explain-shuffled "$sft" explain_refine 1 --feedback shuffled "${repairs[@]}"
    train generation "$out/harvest" --stage generate --epochs 2 --learning-rate 0.001
    measure generation-refine "$out/$seed/generation" refine 1 --check-right
    train pairs "$out/pairs" --epochs 4 --learning-rate 0.001
    measure pairs-refine "$out/$seed/pairs" refine 1 --check-right
    train corrupt "$out/pairs" --epochs 4 --learning-rate 0.001 --corrupt
    measure corrupt-refine "$out/$seed/corrupt" refine 1 --check-right
    ;;
bugs) # bugs put in on purpose are learned from too, and mended
    train bugs "$out/harvest" "$out/bugs" --rank 0 --epochs 2 --learning-rate 0.0001 --true-claims 1
    for mode in refine explain_refine; do
        mend "injected-$mode" "$out/$seed/bugs" "$mode"
        mend "injected-sft-$mode" "$sft" "$mode"
    done
    ;;
all)
    for part in sft rl controls bugs ablations; do
        bash "$0" "$out" "$part" "$seed"
    done
    ;;
pool) # one folder for the seeds of each evaluation: samples of the same tasks
    runs=() controls=()
    for name in base-resample base-refine base-explain sft-resample sft-shuffled sft-explain-shuffled \
        sft-refine sft-explain generation-refine pairs-refine corrupt-refine rl-resample \
        {both,code-only,explanation-only,codebleu-only}-{refine,explain} rl-refine rl-explain; do
        first=("$out"/[0-9]*/"$name/tasks.jsonl")
        [ -e "${first[0]}" ] || continue # not measured
        mkdir -p "$out/pooled/$name"
        cp "${first[0]}" "$(dirname "${first[0]}")/run.toml" "$out/pooled/$name/"
        cat "$out"/[0-9]*/"$name/episodes.jsonl" >"$out/pooled/$name/episodes.jsonl"
        cat "$out"/[0-9]*/"$name/right.jsonl" >"$out/pooled/$name/right.jsonl" 2>/dev/null || true
        runs+=("$out/pooled/$name")
        case $name in
        sft-resample | base-refine | base-explain | *-shuffled) controls+=(--control "$name") ;;
        sft-*) [ ! -d "$out/0/rl" ] || controls+=(--control "$name") ;; # what it began with
        esac
    done
    "$selfdebug" compare "${runs[@]}" --rounds 3 "${controls[@]}" --report "$out/report.html"
    ;;
*) echo "harvest, all N (or sft, rl, controls, bugs, ablations) or pool, not $step" >&2 && exit 2 ;;
esac
