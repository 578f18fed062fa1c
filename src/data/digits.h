/* The strokes of the drawn digits: several ways of writing each. */
#ifndef VG_DATA_DIGITS_H
#define VG_DATA_DIGITS_H

#include <stdint.h>

enum { VG_PEN_POINTS = 24 };

/* In a box of 100 by 100, y down. A curve goes through its points; a point given twice is a corner. */
typedef struct vg_pen_point { int8_t x, y; } vg_pen_point;
typedef struct vg_handwriting {
    uint8_t      digit;
    vg_pen_point points[VG_PEN_POINTS];   /* {-1, -1}: the pen is lifted; {0, 0}: the end */
} vg_handwriting;

extern const vg_handwriting vg_handwritings[];
extern const uint32_t       vg_handwriting_count;

#endif
