#!/bin/sh
# Fig. 4, pressure and molecular fraction at 1000 K by models that were fine-tuned on N frames of each method:
#     bench/paper/figure_4.sh FOLDER START REFERENCE N DRAWS EPOCHS STEPS RS ATOMS METHODS INPUT...
# START is the model that is tuned, REFERENCE one that is known for the labels, DRAWS the number of choices of every
# method, each trained in an order of its own, ATOMS the frame that dynamics start from, RS densities such as
# 1.24:1.40:0.04, METHODS names with blanks between them. Also run are START and REFERENCE themselves. The same command
# goes on where it was stopped; S1, the loss curves, is figures/ of each model.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 start=$2 reference=$3 n=$4 draws=$5 epochs=$6 steps=$7 rs=$8 atoms=$9
methods=${10}
shift 10
cpd() { deno run -A "$here/src/cli/main.ts" "$@"; }
move() { # a model that breaks down is a result
  cpd md "$atoms" --model "$2" --temperature 1000 --timestep 0.48 --tau 50 --steps "$steps" \
    --equilibrate $((steps / 3)) --every 20 --rs "$rs" --backend cpu -o "$folder/$1/md" || echo "$1 broke down"
}
move start "$start"
move reference "$reference"
draw=0
while [ "$draw" -lt "$draws" ]; do
  for method in $methods; do
    own=$folder/$method-$draw
    [ -e "$own/chosen/selected.xyz" ] || cpd distill "$@" -n "$n" --method "$method" --seed "$draw" \
      --model "$start" --backend cpu -o "$own/chosen"
    cpd train "$own/chosen/selected.xyz" --model "$start" --e0s estimated --epochs "$epochs" --seed "$draw" \
      --learning-rate 0.003 --backend cpu -o "$own/model"
    move "$method-$draw" "$own/model/model.safetensors"
  done
  draw=$((draw + 1))
done
deno run -A "$here/bench/paper/figure_4.ts" "$folder" "$methods" "$draws"
