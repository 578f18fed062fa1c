/* Tokens from what the scanner found (lexer.h): newlines, brackets, numbers, strings, and the readings of what
 * other languages write. */
#include "front/lexer.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { STRING_DEPTH = 8 };   /* strings within interpolations within strings */

static uint32_t offset_of(const vg_lexer *lexer, const char *text) {
    return lexer->base + (uint32_t)(text - lexer->text);
}

static vg_span token_span(const vg_lexer *lexer) {
    return (vg_span){ offset_of(lexer, lexer->start), offset_of(lexer, lexer->cursor) };
}

void vg_lexer_init(vg_lexer *lexer, vg_diags *diags, const vg_source *source, uint32_t begin, uint32_t end) {
    *lexer = (vg_lexer){ .diags = diags, .text = source->text, .base = source->base };
    lexer->cursor = source->text + begin;
    lexer->limit = source->text + end;
    lexer->previous = VG_T_END;
    if (begin == 0 && end >= 3 && memcmp(lexer->cursor, "\xef\xbb\xbf", 3) == 0) {
        lexer->cursor += 3;   /* a byte order mark */
    }
    lexer->newline = true;
}

/* The length of the UTF-8 character at `p`, 0 when it is none (RFC 3629: no surrogates, nothing overlong). */
static size_t character_length(const unsigned char *p) {
    const unsigned char lead = p[0];
    if (lead < 0x80) {
        return lead != 0;
    }
    const size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    for (size_t k = 1; k < length; k++) {
        if ((p[k] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool wrong = (lead == 0xe0 && p[1] < 0xa0) || (lead == 0xed && p[1] > 0x9f) ||
                       (lead == 0xf0 && p[1] < 0x90) || (lead == 0xf4 && p[1] > 0x8f);
    return wrong ? 0 : length;
}

bool vg_lexer_check(vg_diags *diags, const vg_source *source) {
    const unsigned char *const text = (const unsigned char *)source->text;
    for (size_t at = 0, length; at < source->length; at += length) {
        length = character_length(text + at);
        if (length == 0) {
            char byte[8];
            snprintf(byte, sizeof byte, "0x%02x", text[at]);
            const uint32_t begin = source->base + (uint32_t)at;
            vg_report(diags, text_encoding, ((vg_span){ begin, begin + 1 }), 0, byte);
            return false;
        }
    }
    return true;
}

/* ---- numbers */

static int number(vg_lexer *lexer, vg_token *token) {
    char digits[64];
    size_t length = 0;
    const size_t source_length = (size_t)(lexer->cursor - lexer->start);
    char *text = source_length < sizeof digits ? digits : vg_mem_alloc(lexer->diags->mem, source_length + 1);
    for (const char *p = lexer->start; p < lexer->cursor; p++) {
        if (*p != '_') {
            text[length++] = *p;
        }
    }
    text[length] = '\0';
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);   /* the host's locale may write 0,5 */
    token->number = strtod_l(text, NULL, c);
    freelocale(c);
    if (text != digits) {
        vg_mem_free(lexer->diags->mem, text);
    }
    if (isinf(token->number)) {
        vg_report0(lexer->diags, number_too_large, token_span(lexer), 0);
        token->number = 0;
    }
    return VG_T_NUMBER;
}

static const char *token_text(const vg_lexer *lexer) {
    return vg_arena_copy(&lexer->diags->arena, lexer->start, (size_t)(lexer->cursor - lexer->start));
}

static int bad_number(vg_lexer *lexer) {
    vg_report(lexer->diags, bad_number, token_span(lexer), 0, token_text(lexer));
    return VG_T_NUMBER;
}

/* ---- strings */

static const char *skip_string(const char *p, const char *limit, bool *braces, int depth);

static const char *skip_interpolation(const char *p, const char *limit, int depth) {
    for (uint32_t open = 0; p && p < limit && *p != '\n' && depth < STRING_DEPTH;) {
        if (*p == '"') {
            p = skip_string(p, limit, NULL, depth + 1);
            continue;
        }
        if (*p == '}' && open-- == 0) {
            return p;
        }
        open += *p == '{';
        p++;
    }
    return NULL;
}

static const char *skip_string(const char *p, const char *limit, bool *braces, int depth) {
    for (p++; p && p < limit && *p != '\n'; p++) {
        if (*p == '"') {
            return p + 1;
        }
        if (*p == '\\' && p + 1 < limit && p[1] != '\n') {
            p++;
        } else if (*p == '{') {
            if (braces) *braces = true;
            p = skip_interpolation(p + 1, limit, depth);
            if (!p) {
                return NULL;
            }
        }
    }
    return NULL;
}

const char *vg_lexer_string(const char *quote, const char *limit, bool *braces) {
    return skip_string(quote, limit, braces, 0);
}

const char *vg_lexer_interpolation(const char *text, const char *limit) {
    return skip_interpolation(text, limit, 0);
}

static int string(vg_lexer *lexer) {
    bool braces = false;
    const char *end = vg_lexer_string(lexer->start, lexer->limit, &braces);
    if (end) {
        lexer->cursor = end;
        return VG_T_STRING;
    }
    end = lexer->start;
    while (end < lexer->limit && *end != '\n') {
        end++;
    }
    lexer->cursor = end;
    vg_report0(lexer->diags, unterminated_string, token_span(lexer), 0);
    if (braces) {
        vg_diags_note(lexer->diags, (vg_span){ 0, 0 }, "a '{' in a string begins an expression that '}' ends; a brace itself is written '\\{'");
    }
    return VG_T_STRING;
}

/* ---- what other languages write */

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
    vg_report0(lexer->diags, foreign_quote, token_span(lexer), 0);
    return VG_T_STRING;
}

static int foreign_comment(vg_lexer *lexer) {
    vg_report(lexer->diags, foreign_comment, token_span(lexer), 0, token_text(lexer));
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

static int foreign(vg_lexer *lexer) {
    for (size_t k = 0; k < sizeof foreign_operators / sizeof *foreign_operators; k++) {
        const vg_foreign *row = &foreign_operators[k];
        if (token_is(lexer, row->text)) {
            vg_report(lexer->diags, foreign_operator, token_span(lexer), 0, row->text, row->write);
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
        vg_report(lexer->diags, compound_assignment, token_span(lexer), 0, token_text(lexer));
        return VG_T_ASSIGN;
    }
    if (token_is(lexer, "\\")) {
        vg_report0(lexer->diags, line_continuation, token_span(lexer), 0);
        const char *end = lexer->cursor + strspn(lexer->cursor, " \t\r");
        if (*end == '\n') lexer->cursor = end + 1;   /* read as it was meant */
        return VG_SCAN_BLANK;
    }
    const unsigned char *p = (const unsigned char *)lexer->start;
    lexer->spoiled = true;
    vg_report(lexer->diags, unknown_character, token_span(lexer), 0,
              p[0] < 0x20 || p[0] == 0x7f ? "this control character" :
              memcmp(p, "\xc2\xa0", 2) == 0 ? "this no-break space" :
              vg_arena_format(&lexer->diags->arena, "'%s'", token_text(lexer)));
    return VG_SCAN_BLANK;
}

/* ---- brackets and newlines */

static char bracket_of(int kind) {
    return kind == VG_T_LPAREN || kind == VG_T_RPAREN ? '(' : kind == VG_T_LBRACKET || kind == VG_T_RBRACKET ? '[' : '{';
}

uint32_t vg_lexer_braces(const vg_lexer *lexer) {
    uint32_t count = lexer->bracket_count;
    while (count && lexer->brackets[count - 1].kind != '{') {
        count--;
    }
    return count;
}

static void open_bracket(vg_lexer *lexer, const vg_token *token) {
    if (lexer->bracket_count == VG_NESTING_LIMIT) {
        char limit[16];
        snprintf(limit, sizeof limit, "%d", VG_NESTING_LIMIT);
        vg_report(lexer->diags, brackets_too_deep, token->span, 0, limit);
        lexer->stopped = true;
        return;
    }
    lexer->brackets[lexer->bracket_count++] = (vg_bracket){ bracket_of(token->kind), token->span.begin };
}

/* Takes what it closes away, with unclosed ones inside; a ) or ] does not reach beyond its block's brace. */
static void close_bracket(vg_lexer *lexer, int kind) {
    const uint32_t floor = kind == VG_T_RBRACE ? 0 : vg_lexer_braces(lexer);
    for (uint32_t k = lexer->bracket_count; k-- > floor;) {
        if (lexer->brackets[k].kind == bracket_of(kind)) {
            lexer->bracket_count = k;
            return;
        }
    }
}

static bool inside_brackets(const vg_lexer *lexer) {
    return lexer->bracket_count && lexer->brackets[lexer->bracket_count - 1].kind != '{';
}

/* Words that begin a statement are names elsewhere and can end one; those that are never names cannot. */
static bool ends_statement(int kind) {
    static const int continuing[] = {
        VG_T_END, VG_T_VAR, VG_T_FOR, VG_T_IN, VG_T_IF, VG_T_THEN, VG_T_ELSE, VG_T_AND, VG_T_OR, VG_T_NOT, VG_T_LPAREN,
        VG_T_LBRACKET, VG_T_LBRACE, VG_T_COMMA, VG_T_COLON, VG_T_TILDE, VG_T_DOT, VG_T_RANGE, VG_T_ASSIGN, VG_T_EQ,
        VG_T_NE, VG_T_LT, VG_T_LE, VG_T_GT, VG_T_GE, VG_T_PLUS, VG_T_MINUS, VG_T_STAR, VG_T_SLASH, VG_T_MATMUL, VG_T_CARET,
    };
    for (size_t k = 0; k < sizeof continuing / sizeof *continuing; k++) {
        if (continuing[k] == kind) {
            return false;
        }
    }
    return true;
}

/* What the scanner's answer is, as a token of the grammar; or a blank. */
static int classify(vg_lexer *lexer, int kind, vg_token *token) {
    switch (kind) {
    case VG_T_END:
        return inside_brackets(lexer) ? foreign(lexer) : kind;
    case VG_SCAN_NUMBER:
        return number(lexer, token);
    case VG_SCAN_FRACTION:
        if (ends_statement(lexer->previous)) {
            lexer->cursor = lexer->start + 1;
            return VG_T_DOT;
        }
        return bad_number(lexer);
    case VG_SCAN_BAD_NUMBER:
        return bad_number(lexer);
    case VG_SCAN_STRING:
        return string(lexer);
    case VG_SCAN_STARSTAR:
        return lexer->previous == VG_T_DOT ? VG_T_STARSTAR : foreign(lexer);
    case VG_SCAN_FOREIGN:
        return foreign(lexer);
    default:
        return kind;
    }
}

static bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* The next token of the text, newlines and comments passed over. */
static vg_token scan_token(vg_lexer *lexer) {
    vg_token token = { 0 };
    int kind = VG_SCAN_BLANK;
    while (kind < 0 && lexer->cursor < lexer->limit && !lexer->stopped) {
        kind = vg_lexer_scan(lexer);
        lexer->newline |= kind == VG_SCAN_NEWLINE;
        kind = classify(lexer, kind, &token);
        if (lexer->cursor > lexer->limit) {
            lexer->cursor = lexer->limit;
        }
    }
    if (kind <= 0) {
        lexer->start = lexer->cursor = lexer->limit;
        lexer->newline = true;
        kind = 0;
    }
    token.kind = kind;
    token.first = lexer->newline;
    token.span = token_span(lexer);
    if (kind > 0 && begins_name(lexer->start[0])) {
        token.name = vg_strings_add(lexer->diags->strings, lexer->start, (size_t)(lexer->cursor - lexer->start));
    }
    return token;
}

/* Whether the newlines passed end the statement before `next`. */
static bool ends_line(vg_lexer *lexer, const vg_token *next) {
    if (!next->first || inside_brackets(lexer) || !ends_statement(lexer->previous) || next->kind == VG_T_ELSE || next->kind == VG_T_THEN) {
        return false;
    }
    if (next->kind == VG_T_LBRACE) {
        vg_report0(lexer->diags, brace_on_next_line, next->span, 0);
        return false;
    }
    return true;
}

vg_token vg_lexer_next(vg_lexer *lexer) {
    vg_token token = lexer->held ? lexer->token : scan_token(lexer);
    if (!lexer->held && ends_line(lexer, &token)) {
        lexer->held = true;
        lexer->token = token;
        lexer->previous = VG_T_END;
        return (vg_token){ .kind = VG_T_END, .span = { lexer->previous_end, lexer->previous_end } };
    }
    lexer->held = false;
    lexer->newline = false;
    switch (token.kind) {
    case VG_T_LPAREN: case VG_T_LBRACKET: case VG_T_LBRACE:
        open_bracket(lexer, &token);
        break;
    case VG_T_RPAREN: case VG_T_RBRACKET: case VG_T_RBRACE:
        close_bracket(lexer, token.kind);
        break;
    default:
        break;
    }
    const bool star_name = token.kind == VG_T_STAR && lexer->previous == VG_T_DOT;
    lexer->previous = star_name ? VG_T_NAME : token.kind;
    lexer->previous_end = token.span.end;
    return token;
}

uint32_t vg_lexer_column(const vg_lexer *lexer, uint32_t offset) {
    uint32_t column = 1;
    for (const char *p = lexer->text + (offset - lexer->base); p > lexer->text && p[-1] != '\n'; p--) {
        column += ((unsigned char)p[-1] & 0xc0) != 0x80;
    }
    return column;
}

void vg_lexer_rewind(vg_lexer *lexer, vg_token token, uint32_t brackets) {
    lexer->cursor = lexer->text + (token.span.begin - lexer->base);
    lexer->bracket_count = brackets;
    lexer->previous = VG_T_END;
    lexer->held = false;
    lexer->newline = token.first;
}
