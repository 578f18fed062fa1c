/* Wrong models and what is said about them. Each golden/errors/NAME.nn ends in lines `#: ...`, the exact rendering of
 * its diagnostics; lines `#! set act=relu`, `#! data d=digits()`, `#! summary scalar loss` and `#! batch 32` at its top
 * are the command line's options. `test_golden --bless` writes the renderings anew. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vgraph.h"

enum { FILES = 512, TEXT = 1 << 16 };

static bool blessing;

typedef struct vg_buffer { char text[TEXT]; size_t length; } vg_buffer;

static bool append(void *user, const char *bytes, size_t length) {
    vg_buffer *buffer = user;
    assert_true(buffer->length + length < TEXT);
    memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
    return true;
}

static void read_file(const char *path, vg_buffer *out) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    out->length = fread(out->text, 1, TEXT - 1, file);
    out->text[out->length] = '\0';
    assert_true(feof(file));
    fclose(file);
}

/* Where the `#:` lines at the end begin. */
static size_t expectation(const vg_buffer *file) {
    size_t begin = file->length;
    while (begin > 0) {
        size_t line = begin - 1;
        while (line > 0 && file->text[line - 1] != '\n') {
            line--;
        }
        if (memcmp(file->text + line, "#:", 2) != 0) {
            break;
        }
        begin = line;
    }
    return begin;
}

/* "name=rest" cut in two; the rest. */
static char *cut(char *text) {
    char *sign = strchr(text, '=');
    assert_non_null(sign);
    *sign = '\0';
    return sign + 1;
}

static void give_option(vg_model *model, char *line) {
    char *word = strtok(line, " ");
    char *rest = strtok(NULL, "\n");
    assert_non_null(rest);
    if (strcmp(word, "set") == 0) {
        char *value = cut(rest);
        vg_model_set(model, rest, value);
    } else if (strcmp(word, "data") == 0) {
        char *value = cut(rest);
        vg_model_data(model, rest, value);
    } else if (strcmp(word, "summary") == 0) {
        vg_model_summary(model, rest);
    } else if (strcmp(word, "batch") == 0) {
        vg_model_batch(model, strtoull(rest, NULL, 10));
    } else {
        fail_msg("unknown option '#! %s'", word);
    }
}

static void give_options(vg_model *model, const vg_buffer *file) {
    const char *line = file->text;
    while (strncmp(line, "#! ", 3) == 0) {
        const size_t length = strcspn(line, "\n");
        char *copy = strndup(line + 3, length - 3);
        give_option(model, copy);
        free(copy);
        line += length + 1;
    }
}

/* The rendering as it stands in the file: each line behind "#: ". */
static void comment_lines(const vg_buffer *plain, vg_buffer *out) {
    out->length = 0;
    for (const char *line = plain->text; *line;) {
        const size_t length = strcspn(line, "\n");
        append(out, length ? "#: " : "#:", length ? 3 : 2);
        append(out, line, length);
        append(out, "\n", 1);
        line += length + (line[length] == '\n');
    }
}

static void write_file(const char *path, const vg_buffer *file, size_t kept, const vg_buffer *lines) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(file->text, 1, kept, out);
    if (kept && file->text[kept - 1] != '\n') {
        fputc('\n', out);
    }
    fwrite(lines->text, 1, lines->length, out);
    assert_int_equal(fclose(out), 0);
}

static void check_file(void **state) {
    const char *name = *state;
    static vg_buffer file, plain, lines;
    read_file(name, &file);
    vg_model *model = vg_model_new();
    assert_non_null(model);
    give_options(model, &file);
    const vg_status status = vg_model_load_file(model, name);
    plain.length = 0;
    plain.text[0] = '\0';
    vg_model_explain(model, 0, false, append, &plain);
    vg_model_free(model);
    if (status == VG_OK || plain.length == 0) {
        fail_msg("%s: loads without a diagnostic", name);
    }
    comment_lines(&plain, &lines);
    const size_t kept = expectation(&file);
    if (strcmp(file.text + kept, lines.text) != 0) {
        if (blessing) {
            write_file(name, &file, kept, &lines);
        } else {
            fprintf(stderr, "%s: expected\n%s\nbut got\n%s\n", name, file.text + kept, lines.text);
            fail();
        }
    }
}

static int is_model(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".nn") == 0;
}

int main(int argc, char **argv) {
    blessing = argc > 1 && strcmp(argv[1], "--bless") == 0;
    if (chdir(VG_TESTS "/golden/errors") != 0) {
        perror(VG_TESTS "/golden/errors");
        return 1;
    }
    struct dirent **entries;
    const int count = scandir(".", &entries, is_model, alphasort);
    static struct CMUnitTest tests[FILES];
    if (count <= 0 || count > FILES) {
        fprintf(stderr, "no models in golden/errors\n");
        return 1;
    }
    for (int k = 0; k < count; k++) {
        tests[k] = (struct CMUnitTest){ entries[k]->d_name, check_file, NULL, NULL, entries[k]->d_name };
    }
    const int failed = _cmocka_run_group_tests("golden", tests, (size_t)count, NULL, NULL);
    for (int k = 0; k < count; k++) {
        free(entries[k]);
    }
    free(entries);
    return failed;
}
