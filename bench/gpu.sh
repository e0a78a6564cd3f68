#!/bin/sh
# Prints every measurement of the GPU as Markdown: bench/gpu.sh [--allow-software] [peak in TFLOP/s]
cd "$(dirname "$0")/.." && exec npx -y deno@2.9.6 run -A bench/gpu.ts "$@"
