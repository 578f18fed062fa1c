/* What a syntax error is called: first the mistakes that people make, each by its own name, then what the grammar
 * would have taken in place of what was found. */
#include "front/parser.h"

#include <string.h>

#include "diag/suggest.h"
#include "model.h"

enum { SHOWN = 40 };   /* bytes of a token in a message */

typedef struct vg_word { const char *word, *advice; } vg_word;

static const vg_word foreign_words[] = {
    { "elif",     "write 'else if'" },
    { "elsif",    "write 'else if'" },
    { "elseif",   "write 'else if'" },
    { "while",    "loops are 'for i in 1..n { ... }', unrolled when the model is read" },
    { "import",   "another file is taken in by 'use \"path.nn\"'; the library needs no import" },
    { "include",  "another file is taken in by 'use \"path.nn\"'" },
    { "from",     "another file is taken in by 'use \"path.nn\"'; the library needs no import" },
    { "class",    "what owns variables is a 'layer f(x) { ... }'" },
    { "function", "write 'def f(x) = ...', or 'layer' for what owns variables" },
    { "func",     "write 'def f(x) = ...', or 'layer' for what owns variables" },
    { "fn",       "write 'def f(x) = ...', or 'layer' for what owns variables" },
    { "let",      "a name is bound by 'name = ...'" },
    { "val",      "a name is bound by 'name = ...'" },
    { "param",    "a trainable variable is 'var name: [dims] ~ dist'" },
    { "print",    "a value is watched by 'summary scalar ...', or looked at by 'vgraph print'" },
    { "assert",   "write 'expect condition'" },
};

static const char *source_text(const vg_parser *parser, vg_token token) {
    return parser->lexer.text + (token.span.begin - parser->lexer.base);
}

static bool is_word(const vg_parser *parser, vg_token token, const char *word) {
    const size_t length = token.span.end - token.span.begin;
    return strlen(word) == length && memcmp(source_text(parser, token), word, length) == 0;
}

static const char *copy(const vg_parser *parser, vg_token token) {
    const size_t length = token.span.end - token.span.begin;
    return vg_arena_copy(&parser->diags->arena, source_text(parser, token), length);
}

/* ---- expected X, found Y */

static const char *found_text(const vg_parser *parser, vg_token found) {
    const size_t length = found.span.end - found.span.begin;
    if (found.kind == 0 || length == 0) {
        const bool last = found.kind != VG_T_END || !parser->lexer.held || parser->lexer.token.kind == 0;
        return last && parser->depth ? "'}'" : last ? "the end of the text" : "the end of the line";
    }
    if (found.kind == VG_T_STRING) {
        return "a string";
    }
    const char *text = source_text(parser, found);
    size_t shown = length < SHOWN ? length : SHOWN;
    while (shown < length && ((unsigned char)text[shown] & 0xc0) == 0x80) {
        shown--;   /* no half characters */
    }
    return vg_arena_format(&parser->diags->arena, "'%.*s%s'", (int)shown, text, shown < length ? "..." : "");
}

typedef struct vg_expectable { int kind; const char *text; } vg_expectable;

/* In the order of the message. */
static const vg_expectable expectables[] = {
    { VG_T_NAME, "a name" },      { VG_T_STRING, "a string" },  { VG_T_IN, "'in'" },          { VG_T_RANGE, "'..'" },
    { VG_T_THEN, "'then'" },      { VG_T_ELSE, "'else'" },      { VG_T_ASSIGN, "'='" },       { VG_T_TILDE, "'~'" },
    { VG_T_COLON, "':'" },        { VG_T_LBRACE, "'{'" },       { VG_T_COMMA, "','" },        { VG_T_RPAREN, "')'" },
    { VG_T_RBRACKET, "']'" },     { VG_T_RBRACE, "'}'" },       { VG_T_FOR, "'for'" },        { VG_T_DOT, "'.'" },
    { VG_T_LPAREN, "'('" },       { VG_T_LBRACKET, "'['" },     { VG_T_END, "the end of the line" },
};

static bool accepts(const void *machine, int kind) {
    return vg_grammar_accepts(machine, kind);
}

static const char *expected_text(const vg_parser *parser, const void *machine) {
    if (accepts(machine, VG_T_VAR)) {
        return "a statement";
    }
    const bool expression = accepts(machine, VG_T_NUMBER);
    const bool continues = accepts(machine, VG_T_PLUS);   /* behind an expression: ( [ . go without saying */
    const char *names[sizeof expectables / sizeof *expectables + 1];
    uint32_t count = 0;
    if (expression) {
        names[count++] = "an expression";
    }
    for (size_t k = 0; k < sizeof expectables / sizeof *expectables; k++) {
        const int kind = expectables[k].kind;
        const bool opens = kind == VG_T_LPAREN || kind == VG_T_LBRACKET || kind == VG_T_DOT;
        const bool implied = (expression && (kind == VG_T_NAME || kind == VG_T_STRING || opens)) ||
                             (continues && opens) || (kind == VG_T_FOR && accepts(machine, VG_T_COMMA)) ||
                             (kind == VG_T_COLON && accepts(machine, VG_T_COMMA) && continues);
        const bool arguments = kind == VG_T_COMMA && !expression && !continues && accepts(machine, VG_T_RPAREN);
        if (!implied && (arguments || accepts(machine, kind))) {
            names[count++] = expectables[k].text;
        }
    }
    if (count == 0) {
        return "something else";
    }
    const char *text = count == 1 && parser->mode != VG_T_AS_FILE && accepts(machine, VG_T_END)
                           ? parser->depth ? "'}'" : "the end" : names[0];
    for (uint32_t k = 1; k < count; k++) {
        text = vg_arena_format(&parser->diags->arena, "%s%s%s", text, k + 1 < count ? ", " : " or ", names[k]);
    }
    return text;
}

/* ---- mistakes with a name. Each answers whether it was the one. */

static bool is_comparison(int kind) {
    return kind == VG_T_EQ || kind == VG_T_NE || kind == VG_T_LT || kind == VG_T_LE || kind == VG_T_GT ||
           kind == VG_T_GE;
}

static bool is_reserved(int kind) {
    return kind == VG_T_VAR || kind == VG_T_FOR || kind == VG_T_IF || kind == VG_T_IN || kind == VG_T_THEN ||
           kind == VG_T_ELSE || kind == VG_T_AND || kind == VG_T_OR || kind == VG_T_NOT || kind == VG_T_TRUE ||
           kind == VG_T_FALSE;
}

/* Words that are not what the writer took them for. */
static bool word_mistake(vg_parser *parser, const void *machine, const vg_start *start, vg_token found) {
    const vg_token first = start->first;
    const bool second = start->count == 1;
    const bool operates = found.kind == VG_T_ASSIGN || found.kind == VG_T_LBRACKET || found.kind == VG_T_DOT ||
                          found.kind == VG_T_TILDE || found.kind == VG_T_COLON || found.kind == VG_T_COMMA;
    if (second && operates && first.kind != VG_T_NAME && first.name) {
        vg_report(parser->diags, reserved_name, first.span, 0, copy(parser, first));
        return true;
    }
    if (found.kind == VG_T_ELSE && accepts(machine, start->count ? VG_T_END : VG_T_VAR)) {
        vg_report0(parser->diags, else_alone, found.span, 0);
        return true;
    }
    for (size_t k = 0; k < sizeof foreign_words / sizeof *foreign_words; k++) {
        const char *word = foreign_words[k].word;
        const bool begins = second && first.kind == VG_T_NAME && found.kind != VG_T_ASSIGN &&
                            is_word(parser, first, word);
        if (begins || (k < 3 && is_word(parser, found, word))) {   /* the first three stand behind a brace */
            vg_report(parser->diags, foreign_word, begins ? first.span : found.span, 0, word, foreign_words[k].advice);
            return true;
        }
    }
    const bool name = accepts(machine, VG_T_NAME) && (found.kind == VG_T_VAR || !accepts(machine, VG_T_NUMBER));
    if (name && is_reserved(found.kind) && start->count > 0) {
        vg_report(parser->diags, keyword_name, found.span, 0, copy(parser, found));
        return true;
    }
    return false;
}

/* Whether what was found, a (, is closed on its line with an = behind it. */
static bool is_definition(const vg_parser *parser, vg_token found) {
    const char *p = source_text(parser, found);
    int open = 0;
    do {
        open += (*p == '(') - (*p == ')');
    } while (*p++ != '\n' && p < parser->lexer.limit && open > 0);
    p += strspn(p, " ");
    return open == 0 && p[0] == '=' && p[1] != '=';
}

/* A statement that begins with a name and does not go on with `=`. */
static bool target_mistake(vg_parser *parser, const vg_start *start, vg_token found) {
    if (start->count == 0 || start->first.kind != VG_T_NAME || parser->mode != VG_T_AS_FILE || start->settings ||
        found.kind == VG_T_ASSIGN) {
        return false;
    }
    const bool name = start->count == 1;
    const bool member = parser->previous.kind == VG_T_RBRACKET && accepts(parser->machine, VG_T_ASSIGN);
    if (!name && !member) {
        return false;
    }
    if (found.kind == VG_T_COLON) {
        vg_report(parser->diags, declaration_word, start->first.span, 0, copy(parser, start->first));
    } else if (found.kind == VG_T_TILDE) {
        vg_report0(parser->diags, draw_outside, found.span, 0);
    } else if (found.kind == VG_T_COMMA) {
        vg_report0(parser->diags, bind_many, found.span, 0);
    } else if (found.kind == VG_T_DOT) {
        vg_report0(parser->diags, bind_target, found.span, 0);
    } else if (name && found.kind == VG_T_NAME) {
        return false;
    } else {
        vg_report0(parser->diags, unused_value, ((vg_span){ start->first.span.begin, parser->previous.span.end }), 0);
        if (name && found.kind == VG_T_LPAREN && is_definition(parser, found)) {
            vg_diags_note(parser->diags, (vg_span){ 0, 0 }, "a function is defined by 'def %s(...) = ...'",
                          copy(parser, start->first));
        }
    }
    return true;
}

/* A token where the grammar wants another, for a reason that is known. */
static bool operator_mistake(vg_parser *parser, const void *machine, const vg_start *start, vg_token found) {
    const bool compares = accepts(machine, VG_T_PLUS) || (accepts(machine, VG_T_END) && !accepts(machine, VG_T_VAR));
    if (found.kind == VG_T_COLON && accepts(machine, VG_T_LBRACE)) {
        vg_report0(parser->diags, body_colon, found.span, 0);
    } else if (found.kind == VG_T_LBRACE && accepts(machine, VG_T_RANGE)) {
        vg_report0(parser->diags, range_expected, found.span, 0);
    } else if (found.kind == VG_T_LBRACE && accepts(machine, VG_T_THEN)) {
        vg_report0(parser->diags, then_missing, found.span, 0);
    } else if (found.kind == VG_T_ASSIGN && compares) {
        vg_report0(parser->diags, assign_compare, found.span, 0);
    } else if (is_comparison(found.kind) && start->count > 1 && accepts(machine, VG_T_PLUS)) {
        vg_report0(parser->diags, chained_comparison, found.span, 0);
    } else {
        return false;
    }
    return true;
}

static char closing(char bracket) {
    return bracket == '(' ? ')' : bracket == '[' ? ']' : '}';
}

/* Brackets: one that closes nothing, or one that is open where the line or the block ends. */
static bool bracket_mistake(vg_parser *parser, const void *machine, vg_token found) {
    const vg_lexer *lexer = &parser->lexer;
    const bool closes = found.kind == VG_T_RPAREN || found.kind == VG_T_RBRACKET || found.kind == VG_T_RBRACE;
    if (closes && lexer->bracket_count == parser->brackets) {
        vg_report(parser->diags, stray_bracket, found.span, 0, copy(parser, found));
        if (parser->brackets > parser->level) {
            const vg_bracket open = lexer->brackets[parser->brackets - 1];
            vg_diags_note(parser->diags, (vg_span){ open.offset, open.offset + 1 }, "'%c' is open: expected '%c'",
                          open.kind, closing(open.kind));
        }
        return true;
    }
    if (parser->brackets <= parser->level) {
        return false;
    }
    const vg_bracket open = lexer->brackets[parser->brackets - 1];
    const int closer = open.kind == '(' ? VG_T_RPAREN : VG_T_RBRACKET;
    /* `(1 +`, then `b = 2` on the next line */
    const bool binds = found.kind == VG_T_ASSIGN && parser->previous.first && parser->previous.kind == VG_T_NAME;
    if (!accepts(machine, closer) || !(found.first || binds || closes || found.kind == VG_T_END || found.kind == 0)) {
        return false;
    }
    if (binds) {
        parser->resume = parser->previous;
    }
    const char opener[] = { open.kind, '\0' }, wanted[] = { closing(open.kind), '\0' };
    vg_report(parser->diags, unclosed_bracket, ((vg_span){ open.offset, open.offset + 1 }), 0, opener, wanted);
    vg_diags_note(parser->diags, found.span, "expected %s, found %s", expected_text(parser, machine),
                  found_text(parser, found));
    return true;
}

/* A line that ends in an operator goes on, so the mistake shows only in the next: `x = a +`, then `y = 3`. */
static bool line_mistake(vg_parser *parser, const vg_start *start, vg_token found) {
    if (start->count == 0 || parser->brackets > parser->level) {
        return false;
    }
    vg_token joined = start->joined;
    uint32_t end = start->joined_end;
    if (found.first && found.kind != VG_T_END && found.kind != VG_T_ELSE && found.kind != VG_T_THEN) {
        joined = found;
        end = parser->previous.span.end;
    } else if (joined.kind == 0 || joined.name == 0) {
        return false;
    } else {
        /* y =   const y   if c {   each as the statement that it was meant to be */
        const bool second = joined.span.begin == parser->previous.span.begin;
        const bool declares = joined.kind != VG_T_NAME && found.kind == VG_T_NAME;
        const bool binds = second && (found.kind == VG_T_ASSIGN || declares);
        const bool branches = joined.kind == VG_T_IF && found.kind == VG_T_LBRACE;
        if (!binds && !branches) {
            return false;
        }
    }
    vg_report(parser->diags, syntax, ((vg_span){ end, end }), 0, "an expression", "the end of the line");
    parser->resume = joined;
    return true;
}

/* A statement's first word that is nearly one of the language: `Input x`, `summry scalar loss`. */
static void suggest_word(vg_parser *parser, const vg_start *start) {
    static const char *const words[] = {
        "use", "const", "data", "input", "var", "state", "update", "def", "layer", "initializer", "optimizer", "for",
        "if", "return", "train", "summary", "expect",
    };
    const char *first = copy(parser, start->first);
    char *lower = vg_arena_copy(&parser->diags->arena, first, strlen(first));
    for (char *p = lower; *p; p++) {
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
    }
    vg_suggest suggest;
    vg_suggest_start(&suggest, lower);
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        vg_suggest_offer(&suggest, words[k]);
    }
    const char *best = vg_suggest_best(&suggest);
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        best = strcmp(lower, words[k]) == 0 ? words[k] : best;   /* in other letters only */
    }
    if (best) {
        vg_diags_note(parser->diags, start->first.span, "did you mean '%s'?", best);
    }
}

void vg_parser_error(vg_parser *parser, const void *machine, vg_token found) {
    const vg_start *start = &parser->starts[parser->level];
    parser->mistake = *start;
    if (start->count == 0) {
        parser->mistake.first = found;
    }
    parser->mistaken = true;
    parser->resume.kind = 0;
    if (parser->lexer.stopped || parser->lexer.spoiled) {
        return;   /* reported already */
    }
    if (bracket_mistake(parser, machine, found) || line_mistake(parser, start, found) ||
        word_mistake(parser, machine, start, found) || target_mistake(parser, start, found) ||
        operator_mistake(parser, machine, start, found)) {
        return;
    }
    vg_report(parser->diags, syntax, found.span, 0, expected_text(parser, machine), found_text(parser, found));
    if (strcmp(expected_text(parser, machine), "'..'") == 0) {      /* for i in range(3) */
        vg_diags_note(parser->diags, (vg_span){ 0, 0 }, "a range is written 1..3, both ends included");
    }
    if (start->count == 1 && start->first.kind == VG_T_NAME && parser->mode == VG_T_AS_FILE && !start->settings) {
        suggest_word(parser, start);
    }
}
