#!/usr/bin/env python3
"""What `cmake --install` leaves is whole, can be moved, and is used from outside the tree: by pkg-config and by
find_package, shared and static, from C, C++ and Python. The examples are built and run that way, and what they print is
looked at."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
BUILD = os.path.dirname(PROGRAM)
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
EXAMPLES = os.path.join(ROOT, "examples")
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]

FILES = """bin/vgraph include/vgraph.h LIB/libvgraph.a LIB/libvgraph.so LIB/libvgraph.so.0 LIB/pkgconfig/vgraph.pc
LIB/cmake/vgraph/vgraphConfig.cmake LIB/cmake/vgraph/vgraphConfigVersion.cmake share/man/man1/vgraph.1
share/bash-completion/completions/vgraph share/zsh/site-functions/_vgraph share/fish/vendor_completions.d/vgraph.fish
share/vgraph/models/xor.nn share/doc/vgraph/README.md share/doc/vgraph/examples/train.c
share/doc/vgraph/examples/CMakeLists.txt share/vim/vimfiles/syntax/nn.vim share/vgraph/vscode/package.json""".split()


def cache(name):
    found = re.search("^%s:[^=]*=(.*)$" % name, open(os.path.join(BUILD, "CMakeCache.txt")).read(), re.MULTILINE)
    return found.group(1) if found else ""


SANITIZE = cache("VGRAPH_SANITIZE")
FLAGS = ["-fsanitize=" + SANITIZE] if SANITIZE else []
if cache("VGRAPH_COVERAGE") == "ON":
    FLAGS.append("--coverage")
CC = cache("CMAKE_C_COMPILER") or "cc"
CXX = CC.replace("clang", "clang++") if "clang" in os.path.basename(CC) else re.sub(r"gcc|cc$", lambda m: "g++" if m[0] == "gcc" else "c++", CC)


class Installed:
    def __init__(self, prefix):
        self.prefix = prefix
        self.lib = next(os.path.join(prefix, d) for d in ("lib", "lib64") if os.path.isdir(os.path.join(prefix, d)))
        if not os.path.exists(os.path.join(self.lib, "libvgraph.a")):      # Debian's, when it was configured for /usr
            self.lib = next(f for f, _, names in os.walk(self.lib) if "libvgraph.a" in names)
        self.environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(self.lib, "pkgconfig"), LD_LIBRARY_PATH=self.lib,
                                UBSAN_OPTIONS="print_stacktrace=1", TSAN_OPTIONS="ignore_noninstrumented_modules=1")

    def run(self, command, expect=0, **more):
        environment = dict(self.environment, **more.pop("environment", {}))
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, **more)
        assert done.returncode == expect, "%s: %d\n%s%s" % (command, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def packages(self, *arguments):
        return shlex.split(self.run(["pkg-config", *arguments, "vgraph"]))

    def compile(self, source, program, static=False, compiler=CC, standard="-std=c11", libraries=()):
        flags = self.packages("--cflags")
        if static:      # both lie in one folder, where -lvgraph is the shared one
            libs = [os.path.join(self.lib, "libvgraph.a") if word == "-lvgraph" else word
                    for word in self.packages("--static", "--libs")]
        else:
            libs = self.packages("--libs")
        self.run([compiler, standard, "-D_DEFAULT_SOURCE", "-O1", *STRICT, *FLAGS, source, "-o", program, *flags, *libs, *libraries])
        linked = "libvgraph" in self.run(["readelf", "-d", program])
        assert linked != static, program
        return program


def install(folder):
    """Into a folder from which it is then moved away; and the same below DESTDIR."""
    first, prefix = os.path.join(folder, "first"), os.path.join(folder, "moved here")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", first], check=True, capture_output=True)
    os.rename(first, prefix)
    it = Installed(prefix)
    staged = os.path.join(folder, "staged")
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/opt/v"], check=True, capture_output=True,
                   env=dict(os.environ, DESTDIR=staged))
    for name in FILES:
        path = name.replace("LIB", os.path.relpath(it.lib, prefix))
        assert os.path.exists(os.path.join(prefix, path)), path
        assert os.path.exists(os.path.join(staged, "opt/v", path)), path
    shutil.rmtree(staged)
    for folder_, _, names in os.walk(os.path.join(it.lib, "cmake")):
        for name in names:
            text = open(os.path.join(folder_, name)).read()
            assert BUILD not in text and first not in text, "%s knows where it was built" % name
    assert it.run([os.path.join(prefix, "bin/vgraph"), "--version"]).startswith("vgraph ")
    return it


def test_symbols(it):
    """The shared library shows what vgraph.h declares, and nothing else."""
    header = open(os.path.join(ROOT, "include/vgraph.h")).read()
    declared = set(re.findall(r"^VG_API [\w \*]*?\*?(vg_\w+)\(", header, re.MULTILINE))
    shown = {line.split()[-1] for line in it.run(["nm", "-D", "--defined-only", os.path.join(it.lib, "libvgraph.so")]).splitlines()}
    shown = {name for name in shown if not name.startswith("_")}      # a sanitizer's own
    assert len(declared) > 50 and declared == shown, declared ^ shown
    assert re.search(r"SONAME.*\[libvgraph\.so\.\d+\]", it.run(["readelf", "-d", os.path.join(it.lib, "libvgraph.so")]))
    assert os.path.islink(os.path.join(it.lib, "libvgraph.so"))
    print("symbols: %d" % len(declared))


def test_package(it):
    version = it.run([os.path.join(it.prefix, "bin/vgraph"), "--version"]).split()[1]
    assert it.packages("--modversion") == [version]
    shared, static = it.packages("--libs"), it.packages("--static", "--libs")
    assert "-lvgraph" in shared and "-lopenblas" not in shared and "-lopenblas" in static and "-lm" in static, (shared, static)


def test_readme(it, folder):
    source = os.path.join(folder, "fit.c")
    with open(source, "w") as file:
        file.write(re.search(r"^## The C interface$.*?```c\n(.*?)```", open(os.path.join(ROOT, "README.md")).read(), re.MULTILINE | re.DOTALL).group(1))
    assert it.run([it.compile(source, os.path.join(folder, "fit"))]) == "a = 2\n"


# ---- what the examples print

def check_train(it, program):
    out = it.run([program, "48", "0.005"])
    assert re.search(r"^ *9[89]\.\d % after \d+ steps", out, re.MULTILINE) and "h.W " in out and "96 numbers" in out, out


def check_source(it, program):
    out = it.run([program])
    tests = [float(error) for error in re.findall(r"test +error ([\d.]+)", out)]
    assert len(tests) == 5 and tests[0] > 0.1 and tests[-1] < 0.005, out
    assert int(re.search(r"asked for (\d+) columns", out).group(1)) >= 2 * (2000 + 5 * 10), out


def check_watch(it, program):
    out = it.run([program, os.path.join(ROOT, "models/deep_sigmoid.nn"), "grad(loss, h[*].W)", "21"])
    rows = re.findall(r"^seen/h\[(\d)\]\.W +│(.{48})│ rms ([\d.e-]+)$", out, re.MULTILINE)
    assert len(rows) == 3 * 4 == out.count("rms") and out.count("step ") == 3, out      # steps 0, 10, 20
    assert all("█" in cells for _, cells, _ in rows) and float(rows[0][2]) < float(rows[3][2]), out      # the first layer's
    done = subprocess.run([program, "/nowhere.nn", "x"], capture_output=True, text=True, env=it.environment)
    assert done.returncode == 4 and "/nowhere.nn" in done.stderr, done


def check_infer(it, program):
    """y = 3 a - 2 b + 1 is learnt here; what it infers it from has neither the model's file nor the data any more."""
    with tempfile.TemporaryDirectory() as folder:
        model, rows = os.path.join(folder, "m.nn"), os.path.join(folder, "d.csv")
        with open(rows, "w") as file:
            file.write("a,b,y\n" + "".join("%g,%g,%g\n" % (a / 4, b / 4, 3 * a / 4 - 2 * b / 4 + 1) for a in range(5) for b in range(5)))
        with open(model, "w") as file:
            file.write("data d = csv(\"d.csv\", target = \"y\", test = 0)\ninput x: [batch, 2] = d.features\n"
                       "input y: [batch] = d.target\nz = dense(x, 1)[:, 0]\nloss = mean((z - y)^2)\nsummary scalar loss\n"
                       "expect finite(loss)\ntrain loss { batch = 25; steps = 400; optimizer = sgd(rate = 0.3, momentum = 0.9) }\n")
        it.run([os.path.join(it.prefix, "bin/vgraph"), "run", model, "--quiet", "--checkpoint-every", "200", "--out", os.path.join(folder, "r")])
        os.remove(model)
        os.remove(rows)
        kept = os.path.join(folder, "r", "checkpoint.safetensors")
        out = it.run([program, kept, "z"], input="1 0.5\n0 0\n-2\n10")
        assert [round(float(line), 3) for line in out.split()] == [3, 1, -25], out
        done = subprocess.run([program, kept, "zz"], capture_output=True, text=True, env=it.environment, input="")
        assert done.returncode == 1 and "there is no 'zz'" in done.stderr, done


def check_use(it, program):
    out = it.run([program])
    assert "step   0: loss 4.062500" in out and "y = 2.000 x + 1.000" in out and "wrong.nn:1:" in out, out


CHECKS = {"train": check_train, "source": check_source, "watch": check_watch, "infer": check_infer, "use": check_use}


def test_pkg_config(it, folder):
    """By the line that stands at each example's top."""
    for name, check in CHECKS.items():
        source = os.path.join(EXAMPLES, name + (".cpp" if name == "use" else ".c"))
        top = open(source).read(1500)
        assert "%s -o %s $(pkg-config --cflags --libs vgraph)" % (os.path.basename(source), name) in top, source
        libraries = ["-lm"] if "vgraph) -lm" in top else []
        how = dict(compiler=CXX, standard="-std=c++17") if name == "use" else {}
        check(it, it.compile(source, os.path.join(folder, name), libraries=libraries, **how))
    static = it.compile(os.path.join(EXAMPLES, "infer.c"), os.path.join(folder, "static"), static=True)
    environment, it.environment = it.environment, {k: v for k, v in it.environment.items() if k != "LD_LIBRARY_PATH"}
    check_infer(it, static)
    it.environment = environment
    print("pkg-config: %d programs shared, one static" % len(CHECKS))


def test_find_package(it, folder):
    for static in ("OFF", "ON"):
        build = os.path.join(folder, "cmake " + static)
        it.run(["cmake", "-S", EXAMPLES, "-B", build, "-DSTATIC=" + static, "-DCMAKE_PREFIX_PATH=" + it.prefix, "-DCMAKE_C_COMPILER=" + CC,
                "-DCMAKE_CXX_COMPILER=" + CXX] + ["-DCMAKE_%s_FLAGS=%s" % (lang, " ".join(STRICT + FLAGS)) for lang in ("C", "CXX")])
        it.run(["cmake", "--build", build])
        for name in ("train", "use"):
            program = os.path.join(build, name)
            assert ("libvgraph" in it.run(["readelf", "-d", program])) == (static == "OFF"), program
            CHECKS[name](it, program)
    missing = subprocess.run(["cmake", "-S", EXAMPLES, "-B", os.path.join(folder, "none"), "-DCMAKE_PREFIX_PATH=/nowhere"],
                             capture_output=True, text=True)
    assert missing.returncode != 0
    print("find_package: shared and static")


def test_python(it):
    if "thread" in SANITIZE:
        return
    environment = {}
    if "address" in SANITIZE:
        preload = subprocess.run([CC, "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
        environment = {"LD_PRELOAD": preload, "ASAN_OPTIONS": "detect_leaks=0"}
    library = os.path.join(it.packages("--variable=libdir")[0], "libvgraph.so")
    out = it.run([sys.executable, os.path.join(EXAMPLES, "use.py"), library], environment=environment)
    assert re.search(r"^step 299: loss 0\.\d+$", out, re.MULTILINE), out
    assert float(re.search(r"([\d.]+) % right", out).group(1)) > 90, out
    assert "moons.nn:5: there is no 'tahn' here" in out, out
    print("python: ctypes")


def main():
    if not all(shutil.which(tool) for tool in ("cmake", "pkg-config", "nm", "readelf", CC, CXX)) or "fuzz" in BUILD:
        return 77
    with tempfile.TemporaryDirectory() as folder:
        it = install(folder)
        test_symbols(it)
        test_package(it)
        test_readme(it, folder)
        test_pkg_config(it, folder)
        test_find_package(it, folder)
        test_python(it)
    return 0


if __name__ == "__main__":
    sys.exit(main())
