#!/usr/bin/env python3
"""report.html in a real browser: it loads without a complaint and without the network, shows what was recorded, moves
with the slider, and its nodes can be chosen, by mouse and by keyboard. Without a Chromium there is nothing to look
with, and the test is skipped (exit 77)."""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import chromium

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
READY = "document.documentElement.dataset.ready === 'yes'"

SPIRALS = """
data points = spirals(count = 400, noise = 0.02, seed = 1)
input x: [batch, 2] = points.features
input y: [batch]    = points.target
h[0] = x
for i in 1..3 { h[i] = dense(h[i-1], 8, relu) }
logits = dense(h[3], 2)
loss = mean(cross_entropy(logits, y))
grey = reshape(arange(24), [2, 3, 4]) * loss   # </script><b>
train loss { optimizer = adam(rate = 0.01); batch = 16; steps = 8; eval_every = 4 }
summary scalar loss
summary scalar norm(grad(loss, h[*].W)) as "norm"
summary scalar loss * 2, loss * 3 as "both"
summary histogram grad(loss, h[*].W), h[*] every 2
summary image grey every 4
expect loss > 1e9
"""
BROKEN = "var w: [1] = 1\nloss = mean(log(w - 2))\ntrain loss { steps = 3 }\n"
SILENT = "var w: [3] = [1, 2, 3]\nloss = mean((w - 1) ^ 2)\ntrain loss { steps = 5; optimizer = sgd(rate = 0.1) }\n"
NOTHING = "x = 1 + 1\nsummary scalar x\n"


def make(model, name, *options, status=0):
    """The folder of a run, and its JSON lines."""
    lines = name + ".jsonl"
    done = subprocess.run([PROGRAM, "run", model, "--quiet", "--out", name, "--jsonl", lines, *options],
                          capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    with open(lines, encoding="utf-8") as file:
        return os.path.join(name, "report.html"), [json.loads(line) for line in file]


def write(name, text):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def number(text):
    """What show() in scale.js made of a number."""
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    text = text.replace("−", "-")
    mantissa, _, power = text.partition("·10")
    return float(mantissa) * 10.0 ** int(power.translate(digits) or 0)


def texts(browser, selector):
    return browser.run("[...document.querySelectorAll(%s)].map(node => node.textContent)" % json.dumps(selector))


def middle(browser, selector):
    """Scrolls to the element: where its middle is in the window."""
    box = browser.run("(() => { const n = document.querySelector(%s); n.scrollIntoView({ block: 'center' });"
                      "const b = n.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })()"
                      % json.dumps(selector))
    return box


def ridges(browser):
    return browser.run("[...document.querySelectorAll('.ridges .ridge')].map(path => path.getAttribute('d'))")


def outlines(browser):
    return browser.run("[...document.querySelectorAll('.ridges .first')].map(path => path.getAttribute('d'))")


def check_values(browser, lines, step):
    """The rows' rms and zeros are the records' own."""
    wanted = [line for line in lines if line["kind"] == "histogram" and line["step"] == step]
    shown = texts(browser, ".ridges .number")
    rms, zeros = shown[0::2], shown[1::2]
    assert len(rms) == len(wanted)
    for row, line in enumerate(wanted):
        assert abs(number(rms[row]) - line["rms"]) <= 0.006 * line["rms"], (rms[row], line["rms"])
        share = 100 * line["zeros"] / line["count"]
        assert abs(float(zeros[row].rstrip(" %")) - share) <= 0.006 * share + 0.01, (zeros[row], share)


def test_slider(browser, page, lines):
    browser.open(page, READY)
    last = ridges(browser)
    assert len(last) == 4 and all(len(path) > 100 for path in last)
    check_values(browser, lines, 29)
    browser.run("document.getElementById('step').focus()")
    browser.key("ArrowLeft")
    assert texts(browser, ".step-number") == ["step 28"]
    moved = ridges(browser)
    assert all(a != b for a, b in zip(last, moved))
    check_values(browser, lines, 28)
    browser.key("Home")
    assert texts(browser, ".step-number") == ["step 0"]
    assert ridges(browser) == outlines(browser) != moved
    check_values(browser, lines, 0)
    browser.run("document.activeElement.blur()")
    browser.key("ArrowRight")
    assert texts(browser, ".step-number") == ["step 1"]
    browser.key(" ", "Space", " ")
    assert browser.run("document.querySelector('.play').getAttribute('aria-label')") == "Pause"
    deadline = time.monotonic() + 30
    while texts(browser, ".step-number") != ["step 29"]:
        assert time.monotonic() < deadline, "playing comes to the end"
        time.sleep(0.05)
    assert ridges(browser) == last
    assert browser.run("document.querySelector('.play').getAttribute('aria-label')") == "Play the steps"


def test_axis(browser, page):
    browser.open(page, READY)
    linear = ridges(browser)
    browser.click(*middle(browser, ".family .switch [data-value=true]"))
    assert all(a != b for a, b in zip(linear, ridges(browser)))
    assert "magnitude |x|" in texts(browser, ".ridges .head")
    heat = "document.querySelector('canvas.heat').toDataURL().length"
    before = browser.run(heat)
    browser.click(*middle(browser, ".ridges .hit[data-row='2']"))
    assert browser.run("document.querySelector('.one-tensor select').value") == "2"
    assert browser.run(heat) != before, "the heat map is of another tensor"


def test_hover(browser, page, lines):
    browser.open(page, READY)
    x, y = middle(browser, "#scalars .plot")
    browser.move(x, y)
    readout = texts(browser, "#scalars .readout")[0]
    step, value = re.match(r"step (\d+) · (.*)", readout).groups()
    truth = next(l["value"] for l in lines if l["kind"] == "scalar" and l["tag"] == "loss" and l["step"] == int(step))
    assert 10 < int(step) < 20 and abs(number(value) - truth) <= 0.006 * truth
    browser.click(x, y)
    assert texts(browser, ".step-number") == ["step " + step]


def test_graph(browser, page):
    browser.open(page, READY)
    assert browser.run("document.querySelectorAll('.node').length") == 0
    browser.click(*middle(browser, "[data-key='box 0 h[2]']"))
    assert browser.run("document.querySelector('[data-key=\"box 0 h[2]\"]').getAttribute('aria-expanded')") == "true"
    assert sorted(texts(browser, ".node > text")) == ["W", "add", "b", "h[2]", "matmul"]
    node = browser.run("[...document.querySelectorAll('.node')].find(n => n.textContent.startsWith('W')).dataset.node")
    browser.click(*middle(browser, "[data-node='%s']" % node))
    details = browser.run("document.querySelector('.details').innerText")
    for part in ("h[2].W", "variable", "f32[128, 128]", "line 13", "called from line 20", "grad(loss)/h[2].W", "rms"):
        assert part in details, (part, details)
    assert browser.run("[...document.querySelectorAll('.source .marked')].map(n => n.id)") == ["line-13"]
    assert browser.run("[...document.querySelectorAll('.source .caller')].map(n => n.id)") == ["line-20"]
    # By keyboard: a box opens, the picture moves and grows.
    browser.run("document.querySelector('[data-key=\"box 1 h[3]\"]').focus()")
    browser.key("Enter")
    assert browser.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    view = "document.querySelector('.graph').getAttribute('viewBox').split(' ').map(Number)"
    before = browser.run(view)
    browser.key("ArrowDown")
    browser.key("+")
    after = browser.run(view)
    assert after[1] > before[1] and after[2] < before[2]
    # By mouse: it is dragged.
    x, y = middle(browser, ".graph")
    browser.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x - 40, y=y - 30, button="left", buttons=1)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", x=x - 40, y=y - 30, button="left", clickCount=1)
    dragged = browser.run(view)
    assert dragged[0] > after[0] and dragged[1] > after[1]
    assert browser.run("document.querySelectorAll('.node').length") > 5, "a drag chooses nothing and closes nothing"


def test_themes_and_paper(browser, page):
    ground = "getComputedStyle(document.body).backgroundColor"
    colours = {}
    for theme in ("light", "dark"):
        browser.theme(theme)
        browser.open(page, READY)
        colours[theme] = browser.run(ground)
    assert colours["light"] == "rgb(255, 255, 255)" != colours["dark"]
    browser.click(*middle(browser, ".theme"))
    assert browser.run(ground) == colours["light"], "the button says light in the dark"
    browser.run("localStorage.removeItem('vgraph-theme')")
    browser.theme("light")
    browser.open(page, READY)
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF") and 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 8


def test_phone(browser, page):
    browser.resize(390, 844, phone=True)
    browser.open(page, READY)
    assert browser.run("document.documentElement.scrollWidth") <= 390
    outside = browser.run("[...document.querySelectorAll('.plot svg')]"
                          ".filter(n => n.getBoundingClientRect().right > 391).length")
    assert outside == 0
    browser.resize(1280, 900)


def test_everything_that_is_watched(browser):
    page, lines = make(write("spirals.nn", SPIRALS), "spirals", "--no-watch", status=3)
    browser.open(page, READY)
    assert browser.run("document.querySelector('.verdict').textContent") == "An expectation failed"
    assert "expect loss > 1e9" in browser.run("document.getElementById('findings').innerText")
    assert texts(browser, "#scalars .chart-title > :first-child") == ["loss", "norm", "both"], \
        texts(browser, "#scalars .chart-title > :first-child")
    assert texts(browser, "#scalars .label") == ["train", "test", "h[1].W", "h[2].W", "h[3].W",
                                                 "loss * 2", "loss * 3", "loss * 2, test", "loss * 3, test"]
    assert len(texts(browser, ".family")) == 2
    assert browser.run("document.querySelectorAll('#images img').length") == 2 * 3
    assert browser.run("[...document.querySelectorAll('#images img')].every(i => i.complete && i.naturalWidth === 4)")
    assert "</script><b>" in browser.run("document.querySelector('.source').innerText")
    assert lines[-1]["exit"] == 3


def test_findings(browser):
    """What another part finds: the page shows it when it is there."""
    page, _ = make(write("silent.nn", SILENT), "silent", "--no-watch")
    browser.open(page, READY)
    assert browser.run("document.getElementById('findings')") is None
    assert texts(browser, "#scalars .chart-title > :first-child") == ["loss"], "a loss that nobody asked to see"
    with open(page, encoding="utf-8") as file:
        text = file.read()
    found = [{"rule": "FROZEN", "severity": "fault", "follows": True, "say": "w hardly moves", "why": "because it is so",
              "where": ["w"], "file": "silent.nn", "line": 2, "try": "line 3: rate = 1", "option": "--set 'r=1'"}]
    with open("found.html", "w", encoding="utf-8") as file:
        file.write(text.replace('"findings":[]', '"findings":' + json.dumps(found), 1))
    browser.open("found.html", READY)
    shown = browser.run("document.getElementById('findings').innerText")
    for part in ("WITH IT", "w hardly moves", "FROZEN", "because it is so", "line 2", "line 3: rate = 1", "--set 'r=1'"):
        assert part in shown, (part, shown)
    browser.click(*middle(browser, "#findings .link"))
    assert browser.run("document.querySelector('.marked').id") == "line-2"


def test_watched(browser):
    """The tutorial's net names its fault, and shows what it is judged by."""
    page, lines = make(os.path.join(ROOT, "models", "deep_sigmoid.nn"), "watched", "--steps", "30")
    browser.open(page, READY)
    found = [line["rule"] for line in lines if line["kind"] == "finding"]
    assert found == ["INITSCALE", "INITLOSS", "SATURATED"], found
    shown = browser.run("document.getElementById('findings').innerText")
    assert "line 5: const init = glorot_uniform(4)" in shown and "--set 'init=glorot_uniform(4)'" in shown, shown
    titles = texts(browser, "#scalars .chart-title > :first-child")
    for family in ("outputs, rms", "gradients of outputs, rms", "saturated, share", "update / weight"):
        assert family in titles, titles


def test_numbers_that_break(browser):
    page, _ = make(write("broken.nn", BROKEN), "broken", status=5)
    browser.open(page, READY)
    assert "NaN" in browser.run("document.querySelector('.verdict').textContent")
    assert browser.run("document.querySelectorAll('#findings .error, #findings .cause').length") == 2      # the run's, and where it began


def test_deep(browser):
    page, _ = make(os.path.join(ROOT, "models", "deep_sigmoid.nn"), "deep", "--set", "depth=50", "--set", "hidden=16",
                   "--steps", "5")
    browser.open(page, READY)
    assert len(ridges(browser)) == 50
    assert browser.run("document.querySelector('.family [aria-pressed=true]').textContent") in ("linear", "log |x|")
    browser.run("[...document.querySelectorAll('.tools button')].find(n => n.textContent === 'open all').click()")
    assert browser.run("document.querySelectorAll('.node').length") > 600


def test_words():
    """The source's words are coloured as the lexer has them."""
    with open(os.path.join(ROOT, "grammar", "lexer.re"), encoding="utf-8") as file:
        words = set(re.findall(r'^ +"([a-z]+)" +\{ TOKEN', file.read(), re.M))
    with open(os.path.join(ROOT, "src", "watch", "report", "page.js"), encoding="utf-8") as file:
        shown = set("".join(re.findall(r"'([^']*)'", file.read().split("const words", 1)[1].split(";", 1)[0])).split())
    assert words and shown - words == {"scalar", "histogram", "image"} and words <= shown, words ^ shown


def main():
    test_words()
    path = chromium.find()
    if not path:
        print("skipped: there is no Chromium to look at the report with (Debian: chromium-headless-shell)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        page, lines = make(os.path.join(ROOT, "models", "deep_sigmoid.nn"), "four", "--steps", "30")
        assert os.path.getsize(page) < 250000
        browser = chromium.Chromium(path)
        try:
            tests = [(test_slider, page, lines), (test_axis, page), (test_hover, page, lines), (test_graph, page),
                     (test_themes_and_paper, page), (test_phone, page), (test_everything_that_is_watched,),
                     (test_findings,), (test_watched,), (test_numbers_that_break,), (test_deep,)]
            for test, *arguments in tests:
                test(browser, *arguments)
                assert not browser.complaints(), (test.__name__, browser.complaints())
                print("ok", test.__name__)
            page, _ = make(write("nothing.nn", NOTHING), "nothing")
            browser.open(page, READY)
            assert not browser.complaints()
        finally:
            browser.close()


main()
