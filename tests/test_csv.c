/* Tables: what is read of good files, every kind of bad one, and what scale makes of the numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/csv.h"
#include "data_fixture.h"
#include "memory_fixture.h"

enum { FILE_NAME, TARGET, HEADER, SEPARATOR, MISSING, SKIP };

/* The source with what `options` say: "target=y missing=mean scale=unit header=no skip=a,b separator=;". */
static vg_dataset table(fixture *f, const char *options) {
    vg_dataset set = { .mem = &f->mem, .source = row_of("csv"), .folder = f->folder, .test = -1 };
    set.arguments[FILE_NAME] = (vg_argument){ .text = "t.csv", .given = true };
    char *text = vg_mem_alloc(&f->mem, strlen(options) + 1), *rest;
    memcpy(text, options, strlen(options));
    for (char *option = strtok_r(text, " ", &rest); option; option = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(option, '=') + 1;
        if (strncmp(option, "scale=", 6) == 0) {
            set.scale = value;
        } else if (strncmp(option, "test=", 5) == 0) {
            set.test = atof(value);
        } else if (strncmp(option, "room=", 5) == 0) {
            set.room = (uint64_t)atoi(value);
        } else {
            uint32_t k = 0;
            while (strncmp(set.source->parameters[k].name, option, (size_t)(value - option) - 1) != 0) {
                k++;
                assert_true(k < set.source->parameter_count);
            }
            set.arguments[k] = (vg_argument){ .text = value, .number = strcmp(value, "no") != 0, .given = true };
        }
    }
    return set;
}

static bool loads(fixture *f, vg_dataset *set, const char *bytes, size_t length) {
    write_file(f, "t.csv", bytes, length);
    return vg_dataset_describe(set, &f->error) && vg_dataset_load(set, &f->error);
}

static uint32_t find(const vg_dataset *set, const char *name) {
    for (uint32_t k = 0; k < set->column_count; k++) {
        if (strcmp(set->columns[k].name, name) == 0) {
            return k;
        }
    }
    fail_msg("there is no column %s", name);
    return 0;
}

/* "name=1 2 3" with every example's numbers, and " {words}" of a column of them. */
static void show(fixture *f, const vg_dataset *set, uint32_t k, vg_text *out) {
    const vg_column *column = &set->columns[k];
    char number[32];
    vg_text_format(out, "%s%s%s=", out->length ? "; " : "", column->name, column->dtype == VG_I32 ? ":i" : "");
    if (column->refused) {
        vg_text_format(out, "refused");
        return;
    }
    size_t elements = column->rank ? column->shape[0] : 1;
    for (uint32_t i = 0; i < set->count; i++) {
        double *values = vg_mem_alloc(&f->mem, elements * sizeof *values);
        vg_dataset_gather(set, k, &i, 1, values, true);
        for (size_t j = 0; j < elements; j++) {
            double value = column->dtype == VG_I32 ? ((int32_t *)(void *)values)[j] : values[j];
            vg_text_format(out, "%s%s", j ? "," : i ? " " : "", vg_number_text(number, value));
        }
    }
    for (uint32_t c = 0; column->texts && c < column->classes; c++) {
        vg_text_format(out, "%s%s%s", c ? "|" : " {", column->texts[c], c + 1 == column->classes ? "}" : "");
    }
}

/* ---- good files */

static const struct { const char *options, *bytes; size_t length; uint32_t classes; const char *wants; } good[] = {
    { "target=kind", BYTES("a,b,kind\n1.5,2,x\n-3,4,y\n"), 2,
      "a=1.5 -3; b:i=2 4; kind:i=0 1 {x|y}; features=1.5,2 -3,4; target:i=0 1 {x|y}" },
    { "", BYTES("\xEF\xBB\xBF" "a,b\r\n1,2\r\n\r\n3,4"), 0, "a:i=1 3; b:i=2 4; features=1,2 3,4" },
    { "target=y", BYTES("y\n0.5\n1e-3\n"), 0, "y=0.5 0.0010000000474974513; target=0.5 0.0010000000474974513" },
    { "target=target", BYTES("x,target\n1,0\n2,3\n"), 4, "x:i=1 2; target:i=0 3; features=1 2" },
    { "target=y", BYTES("x,y\n1,-1\n2,1\n"), 0, "x:i=1 2; y:i=-1 1; features=1 2; target:i=-1 1" },
    { "header=no target=c3", BYTES("1,2,b\n3,4,a\n"), 2,
      "c1:i=1 3; c2:i=2 4; c3:i=1 0 {a|b}; features=1,2 3,4; target:i=1 0 {a|b}" },
    { "separator=;", BYTES("a;b\n\"1\";\"x;\"\"y\"\"\nz\"\n2;  w  \n"), 0,
      "a:i=1 2; b:i=1 0 {w|x;\"y\"\nz}; features=refused" },
    { "skip=b", BYTES("a,b\n1,x\n2,y\n"), 0, "a:i=1 2; b:i=0 1 {x|y}; features=1 2" },
    { "skip=b,\xc3\xa4 target=a", BYTES("a,b,\xc3\xa4\n1,0.5,\n2,x,\n"), 3,
      "a:i=1 2; b:i=0 1 {0.5|x}; \xc3\xa4=refused; target:i=1 2" },
    { "skip=b test=0 missing=mean", BYTES("a,b\n1,0.5\n2,\n"), 0, "a:i=1 2; b=0.5 0.5; features=1 2" },
    { "skip=a-b,features,target target=y", BYTES("a b,a-b,features,target,y\n1,2,x,,4\n"), 5,
      "a_b:i=1; y:i=4; features=1; target:i=4" },
    { "", BYTES("sepal length,1st,state,\xc3\xa4\xe2\x82\xac,,a_\n1,2,3,4,5,6\n"), 0,
      "sepal_length:i=1; _1st:i=2; state_:i=3; \xc3\xa4_:i=4; c5:i=5; a_:i=6; features=1,2,3,4,5,6" },
    { "missing=mean test=0", BYTES("a,b,c\n1,2,4\n,NA,5\n4,?,6\n"), 0, "a=1 2.5 4; b=2 2 2; c:i=4 5 6; features=1,2,4 2.5,2,5 4,2,6" },
    { "", BYTES("a\n.5\n+2.\n-1E+2\n12345678901234567890\n0.1\n"), 0,
      "a=0.5 2 -100 1.2345679395506094e+19 0.10000000149011612; features=0.5 2 -100 1.2345679395506094e+19 "
      "0.10000000149011612" },
    { "", BYTES("a\n2147483647\n-2147483648\n"), 0, "a:i=2147483647 -2147483648; features=2147483648 -2147483648" },
    { "", BYTES("a\n2147483648\n"), 0, "a=2147483648; features=2147483648" },
    { "", BYTES("a,b\r1,\"x\"\r\r2,\"y\rz\"\r"), 0, "a:i=1 2; b:i=0 1 {x|y\rz}; features=refused" },
    { "", BYTES("a\nNA\nno\nNA\n"), 0, "a:i=0 1 0 {NA|no}; features=refused" },
    { "", BYTES("a\n0x10\n1\n1e\n"), 0, "a:i=0 1 2 {0x10|1|1e}; features=refused" },
    { "scale=unit test=0 target=y", BYTES("a,b,y\n1,5,1\n3,5,2\n2.5,5,3\n"), 4,
      "a=0 1 0.75; b:i=5 5 5; y:i=1 2 3; features=0,0 1,0 0.75,0; target:i=1 2 3" },
    { "scale=standard test=0", BYTES("a,b\n1,0.1\n3,0.1\n"), 0, "a:i=1 3; b=0 0; features=-1,0 1,0" },
    { "scale=unit test=0 missing=mean", BYTES("a\n0.0\n\n4\nNA\n"), 0, "a=0 1 0.5; features=0 1 0.5" },
    { "room=1 target=k", BYTES("a,k\n1.5,x\n2,y\n"), 2, "a=1.5 2; k:i=0 1 {x|y}; features=1.5 2; target:i=0 1 {x|y}" },
};

static void test_good_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(good); i++) {
        vg_dataset set = table(f, good[i].options);
        if (!loads(f, &set, good[i].bytes, good[i].length)) {
            fail_msg("%s: %s", good[i].wants, f->error.text);
        }
        vg_text text = vg_text_new(&f->mem);
        for (uint32_t k = 0; k < set.column_count; k++) {
            show(f, &set, k, &text);
        }
        assert_string_equal(vg_text_c(&text), good[i].wants);
        assert_int_equal(set.classes, good[i].classes);
        assert_ptr_equal(set.class_texts, set.classes ? set.columns[find(&set, "target")].texts : NULL);
    }
}

/* A thousand columns, and numbers of every kind against the library's own reading. */
static void test_wide_and_exact(void **state) {
    fixture *f = *state;
    vg_text text = vg_text_new(&f->mem);
    double wants[1000];
    uint64_t x = 88172645463325252;
    for (int k = 0; k < 1000; k++) {
        vg_text_format(&text, "%sx%d", k ? "," : "", k);
    }
    for (int k = 0; k < 1000; k++) {
        char number[64];
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        snprintf(number, sizeof number, k % 3 ? "%.*f" : "%.*e", (int)(x % 23), (double)(int64_t)x / 1e12);
        wants[k] = strtod(number, NULL);
        vg_text_format(&text, "%s%s", k ? "," : "\n", number);
    }
    vg_csv csv;
    vg_csv_open(&csv, &f->mem, "wide", text.text, text.length, ',');
    assert_true(vg_csv_row(&csv, &f->error) && vg_csv_row(&csv, &f->error));
    for (uint32_t k = 0; k < 1000; k++) {
        double value;
        assert_in_range(vg_csv_cell(&csv, &csv.fields.items[k], &value), VG_CELL_WHOLE, VG_CELL_REAL);
        assert_true(value == wants[k]);
    }
    vg_csv_close(&csv);
    vg_dataset set = table(f, "");
    assert_true(loads(f, &set, text.text, text.length));
    assert_int_equal(set.column_count, 1001);
    assert_int_equal(set.columns[1000].shape[0], 1000);
    assert_string_equal(set.columns[1000].members[999], "x999");
}

/* The statistics are the training split's, and a column alone is what it is among the features. */
static void test_scale_is_of_the_training_split(void **state) {
    fixture *f = *state;
    vg_text text = vg_text_new(&f->mem);
    vg_text_format(&text, "a,b\n");
    for (int i = 0; i < 100; i++) {
        vg_text_format(&text, "%d.5,%d\n", i * i, 1000000 + i);
    }
    vg_dataset set = table(f, "scale=standard test=0.3");
    assert_true(loads(f, &set, text.text, text.length));
    assert_int_equal(set.train_count, 70);
    double sum[2] = { 0 }, square[2] = { 0 };
    for (uint32_t i = 0; i < set.count; i++) {
        float both[2], alone;
        vg_dataset_gather(&set, find(&set, "features"), &i, 1, both, false);
        vg_dataset_gather(&set, find(&set, "a"), &i, 1, &alone, false);
        assert_true(both[0] == alone);
    }
    for (uint32_t i = 0; i < set.train_count; i++) {
        float both[2];
        vg_dataset_gather(&set, find(&set, "features"), &set.train[i], 1, both, false);
        for (int k = 0; k < 2; k++) {
            sum[k] += both[k];
            square[k] += both[k] * both[k];
        }
    }
    for (int k = 0; k < 2; k++) {
        assert_true(fabs(sum[k] / 70) < 1e-2 && fabs(square[k] / 70 - 1) < 1e-2);
    }
}

/* ---- bad files */

#define ARGUMENT "!"      /* it is an argument that is wrong */
static const struct { const char *options, *bytes; size_t length; const char *text; } broken[] = {
    { "", BYTES(""), "'t.csv' is empty: a table was expected" },
    { "", BYTES("\n\r\n \n"), "'t.csv' is empty: a table was expected" },
    { "", BYTES("a,b\n"), "'t.csv' line 2: there is only a header, and no row" },
    { "", BYTES("a,b\n1,2\n3\n"), "'t.csv' line 3: there is 1 field, where the header names 2: is something missing?" },
    { "", BYTES("a,b\n1,2,3\n"), "'t.csv' line 2: there are 3 fields, where the header names 2: a field that holds the "
      "separator must be quoted" },
    { "header=no", BYTES("1,2\n1\n"), "'t.csv' line 2: there is 1 field, where the first line has 2: is something missing?" },
    { "", BYTES("a\n\"b\nc\n"), "'t.csv' line 2: the quote that opens here is never closed" },
    { "", BYTES("a\n\"b\"c\n"), "'t.csv' line 2: something follows a closing quote; a quote within a quoted field is "
      "written twice" },
    { "", BYTES("a\n5'11\"\n"), "'t.csv' line 2: a quote stands within a field that does not begin with one; quote the "
      "whole field, and write the quote in it twice" },
    { "", BYTES("a\n\"x\ny\"\n\xff\n"), "'t.csv' line 4: byte 8, ff, begins no character of UTF-8; iconv converts texts" },
    { "", BYTES("a\n1\0\n"), "'t.csv' line 2: byte 3 is NUL: this is not a text" },
    { "", BYTES("\x1f\x8b\x08"), "'t.csv' line 1: byte 1, 8b, begins no character of UTF-8; iconv converts texts" },
    { "", BYTES("a,b\n1,\n"), "'t.csv' line 2: column 'b' has no value anywhere: leave it out with skip = \"b\"" },
    { "", BYTES("a,b\n1,2\n3,\n"), "'t.csv' line 3: column 'b' has no value: give it a number, leave the column out with "
      "skip = \"b\", or take the mean of the others with missing = \"mean\"" },
    { "", BYTES("a,b\n1,2\n3,NaN\n"), "'t.csv' line 3: column 'b' holds 'NaN', which is no number: give it a number, leave "
      "the column out with skip = \"b\", or take the mean of the others with missing = \"mean\"" },
    { "missing=mean", BYTES("a\n1\n-inf\n"), "'t.csv' line 3: column 'a' holds an infinite number: correct it, or leave the "
      "column out with skip = \"a\"" },
    { "", BYTES("a\n1\n1e39\n"), "'t.csv' line 3: column 'a' holds a number that is too large for a float32" },
    { "missing=mean", BYTES("a,b\n1,x\n2,\n"), "'t.csv' line 3: column 'b' of words has no value here: give it a word, or "
      "leave the column out with skip = \"b\"" },
    { "missing=mean target=a", BYTES("a,b\n1,1\nnan,1\n"), "'t.csv' line 3: the target 'a' is 'nan': what is to be learnt "
      "cannot be made up; give it a number, or take the line away" },
    { "", BYTES("a b,a_b\n1,2\n"), "'t.csv' line 1: the columns 'a b' and 'a_b' are both called a_b in a model; call one "
      "otherwise, or leave it out with skip" },
    { "", BYTES("features\n1\n"), "'t.csv' line 1: a column is called 'features', which in a model is all columns but the "
      "target; call it otherwise, or leave it out with skip = \"features\"" },
    { "target=a", BYTES("a,target\n1,2\n"), "'t.csv' line 1: a column is called 'target', which in a model is what is to be "
      "learnt; call it otherwise, or leave it out with skip = \"target\"" },
    { "target=z", BYTES("1,2.5\n1,2\n"), ARGUMENT "target: 't.csv' has no column 'z', but 1, 2.5; the first line is all "
      "numbers: where it is an example, and not names, header = false says so, and the columns are c1, c2, ..." },
    { "", BYTES("3,3\n1,2\n"), "'t.csv' line 1: the columns '3' and '3' are both called _3 in a model; call one "
      "otherwise, or leave it out with skip; the first line is all numbers: where it is an example, and not names, header "
      "= false says so, and the columns are c1, c2, ..." },
    { "", BYTES("a,b\r1,2\r1\r"), "'t.csv' line 3: there is 1 field, where the header names 2: is something missing?" },
    { "target=z", BYTES("a,b\n1,2\n"), ARGUMENT "target: 't.csv' has no column 'z', but a, b" },
    { "target=b", BYTES("a;b\n1;2\n"), ARGUMENT "target: 't.csv' has no column 'b', but a;b; is it separated by ';'? "
      "separator = \";\" says so" },
    { "skip=z", BYTES("a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n"),
      ARGUMENT "skip: 't.csv' has no column 'z', but a, b, c, d, e, f, ..." },
    { "skip=a target=a", BYTES("a,b\n1,2\n"), ARGUMENT "skip leaves out 'a', which is the target" },
    { "missing=zero", BYTES("a\n1\n"), ARGUMENT "missing says what stands for a number that is missing, and the only word for "
      "it is \"mean\", not \"zero\"" },
    { "separator=;;", BYTES("a\n1\n"), ARGUMENT "separator is one character, as \",\" \";\" or \"\\t\", that stands in no "
      "number and no name, not \";;\"" },
    { "separator=.", BYTES("a\n1\n"), ARGUMENT "separator is one character, as \",\" \";\" or \"\\t\", that stands in no number "
      "and no name, not \".\"" },
    { "scale=log", BYTES("a\n1.5\n"), ARGUMENT "scale is \"standard\" (mean 0, standard deviation 1) or \"unit\" (from 0 to "
      "1), not \"log\"" },
    { "scale=unit", BYTES("a\nx\n"), ARGUMENT "scale = \"unit\" has nothing to scale: there is no column of floats, and "
      "integers stay as they are" },
};

/* The error's text without the folder. */
static const char *text_of(fixture *f) {
    static char text[600];
    char *folder = strstr(f->error.text, f->folder);
    snprintf(text, sizeof text, "%s%.*s%s", f->error.argument ? ARGUMENT : "",
             folder ? (int)(folder - f->error.text) : 0, f->error.text,
             folder ? folder + strlen(f->folder) + 1 : f->error.text);
    return text;
}

static void test_bad_files(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        vg_dataset set = table(f, broken[i].options);
        assert_false(loads(f, &set, broken[i].bytes, broken[i].length));
        assert_string_equal(text_of(f), broken[i].text);
    }
}

static void test_no_files(void **state) {
    fixture *f = *state;
    vg_dataset set = table(f, "");
    assert_false(vg_dataset_describe(&set, &f->error));
    assert_string_equal(text_of(f), "'t.csv' cannot be read: No such file or directory");
    assert_int_equal(mkdir(path_of(f, "t.csv"), 0700), 0);
    assert_false(vg_dataset_describe(&set, &f->error));
    assert_string_equal(text_of(f), "'t.csv' is not a file but a folder");
    assert_int_equal(rmdir(path_of(f, "t.csv")), 0);
    write_file(f, "t.csv", BYTES("a\n1\n"));
    assert_int_equal(chmod(path_of(f, "t.csv"), 0), 0);
    if (geteuid() != 0) {
        assert_false(vg_dataset_describe(&set, &f->error));
        assert_string_equal(text_of(f), "'t.csv' cannot be read: Permission denied");
    }
}

/* `features` can be read only where all columns are numbers; the message says what to do. */
static void test_words_are_no_features(void **state) {
    fixture *f = *state;
    vg_dataset set = table(f, "target=y");
    assert_true(loads(f, &set, BYTES("a,city,y\n1,1,2\n2,K\xc3\xb6ln,3\n")));
    assert_string_equal(set.columns[find(&set, "features")].refused, "features are all columns but the target, and 'city' "
        "holds words ('K\xc3\xb6ln' in line 3), which are no numbers; leave it out of them with skip = \"city\"; read by "
        "itself, one_hot(x, n) makes numbers of its classes");
    assert_null(set.columns[find(&set, "city")].refused);
}

/* Nothing is left of any failure, and no byte of a file can do harm. */
static void test_every_byte(void **state) {
    fixture *f = *state;
    static const char bytes[] = "\xEF\xBB\xBF" "a,\"b \"\"c\"\"\",d\r\n1.5e-3,\"x\n\xc3\xa4\",NA\r\n-2,y, 4\r\n";
    char spoiled[sizeof bytes];
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        vg_dataset set = table(f, "missing=mean test=0");
        loads(f, &set, bytes, cut);
    }
    for (size_t k = 0; k + 1 < sizeof bytes; k++) {
        static const char others[] = "\0\"\n\r,x1\xff.";
        for (size_t j = 0; j + 1 < sizeof others; j++) {
            memcpy(spoiled, bytes, sizeof bytes);
            spoiled[k] = others[j];
            vg_dataset set = table(f, "missing=mean test=0");
            loads(f, &set, spoiled, sizeof bytes - 1);
        }
    }
}

static void load_table(vg_mem *mem, void *user) {
    fixture *f = user;
    vg_dataset set = table(f, "target=k missing=mean scale=standard");
    set.mem = mem;
    assert_true(loads(f, &set, BYTES("a,b,k\n1.5,,\"x\"\n2,3,y\n3,4,y\n4,5,x\n5,6,x\n")));
}

static void test_memory_fails_at_every_call(void **state) {
    fixture *f = *state;
    int before = dup(0);
    close(before);
    assert_true(survive_every_call(load_table, f) > 20);
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_good_files), TEST(test_wide_and_exact), TEST(test_scale_is_of_the_training_split), TEST(test_bad_files),
        TEST(test_no_files), TEST(test_words_are_no_features), TEST(test_every_byte), TEST(test_memory_fails_at_every_call),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
