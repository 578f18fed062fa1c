/* What the parser's files share: parse.c drives the machine that Lemon makes of grammar/model.y, whose actions call
 * the functions below; parse_error.c words the mistakes; parse_string.c takes strings apart. */
#ifndef VG_FRONT_PARSER_H
#define VG_FRONT_PARSER_H

#include "front/lexer.h"
#include "front/tree.h"

/* A list being built: items behind each other in parser->scratch. */
typedef struct vg_items { uint32_t first, count; } vg_items;
typedef struct vg_target { vg_tree_id name; uint32_t indices; } vg_target;

/* How a statement begins. */
typedef struct vg_start {
    vg_token first;
    vg_token bound;     /* the name it would bind; kind 0: none */
    vg_token joined;    /* the last token that began a line, though it did not begin the statement; kind 0: none */
    uint32_t joined_end;/* of the token before that one */
    uint32_t count;     /* its tokens so far */
    bool     settings;  /* of a train block */
} vg_start;

typedef struct vg_parser vg_parser;
struct vg_parser {
    vg_tree   *tree;
    vg_diags  *diags;
    vg_lexer   lexer;
    void      *machine;
    vg_parser *inner;       /* for interpolations: made once, used again */
    int        mode;        /* VG_T_AS_...: what is being parsed */
    uint32_t   depth;       /* interpolations around this text */
    VG_VEC(vg_tree_id) scratch;
    vg_tree_id root;
    vg_token   previous;    /* the token before the one that the machine is given */
    uint32_t   brackets;    /* open before that one */
    uint32_t   level;       /* of these, up to the innermost brace: where its statement stands */
    vg_start   mistake;     /* the statement of the last error */
    vg_token   resume;      /* where the next statement begins, when the error showed that; else kind 0 */
    bool       mistaken;    /* an error came with the token just given */
    bool       failed;      /* beyond recovery */
    vg_start   starts[VG_NESTING_LIMIT + 1];   /* the statement going on at each level */
};

/* ---- parse.c, for the grammar's actions */
vg_items   vg_parser_items(vg_parser *parser);                           /* an empty list */
vg_items   vg_parser_first(vg_parser *parser, vg_tree_id item);
void       vg_parser_push(vg_parser *parser, vg_items *items, vg_tree_id item);
uint32_t   vg_parser_list(vg_parser *parser, vg_items items);            /* moved into the tree */
/* A node from `begin` to the end of the last token that was shifted. */
vg_tree_id vg_parser_node(vg_parser *parser, vg_kind kind, uint32_t begin, uint32_t a, uint32_t b, uint32_t c);
vg_tree_id vg_parser_name(vg_parser *parser, vg_token token);
vg_tree_id vg_parser_number(vg_parser *parser, vg_token token);
vg_tree_id vg_parser_block(vg_parser *parser, vg_items statements);      /* of the whole text */
void       vg_parser_statement(vg_parser *parser, vg_items *statements, vg_tree_id statement);
void       vg_parser_mistake(vg_parser *parser, vg_items *statements);   /* in the place of what did not parse */
void       vg_parser_overflow(vg_parser *parser);
/* Parses bytes [begin, end) of the source as an expression, at their true places; 0 after an error. */
vg_tree_id vg_parser_inner(vg_parser *parser, const char *begin, const char *end);

/* ---- parse_string.c */
vg_tree_id vg_parser_string(vg_parser *parser, vg_span span);

/* ---- parse_error.c */
void       vg_parser_error(vg_parser *parser, const void *machine, vg_token found);

/* ---- grammar/model.y */
void *vg_grammar_new(vg_parser *parser);
void  vg_grammarInit(void *machine, vg_parser *parser);
void  vg_grammar(void *machine, int kind, vg_token token);
bool  vg_grammar_accepts(const void *machine, int kind);   /* next, as things stand */

#endif
