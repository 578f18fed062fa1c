/* The layout of models: a table of what becomes of what, and what holds for every text: laid out twice it is the same,
 * its tokens, its tree and its comments are what they were, and white space within lines has no say. Tried on all
 * models, the library, the golden files that parse, and each of them with its white space drawn at random. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "front/format.h"
#include "front/lexer.h"
#include "model.h"
#include "vgraph.h"

typedef struct fixture {
    vg_mem     mem;
    vg_strings strings;
    vg_diags   diags;
    jmp_buf    escape;
} fixture;

static void start(fixture *f) {
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    vg_strings_init(&f->strings, &f->mem);
    vg_diags_init(&f->diags, &f->mem, &f->strings);
}

static uint32_t add_text(fixture *f, const char *text) {
    return vg_sources_add(&f->diags.sources, VG_SOURCE_MODEL, "test.nn", text, strlen(text));
}

/* In memory of its own; NULL when it does not parse. */
static char *laid_out(const char *text) {
    fixture f;
    if (setjmp(f.escape)) fail_msg("an allocation failed");
    start(&f);
    vg_text out = vg_text_new(&f.mem);
    char *copy = vg_format(&f.diags, add_text(&f, text), &out) ? strdup(vg_text_c(&out)) : NULL;
    vg_mem_release(&f.mem);
    return copy;
}

/* ---- the table */

typedef struct row { const char *text, *laid; } row;

static const row rows[] = {
    { "", "" },
    { "\n\n  \n", "" },
    { "# c", "# c\n" },
    { "a=b", "a = b\n" },
    { "a = b ;c=d;;", "a = b\nc = d\n" },
    { "\xef\xbb\xbf" "a\t=\tb\r\n\r\n\r\n\r\nc = d  \r\n", "a = b\n\nc = d\n" },
    /* operators */
    { "a=-b^-c*(d@e)-1/2", "a = -b ^ -c * (d @ e) - 1 / 2\n" },
    { "a = x [ i - 1 : 2 * ( j - 1 ) , : , f(k+1) , [ k+1 ] ]", "a = x[i-1:2*(j-1), :, f(k + 1), [k + 1]]\n" },
    { "a[i + 1] = b", "a[i+1] = b\n" },
    { "a = b.* *c+b.**", "a = b.* * c + b.**\n" },
    { "a = x[b.* * c]", "a = x[b.* *c]\n" },
    { "a = x[b.* - c]", "a = x[b.*-c]\n" },
    { "a = 1 .b", "a = 1 .b\n" },
    { "a = [k*2 for k in 0 .. n - 1 if not(k==2)]", "a = [k * 2 for k in 0..n-1 if not (k == 2)]\n" },
    { "for i in 1 .. n { }", "for i in 1..n {}\n" },
    { "a = if b then - c else f (d) [0]", "a = if b then -c else f(d)[0]\n" },
    { "def f (x : [ n,... ],k=1)=x", "def f(x: [n, ...], k = 1) = x\n" },
    { "input i : int [ 2*n ]", "input i: int[2 * n]\n" },
    { "a = \"x  {  b+c }\"", "a = \"x  {  b+c }\"\n" },
    { "use \"p\"(a=1,)", "use \"p\" (a = 1,)\n" },
    /* blocks */
    { "if a { b = 1; c = 2 } else { d = 3 }", "if a {\n    b = 1\n    c = 2\n} else {\n    d = 3\n}\n" },
    { "if a {\n\n# c\n\n}\n\n# d\n\nelse if b {}", "if a {\n    # c\n}\n\n# d\nelse if b {}\n" },
    { "train a { }", "train a {}\n" },
    { "train a { # c\n}", "train a {                          # c\n}\n" },
    { "a = b\n\n\n\nc = d", "a = b\n\nc = d\n" },
    /* what the writer broke */
    { "a = f(\n\nb,\n# c\nc\n)", "a = f(\n    b,\n    # c\n    c\n)\n" },
    { "a = f(g(\nb))\nc = d", "a = f(g(\n    b))\nc = d\n" },
    { "a = f(\ng(\nb\n)\n)", "a = f(\n    g(\n        b\n    )\n)\n" },
    { "a = b +\nc * # d\n\nf(\ne)", "a = b +\n    c *                            # d\n\n    f(\n        e)\n" },
    { "a = if b\nthen c\nelse d", "a = if b\n    then c\n    else d\n" },
    { "summary scalar a,\nb", "summary scalar a,\n    b\n" },
    /* neighbours */
    { "const a = 1\nconst bcd = 2\n\nconst e = 3", "const a   = 1\nconst bcd = 2\n\nconst e = 3\n" },
    { "const a = 1\n# c\nconst bcd = 2", "const a = 1\n# c\nconst bcd = 2\n" },
    { "a = 1\nconst b = 2\nbcd = 3", "a = 1\nconst b = 2\nbcd = 3\n" },
    { "a = 1\nbcd = f(\n2)\nab = 3", "a = 1\nbcd = f(\n    2)\nab = 3\n" },
    { "a = 1\nbcdefghijklm = 2", "a            = 1\nbcdefghijklm = 2\n" },
    { "a = 1\nbcdefghijklmn = 2", "a = 1\nbcdefghijklmn = 2\n" },
    { "var a: [n] = 1\nstate bcd: [n, m] ~ d", "var   a:   [n]    = 1\nstate bcd: [n, m] ~ d\n" },
    { "input a: [n] = d.a\ninput bc: int[n]\ninput d: [n] = d.d",
      "input a:  [n] = d.a\ninput bc: int[n]\ninput d:  [n] = d.d\n" },
    { "summary scalar a\nsummary histogram b", "summary scalar    a\nsummary histogram b\n" },
    { "train a { steps = 1; eval_every = 2 }", "train a {\n    steps      = 1\n    eval_every = 2\n}\n" },
    { "für = 1\nb = 2 # ü\nc = 3# d", "für = 1\nb   = 2                            # ü\nc   = 3                            # d\n" },
    { "a = 1 # b\n\nc = \"0123456789012345678901234567890\" # d",
      "a = 1                              # b\n\nc = \"0123456789012345678901234567890\"                  # d\n" },
};

static void test_table(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char *laid = laid_out(rows[k].text);
        if (!laid || strcmp(laid, rows[k].laid) != 0)
            fail_msg("row %zu: %s\nexpected:\n%s\ngot:\n%s", k, rows[k].text, rows[k].laid, laid ? laid : "(an error)");
        free(laid);
    }
}

/* A line that is too long is broken at its longest brackets, then behind commas. */
static void test_long_lines(void **state) {
    (void)state;
    static const row long_rows[] = {
        { "a = f(b12345678901234567890, c12345678901234567890, d12345678901234567890, e12345678901234567890, g12345678901234567890)",
          NULL },
        { "a = f(b12345678901234567890, c12345678901234567890, d12345678901234567890, e12345678901234567890, g1234567890123456789) + 1",
          "a = f(\n    b12345678901234567890, c12345678901234567890, d12345678901234567890, e12345678901234567890, g1234567890123456789\n"
          ") + 1\n" },
        { "a = f(b12345678901234567890, c12345678901234567890, d12345678901234567890, e1234567890123456789, g1234567890123456,"
          " h1234567890, i)",
          "a = f(\n    b12345678901234567890, c12345678901234567890, d12345678901234567890, e1234567890123456789, g1234567890123456,\n"
          "    h1234567890, i\n)\n" },
        { "summary scalar b12345678901234567890, c12345678901234567890, d12345678901234567890, e1234567890123456789, g123456789012345",
          "summary scalar b12345678901234567890, c12345678901234567890, d12345678901234567890, e1234567890123456789,\n"
          "    g123456789012345\n" },
        { "a1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890 = f(b) + x[c] + d1",
          NULL },   /* nothing that is worth it */
    };
    for (size_t k = 0; k < sizeof long_rows / sizeof *long_rows; k++) {
        char *laid = laid_out(long_rows[k].text), *same;
        assert_non_null(laid);
        assert_true(asprintf(&same, "%s\n", long_rows[k].text) > 0);
        assert_string_equal(laid, long_rows[k].laid ? long_rows[k].laid : same);
        free(laid);
        free(same);
    }
}

static void test_errors(void **state) {
    (void)state;
    static const char *const texts[] = { "a = ", "a = b c", "x += 1", "if a\n{ }", "a = \"b", "a = (1", "\xff" };
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) assert_null(laid_out(texts[k]));
}

/* ---- what has to hold */

/* Tokens one a line, END left out; comments; and the tree, unless the text is only a part of one. */
static void describe(const char *text, vg_text *tokens, vg_text *comments, vg_text *tree_text, fixture *f) {
    const uint32_t index = add_text(f, text);
    const vg_source source = f->diags.sources.list.items[index];
    vg_lexer lexer;
    vg_lexer_init(&lexer, &f->diags, &source, 0, source.length);
    uint32_t at = source.base;
    for (vg_token token = { .kind = -1 }; token.kind != 0; at = token.span.end) {
        token = vg_lexer_next(&lexer);
        if (token.kind == VG_T_END && token.span.begin == token.span.end) {
            token.span.end = at;
            continue;
        }
        for (const char *p = source.text + (at - source.base); p < source.text + (token.span.begin - source.base); p++) {
            if (*p != '#') continue;
            size_t length = strcspn(p, "\n");
            const char *next = p + length;
            while (length && strchr(" \t\r", p[length - 1])) length--;
            vg_text_format(comments, "%.*s\n", (int)length, p);
            p = next - (*next == '\0');
        }
        if (token.kind != VG_T_END)
            vg_text_format(tokens, "%.*s\n", (int)(token.span.end - token.span.begin), source.text + (token.span.begin - source.base));
    }
    vg_tree tree;
    vg_tree_init(&tree, &f->mem);
    const vg_tree_id root = vg_parse_file(&tree, &f->diags, index);
    assert_true(root && !vg_diags_status(&f->diags));
    vg_tree_text(&tree, &f->strings, root, tree_text);
}

static void assert_same(const char *name, const char *what, vg_text *a, vg_text *b, const char *before, const char *after) {
    if (strcmp(vg_text_c(a), vg_text_c(b)) != 0) fail_msg("%s: other %s\nbefore:\n%s\nafter:\n%s", name, what, before, after);
}

static void assert_kept(const char *name, const char *before, const char *after) {
    fixture f;
    if (setjmp(f.escape)) fail_msg("an allocation failed");
    start(&f);
    vg_text texts[2][3];
    for (size_t k = 0; k < 6; k++) texts[k / 3][k % 3] = vg_text_new(&f.mem);
    describe(before, &texts[0][0], &texts[0][1], &texts[0][2], &f);
    describe(after, &texts[1][0], &texts[1][1], &texts[1][2], &f);
    assert_same(name, "tokens", &texts[0][0], &texts[1][0], before, after);
    assert_same(name, "comments", &texts[0][1], &texts[1][1], before, after);
    assert_same(name, "tree", &texts[0][2], &texts[1][2], before, after);
    vg_mem_release(&f.mem);
}

static void assert_tidy(const char *name, const char *laid) {
    for (const char *p = laid; *p; p++) {
        if (*p == '\n' && p > laid && strchr(" \t\r", p[-1])) fail_msg("%s: white space ends a line\n%s", name, laid);
        if (strncmp(p, "\n\n\n", 3) == 0) fail_msg("%s: two empty lines\n%s", name, laid);
    }
    assert_true(!*laid || laid[0] != '\n');
}

/* The layout of `text`, after what has to hold was checked; NULL when it does not parse. To be freed. */
static char *check(const char *name, const char *text) {
    char *once = laid_out(text);
    if (!once) return NULL;
    char *twice = laid_out(once);
    if (!twice || strcmp(once, twice) != 0)
        fail_msg("%s: laid out twice\nfirst:\n%s\nthen:\n%s", name, once, twice ? twice : "(an error)");
    assert_kept(name, text, once);
    assert_tidy(name, once);
    free(twice);
    return once;
}

/* ---- white space at random */

typedef struct noise { uint64_t state; bool lines; uint32_t number; } noise;

static uint32_t draw(noise *n, uint32_t below) {
    n->state = n->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(n->state >> 33) % below;
}

static void add_spaces(noise *n, vg_text *out, uint32_t least) {
    for (uint32_t k = least + draw(n, 3); k > 0; k--) vg_text_add(out, draw(n, 4) ? " " : "\t", 1);
}

static void add_newlines(noise *n, vg_text *out) {
    for (uint32_t k = 1 + draw(n, 3); k > 0; k--) {
        add_spaces(n, out, 0);
        if (draw(n, 4) == 0) vg_text_format(out, "# note %u ", n->number++);
        vg_text_format(out, draw(n, 6) ? "\n" : "\r\n");
    }
}

static bool joins(int kind) {
    return kind == VG_T_PLUS || kind == VG_T_MATMUL || kind == VG_T_ASSIGN || kind == VG_T_COMMA || kind == VG_T_AND ||
           kind == VG_T_EQ || kind == VG_T_LBRACE;
}

/* The gap before `token`, which was `gap` bytes at `text`. */
static void add_gap(noise *n, const vg_lexer *lexer, int before, vg_token token, const char *text, uint32_t gap, vg_text *out) {
    const bool broken = memchr(text, '\n', gap) != NULL;
    if (!n->lines) {
        if (broken) vg_text_add(out, text, gap);
        add_spaces(n, out, gap > 0 && !broken);
        return;
    }
    const uint32_t open = lexer->bracket_count - (token.kind == VG_T_LPAREN || token.kind == VG_T_LBRACKET);
    const bool inside = open > 0 && lexer->brackets[open - 1].kind != '{';
    const bool closing = token.kind == VG_T_RPAREN || token.kind == VG_T_RBRACKET;
    add_spaces(n, out, gap > 0 && !broken);
    if (broken || ((inside || closing || joins(before)) && draw(n, 5) == 0)) add_newlines(n, out);
    add_spaces(n, out, 0);
}

/* The same tokens; with `lines`, line breaks and comments where there may be some, too. */
static char *scattered(const char *text, uint64_t seed, bool lines) {
    fixture f;
    if (setjmp(f.escape)) fail_msg("an allocation failed");
    start(&f);
    noise n = { seed * 2654435761u + 1, lines, 0 };
    const uint32_t index = add_text(&f, text);
    const vg_source source = f.diags.sources.list.items[index];
    vg_text out = vg_text_new(&f.mem);
    vg_lexer lexer;
    vg_lexer_init(&lexer, &f.diags, &source, 0, source.length);
    uint32_t at = (uint32_t)(lexer.cursor - source.text);
    for (vg_token token = { .kind = VG_T_END };;) {
        const int before = token.kind;
        token = vg_lexer_next(&lexer);
        if (token.kind == VG_T_END && token.span.begin == token.span.end) {
            if (lines) vg_text_format(&out, draw(&n, 3) ? " # end\n" : draw(&n, 2) ? ";" : "\n");
            continue;
        }
        const uint32_t begin = token.span.begin - source.base;
        add_gap(&n, &lexer, before, token, source.text + at, begin - at, &out);
        if (token.kind == 0) break;
        at = token.span.end - source.base;
        vg_text_add(&out, source.text + begin, at - begin);
    }
    char *copy = strdup(vg_text_c(&out));
    vg_mem_release(&f.mem);
    return copy;
}

/* ---- all files */

enum { SCATTERED = 12 };
typedef struct tally { uint32_t parsed, refused; } tally;

static void check_text(const char *name, const char *text, tally *t) {
    char *laid = check(name, text);
    t->parsed += laid != NULL;
    t->refused += laid == NULL;
    for (uint64_t seed = 1; laid && seed <= SCATTERED; seed++) {
        char *spaced = scattered(text, seed, false), *again = check(name, spaced);
        if (!again || strcmp(again, laid) != 0)
            fail_msg("%s: spaces have a say\nof:\n%s\nexpected:\n%s\ngot:\n%s", name, spaced, laid, again ? again : "(an error)");
        char *broken = scattered(text, seed, true), *other = check(name, broken);
        if (!other) fail_msg("%s: scattered, it does not parse:\n%s", name, broken);
        free(spaced), free(again), free(broken), free(other);
    }
    free(laid);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot read %s", path);
    char *text = calloc(1 << 20, 1);
    const size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    if (strlen(text) == length) return text;   /* no zero byte in it */
    free(text);
    return NULL;
}

static void each_model(const char *folder, void (*act)(const char *path, const char *text, void *user), void *user) {
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry; (entry = readdir(entries));) {
        const size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 3, ".nn") != 0) continue;
        char *path;
        assert_true(asprintf(&path, "%s/%s", folder, entry->d_name) > 0);
        char *text = read_file(path);
        if (text) act(path, text, user);
        free(text);
        free(path);
    }
    closedir(entries);
}

static void check_file(const char *path, const char *text, void *user) { check_text(path, text, user); }

static void test_files(void **state) {
    (void)state;
    static const char *const folders[] = {
        VG_ROOT "/models", VG_ROOT "/grammar/std", VG_TESTS "/golden/sketches", VG_TESTS "/golden/errors", VG_TESTS "/bench",
        VG_TESTS "/fuzz/corpus",
    };
    tally t = { 0, 0 };
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) each_model(folders[k], check_file, &t);
    print_message("%u files laid out, %u that do not parse\n", t.parsed, t.refused);
    assert_true(t.parsed >= 100 && t.refused >= 10);
}

/* ---- the graph: what a model computes is what it computed */

static bool add_graph(void *user, const char *bytes, size_t length) {
    vg_text *out = user;
    for (size_t k = 0; k < length; k++) {
        if (bytes[k] == '#')   /* places */
            while (k < length && bytes[k] != '\n') k++;
        if (k < length && bytes[k] != ' ') vg_text_add(out, bytes + k, 1);   /* tags are as they are written */
    }
    return true;
}

static void read_graph(const char *path, const char *text, vg_text *out) {
    vg_model *model = vg_model_new();
    if (vg_model_load_text(model, path, text, strlen(text)) == VG_OK)
        assert_int_equal(vg_model_graph(model, VG_STAGE_FORWARD, VG_GRAPH_TEXT, add_graph, out), VG_OK);
    vg_model_free(model);
}

static void check_graph(const char *path, const char *text, void *user) {
    uint32_t *count = user;
    fixture f;
    if (setjmp(f.escape)) fail_msg("an allocation failed");
    start(&f);
    vg_text a = vg_text_new(&f.mem), b = vg_text_new(&f.mem);
    char *broken = scattered(text, 7, true), *laid = laid_out(broken);
    assert_non_null(laid);
    read_graph(path, text, &a);
    read_graph(path, laid, &b);
    if (strcmp(vg_text_c(&a), vg_text_c(&b)) != 0) fail_msg("%s: another graph from\n%s\n%s\n%s", path, laid, a.text, b.text);
    *count += a.length > 0;
    free(broken), free(laid);
    vg_mem_release(&f.mem);
}

static void test_graphs(void **state) {
    (void)state;
    uint32_t count = 0;
    each_model(VG_ROOT "/models", check_graph, &count);
    assert_true(count >= 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table), cmocka_unit_test(test_long_lines), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_files), cmocka_unit_test(test_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
