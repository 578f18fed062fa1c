/* The products of test_product.c, in double. */
#define VG_REAL double
#define VG_REAL_double
#include "test_product.c"
