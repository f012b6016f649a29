#!/usr/bin/env bash
# Installs what is missing, builds, tests, and counts. Continues after a failed test, stops at a failed build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'EOF'
usage: ./test.sh [--fast | --full]

  --fast      release build; its suite without the tests whose suite name ends in "Long" or "LongOnce"
  (default)   release and ASan+UBSan builds with the whole suite (under ASan without what ends in "LongOnce"); the same
              simulation in the release, debug and ASan builds, compared; a demo over real HTTPS with a kill -9; the
              threaded tests under TSan; each fuzzer for 20 seconds
  --full      the default, then every tests/acceptance/*.sh on the release build, in the reduced sizes that they state;
              they take --full themselves for the sizes that the project is judged by (hours)

The recorded machines are read in ../shared. Where it is missing, tests that need it are skipped, and counted as
skipped; with CI=true its absence is a failure.
EOF
}

mode=default
case ${1-} in
  '') ;;
  --fast) mode=fast ;;
  --full) mode=full ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

source .ci/packages.sh
source .ci/results.sh
forgetResults

readonly fuzzSeconds=20
# The folders whose code runs on more than one thread.
readonly threadedTests=(listener http store base api)
# And the tests in which all threads of the service meet.
readonly serviceTests='^commands\.(Serve|Restore)\.'

if [[ ! -d ../shared ]]; then
  if [[ ${CI-} == true ]]; then
    echo 'The recorded machines (../shared) are missing. With CI=true that is a failure.' >&2
    exit 1
  fi
  echo 'The recorded machines (../shared) are missing: tests that need them will be skipped.'
fi

build() {  # build PRESET TARGET…
  local preset=$1
  shift
  heading "Build: $preset"
  cmake --preset "$preset" >build/configure.log || { cat build/configure.log; return 1; }
  ninja -C "build/$preset" -j "$(buildJobs)" "$@"
}

suite() {  # suite PRESET [CTEST ARGUMENT…]
  local preset=$1
  shift
  heading "Tests: $preset"
  local junit=$PWD/build/$preset/ctest.xml status=0
  rm -f "$junit"
  "${wrapper[@]}" ctest --test-dir "build/$preset" -j2 --output-on-failure --no-tests=error --output-junit "$junit" \
    "$@" || status=$?
  recordCtest "$preset" "$junit" "$status"
}

runHalf() {  # runHalf REPORTS GTEST-FILTER PROGRAM HALF
  local name=${3##*/}-$4
  if GTEST_TOTAL_SHARDS=2 GTEST_SHARD_INDEX=$4 timeout 2400 "$3" --gtest_brief=1 --gtest_filter="$2" \
    --gtest_output="xml:$1/$name.xml" >"$1/$name.log" 2>&1; then
    echo "passed: $name"
  else
    echo "failed: $name"
    touch "$1/$name.failed"
    tail -n 200 "$1/$name.log"
  fi
}
export -f runHalf

# Each program in two halves instead of each test in a process of its own: to start one under AddressSanitizer takes longer
# than most tests.
programs() {  # programs PRESET GTEST-FILTER
  local reports=$PWD/build/$1/programs program half
  local all=("build/$1"/bin/*_tests)
  heading "Tests: $1"
  rm -rf "$reports"
  mkdir -p "$reports"
  for program in "${all[@]}"; do
    for half in 0 1; do printf '%s\0' "$reports" "$2" "$program" "$half"; done
  done | xargs -0 -P 2 -n 4 bash -c 'runHalf "$@"' runHalf
  recordGtest "$1" "$reports" "${all[@]}"
}

# One simulated rack with faults and crashes, same seed: what happened must not depend on how the program was built.
sameInEveryBuild() {
  heading 'The same seed in every build'
  local preset reply hash first='' status=0
  for preset in release debug asan; do
    reply=$("build/$preset/bin/zellige" simulate --trays 18 --faults heavy --storm 30 --seed 1 --json) || status=1
    hash=$(grep -oE '"event_hash": *"[0-9a-f]{64}"' <<<"$reply" | grep -oE '[0-9a-f]{64}') || status=1
    echo "$preset: event_hash ${hash:-none}"
    [[ -n $hash && $hash == "${first:=$hash}" ]] || status=1
  done
  recordCheck 'same seed, same events' "$status"
}

# Two trays over real HTTPS to available, the controller killed on the way.
demoOfTwo() {
  heading 'Demo over HTTPS, with a kill -9'
  local status=0
  build/release/bin/zellige demo --trays 2 --kill9 1 --headless --json >build/demo.json || status=$?
  grep -E '"(available|duplicates|kills|wall_s)"' build/demo.json || status=1
  grep -qE '"available": *2,' build/demo.json || status=1
  recordCheck 'demo over HTTPS' "$status"
}

# Every exchange of the API's tests, held against openapi.yaml.
conformance() {
  heading 'The API, as openapi.yaml describes it'
  local status=0
  tests/web/api/conformance.sh build/release || status=$?
  recordCheck 'API conformance' "$status"
}

fuzz() {
  build fuzz fuzzers
  local fuzzer name status seeds found=0
  for fuzzer in build/fuzz/bin/*_fuzz; do
    [[ -x $fuzzer ]] || continue
    found=1 status=0
    name=$(basename "$fuzzer")
    heading "Fuzz: $name, $fuzzSeconds s"
    mkdir -p "build/fuzz/corpus/$name"
    seeds=tests/fuzz/seeds/${name%_fuzz}
    [[ -d $seeds ]] || seeds=
    "$fuzzer" -max_total_time="$fuzzSeconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" ${seeds:+"$seeds"} \
      2>"build/fuzz/$name.log" || status=$?
    ((status == 0)) || tail -n 40 "build/fuzz/$name.log"
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec)' "build/fuzz/$name.log" || true
    recordCheck "fuzz $name" "$status"
  done
  ((found)) || recordCheck 'fuzzers (none was built)' 1
}

acceptance() {
  local script status
  for script in tests/acceptance/*.sh; do
    [[ -f $script ]] || continue
    heading "Acceptance: $script"
    status=0
    bash "$script" || status=$?
    recordCheck "$script" "$status"
  done
}

wrapper=()
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

mkdir -p build
installPackages 'build and test' "${packagesToBuild[@]}" "${packagesToTest[@]}"

build release all
if [[ $mode == fast ]]; then
  suite release -E 'Long(Once)?\.'
  conformance
else
  suite release
  conformance
  build asan all
  programs asan '-*LongOnce.*'
  suite asan -R '^commands\.RecordedTray\.'
  build debug zellige
  sameInEveryBuild
  demoOfTwo
  # TSan of g++ 12 does not find its way in a wide random address space.
  if setarch "$(uname -m)" -R true 2>/dev/null; then wrapper=(setarch "$(uname -m)" -R); fi
  heading 'Build: tsan'
  cmake --preset tsan >build/configure.log
  "${wrapper[@]}" ninja -C build/tsan -j "$(buildJobs)" "${threadedTests[@]/%/_tests}" commands_tests
  suite tsan -R "^($(IFS='|'; echo "${threadedTests[*]}"))\\.|$serviceTests"
  wrapper=()
  fuzz
  if [[ $mode == full ]]; then acceptance; fi
fi

if [[ -z ${resultsFollow-} ]]; then
  heading 'Result'
  summariseResults
fi
