/* Which runs a sweep has: every value of each --set with every value of the others. */
#include "sweep.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- values */

/* The length of the value that `text` begins with: up to a comma outside brackets and strings. */
static size_t value_length(const char *text) {
    size_t depth = 0, i = 0;
    for (bool quoted = false; text[i]; i++) {
        if (quoted && text[i] == '\\' && text[i + 1]) {
            i++;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && strchr("([{", text[i])) {
            depth++;
        } else if (!quoted && strchr(")]}", text[i])) {
            depth -= depth > 0;
        } else if (!quoted && depth == 0 && text[i] == ',') {
            break;
        }
    }
    return i;
}

static char *trimmed(const char *text, size_t length) {
    while (length && isspace((unsigned char)text[length - 1])) {
        length--;
    }
    while (length && isspace((unsigned char)*text)) {
        text++, length--;
    }
    return vg_cli_format("%.*s", (int)length, text);
}

static vg_status split_values(const vg_cli_grid *sweep, vg_cli_setting *setting, const char *text) {
    setting->values = vg_cli_alloc(strlen(text) + 1, sizeof *setting->values);
    for (;; text++) {
        const size_t length = value_length(text);
        char *value = setting->values[setting->count++] = trimmed(text, length);
        if (*value == '\0') {
            return vg_cli_usage(sweep->options->verb, "--set %s has an empty value", setting->name);
        }
        for (size_t i = 0; i + 1 < setting->count; i++) {
            if (strcmp(setting->values[i], value) == 0) {
                return vg_cli_usage(sweep->options->verb, "--set %s has the value %s twice", setting->name, value);
            }
        }
        text += length;
        if (*text == '\0') {
            return VG_OK;
        }
    }
}

/* ---- combinations */

/* "27,000" */
static void write_thousands(char text[40], double number) {
    char digits[40], *to = text;
    const int length = snprintf(digits, sizeof digits, "%.0f", number);
    for (int i = 0; i < length && i < 24; i++) {
        *to++ = digits[i];
        if ((length - i) % 3 == 1 && i + 1 < length) {
            *to++ = ',';
        }
    }
    *to = '\0';
}

static vg_status refuse_count(const vg_cli_grid *sweep, double count) {
    char text[40];
    if (count < 1e15) {
        write_thousands(text, count);
    } else {
        snprintf(text, sizeof text, "%.3g", count);
    }
    return vg_cli_usage(sweep->options->verb, "these are %s combinations; a sweep takes at most 1,000", text);
}

bool vg_cli_sweep_varies(const vg_cli_grid *sweep, size_t setting) {
    return sweep->settings[setting].count > 1 || sweep->run_count == 1;
}

static char *run_name(const vg_cli_grid *sweep, const char *const *values) {
    char *name = vg_cli_format("%s", "");
    for (size_t i = 0; i < sweep->setting_count; i++) {
        if (vg_cli_sweep_varies(sweep, i)) {
            char *longer = vg_cli_format("%s%s%s=%s", name, *name ? "," : "", sweep->settings[i].name, values[i]);
            free(name);
            name = longer;
        }
    }
    return name;
}

static void list_runs(vg_cli_grid *sweep) {
    sweep->runs = vg_cli_alloc(sweep->run_count, sizeof *sweep->runs);
    for (size_t k = 0; k < sweep->run_count; k++) {
        vg_cli_sweep_run *run = &sweep->runs[k];
        size_t left = k;
        run->values = vg_cli_alloc(sweep->setting_count, sizeof *run->values);
        for (size_t i = sweep->setting_count; i-- > 0;) {
            run->values[i] = sweep->settings[i].values[left % sweep->settings[i].count];
            left /= sweep->settings[i].count;
        }
        run->name = run_name(sweep, run->values);
        run->messages = run->lines = -1;
    }
}

vg_status vg_cli_sweep_plan(vg_cli_grid *sweep) {
    const vg_cli_options *options = sweep->options;
    sweep->settings = vg_cli_alloc(options->change_count, sizeof *sweep->settings);
    double count = 1;
    for (size_t i = 0; i < options->change_count; i++) {
        const vg_cli_change *change = &options->changes[i];
        if (change->kind != VG_CLI_SET) {
            continue;
        }
        vg_cli_setting *setting = &sweep->settings[sweep->setting_count++];
        setting->name = change->name;
        const vg_status status = split_values(sweep, setting, change->value);
        if (status != VG_OK) {
            return status;
        }
        count *= (double)setting->count;
    }
    if (sweep->setting_count == 0) {
        return vg_cli_usage(options->verb, "'vgraph sweep' needs --set NAME=A,B: what is to be tried");
    }
    if (count > VG_CLI_SWEEP_MOST) {
        return refuse_count(sweep, count);
    }
    sweep->run_count = (size_t)count;
    list_runs(sweep);
    return VG_OK;
}

/* ---- folders */

/* A name that every file system takes: letters, digits and a few signs; blanks go, everything else becomes '_'. */
static char *safe_name(const char *name) {
    enum { MOST = 120 };
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=,.()[]+-_";
    char *safe = vg_cli_alloc(MOST + 1, 1), *to = safe;
    for (const char *from = name; *from && to < safe + MOST; from++) {
        if (strchr(plain, *from)) {
            *to++ = *from;
        } else if (*from != ' ') {
            *to++ = '_';
        }
    }
    if (to > safe && to[-1] == '.') {
        to[-1] = '_';
    }
    return safe;
}

/* Two names that become one, also where letters' case does not count, are told apart by a number. */
static bool is_taken(const vg_cli_grid *sweep, size_t run, const char *folder) {
    for (size_t i = 0; i < run; i++) {
        if (strcasecmp(sweep->runs[i].folder, folder) == 0) {
            return true;
        }
    }
    return false;
}

void vg_cli_sweep_name_folders(vg_cli_grid *sweep) {
    for (size_t k = 0; k < sweep->run_count; k++) {
        char *name = safe_name(sweep->runs[k].name);
        char *folder = vg_cli_format("%s/%s", sweep->folder, name);
        for (int n = 2; is_taken(sweep, k, folder); n++) {
            free(folder);
            folder = vg_cli_format("%s/%s-%d", sweep->folder, name, n);
        }
        free(name);
        sweep->runs[k].folder = folder;
    }
}

void vg_cli_sweep_free(vg_cli_grid *sweep) {
    for (size_t k = 0; sweep->runs && k < sweep->run_count; k++) {
        vg_cli_sweep_run *run = &sweep->runs[k];
        for (size_t i = 0; i < run->scalar_count; i++) {
            free((char *)(uintptr_t)run->scalars[i].tag);
        }
        free(run->name);
        free(run->folder);
        free(run->values);
        free(run->said.bytes);
        free(run->line.bytes);
        free(run->scalars);
        free(run->fault);
    }
    for (size_t i = 0; i < sweep->setting_count; i++) {
        for (size_t j = 0; j < sweep->settings[i].count; j++) {
            free(sweep->settings[i].values[j]);
        }
        free(sweep->settings[i].values);
    }
    free(sweep->settings);
    free(sweep->runs);
    free(sweep->folder);
}
