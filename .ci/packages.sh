# Which Debian packages Zellige needs, and how they get there. Sourced by demo.sh and test.sh.
# Nothing is installed that is there already, nothing is removed, and nothing is upgraded unless a missing package
# cannot be had otherwise (libssl-dev, for one, wants exactly its own libssl3).

# "package", or "package:command" where another package's command does as well.
packagesToBuild=(
  g++ cmake:cmake ninja-build:ninja ccache:ccache mold:mold pkg-config:pkg-config
  libboost1.81-dev libcurl4-openssl-dev nlohmann-json3-dev libsqlitecpp-dev libsqlite3-dev libspdlog-dev libfmt-dev
  libcli11-dev libyaml-cpp-dev libsodium-dev libzstd-dev libssl-dev
  libjemalloc-dev
)
packagesToTest=(
  libgtest-dev libgmock-dev clang clang-tidy clang-format libclang-rt-14-dev git:git nodejs:node npm:npm
)

isInstalled() {
  [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]
}

# Prints the packages of its arguments that are not there.
missingPackages() {
  local entry package command
  for entry in "$@"; do
    package=${entry%%:*} command=${entry#"${entry%%:*}"}
    isInstalled "$package" && continue
    [[ -n $command ]] && command -v "${command#:}" >/dev/null && continue
    printf '%s\n' "$package"
  done
}

# installPackages PURPOSE PACKAGE…: installs what is missing of them, or says what to do and returns 1.
installPackages() {
  local purpose=$1
  shift
  if ! command -v dpkg-query >/dev/null; then
    echo "This script knows Debian 12. On another system, install what .ci/packages.sh lists by hand and use CMake" >&2
    echo "directly: cmake --preset release && ninja -C build/release" >&2
    return 1
  fi
  local missing
  mapfile -t missing < <(missingPackages "$@")
  if ((${#missing[@]} == 0)); then
    echo "Packages: all that are needed to $purpose are installed."
    return 0
  fi
  if [[ " ${missing[*]} " == *' libboost1.81-dev '* ]] && isInstalled libboost1.74-dev; then
    cat >&2 <<'EOF'
libboost1.74-dev is installed, and Debian does not allow libboost1.81-dev, which Zellige needs, beside it.
If nothing of yours is built against Boost 1.74, exchange them (apt says what goes with it, and asks):
    apt-get install libboost1.81-dev
then run this again. Otherwise build Zellige in a container or another machine with Debian 12.
EOF
    return 1
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive)
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "To $purpose, these packages are missing, and there is no sudo here. As root, run:" >&2
      echo "    apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
      return 1
    fi
    apt=(sudo "${apt[@]}")
  fi
  echo "Packages: to $purpose, ${#missing[@]} are missing and installed now: ${missing[*]}"
  # --no-remove: apt stops rather than take anything away.
  local install=("${apt[@]}" apt-get install -y -q --no-install-recommends --no-upgrade --no-remove "${missing[@]}")
  if ! apt-get install -s --no-install-recommends --no-remove "${missing[@]}" >/dev/null 2>&1; then
    "${apt[@]}" apt-get update -q
  fi
  "${install[@]}" || {
    echo "apt could not install them; nothing was removed. Its reason stands above." >&2
    return 1
  }
}

# How many compilers may run at once: one per core, but no more than memory allows (Beast and nlohmann/json take more
# than 1 GB each).
buildJobs() {
  local cores gigabytes
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo)
  ((gigabytes < 1)) && gigabytes=1
  echo $((cores < gigabytes ? cores : gigabytes))
}
