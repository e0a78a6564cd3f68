#!/bin/sh
# All runs of one data set for README.md: experiment.sh NAME MODEL OUT INPUT...
# NAME is that of the folder; hydrogen is given as data.xyz.gz@:247 data.xyz.gz@538: (its 128-atom frames).
# POOL sets the size of the pools. Some 45 minutes on two cores, a third of it random network distillation.
set -e
CPD="$(dirname "$0")/../../src/cli/main.ts"
NAME="$1" MODEL="$2" OUT="$3"
shift 3
run() {
  PART="$1"
  shift
  echo "== $NAME: $PART"
  # shellcheck disable=SC2086
  deno run -A "$CPD" compare $INPUTS --model "$MODEL" --backend cpu ${POOL:+--pool-size $POOL} \
    -n 25,50,100,150,200 --test 0.142 --splits 20 --seeds 5 --quiet --force \
    -o "$OUT/$NAME/$PART" "$@"
}
INPUTS="$*"
run main --methods cpd-spread,cpd,direct,fps,kmedoids,random
run rnd --methods rnd,random --seeds 1
run variance --methods cpd,random --radius-objective variance
run fano --methods cpd,random --radius-objective fano
run share-25 --methods cpd,random --central-share 0.25
run uniform --methods cpd,random --density-weight 0
run wide-pools --methods cpd,random --central 0.6 --peripheral 0.4
run stratified --methods cpd-spread,cpd,kmedoids,random --stratify auto
run rim-10 --methods cpd-spread,random --peripheral 0.1
run rim-30 --methods cpd-spread,random --peripheral 0.3
run rim-50 --methods cpd-spread,random --peripheral 0.5
run spread-share-25 --methods cpd-spread,random --central-share 0.25
run spread-share-75 --methods cpd-spread,random --central-share 0.75
run two-components --methods cpd-spread,cpd,random --components 2
run many-components --methods cpd-spread,cpd,random --components 0.999
