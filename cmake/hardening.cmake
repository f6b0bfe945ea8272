# SPDX-License-Identifier: Apache-2.0
# What makes a fault in the daemon harder to use: addresses that nobody can guess (PIE), a table of imported functions
# that is read-only once the program runs (full RELRO), guards around arrays on the stack and behind the stack, checked
# copies (_FORTIFY_SOURCE), and marked targets of calls and returns (CET on x86, BTI and PAC on ARM).
# Only for builds that are installed: in debug builds, and better still in sanitizer builds, faults are looked for.
if(CMAKE_BUILD_TYPE STREQUAL "Debug" OR CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
  return()
endif()
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckLinkerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -mbranch-protection=standard)
  string(MAKE_C_IDENTIFIER "has${flag}" has)
  check_cxx_compiler_flag(${flag} ${has})
  if(${has})
    add_compile_options(${flag})
  endif()
endforeach()

# 3 needs GCC 12 or Clang 15, and glibc 2.35. Distributions' compilers may define it already.
check_cxx_source_compiles("
  #include <string.h>
  #if __has_builtin(__builtin_dynamic_object_size) && defined(__GLIBC__) && __GLIBC_PREREQ(2, 35)
  int main() { return 0; }
  #else
  #error not supported
  #endif" has_fortify_source_3)
add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$<IF:$<BOOL:${has_fortify_source_3}>,3,2>)

add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
# The linker drops the mark of a shadow stack when one object lacks it, and some distributions' start-up objects do.
check_linker_flag(CXX -Wl,-z,shstk has_link_shstk)
if(has_link_shstk AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_link_options(-Wl,-z,shstk)
endif()
