# Counts what ran: one line "name<TAB>passed<TAB>failed<TAB>skipped" per stage, summed up at the end. Sourced by test.sh
# and .ci/run.

readonly resultsFile=build/results.tsv

heading() { printf '\n== %s\n' "$*"; }

forgetResults() {
  mkdir -p build
  : >"$resultsFile"
}

record() { printf '%s\t%d\t%d\t%d\n' "$@" >>"$resultsFile"; }

# recordCheck NAME STATUS: something that passes or fails as one.
recordCheck() {
  if (($2 == 0)); then record "$1" 1 0 0; else record "$1" 0 1 0; fi
}

# recordCtest NAME JUNIT-FILE STATUS: what ctest reports. A test that could not be started is a failure, and so is a
# ctest that reports nothing.
recordCtest() {
  local name=$1 junit=$2 status=$3 total=0 passed=0 skipped=0
  if [[ -f $junit ]]; then
    total=$(grep -c $'^\t<testcase ' "$junit") || true
    passed=$(grep -cE $'^\t<testcase .* status="run"' "$junit") || true
    skipped=$(grep -cE '<skipped message="SKIP_|status="disabled"' "$junit") || true
  fi
  local failed=$((total - passed - skipped))
  if ((failed == 0 && (status != 0 || total == 0))); then failed=1; fi
  record "$name" "$passed" "$failed" "$skipped"
  if ((skipped > 0)); then
    echo "Skipped, which is not passed ($name):"
    grep -B1 -E '<skipped message="SKIP_' "$junit" | sed -nE 's/^\t<testcase name="([^"]*)".*/  \1/p'
  fi
}

# recordGtest NAME REPORTS PROGRAM…: what test programs reported that were run in two halves. A half without a report has
# crashed; one that failed with every test passed has leaked.
recordGtest() {
  local name=$1 reports=$2 ran=0 failed=0 skipped=0 program half report bad
  shift 2
  for program in "$@"; do
    for half in 0 1; do
      report=$reports/${program##*/}-$half bad=0
      if [[ -s $report.xml ]]; then
        bad=$(sed -nE 's/^<testsuites .* failures="([0-9]+)".*/\1/p' "$report.xml")
        ran=$((ran + $(grep -c '<testcase .* status="run"' "$report.xml" || true)))
        skipped=$((skipped + $(grep -c '<testcase .* result="skipped"' "$report.xml" || true)))
      fi
      failed=$((failed + bad))
      if ((bad == 0)) && [[ ! -s $report.xml || -e $report.failed ]]; then
        failed=$((failed + 1)) ran=$((ran + 1))
      fi
    done
  done
  if ((ran == 0)); then failed=1 ran=1; fi
  record "$name" $((ran - failed - skipped)) "$failed" "$skipped"
}

# Prints the table and, last, the sum. Returns 1 if anything failed or nothing ran.
summariseResults() {
  awk -F '\t' '
    { printf "%-32s %5d passed, %d failed, %d skipped\n", $1, $2, $3, $4; p += $2; f += $3; s += $4 }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit (f > 0 || p == 0) }' "$resultsFile"
}
