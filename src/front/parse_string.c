/* Strings: text, escapes, and the expressions within { }, parsed where they stand. */
#include "front/parser.h"

#include "model.h"

/* A node in the place of a string that was reported: its statement becomes VG_K_error. */
static vg_tree_id broken(vg_parser *parser, vg_span span) {
    const vg_tree_id id = vg_tree_add(parser->tree, VG_K_error, span, 0, 0, 0);
    parser->tree->depth.items[id] = VG_DEPTH_BROKEN;
    return id;
}

/* The character that \c stands for; 0 when there is none. */
static char escape(char c) {
    switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case '"': case '\\': case '{': case '}': return c;
    default:  return 0;
    }
}

typedef struct vg_pieces { vg_items items; vg_text text; uint32_t begin; bool wrong; } vg_pieces;

/* The text so far becomes a part that ends before `end`. */
static void end_text(vg_parser *parser, vg_pieces *pieces, uint32_t end) {
    if (pieces->text.length) {
        const vg_str text = vg_strings_add(parser->diags->strings, pieces->text.text, pieces->text.length);
        const vg_span span = { pieces->begin, end };
        vg_parser_push(parser, &pieces->items, vg_tree_add(parser->tree, VG_K_string_text, span, text, 0, 0));
        pieces->text.length = 0;
    }
}

static const char *read_escape(vg_parser *parser, vg_pieces *pieces, const char *p, uint32_t offset) {
    const char character = escape(p[1]);
    if (character) {
        vg_text_add(&pieces->text, &character, 1);
    } else {
        const char text[] = { '\\', p[1] >= ' ' && p[1] < 0x7f ? p[1] : '\0', '\0' };
        vg_report(parser->diags, string_escape, ((vg_span){ offset, offset + 2 }), 0, text);
        pieces->wrong = true;
    }
    return p + 2;
}

vg_tree_id vg_parser_string(vg_parser *parser, vg_span span) {
    const vg_lexer *lexer = &parser->lexer;
    const char *p = lexer->text + (span.begin - lexer->base);
    const char *limit = lexer->text + (span.end - lexer->base);
    if (*p != '"' || !vg_lexer_string(p, limit, NULL)) {
        return broken(parser, span);   /* reported by the lexer */
    }
    vg_pieces pieces = { vg_parser_items(parser), vg_text_new(parser->tree->mem), span.begin + 1, false };
    for (p++; *p != '"';) {
        const uint32_t offset = lexer->base + (uint32_t)(p - lexer->text);
        if (*p == '\\') {
            p = read_escape(parser, &pieces, p, offset);
        } else if (*p == '{') {
            end_text(parser, &pieces, offset);
            const char *end = vg_lexer_interpolation(p + 1, limit);
            const vg_tree_id part = vg_parser_inner(parser, p + 1, end);
            pieces.wrong |= part == 0;
            vg_parser_push(parser, &pieces.items, part);
            p = end + 1;
            pieces.begin = lexer->base + (uint32_t)(p - lexer->text);
        } else {
            vg_text_add(&pieces.text, p++, 1);
        }
    }
    end_text(parser, &pieces, span.end - 1);
    vg_text_free(&pieces.text);
    const uint32_t parts = vg_parser_list(parser, pieces.items);
    return pieces.wrong ? broken(parser, span) : vg_tree_add(parser->tree, VG_K_string, span, parts, 0, 0);
}
