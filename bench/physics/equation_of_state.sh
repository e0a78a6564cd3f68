#!/bin/sh
# The equation of state of dense hydrogen at 1000 K by a MACE model, from both phases:
#     bench/physics/equation_of_state.sh MODEL FOLDER [STEPS [ATOMIC MOLECULAR]]
# ATOMIC and MOLECULAR are frames to start from; those of the sample, its first and last, have 64 atoms.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
model=$1 folder=$2 steps=${3:-5000}
sample=$here/data/hydrogen-1000K-labelled.xyz.gz
atomic=${4:-$sample@0} molecular=${5:-$sample@33}
cpd() { deno run -A "$here/src/cli/main.ts" "$@"; }
run() {
  cpd md "$1" --model "$model" --temperature 1000 --timestep 0.48 --tau 50 --steps "$steps" \
    --equilibrate $((steps / 3)) --every 20 --rs "$2" -o "$folder/$3"
}
run "$atomic" 1.24:1.40:0.02 atomic
run "$molecular" 1.32:1.36:0.02 molecular
cpd analyze "$folder"/atomic/rs*/trajectory.xyz --where "step >= $((steps / 3))" --group-by rs \
  -o "$folder/analysis" --force
