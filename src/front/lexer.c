/* Tokens from what the scanner found (lexer.h): newlines, brackets, numbers, strings, and the readings of what
 * other languages write. */
#include "front/lexer.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/dataset.h"
#include "model.h"

enum { STRING_DEPTH = 8 };   /* strings within interpolations within strings */

static uint32_t offset_of(const vg_lexer *lexer, const char *text) {
    return lexer->base + (uint32_t)(text - lexer->text);
}

vg_span vg_lexer_span(const vg_lexer *lexer) {
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
    const size_t length = lead < 0xc2 || lead >= 0xf5 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
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
        vg_report0(lexer->diags, number_too_large, vg_lexer_span(lexer), 0);
        token->number = 0;
    }
    return VG_T_NUMBER;
}

const char *vg_lexer_text(const vg_lexer *lexer) {
    return vg_arena_copy(&lexer->diags->arena, lexer->start, (size_t)(lexer->cursor - lexer->start));
}

static int bad_number(vg_lexer *lexer) {
    vg_report(lexer->diags, bad_number, vg_lexer_span(lexer), 0, vg_lexer_text(lexer));
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
    vg_report0(lexer->diags, unterminated_string, vg_lexer_span(lexer), 0);
    if (braces) {
        vg_diags_note(lexer->diags, (vg_span){ 0, 0 },
                      "a '{' in a string begins an expression that '}' ends; a brace itself is written '\\{'");
    }
    return VG_T_STRING;
}

/* ---- brackets and newlines */

static char bracket_of(int kind) {
    const bool round = kind == VG_T_LPAREN || kind == VG_T_RPAREN;
    const bool square = kind == VG_T_LBRACKET || kind == VG_T_RBRACKET;
    return round ? '(' : square ? '[' : '{';
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
        VG_T_NE, VG_T_LT, VG_T_LE, VG_T_GT, VG_T_GE, VG_T_PLUS, VG_T_MINUS, VG_T_STAR, VG_T_SLASH, VG_T_MATMUL,
        VG_T_CARET,
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
        return inside_brackets(lexer) ? vg_lexer_foreign(lexer) : kind;
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
        return lexer->previous == VG_T_DOT ? VG_T_STARSTAR : vg_lexer_foreign(lexer);
    case VG_SCAN_FOREIGN:
        return vg_lexer_foreign(lexer);
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
    token.span = vg_lexer_span(lexer);
    if (kind > 0 && begins_name(lexer->start[0])) {
        token.name = vg_strings_add(lexer->diags->strings, lexer->start, (size_t)(lexer->cursor - lexer->start));
    }
    return token;
}

/* Whether the newlines passed end the statement before `next`. */
static bool ends_line(vg_lexer *lexer, const vg_token *next) {
    const bool goes_on = next->kind == VG_T_ELSE || next->kind == VG_T_THEN || !ends_statement(lexer->previous);
    if (!next->first || goes_on || inside_brackets(lexer)) {
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

uint32_t vg_name_length(const char *text) {
    vg_lexer lexer = { .cursor = text };
    return vg_lexer_scan(&lexer) == VG_T_NAME ? (uint32_t)(lexer.cursor - text) : 0;
}
