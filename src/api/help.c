/* `vgraph help NAME`: what any operator, library function, layer, setting, data source or message is. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/model.h"
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

/* ---- settings of a train block, and words of the language */

static const struct { const char *name, *signature, *doc; } settings[] = {
    { "optimizer", "optimizer = sgd(rate = 0.01)", "how variables are updated: an optimizer, or pairs [[vars(\"**.W\"), a], [vars, b]] of which each variable takes the first that selects it" },
    { "batch", "batch = 32", "examples in a step" },
    { "params", "params = vars(\"enc.**\")", "what is trained; without it, every variable the loss depends on" },
    { "clip_norm", "clip_norm = 1", "scales all gradients of the block so that their common norm is at most this (Pascanu et al. 2013)" },
    { "clip_value", "clip_value = 0.5", "cuts each element of a gradient to -c..c, before clip_norm" },
    { "every", "every = 5", "the block's turn comes at steps 0, 5, 10, ...; of a summary or expect: when it is due" },
    { "steps", "steps = 1000", "the run's number of steps" },
    { "epochs", "epochs = 1", "the run's length in passes over the training examples" },
    { "seed", "seed = 1", "of initial values, draws and shuffles: the same seed gives the same bits" },
    { "shuffle", "shuffle = true", "the examples of each epoch in a new order" }
};

static const struct { const char *name, *form, *doc; } statements[] = {
    { "const", "const N = expr", "a compile-time value; --set N=EXPR overrides it" },
    { "data", "data N = source(...)", "a data set; --data 'N=source(...)' overrides it" },
    { "input", "input N: [batch, dims] = data.column", "a column's mini-batch" },
    { "var", "var N: [dims] ~ dist, or = expr", "a trainable variable and its initial value" },
    { "state", "state N: [dims] = expr", "a variable that only `update` changes" },
    { "update", "update N = expr", "the new value of a var or state, at the end of the turn" },
    { "def", "def f(a, b = 1) = expr", "a pure function" },
    { "layer", "layer f(x: [n, d], k = 1) { ... return expr }", "a function that owns variables" },
    { "initializer", "initializer f(gain = 1) for shape { ... return dist }", "a distribution that depends on the shape it fills" },
    { "for", "for i in a..b { ... }", "unrolled when the graph is built, both ends included" },
    { "if", "if c { ... } else { ... }, or if c then a else b", "decided when the graph is built" },
    { "use", "use \"file.nn\" (depth = 8)", "that file's statements here, once, with its consts set" },
    { "train", "train LOSS { key = value ... }", "what is minimised and how; help optimizer, batch, steps, ... tells the settings" },
    { "summary", "summary histogram|scalar expr, ... [as \"tag\"] [every N]", "what is recorded while running" },
    { "expect", "expect cond [, \"message\"] [every N]", "checked while running; a failure is exit status 3" }
};

static bool help_statement(const helping *h, const char *name) {
    for (size_t k = 0; k < sizeof statements / sizeof *statements; k++)
        if (strcmp(statements[k].name, name) == 0) {
            say(h, "%s\n  %s\n", statements[k].form, statements[k].doc);
            return true;
        }
    return false;
}

static bool help_setting(const helping *h, const char *name) {
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
        if (strcmp(settings[k].name, name) == 0) {
            say(h, "%s        (a setting of train)\n  %s\n", settings[k].signature, settings[k].doc);
            return true;
        }
    return false;
}

/* ---- functions */

static const char *map_parameters(vg_op op) {
    return vg_op_rows[op].least == 1 ? "x" : vg_op_rows[op].least == 2 ? "a, b" : "c, a, b";
}

static bool help_operator(const helping *h, const char *name) {
    vg_op op = vg_op_find(name);
    if (op == VG_OP_none) return false;
    const vg_op_row *row = &vg_op_rows[op];
    if (vg_op_is(op, VG_FLAG_map)) say(h, "%s(%s)        (elementwise)\n", row->name, map_parameters(op));
    else say(h, "%s        (an operator of the graph)\n", row->name);
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

/* The comment lines directly above. */
static const char *comment_above(const char *text, const char *line) {
    while (line > text) {
        const char *up = line - 1;
        while (up > text && up[-1] != '\n') up--;
        if (*up != '#') break;
        line = up;
    }
    return line;
}

/* The end of a definition: its line, or the line of its closing brace. */
static const char *definition_end(const char *line) {
    const char *end = line + strcspn(line, "\n");
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
        const char *from = comment_above(vg_std_files[k].text, line), *to = definition_end(line);
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

/* ---- messages */

static bool help_message(const helping *h, const char *name) {
    for (uint32_t code = 1; code < VG_CODE_COUNT; code++) {
        const char *row = vg_code_rows[code].name, *at = name;
        while (*row && (*row == *at || (*row == '_' && *at == '-'))) row++, at++;
        if (*row || *at) continue;
        say(h, "%s        (a message, exit status %d)\n  %s\n", name, (int)vg_code_rows[code].class, vg_code_rows[code].text);
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
        if (vg_op_is((vg_op)op, VG_FLAG_map)) vg_suggest_offer(&n.suggest, vg_op_rows[op].name);
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++)
        if (!(vg_builtin_rows[k].flags & VG_BUILTIN_LIBRARY)) vg_suggest_offer(&n.suggest, vg_builtin_rows[k].name);
    for (uint32_t k = 0; k < vg_source_row_count; k++) vg_suggest_offer(&n.suggest, vg_source_rows[k].name);
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) vg_suggest_offer(&n.suggest, settings[k].name);
    for (size_t k = 0; k < sizeof statements / sizeof *statements; k++) vg_suggest_offer(&n.suggest, statements[k].name);
    each_definition(offer_definition, &n);
    const char *later = vg_later_name(name), *best = vg_suggest_best(&n.suggest);
    if (later) say(h, "the %s '%s' is not built yet\n", later, name);
    else if (best) say(h, "there is no '%s': did you mean '%s'?\n", name, best);
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

static void list_all(const helping *h) {
    listing l = { h, 0 };
    list_begin(&l, "statements");
    for (size_t k = 0; k < sizeof statements / sizeof *statements; k++)
        list_name(&l, statements[k].name, strlen(statements[k].name));
    list_begin(&l, "settings of train");
    for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) list_name(&l, settings[k].name, strlen(settings[k].name));
    list_begin(&l, "elementwise functions and operators");
    for (uint32_t op = 1; op < VG_OP_COUNT; op++)
        if (vg_op_is((vg_op)op, VG_FLAG_map)) list_name(&l, vg_op_rows[op].name, strlen(vg_op_rows[op].name));
    list_begin(&l, "functions and distributions");
    for (uint32_t k = 0; k < VG_BUILTIN_COUNT; k++)
        if (!(vg_builtin_rows[k].flags & VG_BUILTIN_LIBRARY)) list_name(&l, vg_builtin_rows[k].name, strlen(vg_builtin_rows[k].name));
    list_begin(&l, "the standard library");
    each_definition(list_name, &l);
    list_begin(&l, "data sources");
    for (uint32_t k = 0; k < vg_source_row_count; k++)
        if (vg_source_rows[k].describe) list_name(&l, vg_source_rows[k].name, strlen(vg_source_rows[k].name));
    say(h, "\n");
}

bool vg_help(const char *name, vg_write write, void *user) {
    helping h = { write, user };
    if (!name[0]) {
        list_all(&h);
        return true;
    }
    bool found = help_statement(&h, name);
    found |= help_setting(&h, name);
    if (!found) found = help_library(&h, name) || help_builtin(&h, name) || help_operator(&h, name);
    found |= help_source(&h, name);
    if (!found) found = help_message(&h, name);
    if (!found) suggest_name(&h, name);
    return found;
}
