// From C++: handles that free themselves, failures as exceptions, records to a lambda.
//
//     c++ -std=c++17 use.cpp -o use $(pkg-config --cflags --libs vgraph)
//     ./use
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <vgraph.h>

namespace {

struct Free {
    void operator()(vg_model *model) const { vg_model_free(model); }
    void operator()(vg_run *run) const { vg_run_free(run); }
};
using Model = std::unique_ptr<vg_model, Free>;
using Run = std::unique_ptr<vg_run, Free>;
using Watcher = std::function<bool(const vg_record &)>;

// What a call answered, or an exception with the text that the command line would show.
void check(const Model &model, vg_status status) {
    if (status == VG_OK) return;
    std::string text;
    auto add = [](void *user, const char *bytes, size_t length) {
        static_cast<std::string *>(user)->append(bytes, length);
        return true;
    };
    vg_model_explain(model.get(), 0, false, add, &text);
    throw std::runtime_error(text);
}

Model load(const char *name, std::string_view text, const std::vector<const char *> &fetches) {
    Model model(vg_model_new());
    if (!model) throw std::bad_alloc();
    std::uint32_t index;
    for (const char *fetch : fetches) check(model, vg_model_fetch(model.get(), fetch, &index));
    check(model, vg_model_load_text(model.get(), name, text.data(), text.size()));
    return model;
}

// An exception must not pass through the library: the watcher's are the watcher's.
Run begin(const Model &model, Watcher &watcher) {
    vg_run_options options{};
    options.user = &watcher;
    options.watch = [](void *user, const vg_record *record) { return (*static_cast<Watcher *>(user))(*record); };
    vg_run *run = nullptr;
    check(model, vg_run_new(model.get(), &options, &run));
    return Run(run);
}

constexpr std::string_view line = R"(
input x: [batch]
input y: [batch]
var a: [] = 0
var b: [] = 0
loss = mean((a * x + b - y)^2)
train loss {
    optimizer = sgd(rate = 0.5)
    batch     = 4
    steps     = 200
}
summary scalar loss every 50
)";

}  // namespace

int main() try {
    Watcher watcher = [](const vg_record &record) {
        if (record.kind == VG_RECORD_SCALAR) std::printf("step %3d: %s %.6f\n", int(record.step), record.tag, record.value);
        return true;
    };
    const Model model = load("line.nn", line, {"a", "b"});
    const Run run = begin(model, watcher);
    const std::vector<float> x{0, 0.25f, 0.5f, 1}, y{1, 1.5f, 2, 3};
    check(model, vg_run_feed_f32(run.get(), "x", x.data(), x.size()));
    check(model, vg_run_feed_f32(run.get(), "y", y.data(), y.size()));
    check(model, vg_run_all(run.get(), nullptr));
    vg_tensor a, b;
    check(model, vg_run_fetch(run.get(), 0, &a));
    std::printf("y = %.3f x", a.elements[0]);
    check(model, vg_run_fetch(run.get(), 1, &b));
    std::printf(" + %.3f\n", b.elements[0]);

    try {
        load("wrong.nn", "x = 1 +\n", {});
    } catch (const std::runtime_error &error) {
        std::printf("%s", error.what());
    }
    return 0;
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
