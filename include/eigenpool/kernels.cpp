// What EIGENPOOL_COMPILED names: kernels of float and double, for the files of a program that are built with
// EIGENPOOL_COMPILED_KERNELS.
#define EIGENPOOL_KERNELS_CPP
#include "eigenpool.hpp"
