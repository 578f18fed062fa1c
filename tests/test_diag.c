/* Diagnostics: where texts lie, what is collected, how it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "diag/escape.h"
#include "diag/render.h"
#include "diag/suggest.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

typedef struct fixture {
    vg_mem     mem;
    jmp_buf    escape;
    vg_strings strings;
    vg_diags   diags;
    uint32_t   model, library;   /* where the two texts begin */
} fixture;

static const char model_text[] =
    "x = 1\n"
    "for i in 1..3 {\n"
    "\th[i] = dnse(h[i-1], \"\xc3\xa4\xe6\xbc\xa2\xff\", act)\n"
    "}\n"
    "loss = mse(x, y)\r\n"
    "last\n";
static const char library_text[] = "def square(x) = x * x\ndef mse(a, b) = mean(square(a - b))\n";

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    vg_mem_init(&f->mem);
    f->mem.escape = &f->escape;
    if (setjmp(f->escape)) {
        return 1;
    }
    vg_strings_init(&f->strings, &f->mem);
    vg_diags_init(&f->diags, &f->mem, &f->strings);
    vg_sources *sources = &f->diags.sources;
    uint32_t model = vg_sources_add(sources, VG_SOURCE_MODEL, "models/a.nn", model_text, sizeof model_text - 1);
    uint32_t library =
        vg_sources_add(sources, VG_SOURCE_LIBRARY, "std/losses.nn", library_text, sizeof library_text - 1);
    f->model = sources->list.items[model].base;
    f->library = sources->list.items[library].base;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    vg_mem_release(&f->mem);
    free(f);
    return 0;
}

/* The span of `piece` in one of the two texts. */
static vg_span in_model(const fixture *f, const char *piece) {
    uint32_t begin = f->model + (uint32_t)(strstr(model_text, piece) - model_text);
    return (vg_span){ begin, begin + (uint32_t)strlen(piece) };
}
static vg_span in_library(const fixture *f, const char *piece) {
    uint32_t begin = f->library + (uint32_t)(strstr(library_text, piece) - library_text);
    return (vg_span){ begin, begin + (uint32_t)strlen(piece) };
}
static const vg_span nowhere = { 0, 0 };

static vg_call call_of(fixture *f, vg_call parent, vg_call_kind kind, vg_span span, const char *name, int64_t index) {
    return vg_diags_call(&f->diags, parent, kind, span, vg_strings_c(&f->strings, name), index);
}

static void assert_rendered(fixture *f, const char *wanted) {
    vg_text out = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, false, &out);
    assert_string_equal(vg_text_c(&out), wanted);
}

/* ---- sources and messages */

static void test_positions(void **state) {
    const fixture *f = *state;
    const struct { uint32_t offset, line, column; } rows[] = {
        { f->model, 1, 1 }, { f->model + 5, 1, 6 }, { f->model + 6, 2, 1 }, { in_model(f, "dnse").begin, 3, 9 },
        { in_model(f, ", act").begin, 3, 27 },                             /* characters, not bytes */
        { f->model + sizeof model_text - 1, 7, 1 },                        /* the end belongs to the text */
        { f->library, 1, 1 }, { in_library(f, "mse").begin, 2, 5 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_position position = vg_sources_position(&f->diags.sources, rows[i].offset);
        assert_string_equal(position.source->name, rows[i].offset < f->library ? "models/a.nn" : "std/losses.nn");
        assert_int_equal(position.line, rows[i].line);
        assert_int_equal(position.column, rows[i].column);
    }
    assert_null(vg_sources_at(&f->diags.sources, 0));
    assert_null(vg_sources_at(&f->diags.sources, f->library + sizeof library_text));
    assert_int_equal(vg_sources_position(&f->diags.sources, 0).line, 0);
}

static void test_sources_are_bounded(void **state) {
    fixture *f = *state;
    assert_int_equal(vg_sources_add(&f->diags.sources, VG_SOURCE_MODEL, "huge", "", (size_t)1 << 31), 0);
    assert_int_equal(vg_sources_add(&f->diags.sources, VG_SOURCE_MODEL, "small", "a", 1), 3);
}

/* Every text takes the arguments that its row says, and begins small, without a full stop. */
static void test_rows(void **state) {
    (void)state;
    for (uint32_t code = 1; code < VG_CODE_COUNT; code++) {
        const vg_code_row *row = &vg_code_rows[code];
        uint32_t used = 0;
        for (const char *p = row->text; *p; p++) {
            if (p[0] == '{' && p[1] >= '0' && p[1] <= '9' && p[2] == '}') {
                used |= 1u << (p[1] - '0');
            }
        }
        if (used != (1u << row->arguments) - 1) {
            fail_msg("%s: the text takes other arguments than the row says", row->name);
        }
        if ((row->text[0] >= 'A' && row->text[0] <= 'Z' && !(row->text[1] >= 'A' && row->text[1] <= 'Z'))
            || row->text[strlen(row->text) - 1] == '.') {
            fail_msg("%s: starts with a capital or ends with a full stop", row->name);
        }
    }
}

static void test_status(void **state) {
    fixture *f = *state;
    assert_int_equal(vg_diags_status(&f->diags), 0);
    vg_report0(&f->diags, memory_failed, nowhere, 0);
    assert_int_equal(vg_diags_status(&f->diags), VG_CLASS_RESOURCE);
    for (uint32_t code = 1; code < VG_CODE_COUNT; code++) {
        if (vg_code_rows[code].class == VG_CLASS_MODEL) {
            vg_diag model_error = { .code = (vg_code)code, .text = "" };
            vg_vec_push(&f->mem, &f->diags.list, model_error);
        }
    }
    assert_int_equal(vg_diags_status(&f->diags), VG_CLASS_MODEL);
}

/* The strongest class decides: a wrong model before a wrong option, those before what failed, that before numbers. */
static void test_status_order(void **state) {
    fixture *f = *state;
    static const vg_class rising[] = { VG_CLASS_EXPECT, VG_CLASS_NUMBERS, VG_CLASS_RESOURCE, VG_CLASS_USAGE,
                                       VG_CLASS_MODEL };
    for (size_t k = 0; k < COUNT(rising); k++) {
        uint32_t code = 1;
        while (code < VG_CODE_COUNT && vg_code_rows[code].class != rising[k]) {
            code++;
        }
        if (code == VG_CODE_COUNT) {
            continue;   /* no message of this class */
        }
        vg_diag diag = { .code = (vg_code)code, .text = "" };
        vg_vec_push(&f->mem, &f->diags.list, diag);
        assert_int_equal(vg_diags_status(&f->diags), rising[k]);
        vg_diag weaker = f->diags.list.items[0];
        vg_vec_push(&f->mem, &f->diags.list, weaker);
        assert_int_equal(vg_diags_status(&f->diags), rising[k]);
    }
}

/* ---- collecting */

static void test_notes_need_a_diagnostic(void **state) {
    fixture *f = *state;
    vg_diags_note(&f->diags, nowhere, "of nothing");
    assert_int_equal(f->diags.notes.count, 0);
}

static void test_one_mistake_is_one_error(void **state) {
    fixture *f = *state;
    vg_span dnse = in_model(f, "dnse");
    for (int64_t i = 1; i <= 3; i++) {   /* the turns of a loop */
        vg_call loop = call_of(f, 0, VG_CALL_LOOP, in_model(f, "for"), "i", i);
        vg_report(&f->diags, data_failed, dnse, loop, "d", "is gone");
        vg_diags_note(&f->diags, nowhere, "note %d", (int)i);
    }
    vg_report0(&f->diags, memory_failed, dnse, 0);             /* another message at the same place */
    for (int i = 0; i < 2; i++) {
        vg_report(&f->diags, data_failed, nowhere, 0, "d", "is gone");   /* without a place the text tells */
        vg_report(&f->diags, data_failed, nowhere, 0, "e", "is gone");
    }
    assert_int_equal(f->diags.list.count, 4);
    assert_int_equal(f->diags.notes.count, 1);
    assert_string_equal(f->diags.notes.items[0].text, "note 1");
}

static void test_library_calls_are_told_apart(void **state) {
    fixture *f = *state;
    vg_span calls[] = { in_model(f, "dnse"), in_model(f, "mse(x, y)"), in_model(f, "mse(x, y)") };
    for (size_t i = 0; i < COUNT(calls); i++) {
        vg_call call = call_of(f, 0, VG_CALL_FUNCTION, calls[i], "mse", 0);
        vg_report(&f->diags, data_failed, in_library(f, "a - b"), call, "d", "is gone");
    }
    assert_int_equal(f->diags.list.count, 2);
}

/* What breaks on a model's mistake further down in the library is no other mistake; what fails while running is. */
static void test_library_calls_break_once(void **state) {
    fixture *f = *state;
    for (unsigned i = 0; i < 2; i++) {
        vg_call mse = call_of(f, 0, VG_CALL_FUNCTION, in_model(f, i ? "dnse" : "mse(x, y)"), "mse", 0);
        vg_call square = call_of(f, mse, VG_CALL_FUNCTION, in_library(f, "square(a - b)"), "square", 0);
        vg_report0(&f->diags, list_empty, in_library(f, "x * x"), square);
        vg_diags_note(&f->diags, nowhere, "noted");
        vg_report0(&f->diags, unused_value, in_library(f, "a - b"), mse);
        vg_diags_note(&f->diags, nowhere, "not noted");
        vg_report0(&f->diags, memory_failed, in_library(f, "a - b"), mse);
        vg_report0(&f->diags, unused_value, in_model(f, "last"), mse);      /* the user's own text within the call */
    }
    assert_int_equal(f->diags.list.count, 5);
    assert_int_equal(f->diags.notes.count, 2);
    for (unsigned k = 0; k < 5; k++) {
        static const vg_code codes[] = { VG_D_list_empty, VG_D_memory_failed, VG_D_unused_value, VG_D_list_empty,
                                         VG_D_memory_failed };
        assert_int_equal(f->diags.list.items[k].code, codes[k]);
    }
}

/* ---- rendering */

static void test_render_in_a_loop(void **state) {
    fixture *f = *state;
    vg_call i = call_of(f, 0, VG_CALL_LOOP, in_model(f, "for"), "i", 3);
    vg_call j = call_of(f, i, VG_CALL_LOOP, in_model(f, "for"), "j", -4);
    vg_report(&f->diags, data_failed, in_model(f, "dnse"), j, "d", "is gone");
    vg_diags_note(&f->diags, nowhere, "did you mean '%s'?", "dense");
    vg_diags_note(&f->diags, in_model(f, "x = 1"), "first seen here");
    assert_rendered(f,
        "models/a.nn:3:9: error: data 'd': is gone [data-failed]\n"
        "   3 |     h[i] = dnse(h[i-1], \"\xc3\xa4\xe6\xbc\xa2\\xff\", act)\n"
        "     |            ^~~~\n"
        "  did you mean 'dense'?\n"
        "  models/a.nn:1:1: note: first seen here\n"
        "   1 | x = 1\n"
        "     | ^~~~~\n"
        "  in the loop, i = 3, j = -4\n");
}

static void test_render_in_the_library(void **state) {
    fixture *f = *state;
    vg_call loop = call_of(f, 0, VG_CALL_LOOP, in_model(f, "for"), "i", 2);
    vg_call mse = call_of(f, loop, VG_CALL_FUNCTION, in_model(f, "mse(x, y)"), "mse", 0);
    vg_call square = call_of(f, mse, VG_CALL_FUNCTION, in_library(f, "square(a - b)"), "square", 0);
    vg_report0(&f->diags, memory_failed, in_library(f, "x * x"), square);
    assert_rendered(f,
        "models/a.nn:5:8: error: there is not enough memory [memory-failed]\n"
        "   5 | loss = mse(x, y)\n"
        "     |        ^~~~~~~~~\n"
        "  in the library: std/losses.nn:1:17\n"
        "   1 | def square(x) = x * x\n"
        "     |                 ^~~~~\n"
        "  in square(...) called at std/losses.nn:2:22\n"
        "  in mse(...) called at models/a.nn:5:8, i = 2\n");
}

static void test_render_deep_calls(void **state) {
    fixture *f = *state;
    vg_call call = 0;
    for (int k = 0; k < 14; k++) {
        call = call_of(f, call, VG_CALL_FUNCTION, in_model(f, "dnse"), "f", 0);
    }
    vg_report0(&f->diags, memory_failed, in_model(f, "x = 1"), call);
    vg_text out = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, false, &out);
    unsigned shown = 0;
    for (const char *at = vg_text_c(&out); (at = strstr(at, "  in f(...) called at models/a.nn:3:9\n")); at++) {
        shown++;
    }
    assert_int_equal(shown, 12);
    assert_string_equal(out.text + out.length - strlen("  in further calls\n"), "  in further calls\n");
}

/* What the library was not called from is shown where it is. */
static void test_render_the_library_itself(void **state) {
    fixture *f = *state;
    vg_call loop = call_of(f, 0, VG_CALL_LOOP, in_model(f, "for"), "i", 1);
    vg_report0(&f->diags, memory_failed, in_library(f, "x * x"), loop);
    assert_rendered(f,
        "std/losses.nn:1:17: error: there is not enough memory [memory-failed]\n"
        "   1 | def square(x) = x * x\n"
        "     |                 ^~~~~\n"
        "  in the loop, i = 1\n");
}

static void test_render_columns(void **state) {
    fixture *f = *state;
    vg_report0(&f->diags, memory_failed, in_model(f, "act"), 0);    /* behind a wide character and an escaped byte */
    vg_report0(&f->diags, memory_failed, in_model(f, "y)\r\nlast"), 0);   /* of several lines the first */
    vg_span end = { f->model + sizeof model_text - 1, f->model + sizeof model_text - 1 };
    vg_report0(&f->diags, memory_failed, end, 0);
    assert_rendered(f,
        "models/a.nn:3:29: error: there is not enough memory [memory-failed]\n"
        "   3 |     h[i] = dnse(h[i-1], \"\xc3\xa4\xe6\xbc\xa2\\xff\", act)\n"
        "     |                                    ^~~\n"
        "models/a.nn:5:15: error: there is not enough memory [memory-failed]\n"
        "   5 | loss = mse(x, y)\n"
        "     |               ^~\n"
        "models/a.nn:7:1: error: there is not enough memory [memory-failed]\n"
        "   7 |\n"
        "     | ^\n");
}

static void test_render_order_and_limit(void **state) {
    fixture *f = *state;
    static const char *const numbers[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11",
                                           "12", "13", "14", "15", "16", "17", "18", "19" };
    vg_report(&f->diags, data_failed, nowhere, 0, "last", "is gone");
    for (size_t i = COUNT(numbers); i-- > 0; ) {
        vg_span span = { f->model + (uint32_t)i, f->model + (uint32_t)i + 1 };
        vg_report(&f->diags, data_failed, span, 0, numbers[i], "is gone");
    }
    vg_text out = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, false, &out);
    const char *at = out.text;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        char wanted[32] = "data '";
        strcat(strcat(wanted, numbers[i]), "'");
        at = strstr(at, wanted);
        assert_non_null(at);
    }
    assert_null(strstr(out.text, "'last'"));
    vg_report(&f->diags, data_failed, nowhere, 0, "one more", "is gone");
    vg_text more = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, false, &more);
    assert_string_equal(more.text + more.length - strlen("and 2 more errors\n"), "and 2 more errors\n");
    assert_string_equal(out.text + out.length - strlen("and 1 more error\n"), "and 1 more error\n");
    vg_text one = vg_text_new(&f->mem);
    vg_render_one(&f->diags, 0, false, &one);
    assert_string_equal(one.text, "vgraph: error: data 'last': is gone [data-failed]\n");
}

static void test_render_long_line(void **state) {
    fixture *f = *state;
    char line[4000];
    memset(line, 'a', sizeof line);
    memcpy(line + 2000, "HERE", 4);
    uint32_t index = vg_sources_add(&f->diags.sources, VG_SOURCE_MODEL, "long.nn", line, sizeof line);
    uint32_t base = f->diags.sources.list.items[index].base;
    vg_report0(&f->diags, memory_failed, ((vg_span){ base + 2000, base + 2004 }), 0);
    vg_text out = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, false, &out);
    const char *shown = strchr(out.text, '\n') + 1, *caret = strchr(shown, '\n') + 1;
    assert_true(caret - shown < 180);
    assert_non_null(strstr(shown, "| ...aaa"));
    assert_non_null(strstr(shown, "aaa...\n"));
    assert_ptr_equal(shown + (strchr(caret, '^') - caret), strstr(shown, "HERE"));
    assert_non_null(strstr(caret, " ^~~~\n"));
}

static void test_render_colour(void **state) {
    fixture *f = *state;
    vg_report0(&f->diags, memory_failed, in_model(f, "x"), 0);
    vg_text out = vg_text_new(&f->mem);
    vg_render(&f->diags, 0, true, &out);
    assert_string_equal(out.text,
        "\033[1mmodels/a.nn:1:1: \033[0m\033[1;31merror: \033[0mthere is not enough memory [memory-failed]\n"
        "   1 | x = 1\n"
        "     | \033[1;32m^\033[0m\n");
}

static void test_nothing_is_shown_raw(void **state) {
    fixture *f = *state;
    vg_report(&f->diags, data_failed, nowhere, 0, "\033[31m\xff\xc0\xaf", "two\nlines {0}");
    vg_diags_note(&f->diags, nowhere, "%s", "\xe2\x80\xae" "back\xed\xa0\x80\tA\xcc\x81");
    assert_rendered(f,
        "vgraph: error: data '\\x1b[31m\\xff\\xc0\\xaf': two\\nlines {0} [data-failed]\n"
        "  \\u202eback\\xed\\xa0\\x80\\tA\xcc\x81\n");
    char *longest = vg_mem_alloc(&f->mem, 100001);
    memset(longest, 'x', 100000);
    vg_report(&f->diags, data_failed, nowhere, 0, longest, "too long");
    assert_true(strlen(f->diags.list.items[1].text) < 500);
}

static void test_glyphs(void **state) {
    (void)state;
    static const struct { const char *text; uint32_t bytes, width; } rows[] = {
        { "a", 1, 1 }, { "\xc3\xa4", 2, 1 }, { "\xe6\xbc\xa2", 3, 2 }, { "\xf0\x9f\x98\x80", 4, 2 },
        { "\xcc\x81", 2, 0 }, { "\r", 1, 2 }, { "\xe6\x41\xa2", 1, 4 },
        { "\xf4\x90\x80\x80", 1, 4 }, { "\xe6\xbc", 1, 4 }, { "\xc2\x85", 2, 6 }, { "\x7f", 1, 4 }, { "\x80", 1, 4 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_glyph glyph = vg_glyph_at(rows[i].text, strlen(rows[i].text));
        assert_int_equal(glyph.bytes, rows[i].bytes);
        assert_int_equal(glyph.width, rows[i].width);
    }
}

/* ---- did you mean */

#define LONG "a_name_of_more_than_sixty_three_letters_is_not_guessed_at_by_anyone"

static void test_suggest(void **state) {
    (void)state;
    static const struct { const char *wanted, *candidates[4], *best; } rows[] = {
        { "dnse", { "dense", "conv", "gelu" }, "dense" }, { "reul", { "gelu", "relu", "selu" }, "relu" },
        { "ReLU", { "gelu", "relu" }, "relu" },
        { "batch_nrom", { "batch_norm", "layer_norm" }, "batch_norm" },
        { "x", { "y", "xy" }, NULL },                     { "X", { "y", "x" }, "x" },
        { "softmax", { "log_softmax", "relu" }, NULL },   { "sigmod", { "sigmoid", "mod" }, "sigmoid" },
        { "dense", { "dense" }, NULL },                   { "", { "a", "" }, NULL },
        { "hiden", { "hidden", "hider" }, "hidden" },     { "abcdef", { "badcfe", "abdcfe" }, "abdcfe" },
        { LONG "a", { LONG "b" }, NULL },                 { "ab", { LONG }, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        vg_suggest suggest;
        vg_suggest_start(&suggest, rows[i].wanted);
        for (size_t k = 0; k < 4 && rows[i].candidates[k]; k++) {
            vg_suggest_offer(&suggest, rows[i].candidates[k]);
        }
        const char *best = vg_suggest_best(&suggest);
        assert_string_equal(best ? best : "(none)", rows[i].best ? rows[i].best : "(none)");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_positions), TEST(test_sources_are_bounded), TEST(test_rows), TEST(test_status),
        TEST(test_status_order), TEST(test_notes_need_a_diagnostic),
        TEST(test_one_mistake_is_one_error), TEST(test_library_calls_are_told_apart),
        TEST(test_library_calls_break_once), TEST(test_render_in_a_loop),
        TEST(test_render_in_the_library), TEST(test_render_deep_calls), TEST(test_render_the_library_itself),
        TEST(test_render_columns), TEST(test_render_order_and_limit),
        TEST(test_render_long_line), TEST(test_render_colour), TEST(test_nothing_is_shown_raw), TEST(test_glyphs),
        TEST(test_suggest),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
