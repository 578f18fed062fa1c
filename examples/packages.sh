# Installs what building and testing need, on Debian and its relatives. Sourced by quickstart.sh and tests/run.sh.
#
# What for:   cmake make gcc pkg-config           the build
#             re2c lemon                          the lexer and the parser
#             libopenblas-dev                     matrix products, LAPACK
#             libjansson-dev                      JSON
#             libprotobuf-c-dev protobuf-c-compiler libisal-dev   TensorBoard's files and their checksums
#             zlib1g-dev                          gzipped data
#             libpng-dev                          image summaries, pictures as data
#             libjpeg-dev                         pictures as data
#             librandom123-dev                    counter-based random numbers
#             libcmocka-dev python3               the tests
#             g++                                 the test that builds against what is installed; else it is skipped
#             chromium-headless-shell             looking at report.html; where there is none that test is skipped
#             clang libclang-rt-dev               fuzzing
build_packages="cmake make gcc libc6-dev pkg-config re2c lemon libopenblas-dev libjansson-dev libprotobuf-c-dev
    protobuf-c-compiler libisal-dev zlib1g-dev libpng-dev libjpeg-dev librandom123-dev libcmocka-dev"
test_packages="python3 g++"
browser_packages="chromium-headless-shell"
fuzz_packages="clang libclang-rt-dev"

is_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# install_packages NAME...: those that are missing, saying so.
install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "This is not Debian: please see to it that these are installed: $*" >&2
        return 0
    fi
    local name missing=()
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
    fi
    echo "== installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
