/* Text to tokens. The scanner (grammar/lexer.re) finds what stands next; vg_lexer_next decides which newlines end a
 * statement, keeps the open brackets, and says what is wrong with a token in the words of who meant well by it:
 * a mistake such as && is reported here and read as `and`, so that it gives one error. */
#ifndef VG_FRONT_LEXER_H
#define VG_FRONT_LEXER_H

#include "diag/diag.h"
#include "front/tree.h"

typedef struct vg_token {
    int     kind;       /* VG_T_... of the generated model.h; 0 is the end of the text */
    bool    first;      /* the first of its line */
    vg_span span;
    vg_str  name;       /* of a name or word: its text */
    double  number;
} vg_token;

typedef struct vg_bracket { char kind; uint32_t offset; } vg_bracket;   /* ( [ or { */

typedef struct vg_lexer {
    vg_diags   *diags;
    const char *text;           /* of the whole source */
    uint32_t    base;           /* offset of text[0] */
    const char *start;          /* of the token being scanned */
    const char *cursor;
    const char *limit;          /* the end; a NUL, or in an interpolation its closing brace */
    int         previous;       /* the kind of the token before */
    uint32_t    previous_end;
    bool        newline;        /* one was passed since that token */
    bool        stopped;        /* brackets too deep: the text ends here */
    bool        spoiled;        /* a character was left out: what follows in its statement need not fit */
    bool        held;           /* `token` was read already: an END came before it */
    vg_token    token;
    uint32_t    bracket_count;
    vg_bracket  brackets[VG_NESTING_LIMIT];
} vg_lexer;

/* What the scanner gives besides the grammar's tokens. */
enum {
    VG_SCAN_END = 0, VG_SCAN_NEWLINE = -1, VG_SCAN_BLANK = -2, VG_SCAN_NUMBER = -3, VG_SCAN_BAD_NUMBER = -4,
    VG_SCAN_STRING = -5, VG_SCAN_FOREIGN = -6, VG_SCAN_FRACTION = -7, VG_SCAN_STARSTAR = -8
};

/* Of source bytes [begin, end). The text must have passed vg_lexer_check. */
void vg_lexer_init(vg_lexer *lexer, vg_diags *diags, const vg_source *source, uint32_t begin, uint32_t end);
/* Whether the text is UTF-8 without a NUL; reports the first byte that is not. */
bool vg_lexer_check(vg_diags *diags, const vg_source *source);
vg_token vg_lexer_next(vg_lexer *lexer);
/* Reads `token` again, with only the first `brackets` brackets open. */
void vg_lexer_rewind(vg_lexer *lexer, vg_token token, uint32_t brackets);
/* Of the line, from 1, in characters. */
uint32_t vg_lexer_column(const vg_lexer *lexer, uint32_t offset);
/* Open brackets up to and with the innermost brace. */
uint32_t vg_lexer_braces(const vg_lexer *lexer);
/* From the opening quote: behind the closing one, or NULL when the line ends before it. `braces`, when not NULL, is
 * set when an interpolation was opened. */
const char *vg_lexer_string(const char *quote, const char *limit, bool *braces);
/* From behind an interpolation's { : its closing brace, or NULL. */
const char *vg_lexer_interpolation(const char *text, const char *limit);

/* The token being scanned: its place, a copy of its text. */
vg_span vg_lexer_span(const vg_lexer *lexer);
const char *vg_lexer_text(const vg_lexer *lexer);
/* lexer_foreign.c: reports the token; the kind it is read as, or VG_SCAN_BLANK. */
int vg_lexer_foreign(vg_lexer *lexer);

/* The scanner: sets start and cursor, returns the kind. */
int vg_lexer_scan(vg_lexer *lexer);

#endif
