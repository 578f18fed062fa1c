/* Which way a scalar gets better, as its name says. */
#ifndef VG_IR_DIRECTION_H
#define VG_IR_DIRECTION_H

/* -1: down (a loss), 1: up (an accuracy), 0: not known. `tag` is a summary's, or an expression's text. */
int vg_tag_direction(const char *tag);

#endif
