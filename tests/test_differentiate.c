/* differentiate, simplify and arrange: golden files (tests/golden/passes/NAME.txt: a graph, what each pass makes of it, or the
 * errors; `test_differentiate --bless` rewrites what is expected), and sizes, which must grow as the model does. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pass_fixture.h"

/* ---- golden files */

static bool blessing;

static void add_graph(vg_text *out, const char *section, const vg_graph *graph) {
    vg_text_format(out, "== %s\n", section);
    vg_print(graph, out);
    const char *wrong = vg_verify(graph, true);
    if (wrong) vg_text_format(out, "the verifier: %s\n", wrong);
}

static void add_errors(vg_text *out, const vg_diags *diags) {
    vg_text_format(out, "== errors\n");
    for (uint32_t k = 0; k < diags->list.count; k++) {
        vg_text_format(out, "%s\n", diags->list.items[k].text);
        for (uint32_t n = 0; n < diags->list.items[k].note_count; n++) {
            vg_text_format(out, "    %s\n", diags->notes.items[diags->list.items[k].first_note + n].text);
        }
    }
}

/* The whole file as it should be: its graph, read and printed again, and what follows from it. */
static void expected_text(fixture *f, const char *graph_text, vg_text *out) {
    vg_graph graph, differentiated, simplified, arranged;
    read_graph(f, &graph, graph_text);
    vg_text_format(out, "== graph\n");
    vg_print(&graph, out);
    vg_graph_init(&differentiated, f->ir, VG_EMIT_FAITHFUL);
    vg_pass_differentiate(&graph, &differentiated);
    if (f->ir->diags.list.count > 0) {
        add_errors(out, &f->ir->diags);
        return;
    }
    add_graph(out, "differentiate", &differentiated);
    vg_graph_init(&simplified, f->ir, VG_EMIT_FAITHFUL);
    vg_pass_simplify(&differentiated, &simplified);
    add_graph(out, "simplify", &simplified);
    if (!vg_arrange_changes(&simplified)) return;
    vg_graph_init(&arranged, f->ir, VG_EMIT_FAITHFUL);
    vg_pass_arrange(&simplified, &arranged);
    add_graph(out, "arrange", &arranged);
}

static void golden_file(const char *path) {
    fixture f;
    char   *text;
    size_t  length;
    FIXTURE_BEGIN(&f);
    assert_int_equal(vg_file_read(&f.mem, path, 1 << 20, &text, &length), 0);
    const char *first = "== graph\n", *start = strstr(text, first);
    assert_non_null(start);
    const char *next = strstr(start + strlen(first), "== ");
    size_t      graph_length = next ? (size_t)(next - start) - strlen(first) : strlen(start + strlen(first));
    vg_text     now = vg_text_new(f.ir->mem), graph = vg_text_new(f.ir->mem);
    vg_text_add(&graph, start + strlen(first), graph_length);
    vg_text_add(&now, text, (size_t)(start - text));       /* what stands above says what it is about */
    expected_text(&f, vg_text_c(&graph), &now);
    if (blessing) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(vg_text_c(&now), 1, now.length, file), now.length);
        assert_int_equal(fclose(file), 0);
    } else if (strcmp(text, vg_text_c(&now)) != 0) {
        fail_msg("%s: expected\n%s\ngot\n%s", path, text, vg_text_c(&now));
    }
    fixture_end(&f);
}

static void test_golden(void **state) {
    (void)state;
    DIR     *folder = opendir(VG_TESTS "/golden/passes");
    uint32_t count = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char   path[1024];
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 4, ".txt") != 0) continue;
        snprintf(path, sizeof path, VG_TESTS "/golden/passes/%s", entry->d_name);
        golden_file(path);
        count++;
    }
    closedir(folder);
    assert_true(count >= 10);
}

/* ---- sizes */

typedef struct size { uint32_t differentiated, simplified, operands; size_t bytes; } size;

static size measure(void (*make)(vg_graph *, uint32_t), uint32_t depth) {
    fixture  f;
    vg_graph graph, differentiated, simplified;
    FIXTURE_BEGIN(&f);
    vg_graph_init(&graph, f.ir, VG_EMIT_FAITHFUL);
    make(&graph, depth);
    run_pass(&f, vg_pass_differentiate, &graph, &differentiated);
    run_pass(&f, vg_pass_simplify, &differentiated, &simplified);
    size found = { vg_graph_count(&differentiated), vg_graph_count(&simplified), simplified.operands.count,
                   f.mem.peak };
    fixture_end(&f);
    return found;
}

/* Ten times the depth costs ten times as much, up to what the first and last layer have more or less than others;
 * memory, which grows by doubling, can cost twice that. */
static void assert_linear(void (*make)(vg_graph *, uint32_t)) {
    enum { ENDS = 100 };
    size before = measure(make, 100);
    for (uint32_t depth = 1000; depth <= 10000; depth *= 10) {
        size now = measure(make, depth);
        assert_true(now.differentiated <= 10 * before.differentiated + ENDS);
        assert_true(now.simplified <= 10 * before.simplified + ENDS);
        assert_true(now.operands <= 10 * before.operands + ENDS);
        assert_true(now.bytes <= 20 * before.bytes);
        before = now;
    }
}

static void make_net(vg_graph *graph, uint32_t depth) {
    make_deep_net(graph, depth, 8);
}

static void test_deep_net_is_linear(void **state) {
    (void)state;
    assert_linear(make_net);
}

/* A recurrence over the rows of one table: as many slices of it as steps. */
static void make_recurrence(vg_graph *g, uint32_t steps) {
    vg_dims *dims = &g->ir->dims;
    vg_dim   eight = vg_dim_number(dims, 8);
    vg_shape shape = vg_shape_of(dims, (vg_dim[]){ vg_dim_number(dims, steps), eight }, 2);
    vg_node  table = make_variable(g, shape, "table", 0), state = 0;
    for (uint32_t k = 0; k < steps; k++) {
        vg_dim  bounds[4] = { vg_dim_number(dims, k), vg_dim_number(dims, k + 1), vg_dim_number(dims, 0), eight };
        vg_node row = vg_build_slice(g, table, bounds);
        state = state ? vg_build_map1(g, VG_OP_tanh, vg_build_map2(g, VG_OP_add, state, row)) : row;
    }
    vg_node gradient = make_grad(g, vg_build_reduce(g, VG_OP_sum, state, 3, false), table, 1);
    vg_emit(g, VG_OP_fetch, &gradient, 1, vg_attr_of(g->ir, (vg_word[]){ 0 }, 1));
}

static void test_slices_are_linear(void **state) {
    (void)state;
    assert_linear(make_recurrence);
}

/* The gradients of all layers of one loss share one sweep: asking for them one by one adds an alias each. */
static void test_sweep_is_shared(void **state) {
    fixture  f;
    vg_graph graph, once;
    (void)state;
    FIXTURE_BEGIN(&f);
    vg_graph_init(&graph, f.ir, VG_EMIT_FAITHFUL);
    make_deep_net(&graph, 50, 8);
    run_pass(&f, vg_pass_differentiate, &graph, &once);
    uint32_t products = 0, aliases = 0;
    for (vg_node node = 1; node < vg_graph_count(&once); node++) {
        products += vg_node_op(&once, node) == VG_OP_matmul;
        aliases += vg_node_op(&once, node) == VG_OP_alias;
    }
    assert_int_equal(aliases, 100);
    assert_int_equal(products, 50 + 2 * 50);
    fixture_end(&f);
}

/* ---- memory that fails */

static void test_failing_allocations(void **state) {
    (void)state;
    for (volatile uint64_t n = 1;; n += 1 + n / 20) {
        fixture       f;
        volatile bool done = false;
        vg_mem_init(&f.mem);
        f.mem.escape = &f.escape;
        f.mem.fail_at = n;
        if (!setjmp(f.escape)) {
            vg_graph graph, differentiated, simplified;
            f.ir = vg_mem_alloc(&f.mem, sizeof *f.ir);
            vg_ir_init(f.ir, &f.mem);
            vg_graph_init(&graph, f.ir, VG_EMIT_FAITHFUL);
            make_deep_net(&graph, 3, 8);
            run_pass(&f, vg_pass_differentiate, &graph, &differentiated);
            run_pass(&f, vg_pass_simplify, &differentiated, &simplified);
            done = true;
        }
        fixture_end(&f);
        if (done) break;
    }
}

/* ---- the pipeline */

static void note_dump(void *user, const char *pass, const char *text, size_t length) {
    vg_text *seen = user;
    assert_int_equal(strlen(text), length);
    vg_text_format(seen, "%s %d;", pass, strstr(text, "grad(") != NULL);
}

static void test_pipeline(void **state) {
    fixture f;
    (void)state;
    FIXTURE_BEGIN(&f);
    vg_unit unit = { .ir = f.ir };
    vg_text seen = vg_text_new(&f.mem);
    vg_dump dump = { .write = note_dump, .user = &seen };
    for (uint32_t k = 0; k <= VG_PASS_COUNT; k++) dump.wanted[k] = true;
    vg_graph_init(&unit.graph[1], f.ir, VG_EMIT_FAITHFUL);
    make_deep_net(&unit.graph[1], 2, 8);
    assert_true(vg_passes_run(&unit, 1, &dump));
    assert_string_equal(vg_text_c(&seen), "elaborate 1;differentiate 0;simplify 0;arrange 0;");
    fixture_end(&f);
}

/* A mistake of the model stops the pipeline, and so does one of ours: a graph that the verifier refuses. */
static void test_pipeline_stops(void **state) {
    fixture f;
    vg_text seen;
    (void)state;
    FIXTURE_BEGIN(&f);
    vg_unit unit = { .ir = f.ir };
    vg_dump dump = { .wanted = { [VG_PASS_simplify] = true }, .write = note_dump, .user = &seen };
    seen = vg_text_new(&f.mem);
    read_graph(&f, &unit.graph[0], "%1 = step() turn=0 : i32[]\n%2 = fetch(%1) index=0 : i32[]\n");
    unit.graph[0].dtype.items[1] = VG_F32;
    assert_false(vg_passes_run(&unit, 0, &dump));
    assert_string_equal(last_message(&f), "a mistake of vgraph itself, not of the model: after elaborate, %1 = step: "
                                          "the type is not the one that follows");
    read_graph(&f, &unit.graph[1], "%1 = input() path=\"x\" type=0 : f32[]\n%2 = input() path=\"y\" type=0 : f32[]\n"
                                   "%3 = grad(%1, %2) group=1 : f32[]\n%4 = fetch(%3) index=0 : f32[]\n");
    assert_false(vg_passes_run(&unit, 1, &dump));
    assert_int_equal(vg_vec_last(&f.ir->diags.list).code, VG_D_gradient_none);
    assert_int_equal(seen.length, 0);
    fixture_end(&f);
}

static void test_pass_names(void **state) {
    uint32_t index;
    (void)state;
    assert_true(vg_pass_find("simplify", &index));
    assert_int_equal(index, VG_PASS_simplify);
    assert_true(vg_pass_find("arrange", &index));
    assert_int_equal(index, VG_PASS_arrange);
    assert_true(vg_pass_find("elaborate", &index));
    assert_int_equal(index, VG_PASS_COUNT);
    assert_false(vg_pass_find("simplif", &index));
}

int main(int argc, char **argv) {
    blessing = argc > 1 && strcmp(argv[1], "--bless") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_deep_net_is_linear),
        cmocka_unit_test(test_slices_are_linear),
        cmocka_unit_test(test_sweep_is_shared),
        cmocka_unit_test(test_failing_allocations),
        cmocka_unit_test(test_pipeline),
        cmocka_unit_test(test_pipeline_stops),
        cmocka_unit_test(test_pass_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
