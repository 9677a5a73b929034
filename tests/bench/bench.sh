# `make bench`: uplinks/s through the whole path, counted at an MQTT subscriber. Usage: bench.sh BUILD [OPTIONS of bench_path]
# Example: bash tests/bench/bench.sh build --devices 100000 --rates 10000 --seconds 60
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$1
shift
case $build in *sanitized*) echo 'bench: a sanitized build measures the sanitizer' >&2 && exit 2 ;; esac
exec "$build/tests/bench/bench_path" --json "$build/bench.json" "$@"
