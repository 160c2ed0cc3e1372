# No function of eigenpool's may have one name in both objects: the linker would keep one of the two, and the code
# for the newer processor could end up in the callers of the older one's.
# cmake -DNM=nm -DBASELINE=object -DAVX2=object -P symbols.cmake

cmake_minimum_required(VERSION 3.25)

# Sets `result` to the mangled names of the weak functions of eigenpool's that an object defines.
function(weak_functions object result)
  execute_process(COMMAND "${NM}" --defined-only "${object}" OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL " W [^\n]*eigenpool[^\n]*" names "${lines}")
  if(NOT names)
    message(FATAL_ERROR "${object} has no weak function of eigenpool's: this test looks for the wrong names")
  endif()
  set(${result} "${names}" PARENT_SCOPE)
endfunction()

weak_functions("${BASELINE}" baseline)
weak_functions("${AVX2}" avx2)
foreach(name IN LISTS baseline)
  if(name IN_LIST avx2)
    message(SEND_ERROR "in both objects:${name}")
  endif()
endforeach()
list(LENGTH baseline baseline_count)
list(LENGTH avx2 avx2_count)
message(STATUS "compared ${baseline_count} with ${avx2_count} functions")
