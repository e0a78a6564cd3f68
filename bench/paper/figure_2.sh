#!/bin/sh
# Fig. 2, composition of a data set and pair distributions of its densities:
#     bench/paper/figure_2.sh FOLDER INPUT...
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
shift
deno run -A "$here/src/cli/main.ts" analyze "$@" --group-by rs -o "$folder/figure_2" --force
