#!/usr/bin/env python3
"""From Python, by ctypes alone: trains a model given as text, and reads the records as they come.

    python3 use.py [LIBRARY]        # by default what `ldconfig` knows as libvgraph.so.0
    python3 use.py $(pkg-config --variable=libdir vgraph)/libvgraph.so

Only the structures that are used are written down here; their fields are those of vgraph.h, in its order.
"""
import ctypes
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t, c_uint32, c_uint64, c_void_p

MODEL = b"""
data moons = moons(count = 600)
input x: [batch, 2] = moons.features
input y: [batch]    = moons.target
logits = dense(tanh(dense(x, 16)), 2)
loss   = mean(cross_entropy(logits, y))
right  = mean(argmax(logits) == y)
train loss {
    optimizer = adam(rate = 0.02)
    batch     = 60
    steps     = 300
}
summary scalar loss every 100
"""


class Record(ctypes.Structure):
    """vg_record, up to the last field that is read."""
    _fields_ = [("kind", c_int), ("step", c_uint64), ("tag", c_char_p), ("value", c_double)]


WATCH = ctypes.CFUNCTYPE(c_bool, c_void_p, POINTER(Record))
SCALAR = 1


class Options(ctypes.Structure):
    """vg_run_options."""
    _fields_ = [("steps", c_uint64), ("seed", c_uint64), ("has_seed", c_bool), ("float64", c_bool), ("threads", c_uint32),
                ("no_fuse", c_bool), ("evaluation", c_bool), ("evidence", c_bool), ("watch", WATCH), ("user", c_void_p),
                ("batch", c_uint64), ("fetches_only", c_bool), ("no_data", c_bool)]


class Tensor(ctypes.Structure):
    """vg_tensor."""
    _fields_ = [("name", c_char_p), ("integer", c_bool), ("rank", c_uint32), ("shape", POINTER(c_int64)),
                ("count", c_size_t), ("elements", POINTER(c_double))]


class Diagnostic(ctypes.Structure):
    """vg_diagnostic."""
    _fields_ = [("code", c_char_p), ("message", c_char_p), ("file", c_char_p), ("line", c_uint32), ("column", c_uint32),
                ("status", c_int)]


def open_library(path):
    """Pointers are wider than ctypes thinks unless it is told."""
    library = ctypes.CDLL(path)
    library.vg_model_new.restype = c_void_p
    library.vg_version.restype = c_char_p
    library.vg_model_diagnostic.restype = c_bool
    library.vg_run_variables.restype = c_size_t
    for name, arguments in {
        "vg_model_free": [c_void_p], "vg_run_free": [c_void_p], "vg_run_step": [c_void_p], "vg_run_variables": [c_void_p],
        "vg_model_fetch": [c_void_p, c_char_p, POINTER(c_uint32)],
        "vg_model_load_text": [c_void_p, c_char_p, c_char_p, c_size_t],
        "vg_model_diagnostic": [c_void_p, c_size_t, POINTER(Diagnostic)],
        "vg_run_new": [c_void_p, POINTER(Options), POINTER(c_void_p)],
        "vg_run_all": [c_void_p, c_void_p],
        "vg_run_fetch": [c_void_p, c_uint32, POINTER(Tensor)],
        "vg_run_variable": [c_void_p, c_size_t, POINTER(Tensor)],
    }.items():
        getattr(library, name).argtypes = arguments
    return library


class Failed(Exception):
    pass


def check(library, model, status):
    if status == 0:
        return
    lines, d, k = [], Diagnostic(), 0
    while library.vg_model_diagnostic(model, k, byref(d)):
        lines.append("%s:%d: %s" % (d.file.decode(), d.line, d.message.decode()))
        k += 1
    raise Failed("\n".join(lines) or "status %d" % status)


def train(library, text):
    @WATCH
    def watch(_, record):
        if record.contents.kind == SCALAR:
            print("step %3d: %s %.4f" % (record.contents.step, record.contents.tag.decode(), record.contents.value))
        return True

    model, run, right = c_void_p(library.vg_model_new()), c_void_p(), c_uint32()
    options = Options(watch=watch)      # `watch` must live as long as the run
    try:
        check(library, model, library.vg_model_fetch(model, b"right", byref(right)))
        check(library, model, library.vg_model_load_text(model, b"moons.nn", text, len(text)))
        check(library, model, library.vg_run_new(model, byref(options), byref(run)))
        check(library, model, library.vg_run_all(run, None))
        tensor = Tensor()
        check(library, model, library.vg_run_fetch(run, right, byref(tensor)))
        print("%.1f %% right in the last mini-batch" % (100 * tensor.elements[0]))
        check(library, model, library.vg_run_variable(run, 0, byref(tensor)))
        shape = [tensor.shape[k] for k in range(tensor.rank)]
        print("%s %s begins with %.4f" % (tensor.name.decode(), shape, tensor.elements[0]))
    finally:
        library.vg_run_free(run)
        library.vg_model_free(model)


def main():
    library = open_library(sys.argv[1] if len(sys.argv) > 1 else "libvgraph.so.0")
    print("vgraph", library.vg_version().decode())
    train(library, MODEL)
    try:
        train(library, MODEL.replace(b"tanh", b"tahn"))
    except Failed as failure:
        print(failure)


if __name__ == "__main__":
    main()
