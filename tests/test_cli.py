#!/usr/bin/env python3
"""The command line as its users meet it: exit statuses, messages, files, signals."""
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
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
    "kink.nn": "var w: [4] = 0\nloss = sum(relu(w))\ntrain loss { steps = 1 }\n",
    "wrong.nn": "a = b + 1\n",
    "nodata.nn": 'data d = mnist("nowhere")\ninput x: [batch, 784] = d.images\ny = mean(x)\nsummary scalar y\n',
    "expect.nn": "var w: [1] = 1\nloss = mean(w ^ 2)\ntrain loss { steps = 3 }\nexpect loss < 0, \"it is a square\"\n",
    "nan.nn": "var w: [1] = 1\nloss = mean(log(w - 2))\ntrain loss { steps = 3 }\nsummary scalar loss\n",
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
    (["eval", "ok.nn"], 2, "", "the verb 'eval' is not built yet"),
    (["run"], 2, "", "'vgraph run' needs FILE.nn\ntry 'vgraph run --help'\n"),
    (["run", "ok.nn", "other.nn"], 2, "", "'other.nn' is one argument too many"),
    (["run", "ok.nn", "--step", "3", "--no-files"], 0, "step 2", None),
    (["run", "ok.nn", "--s", "3"], 2, "", "'--s' is the beginning of several options"),
    (["run", "ok.nn", "--stpes", "3"], 2, "", "there is no option '--stpes'; did you mean '--steps'?"),
    (["run", "ok.nn", "--stage", "plan"], 2, "", "'--stage' is not an option of 'vgraph run'"),
    (["run", "ok.nn", "--steps"], 2, "", "--steps needs a value"),
    (["run", "ok.nn", "--steps", "many"], 2, "", "--steps takes a whole number above 0, not 'many'"),
    (["run", "ok.nn", "--steps", "-1"], 2, "", "--steps takes a whole number above 0, not '-1'"),
    (["run", "ok.nn", "--seed", "99999999999999999999"], 2, "", "--seed takes a whole number"),
    (["run", "ok.nn", "--quiet=3"], 2, "", "--quiet takes no value"),
    (["run", "ok.nn", "--threads", "2"], 2, "", "--threads is not built yet"),
    (["run", "ok.nn", "--resume"], 2, "", "--resume is not built yet"),
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
    (["run", "nan.nn", "--no-files"], 5, "nan", "loss"),
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
    (["graph", "ok.nn", "--stage", "fused"], 2, "", "--stage fused is not built yet"),
    (["graph", "ok.nn", "--format", "json"], 2, "", "--format json is not built yet"),
    (["graph", "ok.nn", "--format", "txet"], 2, "", "--format knows no 'txet'; did you mean 'text'?"),
    (["graph", "ok.nn", "--wrt", "w"], 2, "", "--wrt is not built yet"),
    (["print", "ok.nn"], 2, "", "'vgraph print' needs FILE.nn EXPR..."),
    (["print", "ok.nn", "w", "2 * w"], 0, "w: f32[3]\n[1 2 3]\n2 * w: f32[3]\n[2 4 6]\n", ""),
    (["print", "ok.nn", "w", "--format", "json"], 0, '{"expr":"w","dtype":"f32","shape":[3],"data":[1,2,3]}\n', ""),
    (["print", "ok.nn", "w / 0", "--format=json", "--float64"], 0,
     '"dtype":"f64","shape":[3],"data":["inf","inf","inf"]}\n', ""),
    (["print", "ok.nn", "w", "--format", "npy"], 2, "", "--format npy takes one expression, and --out FILE"),
    (["print", "ok.nn", "ww"], 1, "", "ww"),
    (["describe", "ok.nn"], 0, "w", ""),
    (["gradcheck", "ok.nn", "--seed", "7"], 0, "seed 7\nok     w", ""),
    (["gradcheck", "kink.nn"], 0, "unsure w                        not checked, 4 skipped beside a kink\n", ""),
    (["gradcheck", "ok.nn", "--second"], 2, "", "--second is not built yet"),
    (["help", "matmul"], 0, "matmul", ""),
    (["help", "crossentropy"], 2, "cross_entropy", ""),
]
for verb in ("run", "check", "graph", "print", "describe", "gradcheck", "help"):
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
    assert done.returncode == 0, done.stderr
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
    assert sorted(name[:6] for name in os.listdir(folder)) == ["events", "run.js"]


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


def test_full_and_closed_output():
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "graph", "ok.nn"], stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 4 and b"cannot write to standard output: No space left on device" in done.stderr
        assert subprocess.run([PROGRAM, "run", "ok.nn", "--no-files", "--jsonl", "-"], stdout=full,
                              stderr=subprocess.DEVNULL).returncode == 4
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
