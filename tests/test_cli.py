#!/usr/bin/env python3
"""The command line as its users meet it: exit statuses, messages, files, signals."""
import fcntl
import glob
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
LINE = os.path.join(ROOT, "models", "linear.nn")

FILES = {
    "ok.nn": """
var w: [3] = [1, 2, 3]
loss = mean((w - 1) ^ 2)
train loss { steps = 5; optimizer = sgd(rate = 0.1) }
summary scalar loss
summary histogram grad(loss, w), w
""",
    "kink.nn": "var w: [4] = 0\nloss = sum(relu(w - stop_gradient(w)))\ntrain loss { steps = 1 }\n",
    "wrong.nn": "a = b + 1\n",
    "nodata.nn": 'data d = mnist("nowhere")\ninput x: [batch, 784] = d.images\ny = mean(x)\nsummary scalar y\n',
    "expect.nn": "var w: [1] = 1\nloss = mean(w ^ 2)\ntrain loss { steps = 3 }\nexpect loss < 0, \"it is a square\"\n",
    "steps.nn": "var w: [1] = 1\nloss = mean(w ^ 2)\ntrain loss { steps = 9 }\nexpect steps == 3\n",
    "book.nn": "data book = sentences(count = 50)\ninput now: [batch, 64] = book.now\nx = mean(float(now))\n",
    "odd.nn": "a = [1, 2]\nb = [3, 4]\nsummary histogram a[0], sample(normal(0, 1), [8])\n",
    "nan.nn": "var w: [1] = 1\nloss = mean(log(w - 2))\ntrain loss { steps = 3 }\nsummary scalar loss\n",
    "fed.nn": "input x: [batch, 3]\nsummary scalar mean(x)\n",
    "empty.nn": "const a = 1\n",
    "turns.nn": """
var w: [40, 30] ~ normal(0, 1)
var v: [30] = 1
loss = mean(square(tanh(w @ v) - 1))
other = mean(square(v - 2))
train loss { steps = 2; params = w; optimizer = sgd(rate = 0.1) }
train other { every = 4; params = v; optimizer = sgd(rate = 0.1) }
summary scalar loss
summary histogram w every 8
""",
    "forever.nn": "var w: [1] = 1\nloss = mean(w ^ 2)\ntrain loss { steps = 2000000000 }\n"
                  "summary scalar loss every 1000000\n",
}

# arguments, exit status, in standard output, in standard error ("" is nothing at all, None anything)
TABLE = [
    ([], 2, "", "usage: vgraph VERB"),
    (["--help"], 0, "vgraph run models/deep_sigmoid.nn", ""),
    (["--version"], 0, "vgraph 0.1.0\n", ""),
    (["rnu", "ok.nn"], 2, "", "there is no verb 'rnu'; did you mean 'run'?\ntry 'vgraph --help'\n"),
    (["xyzzy"], 2, "", "there is no verb 'xyzzy'\n"),
    (["eval", "ok.nn"], 2, "", "'vgraph eval' needs --load: the checkpoint with the values"),
    (["predict", "ok.nn", "--load", "x"], 2, "", "'vgraph predict' needs --fetch: what is to be computed"),
    (["predict", "ok.nn", "--load", "x", "--fetch", "w", "--out", "a.txt"], 2, "", "does not end with .csv, .json or .npy"),
    (["predict", "ok.nn", "--load", "x", "--fetch", "w", "--fetch", "w", "--out", "a.npy"], 2, "", "a .npy file holds one value"),
    (["run"], 2, "", "'vgraph run' needs FILE.nn\ntry 'vgraph run --help'\n"),
    (["run", "ok.nn", "other.nn"], 2, "", "'other.nn' is one argument too many"),
    (["run", "ok.nn", "--step", "3", "--no-files"], 0, "step 2", None),
    (["run", "ok.nn", "--s", "3"], 2, "", "'--s' is the beginning of several options"),
    (["run", "ok.nn", "--stpes", "3"], 2, "", "there is no option '--stpes'; did you mean '--steps'?"),
    (["run", "ok.nn", "--stage", "plan"], 2, "", "'--stage' is not an option of 'vgraph run'"),
    (["run", "ok.nn", "--steps"], 2, "", "--steps needs a value"),
    (["run", "ok.nn", "--steps", "many"], 2, "", "--steps takes a whole number above 0, not 'many'"),
    (["run", "ok.nn", "--steps", "-1"], 2, "", "--steps takes a whole number above 0, not '-1'"),
    (["run", "ok.nn", "--seed", "9223372036854775808"], 2, "",
     "--seed takes a whole number up to 9223372036854775807, not '9223372036854775808'"),
    (["run", "ok.nn", "--seed", "99999999999999999999"], 2, "", "--seed takes a whole number up to 9223372036854775807"),
    (["run", "ok.nn", "--seed", "9223372036854775807", "--no-files", "--quiet"], 0, "", ""),
    (["run", "ok.nn", "--quiet=3"], 2, "", "--quiet takes no value"),
    (["run", "ok.nn", "--threads", "2", "--no-files"], 0, "step 4", None),
    (["run", "ok.nn", "--no-fuse", "--no-files"], 0, "step 4", None),
    (["run", "ok.nn", "--threads", "0"], 2, "", "--threads takes a whole number above 0, not '0'"),
    (["run", "ok.nn", "--threads", "1000"], 2, "", "--threads takes a number up to 256, not '1000'"),
    (["run", "ok.nn", "--resume", "--no-files"], 2, "", "--no-files and --resume contradict each other"),
    (["run", "ok.nn", "--checkpoint-every", "3", "--no-files"], 2, "", "--no-files and --checkpoint-every contradict"),
    (["run", "ok.nn", "--resume", "--load", "x"], 2, "", "--resume goes on with the run's own values"),
    (["run", "ok.nn", "--partial", "--no-files"], 2, "", "--partial goes with --load"),
    (["run", "ok.nn", "--load", "none.safetensors", "--no-files"], 4, "", "none.safetensors"),
    (["run", "ok.nn", "--color=blue"], 2, "", "--color is always, never or auto, not 'blue'"),
    (["run", "ok.nn", "--set", "a"], 2, "", "--set takes NAME=EXPR, not 'a'"),
    (["run", "ok.nn", "--set", "train.steps=3", "--set=train.steps=4"], 2, "", "--set train.steps is given twice"),
    (["run", "ok.nn", "--set", "trian=3", "--no-files"], 2, "", "trian"),
    (["run", "ok.nn", "--out", "o", "--no-files"], 2, "", "--out and --no-files contradict each other"),
    (["run", "none.nn"], 4, "", "none.nn"),
    (["run", "nodata.nn", "--no-files"], 4, "", "nowhere"),
    (["run", "wrong.nn"], 1, "", "wrong.nn:1:5"),
    (["run", "expect.nn", "--no-files"], 3, "", "it is a square"),
    (["run", "expect.nn", "--no-files", "--quiet"], 3, "", "expect failed 3 times: loss < 0"),
    (["run", "nan.nn", "--no-files"], 5, "    nan\n", "loss"),
    (["run", "steps.nn", "--steps", "3", "--no-files", "--quiet"], 0, "", ""),
    (["run", "ok.nn", "--no-files", "--quiet"], 0, "", ""),
    (["run", "ok.nn", "--no-files", "--color=always"], 0, "\x1b[", None),
    (["run", "ok.nn", "--no-files", "--jsonl", "/nowhere/x"], 4, "",
     "cannot write '/nowhere/x': No such file or directory"),
    (["run", "ok.nn", "--no-files", "--dump", "nonsense"], 2, "", "nonsense"),
    (["check", "ok.nn", "expect.nn"], 0, "", ""),
    (["check", "ok.nn", "wrong.nn", "none.nn"], 1, "", "none.nn"),
    (["check", "ok.nn", "--dump", "simplify"], 0, "variable", ""),
    (["check"], 2, "", "'vgraph check' needs FILE.nn..."),
    (["graph", "ok.nn"], 0, "update", ""),
    (["graph", "ok.nn", "--stage", "forward"], 0, "variable", ""),
    (["graph", "ok.nn", "--stage", "plan"], 0, None, ""),
    (["graph", "ok.nn", "--format", "dot"], 0, "digraph", ""),
    (["graph", "ok.nn", "--stage", "fused"], 0, "one pass", ""),
    (["graph", "ok.nn", "--stage", "plan", "--format", "json"], 0, '"pass":', ""),
    (["graph", "ok.nn", "--stage", "fused", "--format", "dot"], 2, "", "of fused there are text and json"),
    (["graph", "ok.nn", "--format", "json"], 0, '"names":["loss"],"file":"ok.nn","line":3', ""),
    (["graph", "ok.nn", "--format", "txet"], 2, "", "--format knows no 'txet'; did you mean 'text'?"),
    (["graph", "ok.nn", "--wrt", "w"], 0, "\nderivative = ", ""),
    (["graph", "ok.nn", "--wrt", "w", "--of", "sum(w * 3)"], 0, "\nderivative = ", ""),
    (["graph", "ok.nn", "--wrt", "ww"], 1, "", "ww"),
    (["graph", "ok.nn", "--wrt", "loss", "--of", "sum(w)"], 1, "", "does not depend on"),
    (["graph", "ok.nn", "--wrt", "w", "--of", "w"], 1, "", "[grad-not-scalar]"),
    (["graph", "ok.nn", "--wrt", "w", "--stage", "plan"], 2, "", "--wrt writes a model: it takes no --stage"),
    (["graph", "ok.nn", "--of", "w"], 2, "", "--of says what --wrt NAME derives"),
    (["graph", "fed.nn", "--wrt", "x"], 1, "", "the model has no train block, so no loss: --of EXPR says what is derived"),
    (["graph", "ok.nn", "--wrt", "w", "--of", "sum(w * sample(normal(0, 1), [3]))"], 1, "",
     "no way to write 'random_normal' here"),
    (["print", "ok.nn"], 2, "", "'vgraph print' needs FILE.nn EXPR..."),
    (["print", "ok.nn", "w", "2 * w"], 0, "w: f32[3]\n[1 2 3]\n2 * w: f32[3]\n[2 4 6]\n", ""),
    (["print", "ok.nn", "w", "--format", "json"], 0, '{"expr":"w","dtype":"f32","shape":[3],"data":[1,2,3]}\n', ""),
    (["print", "ok.nn", "w / 0", "--format=json", "--float64"], 0,
     '"dtype":"f64","shape":[3],"data":["inf","inf","inf"]}\n', ""),
    (["print", "ok.nn", "w", "--format", "npy"], 2, "", "--format npy takes one expression, and --out FILE"),
    (["print", "ok.nn", "ww"], 1, "", "ww"),
    (["print", "ok.nn", "log(w - 9)"], 0, "[nan nan nan]", None),
    (["print", "ok.nn", "(-2)^2", "-2^2"], 2, "",
     "there is no option '-2^2'; an argument that begins with '-' is written behind '--'\n"),
    (["print", "ok.nn", "-h[1]"], 2, "", "there is no option '-h[1]'"),
    (["print", "ok.nn", "-h"], 0, "usage: vgraph print", ""),
    (["print", "--format=json", "ok.nn", "--", "(-2)^2", "-2^2"], 0, '"data":[4]}\n{"expr":"-2^2",', ""),
    (["print", "ok.nn", "--", "--w"], 0, "[1 2 3]", ""),
    (["describe", "ok.nn"], 0, "w", ""),
    (["describe", "book.nn"], 0, "\n  now              int[batch, 64] from book.now (40 training examples, 10 test)\n"
     "data\n  book             30 classes: \\n space , . a b c d e f g h i j k l m n o p q r s t u v w x y z\n", ""),
    (["describe", "book.nn", "--data", "book=text(\"/proc/self/exe\")"], 4, "", "is not a text"),
    (["print", "ok.nn", "load(\"none.npy\")"], 4, "", "'none.npy' cannot be read: No such file or directory"),
    (["help", "load"], 0, "load(file)\n", ""),
    (["gradcheck", "ok.nn", "--seed", "7"], 0, "seed 7\nok     w", ""),
    (["gradcheck", "kink.nn"], 0, "unsure w                        not checked, 4 skipped beside a kink\n", ""),
    (["gradcheck", "ok.nn"], 0, "\n1 variable: 3 checked, 0 skipped (0.00 %), worst ", ""),
    (["gradcheck", "ok.nn", "--second"], 0, "second order, seed 1\nok     w", ""),
    (["gradcheck", "kink.nn", "--second"], 0, "\n1 variable: 0 checked, 4 skipped (100.00 %), worst 0.00e+00\n", ""),
    (["time"], 2, "", "'vgraph time' needs FILE.nn\ntry 'vgraph time --help'\n"),
    (["time", "ok.nn", "--steps", "20"], 0, "ok.nn: a step of batch 32 takes ", ""),
    (["time", "ok.nn", "--steps", "0"], 2, "", "--steps takes a whole number above 0, not '0'"),
    (["time", "ok.nn", "--threads", "257"], 2, "", "--threads takes a number up to 256, not '257'"),
    (["time", "ok.nn", "--out", "o"], 2, "", "'--out' is not an option of 'vgraph time'"),
    (["time", "ok.nn", "--set", "trian=3"], 2, "", "trian"),
    (["time", "none.nn"], 4, "", "none.nn"),
    (["time", "nodata.nn"], 4, "", "nowhere"),
    (["time", "wrong.nn"], 1, "", "wrong.nn:1:5"),
    (["time", "nan.nn", "--steps", "2"], 5, "", "loss"),
    (["time", "fed.nn"], 2, "", "x"),
    (["time", "empty.nn"], 1, "", "there is nothing to run"),
    (["fmt"], 2, "", "'vgraph fmt' needs FILE.nn..."),
    (["fmt", "none.nn"], 4, "", "vgraph: cannot read 'none.nn': No such file or directory\n"),
    (["fmt", "--check", "wrong.nn"], 0, "", ""),
    (["fmt", "--check", "ok.nn", "wrong.nn", "empty.nn"], 1, "ok.nn\n", ""),
    (["fmt", "ok.nn", "--seed", "3"], 2, "", "'--seed' is not an option of 'vgraph fmt'"),
    (["check", "ok.nn", "--check"], 2, "", "'--check' is not an option of 'vgraph check'"),
    (["help", "time"], 0, "vgraph time FILE.nn", ""),
    (["help", "matmul"], 0, "matmul", ""),
    (["help", "crossentropy"], 2, "cross_entropy", ""),
]
for verb in ("run", "check", "graph", "print", "describe", "gradcheck", "time", "fmt", "help"):
    TABLE.append(([verb, "--help"], 0, "\nexample: vgraph " + verb, ""))


def vgraph(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300, **options)


def differs(found, wanted):
    return wanted is not None and (found != "" if wanted == "" else wanted not in found)


def test_table():
    wrong = []
    for arguments, status, out, err in TABLE:
        done = vgraph(*arguments)
        if done.returncode != status or differs(done.stdout, out) or differs(done.stderr, err):
            wrong.append("vgraph %s: exit %d, not %d\n%s%s" % (" ".join(arguments), done.returncode, status, done.stdout,
                                                               done.stderr))
    assert not wrong, "\n".join(wrong)


def json_lines(*arguments):
    """Of a run on standard output; the seconds differ from run to run."""
    done = vgraph("run", *arguments, "--no-files", "--quiet", "--jsonl", "-")
    assert done.returncode in (0, 3), done.stderr   # linear.nn expects more of its steps than a few can do
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["kind"] == "done"
    del lines[-1]["seconds"]
    return lines


def test_same_seed_same_lines():
    first = json_lines(LINE, "--steps", "20")
    assert json_lines(LINE, "--steps", "20") == first
    assert json_lines(LINE, "--steps", "20", "--seed", "2") != first


def test_a_summary_changes_no_number():
    plain = json_lines(LINE, "--steps", "20")
    more = json_lines(LINE, "--steps", "20", "--summary", "histogram x, y every 3",
                      "--summary", "scalar norm(grad(loss, W))")
    tags = {line.get("tag") for line in plain}
    assert [line for line in more if line.get("tag") in tags] == plain
    assert len(more) > len(plain)


def test_run_folder():
    done = vgraph("run", "ok.nn", "--set", "train.steps=4", "--seed", "3")
    assert done.returncode == 0, done.stderr
    folder, = glob.glob("runs/ok-*")
    assert folder in done.stderr
    run = json.load(open(os.path.join(folder, "run.json")))
    assert run["source"] == FILES["ok.nn"] and run["overrides"] == ["--set train.steps=4"]
    assert (run["seed"], run["steps"], run["steps_done"], run["exit"]) == (3, 4, 4, 0)
    assert run["errors"] == [] and run["expects"] == [] and run["machine"]["processor"]
    assert run["command"] == "vgraph run ok.nn --set train.steps=4 --seed 3" and run["threads"] >= 1
    assert sorted(name[:6] for name in os.listdir(folder)) == ["checkp", "events", "report", "run.js"]


def test_the_journal_says_how():
    done = vgraph("run", "book.nn", "--summary", 'scalar x as "it\'s"', "--out", "how", "--threads", "2", "--no-fuse")
    assert done.returncode == 0, done.stderr
    run = json.load(open("how/run.json"))
    assert run["command"] == """vgraph run book.nn --summary 'scalar x as "it'\\''s"' --out how --threads 2 --no-fuse"""
    assert (run["threads"], run["fused"], run["float64"]) == (2, False, False)
    assert [(data["name"], data["source"]) for data in run["data"]] == [("book", "sentences(count = 50)")]
    assert run["data"][0]["train"] + run["data"][0]["test"] == 50


def test_one_of_a_kind_is_no_family():
    done = vgraph("run", "odd.nn", "--no-files")
    assert "\na[0], step 0\n" in done.stdout and "(normal(0, 1), [8]), step 0\n" in done.stdout, done.stdout


def test_nothing_is_overwritten():
    runs = [subprocess.Popen([PROGRAM, "run", "ok.nn", "--quiet"]) for _ in range(4)]
    before = len(glob.glob("runs/ok-*"))
    assert [run.wait() for run in runs] == [0] * 4
    assert len(glob.glob("runs/ok-*")) >= before
    assert vgraph("run", "ok.nn", "--out", "mine").returncode == 0
    stands = {name: open(os.path.join("mine", name), "rb").read() for name in os.listdir("mine")}
    done = vgraph("run", "ok.nn", "--out", "mine")
    assert done.returncode == 2 and "'mine' holds the files of an earlier run" in done.stderr
    assert stands == {name: open(os.path.join("mine", name), "rb").read() for name in os.listdir("mine")}


def test_a_graph_too_large_for_tensorboard_is_told():
    deep = os.path.join(ROOT, "tests", "bench", "deep.nn")
    for depth, count in ((3, 0), (10000, 1)):
        folder = "deep%d" % depth
        done = vgraph("run", deep, "--set", "depth=%d" % depth, "--steps", "1", "--out", folder)
        assert done.returncode == 0 and done.stderr.count("note: the event file is without the graph") == count
        assert len(json.load(open(folder + "/run.json"))["notes"]) == count


def test_errors_stand_in_the_journal():
    assert vgraph("run", "nan.nn", "--out", "nan").returncode == 5
    run = json.load(open("nan/run.json"))
    assert run["exit"] == 5 and run["errors"][0]["code"] == "loss-not-finite"
    assert vgraph("run", "expect.nn", "--out", "expect").returncode == 3
    run = json.load(open("expect/run.json"))
    assert run["exit"] == 3 and run["expects"] == [{"expr": "loss < 0", "ok": False, "failures": 3}]


def test_interrupt():
    run = subprocess.Popen([PROGRAM, "run", "forever.nn", "--out", "forever"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    while not os.path.exists("forever/run.json"):
        time.sleep(0.01)
    assert "exit" not in json.load(open("forever/run.json"))
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130 and "interrupted after" in err and "loss" in out, err
    assert json.load(open("forever/run.json"))["exit"] == 130


def test_hang_up():
    run = subprocess.Popen([PROGRAM, "run", "forever.nn", "--out", "hang", "--quiet"])
    while not os.path.exists("hang/run.json"):
        time.sleep(0.01)
    run.send_signal(signal.SIGHUP)
    assert run.wait(timeout=60) == 130
    assert json.load(open("hang/run.json"))["exit"] == 130


def with_closed(descriptor, *arguments):
    return subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          preexec_fn=lambda: os.close(descriptor))


def test_closed_descriptors_are_no_files():
    for descriptor, status in ((0, 0), (1, 4), (2, 0)):
        folder = "closed%d" % descriptor
        done = with_closed(descriptor, "run", "ok.nn", "--out", folder)
        assert done.returncode == status, done
        if status:
            assert b"cannot write to standard output: Bad file descriptor" in done.stderr, done.stderr
        names = os.listdir(folder)
        assert len(names) == 4, names
        for name in names:
            written = open(os.path.join(folder, name), "rb").read()
            assert b"step 0  " not in written and b" left  " not in written, name
    assert with_closed(1, "graph", "ok.nn").returncode == 4


def on_terminal(columns, *arguments, **environment):
    """What the program writes to a terminal of that width, as lines; what was drawn over is there, too."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    run = subprocess.Popen([PROGRAM, *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
                           env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", **environment})
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:   # Linux says so when the last writer is gone
        pass
    os.close(ours)
    run.wait()
    return written.decode()


def has_terminals():
    """False in a container without /dev/pts: the tests that need one say so and pass."""
    try:
        for end in pty.openpty():
            os.close(end)
        return True
    except OSError as error:
        print("no terminal to be had (%s): not tried" % error)
        return False


def test_narrow_terminals():
    if not has_terminals():
        return
    model = os.path.join(ROOT, "models", "deep_sigmoid.nn")
    for columns in (40, 80, 100):
        text = on_terminal(columns, "run", model, "--steps", "3", "--no-files")
        assert "\r" in text.split("\n")[0] and "h[4].W" in text
        for line in re.split("[\r\n]+", re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", text)):
            assert len(line) <= columns, "%d columns: %r" % (columns, line)


def test_dumb_terminal():
    if not has_terminals():
        return
    text = on_terminal(80, "run", "ok.nn", "--no-files", TERM="dumb")
    assert "loss" in text and "\x1b" not in text and "\r" not in text.replace("\r\n", ""), repr(text)


def test_full_and_closed_output():
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "graph", "ok.nn"], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 4 and b"cannot write to standard output: No space left on device" in done.stderr
        done = subprocess.run([PROGRAM, "graph", os.path.join(ROOT, "models", "deep_sigmoid.nn")], stdout=full,
                              stderr=subprocess.PIPE)   # more than a buffer
        assert done.returncode == 4 and b"cannot write to standard output: No space left on device" in done.stderr
        done = subprocess.run([PROGRAM, "run", "ok.nn", "--no-files", "--jsonl", "-"], stdout=full,
                              stderr=subprocess.PIPE)
        assert done.returncode == 4 and b"cannot write to standard output: No space left" in done.stderr, done.stderr
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    done = subprocess.run([PROGRAM, "describe", "ok.nn"], stdout=reader.stdin, stderr=subprocess.PIPE)
    assert done.returncode == 4 and done.stderr == b""


def test_npy():
    assert vgraph("print", "ok.nn", "reshape(w, [3, 1])", "--format", "npy", "--out", "w.npy").returncode == 0
    data = open("w.npy", "rb").read()
    assert data[:8] == b"\x93NUMPY\x01\x00" and len(data) == 128 + 12
    header = eval(data[10:128])
    assert header == {"descr": "<f4", "fortran_order": False, "shape": (3, 1)} and data[127:128] == b"\n"
    assert data[128:] == bytes.fromhex("0000803f0000004000004040")
    done = vgraph("print", "ok.nn", "load(\"w.npy\")", "load(\"w.npy\")[:, 0] - w")
    assert done.stdout.endswith("f32[3, 1]\n[[1]\n [2]\n [3]]\nload(\"w.npy\")[:, 0] - w: f32[3]\n[0 0 0]\n"), done


def test_numpy_writes_what_load_reads():
    try:
        import numpy
    except ImportError:
        return
    written = 0
    for dtype in ("<f4", ">f4", "<f8", ">f8", "<i4", ">i4", "<i8", ">i8", "u1", "?"):
        for shape in ((), (0,), (5,), (2, 3), (3, 1, 2), (2, 0, 3), (1,) * 8):
            for order in "CF":
                array = numpy.asarray(numpy.arange(numpy.prod(shape)).reshape(shape) * 1.5, dtype=dtype, order=order)
                numpy.save("numpy.npy", array)
                done = vgraph("print", "ok.nn", "load(\"numpy.npy\")", "--format", "json")
                assert done.returncode == 0, done.stderr
                found = json.loads(done.stdout)
                assert found["shape"] == list(shape) and found["data"] == array.astype(float).ravel().tolist(), found
                assert found["dtype"] == ("f32" if array.dtype.kind == "f" else "i32")
                written += 1
    assert written == 140


def test_many_characters_are_cut():
    with open("many.txt", "w", encoding="utf-8") as file:
        file.write("".join(map(chr, range(0x3b1, 0x3b1 + 200))))
    done = vgraph("describe", "book.nn", "--data", "book=text(\"many.txt\", 64)", "--batch", "2")
    line = [line for line in done.stdout.splitlines() if " classes: " in line][0]
    assert line.startswith("  book             200 classes: \u03b1 \u03b2 \u03b3 ") and line.endswith(" ..."), line
    assert len(line) <= 100, line


def timed(*arguments):
    """The head, and the two tables as lists of rows: what, time, share in percent, what stands behind."""
    done = vgraph("time", *arguments)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    head, operators, slowest = done.stdout.split("\n\n")
    tables = []
    for table in (operators, slowest):
        rows = [re.match(r"  (\S.*?) +(\d+\.\d\d) +(\d+\.\d) % ?(.*)$", line) for line in table.splitlines()[1:]]
        tables.append([(row[1], float(row[2]), float(row[3]), row[4].split()) for row in rows if row])
    took = float(re.search(r" takes ([0-9.]+) (ns|us|ms)\n", head)[1])
    in_all, ratio = map(float, re.search(r"\n  in all +([0-9.]+)  ([0-9.]+) of the step", operators).groups())
    return head, tables, took, in_all, ratio


def check_sums(rows, took, in_all, ratio):
    assert abs(sum(row[1] for row in rows) - in_all) <= 0.005 * (len(rows) + 1), (rows, in_all)
    assert abs(sum(row[2] for row in rows) - 100) <= 0.05 * len(rows) + 0.001, rows
    assert abs(in_all / took - ratio) <= 0.0005 + (0.005 + 0.005 * ratio) / took, (in_all, took, ratio)
    for row in rows:
        assert abs(100 * row[1] / in_all - row[2]) <= 0.05 + 100 * 0.01 / in_all, (row, in_all)
        assert row[3] == [] or len(row[3]) >= 5, row


def test_time_adds_up():
    model = os.path.join(ROOT, "models", "deep_sigmoid.nn")
    head, (operators, slowest), *sums = timed(model, "--batch", "32", "--steps", "24")
    check_sums(operators, *sums)
    assert "a step of batch 32 takes" in head and "measured   24 steps on 1 thread;" in head, head
    calls = {row[0]: float(row[3][0]) for row in operators if row[3]}
    assert calls["matmul"] == 14 and calls["histogram"] == 4, calls
    assert [row[0] for row in operators if not row[3]].count("loading") == 1
    computed = [row for row in operators if row[3]]
    assert computed == sorted(computed, key=lambda row: -row[1])
    assert slowest == sorted(slowest, key=lambda row: -row[1]) and 1 <= len(slowest) <= 20
    names = [" ".join(row[3][5:]) for row in slowest]      # behind calls, GFLOP/s, GB/s and "95 %"
    assert any(name.startswith("x @ h[1].W [batch, 128] ") and name.endswith("deep_sigmoid.nn:15") for name in names)
    assert any(name.startswith("gradient of h[1].W [784, 128] ") for name in names), names
    total = sum(row[1] for row in computed)
    assert len(slowest) == 20 or sum(row[1] for row in slowest) >= 0.9 * total - 0.2, (slowest, total)
    single, (plain, _), *sums = timed(model, "--batch", "32", "--steps", "24", "--no-fuse", "--float64")
    check_sums(plain, *sums)
    assert all("+" not in row[0] for row in plain) and any("+" in row[0] for row in operators), plain


def test_time_of_what_is_not_due_in_every_step():
    head, (operators, _), *sums = timed("turns.nn", "--steps", "40", "--summary", "scalar max(abs(w)) every 2")
    check_sums(operators, *sums)
    calls = {row[0]: float(row[3][0]) for row in operators if row[3]}
    assert calls["histogram"] == 0.125 and calls["max"] == 0.5, calls      # 40 is a multiple of 2, 4 and 8
    assert any(row[0] == "max" and 0 < row[1] for row in operators), operators


def test_time_on_two_threads():
    model = os.path.join(ROOT, "models", "deep_sigmoid.nn")
    head, (operators, _), *sums = timed(model, "--steps", "20", "--threads", "2")
    check_sums(operators, *sums)
    assert "on 2 threads" in head and "waiting" in [row[0] for row in operators if not row[3]], operators


LOOSE, LAID = "a=1;b  =  2 # two\n", "a = 1\nb = 2                              # two\n"


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def read(path):
    with open(path) as file:
        return file.read()


def test_fmt_standard_input():
    done = vgraph("fmt", "-", input=LOOSE)
    assert (done.returncode, done.stdout, done.stderr) == (0, LAID, ""), done
    done = vgraph("fmt", "--check", "-", input=LOOSE)
    assert (done.returncode, done.stdout, done.stderr) == (1, "standard input\n", ""), done
    done = vgraph("fmt", "-", input="a = (")
    assert done.returncode == 1 and done.stdout == "" and "standard input:1:6: error" in done.stderr, done
    assert vgraph("fmt", "-", input="").returncode == 0


def test_fmt_rewrites_where_the_file_lies():
    os.mkdir("laid")
    real = write("laid/real.nn", LOOSE)
    write("laid/other.txt", LOOSE)
    write("laid/bad.nn", "a = (\n")
    os.chmod(real, 0o640)
    os.symlink("real.nn", "laid/link.nn")
    before = os.stat(real).st_ino
    assert vgraph("fmt", "--check", "laid/link.nn").stdout == "laid/link.nn\n" and read(real) == LOOSE
    done = vgraph("fmt", "laid/link.nn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    assert read(real) == LAID and os.path.islink("laid/link.nn") and os.stat(real).st_mode & 0o7777 == 0o640
    after = os.stat(real)
    assert after.st_ino != before      # a whole file took the other's place
    assert vgraph("fmt", "laid/real.nn").returncode == 0 and os.stat(real).st_mtime_ns == after.st_mtime_ns   # untouched
    write(real, LOOSE)
    done = vgraph("fmt", "laid")       # a folder: its models, and one that does not parse is left alone
    assert done.returncode == 1 and "laid/bad.nn:1:" in done.stderr and read("laid/bad.nn") == "a = (\n", done
    assert read(real) == LAID and read("laid/other.txt") == LOOSE
    assert sorted(os.listdir("laid")) == ["bad.nn", "link.nn", "other.txt", "real.nn"]


def test_fmt_leaves_what_it_may_not_write():
    os.mkdir("shut")
    write("shut/a.nn", LOOSE)
    os.chmod("shut/a.nn", 0o444)
    if os.access("shut/a.nn", os.W_OK):
        return                         # for root nothing is shut
    done = vgraph("fmt", "shut/a.nn")
    assert done.returncode == 4 and "cannot write 'shut/a.nn'" in done.stderr and read("shut/a.nn") == LOOSE, done


def main():
    os.environ.pop("NO_COLOR", None)
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, text in FILES.items():
            with open(name, "w") as file:
                file.write(text)
        for name, test in tests:
            try:
                test()
            except AssertionError as error:
                failed += 1
                print("FAILED %s\n%s" % (name, error))
        os.chdir("/")
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
