#!/usr/bin/env bash
# Builds llama.cpp's own tools against the very libraries that Trimtab runs on, as references for the benchmarks and for the
# interoperability fixtures. Needs g++, git and npm (network for one package, the one that carries the sources).
#
#   bench/llama-tools.sh FOLDER     leaves llama-bench, llama-debug, llama-quantize and llama-cvector-generator in FOLDER
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
libraries=$(dirname "$(find "$root/node_modules/@node-llama-cpp/" -path '*linux-x64/bins/linux-x64/libllama.v*.so' | head -n 1)")
cpu=$(ls "$libraries"/libggml-cpu-x64.so)

if [ ! -d "$folder/llama.cpp" ]; then
  (cd "$folder" && tar xzf "$(npm pack --silent node-llama-cpp@3.22.1)" package/llama/gitRelease.bundle)
  git clone --quiet "$folder/package/llama/gitRelease.bundle" "$folder/llama.cpp"
fi
# The tools look for the backends beside themselves.
ln -sf "$libraries"/*.so "$folder/"
cd "$folder/llama.cpp"
build() {
  local out=$1
  shift
  g++ -std=c++17 -O2 -Iinclude -Iggml/include -Icommon -Ivendor -Isrc "$@" -o "$folder/$out" -L"$libraries" \
    -l:libllama-common.so -l:"$(basename "$libraries"/libllama.v*.so)" -l:"$(basename "$libraries"/libggml.v*.so)" \
    -l:libggml-base.so -l:"$(basename "$cpu")" -Wl,-rpath,"$libraries" -lpthread
}
build llama-bench tools/llama-bench/llama-bench.cpp tools/llama-bench/main.cpp
build llama-debug examples/debug/debug.cpp
build llama-quantize tools/quantize/quantize.cpp tools/quantize/main.cpp
build llama-cvector-generator tools/cvector-generator/cvector-generator.cpp
echo "$folder"
