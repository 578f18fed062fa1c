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

/* The same but for white space. */
static bool is_same(const char *text, size_t length, const char *by) {
    const char *end = text + length;
    for (;;) {
        while (text < end && isspace((unsigned char)*text)) text++;
        while (isspace((unsigned char)*by)) by++;
        if (text == end || *by == 0) return text == end && *by == 0;
        if (*text++ != *by++) return false;
    }
}

/* What --set gives for a name; NULL: nothing. */
static const vg_source *set_for(const vg_run *run, const char *name, size_t length) {
    const vg_front *front = &run->model->front;
    const vg_str id = vg_strings_find(&run->model->ir.strings, name, length);
    for (uint32_t k = 0; k < front->sets.count && id; k++)
        if (front->sets.items[k].name == id) return source_at(run, front->sets.items[k].span.begin);
    return NULL;
}

/* A constant's value, which stands at `value` in the file, becomes `by`. One that is so already is no edit, but for a --set
 * that is in its way. */
static vg_edit edit_constant(vg_run *run, const vg_source *source, const char *name, size_t length, const char *value,
                             const char *by) {
    vg_arena *arena = &run->model->ir.arena;
    const vg_source *set = set_for(run, name, length);
    const bool same = is_same(value, value_length(value), by);
    if (set ? is_same(set->text, set->length, by) : same) return (vg_edit){ NULL, NULL };
    const char *line = line_with(run, source, value, value_length(value), by);
    return (vg_edit){ same ? vg_arena_format(arena, "no --set %.*s: %s", (int)length, name, line) : line,
                      vg_arena_format(arena, "--set '%.*s=%s'", (int)length, name, by) };
}

/* An edit of the text [at, at + length): of the constant that it names, if it names one. None when it is so already. */
static vg_edit edit_text(vg_run *run, const vg_source *source, const char *at, size_t length, const char *by) {
    size_t word = 0;
    while (word < length && is_word(at[word])) word++;
    const char *value = word == length ? constant_value(source, at, length) : NULL;
    if (value) return edit_constant(run, source, at, length, value, by);
    if (is_same(at, length, by)) return (vg_edit){ NULL, NULL };
    return (vg_edit){ line_with(run, source, at, length, by), NULL };
}

/* Two digits, without an exponent where that is short. */
static const char *short_number(vg_run *run, double value) {
    const double unit = pow(10, floor(log10(fabs(value))) - 1);
    return vg_arena_format(&run->model->ir.arena, "%.9g", unit > 0 ? rint(value / unit) * unit : value);
}

/* Of both: their lines, and the options, where both have one. */
vg_edit vg_advise_both(vg_run *run, vg_edit a, vg_edit b) {
    if (a.text == NULL || b.text == NULL) return a.text ? a : b;
    const size_t line = strcspn(a.text, ":");
    if (strncmp(a.text, b.text, line + 1) == 0) return a;      /* two edits of one line would contradict each other */
    vg_arena *arena = &run->model->ir.arena;
    return (vg_edit){ vg_arena_format(arena, "%s, and %s", a.text, b.text),
                      a.option && b.option ? vg_arena_format(arena, "%s %s", a.option, b.option) : NULL };
}

/* ---- initial values */

/* The text behind the `sign` of a variable's statement. */
static bool initial_span(const vg_source *source, vg_span statement, char sign, vg_span *span) {
    const char *p = source->text + (statement.begin - source->base);
    while (*p && *p != '\n' && *p != '~' && *p != '=') p++;
    if (*p != sign) return false;
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

/* `= 0` becomes `~ glorot_uniform()`. */
static vg_edit edit_equals(vg_run *run, const vg_source *source, vg_span span, const char *initializer) {
    const char *end = source->text + (span.end - source->base), *at = source->text + (span.begin - source->base);
    if (source->kind != VG_SOURCE_MODEL) return (vg_edit){ NULL, NULL };
    while (*at != '=') at--;
    return (vg_edit){ line_with(run, source, at, (size_t)(end - at),
                                vg_arena_format(&run->model->ir.arena, "~ %s", initializer)), NULL };
}

vg_edit vg_advise_initial(vg_run *run, uint32_t variable, const char *initializer) {
    const vg_variable *v = &run->unit->variables.items[variable];
    const vg_source *source = source_at(run, v->span.begin);
    vg_span span;
    if (source == NULL) return (vg_edit){ NULL, NULL };
    if (initial_span(source, v->span, '=', &span)) return edit_equals(run, source, span, initializer);
    if (!initial_span(source, v->span, '~', &span)) return (vg_edit){ NULL, NULL };
    const vg_span place = vg_diags_place(&run->model->ir.diags, span, v->call);
    const vg_source *own = source_at(run, place.begin);
    if (own == NULL || own->kind != VG_SOURCE_MODEL) return (vg_edit){ NULL, NULL };
    const char *at = own->text + (place.begin - own->base);
    const size_t length = place.end - place.begin;
    if (is_call(run, place, v->call)) return edit_call(run, own, place, initializer);
    return edit_text(run, own, at, length, initializer);
}

vg_edit vg_advise_value(vg_run *run, uint32_t variable, const char *value) {
    const vg_variable *v = &run->unit->variables.items[variable];
    const vg_source *source = source_at(run, v->span.begin);
    vg_span span;
    if (source == NULL || source->kind != VG_SOURCE_MODEL || !initial_span(source, v->span, '=', &span))
        return (vg_edit){ NULL, NULL };
    return edit_text(run, source, source->text + (span.begin - source->base), span.end - span.begin, value);
}

/* ---- rates */

/* What stands behind `name =` in [p, end); NULL: nothing. */
static const char *value_of(const char *p, const char *end, const char *name) {
    const size_t length = strlen(name);
    for (const char *begin = p; p + length < end; p++) {
        if (strncmp(p, name, length) != 0 || is_word(p[length]) || (p > begin && is_word(p[-1]))) continue;
        const char *value = p + length;
        while (*value == ' ') value++;
        if (*value++ != '=') continue;
        while (*value == ' ') value++;
        return value;
    }
    return NULL;
}

/* Of a number or a word. */
static size_t term_length(const char *value) {
    size_t length = 0;
    while (is_word(value[length]) || value[length] == '.' ||
           ((value[length] == '-' || value[length] == '+') && length > 0 && isdigit((unsigned char)*value) &&
            (value[length - 1] == 'e' || value[length - 1] == 'E'))) length++;
    return length;
}

/* An optimizer as a text with another rate: [text, text + length) with its part at `value` made `by`. */
static const char *with_rate(vg_run *run, const char *text, size_t length, const char *value, const char *by) {
    const size_t before = (size_t)(value - text), had = term_length(value);
    return vg_arena_format(&run->model->ir.arena, "%.*s%s%.*s", (int)before, text, by, (int)(length - before - had),
                           value + had);
}

static const char *number_at(const vg_run *run, const vg_source *model, const char *value) {
    if (isdigit((unsigned char)*value)) return value;
    const vg_source *set = set_for(run, value, term_length(value));
    return set ? set->text : constant_value(model, value, term_length(value));
}

vg_edit vg_advise_rate(vg_run *run, uint32_t block, double times) {
    const vg_edit none = { NULL, NULL };
    const vg_span span = run->unit->blocks.items[block].span;
    const vg_source *source = source_at(run, span.begin);
    vg_arena *arena = &run->model->ir.arena;
    if (source == NULL || source->kind != VG_SOURCE_MODEL || !(times > 0)) return none;
    const char *key = block ? vg_arena_format(arena, "train[%u].optimizer", block + 1) : "train.optimizer";
    const char *begin = source->text + (span.begin - source->base), *end = source->text + (span.end - source->base);
    const vg_source *set = set_for(run, key, strlen(key));
    const char *setting = value_of(begin, end, "optimizer");      /* in the file */
    const char *text = set ? set->text : setting;
    const size_t length = set ? set->length : setting ? value_length(setting) : 0;
    const char *value = text ? value_of(text, set ? text + length : end, "rate") : NULL;
    const char *number = value ? number_at(run, source, value) : NULL;
    const double rate = number ? strtod(number, NULL) : 0;
    if (!(rate > 0)) return none;
    const char *by = short_number(run, rate * times);
    const char *constant = isdigit((unsigned char)*value) ? NULL : constant_value(source, value, term_length(value));
    if (constant) return edit_constant(run, source, value, term_length(value), constant, by);
    if (set == NULL && value > text + length)      /* on a line of its own */
        return (vg_edit){ line_with(run, source, value, term_length(value), by), NULL };
    const char *whole = with_rate(run, text, length, value, by);
    const char *option = vg_arena_format(arena, "--set '%s=%s'", key, whole);
    return (vg_edit){ setting ? line_with(run, source, setting, value_length(setting), whole) : option, option };
}

/* ---- inputs */

/* Where a word stands in [p, end) as a whole; NULL: nowhere. */
static const char *find_word(const char *p, const char *end, const char *word) {
    const size_t length = strlen(word);
    for (const char *begin = p; length && p + length <= end; p++)
        if (strncmp(p, word, length) == 0 && !is_word(p[length]) && p[length] != '.' &&
            (p == begin || (!is_word(p[-1]) && p[-1] != '.'))) return p;
    return NULL;
}

/* Where an input is used on the way to what reads it: in a call that stands in the model, or at the end of `NAME = x`. */
static const char *use_of(const vg_run *run, const vg_evidence *row, const vg_source **source) {
    const vg_diags *diags = &run->model->ir.diags;
    const char *name = vg_strings_text(&run->model->ir.strings, row->path);
    for (vg_call call = row->reader_call; call; call = diags->calls.items[call].parent) {
        const vg_span span = diags->calls.items[call].span;
        *source = source_at(run, span.begin);
        if (diags->calls.items[call].kind == VG_CALL_LOOP || (*source)->kind != VG_SOURCE_MODEL) continue;
        const char *text = (*source)->text + (span.begin - (*source)->base), *end = text + (span.end - span.begin);
        const char *open = memchr(text, '(', (size_t)(end - text));
        const char *use = open ? find_word(open, end, name) : NULL;
        if (use) return use;
    }
    *source = source_at(run, row->span.begin);
    for (const char *p = (*source)->text; (p = find_word(p, (*source)->text + (*source)->length, name)); p++) {
        const char *before = p;
        while (before > (*source)->text && before[-1] == ' ') before--;
        if (value_length(p) == strlen(name) && before > (*source)->text && before[-1] == '=') return p;
    }
    return NULL;
}

vg_edit vg_advise_input(vg_run *run, const vg_evidence *row, double mean, double deviation) {
    const bool input = row->op == VG_OP_input;
    const vg_span place = vg_diags_place(&run->model->ir.diags, row->span, row->call);
    const vg_source *source = source_at(run, place.begin);
    if (source == NULL || source->kind != VG_SOURCE_MODEL || !(deviation > 0)) return (vg_edit){ NULL, NULL };
    const char *at = input ? use_of(run, row, &source) : source->text + (place.begin - source->base);
    if (at == NULL) return (vg_edit){ NULL, NULL };
    const size_t length = input ? strlen(vg_run_text(run, row->path)) : place.end - place.begin;
    size_t word = 0;
    while (word < length && (is_word(at[word]) || at[word] == '.')) word++;
    if (memchr(at, '\n', length)) return (vg_edit){ NULL, NULL };
    vg_arena *arena = &run->model->ir.arena;
    const char *own = vg_arena_format(arena, word == length ? "%.*s" : "(%.*s)", (int)length, at);
    if (fabs(mean) > 2 * deviation)
        own = vg_arena_format(arena, "(%s %c %s)", own, mean > 0 ? '-' : '+', short_number(run, fabs(mean)));
    const char *by = deviation > 1 ? vg_arena_format(arena, "%s / %s", own, short_number(run, deviation))
                                   : vg_arena_format(arena, "%s * %s", own, short_number(run, 1 / deviation));
    return (vg_edit){ line_with(run, source, at, length, by), NULL };
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

vg_edit vg_advise_unsoftened(vg_run *run, vg_place softmax) {
    const vg_span place = vg_diags_place(&run->model->ir.diags, softmax.span, softmax.call);
    const vg_source *source = source_at(run, place.begin);
    if (source == NULL || source->kind != VG_SOURCE_MODEL) return (vg_edit){ NULL, NULL };
    const char *at = source->text + (place.begin - source->base), *end = source->text + (place.end - source->base);
    const char *open = memchr(at, '(', (size_t)(end - at));
    if (strncmp(at, "softmax", 7) != 0 || open == NULL || end[-1] != ')')      /* an argument, as act = softmax */
        return vg_advise_activation(run, softmax.span, softmax.call, "softmax", "identity");
    const char *p = open + 1;      /* to the end of the first argument */
    for (int depth = 0; p < end - 1 && (depth > 0 || *p != ','); p++) depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
    const char *inner = vg_arena_format(&run->model->ir.arena, "%.*s", (int)(p - open - 1), open + 1);
    return (vg_edit){ line_with(run, source, at, (size_t)(end - at), inner), NULL };
}
