#!/bin/sh
# Prints every measurement of the GPU, cpd doctor --speed first:
# bench/gpu.sh [--allow-software] [peak in TFLOP/s]
cd "$(dirname "$0")/.." || exit 1
DENO="npx -y deno@2.9.6"
SOFTWARE=""
[ "$1" != "--allow-software" ] || SOFTWARE=$1
# shellcheck disable=SC2086
$DENO run -A src/cli/main.ts doctor --speed $SOFTWARE && exec $DENO run -A bench/gpu.ts "$@"
