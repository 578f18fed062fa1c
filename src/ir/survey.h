/* What op survey tells of each unit of a tensor: one row of its result a name below. */
#ifndef VG_IR_SURVEY_H
#define VG_IR_SURVEY_H

typedef enum vg_survey_row {
    /* shares of all its elements */
    VG_SURVEY_active,        /* above 0 */
    VG_SURVEY_low,           /* below the survey's `low` */
    VG_SURVEY_high,          /* above its `high` */
    VG_SURVEY_zeros,
    VG_SURVEY_tiny,          /* not 0, and nearer to it than half the least float16, 2^-25: it would become 0 there */
    VG_SURVEY_wrong,         /* NaN or infinite */
    /* of the finite ones */
    VG_SURVEY_min, VG_SURVEY_max,
    VG_SURVEY_mean, VG_SURVEY_variance,
    VG_SURVEY_ROWS
} vg_survey_row;

/* As `axis`: the tensor as a whole is one unit. */
enum { VG_SURVEY_WHOLE = -1 };

#endif
