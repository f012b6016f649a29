# What the acceptance scripts share: sourced with the script's arguments. It sets $program,
# $build and $full. They print each line with its figures and whether it holds, and count.
usage() {
  cat <<USAGE
usage: $0 [--full] [ZELLIGE]

  ZELLIGE   the program; default build/release/bin/zellige. The unit tests beside it are run with ctest, so build all.
  --full    the sizes that the lines are written for (hours); without it smaller ones, which each line states

Exit status 1 if a line falls short.
USAGE
}

full=0
program=build/release/bin/zellige
for argument in "$@"; do
  case $argument in
    --full) full=1 ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) program=$argument ;;
  esac
done
program=$(realpath "$program")
[[ -x $program ]] || { echo "$program is not there: build it first" >&2; exit 2; }
command -v node >/dev/null || { echo 'node is needed to read the figures (.ci/packages.sh names it)' >&2; exit 2; }
readonly build=$(dirname "$(dirname "$program")")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

verdict() {  # verdict TITLE FIGURES STATUS
  local word='holds'
  if (($3 == 0)); then passed=$((passed + 1)); else failed=$((failed + 1)) word='falls short'; fi
  printf '%-12s %s: %s\n' "$word" "$1" "$2"
}

ask() {  # ask NAME ARGUMENT…: the program's JSON goes to $scratch/NAME, its exit status to $scratch/NAME.status
  local name=$1 status=0
  shift
  "$program" "$@" --json >"$scratch/$name" 2>"$scratch/$name.err" || status=$?
  echo "$status" >"$scratch/$name.status"
}

# judge TITLE FIGURES CONDITION NAME…: FIGURES is a JavaScript template, CONDITION an expression. Both know `o`, the
# first reply, `all`, and sum(key) over all. The program itself must have said that all is well, unless `mayFail` is set.
mayFail=''
judge() {
  local title=$1 figures=$2 condition=$3 text status=0 name
  shift 3
  text=$(cd "$scratch" && mayFail=$mayFail node -e '
    const [figures, condition, ...names] = process.argv.slice(1);
    const all = names.map(name => JSON.parse(require("fs").readFileSync(name, "utf8")));
    const o = all[0];
    const well = name => require("fs").readFileSync(`${name}.status`, "utf8").trim() === "0";
    const statuses = process.env.mayFail === "yes" || names.every(well);
    const sum = key => all.reduce((total, reply) => total + reply[key], 0);
    const kinds = new Set(all.flatMap(reply => Object.entries(reply.faults_by_kind ?? {}))
      .filter(([, count]) => count > 0).map(([kind]) => kind));
    const allKinds = new Set(all.flatMap(reply => Object.keys(reply.faults_by_kind ?? {})));
    console.log(eval("`" + figures + "`"));
    if (!statuses) console.log("(the program itself ended with a failure)");
    process.exit(statuses && eval(condition) === true ? 0 : 1);
  ' "$figures" "$condition" "$@" 2>/dev/null) || status=1
  if [[ -z $text ]]; then
    text='no figures'
    for name in "$@"; do text+=" $(tail -n 1 "$scratch/$name.err")"; done
  fi
  verdict "$title" "$text" "$status"
}

# units TITLE TEST…: the unit tests that prove a line, by name; each must be there, run and pass.
units() {
  local title=$1 report=$scratch/ctest.txt name missing=0
  shift
  local pattern
  pattern=$(printf '%s|' "$@" | sed -E 's/[.]/\\./g; s/\|$//')
  ctest --test-dir "$build" -j2 -R "^($pattern)( |\$)" --no-tests=error >"$report" 2>&1 || true
  sed -nE 's/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: ([^ ]+) .* Passed .*/\1/p' "$report" >"$scratch/passed.txt"
  for name in "$@"; do
    grep -qxF -- "$name" "$scratch/passed.txt" || { echo "  not passed: $name"; missing=$((missing + 1)); }
  done
  verdict "$title" "$(($# - missing)) of $# unit tests passed" "$missing"
}

conclude() {  # the last line of a script
  echo
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
