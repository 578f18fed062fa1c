/* The language: names that select, what maps over a selection, and the tags of summaries. */
#include "language_fixture.h"

#define NET "layer fc(x: [n, d], k) {\nvar W: [d, k] = 2\nvar b: [k] = 1\nz = x @ W + b\nreturn z\n}\n" \
    "layer two(x: [n, d], k) {\na = fc(x, k)\nstate c: [] = 5\ng = fc(a, k)\nreturn g\n}\nx = ones([1, 2])\n" \
    "h[0] = x\nfor i in 1..2 {\nh[i] = fc(h[i-1], i)\n}\nenc = two(h[2], 1)\nvar p: [2] = 7\nloss = sum(enc) + sum(p)\n"

static const vg_row patterns[] = {
    { "every trainable variable", NET,
      .wants = { { "len(vars)", "9" }, { "len(vars(\"**\"))", "9" }, { "len(vars(\"**.W\"))", "4" },
        { "len(vars(\"h[*].b\"))", "2" }, { "len(vars(\"h[2].*\"))", "2" }, { "len(vars(\"enc.**\"))", "4" },
        { "len(vars(\"enc.*.W\"))", "2" }, { "len(vars(\"p\"))", "1" }, { "vars(\"p\")", "[2] 7 7" },
        { "len(vars(\"*.**\"))", "9" } } },
    { "* is one name with any indices or none", NET,
      .wants = { { "len(vars(\"*\"))", "1" }, { "len(vars(\"*.W\"))", "2" }, { "len(vars(\"*.*.W\"))", "2" },
        { "len(vars(\"**.b\"))", "4" } } },
    { "[*] is any indices", NET,
      .wants = { { "len(h[*])", "3" }, { "len(h[*].W)", "2" }, { "len(h[*].z)", "2" },
        { "sum(total(h[*].b))", "4" } } },
    { "in the order of definition", "h[2] = ones([])\nh[1] = zeros([])\nvar B: [] = 3\nvar A: [] = 4",
      .wants = { { "stack(h[*])", "[2] 1 0" }, { "stack(vars)", "[2] 3 4" } } },
    { "** is any number of names", NET,
      .wants = { { "len(enc.**.W)", "2" }, { "len(vars(\"**.p\"))", "1" }, { "len(enc.**.**.z)", "2" } } },
    { "members of a scope", NET,
      .wants = { { "len(enc.*.b)", "2" }, { "len(enc.**)", "4" }, { "len(enc.*.z)", "2" }, { "len(h[1].**)", "2" },
        { "len(h[1].*)", "2" } } },
    { "one that ends in a star selects trainable variables", NET,
      .wants = { { "len(enc.*.*)", "4" }, { "len(h[*].**)", "4" } } },
    { "two indices", "for i in 1..2 { for j in 1..3 {\nh[i, j] = ones([]) * (10 * i + j)\n} }",
      .wants = { { "total(h[*])", "102" }, { "total(h[2, *])", "66" }, { "total(h[*, 3])", "36" },
        { "total(h[*, *])", "102" } } },
    { "numbers of a family are tensors", "for i in 1..3 {\nt = i\n}", .wants = { { "total(t[*])", "6" } } },
    { "a state is no trainable variable", "state s: [] = 1\nvar W: [] = 2", .wants = { { "total(vars)", "2" } } },
    { "a member that is a state, by its name", NET, .wants = { { "len(enc.*)", "0" } }, .error = "selects-nothing" },
    { "its name selects it", "layer keep(x) {\nstate c: [] = x\nreturn x\n}\nfor i in 1..2 {\nk = keep(i)\n}",
      .wants = { { "stack(k[*].c)", "[2] 1 2" } } },
    { "what finds nothing", NET "a = sum(h[*].Q)", .error = "selects-nothing" },
    { "an unknown first name", "a = sum(nowhere.*)", .error = "unknown-name" },
    { "before the binding is done", "h[1] = 1\nh[2] = total(h[*]) + 1", .wants = { { "h[2]", "2" } } },
};

static const vg_row mapping[] = {
    { "a function of each", "def f(w, k = 2) = sum(w) * k\nvar A: [2] = 1\nvar B: [3] = 2",
      .wants = { { "total(f(vars))", "16" }, { "total(f(vars, 1))", "8" }, { "stack(f(vars))", "[2] 4 12" },
        { "total(sum(2 * vars))", "16" }, { "total(sum(-vars))", "-8" }, { "total(rms(vars))", "3" },
        { "concat(vars)", "[5] 1 1 2 2 2" } } },
    { "pairwise", "var A: [2] = 1\nvar B: [3] = 2\nl = sum(A * A) + sum(B * B)",
      .wants = { { "stack(sum(vars * vars))", "[2] 2 12" }, { "stack(rms(grad(l, vars)) / rms(vars))", "[2] 2 2" },
        { "stack(sum(vars + 1))", "[2] 4 9" } } },
    { "lengths that differ", "var A: [2] = 1\nvar B: [2] = 2\na = total(vars - vars(\"A\"))",
      .error = "selection-lengths" },
    { "total of members of several shapes", "var A: [2] = 1\nvar B: [1, 2] = 2",
      .wants = { { "total(vars)", "[1, 2] 3 3" } } },
    { "layers do not map", NET "a = fc(h[*].W, 2)", .error = "layer-selection" },
};

/* ---- tags */

typedef struct tags { char text[1024]; } tags;

static bool note_tag(void *user, const vg_record *record) {
    tags *all = user;
    if (record->step > 0 || (record->kind != VG_RECORD_SCALAR && record->kind != VG_RECORD_HISTOGRAM)) return true;
    const size_t at = strlen(all->text);
    snprintf(all->text + at, sizeof all->text - at, "%s%s", at ? "; " : "", record->tag);
    return true;
}

typedef struct tag_row { const char *name, *model, *tags; } tag_row;
static const tag_row tag_rows[] = {
    { "an expression's text", "summary scalar loss, sum(p  *\n2)", "loss; sum(p * 2)" },
    { "a variable's path", "q = p\nsummary histogram q, h[1].W", "p; h[1].W" },
    { "gradients", "summary histogram grad(loss, p), grad(loss, h[*].W)",
      "grad(loss)/p; grad(loss)/h[1].W; grad(loss)/h[2].W" },
    { "the gradient of an activation", "summary histogram grad(loss, h[1])\nsummary histogram grad(loss, h[2].z)",
      "grad(loss)/h[1]; grad(loss)/h[2].z" },
    { "members of a selection", "summary scalar rms(vars(\"h[*].b\"))",
      "rms(vars(\"h[*].b\"))/h[1].b; rms(vars(\"h[*].b\"))/h[2].b" },
    { "as", "summary scalar loss as \"l\"\nsummary scalar loss, sum(p) as \"m\"\nsummary histogram h[*].W as \"w\"",
      "l; m/loss; m/sum(p); w/h[1].W; w/h[2].W" },
    { "a gradient as", "summary histogram grad(loss, h[*].b) as \"g\"\nsummary histogram grad(loss, p) as \"one\"",
      "g/h[1].b; g/h[2].b; one" },
    { "in a loop, by its path", "for i in 1..2 {\nt = sum(p) * i\nsummary scalar t\n"
      "summary scalar t * 2 as \"twice {i}\"\n}", "t[1]; twice 1; t[2]; twice 2" },
    { "in a layer, by its path", "layer see(x) {\ns = sum(x)\nsummary scalar s\nreturn s\n}\nu = see(p)\n"
      "v = see(p * 2)", "u.s; v.s" },
    { "of one kind", "summary scalar loss\nsummary histogram loss", "loss; loss" },
};

static unsigned check_tags(const tag_row *row) {
    char text[2048];
    tags have = { "" };
    vg_run *run = NULL;
    vg_model *model = vg_model_new();
    snprintf(text, sizeof text, NET "%s", row->model);
    vg_status status = vg_model_load_text(model, "model.nn", text, strlen(text));
    const vg_run_options options = { .watch = note_tag, .user = &have };
    if (status == VG_OK) status = vg_run_new(model, &options, &run);
    if (status == VG_OK) status = vg_run_step(run);
    if (status != VG_OK) vg_model_explain(model, 0, false, to_stderr, NULL);
    vg_run_free(run);
    vg_model_free(model);
    if (status == VG_OK && strcmp(have.text, row->tags) == 0) return 0;
    print_error("%s:\n    want %s\n    have %s\n", row->name, row->tags, have.text);
    return 1;
}

static void test_tags(void **state) {
    (void)state;
    unsigned wrong = 0;
    for (size_t k = 0; k < sizeof tag_rows / sizeof *tag_rows; k++) wrong += check_tags(&tag_rows[k]);
    assert_int_equal(wrong, 0);
}

static void test_patterns(void **state) { (void)state; CHECK_ROWS(patterns); }
static void test_mapping(void **state) { (void)state; CHECK_ROWS(mapping); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns), cmocka_unit_test(test_mapping), cmocka_unit_test(test_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
