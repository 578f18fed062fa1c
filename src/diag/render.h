/* Diagnostics as a person reads them:
 *
 *     models/a.nn:24:12: error: there is no 'dnse' here [unknown-name]
 *       24 |     h[i] = dnse(h[i-1], hidden, act)
 *          |            ^~~~
 *       did you mean 'dense'?
 *       in dense(...) called at models/a.nn:24:12, i = 3
 *
 * A place inside the library is shown as the user's call that led there, with the library's line as a note. */
#ifndef VG_DIAG_RENDER_H
#define VG_DIAG_RENDER_H

#include "diag/diag.h"

enum { VG_RENDER_LIMIT = 20 };   /* diagnostics shown; "and 13 more errors" follows */

/* Appends diagnostics `from`..end. In the order of the sources, stable. */
void vg_render(const vg_diags *diags, uint32_t from, bool colour, vg_text *out);
/* One diagnostic without colour. */
void vg_render_one(const vg_diags *diags, uint32_t index, bool colour, vg_text *out);

#endif
