/* libFuzzer: any text loads, or is refused with diagnostics that can be shown; what parses has one layout.
 * Long numbers are left out, since a loop of a million turns is slow and not wrong. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vgraph.h"

enum { LENGTH_LIMIT = 8192, DIGIT_LIMIT = 2 };

static bool swallow(void *user, const char *bytes, size_t length) {
    size_t *total = user;
    *total += length;
    if (length && memchr(bytes, '\0', length)) {
        abort();
    }
    return true;
}

static bool is_slow(const uint8_t *data, size_t size) {
    int digits = 0;
    for (size_t k = 0; k < size; k++) {
        digits = isdigit(data[k]) ? digits + 1 : data[k] == '_' ? digits : 0;
        if (digits > DIGIT_LIMIT || (k > 0 && isdigit(data[k - 1]) && (data[k] | 0x20) == 'e')) {
            return true;
        }
    }
    return size > LENGTH_LIMIT;
}

typedef struct copy { char text[64 * LENGTH_LIMIT]; size_t length; } copy;

static bool keep(void *user, const char *bytes, size_t length) {
    copy *to = user;
    if (length > sizeof to->text - to->length) {
        return false;   /* deep within brackets lines become long */
    }
    memcpy(to->text + to->length, bytes, length);
    to->length += length;
    return true;
}

static vg_status lay_out(const char *text, size_t length, copy *out) {
    vg_model *model = vg_model_new();
    out->length = 0;
    const vg_status status = model ? vg_model_format(model, "fuzz.nn", text, length, keep, out) : VG_FAILED_RESOURCE;
    vg_model_free(model);
    return status;
}

/* A text laid out twice is the same as one laid out once. */
static void check_layout(const uint8_t *data, size_t size) {
    static copy once, twice;
    if (lay_out((const char *)data, size, &once) != VG_OK) {
        return;
    }
    const vg_status status = lay_out(once.text, once.length, &twice);
    if (status == VG_FAILED_RESOURCE) {
        return;
    }
    if (status != VG_OK || once.length != twice.length || memcmp(once.text, twice.text, once.length) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (is_slow(data, size)) {
        return -1;
    }
    vg_model *model = vg_model_new();
    if (!model) {
        return 0;
    }
    const vg_status status = vg_model_load_text(model, "fuzz.nn", (const char *)data, size);
    size_t length = 0;
    vg_model_explain(model, 0, false, swallow, &length);
    if ((status == VG_OK) != (vg_model_diagnostics(model) == 0) || (status == VG_OK) != (length == 0)) {
        abort();   /* refused without a reason, or a reason without being refused */
    }
    for (size_t k = 0; k < vg_model_diagnostics(model); k++) {
        vg_diagnostic diagnostic;
        if (!vg_model_diagnostic(model, k, &diagnostic) || strcmp(diagnostic.code, "internal-error") == 0) {
            abort();
        }
    }
    vg_model_free(model);
    check_layout(data, size);
    return 0;
}
