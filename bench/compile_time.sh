#!/usr/bin/env bash
# What a user waits for: processor seconds to compile one max_pool2d, with its kernels and with those of kernels.cpp
# (eigenpool::compiled), beside one reduction of Eigen's own Tensor module.
#   bench/compile_time.sh [-n ROUNDS] [COMPILER [FLAGS...]]      (default: 5 rounds of g++ -std=c++20 -O2)
# Eigen is found with pkg-config, or in $EIGEN_INCLUDE.
set -euo pipefail

rounds=5
if [[ "${1-}" == -n ]]; then
  rounds=$2
  shift 2
fi
compiler=${1-g++}
flags=("${@:2}")
if ((${#flags[@]} == 0)); then flags=(-std=c++20 -O2); fi

include=$(cd "$(dirname "$0")/../include" && pwd)
eigen=${EIGEN_INCLUDE-$(pkg-config --cflags-only-I eigen3 2>/dev/null | sed 's/^-I//; s/ *$//' || true)}
if [[ -z "$eigen" ]]; then
  echo "compile_time.sh: Eigen not found, name its folder in EIGEN_INCLUDE" >&2
  exit 1
fi

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

cat >"$folder/eigen.cpp" <<'EOF'
#include <unsupported/Eigen/CXX11/Tensor>

Eigen::Tensor<float, 3, Eigen::RowMajor> pooled(const Eigen::Tensor<float, 4, Eigen::RowMajor>& x) {
  return x.maximum(Eigen::array<int, 1>{3});
}
EOF

cat >"$folder/eigenpool.cpp" <<'EOF'
#include <eigenpool/eigenpool.hpp>

Eigen::Tensor<float, 4, Eigen::RowMajor> pooled(const Eigen::Tensor<float, 4, Eigen::RowMajor>& x) {
  return eigenpool::max_pool2d(x, {.kernel = 3, .stride = 2, .padding = 1});
}
EOF

# seconds SOURCE [FLAG...]
seconds() {
  local TIMEFORMAT=%U
  local command=("$compiler" "${flags[@]}" "${@:2}" -I "$include" -isystem "$eigen" -c "$1" -o "$folder/object.o")
  { time "${command[@]}" 2>"$folder/log" || cp "$folder/log" "$folder/failed"; } 2>&1
  if [[ -e "$folder/failed" ]]; then
    cat "$folder/failed" >&2
    exit 1
  fi
}

median() { sort -g | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

# In turn, so that a machine that slows down for a while slows all.
for ((round = 0; round < rounds; ++round)); do
  seconds "$folder/eigen.cpp" >>"$folder/eigen.txt"
  seconds "$folder/eigenpool.cpp" >>"$folder/eigenpool.txt"
  seconds "$folder/eigenpool.cpp" -DEIGENPOOL_COMPILED_KERNELS >>"$folder/compiled.txt"
done
seconds "$include/eigenpool/kernels.cpp" >"$folder/kernels.txt"

echo "$compiler ${flags[*]}, median of $rounds, user seconds, and the ratio to Eigen's"
eigen_median=$(median <"$folder/eigen.txt")
row() { awk -v name="$1" -v t="$(median <"$folder/$2.txt")" -v e="$eigen_median" \
  'BEGIN { printf "  %-32s %6.2f %6.2f\n", name, t, t / e }'; }
row "one Eigen reduction" eigen
row "one max_pool2d" eigenpool
row "one max_pool2d, kernels compiled" compiled
row "those kernels, once" kernels
