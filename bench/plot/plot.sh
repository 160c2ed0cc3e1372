#!/usr/bin/env bash
# The pictures of bench/pictures, from the rows that bench_peers --tsv and bench_pooling --sweep --tsv wrote.
#   bench/plot/plot.sh PEERS.tsv SWEEP.tsv [FOLDER]
set -euo pipefail

if (($# < 2)); then
  echo "usage: $0 PEERS.tsv SWEEP.tsv [FOLDER]" >&2
  exit 1
fi
here=$(cd "$(dirname "$0")" && pwd)
folder=${3-$here/../pictures}
mkdir -p "$folder"

gnuplot -e "rows='$1'; picture='$folder/floor.svg'" "$here/floor.gp"
gnuplot -e "rows='$2'; picture='$folder/windows.svg'" "$here/windows.gp"
