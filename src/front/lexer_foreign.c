/* What other languages write: reported, and read as it was meant. */
#include <string.h>

#include "front/lexer.h"
#include "model.h"

typedef struct vg_foreign { const char *text; int kind; const char *write; } vg_foreign;

static const vg_foreign foreign_operators[] = {
    { "&&", VG_T_AND, "and" },   { "&", VG_T_AND, "and" },      { "||", VG_T_OR, "or" },    { "|", VG_T_OR, "or" },
    { "!", VG_T_NOT, "not" },    { "**", VG_T_CARET, "^" },     { "===", VG_T_EQ, "==" },   { "!==", VG_T_NE, "!=" },
    { "<>", VG_T_NE, "!=" },     { "=<", VG_T_LE, "<=" },       { "=>", VG_T_GE, ">=" },    { ":=", VG_T_ASSIGN, "=" },
    { "->", VG_T_DOT, "." },     { "%", VG_T_SLASH, "mod(a, b)" },
    { ";", VG_T_COMMA, "," },   /* inside ( ) or [ ] */
    { "\xe2\x88\x92", VG_T_MINUS, "-" },   /* minus sign */
    { "\xe2\x80\x93", VG_T_MINUS, "-" },   /* en dash */
    { "\xc3\x97", VG_T_STAR, "*" },        /* multiplication sign */
    { "\xc2\xb7", VG_T_STAR, "*" },        /* middle dot */
    { "\xc3\xb7", VG_T_SLASH, "/" },       /* division sign */
    { "\xe2\x89\xa4", VG_T_LE, "<=" }, { "\xe2\x89\xa5", VG_T_GE, ">=" }, { "\xe2\x89\xa0", VG_T_NE, "!=" },
    { "\xe2\x80\xa6", VG_T_ELLIPSIS, "..." },
};

static bool token_is(const vg_lexer *lexer, const char *text) {
    const size_t length = (size_t)(lexer->cursor - lexer->start);
    return strlen(text) == length && memcmp(lexer->start, text, length) == 0;
}

/* 'text', or curly quotes: up to the closing one on the same line. */
static int foreign_string(vg_lexer *lexer, const char *close) {
    const char *end = lexer->cursor;
    while (end < lexer->limit && *end != '\n' && strncmp(end, close, strlen(close)) != 0) {
        end++;
    }
    lexer->cursor = end < lexer->limit && *end != '\n' ? end + strlen(close) : end;
    vg_report0(lexer->diags, foreign_quote, vg_lexer_span(lexer), 0);
    return VG_T_STRING;
}

static int foreign_comment(vg_lexer *lexer) {
    vg_report(lexer->diags, foreign_comment, vg_lexer_span(lexer), 0, vg_lexer_text(lexer));
    const char *end = lexer->start[1] == '*' ? strstr(lexer->cursor, "*/") : NULL;
    if (end) {
        lexer->cursor = end + 2;
        return VG_SCAN_BLANK;
    }
    while (lexer->cursor < lexer->limit && *lexer->cursor != '\n') {
        lexer->cursor++;
    }
    return VG_SCAN_BLANK;
}

int vg_lexer_foreign(vg_lexer *lexer) {
    for (size_t k = 0; k < sizeof foreign_operators / sizeof *foreign_operators; k++) {
        const vg_foreign *row = &foreign_operators[k];
        if (token_is(lexer, row->text)) {
            vg_report(lexer->diags, foreign_operator, vg_lexer_span(lexer), 0, row->text, row->write);
            return row->kind;
        }
    }
    if (token_is(lexer, "'") || token_is(lexer, "`")) {
        return foreign_string(lexer, *lexer->start == '`' ? "`" : "'");
    }
    if (token_is(lexer, "\xe2\x80\x9c") || token_is(lexer, "\xe2\x80\x9d")) {
        return foreign_string(lexer, "\xe2\x80\x9d");
    }
    if (token_is(lexer, "//") || token_is(lexer, "/*")) {
        return foreign_comment(lexer);
    }
    if (lexer->cursor[-1] == '=') {
        vg_report(lexer->diags, compound_assignment, vg_lexer_span(lexer), 0, vg_lexer_text(lexer));
        return VG_T_ASSIGN;
    }
    if (token_is(lexer, "\\")) {
        vg_report0(lexer->diags, line_continuation, vg_lexer_span(lexer), 0);
        const char *end = lexer->cursor + strspn(lexer->cursor, " \t\r");
        if (*end == '\n') lexer->cursor = end + 1;   /* read as it was meant */
        return VG_SCAN_BLANK;
    }
    const unsigned char *p = (const unsigned char *)lexer->start;
    lexer->spoiled = true;
    vg_report(lexer->diags, unknown_character, vg_lexer_span(lexer), 0,
              p[0] < 0x20 || p[0] == 0x7f ? "this control character" :
              memcmp(p, "\xc2\xa0", 2) == 0 ? "this no-break space" :
              vg_arena_format(&lexer->diags->arena, "'%s'", vg_lexer_text(lexer)));
    return VG_SCAN_BLANK;
}
