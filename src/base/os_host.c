/* The machine, the process and its terminal (os.h). */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/os.h"

void vg_os_hostname(char *text, size_t size) {
    if (gethostname(text, size) != 0) {
        snprintf(text, size, "localhost");
    }
    text[size - 1] = '\0';
}

uint32_t vg_os_process(void) { return (uint32_t)getpid(); }

bool vg_os_is_terminal(int descriptor) { return isatty(descriptor) == 1; }

uint32_t vg_os_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

uint64_t vg_os_memory(void) {
    struct sysinfo info;
    unsigned long long limit;
    if (sysinfo(&info) != 0) {
        return UINT64_MAX;
    }
    uint64_t memory = (uint64_t)info.totalram * info.mem_unit;
    FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
    if (file && fscanf(file, "%llu", &limit) == 1 && limit < memory) {   /* "max": no limit */
        memory = limit;
    }
    if (file) {
        fclose(file);
    }
    return memory + (uint64_t)info.totalswap * info.mem_unit;
}

void vg_os_large_pages(void *memory, size_t bytes) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)memory;
    const uintptr_t first = (begin + page - 1) / page * page, end = (begin + bytes) / page * page;
    if (end > first) {
        madvise((void *)first, end - first, MADV_HUGEPAGE);
    }
}

void vg_os_machine(char *text, size_t size) {
    struct utsname names;
    snprintf(text, size, "%s", uname(&names) == 0 ? names.machine : "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", 10) == 0) {
            snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
            text[strcspn(text, "\n")] = '\0';
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}
