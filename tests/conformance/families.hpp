// The operators that the runner runs, one source file each: run every call of the case, note what goes wrong.
#pragma once

#include "findings.hpp"
#include "pool_case.hpp"

namespace conformance {

void run_max_pool(const PoolCase& of, Findings& findings);
void run_avg_pool(const PoolCase& of, Findings& findings);
void run_lp_pool(const PoolCase& of, Findings& findings);
void run_adaptive_max_pool(const PoolCase& of, Findings& findings);
void run_adaptive_avg_pool(const PoolCase& of, Findings& findings);
void run_global_max_pool(const PoolCase& of, Findings& findings);
void run_global_avg_pool(const PoolCase& of, Findings& findings);
void run_fractional_max_pool(const PoolCase& of, Findings& findings);
void run_max_unpool(const PoolCase& of, Findings& findings);
void run_roi_align(const PoolCase& of, Findings& findings);

}  // namespace conformance
