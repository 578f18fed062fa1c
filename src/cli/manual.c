/* The manual page vgraph(1), in the macros of man(7), made from the tables that --help is made from. */
#include <string.h>

#include "cli.h"

/* A text of the tables as troff reads it: hyphens as they are typed, no line taken for a request. */
static void text(FILE *stream, const char *from) {
    bool begins = true;
    for (; *from; from++) {
        if (begins && (*from == '.' || *from == '\'')) {
            fputs("\\&", stream);
        }
        begins = *from == '\n';
        if (*from == '-') {
            fputs("\\-", stream);
        } else if (*from == '\\') {
            fputs("\\e", stream);
        } else if (*from == '\'') {
            fputs("\\(aq", stream);
        } else {
            fputc(*from, stream);
        }
    }
}

static void line(FILE *stream, const char *macro, const char *what) {
    fputs(macro, stream);
    text(stream, what);
    fputc('\n', stream);
}

static void show_option(FILE *stream, const vg_cli_option_text *option) {
    fputs(".TP\n\\fB\\-\\-", stream);
    text(stream, option->name);
    fputs("\\fR", stream);
    if (option->value) {
        fputs(" \\fI", stream);
        text(stream, option->value);
        fputs("\\fR", stream);
    }
    fputc('\n', stream);
    line(stream, "", option->help);
}

static void show_verb(FILE *stream, const vg_cli_verb *verb) {
    vg_cli_option_text option;
    fputs(".SS \"vgraph ", stream);
    text(stream, verb->name);
    fputc(' ', stream);
    text(stream, verb->arguments);
    fputs("\"\n", stream);
    line(stream, "", verb->does);
    if (verb->detail) {
        fputs(".PP\n", stream);
        text(stream, verb->detail);
    }
    for (size_t i = 0; vg_cli_option_at(verb, i, &option); i++) {
        show_option(stream, &option);
    }
    fputs(".PP\nExample:\n.PP\n.RS\n.nf\n", stream);
    line(stream, "", verb->example);
    fputs(".fi\n.RE\n", stream);
}

static void show_statuses(FILE *stream) {
    static const struct { vg_status status; const char *means; } rows[] = {
        { VG_OK, "All is well." },
        { VG_FAILED_MODEL, "The model is wrong, or what was compared or checked differs." },
        { VG_FAILED_USAGE, "An option or argument is wrong." },
        { VG_FAILED_EXPECT, "An expect of the model did not hold." },
        { VG_FAILED_RESOURCE, "Data, disk or memory failed." },
        { VG_FAILED_NUMBERS, "The loss became NaN or infinite." },
        { VG_INTERRUPTED, "Ended by Ctrl-C, after the step in hand." },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fprintf(stream, ".TP\n\\fB%d\\fR\n", (int)rows[i].status);
        line(stream, "", rows[i].means);
    }
}

void vg_cli_manual(FILE *stream) {
    size_t count;
    const vg_cli_verb *verbs = vg_cli_verbs(&count);
    fprintf(stream, ".TH VGRAPH 1 \"\" \"vgraph %s\" \"User Commands\"\n", vg_version());
    fputs(".SH NAME\nvgraph \\- models in a small text language, trained and watched\n.SH SYNOPSIS\n", stream);
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].act) {
            fprintf(stream, "%s\\fBvgraph %s\\fR \\fI", i ? ".br\n" : "", verbs[i].name);
            text(stream, verbs[i].arguments);
            fputs("\\fR [options]\n", stream);
        }
    }
    fputs(".br\n\\fBvgraph \\-\\-version\\fR\n.SH DESCRIPTION\n"
          "A model, a file in the language .nn, is turned into a graph of operators and gradients, trained, and looked at\n"
          "while it learns.\nWords of the language and of messages are explained by \\fBvgraph help\\fR \\fINAME\\fR.\n"
          "Options may stand before or behind the arguments; \\fB\\-\\-\\fR ends them.\n.SH VERBS\n", stream);
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].act) {
            show_verb(stream, &verbs[i]);
        }
    }
    fputs(".SH EXIT STATUS\n", stream);
    show_statuses(stream);
    fputs(".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nSet, and not empty: no colours, unless \\-\\-color asks for them.\n"
          ".SH FILES\n.TP\n\\fIruns/NAME\\-DATE\\-TIME/\\fR\n"
          "What a run leaves: report.html, run.json, and TensorBoard\\(aqs event files.\n"
          ".SH SEE ALSO\nThe C interface: \\fIvgraph.h\\fR, \\fBpkg\\-config vgraph\\fR.\n", stream);
}
