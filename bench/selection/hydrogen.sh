#!/bin/sh
# Every table of README.md: hydrogen.sh h_liquid_pbe.extxyz.gz hhe-pbe.model [folder]
# 3 minutes per command on two cores, rnd a good deal more.
set -e
CPD="$(dirname "$0")/../../src/cli/main.ts"
OUT="${3:-cpd-hydrogen}"
run() {
  NAME="$1"
  shift
  deno run -A "$CPD" compare "$DATA@:247" "$DATA@538:" --model "$MODEL" --backend cpu \
    -n 25,50,100,150,200 --pool-size 575 --splits 20 --seeds 1 -o "$OUT/$NAME" "$@"
}
DATA="$1" MODEL="$2"
run main --methods cpd,direct,fps,kmedoids,random
run stratified --methods cpd,direct,fps,kmedoids,random --stratify auto
run variance --methods cpd,random --radius-objective variance
run fano --methods cpd,random --radius-objective fano
run central-share-25 --methods cpd,random --central-share 0.25
run uniform-weights --methods cpd,random --density-weight 0
run wide-pools --methods cpd,random --central 0.6 --peripheral 0.4
run rnd -n 25,50,100 --methods rnd,random
