/* What the operating system is asked for: time, names, the terminal. */
#ifndef VG_BASE_OS_H
#define VG_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

double   vg_os_seconds(void);                /* monotonic, seconds since an arbitrary start */
double   vg_os_wall_time(void);              /* seconds since 1970 */
void     vg_os_hostname(char *text, size_t size);
uint32_t vg_os_process(void);
bool     vg_os_is_terminal(int descriptor);
uint32_t vg_os_columns(int descriptor);      /* the terminal's width, 80 when unknown */
/* "20261123-130706", local time */
void     vg_os_date(char *text, size_t size);
/* The most bytes that a process can hold here: memory and swap, or what its group is allowed (a container's limit). */
uint64_t vg_os_memory(void);
/* Asks for large pages under the whole pages of this memory: far fewer addresses to translate. Nothing happens where there are none. */
void     vg_os_large_pages(void *memory, size_t bytes);
/* The processor's model name, for the record of a run. */
void     vg_os_machine(char *text, size_t size);

#endif
