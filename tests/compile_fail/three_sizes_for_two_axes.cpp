// A window of two axes takes one number or two.
#include <eigenpool/eigenpool.hpp>

#ifdef MENDED
constexpr eigenpool::Window<2> window{.kernel = {2, 2}};
#else
constexpr eigenpool::Window<2> window{.kernel = {2, 2, 2}};
#endif
