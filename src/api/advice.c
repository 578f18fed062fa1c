/* What to change, as an edit of the model's own text: found by where the text says it now. A constant is preferred, since
 * --set can try it without an edit. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/judge.h"

/* ---- text */

static const vg_source *source_at(const vg_run *run, uint32_t offset) {
    return vg_sources_at(&run->model->ir.diags.sources, offset);
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The line of `at` with the bytes [at, at + length) replaced, without what stands around it: indentation, a comment. */
static const char *line_with(vg_run *run, const vg_source *source, const char *at, size_t length, const char *by) {
    const char *begin = at, *end = at + length;
    while (begin > source->text && begin[-1] != '\n') begin--;
    while (*begin == ' ' || *begin == '\t') begin++;
    while (*end && *end != '\n' && *end != '#') end++;
    while (end > at + length && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    const vg_position position =
        vg_sources_position(&run->model->ir.diags.sources, source->base + (uint32_t)(at - source->text));
    return vg_arena_format(&run->model->ir.arena, "line %u: %.*s%s%.*s", position.line, (int)(at - begin), begin, by,
                           (int)(end - at - (ptrdiff_t)length), at + length);
}

/* Where `const NAME = ` ends, at the beginning of a line of the source; NULL: nowhere. */
static const char *constant_value(const vg_source *source, const char *name, size_t length) {
    for (const char *line = source->text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *p = line;
        if (strncmp(p, "const", 5) != 0 || is_word(p[5])) continue;
        for (p += 5; *p == ' '; p++) continue;
        if (strncmp(p, name, length) != 0 || is_word(p[length])) continue;
        for (p += length; *p == ' '; p++) continue;
        if (*p != '=') continue;
        for (p++; *p == ' '; p++) continue;
        return p;
    }
    return NULL;
}

static size_t value_length(const char *p) {
    size_t length = 0;
    while (p[length] && p[length] != '\n' && p[length] != '#') length++;
    while (length > 0 && isspace((unsigned char)p[length - 1])) length--;
    return length;
}

/* An edit of the text [at, at + length): of the constant that it names, if it names one. */
static vg_edit edit_text(vg_run *run, const vg_source *source, const char *at, size_t length, const char *by) {
    size_t word = 0;
    while (word < length && is_word(at[word])) word++;
    const char *value = word == length ? constant_value(source, at, length) : NULL;
    if (value == NULL) return (vg_edit){ line_with(run, source, at, length, by), NULL };
    return (vg_edit){ line_with(run, source, value, value_length(value), by),
                      vg_arena_format(&run->model->ir.arena, "--set '%.*s=%s'", (int)length, at, by) };
}

/* ---- initial values */

/* The text behind the `~` of a variable's statement. */
static bool initial_span(const vg_source *source, vg_span statement, vg_span *span) {
    const char *p = source->text + (statement.begin - source->base);
    while (*p && *p != '\n' && *p != '~') p++;
    if (*p != '~') return false;
    for (p++; *p == ' '; p++) continue;
    span->begin = source->base + (uint32_t)(p - source->text);
    span->end = span->begin + (uint32_t)value_length(p);
    return true;
}

/* A call of the library without that argument gets one. */
static vg_edit edit_call(vg_run *run, const vg_source *source, vg_span call, const char *initializer) {
    const char *end = source->text + (call.end - source->base);
    if (call.end <= call.begin || end[-1] != ')') return (vg_edit){ NULL, NULL };
    const char *by = vg_arena_format(&run->model->ir.arena, ", init = %s", initializer);
    return (vg_edit){ line_with(run, source, end - 1, 0, by), NULL };
}

/* Whether a place is one of the calls that led to `call` itself, not an argument of it. */
static bool is_call(const vg_run *run, vg_span place, vg_call call) {
    const vg_diags *diags = &run->model->ir.diags;
    for (; call; call = diags->calls.items[call].parent)
        if (diags->calls.items[call].span.begin == place.begin && diags->calls.items[call].span.end == place.end)
            return true;
    return false;
}

vg_edit vg_advise_initial(vg_run *run, uint32_t variable, const char *initializer) {
    const vg_variable *v = &run->unit->variables.items[variable];
    const vg_source *source = source_at(run, v->span.begin);
    vg_span span;
    if (source == NULL || !initial_span(source, v->span, &span)) return (vg_edit){ NULL, NULL };
    const vg_span place = vg_diags_place(&run->model->ir.diags, span, v->call);
    const vg_source *own = source_at(run, place.begin);
    if (own == NULL || own->kind != VG_SOURCE_MODEL) return (vg_edit){ NULL, NULL };
    const char *at = own->text + (place.begin - own->base);
    const size_t length = place.end - place.begin;
    if (is_call(run, place, v->call)) return edit_call(run, own, place, initializer);
    return edit_text(run, own, at, length, initializer);
}

/* ---- rates */

/* Two digits. */
static double rounded(double value) {
    const double unit = pow(10, floor(log10(value)) - 1);
    return rint(value / unit) * unit;
}

vg_edit vg_advise_rate(vg_run *run, uint32_t block, double times) {
    const vg_span span = run->unit->blocks.items[block].span;
    const vg_source *source = source_at(run, span.begin);
    if (source == NULL || source->kind != VG_SOURCE_MODEL || !(times > 0)) return (vg_edit){ NULL, NULL };
    const char *p = source->text + (span.begin - source->base), *end = source->text + source->length;
    for (; p < end; p++) {
        if (strncmp(p, "rate", 4) != 0 || is_word(p[4]) || (p > source->text && is_word(p[-1]))) continue;
        const char *value = p + 4;
        while (*value == ' ') value++;
        if (*value++ != '=') continue;
        while (*value == ' ') value++;
        size_t length = 0;
        while (is_word(value[length]) || value[length] == '.' ||
               ((value[length] == '-' || value[length] == '+') && length > 0 && isdigit((unsigned char)*value) &&
                (value[length - 1] == 'e' || value[length - 1] == 'E'))) length++;
        const char *number = value;
        if (!isdigit((unsigned char)*value)) number = constant_value(source, value, length);
        char *rest = NULL;
        const double rate = number ? strtod(number, &rest) : 0;
        if (!(rate > 0)) return (vg_edit){ NULL, NULL };
        const char *by = vg_arena_format(&run->model->ir.arena, "%.2g", rounded(rate * times));
        return edit_text(run, source, value, length, by);
    }
    return (vg_edit){ NULL, NULL };
}

/* ---- activations */

vg_edit vg_advise_activation(vg_run *run, vg_span span, vg_call call, const char *from, const char *to) {
    const vg_span place = vg_diags_place(&run->model->ir.diags, span, call);
    const vg_source *source = source_at(run, place.begin);
    const size_t length = strlen(from);
    if (source == NULL || source->kind != VG_SOURCE_MODEL) return (vg_edit){ NULL, NULL };
    const char *at = source->text + (place.begin - source->base), *end = source->text + (place.end - source->base);
    for (const char *p = at; p + length <= end; p++)
        if (strncmp(p, from, length) == 0 && !is_word(p[length]) && (p == source->text || !is_word(p[-1])))
            return edit_text(run, source, p, length, to);
    /* a constant that has it */
    for (const char *line = source->text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, "const ", 6) != 0) continue;
        const char *name = line + 6;
        while (*name == ' ') name++;
        size_t word = 0;
        while (is_word(name[word])) word++;
        const char *value = constant_value(source, name, word);
        if (value == NULL || value_length(value) != length || strncmp(value, from, length) != 0) continue;
        return edit_text(run, source, name, word, to);
    }
    return (vg_edit){ NULL, NULL };
}
