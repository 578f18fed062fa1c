/* Items to lines: which are broken, how far each is indented, what stands under what. Everything here depends on the
 * tokens and on the line breaks alone, and lines are broken until no more has to be: so a text laid out twice is the
 * same as one laid out once. */
#include "front/format.h"

#include "model.h"

typedef struct line {
    uint32_t first, count;   /* items; a comment at the end among them */
    uint32_t indent;
    uint32_t depth;          /* round and square brackets open where it begins, behind those that it closes at once */
    bool     blank;          /* an empty line before it */
    bool     whole;          /* a statement, all of it, or what begins a block */
    bool     fills;          /* commas outside of brackets may end it */
} line;

/* Where the walk over the items stands. */
typedef struct walk {
    uint32_t blocks, brackets;
    bool     continued;                        /* the statement was broken outside of brackets */
    bool     fills;
    uint32_t opened[VG_NESTING_LIMIT + 1];     /* the line of each open bracket */
} walk;

typedef struct layout {
    vg_formatter *f;
    VG_VEC(line)  lines;
} layout;

static bool opens(int kind) { return kind == VG_T_LPAREN || kind == VG_T_LBRACKET; }
static bool closes(int kind) { return kind == VG_T_RPAREN || kind == VG_T_RBRACKET; }

/* ---- spaces */

/* The spaces before `next`, which stands behind `item` in its line. */
static uint32_t usual_space(const vg_format_item *item, const vg_format_item *next) {
    const int a = item->kind, b = next->kind;
    if (a == VG_T_NUMBER && b == VG_T_DOT) return 1;   /* 1.x is no number */
    if (next->glued || item->unary || opens(a) || closes(b)) return 0;
    if (a == VG_T_COMMA) return 1;
    if (b == VG_T_COMMA || b == VG_T_COLON || a == VG_T_DOT || b == VG_T_DOT || a == VG_T_RANGE || b == VG_T_RANGE)
        return 0;
    if (item->tight || next->tight) return (a == VG_T_STAR || a == VG_T_STARSTAR) && b == VG_T_STAR;   /* x.* * y */
    return 1;
}

static uint32_t space_before(const layout *l, const line *row, uint32_t index) {
    if (index == row->first) return 0;
    const vg_format_item *item = &l->f->items.items[index];
    return usual_space(item - 1, item) + item->pad;
}

/* The column behind item `index` of a line. */
static uint32_t column_behind(const layout *l, const line *row, uint32_t index) {
    uint32_t column = row->indent;
    for (uint32_t k = row->first; k <= index; k++) column += space_before(l, row, k) + l->f->items.items[k].width;
    return column;
}

/* The items of a line without the comment at its end. */
static uint32_t code_count(const layout *l, const line *row) {
    return row->count - (row->count > 1 && l->f->items.items[row->first + row->count - 1].kind == 0);
}

static uint32_t code_width(const layout *l, const line *row) {
    return column_behind(l, row, row->first + code_count(l, row) - 1);
}

/* ---- lines */

/* Whether the statement before item `index` is over there: the next token begins one, or ends a block. */
static bool between_statements(const layout *l, uint32_t index) {
    const vg_format_item *items = l->f->items.items;
    while (index < l->f->items.count && items[index].kind == 0) index++;
    if (index == l->f->items.count || items[index].starts) return true;
    uint32_t before = index;
    while (before > 0 && items[before - 1].kind == 0) before--;
    return items[index].kind == VG_T_ELSE && before > 0 && items[before - 1].kind == VG_T_RBRACE;
}

static bool begins_line(const layout *l, uint32_t index) {
    const vg_format_item *item = &l->f->items.items[index];
    if (index == 0 || item->starts || item->breaks || (item->kind == 0 && item->own)) return true;
    return item[-1].kind == 0;
}

static uint32_t indent_of(walk *w, bool between, const vg_format_item *item, uint32_t depth) {
    if (between) {
        w->continued = false;
        return VG_FORMAT_INDENT * (w->blocks - (item->kind == VG_T_RBRACE));
    }
    w->continued |= w->brackets == 0;
    uint32_t levels = w->continued;
    for (uint32_t k = 0; k < depth; k++) levels += k == 0 || w->opened[k] != w->opened[k - 1];
    return VG_FORMAT_INDENT * (w->blocks + levels);
}

static void begin_line(layout *l, walk *w, uint32_t index) {
    const vg_format_item *items = l->f->items.items, *item = &items[index];
    const bool between = between_statements(l, index);
    uint32_t depth = w->brackets, at = index;
    while (at < l->f->items.count && closes(items[at].kind) && (at == index || !begins_line(l, at))) depth--, at++;
    if (item->kind && between) w->fills = item->fills;
    line row = { .first = index, .depth = depth, .indent = indent_of(w, between, item, depth), .fills = w->fills };
    uint32_t before = index;
    while (before > 0 && items[before - 1].kind == 0 && !items[before - 1].own) before--;
    const int previous = before ? items[before - 1].kind : VG_T_LBRACE;
    row.blank = item->newlines > 1 && previous != VG_T_LBRACE && !opens(previous) && !closes(item->kind) &&
                item->kind != VG_T_RBRACE && item->kind != VG_T_ELSE;
    vg_vec_push(l->f->mem, &l->lines, row);
}

static void pass_item(walk *w, int kind, uint32_t number) {
    if (opens(kind)) w->opened[w->brackets++] = number;
    else if (closes(kind)) w->brackets--;
    else if (kind == VG_T_LBRACE) w->blocks++;
    else if (kind == VG_T_RBRACE) w->blocks--;
}

static void make_lines(layout *l) {
    walk w = { 0 };
    l->lines.count = 0;
    for (uint32_t k = 0; k < l->f->items.count; k++) {
        l->f->items.items[k].pad = 0;
        if (begins_line(l, k)) begin_line(l, &w, k);
        vg_vec_last(&l->lines).count++;
        pass_item(&w, l->f->items.items[k].kind, l->lines.count);
    }
    for (uint32_t k = 0; k < l->lines.count; k++) {
        line *row = &l->lines.items[k];
        row->whole = l->f->items.items[row->first].starts && between_statements(l, row->first + row->count);
    }
}

/* ---- what stands under what */

/* Whether line `k` stands under the one before it, for alignment. */
static bool adjoins(const layout *l, uint32_t k) {
    const line *row = &l->lines.items[k], *above = &l->lines.items[k - 1];
    return !row->blank && row->indent == above->indent && l->f->items.items[row->first].kind &&
           l->f->items.items[above->first].kind;
}

static uint32_t cell_of(const layout *l, const line *row, uint32_t cell) {
    for (uint32_t k = row->first; k < row->first + row->count; k++)
        if (l->f->items.items[k].cell == cell) return k;
    return UINT32_MAX;
}

static uint32_t cell_column(const layout *l, const line *row, uint32_t index) {
    return column_behind(l, row, index) - l->f->items.items[index].width;
}

/* Brings cell `cell` of lines [from, to), which are of one class, to one column each as far as they are near. */
static void align_cell(layout *l, uint32_t from, uint32_t to, uint32_t cell) {
    for (uint32_t next; from < to; from = next) {
        uint32_t least = UINT32_MAX, most = 0;
        for (next = from; next < to; next++) {
            const uint32_t index = cell_of(l, &l->lines.items[next], cell);
            if (index == UINT32_MAX) break;
            const uint32_t column = cell_column(l, &l->lines.items[next], index);
            const uint32_t low = column < least ? column : least, high = column > most ? column : most;
            if (high - low >= VG_FORMAT_SPREAD) break;
            least = low;
            most = high;
        }
        for (uint32_t k = from; k < next; k++) {
            const uint32_t index = cell_of(l, &l->lines.items[k], cell);
            l->f->items.items[index].pad = most - cell_column(l, &l->lines.items[k], index);
        }
        next += next == from;
    }
}

static vg_format_class class_of(const layout *l, const line *row) {
    return row->whole ? (vg_format_class)l->f->items.items[row->first].class : VG_FORMAT_NONE;
}

static void align_statements(layout *l) {
    for (uint32_t from = 0, to; from < l->lines.count; from = to) {
        const vg_format_class class = class_of(l, &l->lines.items[from]);
        for (to = from + 1; to < l->lines.count && adjoins(l, to) && class_of(l, &l->lines.items[to]) == class;) to++;
        for (uint32_t cell = 1; class != VG_FORMAT_NONE && cell <= VG_FORMAT_CELLS; cell++)
            align_cell(l, from, to, cell);
    }
}

/* Comments at the ends of neighbouring lines begin at one column: the first of these that leaves them two spaces and
 * the lines their width, else two spaces behind the longest line. */
static const uint32_t comment_columns[] = { 35, 55 };

static uint32_t comment_column(uint32_t code, uint32_t comment) {
    for (size_t k = 0; k < sizeof comment_columns / sizeof *comment_columns; k++)
        if (comment_columns[k] >= code + 2 && comment_columns[k] + comment <= VG_FORMAT_WIDTH)
            return comment_columns[k];
    return code + 2;
}

static void align_comments(layout *l) {
    for (uint32_t from = 0, to; from < l->lines.count; from = to) {
        uint32_t code = 0, comment = 0;
        for (to = from; to < l->lines.count && (to == from || adjoins(l, to)); to++) {
            const line *row = &l->lines.items[to];
            if (code_count(l, row) == row->count) continue;
            const uint32_t width = code_width(l, row), behind = l->f->items.items[row->first + row->count - 1].width;
            code = width > code ? width : code;
            comment = behind > comment ? behind : comment;
        }
        for (uint32_t k = from; k < to; k++) {
            const line *row = &l->lines.items[k];
            const uint32_t last = row->first + row->count - 1;
            if (code_count(l, row) == row->count) continue;
            l->f->items.items[last].pad = comment_column(code, comment) - code_width(l, row) -
                                          usual_space(&l->f->items.items[last - 1], &l->f->items.items[last]);
        }
    }
}

/* ---- lines that are too long */

/* Ends lines behind commas that stand in no further bracket than the line does, as late as they can be. */
static bool fill(layout *l, const line *row) {
    vg_format_item *items = l->f->items.items;
    const uint32_t end = row->first + code_count(l, row);
    uint32_t chunk = row->first, column = row->indent, depth = 0;
    bool broke = false, first = true;
    for (uint32_t k = row->first; k < end && (row->depth > 0 || row->fills); k++) {
        if (closes(items[k].kind) && depth == 0 && k > row->first) break;
        depth += opens(items[k].kind);
        depth -= closes(items[k].kind) && depth > 0;
        if (depth > 0 || (items[k].kind != VG_T_COMMA && k + 1 < end)) continue;
        uint32_t width = 0;
        for (uint32_t i = chunk; i <= k; i++) width += space_before(l, row, i) + items[i].width;
        if (column + width > VG_FORMAT_WIDTH && !first) {
            items[chunk].breaks = broke = true;
            width -= space_before(l, row, chunk);
            column = row->indent + (row->depth == 0 ? VG_FORMAT_INDENT : 0);
        }
        column += width;
        chunk = k + 1;
        first = false;
    }
    return broke;
}

/* Breaks the longest pair of brackets of those that stand in no other, behind the one and before the other. */
static bool open_up(layout *l, const line *row) {
    enum { WORTH = 12 };   /* what is shorter makes no room */
    vg_format_item *items = l->f->items.items;
    const uint32_t end = row->first + code_count(l, row);
    uint32_t depth = 0, opener = 0, best = 0, best_end = 0, best_width = WORTH;
    for (uint32_t k = row->first; k < end; k++) {
        if (opens(items[k].kind) && depth++ == 0) opener = k;
        const bool closed = closes(items[k].kind) && depth > 0 && --depth == 0;
        if (!closed && !(k + 1 == end && depth > 0 && opener + 1 < end)) continue;
        const uint32_t width = column_behind(l, row, k) - column_behind(l, row, opener);
        if (width <= best_width) continue;
        best = opener + 1;
        best_end = closed ? k : end;
        best_width = width;
    }
    if (!best) return false;
    items[best].breaks = true;
    if (best_end < end) items[best_end].breaks = true;
    return true;
}

static bool break_long_lines(layout *l) {
    bool broke = false;
    for (uint32_t k = 0; k < l->lines.count; k++) {
        const line *row = &l->lines.items[k];
        if (code_width(l, row) > VG_FORMAT_WIDTH && (fill(l, row) || open_up(l, row))) broke = true;
    }
    return broke;
}

/* ---- the text */

static void write_lines(const layout *l, vg_text *out) {
    static const char spaces[] = "                                ";
    for (uint32_t k = 0; k < l->lines.count; k++) {
        const line *row = &l->lines.items[k];
        if (row->blank) vg_text_add(out, "\n", 1);
        for (uint32_t i = row->first; i < row->first + row->count; i++) {
            const vg_format_item *item = &l->f->items.items[i];
            uint32_t space = i == row->first ? row->indent : space_before(l, row, i);
            for (; space; space -= space < sizeof spaces ? space : (uint32_t)sizeof spaces - 1)
                vg_text_add(out, spaces, space < sizeof spaces ? space : sizeof spaces - 1);
            vg_text_add(out, l->f->text + (item->span.begin - l->f->base), item->span.end - item->span.begin);
        }
        vg_text_add(out, "\n", 1);
    }
}

void vg_format_layout(vg_formatter *f, vg_text *out) {
    layout l = { .f = f };
    do {
        make_lines(&l);
        align_statements(&l);
    } while (break_long_lines(&l));
    align_comments(&l);
    write_lines(&l, out);
    vg_vec_free(f->mem, &l.lines);
}
