// eigenpool: pooling operators over Eigen tensors. Includes everything, in reading order.
#pragma once

// clang-format off
#include "version.hpp"
#include "config.hpp"
#include "window.hpp"
#include "max_pool.hpp"
#include "min_pool.hpp"
#include "avg_pool.hpp"
#include "adaptive_max_pool.hpp"
#include "adaptive_min_pool.hpp"
#include "adaptive_avg_pool.hpp"
#include "global_max_pool.hpp"
#include "global_min_pool.hpp"
#include "global_avg_pool.hpp"
#include "blur_pool.hpp"
#include "sequence_pool.hpp"
#include "segment_pool.hpp"
#include "lp_pool.hpp"
#include "pool.hpp"
#include "avg_max_pool.hpp"
#include "global_mean_variance.hpp"
#include "spatial_pyramid_pool.hpp"
#include "fractional_max_pool.hpp"
#include "max_unpool.hpp"
#include "roi_align.hpp"
#include "roi_pool.hpp"
// clang-format on
