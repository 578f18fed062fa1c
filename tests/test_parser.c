/* Tokens, trees, recovery and limits of the parser, and that every sketch of the language parses. What its messages
 * say stands in golden/errors/syntax_*.nn. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/diag.h"
#include "front/lexer.h"
#include "front/tree.h"
#include "model.h"

typedef struct vg_fixture {
    vg_mem     mem;
    vg_strings strings;
    vg_diags   diags;
    vg_tree    tree;
    jmp_buf    escape;
} vg_fixture;

static void start(vg_fixture *f) {
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    vg_strings_init(&f->strings, &f->mem);
    vg_diags_init(&f->diags, &f->mem, &f->strings);
    vg_tree_init(&f->tree, &f->mem);
}

static uint32_t add_text(vg_fixture *f, const char *text) {
    return vg_sources_add(&f->diags.sources, VG_SOURCE_MODEL, "test.nn", text, strlen(text));
}

/* ---- tokens */

typedef struct vg_token_row { const char *text; int kinds[16]; } vg_token_row;

#define T(name) VG_T_##name
static const vg_token_row token_rows[] = {
    { "a b\nc", { T(NAME), T(NAME), T(END), T(NAME), T(END) } },
    { "1..n", { T(NUMBER), T(RANGE), T(NAME), T(END) } },
    { "1.5e-3 2_0", { T(NUMBER), T(NUMBER), T(END) } },
    { "a.5", { T(NAME), T(DOT), T(NUMBER), T(END) } },
    { "h[*].W.**", { T(NAME), T(LBRACKET), T(STAR), T(RBRACKET), T(DOT), T(NAME), T(DOT), T(STARSTAR), T(END) } },
    { "[..., d]", { T(LBRACKET), T(ELLIPSIS), T(COMMA), T(NAME), T(RBRACKET), T(END) } },
    { "für _x9 变量", { T(NAME), T(NAME), T(NAME), T(END) } },
    { "format iffy", { T(NAME), T(NAME), T(END) } },
    { "\"a {f(\"}\")} b\" x", { T(STRING), T(NAME), T(END) } },
    /* newlines */
    { "\n\n a \n # c\n\n b", { T(NAME), T(END), T(NAME), T(END) } },
    { "a\r\nb\r\n", { T(NAME), T(END), T(NAME), T(END) } },
    { "(a\nb)", { T(LPAREN), T(NAME), T(NAME), T(RPAREN), T(END) } },
    { "[a,\nb\n]", { T(LBRACKET), T(NAME), T(COMMA), T(NAME), T(RBRACKET), T(END) } },
    { "{a\nb}", { T(LBRACE), T(NAME), T(END), T(NAME), T(RBRACE), T(END) } },
    { "a +\nb", { T(NAME), T(PLUS), T(NAME), T(END) } },
    { "a\n+ b", { T(NAME), T(END), T(PLUS), T(NAME), T(END) } },
    { "}\n# c\nelse", { T(RBRACE), T(ELSE) } },
    { "a\nthen\nb", { T(NAME), T(THEN), T(NAME), T(END) } },
    { "a\nelsewhere", { T(NAME), T(END), T(NAME), T(END) } },
    { "a.*\nb", { T(NAME), T(DOT), T(STAR), T(END), T(NAME), T(END) } },
    { "a.**\nb", { T(NAME), T(DOT), T(STARSTAR), T(END), T(NAME), T(END) } },
    { "a *\nb", { T(NAME), T(STAR), T(NAME), T(END) } },
    { "x = data\ny", { T(NAME), T(ASSIGN), T(DATA), T(END), T(NAME), T(END) } },
    { "a; b;;", { T(NAME), T(END), T(NAME), T(END), T(END) } },
    { "\xef\xbb\xbf" "a", { T(NAME), T(END) } },
};
#undef T

static void test_tokens(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof token_rows / sizeof *token_rows; k++) {
        vg_fixture f;
        start(&f);
        const vg_source source = f.diags.sources.list.items[add_text(&f, token_rows[k].text)];
        static vg_lexer lexer;
        vg_lexer_init(&lexer, &f.diags, &source, 0, source.length);
        for (size_t i = 0; i < 16; i++) {
            const vg_token token = vg_lexer_next(&lexer);
            if (token.kind != token_rows[k].kinds[i]) {
                fail_msg("token %zu of '%s' is of kind %d", i, token_rows[k].text, token.kind);
            }
            if (token.kind == 0) {
                break;
            }
        }
        assert_int_equal(f.diags.list.count, 0);
        vg_mem_release(&f.mem);
    }
}

/* ---- trees */

typedef vg_tree_id (*vg_parse)(vg_tree *tree, vg_diags *diags, uint32_t source);
typedef struct vg_tree_row { const char *text, *tree; } vg_tree_row;

static const vg_tree_row expression_rows[] = {
    { "a + b * c", "(add a (multiply b c))" },
    { "a - b - c", "(subtract (subtract a b) c)" },
    { "a / b @ c", "(matmul (divide a b) c)" },
    { "2 ^ 3 ^ 4", "(power 2 (power 3 4))" },
    { "-a ^ 2", "(negate (power a 2))" },
    { "a ^ -b", "(power a (negate b))" },
    { "-a * b", "(multiply (negate a) b)" },
    { "-h[1].W(2)", "(negate (call (member (subscript h 1) W) (argument - 2)))" },
    { "a ^ b[1]", "(power a (subscript b 1))" },
    { "not a == b and c or d", "(or (and (not (eq a b)) c) d)" },
    { "a or b and c", "(or a (and b c))" },
    { "a + 1 < b", "(lt (add a 1) b)" },
    { "if a then b else c + 1", "(if_else a b (add c 1))" },
    { "if a then b else if c then d else e", "(if_else a b (if_else c d e))" },
    { "if a or b then c else d or e", "(if_else (or a b) c (or d e))" },
    { "(a + b) * c", "(multiply (group (add a b)) c)" },
    { "f()", "(call f)" },
    { "f(a, k = 1,)", "(call f (argument - a) (argument k 1))" },
    { "x[1:, :, k, :-2, *, a:b]", "(subscript x (range 1 -) (range - -) k (range - (negate 2)) (all) (range a b))" },
    { "[]", "(list)" },
    { "[1, [2], true,]", "(list 1 (list 2) true)" },
    { "[i * 2 for i in 0..n if i != 1]", "(build (multiply i 2) i 0 n (ne i 1))" },
    { "[i for i in a..b]", "(build i i a b -)" },
    { "enc.*.W.**", "(member_deep (member (member_star enc) W))" },
    { "\"\"", "(string)" },
    { "\"a{b + \"c{1}\"}d\"", "(string \"a\" (add b (string \"c\" 1)) \"d\")" },
    { "\"\\{\\\"\\n\"", "(string \"{\"\n\")" },
    { "state + data", "(add state data)" },
    { "train.h[1].W.m", "(member (member (subscript (member train h) 1) W) m)" },
    { "f(every = 1)", "(call f (argument every 1))" },
    { "\n\na\n+ 0 # c\n", NULL },
    { "a\n\n# c", "a" },
    { "", NULL },
    { "a b", NULL },
};

static const vg_tree_row file_rows[] = {
    { "", "(block)" },
    { "# only a comment", "(block)" },
    { "use \"a.nn\" (depth = 8)", "(block (use (string \"a.nn\") (argument depth 8)))" },
    { "const a = 1; data d = digits()", "(block (const a 1) (data d (call digits)))" },
    { "input x: [batch, 3] = d.x\ninput y: int[batch]",
      "(block (input x (list batch 3) (member d x)) (input y (subscript int batch) -))" },
    { "var W: [a, b] ~ init\nstate s: shape(W) = 0\nupdate s = s + 1",
      "(block (var W (list a b) (draw init)) (state s (call shape (argument - W)) (value 0)) (update s (add s 1)))" },
    { "h[i, 1] = x", "(block (bind h i 1 x))" },
    { "def f(a, b = 1) = a", "(block (def f (parameter a - -) (parameter b 1 -) a))" },
    { "layer f(x: [n, ..., 3], s: [], i: int[k]) {\n return x }",
      "(block (layer f (parameter x - (signature - n (ellipsis) 3)) (parameter s - (signature -))"
      " (parameter i - (signature int k)) (block (return x))))" },
    { "optimizer o(rate) for p, g { update p = g }",
      "(block (optimizer o (parameter rate - -) p g (block (update p g))))" },
    { "initializer i() for shape { return 0 }", "(block (initializer i shape (block (return 0))))" },
    { "for i in 1..n { a[i] = i\n}", "(block (for i 1 n (block (bind a i i))))" },
    { "if a { b = 1 }\nelse if c { b = 2 }\n# c\nelse { b = 3 }",
      "(block (if a (block (bind b 1)) (if c (block (bind b 2)) (block (bind b 3)))))" },
    { "train loss { batch = 1; optimizer = sgd()\n every = 2 }",
      "(block (train loss (setting batch 1) (setting optimizer (call sgd)) (setting every 2)))" },
    { "summary scalar a, b as \"t\" every 10\nexpect a > 0, \"m\" every 2",
      "(block (summary scalar a b (string \"t\") 10) (expect (gt a 0) (string \"m\") 2))" },
};

static void check_tree(vg_parse parse, const vg_tree_row *row) {
    vg_fixture f;
    start(&f);
    const vg_tree_id root = parse(&f.tree, &f.diags, add_text(&f, row->text));
    vg_text text = vg_text_new(&f.mem);
    if (root) {
        vg_tree_text(&f.tree, &f.strings, root, &text);
    }
    if (row->tree) {
        assert_int_equal(f.diags.list.count, 0);
        assert_string_equal(vg_text_c(&text), row->tree);
    } else {
        assert_int_equal(root, 0);
        assert_int_equal(f.diags.list.count, 1);
    }
    vg_mem_release(&f.mem);
}

static void test_trees(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof expression_rows / sizeof *expression_rows; k++) {
        check_tree(vg_parse_expression, &expression_rows[k]);
    }
    for (size_t k = 0; k < sizeof file_rows / sizeof *file_rows; k++) {
        check_tree(vg_parse_file, &file_rows[k]);
    }
    check_tree(vg_parse_summary, &(vg_tree_row){ "histogram h[1].W every 10",
                                                 "(summary histogram (member (subscript h 1) W) - 10)" });
}

/* Spans are what a person would underline: `text` with the node of kind `kind` (the first made) between bars. */
typedef struct vg_span_row { vg_kind kind; const char *text; } vg_span_row;

static const vg_span_row span_rows[] = {
    { VG_K_add, "x = |a + b| - c" },
    { VG_K_multiply, "x = a + |b * (c)|  # d" },
    { VG_K_group, "x = 2 * |(a + b)| + c" },
    { VG_K_call, "x = |f(a, b)|[1]" },
    { VG_K_argument, "x = f(|k = 1|, 2)" },
    { VG_K_negate, "x = a + |-b|" },
    { VG_K_member, "x = |h[1].W| + 1" },
    { VG_K_list, "x = |[1,\n 2 ]|" },
    { VG_K_if_else, "x = (|if a then b else c|)" },
    { VG_K_string, "x = |\"a{b}c\"|" },
    { VG_K_name, "|data1| = 3" },
    { VG_K_bind, "|x[1] = 3|\n" },
    { VG_K_layer, "|layer f(x) {\n return x\n}|  \n" },
    { VG_K_setting, "train a { |steps = 3 + 4| }" },
    { VG_K_expect, "|expect a, \"m\" every 3|; b = 1" },
    { VG_K_signature, "def f(x: |[n, d]|) = x" },
    { VG_K_init_draw, "var W: [1] |~ normal(0, 1)|" },
};

static void test_spans(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof span_rows / sizeof *span_rows; k++) {
        char text[128] = "";
        uint32_t bars[2] = { 0, 0 }, seen = 0;
        size_t length = 0;
        for (const char *p = span_rows[k].text; *p; p++) {
            if (*p == '|') {
                bars[seen++] = (uint32_t)length;
            } else {
                text[length++] = *p;
            }
        }
        vg_fixture f;
        start(&f);
        const uint32_t index = add_text(&f, text);
        assert_int_not_equal(vg_parse_file(&f.tree, &f.diags, index), 0);
        assert_int_equal(f.diags.list.count, 0);
        const uint32_t base = f.diags.sources.list.items[index].base;
        vg_tree_id id = 1;
        while (vg_tree_kind(&f.tree, id) != span_rows[k].kind) {
            id++;
        }
        assert_int_equal(vg_tree_span(&f.tree, id).begin, base + bars[0]);
        assert_int_equal(vg_tree_span(&f.tree, id).end, base + bars[1]);
        vg_mem_release(&f.mem);
    }
}

/* ---- mistakes: how many errors, and what is left of the tree */

typedef struct vg_mistake_row { const char *text; uint32_t errors; const char *tree; } vg_mistake_row;

static const vg_mistake_row mistake_rows[] = {
    { "a = = 1\nb = 2\nc = = 3\nd = 4", 2, "(block (error a) (bind b 2) (error c) (bind d 4))" },
    { "layer f(x y) {\n a = 1\n return a\n}\nb = 2", 1, "(block (error f) (bind b 2))" },
    { "layer f(x) {\n a = = 1\n return a\n}", 1, "(block (layer f (parameter x - -) (block (error a) (return a))))" },
    { "if a = b {\n c = 1\n} else {\n c = 2\n}\nd = 3", 1, "(block (error -) (bind d 3))" },
    { "a = f(b,\n c\nd = 3", 1, "(block (error a) (bind d 3))" },
    { "a = f(b,\n c d\n)\ne = 3", 1, "(block (error a) (bind e 3))" },
    { "for i in 1..3 {\n a[i] = )\n}\nb = 1", 1, "(block (for i 1 3 (block (error a))) (bind b 1))" },
    { "{ a = 1 }", 1, NULL },
    { "a = 1 }\nb = 2", 1, "(block (error a) (bind b 2))" },
    { "train l {\n steps 3\n batch = 4\n}", 1, "(block (train l (setting batch 4)))" },
    { "a = \"{b +}\"\nc = 1", 1, "(block (error a) (bind c 1))" },
    { "a = \"x\nc = 1", 1, "(block (error a) (bind c 1))" },
    { "a = 'x'; c = 1", 1, "(block (error a) (bind c 1))" },
    { "if a {", 1, "(block (if a (block) -))" },
    { "a = b && c", 1, "(block (bind a (and b c)))" },
    { "const a = 1 +\nconst b = 2", 1, "(block (error a) (const b 2))" },
};

static void test_mistakes(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof mistake_rows / sizeof *mistake_rows; k++) {
        vg_fixture f;
        start(&f);
        const vg_tree_id root = vg_parse_file(&f.tree, &f.diags, add_text(&f, mistake_rows[k].text));
        if (f.diags.list.count != mistake_rows[k].errors) {
            fail_msg("%u errors, not %u: %s", f.diags.list.count, mistake_rows[k].errors, mistake_rows[k].text);
        }
        if (mistake_rows[k].tree) {
            vg_text text = vg_text_new(&f.mem);
            vg_tree_text(&f.tree, &f.strings, root, &text);
            assert_string_equal(vg_text_c(&text), mistake_rows[k].tree);
        }
        vg_mem_release(&f.mem);
    }
}

/* ---- limits */

/* `before` count times, `middle`, `after` count times. */
static char *repeat(const char *before, const char *middle, const char *after, size_t count) {
    char *text = malloc((strlen(before) + strlen(after)) * count + strlen(middle) + 1);
    char *p = text;
    for (size_t k = 0; k < count; k++) {
        p = stpcpy(p, before);
    }
    p = stpcpy(p, middle);
    for (size_t k = 0; k < count; k++) {
        p = stpcpy(p, after);
    }
    return text;
}

typedef struct vg_limit_row { const char *before, *middle, *after; size_t allowed, refused; } vg_limit_row;

static const vg_limit_row limit_rows[] = {
    { "(", "1", ")", 200, 201 },      { "[", "1", "]", 200, 201 },      { "f(", "1", ")", 200, 100000 },
    { "-", "1", "", 799, 800 },       { "not ", "1", "", 799, 10000 },  { "1 + ", "1", "", 799, 10000 },
    { "2 ^ ", "1", "", 799, 10000 },  { "if a then b else ", "c", "", 500, 10000 },
    { "", "a", ".b", 799, 10000 },    { "", "a", "[1]", 799, 10000 },   { "\"{", "1", "}\"", 8, 9 },
};

static void test_limits(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof limit_rows / sizeof *limit_rows; k++) {
        for (int refused = 0; refused < 2; refused++) {
            const vg_limit_row *row = &limit_rows[k];
            vg_fixture f;
            start(&f);
            char *text = repeat(row->before, row->middle, row->after, refused ? row->refused : row->allowed);
            const vg_tree_id root = vg_parse_expression(&f.tree, &f.diags, add_text(&f, text));
            assert_int_equal(root == 0, refused);
            assert_int_equal(f.diags.list.count, refused);
            assert_true(f.tree.depth.items[root] <= VG_DEPTH_LIMIT);
            free(text);
            vg_mem_release(&f.mem);
        }
    }
}

/* A block within a block counts too, and a statement too deep leaves the others standing. */
static void test_deep_statement(void **state) {
    (void)state;
    vg_fixture f;
    start(&f);
    char *sum = repeat("1 + ", "1", "", 2000);
    char *text = malloc(strlen(sum) + 64);
    sprintf(text, "a = 1\nif c { b = %s\n d = 2 }", sum);
    const vg_tree_id root = vg_parse_file(&f.tree, &f.diags, add_text(&f, text));
    vg_text out = vg_text_new(&f.mem);
    vg_tree_text(&f.tree, &f.strings, root, &out);
    assert_string_equal(vg_text_c(&out), "(block (bind a 1) (if c (block (error b) (bind d 2)) -))");
    assert_int_equal(f.diags.list.count, 1);
    free(sum);
    free(text);
    vg_mem_release(&f.mem);
}

/* ---- the language's sketches */

static void test_sketches(void **state) {
    (void)state;
    DIR *folder = opendir(VG_TESTS "/golden/sketches");
    assert_non_null(folder);
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char path[512], text[1 << 14];
        if (!strstr(entry->d_name, ".nn")) {
            continue;
        }
        snprintf(path, sizeof path, VG_TESTS "/golden/sketches/%s", entry->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        vg_fixture f;
        start(&f);
        assert_int_not_equal(vg_parse_file(&f.tree, &f.diags, add_text(&f, text)), 0);
        assert_int_equal(f.diags.list.count, 0);
        vg_mem_release(&f.mem);
        count++;
    }
    closedir(folder);
    assert_int_equal(count, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_trees),  cmocka_unit_test(test_spans),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_limits), cmocka_unit_test(test_deep_statement),
        cmocka_unit_test(test_sketches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
