/* The text of a file as tokens and comments, with what the writer's white space said (format.h). */
#include "front/format.h"

#include "front/lexer.h"
#include "model.h"

static uint32_t characters(const char *text, uint32_t length) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < length; k++) count += ((unsigned char)text[k] & 0xc0) != 0x80;
    return count;
}

static vg_format_item *add(vg_formatter *f, int kind, vg_span span, uint32_t newlines) {
    const uint32_t width = characters(f->text + (span.begin - f->base), span.end - span.begin);
    const vg_format_item item = { .span = span, .kind = kind, .width = width,
                                  .newlines = (uint8_t)(newlines < 2 ? newlines : 2) };
    vg_vec_push(f->mem, &f->items, item);
    return &f->items.items[f->items.count - 1];
}

/* The comments in what lies between two tokens; the newlines behind the last of them. */
static uint32_t add_gap(vg_formatter *f, uint32_t begin, uint32_t end) {
    uint32_t newlines = 0;
    for (const char *p = f->text + (begin - f->base), *limit = f->text + (end - f->base); p < limit; p++) {
        newlines += *p == '\n';
        if (*p != '#') continue;
        const char *behind = p, *next = p;
        for (; next < limit && *next != '\n'; next++)
            if (*next != ' ' && *next != '\t' && *next != '\r') behind = next + 1;
        const uint32_t at = f->base + (uint32_t)(p - f->text);
        vg_format_item *comment = add(f, 0, (vg_span){ at, at + (uint32_t)(behind - p) }, newlines);
        comment->own = newlines > 0 || f->items.count == 1;
        newlines = 0;
        p = next - 1;
    }
    return newlines;
}

/* The last token before item `index`, comments passed over; -1 is none. */
static int kind_before(const vg_formatter *f, uint32_t index) {
    while (index-- > 0)
        if (f->items.items[index].kind) return f->items.items[index].kind;
    return -1;
}

static void add_token(vg_formatter *f, vg_token token, uint32_t newlines, bool ended) {
    const uint32_t index = f->items.count;
    const int before = kind_before(f, index);
    const bool opened = index && f->items.items[index - 1].kind == VG_T_LBRACE;
    vg_format_item *item = add(f, token.kind, token.span, newlines);
    if (token.kind == VG_T_RBRACE) {
        item->starts = !opened;   /* else { and } of an empty block stay together */
        item->glued = opened;
        return;
    }
    const bool goes_on = token.kind == VG_T_ELSE && before == VG_T_RBRACE;
    item->starts = !goes_on && (ended || before == -1 || before == VG_T_LBRACE);
    item->breaks = !goes_on && !item->starts && newlines > 0;
}

static void add_items(vg_formatter *f, vg_diags *diags, const vg_source *source) {
    vg_lexer lexer;
    vg_lexer_init(&lexer, diags, source, 0, source->length);
    uint32_t at = source->base + (uint32_t)(lexer.cursor - lexer.text);   /* behind a byte order mark */
    bool ended = true;
    for (;;) {
        const vg_token token = vg_lexer_next(&lexer);
        if (token.kind == VG_T_END && token.span.begin == token.span.end) {
            ended = true;   /* a newline: what lies there is the next token's */
            continue;
        }
        const uint32_t newlines = add_gap(f, at, token.span.begin);
        if (token.kind == 0) return;
        at = token.span.end;
        if (token.kind == VG_T_END) {
            ended = true;
        } else {
            add_token(f, token, newlines, ended);
            ended = false;
        }
    }
}

bool vg_format(vg_diags *diags, uint32_t index, vg_text *out) {
    vg_tree tree;
    vg_tree_init(&tree, diags->mem);
    const vg_tree_id root = vg_parse_file(&tree, diags, index);
    if (!root || vg_diags_status(diags)) return false;
    const vg_source source = diags->sources.list.items[index];
    vg_formatter f = { .mem = diags->mem, .tree = &tree, .text = source.text, .base = source.base };
    add_items(&f, diags, &source);
    vg_format_mark(&f, root);
    vg_format_layout(&f, out);
    vg_vec_free(f.mem, &f.items);
    return true;
}
