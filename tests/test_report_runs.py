#!/usr/bin/env python3
"""vgraph report, and the page of several runs: what it carries against the runs' JSON lines, and, where there is a
Chromium, that it loads without a complaint and shows that."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
import base64

sys.dont_write_bytecode = True
import chromium

PROGRAM = os.path.abspath(sys.argv[1])
READY = "document.documentElement.dataset.ready === 'yes'"
MODEL = """
const rate = 0.1
const goal = 1
var w: [3] = [1, 2, 3]
loss = mean((w - goal) ^ 2)
train loss { steps = 6; optimizer = sgd(rate = rate) }
summary scalar loss   # </script><b>
summary scalar log(loss - 0.9)
summary histogram w every 2
"""


def vgraph(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=600)


def page_data(path):
    """The page's JSON, and its curves with their steps and values read from the columns."""
    text = open(path, encoding="utf-8").read()
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])
    columns = zlib.decompress(base64.b64decode(re.search(r'id="columns">(.*?)</script>', text, re.S)[1]))
    assert len(columns) == data["bytes"]
    at = 0
    for curve in data["curves"]:
        n = curve["points"]
        deltas = struct.unpack_from("<%dI" % n, columns, at)
        curve["values"] = struct.unpack_from("<%dd" % n, columns, at + 4 * n)
        curve["steps"] = [sum(deltas[:i + 1]) for i in range(n)]
        assert curve["stride"] == 1
        at += 12 * n
    assert at == len(columns)
    return data


def close(a, b):
    return (b == "nan" and a != a) or abs(a - b) <= 1e-6 * abs(b)


def test_the_page_carries_what_the_runs_recorded():
    done = vgraph("sweep", "a.nn", "--set", "rate=0.1,0.4", "--set", "goal=1,2", "--out", "s", "--jsonl", "s.jsonl")
    assert done.returncode == 0 and "see s/report.html" in done.stderr, done.stderr
    data = page_data("s/report.html")
    names = ["rate=%s,goal=%d" % (rate, goal) for rate in (0.1, 0.4) for goal in (1, 2)]
    assert [run["name"] for run in data["runs"]] == names
    assert [run["link"] for run in data["runs"]] == [name + "/report.html" for name in names]
    lines = [json.loads(line) for line in open("s.jsonl")]
    for curve in data["curves"]:
        kind, key = ("histogram", "rms") if curve["rms"] else ("scalar", "value")
        whose = (kind, curve["tag"], names[curve["run"]])
        wanted = [line for line in lines if (line["kind"], line.get("tag"), line["run"]) == whose]
        assert curve["steps"] == [line["step"] for line in wanted] and curve["steps"], curve
        assert all(close(value, line[key]) for value, line in zip(curve["values"], wanted)), curve
    assert len(data["curves"]) == 4 * 3


def test_where_it_goes():
    before = open("s/report.html").read()
    done = vgraph("report", "s", "--out", "elsewhere")
    assert done.returncode == 0 and done.stdout == "elsewhere/report.html\n", done
    links = [run["link"] for run in page_data("elsewhere/report.html")["runs"]]
    assert all(link.startswith("file:///") and link.endswith("/report.html") for link in links), links
    done = vgraph("report", "s/rate=0.1,goal=1", "s/rate=0.4,goal=1/")
    assert done.stdout == "s/report.html\n" and len(page_data("s/report.html")["runs"]) == 2
    assert vgraph("report", "s/").stdout == "s/report.html\n" and open("s/report.html").read() == before


def test_one_run():
    """The report that the run has left stays; without one it is made, with what was told then."""
    folder = "s/rate=0.4,goal=2"
    before = open(folder + "/report.html").read()
    done = vgraph("report", folder)
    assert done.stdout == folder + "/report.html\n" and open(folder + "/report.html").read() == before
    os.rename(folder + "/report.html", "kept.html")
    done = vgraph("report", folder)
    assert done.returncode == 0, done
    data = [json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
            for text in (before, open(folder + "/report.html").read())]
    for key in ("command", "started", "overrides", "source", "seed", "threads", "machine", "exit", "findings",
                "expects"):
        assert data[0]["run"].get(key) == data[1]["run"].get(key), key
    tags = [[(curve["tag"], curve["seen"]) for curve in page["curves"]] for page in data]
    assert tags[1] and set(tags[1]) <= set(tags[0]) and data[0]["films"] == data[1]["films"], tags
    assert data[0]["graph"]["variables"] == data[1]["graph"]["variables"] == ["w"]


def test_what_is_no_run():
    for folder in ("nowhere", "."):
        done = vgraph("report", folder)
        assert done.returncode == 4 and "there is no run.json in it" in done.stderr, done
    done = vgraph("report", "s/rate=0.1,goal=1", "nowhere")
    assert done.returncode == 4 and done.stdout == "" and "'nowhere' is not a run's folder" in done.stderr, done
    os.makedirs("bad")
    open("bad/sweep.json", "w").write("{")
    done = vgraph("report", "bad")
    assert done.returncode == 4 and "bad/sweep.json: byte 1" in done.stderr, done


def cells(browser, selector):
    return browser.run("[...document.querySelectorAll(%s)].map(node => node.textContent)" % json.dumps(selector))


def look(path):
    """In a browser."""
    browser = chromium.Chromium(path)
    try:
        browser.open("s/report.html", READY)
        assert cells(browser, "thead th") == ["rate", "goal", "loss", "log(loss - 0.9)", "steps/s", "what is wrong"]
        assert cells(browser, "tbody tr td:nth-child(2)") == ["1", "2", "1", "2"]
        last = [run["last"] for run in json.load(open("s/sweep.json"))["runs"]]
        shown = cells(browser, "tbody tr td:nth-child(3)")
        assert all(abs(float(text) - run["loss"]) < 1e-3 * run["loss"] for text, run in zip(shown, last)), (shown, last)
        best = min(run["loss"] for run in last)
        assert browser.run("[...document.querySelectorAll('tbody tr')].findIndex(r => r.querySelector('.best'))") == \
            [run["loss"] for run in last].index(best)
        assert browser.run("document.querySelectorAll('figure.chart').length") == 3
        counts = "[...document.querySelectorAll('figure.chart')].map(f => f.querySelectorAll('.line').length)"
        assert browser.run(counts) == [4, 4, 4]
        colours = browser.run("[...document.querySelectorAll('.swatch')].map(s => s.style.background)")
        assert len(set(colours)) == 4 and colours == \
            browser.run("[...document.querySelector('figure.chart').querySelectorAll('.line')].map(l => "
                        "l.getAttribute('stroke').replace(/,/g, ', '))"), colours
        browser.run("document.querySelector('.theme').click()")
        assert colours != browser.run("[...document.querySelectorAll('.swatch')].map(s => s.style.background)")
        browser.resize(400, 800, True)
        browser.run("new Promise(done => setTimeout(done, 300))")
        assert browser.run("document.documentElement.scrollWidth") <= 400, "nothing is wider than a phone"
        assert browser.complaints() == [], browser.complaints()
    finally:
        browser.close()


def main():
    failed, path = 0, chromium.find()
    tests = [test for name, test in globals().items() if name.startswith("test_")]
    tests += [lambda: look(path)] if path else []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("a.nn", "w") as file:
            file.write(MODEL)
        for test in tests:
            try:
                test()
            except AssertionError as error:
                failed += 1
                print("FAILED %s line %d\n%s" % (test.__name__, error.__traceback__.tb_next.tb_lineno, error))
        os.chdir("/")
    print("%d passed, %d failed%s" % (len(tests) - failed, failed, "" if path else "; no Chromium to look with"))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
