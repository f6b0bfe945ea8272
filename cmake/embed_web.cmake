# SPDX-License-Identifier: Apache-2.0
# embed_web(FOLDER OUT_VAR): one C++ source that holds every file below FOLDER, regenerated when one changes.
# The functions that read it are declared in src/http/web_assets.hpp.
function(embed_web folder out_var)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/web_assets.cpp)
  set(paths ${files})
  list(TRANSFORM paths PREPEND ${folder}/)
  string(REPLACE ";" "|" joined "${files}")
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} "-DFILES=${joined}" -DOUTPUT=${output}
            -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/write_web_assets.cmake
    DEPENDS ${paths} ${CMAKE_CURRENT_SOURCE_DIR}/cmake/write_web_assets.cmake
    VERBATIM)
  set(${out_var} ${output} PARENT_SCOPE)
endfunction()
