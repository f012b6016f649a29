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

# Prints the table and, last, the sum. Returns 1 if anything failed or nothing ran.
summariseResults() {
  awk -F '\t' '
    { printf "%-32s %5d passed, %d failed, %d skipped\n", $1, $2, $3, $4; p += $2; f += $3; s += $4 }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit (f > 0 || p == 0) }' "$resultsFile"
}
