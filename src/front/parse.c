/* Text to tree: feeds tokens to the machine, and after an error goes on behind the statement that it stands in, so
 * that one mistake gives one error and the next is still found. */
#include "front/parser.h"

#include <stdio.h>

#include "model.h"

/* ---- lists. What an abandoned statement left in the scratch lies above the lists that go on, and is cut off when
 * these grow. */

vg_items vg_parser_items(vg_parser *parser) {
    return (vg_items){ parser->scratch.count, 0 };
}

void vg_parser_push(vg_parser *parser, vg_items *items, vg_tree_id item) {
    parser->scratch.count = items->first + items->count;
    vg_vec_push(parser->tree->mem, &parser->scratch, item);
    items->count++;
}

vg_items vg_parser_first(vg_parser *parser, vg_tree_id item) {
    vg_items items = vg_parser_items(parser);
    vg_parser_push(parser, &items, item);
    return items;
}

uint32_t vg_parser_list(vg_parser *parser, vg_items items) {
    parser->scratch.count = items.first;
    return items.count ? vg_tree_list(parser->tree, parser->scratch.items + items.first, items.count) : 0;
}

/* ---- nodes */

vg_tree_id vg_parser_node(vg_parser *parser, vg_kind kind, uint32_t begin, uint32_t a, uint32_t b, uint32_t c) {
    const vg_span span = { begin, parser->previous.span.end };
    const vg_tree_id id = vg_tree_add(parser->tree, kind, span, a, b, c);
    uint16_t *depth = &parser->tree->depth.items[id];
    if (*depth > VG_DEPTH_LIMIT && *depth != VG_DEPTH_BROKEN) {
        char limit[16];
        snprintf(limit, sizeof limit, "%d", VG_DEPTH_LIMIT);
        vg_report(parser->diags, nested_too_deep, span, 0, limit);
        *depth = VG_DEPTH_BROKEN;
    }
    return id;
}

vg_tree_id vg_parser_name(vg_parser *parser, vg_token token) {
    return vg_tree_add(parser->tree, VG_K_name, token.span, token.name, 0, 0);
}

vg_tree_id vg_parser_number(vg_parser *parser, vg_token token) {
    vg_vec_push(parser->tree->mem, &parser->tree->numbers, token.number);
    return vg_tree_add(parser->tree, VG_K_number, token.span, parser->tree->numbers.count - 1, 0, 0);
}

vg_tree_id vg_parser_block(vg_parser *parser, vg_items statements) {
    const vg_lexer *lexer = &parser->lexer;
    const vg_span span = { lexer->base, lexer->base + (uint32_t)(lexer->limit - lexer->text) };
    return vg_tree_add(parser->tree, VG_K_block, span, vg_parser_list(parser, statements), 0, 0);
}

void vg_parser_statement(vg_parser *parser, vg_items *statements, vg_tree_id statement) {
    vg_tree *tree = parser->tree;
    if (tree->depth.items[statement] == VG_DEPTH_BROKEN) {
        const vg_tree_id bound = tree->a.items[statement];
        const vg_kind kind = vg_tree_kind(tree, statement);
        const bool names = kind != VG_K_summary && kind != VG_K_for && vg_tree_kind(tree, bound) == VG_K_name;
        statement = vg_tree_add(tree, VG_K_error, vg_tree_span(tree, statement), names ? bound : 0, 0, 0);
    }
    vg_parser_push(parser, statements, statement);
}

void vg_parser_mistake(vg_parser *parser, vg_items *statements) {
    const vg_start *start = &parser->mistake;
    const vg_tree_id name = start->bound.kind ? vg_parser_name(parser, start->bound) : 0;
    vg_parser_push(parser, statements, vg_parser_node(parser, VG_K_error, start->first.span.begin, name, 0, 0));
}

void vg_parser_overflow(vg_parser *parser) {
    char limit[16];
    snprintf(limit, sizeof limit, "%d", VG_DEPTH_LIMIT);
    vg_report(parser->diags, nested_too_deep, parser->previous.span, 0, limit);
    parser->failed = true;
}

/* ---- tokens */

static bool binds_next(int kind) {
    return kind == VG_T_CONST || kind == VG_T_DATA || kind == VG_T_INPUT || kind == VG_T_VAR || kind == VG_T_STATE ||
           kind == VG_T_DEF || kind == VG_T_LAYER || kind == VG_T_INITIALIZER || kind == VG_T_OPTIMIZER;
}

static vg_token next_token(vg_parser *parser) {
    parser->brackets = parser->lexer.bracket_count;
    parser->level = vg_lexer_braces(&parser->lexer);
    return vg_lexer_next(&parser->lexer);
}

/* Keeps account of how the statement at this level begins; after the machine has seen the token. */
static void follow(vg_parser *parser, vg_token token) {
    vg_start *start = &parser->starts[parser->level];
    if (token.kind == VG_T_END) {
        start->count = 0;
        parser->lexer.spoiled = false;
        return;
    }
    if (start->count == 0) {
        *start = (vg_start){ .first = token, .settings = start->settings };
    }
    const bool names = start->count == 0 || (start->count == 1 && binds_next(start->first.kind));
    if (names && token.kind == VG_T_NAME) {
        start->bound = token;
    }
    if (token.first && start->count > 0 && parser->brackets == parser->level) {
        start->joined = token;
        start->joined_end = parser->previous.span.end;
    }
    start->count++;
    if (token.kind == VG_T_LBRACE && parser->lexer.bracket_count > parser->brackets) {
        parser->starts[parser->lexer.bracket_count] = (vg_start){ .settings = start->first.kind == VG_T_TRAIN };
    }
}

static void feed(vg_parser *parser, vg_token token) {
    vg_grammar(parser->machine, token.kind, token);
    follow(parser, token);
    parser->previous = token;
}

/* A token that the text lacks, at the end of the one before. */
static void feed_missing(vg_parser *parser, int kind) {
    const uint32_t end = parser->previous.span.end;
    feed(parser, (vg_token){ .kind = kind, .span = { end, end } });
}

static bool closes(int kind) {
    return kind == VG_T_RPAREN || kind == VG_T_RBRACKET || kind == VG_T_RBRACE;
}

/* Whether a ( or [ was left open: `token` begins a line within it that is indented no further than the statement. */
static bool left_open(const vg_parser *parser, vg_token token, uint32_t level) {
    bool open = false;
    for (uint32_t k = level; k < parser->brackets; k++) {
        open |= parser->lexer.brackets[k].kind != '{';
    }
    if (!token.first || !open || closes(token.kind)) {
        return false;
    }
    const vg_start *start = &parser->mistake;
    const uint32_t indent = start->count ? vg_lexer_column(&parser->lexer, start->first.span.begin) : 1;
    return vg_lexer_column(&parser->lexer, token.span.begin) <= indent;
}

/* Passes over the rest of the statement in which `token` was wrong: to the line that turned out to be the next
 * statement; to the end of its line outside of brackets, to
 * the brace that closes its block, or, where a bracket was left open, to a line that is indented no further than the
 * statement. */
static void recover(vg_parser *parser, vg_token token) {
    const uint32_t level = parser->level;
    parser->mistaken = false;
    if (token.kind == VG_T_END) {
        return;   /* the machine took it for the end of the statement */
    }
    if (parser->resume.kind) {
        vg_lexer_rewind(&parser->lexer, parser->resume, level);
        token.kind = 0;
    }
    while (token.kind != 0) {
        if (token.kind == VG_T_END && parser->lexer.bracket_count == level) {
            break;
        }
        if (token.kind == VG_T_RBRACE && parser->lexer.bracket_count < level) {
            feed_missing(parser, VG_T_END);
            feed(parser, token);
            return;
        }
        if (left_open(parser, token, level)) {
            vg_lexer_rewind(&parser->lexer, token, level);
            break;
        }
        parser->previous = token;
        token = next_token(parser);
    }
    parser->lexer.bracket_count = level;
    parser->level = level;
    feed_missing(parser, VG_T_END);
}

/* The braces that are still open: one mistake, so one error. */
static void report_open_braces(vg_parser *parser) {
    const vg_lexer *lexer = &parser->lexer;
    bool first = true;
    for (uint32_t k = lexer->bracket_count; k-- > 0;) {
        const vg_span span = { lexer->brackets[k].offset, lexer->brackets[k].offset + 1 };
        if (lexer->brackets[k].kind == '{' && first) {
            vg_report(parser->diags, unclosed_bracket, span, 0, "{", "}");
            first = false;
        } else if (lexer->brackets[k].kind == '{') {
            vg_diags_note(parser->diags, span, "this one is open too");
        }
    }
}

/* Ends the text, and closes what was left open. */
static void finish(vg_parser *parser) {
    if (parser->previous.kind != VG_T_END) {
        feed_missing(parser, VG_T_END);
    }
    vg_lexer *lexer = &parser->lexer;
    if (!parser->mistaken && !parser->failed) {
        report_open_braces(parser);
    }
    while (!parser->failed && vg_lexer_braces(lexer)) {
        lexer->bracket_count = vg_lexer_braces(lexer) - 1;
        feed_missing(parser, VG_T_RBRACE);
        parser->level = vg_lexer_braces(lexer);
        feed_missing(parser, VG_T_END);
    }
    feed_missing(parser, 0);
}

static void parse(vg_parser *parser, int mode) {
    parser->mode = mode;
    const uint32_t begin = parser->lexer.base + (uint32_t)(parser->lexer.cursor - parser->lexer.text);
    vg_grammar(parser->machine, mode, (vg_token){ .kind = mode, .span = { begin, begin } });
    parser->previous = (vg_token){ .kind = VG_T_END, .span = { begin, begin } };
    vg_token token = next_token(parser);
    while (token.kind != 0 && !parser->failed) {
        feed(parser, token);
        if (parser->mistaken && !parser->failed) {
            recover(parser, token);
        }
        token = next_token(parser);
    }
    if (parser->lexer.stopped || parser->failed) {
        parser->root = 0;
        return;
    }
    finish(parser);
    if (parser->failed || (parser->root && parser->tree->depth.items[parser->root] == VG_DEPTH_BROKEN)) {
        parser->root = 0;
    }
}

/* Makes the parser ready for bytes [begin, end) of a source; its scratch and its machine are used again. */
static void prepare(vg_parser *parser, const vg_source *source, uint32_t begin, uint32_t end) {
    vg_lexer_init(&parser->lexer, parser->diags, source, begin, end);
    if (parser->machine) {
        vg_grammarInit(parser->machine, parser);
    } else {
        parser->machine = vg_grammar_new(parser);
    }
    parser->scratch.count = 0;
    parser->root = 0;
    parser->level = 0;
    parser->starts[0] = (vg_start){ .count = 0 };
    parser->mistaken = parser->failed = false;
}

static vg_parser *parser_new(vg_tree *tree, vg_diags *diags, uint32_t depth) {
    vg_parser *parser = vg_mem_alloc(tree->mem, sizeof *parser);
    parser->tree = tree;
    parser->diags = diags;
    parser->depth = depth;
    return parser;
}

static void parser_free(vg_parser *parser) {
    vg_mem *mem = parser->tree->mem;
    if (parser->inner) {
        parser_free(parser->inner);
    }
    vg_vec_free(mem, &parser->scratch);
    vg_mem_free(mem, parser->machine);
    vg_mem_free(mem, parser);
}

vg_tree_id vg_parser_inner(vg_parser *parser, const char *begin, const char *end) {
    if (!parser->inner) {
        parser->inner = parser_new(parser->tree, parser->diags, parser->depth + 1);
    }
    const char *text = parser->lexer.text;
    const vg_source source = { .text = text, .base = parser->lexer.base };
    prepare(parser->inner, &source, (uint32_t)(begin - text), (uint32_t)(end - text));
    parse(parser->inner, VG_T_AS_EXPRESSION);
    return parser->inner->root;
}

static vg_tree_id parse_source(vg_tree *tree, vg_diags *diags, uint32_t index, int mode) {
    const vg_source source = diags->sources.list.items[index];
    if (!vg_lexer_check(diags, &source)) {
        return 0;
    }
    vg_parser *parser = parser_new(tree, diags, 0);
    prepare(parser, &source, 0, source.length);
    parse(parser, mode);
    const vg_tree_id root = parser->root;
    parser_free(parser);
    return root;
}

vg_tree_id vg_parse_file(vg_tree *tree, vg_diags *diags, uint32_t source) {
    return parse_source(tree, diags, source, VG_T_AS_FILE);
}

vg_tree_id vg_parse_expression(vg_tree *tree, vg_diags *diags, uint32_t source) {
    return parse_source(tree, diags, source, VG_T_AS_EXPRESSION);
}

vg_tree_id vg_parse_summary(vg_tree *tree, vg_diags *diags, uint32_t source) {
    return parse_source(tree, diags, source, VG_T_AS_SUMMARY);
}
