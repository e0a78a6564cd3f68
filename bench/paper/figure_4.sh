#!/bin/sh
# Fig. 4, pressure and molecular fraction at 1000 K by models that were fine-tuned on N frames of each method:
#     bench/paper/figure_4.sh FOLDER START REFERENCE N EPOCHS STEPS RS ATOMS METHODS INPUT...
# START is the model that is tuned, REFERENCE one that is known for the labels, ATOMS the frame that dynamics start
# from, RS densities such as 1.24:1.40:0.04, METHODS names with blanks between them. Also run are START and REFERENCE
# themselves. The same command goes on where it was stopped; S1, the loss curves, is figures/ of each model.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1 start=$2 reference=$3 n=$4 epochs=$5 steps=$6 rs=$7 atoms=$8 methods=$9
shift 9
cpd() { deno run -A "$here/src/cli/main.ts" "$@"; }
move() { # a model that breaks down is a result
  cpd md "$atoms" --model "$2" --temperature 1000 --timestep 0.48 --tau 50 --steps "$steps" \
    --equilibrate $((steps / 3)) --every 20 --rs "$rs" --backend cpu -o "$folder/$1/md" || echo "$1 broke down"
}
for method in $methods; do
  [ -e "$folder/$method/chosen/selected.xyz" ] ||
    cpd distill "$@" -n "$n" --method "$method" --model "$start" --backend cpu -o "$folder/$method/chosen"
  cpd train "$folder/$method/chosen/selected.xyz" --model "$start" --e0s estimated --epochs "$epochs" \
    --learning-rate 0.003 --backend cpu -o "$folder/$method/model"
  move "$method" "$folder/$method/model/model.safetensors"
done
move start "$start"
move reference "$reference"
deno run -A "$here/bench/paper/figure_4.ts" "$folder" "$methods"
