#!/usr/bin/env python3
"""Every kind of data as its user meets it: a model is trained on it, evaluated from its checkpoint alone and with --data, and
predicts; what is another file is refused in a word, and a bad file is one message and exit status 4."""
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

PROGRAM = os.path.abspath(sys.argv[1])
ROWS = [((i * 37 % 101) / 100, (i * 53 % 97) / 100) for i in range(60)]
KINDS = [(a > 0.5) + (b > 0.5) for a, b in ROWS]
WORDS = ["blue", "green", "red"]

CLASSIFIER = """
data d = {source}
input x: {shape} = d.{x}
input y: [batch] = d.{y}
logits = dense(x, d.classes)
loss = mean(cross_entropy(logits, y))
train loss {{ optimizer = sgd(rate = 0.1); batch = 8; {length} }}
summary scalar loss
"""
READER = """
data d = {source}
input x: [batch, 8] = d.now
input y: [batch, 8] = d.next
logits = dense(one_hot(x, d.classes), d.classes)
loss = mean(cross_entropy(logits, y))
train loss {{ optimizer = sgd(rate = 0.1); batch = 8; {length} }}
summary scalar loss
"""


def vgraph(*arguments, folder=None):
    return subprocess.run([PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


# ---- files

def npy(dtype, shape, content):
    head = str({"descr": dtype, "fortran_order": False, "shape": shape})
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + content


def floats(rows):
    return npy("<f4", (len(rows), 2), b"".join(struct.pack("<2f", *row) for row in rows))


def longs(numbers):
    return npy("<i8", (len(numbers),), struct.pack(f"<{len(numbers)}q", *numbers))


def png(pixels, side, signature=b"\x89PNG\r\n\x1a\n"):
    """Grey bytes, [side, side]."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    lines = b"".join(b"\0" + pixels[k * side:(k + 1) * side] for k in range(side))
    return (signature + chunk(b"IHDR", struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(lines))
            + chunk(b"IEND", b""))


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    open(path, "wb").write(content if isinstance(content, bytes) else content.encode())


def table(words, rows=ROWS, kinds=KINDS, head="a,4th,kind"):
    return head + "\n" + "".join(f"{a},{b},{words[k]}\n" for (a, b), k in zip(rows, kinds))


def archive(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name + ".npy", content)


def safetensors(rows, kinds):
    x = b"".join(struct.pack("<2f", *row) for row in rows)
    y = struct.pack(f"<{len(kinds)}q", *kinds)
    head = ('{"x":{"dtype":"F32","shape":[%d,2],"data_offsets":[0,%d]},"y":{"dtype":"I64","shape":[%d],"data_offsets":[%d,%d]}}'
            % (len(rows), len(x), len(kinds), len(x), len(x) + len(y)))
    head += " " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head.encode() + x + y


def idx(shape, content):
    return b"\0\0\x08" + bytes([len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + content


def make_files():
    write("t.csv", table(WORDS))
    write("numbers.csv", table("012"))
    write("x.npy", floats(ROWS))
    write("y.npy", longs(KINDS))
    archive("d.npz", {"x": floats(ROWS), "y": longs(KINDS)})
    write("d.safetensors", safetensors(ROWS, KINDS))
    for k in range(30):
        write(f"pics/{WORDS[k % 3]}/{k}.png", png(bytes((40 * (k % 3) + 5 * p + k) % 256 for p in range(16)), 4))
    write("i.idx", idx((60, 2, 2), bytes((7 * k) % 256 for k in range(240))))
    write("l.idx", idx((60,), bytes(KINDS)))
    write("book.txt", "the quick brown fox jumps over the lazy dog; " * 40)


SOURCES = [                                     # name, source, shape of x, columns
    ("words", 'csv("t.csv", target = "kind")', "[batch, 2]", "features", "target"),
    ("scaled", 'csv("t.csv", target = "kind", scale = "standard")', "[batch, 2]", "features", "kind"),
    ("numbers", 'csv("numbers.csv", target = "kind")', "[batch, 2]", "features", "target"),
    ("npy", 'npy(x = "x.npy", y = "y.npy")', "[batch, 2]", "x", "y"),
    ("npz", 'npz("d.npz")', "[batch, 2]", "x", "y"),
    ("safetensors", 'safetensors("d.safetensors")', "[batch, 2]", "x", "y"),
    ("images", 'images("pics")', "[batch, 16]", "images", "labels"),
    ("resized", 'images("pics", height = 2, width = 2)', "[batch, 4]", "images", "labels"),
    ("idx", 'idx(images = "i.idx", labels = "l.idx")', "[batch, 4]", "images", "labels"),
    ("digits", "digits(count = 100)", "[batch, 784]", "images", "labels"),
    ("spirals", "spirals(count = 60)", "[batch, 2]", "features", "target"),
    ("text", 'text("book.txt", length = 8)', None, None, None),
    ("sentences", "sentences(count = 60, length = 8)", None, None, None),
]


def model(source, shape, x, y, length="steps = 3"):
    return (CLASSIFIER if shape else READER).format(source=source, shape=shape, x=x, y=y, length=length)


def train(name, source, shape, x, y):
    write(name + ".nn", model(source, shape, x, y))
    done = vgraph("run", name + ".nn", "--out", name, "--quiet")
    assert done.returncode == 0, f"{name}: {done.stderr}"
    return name + "/checkpoint.safetensors"


def predict(name, *inputs):
    more = [word for text in inputs for word in ("--input", text)]
    return vgraph("predict", name + "/checkpoint.safetensors", "--fetch", "logits", *more)


# ---- the tests

def test_each_is_read_again():
    for name, source, *rest in SOURCES:
        checkpoint = train(name, source, *rest)
        again = vgraph("eval", checkpoint)
        fresh = vgraph("eval", checkpoint, "--data", "d=" + source)
        assert again.returncode == 0 and "loss" in again.stdout, f"{name}: {again.stderr}"
        assert fresh.returncode == 0 and fresh.stdout == again.stdout, f"{name}: {fresh.stderr}{fresh.stdout}{again.stdout}"
        for more in ((), ("--data", "d=" + source)):
            told = vgraph("predict", checkpoint, "--fetch", "logits", *more)
            assert told.returncode == 0 and len(told.stdout.splitlines()) > 6, f"{name} {more}: {told.stderr}"
            shown = vgraph("print", name + ".nn", "--load", checkpoint, "logits", *more)
            assert shown.returncode == 0, f"{name}: {shown.stderr}"


def check_refused(name, source, said):
    for more in ((), ("--data", "d=" + source)):
        told = vgraph("eval", name + "/checkpoint.safetensors", *more)
        assert told.returncode == 4 and said in told.stderr, f"{name} {more}: {told.returncode} {told.stderr}"
        assert told.stderr.count("error:") == 1, told.stderr


def test_another_file_is_refused():
    sources = {name: source for name, source, *_ in SOURCES}
    write("t.csv", table(["blue", "grey", "red"]))
    check_refused("words", sources["words"], "the first that differs is 'grey' here and 'green' there")
    write("t.csv", table(WORDS, head="4th,a,kind"))
    check_refused("words", sources["words"], "the first that differs is '_4th' here and 'a' there")
    write("t.csv", table(WORDS, kinds=[k % 2 for k in KINDS]))
    check_refused("words", sources["words"], "(2 here, 3 there): the first that differs is missing here and 'red' there")
    write("book.txt", "The quick brown fox jumps over the lazy dog; " * 40)
    check_refused("text", sources["text"], "the first that differs is 'T' here and 'a' there")
    for top, said in (([0, 1, 3], "the largest number of 'y' is 3"), ([-1, 0, 1], "'y' holds a number that is no class")):
        archive("d.npz", {"x": floats(ROWS), "y": longs([top[k] for k in KINDS])})
        check_refused("npz", sources["npz"], said)
    archive("d.npz", {"y": longs(KINDS), "x": floats(ROWS)})
    turned = vgraph("eval", "npz/checkpoint.safetensors")
    assert turned.returncode == 4 and "'y' is where 'x' was" in turned.stderr, turned.stderr
    assert vgraph("eval", "npz/checkpoint.safetensors", "--data", 'd=npz("d.npz")').returncode == 0
    archive("d.npz", {"x": floats(ROWS), "y": longs([k % 2 for k in KINDS])})     # some classes do not occur: no mistake
    for more in ((), ("--data", 'd=npz("d.npz")')):
        fewer = vgraph("eval", "npz/checkpoint.safetensors", *more)
        assert fewer.returncode == 0, fewer.stderr


def test_names_of_the_file():
    train("named", 'csv("t.csv", target = "kind")', "[batch, 2]", "features", "target")
    for head in ("4th,kind,a\n0.5,red,1\n", "kind,a,_4th\nred,1,0.5\n", "a,target,4th\n1,red,0.5\n"):
        write("new.csv", head)
        told = vgraph("predict", "named/checkpoint.safetensors", "--input", "x=new.csv", "--input", "y=new.csv", "--fetch",
                      "cross_entropy(logits, y)", "--fetch", "logits")
        assert told.returncode == 0, head + told.stderr
        assert head[0] == "4" or told.stdout == before, told.stdout
        before = told.stdout
    write("new.csv", "a,kind\n1,red\n")
    told = predict("named", "x=new.csv")
    assert told.returncode == 4 and "there is no column '4th'" in told.stderr, told.stderr
    write("new.csv", "a,4th\n1,2\n")
    told = vgraph("predict", "named/checkpoint.safetensors", "--input", "x=new.csv", "--input", "y=new.csv", "--fetch",
                  "cross_entropy(logits, y)")
    assert told.returncode == 4 and "there is no column 'kind'" in told.stderr, told.stderr


def test_pictures_go_in():
    train("seen", 'images("pics", height = 2, width = 2)', "[batch, 4]", "images", "labels")
    own = predict("seen", "x=pics/red/2.png")
    assert own.returncode == 0 and len(own.stdout.splitlines()) == 2, own.stderr
    assert predict("seen", "x=pics/blue/0.png").stdout != own.stdout
    train("grey", "digits(count = 100)", "[batch, 784]", "images", "labels")
    write("digit.png", png(bytes(k % 256 for k in range(784)), 28))
    write("u1.npy", npy("|u1", (1, 28, 28), bytes(k % 256 for k in range(784))))
    write("i4.npy", npy("<i4", (1, 784), b"".join(struct.pack("<i", k % 256) for k in range(784))))
    write("bytes.csv", ",".join(str(k % 256) for k in range(784)) + "\n")
    one = struct.unpack("<f", struct.pack("<f", 1 / 255))[0]
    write("f4.npy", npy("<f4", (1, 784), b"".join(struct.pack("<f", k % 256 * one) for k in range(784))))
    told = {name: predict("grey", "x=" + name) for name in ("digit.png", "u1.npy", "i4.npy", "bytes.csv", "f4.npy")}
    for name, done in told.items():
        assert done.returncode == 0 and done.stdout == told["u1.npy"].stdout, name + done.stderr
    folder = predict("grey", "x=pics")
    assert folder.returncode == 4 and "'pics' is a folder: an input is read from one file" in folder.stderr, folder.stderr
    table = predict("npy", "x=digit.png")
    assert table.returncode == 4 and "'digit.png' is a picture (PNG)" in table.stderr, table.stderr


def test_a_bad_file_is_one_message():
    write("ragged.csv", "a,b,kind\n1,2,red\n1,2\n")
    write("text.npy", "no array")
    archive("short.npz", {"x": floats(ROWS), "y": longs(KINDS[:1])})
    write("cut.safetensors", safetensors(ROWS, KINDS)[:-1])
    write("gif/a/1.png", png(bytes(16), 4))
    write("gif/a/2.gif", "GIF89a")
    bad = [('csv("ragged.csv", target = "kind")', "line 3"), ('csv("none.csv", target = "kind")', "No such file"),
           ('npy(x = "text.npy", y = "y.npy")', "not an NPY file"), ('npz("text.npy")', "text.npy"),
           ('npz("short.npz")', "'short.npz/y.npy' 1"), ('safetensors("cut.safetensors")', "cut.safetensors"),
           ('images("none")', "none"), ('images("gif")', "1 file that is no PNG or JPEG (.png, .jpg, .jpeg): '2.gif'"),
           ('idx(images = "none", labels = "l.idx")', "none"), ('mnist("none")', "none"),
           ('text("none")', "none")]
    for source, said in bad:
        for length in ("steps = 3", "epochs = 3"):
            shape, x, y = ("[batch, 784]", "images", "labels") if source[0] in "im" else ("[batch, 2]", "features", "target")
            if source[:2] in ("np", "sa"):
                x, y = "x", "y"
            if source[:4] == "text":
                shape, x, y, source = None, None, None, 'text("none", length = 8)'
            write("bad.nn", model(source, shape, x, y, length + "; shuffle = true; eval_every = 2"))
            told = vgraph("run", "bad.nn", "--out", "bad")
            assert told.returncode == 4 and said in told.stderr, f"{source} {length}: {told.returncode} {told.stderr}"
            assert told.stderr.count("error:") == 1, told.stderr
    write("late.nn", model('npy(x = "x.npy", y = "y.npy")', "[batch, 2]", "x", "y", "epochs = 2"))
    told = vgraph("predict", "late.nn", "--load", "npy/checkpoint.safetensors", "--input", "x=none.npy", "--input", "y=none.npy",
                  "--fetch", "logits")
    assert told.returncode == 4 and "setting-no-data" not in told.stderr, told.stderr


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        tests = [(name, value) for name, value in globals().items() if name.startswith("test_")]
        for name, test in tests:
            make_files()
            try:
                test()
            except Exception as error:      # every one is told of
                print(f"FAILED {name}\n{type(error).__name__}: {error}")
                failed += 1
        os.chdir("/")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
