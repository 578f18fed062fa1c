/* The scanner: what token stands next in a NUL-terminated UTF-8 text. Everything that needs a decision (newlines,
 * numbers, strings, what other languages write) is made of its answer in src/front/lexer.c. */
#include "front/lexer.h"
#include "model.h"

/*!include:re2c "unicode_categories.re" */

/* Behind the non-ASCII letter at `text`, or `text` when another character stands there. A scanner of its own, since
 * these ranges in every state that a name can pass through would make a hundred times the code. */
static const char *skip_letter(const char *text) {
    const char *YYCURSOR = text;
    const char *YYMARKER;
    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:yyfill:enable = 0;
    re2c:flags:nested-ifs = 1;

    other    = [^\x00-\x7f];
    L \ [A-Za-z]  { return YYCURSOR; }
    *             { return text; }
    */
}

/* The end of the name that was scanned up to `end`: before its first character that is no letter. */
static const char *name_end(const char *text, const char *end) {
    while (text < end) {
        const char *next = (unsigned char)*text < 0x80 ? text + 1 : skip_letter(text);
        if (next == text) {
            break;
        }
        text = next;
    }
    return text;
}

int vg_lexer_scan(vg_lexer *lexer) {
    const char *YYCURSOR = lexer->cursor;
    const char *YYMARKER;
    lexer->start = YYCURSOR;
#define TOKEN(kind) return lexer->cursor = YYCURSOR, (kind)
    /*!re2c
    letter   = [A-Za-z_] | other;
    name     = letter (letter | [0-9])*;
    digits   = [0-9]+ ("_" [0-9]+)*;
    decimal  = digits ("." digits)?;
    number   = decimal ([eE] [+-]? digits)?;

    "\x00"          { return VG_SCAN_END; }
    [ \t\r]+        { TOKEN(VG_SCAN_BLANK); }
    "#" [^\n\x00]*  { TOKEN(VG_SCAN_BLANK); }
    "\n"            { TOKEN(VG_SCAN_NEWLINE); }
    ";"             { TOKEN(VG_T_END); }

    "use"           { TOKEN(VG_T_USE); }
    "const"         { TOKEN(VG_T_CONST); }
    "data"          { TOKEN(VG_T_DATA); }
    "input"         { TOKEN(VG_T_INPUT); }
    "var"           { TOKEN(VG_T_VAR); }
    "state"         { TOKEN(VG_T_STATE); }
    "update"        { TOKEN(VG_T_UPDATE); }
    "def"           { TOKEN(VG_T_DEF); }
    "layer"         { TOKEN(VG_T_LAYER); }
    "initializer"   { TOKEN(VG_T_INITIALIZER); }
    "optimizer"     { TOKEN(VG_T_OPTIMIZER); }
    "for"           { TOKEN(VG_T_FOR); }
    "in"            { TOKEN(VG_T_IN); }
    "if"            { TOKEN(VG_T_IF); }
    "then"          { TOKEN(VG_T_THEN); }
    "else"          { TOKEN(VG_T_ELSE); }
    "return"        { TOKEN(VG_T_RETURN); }
    "train"         { TOKEN(VG_T_TRAIN); }
    "summary"       { TOKEN(VG_T_SUMMARY); }
    "expect"        { TOKEN(VG_T_EXPECT); }
    "as"            { TOKEN(VG_T_AS); }
    "every"         { TOKEN(VG_T_EVERY); }
    "true"          { TOKEN(VG_T_TRUE); }
    "false"         { TOKEN(VG_T_FALSE); }
    "and"           { TOKEN(VG_T_AND); }
    "or"            { TOKEN(VG_T_OR); }
    "not"           { TOKEN(VG_T_NOT); }
    name {
        const char *end = name_end(lexer->start, YYCURSOR);
        if (end > lexer->start) {
            YYCURSOR = end;
            TOKEN(VG_T_NAME);
        }
        goto foreign;
    }

    number                      { TOKEN(VG_SCAN_NUMBER); }
    number letter [0-9A-Za-z_]* { TOKEN(VG_SCAN_BAD_NUMBER); }
    decimal "."                 { TOKEN(VG_SCAN_BAD_NUMBER); }
    decimal ".."                { YYCURSOR -= 2; TOKEN(VG_SCAN_NUMBER); }
    "." digits                  { TOKEN(VG_SCAN_FRACTION); }
    ["]                         { TOKEN(VG_SCAN_STRING); }

    "("    { TOKEN(VG_T_LPAREN); }
    ")"    { TOKEN(VG_T_RPAREN); }
    "["    { TOKEN(VG_T_LBRACKET); }
    "]"    { TOKEN(VG_T_RBRACKET); }
    "{"    { TOKEN(VG_T_LBRACE); }
    "}"    { TOKEN(VG_T_RBRACE); }
    ","    { TOKEN(VG_T_COMMA); }
    ":"    { TOKEN(VG_T_COLON); }
    "~"    { TOKEN(VG_T_TILDE); }
    "."    { TOKEN(VG_T_DOT); }
    ".."   { TOKEN(VG_T_RANGE); }
    "..."  { TOKEN(VG_T_ELLIPSIS); }
    "="    { TOKEN(VG_T_ASSIGN); }
    "=="   { TOKEN(VG_T_EQ); }
    "!="   { TOKEN(VG_T_NE); }
    "<"    { TOKEN(VG_T_LT); }
    "<="   { TOKEN(VG_T_LE); }
    ">"    { TOKEN(VG_T_GT); }
    ">="   { TOKEN(VG_T_GE); }
    "+"    { TOKEN(VG_T_PLUS); }
    "-"    { TOKEN(VG_T_MINUS); }
    "*"    { TOKEN(VG_T_STAR); }
    "**"   { TOKEN(VG_SCAN_STARSTAR); }
    "/"    { TOKEN(VG_T_SLASH); }
    "@"    { TOKEN(VG_T_MATMUL); }
    "^"    { TOKEN(VG_T_CARET); }

    "&&" | "||" | "&" | "|" | "!" | "===" | "!==" | "<>" | "=<" | "=>"  { TOKEN(VG_SCAN_FOREIGN); }
    ":=" | "+=" | "-=" | "*=" | "/=" | "^=" | "@=" | "**=" | "%="       { TOKEN(VG_SCAN_FOREIGN); }
    "//" | "/*" | "%" | "->" | [^]                                      { TOKEN(VG_SCAN_FOREIGN); }
    *                                                                   { TOKEN(VG_SCAN_FOREIGN); }
    */
foreign:
    YYCURSOR = lexer->start + 1;
    while (((unsigned char)*YYCURSOR & 0xc0) == 0x80) {
        YYCURSOR++;   /* the whole character */
    }
    TOKEN(VG_SCAN_FOREIGN);
#undef TOKEN
}
