#!/bin/sh
# Fig. 3, learning curves of fine-tuned models beside the cheap regressors, and which methods are better:
#     bench/paper/figure_3.sh FOLDER NAME MODEL OPTIONS... -- INPUT...
# MODEL is what is fine-tuned; OPTIONS are those of cpd compare, such as -n 25,50 --epochs 5, and --model D for other
# descriptors than its own (S2). The same command goes on where it was stopped.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 name=$2 model=$3
shift 3
descriptor=$model
case " $* " in *" --model "* | *" --features "*) descriptor= ;; esac
options= # no option of cpd compare holds a blank
while [ "$1" != -- ]; do options="$options $1" && shift; done
shift
# shellcheck disable=SC2086
deno run -A "$here/src/cli/main.ts" compare "$@" ${descriptor:+--model "$descriptor"} --train --train-model "$model" \
  --splits 3 --seeds 3 --backend cpu -o "$folder/$name" $options
