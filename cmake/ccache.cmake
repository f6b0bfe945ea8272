# SPDX-License-Identifier: Apache-2.0
# ccache, so that a build in another folder of the same machine finds what an earlier one compiled: paths below the
# checkout are relative for it, and neither the working directory nor the age of a precompiled header counts. A base
# folder that the environment names is kept.
find_program(CCACHE ccache)
if(NOT CCACHE)
  return()
endif()
set(ccache_settings CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime)
if(NOT DEFINED ENV{CCACHE_BASEDIR})
  list(APPEND ccache_settings CCACHE_BASEDIR=${PROJECT_SOURCE_DIR})
endif()
set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env ${ccache_settings} ${CCACHE})
# No path of this folder in what is compiled, but for gcov, which looks for it.
add_compile_options(-fdebug-prefix-map=${PROJECT_SOURCE_DIR}/= -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
