/* The house's own rules, read from the sources: includes point only downward, files and functions stay short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LINES = 500, FUNCTION_LINES = 80 };

/* From the ground up. The sinks of watch are handed models, so they stand upon api, which knows none of them. */
static const char *const floors[] = { "base", "diag", "ir", "front", "pass", "run", "data", "api", "watch", "cli" };
enum { FLOORS = sizeof floors / sizeof *floors, DIAG = 1, IR = 2, FRONT = 3, API = 7, CLI = 9 };

typedef struct house { unsigned wrong, files, includes; } house;

static void complain(house *h, const char *path, unsigned line, const char *what) {
    print_error("%s:%u: %s\n", path, line, what);
    h->wrong++;
}

/* The floor that a name begins with ("ir/graph.h"), or FLOORS. */
static unsigned floor_of(const char *name) {
    for (unsigned k = 0; k < FLOORS; k++) {
        const size_t length = strlen(floors[k]);
        if (!strncmp(name, floors[k], length) && name[length] == '/') return k;
    }
    return FLOORS;
}

/* Whether a file of `floor` may include "name"; `folder` is where the file lies. */
static bool may_include(unsigned floor, const char *folder, const char *name) {
    const unsigned target = floor_of(name);
    char beside[600];
    snprintf(beside, sizeof beside, "%s/%s", folder, name);
    if (!strcmp(name, "vgraph.h")) return floor >= API;
    if (!strcmp(name, "diag.def")) return floor >= DIAG;
    if (!strcmp(name, "op.def")) return floor >= IR && floor < CLI;
    if (floor == CLI) return target == CLI || access(beside, R_OK) == 0;
    if (target == FLOORS) return true;   /* a generated header, or another library's */
    /* What the front knows stays there: above it only the table of data sources is known. */
    if (target == FRONT && floor > FRONT && floor != API) return !strcmp(name, "front/dataset.h");
    return target <= floor;
}

static void check_include(house *h, unsigned floor, const char *folder, const char *path, unsigned number, const char *line) {
    char name[300], what[400];
    if (sscanf(line, "#include \"%299[^\"]\"", name) != 1) return;
    h->includes++;
    if (may_include(floor, folder, name)) return;
    snprintf(what, sizeof what, "'%s' may not be included from %s", name, floors[floor]);
    complain(h, path, number, what);
}

/* A function opens on a line without indentation that has a parenthesis and ends in a brace. */
static bool opens_function(const char *line) {
    const size_t length = strcspn(line, "\n");
    return length && line[length - 1] == '{' && line[0] != ' ' && line[0] != '#' && line[0] != '%' && strchr(line, '(');
}

static void check_file(house *h, unsigned floor, const char *folder, const char *name) {
    char path[600], line[4096];
    unsigned number = 0, opened = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        number++;
        check_include(h, floor, folder, path, number, line);
        if (opens_function(line)) opened = number;
        if (line[0] == '}' && opened) {
            if (number - opened + 1 > FUNCTION_LINES) complain(h, path, opened, "the function is too long");
            opened = 0;
        }
        if (number == 1 && strncmp(line, "/*", 2)) complain(h, path, 1, "a file opens with what it is for");
    }
    fclose(file);
    if (number > FILE_LINES) complain(h, path, number, "the file is too long");
    h->files++;
}

static bool is_source(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (!strcmp(dot, ".c") || !strcmp(dot, ".h"));
}

static void check_floor(house *h, unsigned floor) {
    char folder[300];
    snprintf(folder, sizeof folder, "%s/src/%s", VG_ROOT, floors[floor]);
    DIR *directory = opendir(folder);
    if (!directory) fail_msg("there is no %s", folder);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (is_source(entry->d_name)) check_file(h, floor, folder, entry->d_name);
    closedir(directory);
}

static void the_house_is_kept(void **state) {
    house h = { 0 };
    (void)state;
    for (unsigned floor = 0; floor < FLOORS; floor++) check_floor(&h, floor);
    assert_true(h.files > 20 && h.includes > 50);
    assert_int_equal(h.wrong, 0);
}

/* The rule itself: a test that could not fail would say nothing. */
static void arrows_that_run_up_are_found(void **state) {
    static const struct { const char *floor, *name; bool allowed; } table[] = {
        { "ir", "base/mem.h", true },      { "base", "ir/dim.h", false },      { "ir", "pass/pass.h", false },
        { "pass", "ir/unit.h", true },     { "run", "front/dataset.h", true }, { "run", "front/tree.h", false },
        { "data", "front/dataset.h", true }, { "pass", "run/kernel.h", false }, { "cli", "base/mem.h", false },
        { "cli", "vgraph.h", true },       { "api", "front/elaborate.h", true }, { "front", "pass/pass.h", false },
        { "base", "op.def", false },       { "base", "vgraph.h", false },     { "api", "watch/sink.h", false },
    };
    (void)state;
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        char from[20];
        snprintf(from, sizeof from, "%s/", table[k].floor);
        if (may_include(floor_of(from), "nowhere", table[k].name) != table[k].allowed)
            fail_msg("%s from %s", table[k].name, table[k].floor);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_house_is_kept), cmocka_unit_test(arrows_that_run_up_are_found) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
