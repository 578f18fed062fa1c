/* The lines in which two texts differ, by their longest common subsequence. */
#include "diff.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CELLS = 1 << 24, MOST_SHOWN = 24 };

typedef struct lines { const char **text; size_t count; } lines;

/* A line of `text` ends where the next begins, or at the end. */
static lines split(const char *text) {
    lines all = { vg_cli_alloc(strlen(text) + 1, sizeof *all.text), 0 };
    for (const char *at = text; *at; at += at[strcspn(at, "\n")] ? strcspn(at, "\n") + 1 : strcspn(at, "\n")) {
        all.text[all.count++] = at;
    }
    return all;
}

static size_t length_of(const char *line) { return strcspn(line, "\n"); }

static bool same(const char *a, const char *b) {
    return length_of(a) == length_of(b) && strncmp(a, b, length_of(a)) == 0;
}

/* A difference, to be shown: `sign` of a line, or nothing any more. */
typedef struct shown { FILE *stream; size_t count; } shown;

static void show(shown *to, char sign, const lines *all, size_t line) {
    if (to->count++ < MOST_SHOWN) {
        fprintf(to->stream, "  %c %4zu  %.*s\n", sign, line + 1, (int)length_of(all->text[line]), all->text[line]);
    }
}

/* cells[i][j]: how many lines the rests from i and j have in common, in order. */
static void show_middle(shown *to, const lines *a, const lines *b, size_t from, size_t a_end, size_t b_end) {
    const size_t rows = a_end - from, columns = b_end - from, width = columns + 1;
    uint32_t *cells = vg_cli_alloc((rows + 1) * width, sizeof *cells);
    for (size_t i = rows; i-- > 0;) {
        for (size_t j = columns; j-- > 0;) {
            const uint32_t below = cells[(i + 1) * width + j], beside = cells[i * width + j + 1];
            cells[i * width + j] = same(a->text[from + i], b->text[from + j]) ? cells[(i + 1) * width + j + 1] + 1
                                 : below > beside ? below : beside;
        }
    }
    for (size_t i = 0, j = 0; i < rows || j < columns;) {
        if (i < rows && j < columns && same(a->text[from + i], b->text[from + j])) {
            i++, j++;
        } else if (i < rows && (j == columns || cells[(i + 1) * width + j] >= cells[i * width + j + 1])) {
            show(to, '-', a, from + i++);
        } else {
            show(to, '+', b, from + j++);
        }
    }
    free(cells);
}

void vg_cli_diff_lines(FILE *stream, const char *a_text, const char *b_text) {
    lines a = split(a_text), b = split(b_text);
    size_t from = 0, a_end = a.count, b_end = b.count;
    while (from < a_end && from < b_end && same(a.text[from], b.text[from])) {
        from++;
    }
    while (a_end > from && b_end > from && same(a.text[a_end - 1], b.text[b_end - 1])) {
        a_end--, b_end--;
    }
    shown to = { stream, 0 };
    if ((a_end - from + 1) > MOST_CELLS / (b_end - from + 1)) {
        fprintf(stream, "  lines %zu to %zu of a, %zu to %zu of b\n", from + 1, a_end, from + 1, b_end);
    } else {
        show_middle(&to, &a, &b, from, a_end, b_end);
    }
    if (to.count > MOST_SHOWN) {
        fprintf(stream, "  and %zu lines more\n", to.count - MOST_SHOWN);
    }
    free(a.text);
    free(b.text);
}
