/* What the verbs share in saying things: colour, characters, complaints, exit statuses, memory. */
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

static _Noreturn void end_without_memory(void) {
    vg_cli_complain("there is not enough memory");
    vg_cli_result_abandon();
    exit(VG_FAILED_RESOURCE);
}

void *vg_cli_alloc(size_t count, size_t size) {
    void *block = calloc(count ? count : 1, size);
    if (!block) {
        end_without_memory();
    }
    return block;
}

void *vg_cli_resize(void *block, size_t count, size_t size) {
    void *grown = reallocarray(block, count, size);
    if (!grown) {
        end_without_memory();
    }
    return grown;
}

void *vg_cli_json_alloc(size_t size) { return vg_cli_alloc(size, 1); }

char *vg_cli_format(const char *format, ...) {
    va_list list;
    char *text;
    va_start(list, format);
    const int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0) {
        end_without_memory();
    }
    return text;
}

bool vg_cli_is_terminal(FILE *stream) {
    const char *terminal = getenv("TERM");
    return isatty(fileno(stream)) && terminal && strcmp(terminal, "dumb") != 0;
}

uint32_t vg_cli_columns(FILE *stream, uint32_t otherwise) {
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : otherwise;
}

uint32_t vg_cli_rows(FILE *stream) {
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

bool vg_cli_has_colour(const vg_cli_options *options, FILE *stream) {
    const char *no_colour = getenv("NO_COLOR");
    switch (options->colour) {
    case VG_CLI_COLOUR_ALWAYS: return true;
    case VG_CLI_COLOUR_NEVER:  return false;
    case VG_CLI_COLOUR_AUTO:   break;
    }
    return vg_cli_is_terminal(stream) && !(no_colour && *no_colour);
}

/* A bare container says nothing about its locale; what shows its output knows UTF-8 all the same. */
bool vg_cli_has_unicode(void) {
    if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0) {
        return true;
    }
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            return false;
        }
    }
    return true;
}

bool vg_cli_write(void *stream, const char *bytes, size_t length) {
    vg_cli_stream *to = stream;
    errno = 0;
    if (fwrite(bytes, 1, length, to->file) == length) {
        return true;
    }
    to->error = to->error ? to->error : errno;
    return false;
}

void vg_cli_flush(vg_cli_stream *stream) {
    errno = 0;
    if (fflush(stream->file) != 0 && !stream->error) {
        stream->error = errno;
    }
}

void vg_cli_complain(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs("vgraph: ", stderr);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* How loud each status is. */
static int rank_of(vg_status status) {
    switch (status) {
    case VG_OK:              return 0;
    case VG_INTERRUPTED:     return 1;
    case VG_FAILED_EXPECT:   return 2;
    case VG_FAILED_NUMBERS:  return 3;
    case VG_FAILED_RESOURCE: return 4;
    case VG_FAILED_MODEL:    return 5;
    case VG_FAILED_USAGE:    return 6;
    }
    return 0;
}

vg_status vg_cli_worse(vg_status a, vg_status b) {
    return rank_of(a) >= rank_of(b) ? a : b;
}
