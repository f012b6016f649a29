#!/usr/bin/env bash
# Installs what is missing, builds, and brings up 18 simulated trays before your eyes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'EOF'
usage: ./demo.sh [-- OPTIONS OF zellige demo]

Takes 18 simulated GB200 compute trays from planned to available, over real HTTPS and Redfish.
  ./demo.sh                          with a live table, for a person to watch
  ./demo.sh -- --headless --json     for a script
On Debian 12. Packages that are missing are named and installed (with sudo when you are not root).
EOF
}

case ${1-} in
  -h | --help) usage; exit 0 ;;
  '') ;;
  --) shift ;;
  *) usage >&2; exit 2 ;;
esac

{
  source .ci/packages.sh
  installPackages 'build' "${packagesToBuild[@]}"
  if [[ ! -f build/release/build.ninja ]]; then
    cmake --preset release -DZELLIGE_TESTS=OFF
  fi
  ninja -C build/release -j "$(buildJobs)" zellige
} >&2  # so that with --json only the demo's own output is on standard output

exec build/release/bin/zellige demo "$@"
