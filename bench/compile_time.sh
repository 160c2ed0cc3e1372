#!/usr/bin/env bash
# What a user waits for: processor seconds to compile one max_pool2d, beside one reduction of Eigen's own Tensor module.
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

seconds() {
  local TIMEFORMAT=%U
  local command=("$compiler" "${flags[@]}" -I "$include" -isystem "$eigen" -c "$folder/$1.cpp" -o "$folder/$1.o")
  { time "${command[@]}" 2>"$folder/log" || cp "$folder/log" "$folder/failed"; } 2>&1
  if [[ -e "$folder/failed" ]]; then
    cat "$folder/failed" >&2
    exit 1
  fi
}

median() { sort -g | awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

# In turn, so that a machine that slows down for a while slows both.
for ((round = 0; round < rounds; ++round)); do
  seconds eigen >>"$folder/eigen.txt"
  seconds eigenpool >>"$folder/eigenpool.txt"
done

eigen_median=$(median <"$folder/eigen.txt")
eigenpool_median=$(median <"$folder/eigenpool.txt")
echo "$compiler ${flags[*]}, median of $rounds, user seconds"
awk -v e="$eigen_median" -v p="$eigenpool_median" 'BEGIN {
  printf "  %-28s %6.2f\n  %-28s %6.2f\n  %-28s %6.2f\n", "one Eigen reduction", e, "one max_pool2d", p, "ratio", p / e }'
