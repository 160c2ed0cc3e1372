# Kernels are in one object of a target that links eigenpool::compiled, and every other object asks for them.
#   cmake -DNM=nm -DOBJECTS=a.o;b.o -P compiled.cmake

set(with_kernels 0)
set(asking 0)
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND "${NM}" -C "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  if(symbols MATCHES " [TW] [^\n]*::extreme_windows<")
    math(EXPR with_kernels "${with_kernels} + 1")
  endif()
  if(symbols MATCHES " U [^\n]*::extreme_windows<")
    math(EXPR asking "${asking} + 1")
  endif()
endforeach()
if(NOT "${with_kernels},${asking}" STREQUAL "1,1")
  message(FATAL_ERROR "${with_kernels} objects have kernels, ${asking} ask for them, expected one each: ${OBJECTS}")
endif()
