/* Completions for bash, zsh and fish, made from the tables that --help is made from: verbs, each verb's options, what
 * an option's value can be, and the files that a verb takes. */
#include <string.h>

#include "cli.h"

/* What stands behind an option or a verb, by how the help calls it. */
typedef enum kind { NOTHING, WORDS, MODELS, FILES, FOLDERS } kind;

static const struct { const char *option; unsigned verbs; const char *words; } choices[] = {
    { "color", ~0u, "always never auto" },
    { "stage", VG_CLI_GRAPH, "forward backward fused plan" },
    { "format", VG_CLI_GRAPH, "text dot json" },
    { "format", VG_CLI_PREDICT, "csv json npy" },
    { "format", VG_CLI_PRINT, "text json npy" },
    { "dump", ~0u, "elaborate differentiate simplify arrange" },
};

static kind kind_of_option(const vg_cli_verb *verb, const vg_cli_option_text *option, const char **words) {
    *words = "";
    if (!option->value) {
        return NOTHING;
    }
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        if (strcmp(choices[i].option, option->name) == 0 && (choices[i].verbs & verb->bit)) {
            *words = choices[i].words;
            return WORDS;
        }
    }
    return strcmp(option->value, "FILE") == 0 ? FILES : strcmp(option->value, "DIR") == 0 ? FOLDERS : NOTHING;
}

static kind kind_of_verb(const vg_cli_verb *verb) {
    return strncmp(verb->arguments, "FILE.nn", 7) == 0 ? MODELS
         : strncmp(verb->arguments, "RUN", 3) == 0     ? FOLDERS
         : strncmp(verb->arguments, "FILE", 4) == 0    ? FILES
                                                       : NOTHING;
}

typedef void (*each)(FILE *stream, const vg_cli_verb *verb);

static void for_verbs(FILE *stream, each act) {
    size_t count;
    const vg_cli_verb *verbs = vg_cli_verbs(&count);
    for (size_t i = 0; i < count; i++) {
        if (verbs[i].act) {
            act(stream, &verbs[i]);
        }
    }
}

/* Within single quotes of a shell, where `escape` stands for one; zsh's brackets and colons have a backslash. */
static void quoted(FILE *stream, const char *text, const char *escape, const char *special) {
    for (; *text; text++) {
        if (*text == '\'') {
            fputs(escape, stream);
            continue;
        }
        if (strchr(special, *text)) {
            fputc('\\', stream);
        }
        fputc(*text, stream);
    }
}

/* ---- bash */

static const char *bash_files(kind what) {
    switch (what) {
    case MODELS:  return "_vgraph_files '*.nn' '*.safetensors'";
    case FILES:   return "_vgraph_files '*'";
    case FOLDERS: return "_vgraph_files '*/'";
    case NOTHING:
    case WORDS:   break;
    }
    return "";
}

static void bash_name(FILE *stream, const vg_cli_verb *verb) { fprintf(stream, " %s", verb->name); }

static void bash_verb(FILE *stream, const vg_cli_verb *verb) {
    vg_cli_option_text option;
    const char *words;
    fprintf(stream, "    %s)\n        case $before in\n", verb->name);
    for (size_t i = 0; vg_cli_option_at(verb, i, &option); i++) {
        const kind what = kind_of_option(verb, &option, &words);
        if (what == WORDS) {
            fprintf(stream, "        --%s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n", option.name, words);
        } else if (option.value) {
            fprintf(stream, "        --%s) %s%sreturn ;;\n", option.name, bash_files(what), *bash_files(what) ? "; " : "");
        }
    }
    fputs("        esac\n        options='", stream);
    for (size_t i = 0; vg_cli_option_at(verb, i, &option); i++) {
        fprintf(stream, "%s--%s", i ? " " : "", option.name);
    }
    fprintf(stream, "'\n        [[ $word == -* ]] || %s\n        ;;\n",
            kind_of_verb(verb) == NOTHING ? "return" : bash_files(kind_of_verb(verb)));
}

static void bash(FILE *stream) {
    fputs("# Completions of vgraph for bash, made by `vgraph --completion bash`.\n"
          "_vgraph_files() {\n"
          "    local IFS=$'\\n'\n"
          "    compopt -o filenames 2>/dev/null\n"
          "    if [[ $1 == '*/' ]]; then\n"
          "        COMPREPLY=($(compgen -d -- \"$word\"))\n"
          "    else\n"
          "        local kind\n"
          "        COMPREPLY=($(compgen -d -- \"$word\"; for kind in \"$@\"; do compgen -f -X \"!$kind\" -- \"$word\"; done))\n"
          "    fi\n"
          "}\n"
          "_vgraph() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options=\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W '", stream);
    for_verbs(stream, bash_name);
    fputs(" --help --version' -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n", stream);
    for_verbs(stream, bash_verb);
    fputs("    esac\n"
          "    [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "}\n"
          "complete -F _vgraph vgraph\n", stream);
}

/* ---- zsh */

static const char *zsh_action(kind what) {
    switch (what) {
    case MODELS:  return "_files -g \"*.(nn|safetensors)\"";
    case FILES:   return "_files";
    case FOLDERS: return "_files -/";
    case NOTHING:
    case WORDS:   break;
    }
    return " ";
}

static void zsh_name(FILE *stream, const vg_cli_verb *verb) {
    fprintf(stream, "            '%s:", verb->name);
    quoted(stream, verb->does, "'\\''", ":");
    fputs("'\n", stream);
}

static void zsh_verb(FILE *stream, const vg_cli_verb *verb) {
    vg_cli_option_text option;
    const char *words;
    fprintf(stream, "        %s)\n            _arguments -S", verb->name);
    for (size_t i = 0; vg_cli_option_at(verb, i, &option); i++) {
        const kind what = kind_of_option(verb, &option, &words);
        fprintf(stream, " \\\n                '*--%s%s[", option.name, option.value ? "=" : "");
        quoted(stream, option.help, "'\\''", "[]:\\");
        fputc(']', stream);
        if (option.value) {
            fputc(':', stream);
            quoted(stream, option.value, "'\\''", ":\\");
            if (what == WORDS) {
                fprintf(stream, ":(%s)", words);
            } else {
                fprintf(stream, ":%s", zsh_action(what));
            }
        }
        fputc('\'', stream);
    }
    fputs(" \\\n                '*:", stream);
    quoted(stream, verb->arguments, "'\\''", ":[]\\");
    fprintf(stream, ":%s'\n            ;;\n", zsh_action(kind_of_verb(verb)));
}

static void zsh(FILE *stream) {
    fputs("#compdef vgraph\n"
          "# Completions of vgraph for zsh, made by `vgraph --completion zsh`.\n"
          "_vgraph() {\n"
          "    local -a verbs\n"
          "    if ((CURRENT == 2)); then\n"
          "        verbs=(\n", stream);
    for_verbs(stream, zsh_name);
    fputs("        )\n"
          "        _describe verb verbs\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $words[1] in\n", stream);
    for_verbs(stream, zsh_verb);
    fputs("    esac\n"
          "}\n"
          "_vgraph \"$@\"\n", stream);
}

/* ---- fish */

static const char *fish_arguments(kind what) {
    switch (what) {
    case MODELS:  return " -a '(__fish_complete_suffix .nn; __fish_complete_suffix .safetensors)'";
    case FILES:   return " -F";
    case FOLDERS: return " -a '(__fish_complete_directories)'";
    case NOTHING:
    case WORDS:   break;
    }
    return "";
}

static void fish_verb(FILE *stream, const vg_cli_verb *verb) {
    vg_cli_option_text option;
    const char *words;
    fprintf(stream, "complete -c vgraph -n __fish_use_subcommand -a %s -d '", verb->name);
    quoted(stream, verb->does, "\\'", "\\");
    fputs("'\n", stream);
    if (kind_of_verb(verb) != NOTHING) {
        fprintf(stream, "complete -c vgraph -n '__fish_seen_subcommand_from %s'%s\n", verb->name,
                fish_arguments(kind_of_verb(verb)));
    }
    for (size_t i = 0; vg_cli_option_at(verb, i, &option); i++) {
        const kind what = kind_of_option(verb, &option, &words);
        fprintf(stream, "complete -c vgraph -n '__fish_seen_subcommand_from %s' -l %s", verb->name, option.name);
        if (what == WORDS) {
            fprintf(stream, " -x -a '%s'", words);
        } else if (option.value) {
            fprintf(stream, " %s%s", what == NOTHING ? "-x" : "-r", fish_arguments(what));
        }
        fputs(" -d '", stream);
        quoted(stream, option.help, "\\'", "\\");
        fputs("'\n", stream);
    }
}

static void fish(FILE *stream) {
    fputs("# Completions of vgraph for fish, made by `vgraph --completion fish`.\n"
          "complete -c vgraph -f\n", stream);
    for_verbs(stream, fish_verb);
}

bool vg_cli_completion(FILE *stream, const char *shell) {
    static const struct { const char *name; void (*write)(FILE *stream); } shells[] = {
        { "bash", bash }, { "zsh", zsh }, { "fish", fish }
    };
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].write(stream);
            return true;
        }
    }
    return false;
}
