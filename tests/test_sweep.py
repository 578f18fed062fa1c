#!/usr/bin/env python3
"""sweep and diff as their users meet them: the table, names, failing combinations, Ctrl-C, what two runs differ in."""
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

import test_tensorboard

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))

FILES = {
    "ok.nn": """
const rate = 0.1
const goal = 1
const name = "a"
var w: [3] = [1, 2, 3]
loss = mean((w - goal) ^ 2)
accuracy = 1 - loss / 10
train loss { steps = 5; optimizer = sgd(rate = rate) }
summary scalar loss, accuracy, sum(w)
summary histogram grad(loss, w), w
""",
    "split.nn": """
const units = 4
data points = spirals(count = 100, noise = 0.02, seed = 1)
input x: [batch, 2] = points.features
input y: [batch] = points.target
loss = mean(cross_entropy(dense(dense(x, units, relu), 2), y))
train loss { batch = 16; steps = 6; eval_every = 3 }
summary scalar loss
""",
    "wide.nn": "const a = 1\nvar w: [2] = 1\nloss = mean((w - a) ^ 2)\ntrain loss { steps = 2 }\nsummary scalar loss, "
               + ", ".join("max(w + %d)" % i for i in range(9)) + "\n",
    "expect.nn": "const top = 1\nvar w: [1] = 1\nloss = mean(w ^ 2)\ntrain loss { steps = 3 }\nexpect loss < top\n",
    "nan.nn": "const off = 1\nvar w: [1] = 1\nloss = mean(log(w - off))\ntrain loss { steps = 3 }\n"
              "summary scalar loss\n",
    "forever.nn": "const a = 1\nvar w: [1] = 1\nloss = a * mean(w ^ 2)\ntrain loss { steps = 2000000000 }\n"
                  "summary scalar loss every 1000000\n",
}

# arguments, what standard error says
USAGE = [
    ([], "'vgraph sweep' needs FILE.nn"),
    (["ok.nn"], "'vgraph sweep' needs --set NAME=A,B: what is to be tried"),
    (["ok.nn", "--set", "rate"], "--set takes NAME=A,B,C, not 'rate'"),
    (["ok.nn", "--set", "rate=1,"], "--set rate has an empty value"),
    (["ok.nn", "--set", "rate="], "--set rate has an empty value"),
    (["ok.nn", "--set", "rate=1, 2,1"], "--set rate has the value 1 twice"),
    (["ok.nn", "--set", "rate=1", "--set", "rate=2"], "--set rate is given twice"),
    (["ok.nn", "--set", "rate=1,2", "--jobs", "0"], "--jobs takes a whole number above 0, not '0'"),
    (["ok.nn", "--set", "rate=1,2", "--threads", "1"], "'--threads' is not an option of 'vgraph sweep'"),
    (["ok.nn", "--set", "rate=" + ",".join(map(str, range(30))), "--set", "goal=" + ",".join(map(str, range(900)))],
     "these are 27,000 combinations; a sweep takes at most 1,000"),
    (["ok.nn", "--set", "rate=" + ",".join(map(str, range(1001)))], "these are 1,001 combinations"),
]


def vgraph(*arguments, **options):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=1200, **options)


def rows_of(text):
    """The table: its header and rows as lists of cells, and the notes behind."""
    lines = text.splitlines()
    notes = [line for line in lines if line.startswith(("* best", "left out"))]
    table = [re.split(" {2,}", line.strip()) for line in lines if line not in notes]
    return table[0], table[1:], notes


def cause_of(folder):
    """The rule of the first fault that follows from no other."""
    findings = json.load(open(folder + "/run.json")).get("findings", [])
    faults = [finding for finding in findings if finding["severity"] == "fault"]
    return next((finding["rule"] for finding in faults if not finding["follows"]),
                faults[0]["rule"] if faults else None)


def test_usage():
    for arguments, err in USAGE:
        done = vgraph("sweep", *arguments)
        assert done.returncode == 2 and err in done.stderr and done.stdout == "", (arguments, done)
    done = vgraph("sweep", "none.nn", "--set", "a=1,2")
    assert done.returncode == 4 and "'none.nn' cannot be read: No such file" in done.stderr, done
    assert not os.path.exists("sweeps"), "nothing is left of what could not begin"
    for verb in ("sweep", "diff"):
        done = vgraph(verb, "--help")
        assert done.returncode == 0 and "\nexample: vgraph " + verb in done.stdout


def test_table():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.3", "--set", "goal=1, 2", "--set", "train.steps=7")
    assert done.returncode == 0, done.stderr
    header, rows, notes = rows_of(done.stdout)
    assert header == ["rate", "goal", "loss", "accuracy", "sum(w)", "steps/s", "what is wrong"], header
    assert [row[:2] for row in rows] == [["0.1", "1"], ["0.1", "2"], ["0.3", "1"], ["0.3", "2"]], rows
    losses = [float(row[2].rstrip("*")) for row in rows]
    accuracies = [float(row[3].rstrip("*")) for row in rows]
    for column, values, best in ((2, losses, min(losses)), (3, accuracies, max(accuracies))):
        assert [row[column].endswith("*") for row in rows] == [value == best for value in values], rows
    assert not any("*" in row[4] for row in rows), "nobody knows which way sum(w) is better"
    assert notes == ["* best: lowest loss, highest accuracy"]
    folder, = glob.glob("sweeps/ok-*")
    assert "the sweep is in " + folder in done.stderr
    assert sorted(os.listdir(folder)) == ["rate=0.1,goal=1", "rate=0.1,goal=2", "rate=0.3,goal=1", "rate=0.3,goal=2",
                                          "report.html", "sweep.json"]
    sweep = json.load(open(folder + "/sweep.json"))
    assert sweep["settings"][1] == {"name": "goal", "values": ["1", "2"]} and sweep["exit"] == 0
    for run, row in zip(sweep["runs"], rows):
        assert run["run"] == run["folder"] == "rate=%s,goal=%s" % tuple(row[:2])
        assert run["set"]["train.steps"] == "7" and run["steps_done"] == 7 and run["exit"] == 0
        assert float("%.4g" % run["last"]["loss"]) == float(row[2].rstrip("*"))
        assert row[6:] == [rule for rule in [cause_of(os.path.join(folder, run["folder"]))] if rule], row


def test_a_run_is_as_it_is_alone():
    assert vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.3", "--seed", "4", "--out", "many/of/them").returncode == 0
    assert vgraph("run", "ok.nn", "--set", "rate=0.3", "--seed", "4", "--quiet", "--out", "alone").returncode == 0
    done = vgraph("diff", "many/of/them/rate=0.3", "alone")
    assert done.returncode == 0 and "the values are the same to the last bit" in done.stdout, done.stdout
    assert vgraph("diff", "many/of/them/rate=0.1", "alone").returncode == 1
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.3", "--out", "many/of/them")
    assert done.returncode == 2 and "holds the files of an earlier run" in done.stderr


def test_values_over_the_test_split():
    done = vgraph("sweep", "split.nn", "--set", "units=3,5")
    header, rows, _ = rows_of(done.stdout)
    assert header[:3] == ["units", "loss", "test loss"] and done.returncode == 0, done
    run = json.load(open(glob.glob("sweeps/split-*/sweep.json")[0]))["runs"][0]
    assert float("%.4g" % run["last_test"]["loss"]) == float(rows[0][2].rstrip("*"))


def test_no_watch_reaches_the_runs():
    model = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "deep_sigmoid.nn")
    for more, rules in ([], ["INITSCALE"]), (["--no-watch"], []):
        folder = "watched%d" % len(more)
        done = vgraph("sweep", model, "--set", "hidden=128", "--steps", "3", "--out", folder, *more)
        assert done.returncode == 0, done.stderr
        run = json.load(open(glob.glob(folder + "/*/run.json")[0]))
        assert [f["rule"] for f in run["findings"]][:1] == rules, run["findings"]


def test_one_value_is_one_run():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.2", "--out", "one")
    header, rows, _ = rows_of(done.stdout)
    assert done.returncode == 0 and header[0] == "rate" and len(rows) == 1 and os.path.isdir("one/rate=0.2")


def test_names():
    """Commas within brackets and strings part nothing; what file systems do not take is replaced; names stay apart."""
    done = vgraph("sweep", "ok.nn", "--set", "goal=maximum(1, 2),1/1,1*1,[1, 2, 3][0]",
                  "--set", 'name="a,/..\\",b","A"', "--out", "names")
    assert done.returncode == 0, done.stderr
    names = [run["folder"] for run in json.load(open("names/sweep.json"))["runs"]]
    assert names == ['goal=maximum(1,2),name=_a,_..__,b_', 'goal=maximum(1,2),name=_A_', 'goal=1_1,name=_a,_..__,b_',
                     'goal=1_1,name=_A_', 'goal=1_1,name=_a,_..__,b_-2', 'goal=1_1,name=_A_-2',
                     'goal=[1,2,3][0],name=_a,_..__,b_', 'goal=[1,2,3][0],name=_A_'], names
    assert sorted(os.listdir("names")) == sorted(names + ["report.html", "sweep.json"])
    long = "name=" + ",".join('"%s%d"' % ("x" * 150, i) for i in range(3))
    done = vgraph("sweep", "ok.nn", "--set", long, "--out", "long")
    assert done.returncode == 0 and len(os.listdir("long")) == 5, "long names are cut and stay apart"


def wrong_of(done):
    """What the last column says of how each run ended; a finding alone is no failure."""
    _, rows, _ = rows_of(done.stdout)
    return [row[-1].split(":")[0] if not re.match("[0-9.-]+$|[A-Z]+$", row[-1]) else "" for row in rows]


def test_a_failing_combination_stops_no_other():
    done = vgraph("sweep", "nan.nn", "--set", "off=0.5,1,2", "--out", "nans")
    assert done.returncode == 5 and wrong_of(done)[0] == "", done.stdout
    assert all(text.startswith("NaN loss") for text in wrong_of(done)[1:]), done.stdout
    assert "off=2:\n" in done.stderr and "loss-not-finite" in done.stderr
    header, rows, _ = rows_of(done.stdout)
    assert rows[2][1] == "nan", rows
    done = vgraph("sweep", "nan.nn", "--set", "off=1,nowhere,0.5", "--out", "wrong")
    assert done.returncode == 1 and wrong_of(done)[1] == "wrong model", done.stdout
    assert "nowhere" in done.stderr and not os.path.exists("wrong/off=nowhere/run.json")
    assert [run["exit"] for run in json.load(open("wrong/sweep.json"))["runs"]] == [5, 1, 0]
    done = vgraph("sweep", "expect.nn", "--set", "top=0,1,2", "--out", "expects")
    assert done.returncode == 3 and wrong_of(done)[0].startswith("expect failed"), done.stdout
    done = vgraph("sweep", "ok.nn", "--set", "nothing=1,2", "--out", "options")
    assert done.returncode == vgraph("run", "ok.nn", "--set", "nothing=1", "--no-files").returncode
    assert not os.path.exists("options") and done.stderr.count("unused-set") == 1, done.stderr


def test_the_same_message_is_said_once():
    with open("wrong.nn", "w", encoding="utf-8") as file:
        file.write(open("ok.nn", encoding="utf-8").read() + "wrong = nowhere\n")
    done = vgraph("sweep", "wrong.nn", "--set", "rate=0.1,0.2,0.3", "--out", "said")
    assert done.returncode == 1 and done.stderr.count("nowhere") >= 1
    assert "rate=0.1:\n" in done.stderr and "rate=0.2:\n" not in done.stderr, done.stderr


def test_a_wrong_option_is_refused_once():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.2,0.3", "--data", "no=idx(\"x\")", "--out", "refused")
    assert done.returncode == 2 and done.stderr.count("unused-data") == 1 and done.stdout == "", done
    assert not os.path.exists("refused")


def test_json_lines():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.2", "--jobs", "1", "--out", "lines", "--jsonl", "-")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and "what is wrong" in done.stderr, "the table goes elsewhere"
    assert all(line.startswith('{"run":"rate=0.') for line in done.stdout.splitlines())
    assert [line["run"] for line in lines] == sorted(line["run"] for line in lines), "one run at a time"
    alone = vgraph("run", "ok.nn", "--set", "rate=0.2", "--no-files", "--quiet", "--jsonl", "-")
    wanted = [json.loads(line) for line in alone.stdout.splitlines()]
    found = [line for line in lines if line["run"] == "rate=0.2"]
    for line in found + wanted:
        line.pop("run", None), line.pop("seconds", None)
    assert found == wanted
    for n in range(2):
        assert vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.2,0.3", "--quiet", "--out", "lines%d" % n, "--jsonl",
                      "all.jsonl").returncode == 0
    lines = [json.loads(line) for line in open("all.jsonl")]
    assert sum(line["kind"] == "done" for line in lines) == 6
    assert vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.2", "--jsonl", "/nowhere/x").returncode == 4
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "sweep", "ok.nn", "--set", "rate=0.1,0.2", "--jsonl", "-"], stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 4 and b"cannot write to standard output: No space left" in done.stderr, done.stderr


def test_quiet():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.2", "--quiet", "--out", "quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and os.path.exists("quiet/sweep.json")


def test_a_wide_table_fits():
    setting = "a=" + ",".join("1 + 0 * %d" % (10 ** n) for n in (2, 40))
    done = vgraph("sweep", "wide.nn", "--set", setting, "--out", "wide")
    assert done.returncode == 0 and all(len(line) <= 80 for line in done.stdout.splitlines()[:3]), done.stdout
    header, rows, notes = rows_of(done.stdout)
    shown = [name for name in header if name.startswith("max")]
    left, = [note for note in notes if note.startswith("left out for want of room, in sweep.json: ")]
    assert [name for name in re.findall(r"max\(w \+ \d\)", left)] == ["max(w + %d)" % i for i in range(len(shown), 9)]
    assert rows[1][0].endswith("..") and header[-1] == "what is wrong"
    assert len(json.load(open("wide/sweep.json"))["runs"][0]["last"]) == 10


def running(text):
    """Processes of this program whose command line has the text."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            line = open(path, "rb").read().split(b"\0")
        except OSError:
            continue
        if len(line) > 1 and line[1] == b"run" and any(text.encode() in part for part in line):
            found.append(int(path.split("/")[2]))
    return found


def begin_forever(out, *more):
    sweep = subprocess.Popen([PROGRAM, "sweep", "forever.nn", "--set", "a=1,2,3,4", "--jobs", "2", "--out", out, *more],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.time() + 300
    while not all(os.path.exists("%s/a=%d/run.json" % (out, a)) for a in (1, 2)) and time.time() < until:
        time.sleep(0.02)
    assert len(running(out)) == 2, "two at a time"
    time.sleep(0.2)
    return sweep


def test_interrupt():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        out = "stopped%d" % number
        sweep = begin_forever(out)
        sweep.send_signal(number)
        text, err = sweep.communicate(timeout=60)
        assert sweep.returncode == 130 and running(out) == [], err
        _, rows, _ = rows_of(text)
        assert [row[-1].split(":")[0] for row in rows] == ["interrupted"] * 2 + ["not run"] * 2, text
        assert [json.load(open("%s/a=%d/run.json" % (out, a)))["exit"] for a in (1, 2)] == [130, 130]
        assert json.load(open(out + "/sweep.json"))["exit"] == 130 and not os.path.exists(out + "/a=3")


def test_a_killed_sweep_leaves_no_runs():
    sweep = begin_forever("killed")
    sweep.kill()
    sweep.communicate()
    until = time.time() + 60
    while running("killed") and time.time() < until:
        time.sleep(0.05)
    assert running("killed") == []


def test_a_killed_run_stops_no_other():
    sweep = begin_forever("shot")
    os.kill(running("shot/a=1")[0], signal.SIGKILL)
    until = time.time() + 60
    while not os.path.exists("shot/a=3/run.json") and time.time() < until:
        time.sleep(0.02)
    sweep.send_signal(signal.SIGINT)
    text, err = sweep.communicate(timeout=60)
    _, rows, _ = rows_of(text)
    assert sweep.returncode == 4 and [row[-1] for row in rows][0] == "killed", (text, err)


def test_progress_on_a_terminal():
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        print("no terminal to be had (%s): not tried" % error)
        return
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    run = subprocess.Popen([PROGRAM, "sweep", "wide.nn", "--set", "a=1,2,3", "--out", "live"], stdin=theirs,
                           stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:   # Linux says so when the last writer is gone
        pass
    os.close(ours)
    assert run.wait() == 0
    text = written.decode()
    assert re.search(r"\r\d of 3 done, [1-3] running, \d+ s", text), text
    lines = re.split("[\r\n]+", re.sub("\x1b\\[K", "", text))
    table = [line for line in lines if line[:1].isdigit() and " of " not in line]
    assert len(table) == 3 and all(len(line) <= 60 for line in table), table


def test_tensorboard_has_the_settings():
    done = vgraph("sweep", "ok.nn", "--set", "rate=0.1,0.3", "--set", "goal=1,maximum(1, 2)", "--out", "tb")
    assert done.returncode == 0, done
    seen = []
    for folder in sorted(glob.glob("tb/rate=*")):
        file, = glob.glob(folder + "/events.out.tfevents.*")
        found = {}
        for body in test_tensorboard.records(open(file, "rb").read()):
            event = test_tensorboard.fields(body)
            summary = test_tensorboard.fields(test_tensorboard.one(event, 5, b""))
            for value in map(test_tensorboard.fields, summary.get(1, [])):
                tag = test_tensorboard.one(value, 1).decode()
                if tag.startswith("_hparams_/"):
                    found[tag] = test_tensorboard.hparams_of(value)
        start = test_tensorboard.fields(found["_hparams_/session_start_info"][3][0])
        assert start[4] == [os.path.basename(folder).encode()], "the group is the run"
        seen.append(tuple(test_tensorboard.settings_of(start).items()))
        assert test_tensorboard.fields(found["_hparams_/session_end_info"][4][0])[1] == [1], "it succeeded"
    assert sorted(map(str, seen)) == sorted(str((("rate", rate), ("goal", goal))) for rate in (0.1, 0.3)
                                            for goal in (1.0, "maximum(1, 2)")), seen


def test_nine_runs():
    model = os.path.join(ROOT, "models", "deep_sigmoid.nn")
    done = vgraph("sweep", model, "--set", "act=sigmoid,tanh,relu",
                  "--set", "init=normal(0, 1),glorot_uniform(),he_normal()", "--steps", "8", "--batch", "32",
                  "--data", "digits=digits(count = 400)", "--out", "nine")
    header, rows, notes = rows_of(done.stdout)
    assert len(rows) == 9 and header[:4] == ["act", "init", "loss", "accuracy"], done.stdout
    assert [row[:2] for row in rows[:3]] == [["sigmoid", init] for init in ("normal(0, 1)", "glorot_uniform()",
                                                                            "he_normal()")]
    assert done.returncode == 5 and "NaN loss" in " ".join(rows[6]), done.stdout


def test_diff():
    for folder, options in (("d1", ["--seed", "1"]), ("d2", ["--seed", "1", "--threads", "2"]),
                            ("d3", ["--set", "goal=2", "--steps", "4"]), ("d4", ["--summary", "scalar max(w)"])):
        assert vgraph("run", "ok.nn", "--quiet", "--out", folder, *options).returncode == 0
    done = vgraph("diff", "d1", "d2")
    assert done.returncode == 0 and "the values are the same to the last bit" in done.stdout, done.stdout
    assert "scalars: the same to the last bit (3)" in done.stdout and "source     the same" in done.stdout
    done = vgraph("diff", "d1", "d3")
    assert done.returncode == 1 and "options    a: none\n           b: --set goal=2\n" in done.stdout, done.stdout
    assert "\n  loss, from step 0 on\n    first, step 0 " in done.stdout and "    last, steps 4, 3 " in done.stdout
    row = re.search(r"first, step 0 +(\S+) +(\S+) +(\S+)\n", done.stdout)
    assert [float(row[i]) for i in (1, 2)] == [1.66667, 0.666667] and float(row[3]) == -1, row[0]
    row = re.search(r"grad\(loss, w\)|grad\(loss\)/w, from step 0 on\n    step 0 +(\S+) +(\S+) +(\S+)\n", done.stdout)
    assert abs(float(row[3]) - float(row[2]) / float(row[1])) < 1e-3
    done = vgraph("diff", "d1", "d4")
    assert done.returncode == 1, done
    assert "  max(w), only in b\n  3 more: the same to the last bit\n" in done.stdout, done.stdout
    with open("ok.nn") as file, open("other.nn", "w") as other:
        other.write(file.read().replace("const goal = 1", "const goal = 2\n# more").replace("steps = 5", "steps = 6"))
    assert vgraph("run", "other.nn", "--quiet", "--out", "d5").returncode == 0
    done = vgraph("diff", "d1", "d5")
    shown = re.findall(r"^  [-+] +\d+  .*$", done.stdout, re.M)
    assert shown == ["  -    3  const goal = 1", "  +    3  const goal = 2", "  +    4  # more",
                     "  -    8  train loss { steps = 5; optimizer = sgd(rate = rate) }",
                     "  +    9  train loss { steps = 6; optimizer = sgd(rate = rate) }"], shown


def test_diff_of_what_is_no_run():
    assert vgraph("run", "ok.nn", "--quiet", "--out", "fine").returncode == 0
    assert vgraph("run", "ok.nn", "--quiet", "--out", "hurt").returncode == 0
    file, = glob.glob("hurt/events.*")
    data = bytearray(open(file, "rb").read())
    data[-20] ^= 1
    open(file, "wb").write(data)
    for folder, err in (("nowhere", "vgraph: 'nowhere' is not a run's folder"),
                        ("hurt", "vgraph: %s: byte " % file)):
        done = vgraph("diff", "fine", folder)
        assert done.returncode == 4 and done.stdout == "" and err in done.stderr, done
    done = vgraph("diff", "nowhere", "hurt")
    assert done.stderr.count("vgraph: ") == 2, "both are told"
    assert vgraph("diff", "fine").returncode == 2


def main():
    os.environ.pop("NO_COLOR", None)
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_") and callable(test)]
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
