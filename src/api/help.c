/* `vgraph help NAME`: what any operator, library function, layer, setting, verb, data source, rule of doctor or message is. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/look.h"
#include "diag/suggest.h"
#include "front/builtin.h"
#include "front/dataset.h"
#include "front/std.h"

typedef struct helping { vg_write write; void *user; } helping;

static void say(const helping *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const helping *h, const char *format, ...) {
    char line[2048];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (length > 0) h->write(h->user, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

/* ---- statements, settings, signs and verbs: help.def */

typedef enum help_group { STATEMENT, SETTING, WORD, VERB } help_group;

static const struct { help_group group; const char *name, *form, *doc; } rows[] = {
#define VG_HELP(group, name, form, doc) { group, name, form, doc },
#include "api/help.def"
#undef VG_HELP
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static const char *group_note(help_group group) {
    switch (group) {
    case SETTING: return "        (a setting of train)";
    case VERB:    return "        (a verb of the command line)";
    case STATEMENT: case WORD: break;
    }
    return "";
}

static bool help_row(const helping *h, const char *name) {
    bool found = false;
    for (size_t k = 0; k < ROW_COUNT; k++) {
        if (strcmp(rows[k].name, name) != 0) continue;
        say(h, "%s%s\n  %s\n", rows[k].form, group_note(rows[k].group), rows[k].doc);
        found = true;
    }
    return found;
}

/* ---- functions */

static const char *map_parameters(vg_op op) {
    return vg_op_rows[op].least == 1 ? "x" : vg_op_rows[op].least == 2 ? "a, b" : "c, a, b";
}

static bool help_operator(const helping *h, const char *name) {
    vg_op op = vg_op_find(name);
    if (op == VG_OP_none) return false;
    const vg_op_row *row = &vg_op_rows[op];
    if (vg_builtin_is_map(op)) say(h, "%s(%s)        (elementwise)\n", row->name, map_parameters(op));
    else say(h, "%s        (an operator of the graph, as 'vgraph graph' shows it; not a function of the language)\n", row->name);
    say(h, "  %s\n  %s\n", row->doc, row->has_gradient ? "It has a gradient, of any order." : "It passes no gradient.");
    return true;
}

static bool help_builtin(const helping *h, const char *name) {
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++) {
        const vg_builtin_row *row = &vg_builtin_rows[k];
        if (strcmp(row->name, name) != 0 || (row->flags & VG_BUILTIN_LIBRARY)) continue;
        bool value = (row->flags & VG_BUILTIN_VALUE) != 0;
        say(h, value && !row->parameters[0] ? "%s%s\n  %s\n" : "%s(%s)\n  %s\n", row->name, row->parameters, row->doc);
        return true;
    }
    return false;
}

static bool help_source(const helping *h, const char *name) {
    for (uint32_t k = 0; k < vg_source_row_count; k++) {
        const vg_source_row *row = &vg_source_rows[k];
        if (strcmp(row->name, name) != 0) continue;
        say(h, "%s        (a data source%s)\n  %s\n", row->signature, row->describe ? "" : ", not built yet", row->doc);
        return true;
    }
    return false;
}

/* ---- the standard library, which explains itself: the comment above a definition, and its text */

/* Where a definition's line begins in a file: "def NAME(", "layer NAME(" ...; NULL. */
static const char *find_definition(const char *text, const char *name) {
    static const char *const words[] = { "def ", "layer ", "optimizer ", "initializer " };
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            size_t word = strlen(words[k]);
            if (strncmp(line, words[k], word) == 0 && strncmp(line + word, name, length) == 0 && line[word + length] == '(')
                return line;
        }
    return NULL;
}

const char *vg_definition_comment(const char *text, const char *line) {
    while (line > text) {
        const char *up = line - 1;
        while (up > text && up[-1] != '\n') up--;
        if (*up != '#') break;
        line = up;
    }
    return line;
}

/* The end of a definition: its line, or the line of its closing brace. Its parameters, or what it is equal to, may stand
 * in brackets over several lines. */
static const char *definition_end(const char *line) {
    const char *end = line + strcspn(line, "\n");
    const char *bracket = end > line && end[-1] == '(' ? strstr(end, "\n)") : NULL;
    if (bracket) end = bracket + 1 + strcspn(bracket + 1, "\n");
    bool block = end > line && end[-1] == '{';
    if (block) {
        const char *close = strstr(end, "\n}");
        if (close) end = close + 2;
    }
    return end;
}

static bool help_library(const helping *h, const char *name) {
    for (unsigned k = 0; k < vg_std_file_count; k++) {
        const char *line = find_definition(vg_std_files[k].text, name);
        if (!line) continue;
        const char *from = vg_definition_comment(vg_std_files[k].text, line), *to = definition_end(line);
        say(h, "%s        (the standard library, %s)\n", name, vg_std_files[k].name);
        for (const char *at = from; at < to;) {
            const char *end = memchr(at, '\n', (size_t)(to - at));
            int length = (int)((end ? end : to) - at);
            say(h, "  %.*s\n", length, at);
            at += length + 1;
        }
        return true;
    }
    return false;
}

/* ---- rules of doctor, in any case */

static const struct { const char *name, *severity; double limit; const char *doc; } rules[] = {
#define VG_FINDING(rule, severity, limit, doc) { #rule, #severity, limit, doc },
#include "api/finding.def"
#undef VG_FINDING
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

static bool help_rule(const helping *h, const char *name) {
    for (uint32_t k = 0; k < RULE_COUNT; k++) {
        const char *a = rules[k].name, *b = name;
        while (*a && *a == toupper((unsigned char)*b)) a++, b++;
        if (*a || *b) continue;
        say(h, "%s        (what doctor, run and report.html may find%s)\n  %s\n", rules[k].name,
            strcmp(rules[k].severity, "NOTE") == 0 ? ", for information" : "", rules[k].doc);
        if (rules[k].limit > 0) say(h, "  The limit is %g.\n", rules[k].limit);
        say(h, "  'vgraph doctor FILE.nn' says where, how much, why, and what to change.\n");
        return true;
    }
    return false;
}

/* ---- messages */

static bool help_message(const helping *h, const char *name) {
    for (uint32_t code = 1; code < VG_CODE_COUNT; code++) {
        const char *row = vg_code_rows[code].name, *at = name;
        while (*row && (*row == *at || (*row == '_' && *at == '-'))) row++, at++;
        if (*row || *at) continue;
        say(h, "%s        (a message, exit status %d)\n  ", name, (int)vg_code_rows[code].class);
        for (const char *c = vg_code_rows[code].text; *c; c++) {
            bool argument = c[0] == '{' && isdigit((unsigned char)c[1]) && c[2] == '}';
            say(h, argument ? "..." : "%c", *c);
            c += argument ? 2 : 0;
        }
        say(h, "\n");
        if (vg_code_rows[code].help) say(h, "  %s\n", vg_code_rows[code].help);
        return true;
    }
    return false;
}

/* ---- all names */

static void each_definition(void (*use)(void *user, const char *name, size_t length), void *user) {
    static const char *const words[] = { "def ", "layer ", "optimizer ", "initializer " };
    for (unsigned k = 0; k < vg_std_file_count; k++)
        for (const char *line = vg_std_files[k].text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
            for (size_t w = 0; w < sizeof words / sizeof *words; w++)
                if (strncmp(line, words[w], strlen(words[w])) == 0)
                    use(user, line + strlen(words[w]), strcspn(line + strlen(words[w]), "("));
}

typedef struct nearest { vg_suggest suggest; char best[64]; } nearest;

static void offer_definition(void *user, const char *name, size_t length) {
    nearest *n = user;
    char copy[64];
    snprintf(copy, sizeof copy, "%.*s", (int)length, name);
    const char *before = n->suggest.best;
    vg_suggest_offer(&n->suggest, copy);
    if (n->suggest.best == before) return;
    snprintf(n->best, sizeof n->best, "%s", copy);     /* the copy does not outlive this call */
    n->suggest.best = n->best;
}

static void suggest_name(const helping *h, const char *name) {
    nearest n = { .best = "" };
    vg_suggest_start(&n.suggest, name);
    for (uint32_t op = 1; op < VG_OP_COUNT; op++)
        if (vg_builtin_is_map((vg_op)op)) vg_suggest_offer(&n.suggest, vg_op_rows[op].name);
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++)
        if (!(vg_builtin_rows[k].flags & VG_BUILTIN_LIBRARY)) vg_suggest_offer(&n.suggest, vg_builtin_rows[k].name);
    for (uint32_t k = 0; k < vg_source_row_count; k++) vg_suggest_offer(&n.suggest, vg_source_rows[k].name);
    for (size_t k = 0; k < ROW_COUNT; k++) vg_suggest_offer(&n.suggest, rows[k].name);
    for (uint32_t k = 0; k < RULE_COUNT; k++) vg_suggest_offer(&n.suggest, rules[k].name);
    each_definition(offer_definition, &n);
    const char *best = vg_suggest_best(&n.suggest);
    if (best) say(h, "there is no '%s': did you mean '%s'?\n", name, best);
    else say(h, "there is no '%s': 'vgraph help' lists all names\n", name);
}

typedef struct listing { const helping *h; size_t column; } listing;

static void list_name(void *user, const char *name, size_t length) {
    listing *l = user;
    if (l->column + length + 1 > 78) {
        say(l->h, "\n ");
        l->column = 1;
    }
    say(l->h, " %.*s", (int)length, name);
    l->column += length + 1;
}

static void list_begin(listing *l, const char *title) {
    say(l->h, "%s%s\n ", l->column ? "\n" : "", title);
    l->column = 1;
}

static void list_rows(listing *l, const char *title, help_group group) {
    list_begin(l, title);
    for (size_t k = 0; k < ROW_COUNT; k++)
        if (rows[k].group == group && strcmp(rows[k].doc, "not built yet") != 0) list_name(l, rows[k].name, strlen(rows[k].name));
}

static void list_all(const helping *h) {
    listing l = { h, 0 };
    list_rows(&l, "statements", STATEMENT);
    list_rows(&l, "settings of train", SETTING);
    list_rows(&l, "signs and words", WORD);
    list_rows(&l, "verbs", VERB);
    list_begin(&l, "elementwise functions");
    for (uint32_t op = 1; op < VG_OP_COUNT; op++)
        if (vg_builtin_is_map((vg_op)op)) list_name(&l, vg_op_rows[op].name, strlen(vg_op_rows[op].name));
    list_begin(&l, "functions and distributions");
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++)
        if (!(vg_builtin_rows[k].flags & VG_BUILTIN_LIBRARY)) list_name(&l, vg_builtin_rows[k].name, strlen(vg_builtin_rows[k].name));
    list_begin(&l, "the standard library");
    each_definition(list_name, &l);
    list_begin(&l, "data sources");
    for (uint32_t k = 0; k < vg_source_row_count; k++)
        if (vg_source_rows[k].describe) list_name(&l, vg_source_rows[k].name, strlen(vg_source_rows[k].name));
    list_begin(&l, "what doctor finds");
    for (uint32_t k = 0; k < RULE_COUNT; k++) list_name(&l, rules[k].name, strlen(rules[k].name));
    say(h, "\nand the name that stands in brackets behind a message, as in [matmul-mismatch]\n");
}

bool vg_help(const char *name, vg_write write, void *user) {
    helping h = { write, user };
    if (!name[0]) {
        list_all(&h);
        return true;
    }
    bool found = help_row(&h, name);
    if (!found) found = help_library(&h, name) || help_builtin(&h, name) || help_operator(&h, name);
    found |= help_source(&h, name);
    if (!found) found = help_rule(&h, name) || help_message(&h, name);
    if (!found) suggest_name(&h, name);
    return found;
}
