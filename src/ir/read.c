/* Reads what print.c wrote. Anything may stand in the text: a mistake is reported where it is, and reading ends. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/emit.h"

typedef struct reader {
    vg_graph   *graph;
    vg_ir      *ir;
    const char *text, *at;      /* the source's own copy, ended by NUL */
    uint32_t    base;           /* the offset of text[0] */
    bool        failed;
    VG_VEC(vg_node) operands;
    VG_VEC(vg_word) words;
    VG_VEC(double)  elements;
} reader;

static void fail(reader *r, const char *what) {
    const uint32_t begin = r->base + (uint32_t)(r->at - r->text);
    if (!r->failed)
        vg_report(&r->ir->diags, graph_text, ((vg_span){ begin, begin + (*r->at && *r->at != '\n') }), 0, what);
    r->failed = true;
}

/* ---- the small things of a line */

static void skip_blanks(reader *r) {
    while (*r->at == ' ' || *r->at == '\t') r->at++;
}

static bool accept(reader *r, const char *word) {
    const size_t length = strlen(word);
    skip_blanks(r);
    if (strncmp(r->at, word, length)) return false;
    r->at += length;
    return true;
}

static void expect(reader *r, const char *word) {
    if (!r->failed && !accept(r, word)) fail(r, vg_arena_format(&r->ir->arena, "'%s' is missing", word));
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t word_length(const char *at) {
    size_t length = 0;
    if (is_letter(*at))
        while (is_letter(at[length]) || is_digit(at[length])) length++;
    return length;
}

static int64_t read_integer(reader *r) {
    const char *first = r->at;
    const bool minus = accept(r, "-");
    int64_t value = 0;
    if (!is_digit(*r->at)) fail(r, "a whole number is missing");
    for (; is_digit(*r->at) && !r->failed; r->at++)
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            (minus ? __builtin_sub_overflow(value, (int64_t)(*r->at - '0'), &value)
                   : __builtin_add_overflow(value, (int64_t)(*r->at - '0'), &value))) {
            r->at = first;
            fail(r, "the number is too large");
        }
    return value;
}

static vg_node read_node(reader *r) {
    expect(r, "%");
    const int64_t id = r->failed ? 0 : read_integer(r);
    if (!r->failed && (id <= 0 || id >= vg_graph_count(r->graph))) fail(r, "no such node stands before this one");
    return r->failed ? 0 : (vg_node)id;
}

static double read_real(reader *r) {
    char *end;
    skip_blanks(r);
    const double value = *r->at == '\n' ? 0 : strtod(r->at, &end);   /* strtod itself would skip the end of the line */
    if (*r->at == '\n' || end == r->at) fail(r, "a number is missing");
    else r->at = end;
    return value;
}

static int hex_digit(char c) {
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static vg_str read_string(reader *r) {
    vg_text text = vg_text_new(r->ir->mem);
    expect(r, "\"");
    while (!r->failed && *r->at != '"') {
        char c = *r->at;
        if ((unsigned char)c < ' ') {
            fail(r, "the string does not end");
            break;
        }
        if (c == '\\' && r->at[1] == 'x' && hex_digit(r->at[2]) >= 0 && hex_digit(r->at[3]) >= 0) {
            c = (char)(hex_digit(r->at[2]) << 4 | hex_digit(r->at[3]));
            r->at += 3;
        } else if (c == '\\' && (r->at[1] == '"' || r->at[1] == '\\')) {
            c = *++r->at;
        }
        vg_text_add(&text, &c, 1);
        r->at++;
    }
    if (!r->failed) r->at++;
    const vg_str string = vg_strings_add(&r->ir->strings, vg_text_c(&text), text.length);
    vg_text_free(&text);
    return string;
}

/* ---- dimensions */

static vg_dim read_symbol(reader *r, size_t length) {
    vg_dims *dims = &r->ir->dims;
    const vg_str name = vg_strings_add(&r->ir->strings, r->at, length);
    const uint32_t begin = r->base + (uint32_t)(r->at - r->text);
    r->at += length;
    for (vg_symbol s = 1; s < dims->symbols.count; s++)
        if (dims->symbols.items[s].name == name) return vg_dim_symbol(dims, s);
    const vg_span span = { begin, begin + (uint32_t)length };
    return vg_dim_symbol(dims, vg_dims_symbol(dims, name, span));
}

/* 2 * batch */
static vg_dim read_product(reader *r) {
    vg_dims *dims = &r->ir->dims;
    vg_dim product = vg_dim_number(dims, 1);
    do {
        skip_blanks(r);
        const size_t length = word_length(r->at);
        const vg_dim factor = length ? read_symbol(r, length) : vg_dim_number(dims, read_integer(r));
        product = vg_dim_multiply(dims, product, factor);
    } while (!r->failed && accept(r, "*"));
    return product;
}

/* 2 * batch - 1 */
static vg_dim read_dim(reader *r) {
    vg_dims *dims = &r->ir->dims;
    const bool minus = accept(r, "-");
    vg_dim sum = read_product(r);
    if (minus) sum = vg_dim_subtract(dims, vg_dim_number(dims, 0), sum);
    while (!r->failed) {
        if (accept(r, "+")) sum = vg_dim_add(dims, sum, read_product(r));
        else if (accept(r, "-")) sum = vg_dim_subtract(dims, sum, read_product(r));
        else break;
    }
    if (!sum) fail(r, "the dimension is too large");
    return sum;
}

static vg_shape read_shape(reader *r) {
    vg_dim list[VG_RANK_LIMIT];
    uint32_t rank = 0;
    expect(r, "[");
    if (r->failed || accept(r, "]")) return VG_SHAPE_SCALAR;
    do {
        if (rank == VG_RANK_LIMIT) fail(r, "the shape has too many dimensions");
        else list[rank++] = read_dim(r);
    } while (!r->failed && accept(r, ","));
    expect(r, "]");
    return r->failed ? 0 : vg_shape_of(&r->ir->dims, list, rank);
}

/* ---- attributes */

static vg_word read_word(reader *r, char kind) {
    if (kind == 'i') {
        skip_blanks(r);
        return (vg_word)read_integer(r);
    }
    if (kind == 'f') return vg_word_real(read_real(r));
    if (kind == 's') return read_string(r);
    if (kind == 'd') return read_dim(r);
    return 0;   /* S: put in when the type is known */
}

/* Elements in the text make a new constant; its shape and type are put in when they are known. */
static vg_word read_elements(reader *r) {
    vg_ir *ir = r->ir;
    if (!accept(r, "[")) return read_word(r, 'i');
    r->elements.count = 0;
    if (!accept(r, "]")) {
        do {
            const double element = read_real(r);
            vg_vec_push(ir->mem, &r->elements, element);
        } while (!r->failed && accept(r, ","));
        expect(r, "]");
    }
    vg_constant constant = { .count = r->elements.count };
    double *copy = vg_arena_alloc(&ir->arena, constant.count * sizeof *copy);
    if (constant.count) memcpy(copy, r->elements.items, constant.count * sizeof *copy);
    constant.elements = copy;
    vg_vec_push(ir->mem, &ir->constants, constant);
    return ir->constants.count - 1;
}

static void read_list(reader *r, char kind) {
    expect(r, "[");
    if (r->failed || accept(r, "]")) return;
    do {
        const vg_word word = read_word(r, kind);
        vg_vec_push(r->ir->mem, &r->words, word);
    } while (!r->failed && accept(r, ","));
    expect(r, "]");
}

static void read_attr(reader *r, vg_op op) {
    vg_field field;
    r->words.count = 0;
    for (uint32_t k = 0; !r->failed && vg_op_field(op, k, &field); k++) {
        if (field.kind != 'S') {
            const char *name = vg_arena_format(&r->ir->arena, "%.*s", (int)field.length, field.name);
            expect(r, name);
            expect(r, "=");
        }
        if (r->failed) return;
        if (field.any) {
            read_list(r, field.kind);
            return;
        }
        const vg_word word = op == VG_OP_constant && k == 1 ? read_elements(r) : read_word(r, field.kind);
        vg_vec_push(r->ir->mem, &r->words, word);
    }
}

/* ---- what stands behind # */

/* The offset of line and column in the source of that name, 0 when there is none. */
static uint32_t find_place(const vg_sources *sources, const char *name, size_t length, uint64_t line, uint64_t column) {
    for (uint32_t k = 1; k < sources->list.count; k++) {
        const vg_source *source = &sources->list.items[k];
        if (strlen(source->name) != length || memcmp(source->name, name, length)) continue;
        const char *p = source->text, *end = p + source->length;
        for (; line > 1 && p < end; p++) line -= *p == '\n';
        for (; column > 1 && p < end && *p != '\n'; column--) {
            p++;
            while (p < end && ((unsigned char)*p & 0xc0) == 0x80) p++;   /* the rest of a character */
        }
        return line == 1 && column == 1 ? source->base + (uint32_t)(p - source->text) : 0;
    }
    return 0;
}

/* FILE:LINE:COLUMN up to `end` */
static void read_place(reader *r, vg_node node, const char *end) {
    uint64_t number[2] = { 0, 0 };
    const char *p = end;
    for (int k = 1; k >= 0; k--) {
        const char *last = p;
        while (p > r->at && is_digit(p[-1])) p--;
        if (p == last || p == r->at || p[-1] != ':') {
            fail(r, "a place is FILE:LINE:COLUMN");
            return;
        }
        number[k] = strtoull(p, NULL, 10);
        p--;
    }
    const uint32_t offset = find_place(&r->ir->diags.sources, r->at, (size_t)(p - r->at), number[0], number[1]);
    if (offset) r->graph->place.items[node].span = (vg_span){ offset, offset };
    r->at = end;
}

/* Where `word` begins in the rest of the line, else the line's end. */
static const char *find_in_line(const char *at, const char *word) {
    const size_t length = strlen(word);
    while (*at && *at != '\n' && strncmp(at, word, length)) at++;
    return at;
}

/* Names end at ", " outside of brackets: t[1, 2] is one name. */
static void read_names(reader *r, vg_node node, const char *end) {
    while (r->at < end && !r->failed) {
        const char *p = r->at;
        for (int depth = 0; p < end && (depth || *p != ','); p++)
            depth += (*p == '[' || *p == '(') - (*p == ']' || *p == ')');
        if (p == r->at) {
            fail(r, "a name is missing");
            return;
        }
        vg_graph_name(r->graph, vg_strings_add(&r->ir->strings, r->at, (size_t)(p - r->at)), node);
        r->at = p;
        if (p < end) accept(r, ",");
        skip_blanks(r);
    }
}

static void read_comment(reader *r, vg_node node) {
    if (!accept(r, "#")) return;
    const char *place = find_in_line(r->at, " at "), *forward = find_in_line(r->at, " gradient of %");
    const char *end = place < forward ? place : forward;
    skip_blanks(r);
    read_names(r, node, end > r->at ? end : r->at);
    if (!r->failed && place < forward) {
        r->at = place + strlen(" at ");
        read_place(r, node, forward);
    }
    if (r->failed || !*forward || *forward == '\n') return;
    r->at = forward + strlen(" gradient of ");
    r->graph->place.items[node].forward = read_node(r);
}

/* ---- lines */

static vg_op read_op(reader *r) {
    skip_blanks(r);
    const size_t length = word_length(r->at);
    const vg_op op = vg_op_find(vg_arena_copy(&r->ir->arena, r->at, length));
    if (op == VG_OP_none) fail(r, "no operator has this name");
    else r->at += length;
    return op;
}

static void read_operands(reader *r, vg_op op) {
    r->operands.count = 0;
    expect(r, "(");
    if (!r->failed && !accept(r, ")")) {
        do {
            const vg_node node = read_node(r);
            vg_vec_push(r->ir->mem, &r->operands, node);
        } while (!r->failed && accept(r, ","));
        expect(r, ")");
    }
    const uint32_t count = r->operands.count, most = vg_op_rows[op].most;
    if (!r->failed && (count < vg_op_rows[op].least || (most != 255 && count > most)))
        fail(r, "wrong number of operands");
}

static void read_type(reader *r, vg_draft *draft) {
    expect(r, ":");
    if (r->failed) return;
    draft->dtype = accept(r, "i32") ? VG_I32 : VG_F32;
    if (draft->dtype == VG_F32) expect(r, "f32");
    draft->shape = read_shape(r);
}

/* Puts the shape into the attribute, and into a constant just read. */
static void complete_attr(reader *r, vg_op op, const vg_draft *draft) {
    vg_field field;
    for (uint32_t k = 0; k < r->words.count && vg_op_field(op, k, &field); k++)
        if (field.kind == 'S') r->words.items[k] = draft->shape;
    if (op != VG_OP_constant || !r->words.items[1] || r->words.items[1] >= r->ir->constants.count) return;
    vg_constant *constant = &r->ir->constants.items[r->words.items[1]];
    if (constant->shape) return;
    constant->shape = draft->shape;
    constant->dtype = draft->dtype;
}

static void read_line(reader *r) {
    vg_draft draft = { 0 };
    const uint32_t begin = r->base + (uint32_t)(r->at - r->text);
    expect(r, "%");
    if (!r->failed && read_integer(r) != vg_graph_count(r->graph) && !r->failed)
        fail(r, "nodes are numbered from 1 without a gap");
    expect(r, "=");
    draft.op = r->failed ? VG_OP_none : read_op(r);
    if (!r->failed) read_operands(r, draft.op);
    if (!r->failed) read_attr(r, draft.op);
    if (!r->failed) read_type(r, &draft);
    if (r->failed) return;
    complete_attr(r, draft.op, &draft);
    const vg_shape shape = draft.shape;
    const vg_dtype dtype = draft.dtype;
    draft.operands = r->operands.items;
    draft.count = r->operands.count;
    draft.attr = vg_attr_of(r->ir, r->words.items, r->words.count);
    r->graph->here = (vg_place){ .span = { begin, r->base + (uint32_t)(r->at - r->text) } };
    if (!vg_infer_draft(r->graph, &draft, false)) {
        r->failed = true;
        return;
    }
    if (draft.shape != shape || draft.dtype != dtype) {
        fail(r, "this is not the type that follows from the operands");
        return;
    }
    r->graph->here = (vg_place){ 0 };
    const vg_node node = vg_emit_append(r->graph, &draft);
    if (!node) r->failed = true;
    else read_comment(r, node);
    if (!r->failed && (skip_blanks(r), *r->at && *r->at != '\n')) fail(r, "something else stands behind the node");
}

bool vg_read(vg_graph *graph, const char *name, const char *text) {
    vg_ir *ir = graph->ir;
    reader r = { .graph = graph, .ir = ir };
    assert(vg_graph_count(graph) == 1);
    const uint32_t source = vg_sources_add(&ir->diags.sources, VG_SOURCE_MODEL, name, text, strlen(text));
    if (!source) {
        vg_report(&ir->diags, graph_text, ((vg_span){ 0, 0 }), 0, "it is too long");
        return false;
    }
    r.text = r.at = ir->diags.sources.list.items[source].text;
    r.base = ir->diags.sources.list.items[source].base;
    while (*r.at && !r.failed) {
        skip_blanks(&r);
        if (*r.at && *r.at != '\n' && *r.at != '#') read_line(&r);
        if (!r.failed && *r.at == '#') r.at = find_in_line(r.at, "\n");
        if (!r.failed && *r.at == '\n') r.at++;
    }
    graph->here = (vg_place){ 0 };
    vg_vec_free(ir->mem, &r.operands);
    vg_vec_free(ir->mem, &r.words);
    vg_vec_free(ir->mem, &r.elements);
    return !r.failed;
}
