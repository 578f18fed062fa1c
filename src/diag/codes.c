/* diag.def as a table. */
#include "diag/diag.h"

const vg_code_row vg_code_rows[VG_CODE_COUNT] = {
    [VG_D_none] = { "none", VG_CLASS_MODEL, 0, "", NULL },
#define VG_DIAG(name, class, arguments, text, help) \
    [VG_D_##name] = { #name, VG_CLASS_##class, (arguments), (text), (help) },
#include "diag.def"
#undef VG_DIAG
};
