/* The standard library's files (grammar/std), carried inside the program. */
#ifndef VG_FRONT_STD_H
#define VG_FRONT_STD_H

#include <stddef.h>

typedef struct vg_std_file { const char *name, *text; size_t length; } vg_std_file;

extern const vg_std_file vg_std_files[];
extern const unsigned    vg_std_file_count;

#endif
