/* The table of a sweep: a row a run; the settings that differ, the scalars' last values, the speed, what is wrong. What
 * there is no room for is left out, and said to be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "series.h"
#include "sweep.h"

enum { GAP = 2, LEAST_TEXT = 8, MOST_SETTING = 24 };

typedef enum column_kind { COLUMN_SETTING, COLUMN_SCALAR, COLUMN_SPEED, COLUMN_WRONG } column_kind;

typedef struct column {
    column_kind kind;
    char       *title;
    char      **cells;        /* by run */
    size_t      width, most;  /* characters; `most` of a text that is cut */
    int         direction;    /* of a scalar */
    bool        left_out;
} column;

typedef struct table { const vg_cli_grid *sweep; column *columns; size_t count, rows; } table;

/* ---- text */

/* Characters of UTF-8. */
static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

/* The bytes of the first `count` characters. */
static size_t prefix_bytes(const char *text, size_t count) {
    size_t i = 0;
    while (text[i] && (count > 0 || ((unsigned char)text[i] & 0xC0) == 0x80)) {
        count -= ((unsigned char)text[i] & 0xC0) != 0x80;
        i++;
    }
    return i;
}

/* `width` characters wide; a longer text ends in dots. */
static void show_cell(FILE *stream, const char *text, size_t width, bool right, bool last) {
    const size_t length = characters(text);
    if (length > width) {
        fprintf(stream, "%.*s..", (int)prefix_bytes(text, width - 2), text);
    } else {
        const int pad = (int)(width - length);
        fprintf(stream, "%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
    }
}

/* ---- columns */

static column *add_column(table *t, column_kind kind, char *title) {
    column *made = &t->columns[t->count++];
    *made = (column){ .kind = kind, .title = title, .cells = vg_cli_alloc(t->rows, sizeof *made->cells),
                      .most = SIZE_MAX };
    return made;
}

static void measure(column *c, size_t rows) {
    c->width = characters(c->title) + (c->kind == COLUMN_SCALAR);   /* its mark */
    for (size_t k = 0; k < rows; k++) {
        const size_t length = characters(c->cells[k]);
        c->width = length > c->width ? length : c->width;
    }
}

static const vg_cli_value *value_of(const vg_cli_sweep_run *run, const char *tag, bool test) {
    for (size_t i = 0; i < run->scalar_count; i++) {
        if (run->scalars[i].test == test && strcmp(run->scalars[i].tag, tag) == 0) {
            return &run->scalars[i];
        }
    }
    return NULL;
}

/* The best of the values, where there are several: NaN is none. */
static bool best_of(const table *t, const char *tag, bool test, int direction, double *best) {
    size_t numbers = 0;
    for (size_t k = 0; k < t->rows; k++) {
        const vg_cli_value *value = value_of(&t->sweep->runs[k], tag, test);
        if (value && !isnan(value->value)) {
            *best = numbers == 0 || direction * (value->value - *best) > 0 ? value->value : *best;
            numbers++;
        }
    }
    return direction != 0 && numbers > 1;
}

static void add_scalar(table *t, const char *tag, bool test) {
    column *c = add_column(t, COLUMN_SCALAR, vg_cli_format("%s%s", test ? "test " : "", tag));
    double best = NAN;
    c->direction = vg_direction(tag);
    const bool marked = best_of(t, tag, test, c->direction, &best);
    for (size_t k = 0; k < t->rows; k++) {
        const vg_cli_value *value = value_of(&t->sweep->runs[k], tag, test);
        const char *mark = marked && value && value->value == best ? "*" : " ";
        c->cells[k] = value ? vg_cli_format("%.4g%s", isnan(value->value) ? (double)NAN : value->value, mark)
                            : vg_cli_format("- ");
    }
    if (!marked) {
        c->direction = 0;
    }
}

/* One column for each scalar that any run has: those of the steps, then those over the test split. */
static void add_scalars(table *t) {
    for (int test = 0; test < 2; test++) {
        for (size_t k = 0; k < t->rows; k++) {
            for (size_t i = 0; i < t->sweep->runs[k].scalar_count; i++) {
                const vg_cli_value *value = &t->sweep->runs[k].scalars[i];
                bool known = value->test != test;
                for (size_t j = 0; j < k && !known; j++) {
                    known = value_of(&t->sweep->runs[j], value->tag, value->test) != NULL;
                }
                if (!known) {
                    add_scalar(t, value->tag, test);
                }
            }
        }
    }
}

static void add_settings(table *t) {
    for (size_t i = 0; i < t->sweep->setting_count; i++) {
        if (vg_cli_sweep_varies(t->sweep, i)) {
            column *c = add_column(t, COLUMN_SETTING, vg_cli_format("%s", t->sweep->settings[i].name));
            for (size_t k = 0; k < t->rows; k++) {
                c->cells[k] = vg_cli_format("%s", t->sweep->runs[k].values[i]);
            }
        }
    }
}

static void add_speed_and_wrong(table *t) {
    column *speed = add_column(t, COLUMN_SPEED, vg_cli_format("steps/s"));
    column *wrong = add_column(t, COLUMN_WRONG, vg_cli_format("what is wrong"));
    for (size_t k = 0; k < t->rows; k++) {
        const vg_cli_sweep_run *run = &t->sweep->runs[k];
        const double rate = run->seconds > 0 ? (double)run->steps / run->seconds : 0;
        speed->cells[k] = rate > 0 ? vg_cli_format(rate < 100 ? "%.3g" : "%.0f", rate) : vg_cli_format("-");
        wrong->cells[k] = vg_cli_sweep_wrong(run);
    }
}

static size_t scalar_limit(const vg_cli_grid *sweep) {
    size_t count = 0;
    for (size_t k = 0; k < sweep->run_count; k++) {
        count += sweep->runs[k].scalar_count;
    }
    return count;
}

/* ---- fitting */

static size_t shown_width(const column *c) { return c->width < c->most ? c->width : c->most; }

static size_t table_width(const table *t) {
    size_t width = 0;
    for (size_t i = 0; i < t->count; i++) {
        width += t->columns[i].left_out ? 0 : shown_width(&t->columns[i]) + GAP;
    }
    return width - GAP;
}

/* The last column of the kind that is still shown; NULL: there is none. */
static column *last_shown(const table *t, column_kind kind) {
    for (size_t i = t->count; i-- > 0;) {
        if (t->columns[i].kind == kind && !t->columns[i].left_out) {
            return &t->columns[i];
        }
    }
    return NULL;
}

/* Texts become narrower, down to `least`. */
static void cut_texts(table *t, column_kind kind, size_t least, size_t room) {
    for (size_t i = t->count; i-- > 0;) {
        column *c = &t->columns[i];
        const size_t width = table_width(t);
        if (c->kind == kind && width > room && shown_width(c) > least) {
            const size_t own = shown_width(c), over = width - room;
            c->most = own > over + least ? own - over : least;
        }
    }
}

/* First long settings are cut, then the last scalars go (the first stays longest), then texts are cut further. */
static void fit(table *t, size_t room) {
    cut_texts(t, COLUMN_SETTING, MOST_SETTING, room);
    for (column *scalar; table_width(t) > room && (scalar = last_shown(t, COLUMN_SCALAR));) {
        const column *first = NULL;
        for (size_t i = 0; i < t->count && !first; i++) {
            first = t->columns[i].kind == COLUMN_SCALAR ? &t->columns[i] : NULL;
        }
        if (scalar == first) {
            break;
        }
        scalar->left_out = true;
    }
    cut_texts(t, COLUMN_WRONG, strlen("what is wrong"), room);
    cut_texts(t, COLUMN_SETTING, LEAST_TEXT, room);
    for (column_kind kind = COLUMN_SETTING; kind <= COLUMN_SPEED && table_width(t) > room; kind++) {
        for (column *c; table_width(t) > room && (c = last_shown(t, kind));) {
            c->left_out = true;
        }
    }
}

/* ---- showing */

/* SIZE_MAX is the header. A scalar's title stands above its numbers, not above their marks. */
static void show_row(FILE *stream, const table *t, size_t row) {
    const column *last = last_shown(t, COLUMN_WRONG);
    const char *gap = "";
    for (size_t i = 0; i < t->count; i++) {
        const column *c = &t->columns[i];
        const char *text = row == SIZE_MAX ? c->title : c->cells[row];
        if (c->left_out || (c == last && *text == '\0')) {
            continue;
        }
        const bool marks = c->kind == COLUMN_SCALAR, title = row == SIZE_MAX && marks;
        fputs(gap, stream);
        show_cell(stream, text, shown_width(c) - title, marks || c->kind == COLUMN_SPEED, c == last);
        fputs(title ? " " : "", stream);
        gap = "  ";
    }
    fputc('\n', stream);
}

/* What the marks mean, and what is not there. */
static void show_notes(FILE *stream, const table *t) {
    const char *between = "* best: ";
    for (size_t i = 0; i < t->count; i++) {
        const column *c = &t->columns[i];
        if (c->direction != 0 && !c->left_out) {
            fprintf(stream, "%s%s %s", between, c->direction > 0 ? "highest" : "lowest", c->title);
            between = ", ";
        }
    }
    fputs(*between == ',' ? "\n" : "", stream);
    between = "left out for want of room, in sweep.json: ";
    for (size_t i = 0; i < t->count; i++) {
        if (t->columns[i].left_out) {
            fprintf(stream, "%s%s", between, t->columns[i].title);
            between = ", ";
        }
    }
    fputs(*between == ',' ? "\n" : "", stream);
}

void vg_cli_sweep_show_table(const vg_cli_grid *sweep, FILE *stream, uint32_t columns) {
    table t = { .sweep = sweep, .rows = sweep->run_count };
    t.columns = vg_cli_alloc(sweep->setting_count + scalar_limit(sweep) + 2, sizeof *t.columns);
    add_settings(&t);
    add_scalars(&t);
    add_speed_and_wrong(&t);
    for (size_t i = 0; i < t.count; i++) {
        measure(&t.columns[i], t.rows);
    }
    fit(&t, columns);
    show_row(stream, &t, SIZE_MAX);
    for (size_t k = 0; k < t.rows; k++) {
        show_row(stream, &t, k);
    }
    show_notes(stream, &t);
    for (size_t i = 0; i < t.count; i++) {
        for (size_t k = 0; k < t.rows; k++) {
            free(t.columns[i].cells[k]);
        }
        free(t.columns[i].cells);
        free(t.columns[i].title);
    }
    free(t.columns);
}
