# Flags of every target: the same bytes on every x86-64, warnings, sanitizers, ccache.

find_program(DSPARK_CCACHE ccache)
if(DSPARK_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DSPARK_CCACHE})
endif()

add_library(dspark_flags INTERFACE)
target_compile_options(dspark_flags INTERFACE
  # Results are the same bytes on every run and machine: no fused multiply-add behind our back.
  -ffp-contract=off -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  # GCC 12 reports moved-from variants of shared pointers that are initialised (GCC bug 105562 and kin); clang does not
  # know this warning.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(DSPARK_WERROR)
  target_compile_options(dspark_flags INTERFACE -Werror)
endif()
if(DSPARK_SANITIZE)
  # The checks left out cost half the build: the address sanitizer reports a null pointer or a read past an object
  # where it happens, and x86-64 reads unaligned.
  list(JOIN DSPARK_SANITIZE "," sanitizers)
  target_compile_options(dspark_flags INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize=null,alignment,object-size,vptr
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(dspark_flags INTERFACE -fsanitize=${sanitizers})
  if(DSPARK_SANITIZE MATCHES address)
    # The address sanitizer does not see a read behind a vector's end that stays in its capacity; these assertions do.
    target_compile_definitions(dspark_flags INTERFACE _GLIBCXX_ASSERTIONS)
  endif()
endif()
