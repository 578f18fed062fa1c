/* The models of the gallery made small (tests/models.txt), whole or without what watches them. Included after cmocka.h. */
#ifndef VG_TESTS_GALLERY_FIXTURE_H
#define VG_TESTS_GALLERY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/model.h"
#include "api/run.h"

enum { GALLERY = 64, GALLERY_LINES = 80, GALLERY_WIDTH = 200 };

typedef struct gallery_model {
    char     name[40], options[400], path[400];
    char     lines[GALLERY_LINES][GALLERY_WIDTH];
    uint32_t line_count;
} gallery_model;

static inline void read_lines(gallery_model *m) {
    snprintf(m->path, sizeof m->path, "%s/models/%s.nn", VG_ROOT, m->name);
    FILE *file = fopen(m->path, "r");
    if (file == NULL) fail_msg("no %s", m->path);
    while (m->line_count < GALLERY_LINES && fgets(m->lines[m->line_count], GALLERY_WIDTH, file)) m->line_count++;
    fclose(file);
}

/* The rows of models.txt; how many. */
static inline uint32_t read_gallery(gallery_model *list) {
    char line[600];
    uint32_t count = 0;
    FILE *file = fopen(VG_TESTS "/models.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#') continue;
        gallery_model *m = &list[count++];
        assert_true(count < GALLERY);
        *m = (gallery_model){ .line_count = 0 };
        assert_int_equal(sscanf(line, "%39[^ |] |%399[^|]", m->name, m->options), 2);
        read_lines(m);
    }
    fclose(file);
    assert_true(count >= 24);
    return count;
}

static inline bool watches(const char *line) { return !strncmp(line, "summary ", 8) || !strncmp(line, "expect ", 7); }

static inline void give_options(const gallery_model *m, vg_model *model) {
    char text[400], *rest = text, *word;
    snprintf(text, sizeof text, "%s", m->options);
    while ((word = strtok_r(rest, " ", &rest)) != NULL) {
        char *value = strtok_r(rest, " ", &rest);
        assert_non_null(value);
        if (!strcmp(word, "--batch")) {
            vg_model_batch(model, strtoull(value, NULL, 10));
            continue;
        }
        char *sign = strchr(value, '=');
        assert_non_null(sign);
        *sign = '\0';
        if (!strcmp(word, "--data")) vg_model_data(model, value, sign + 1);
        else if (!strcmp(word, "--set")) vg_model_set(model, value, sign + 1);
        else fail_msg("%s: option %s", m->name, word);
    }
}

static inline bool to_stderr(void *user, const char *bytes, size_t length) {
    (void)user;
    return fwrite(bytes, 1, length, stderr) == length;
}

/* As the model stands, or with only line `line` of what watches it (from 1; 0 is none); with these summaries, too. */
enum { AS_IT_STANDS = UINT32_MAX };
static inline vg_model *open_model(const gallery_model *m, uint32_t line, char (*summaries)[GALLERY_WIDTH],
                                   uint32_t count) {
    char source[GALLERY_LINES * GALLERY_WIDTH] = "";
    size_t at = 0;
    for (uint32_t k = 0; k < m->line_count; k++) {
        if (line != AS_IT_STANDS && line != k + 1 && watches(m->lines[k])) continue;
        at += (size_t)snprintf(source + at, sizeof source - at, "%s", m->lines[k]);
    }
    vg_model *model = vg_model_new();
    give_options(m, model);
    for (uint32_t k = 0; k < count; k++) vg_model_summary(model, summaries[k]);
    if (vg_model_load_text(model, m->path, source, at) != VG_OK) {
        vg_model_explain(model, 0, false, to_stderr, NULL);
        fail_msg("%s does not load", m->name);
    }
    return model;
}

#endif
